/* Tokens of persons: what staff signed is taken until its end; nothing else is, whatever it is made to look like. */
#include "chassis/actor.h"
#include "chassis/jwe.h"
#include "chassis/session_watch.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "kit/ring.h"
#include "kit/staff_word.h"
#include "kit/token_tricks.h"
#include "staff.pb-c.h"

#include <check.h>

#define TERMINAL "1111111111111111111111111111111111111111111111111111111111111111"
#define SESSION "00000000-0000-4000-8000-000000000001"

static const struct setting settings[] = {{"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"}};
static char folder[64];
static struct arena *arena;
static struct key staff;
static uint8_t public_key[32];

static void setup(void)
{
    char hex[65];
    ring_folder_make(folder);
    ck_assert(settings_read(settings, 1));
    ring_as("staff");
    staff = *keyring_newest("*", KEY_SIGN);
    ck_assert(key_ed25519_public(&staff, public_key));
    hex_put(hex, public_key, sizeof public_key);
    ring_file_write("staff.sign.pub", hex);
    staff_word_take();
    arena = arena_new(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
    ring_folder_remove(folder);
}

static char *token_of(char **rights, size_t count, const char *session, int64_t expires_at_ms)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    uint8_t packed[1024], signature[64];
    actor.account = "hanako";
    actor.role = "counter";
    actor.manager = "tokyo";
    actor.terminal = TERMINAL;
    actor.session = (char *)session;
    actor.rights = rights;
    actor.n_rights = count;
    actor.expires_at_ms = expires_at_ms;
    size_t len = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(&staff, packed, len, signature));
    return arena_format(arena, "%s.%s", base64url_put(arena, packed, len), base64url_put(arena, signature, 64));
}

static char *good_token(void)
{
    static char *rights[] = {"view", "session"};
    return token_of(rights, 2, SESSION, clock_ms() + 60000);
}

static void refused(const char *name, const char *token)
{
    struct actor actor = {.account = "untouched"};
    struct fault fault = {0};
    ck_assert_msg(!actor_verify(token, clock_ms(), &actor, &fault), "%s was taken", name);
    ck_assert_msg(fault.code == FAULT_not_authenticated, "%s: %s", name, fault_code_text(fault.code));
    ck_assert_str_eq(actor.account, "untouched");
}

/* AUTH-5: forged tokens, tokens with more rights or a longer life, of another terminal, session or person, and those
 * that choose their own algorithm; before and after the good one was seen */
START_TEST(what_staff_did_not_sign_is_refused)
{
    struct token_tricks tricks;
    struct actor actor;
    struct fault fault = {0};
    char *good = good_token();
    token_tricks_make(&tricks, good, public_key);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < tricks.count; i++)
            refused(tricks.all[i].name, tricks.all[i].token);
        ck_assert(actor_verify(good, clock_ms(), &actor, &fault));
    }
    ck_assert(actor_has(&actor, RIGHT_view) && !actor_has(&actor, RIGHT_review));
    ck_assert_uint_ge(tricks.count, 40);
    token_tricks_free(&tricks);
}
END_TEST

/* A token ends to the millisecond, known before or not, and whatever the clock of its cache says. */
START_TEST(an_expired_token_is_refused)
{
    struct actor actor;
    struct fault fault = {0};
    int64_t until = clock_ms() + 60000;
    char *token = token_of((char *[]){"view"}, 1, SESSION, until);
    ck_assert(!actor_verify(token, until, &actor, &fault));
    ck_assert(actor_verify(token, until - 1, &actor, &fault));
    ck_assert(!actor_verify(token, until, &actor, &fault));
    ck_assert_int_eq(fault.code, FAULT_not_authenticated);
    refused("of the past", token_of((char *[]){"view"}, 1, SESSION, clock_ms() - 1));
    refused("without end", token_of((char *[]){"view"}, 1, SESSION, 0));
    refused("before time began", token_of((char *[]){"view"}, 1, SESSION, INT64_MIN));
}
END_TEST

/* AUTH-6 */
START_TEST(a_token_of_an_ended_session_is_refused)
{
    struct actor actor;
    struct fault fault = {0};
    char *token = good_token(), *other = token_of((char *[]){"view"}, 1, "another", clock_ms() + 60000);
    ck_assert(actor_verify(token, clock_ms(), &actor, &fault));
    session_ended(SESSION, clock_ms() + 60000);
    refused("of an ended session", token);
    ck_assert(actor_verify(other, clock_ms(), &actor, &fault));
    refused("of no session", token_of((char *[]){"view"}, 1, "", clock_ms() + 60000));
}
END_TEST

/* What is signed and does not fit is refused whole, not cut; a right that nobody knows is none. */
START_TEST(a_token_that_does_not_fit_is_refused)
{
    char long_session[80], *many[200];
    struct actor actor;
    struct fault fault = {0};
    memset(long_session, 'a', sizeof long_session - 1);
    long_session[sizeof long_session - 1] = '\0';
    refused("a session too long", token_of((char *[]){"view"}, 1, long_session, clock_ms() + 60000));
    for (size_t i = 0; i < 200; i++)
        many[i] = "v";
    ck_assert(actor_verify(
        token_of((char *[]){"v", "View", "view "}, 3, SESSION, clock_ms() + 60000), clock_ms(), &actor, &fault));
    ck_assert_uint_eq(actor.rights, 0);
    char *longest = token_of(many, 200, SESSION, clock_ms() + 60000);
    ck_assert(actor_verify(longest, clock_ms(), &actor, &fault));
    char *longer = arena_format(arena, "%s%02000d", longest, 0);
    refused("longer than any", longer);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("tokens");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, what_staff_did_not_sign_is_refused);
    tcase_add_test(cases, an_expired_token_is_refused);
    tcase_add_test(cases, a_token_of_an_ended_session_is_refused);
    tcase_add_test(cases, a_token_that_does_not_fit_is_refused);
    Suite *suite = suite_create("tokens");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
