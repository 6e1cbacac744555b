/* Who gets past the gate: client certificate, assertion, token, each alone and together, and what is good for once
 * only. */
#include <check.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "chassis/jwe.h"
#include "chassis/session_watch.h"
#include "chassis/settings.h"
#include "kit/assertion.h"
#include "portal/portal_gate.h"
#include "portal/portal_routes.h"
#include "staff.pb-c.h"

#define MYNAPORTAL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TERMINAL "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OTHER_TERMINAL "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct setting settings[] = {{"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"}};
static char folder[] = "/tmp/portal_gate-XXXXXX";
static struct arena *arena;
static EVP_PKEY *mynaportal, *staff;

static FILE *file_open(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    return out;
}

static void staff_publish(void)
{
    uint8_t raw[32];
    size_t len = sizeof raw;
    char text[65];
    EVP_PKEY_free(staff);
    staff = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    ck_assert_int_eq(EVP_PKEY_get_raw_public_key(staff, raw, &len), 1);
    hex_put(text, raw, len);
    FILE *out = file_open("peers/staff.sign.pub.new");
    fprintf(out, "%s\n", text);
    fclose(out);
    char from[128], to[128];
    snprintf(from, sizeof from, "%s/peers/staff.sign.pub.new", folder);
    snprintf(to, sizeof to, "%s/peers/staff.sign.pub", folder);
    ck_assert_int_eq(rename(from, to), 0);
}

/* staff has said that nothing ended, and is not silent before so long. */
static void staff_heard(int64_t ms)
{
    Staff__EndedReply reply = STAFF__ENDED_REPLY__INIT;
    session_watch_take(&reply, clock_up_ms() + ms - SESSION_SILENCE_MS);
}

static void setup(void)
{
    char path[128];
    struct fault fault = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("SHIKAKU_KEYS", folder, 1);
    ck_assert(settings_read(settings, 1));
    snprintf(path, sizeof path, "%s/peers", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    FILE *out = file_open("mynaportal.fingerprint");
    fputs(MYNAPORTAL "\n", out);
    fclose(out);
    mynaportal = EVP_EC_gen("P-256");
    out = file_open("mynaportal-assertion.pub");
    PEM_write_PUBKEY(out, mynaportal);
    fclose(out);
    staff_publish();
    arena = arena_new(1 << 20);
    ck_assert_msg(gate_open(folder, &fault), "%s", fault.field);
    staff_heard(60000);
}

static void teardown(void)
{
    static const char *const names[] = {
        "peers/staff.sign.pub", "mynaportal.fingerprint", "mynaportal-assertion.pub", "peers"};
    char path[128];
    gate_close();
    arena_free(arena);
    EVP_PKEY_free(mynaportal);
    EVP_PKEY_free(staff);
    staff = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
    rmdir(folder);
}

static const struct http_route *route(const char *name)
{
    for (size_t i = 0; i < http_route_count; i++)
        if (strcmp(http_routes[i].name, name) == 0)
            return &http_routes[i];
    ck_abort_msg("no route %s", name);
    return NULL;
}

static struct exchange ask_of(const char *name, const char *client)
{
    struct exchange x = {.route = route(name)};
    strcpy(x.client, client);
    return x;
}

static enum fault_code pass(struct exchange *x)
{
    struct fault fault = {0};
    bool good = gate_pass(x, arena, &fault);
    ck_assert_int_eq(good, fault.code == FAULT_NONE);
    return fault.code;
}

static char *assertion_for(const char *body)
{
    return kit_assertion_make(mynaportal,
        &(struct kit_assertion){.pseudonym = "portal-1", .body = body, .body_size = body ? strlen(body) : 0});
}

/* As "Bearer TOKEN", in the arena. */
static char *token_with(const char *terminal, const char *session, char **rights, size_t count, int64_t expires_at_ms)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    uint8_t packed[1024], signature[64];
    size_t len = sizeof signature;
    actor.account = "hanako";
    actor.manager = "tokyo";
    actor.terminal = (char *)terminal;
    actor.session = (char *)session;
    actor.rights = rights;
    actor.n_rights = count;
    actor.expires_at_ms = expires_at_ms;
    size_t packed_len = staff__actor__pack(&actor, packed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, NULL, NULL, NULL, staff);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &len, packed, packed_len), 1);
    EVP_MD_CTX_free(context);
    return arena_format(
        arena, "Bearer %s.%s", base64url_put(arena, packed, packed_len), base64url_put(arena, signature, 64));
}

static char *token(const char *terminal, const char *session)
{
    static char *rights[] = {"view", "session", "certificate_show", "a_right_of_tomorrow"};
    return token_with(terminal, session, rights, 4, clock_ms() + 60000);
}

/* APPLY-10, APPLY-12: Mynaportal's certificate and its assertion, both */
START_TEST(a_holder_needs_certificate_and_assertion)
{
    struct exchange x = ask_of("status_list", "");
    ck_assert_int_eq(pass(&x), FAULT_peer_unknown);
    x = ask_of("status_list", TERMINAL);
    x.assertion = assertion_for(NULL);
    ck_assert_int_eq(pass(&x), FAULT_peer_unknown);
    strcpy(x.client, MYNAPORTAL);
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    ck_assert_str_eq(x.portal_pseudonym, "portal-1");
    free(x.assertion);
    x = ask_of("status_list", MYNAPORTAL);
    ck_assert_int_eq(pass(&x), FAULT_assertion_required);
    x.assertion = "portal-1";
    ck_assert_int_eq(pass(&x), FAULT_assertion_required);
    ck_assert_str_eq(x.portal_pseudonym, "");
}
END_TEST

START_TEST(an_assertion_is_good_for_one_request_and_one_body)
{
    struct exchange x = ask_of("submit", MYNAPORTAL);
    x.body = "{}";
    x.body_len = 2;
    x.assertion = assertion_for("{ }");
    ck_assert_int_eq(pass(&x), FAULT_assertion_invalid);
    free(x.assertion);
    x.assertion = assertion_for(NULL);
    ck_assert_int_eq(pass(&x), FAULT_assertion_invalid);
    free(x.assertion);
    x.assertion = assertion_for("{}");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    ck_assert_int_eq(pass(&x), FAULT_assertion_invalid);
    free(x.assertion);
}
END_TEST

/* AUTH-3, AUTH-5: a token is good at its terminal, for its rights, until its end */
START_TEST(a_token_is_bound)
{
    struct exchange x = ask_of("list", TERMINAL);
    ck_assert_int_eq(pass(&x), FAULT_not_authenticated);
    x.authorization = token(TERMINAL, "session-1");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    ck_assert_str_eq(x.actor.account, "hanako");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    struct exchange elsewhere = ask_of("list", OTHER_TERMINAL);
    elsewhere.authorization = x.authorization;
    ck_assert_int_eq(pass(&elsewhere), FAULT_not_authenticated);
    ck_assert_str_eq(elsewhere.actor.account, "");
    struct exchange nowhere = ask_of("list", "");
    nowhere.authorization = x.authorization;
    ck_assert_int_eq(pass(&nowhere), FAULT_terminal_not_listed);
    struct exchange more = ask_of("paper", TERMINAL);
    more.authorization = x.authorization;
    ck_assert_int_eq(pass(&more), FAULT_not_permitted);
    struct exchange late = ask_of("list", TERMINAL);
    late.authorization = token_with(TERMINAL, "session-1", (char *[]){"view"}, 1, clock_ms());
    ck_assert_int_eq(pass(&late), FAULT_not_authenticated);
    late.authorization = "Basic aGFuYWtv";
    ck_assert_int_eq(pass(&late), FAULT_not_authenticated);
}
END_TEST

START_TEST(a_session_that_ended_stays_ended)
{
    struct exchange x = ask_of("list", TERMINAL), y = ask_of("list", TERMINAL);
    x.authorization = token(TERMINAL, "session-1");
    y.authorization = token(TERMINAL, "session-2");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    session_ended("session-1", x.actor.expires_at_ms);
    session_ended("session-1", x.actor.expires_at_ms);
    ck_assert_int_eq(pass(&x), FAULT_not_authenticated);
    ck_assert_int_eq(pass(&y), FAULT_NONE);
}
END_TEST

/* AUTH-6: what staff ended is out, and in doubt nobody is in; machines and holders go on */
START_TEST(nobody_is_let_in_on_old_news)
{
    Staff__EndedSession ended = STAFF__ENDED_SESSION__INIT;
    Staff__EndedReply reply = STAFF__ENDED_REPLY__INIT;
    struct exchange x = ask_of("list", TERMINAL);
    x.authorization = token(TERMINAL, "session-7");
    staff_heard(1);
    while (pass(&x) == FAULT_NONE)
        ;
    ck_assert_int_eq(pass(&x), FAULT_revocation_unknown);
    struct exchange holder = ask_of("status_list", MYNAPORTAL);
    holder.assertion = assertion_for(NULL);
    ck_assert_int_eq(pass(&holder), FAULT_NONE);
    free(holder.assertion);
    ended.session = "session-7";
    ended.tokens_until_ms = clock_ms() + 60000;
    reply.number = 1;
    reply.n_sessions = 1;
    reply.sessions = (Staff__EndedSession *[]){&ended};
    reply.more = true; /* half an answer */
    session_watch_take(&reply, clock_up_ms());
    ck_assert_int_eq(pass(&x), FAULT_revocation_unknown);
    reply.n_sessions = 0;
    reply.more = false;
    session_watch_take(&reply, clock_up_ms());
    ck_assert_int_eq(pass(&x), FAULT_not_authenticated);
    ck_assert_int_eq(session_watch_since(), 1);
    reply.number = 0; /* staff's tables were set back */
    session_watch_take(&reply, clock_up_ms());
    ck_assert_int_eq(session_watch_since(), 0);
    ck_assert_int_eq(pass(&x), FAULT_not_authenticated);
}
END_TEST

/* staff has a new key: what it signs is taken, what the old one signed is not, without a restart. */
START_TEST(a_new_key_of_staff_is_found)
{
    struct exchange x = ask_of("list", TERMINAL);
    char *old = token(TERMINAL, "session-old");
    x.authorization = token(TERMINAL, "session-before");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    staff_publish();
    x.authorization = token(TERMINAL, "session-new");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    x.authorization = old;
    ck_assert_int_eq(pass(&x), FAULT_not_authenticated);
}
END_TEST

START_TEST(a_certificate_is_shown_to_holder_or_staff)
{
    struct exchange x = ask_of("certificate", MYNAPORTAL);
    x.assertion = assertion_for(NULL);
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    ck_assert_str_eq(x.actor.account, "");
    free(x.assertion);
    x = ask_of("certificate", TERMINAL);
    x.authorization = token(TERMINAL, "session-1");
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    ck_assert_str_eq(x.portal_pseudonym, "");
    x = ask_of("certificate", "");
    ck_assert_int_eq(pass(&x), FAULT_peer_unknown);
}
END_TEST

START_TEST(attachments_come_from_mynaportal_or_a_paper_terminal)
{
    struct exchange x = ask_of("attachment", MYNAPORTAL);
    ck_assert_int_eq(pass(&x), FAULT_NONE);
    x = ask_of("attachment", TERMINAL);
    ck_assert_int_eq(pass(&x), FAULT_peer_unknown);
    x.authorization = token(TERMINAL, "session-1");
    ck_assert_int_eq(pass(&x), FAULT_not_permitted);
    x.authorization = token_with(TERMINAL, "session-1", (char *[]){"paper_enter"}, 1, clock_ms() + 60000);
    ck_assert_int_eq(pass(&x), FAULT_NONE);
}
END_TEST

START_TEST(logging_in_needs_a_certificate)
{
    struct exchange x = ask_of("login", "");
    ck_assert_int_eq(pass(&x), FAULT_terminal_not_listed);
    x = ask_of("login", TERMINAL);
    ck_assert_int_eq(pass(&x), FAULT_NONE);
}
END_TEST

/* A missing file stops the start and is named. */
START_TEST(the_gate_does_not_open_without_its_keys)
{
    char path[128];
    struct fault fault = {0};
    gate_close();
    snprintf(path, sizeof path, "%s/mynaportal-assertion.pub", folder);
    unlink(path);
    ck_assert(!gate_open(folder, &fault));
    ck_assert_str_eq(fault.field, "mynaportal-assertion.pub");
    gate_close();
    fclose(file_open("mynaportal.fingerprint"));
    ck_assert(!gate_open(folder, &fault));
    ck_assert_str_eq(fault.field, "mynaportal.fingerprint");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("portal_gate");
    TCase *tests = tcase_create("gate");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_holder_needs_certificate_and_assertion);
    tcase_add_test(tests, an_assertion_is_good_for_one_request_and_one_body);
    tcase_add_test(tests, a_token_is_bound);
    tcase_add_test(tests, a_session_that_ended_stays_ended);
    tcase_add_test(tests, nobody_is_let_in_on_old_news);
    tcase_add_test(tests, a_new_key_of_staff_is_found);
    tcase_add_test(tests, a_certificate_is_shown_to_holder_or_staff);
    tcase_add_test(tests, attachments_come_from_mynaportal_or_a_paper_terminal);
    tcase_add_test(tests, logging_in_needs_a_certificate);
    tcase_add_test(tests, the_gate_does_not_open_without_its_keys);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
