/* Staff over HTTPS, as a console would do it: an account's whole life from the application to the end, what a manager
 * asks of its people, and how soon whoever is cut off is out everywhere. */
#include "kit/enrolment.h"
#include "kit/journey.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"
#include "kit/token_tricks.h"

#include "certificates.pb-c.h"
#include "chassis/keyring.h"
#include "chassis/session_watch.h"
#include "chassis/work.h"
#include "envelope.pb-c.h"
#include "intake.pb-c.h"
#include "residence.pb-c.h"
#include "staff.pb-c.h"
#include "staff/totp.h"
#include "vault.pb-c.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "Sazanami-31-Kumo"
#define BEAT_MS 100
#define BACK_MS 30000

static struct journey journey;
static struct journey_clerk administrators[2], hanako; /* of nara, whose policy no other test needs */
static struct journey_answer answer;

static int call(const struct journey_clerk *who, const char *method, const char *path, json_t *body_take)
{
    const struct journey_call request = {.as = who->terminal, .method = method, .path = path, .token = who->token};
    return journey_call_json(&journey, request, body_take, &answer);
}

static void check(int status, int expected, const char *code)
{
    ck_assert_msg(status == expected, "%d %s", status, answer.body ? answer.body : "");
    if (code)
        ck_assert_str_eq(journey_text(answer.json, "code"), code);
}

/* The text of a member as a copy that outlives the answer. */
static void keep(char *to, size_t size, const char *member)
{
    snprintf(to, size, "%s", journey_text(answer.json, member));
    ck_assert_str_ne(to, "");
}

static int log_in(struct journey_clerk *who, const char *password, const char *code)
{
    const struct journey_call request = {.as = who->terminal, .method = "POST", .path = "/api/staff/sessions"};
    int status = journey_call_json(&journey, request,
        json_pack("{ss ss ss}", "account", who->account, "password", password, "code", code), &answer);
    free(who->token);
    who->token = status == 201 ? strdup(journey_text(answer.json, "token")) : NULL;
    return status;
}

static void renew(struct journey_clerk *who)
{
    check(call(who, "POST", "/api/staff/sessions/renewal", NULL), 200, NULL);
    free(who->token);
    who->token = strdup(journey_text(answer.json, "token"));
}

static bool is_listed(const char *list, const char *member, const char *value)
{
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer.json, list), index, row)
    {
        const char *text = json_is_string(row) ? json_string_value(row) : journey_text(row, member);
        if (strcmp(text, value) == 0)
            return true;
    }
    return false;
}

static void application_make(char application[64])
{
    check(call(&administrators[0], "POST", "/api/staff/account-applications",
              json_pack("{ss ss ss ss ss s[s] ss ss}", "kind", "issue", "account", "nara-hanako", "person",
                  "架空　花子(職員番号0001)", "category", "staff", "role", "counter", "programmes", "jun-kangoshi",
                  "need", "准看護師籍の登録事務", "until", "2099-03-31")),
        200, NULL);
    keep(application, 64, "application");
}

/* AUTH-1, AUTH-2, AUTH-4: applied for by one, approved by another, first password changed, then the rights */
START_TEST(an_account_begins_with_an_application)
{
    char application[64], first[64], path[160];
    for (int i = 0; i < 2; i++)
        ck_assert(journey_administrator(&journey, "nara", i + 1, &administrators[i]));
    application_make(application);
    snprintf(path, sizeof path, "/api/staff/account-applications/%s/decision", application);
    check(call(&administrators[0], "POST", path, json_pack("{sb}", "approve", 1)), 403, "decided_by_applicant");
    check(call(&administrators[1], "GET", "/api/staff/account-applications?state=applied", NULL), 200, NULL);
    ck_assert(is_listed("applications", "application", application));
    check(call(&administrators[1], "POST", path, json_pack("{sb}", "approve", 1)), 200, NULL);
    keep(first, sizeof first, "first_password");
    strcpy(hanako.account, "nara-hanako");
    hanako.terminal = AS_NUMBER_TERMINAL;
    check(log_in(&hanako, first, ""), 201, NULL);
    ck_assert(is_listed("must", NULL, "password"));
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 403, "not_permitted");
    check(call(&hanako, "POST", "/api/staff/me/password", json_pack("{ss ss}", "old", first, "new", "Nara-hanako-1")),
        422, NULL);
    check(call(&hanako, "POST", "/api/staff/me/password", json_pack("{ss ss}", "old", first, "new", PASSWORD)), 204,
        NULL);
    renew(&hanako);
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 200, NULL);
    check(call(&administrators[0], "GET", "/api/staff/accounts?account=nara-hanako", NULL), 200, NULL);
    ck_assert(is_listed("accounts", "application", application));
    check(call(&hanako, "GET", "/api/staff/accounts", NULL), 403, "not_permitted");
}
END_TEST

/* AUTH-7: who is logged in where, who tried, and what is remarkable about it */
START_TEST(logins_and_sessions_are_seen)
{
    check(log_in(
              &(struct journey_clerk){.account = "nara-hanako", .terminal = AS_NUMBER_TERMINAL}, "Chigau-Kotoba-1", ""),
        401, "login_failed");
    check(call(&hanako, "GET", "/api/staff/sessions", NULL), 200, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "sessions")), 1);
    check(call(&hanako, "GET", "/api/staff/logins?limit=1", NULL), 200, NULL);
    ck_assert(is_listed("logins", "outcome", "wrong"));
    check(call(&hanako, "GET", "/api/staff/sessions?account=nara-admin-1", NULL), 403, "not_permitted");
    check(call(&administrators[0], "GET", "/api/staff/sessions?account=nara-hanako", NULL), 200, NULL);
    ck_assert(is_listed("sessions", "account", "nara-hanako"));
    check(call(&administrators[0], "GET", "/api/staff/logins?remarkable=true", NULL), 200, NULL);
    ck_assert(is_listed("logins", "account", "nara-hanako"));
    check(call(&administrators[0], "GET", "/api/staff/logins?limit=501", NULL), 422, "item_invalid");
    check(call(&administrators[0], "GET", "/api/staff/terminals", NULL), 200, NULL);
    ck_assert(is_listed("terminals", "kind", "administration"));
}
END_TEST

static void public_key_read(uint8_t public_key[32])
{
    char path[PATH_MAX], line[80] = "";
    snprintf(path, sizeof path, "%s/peers/staff.sign.pub", getenv("SHIKAKU_KEYS"));
    FILE *in = fopen(path, "r");
    ck_assert(in && fgets(line, sizeof line, in));
    fclose(in);
    line[strcspn(line, "\r\n")] = '\0';
    ck_assert(hex_take(public_key, 32, line));
}

/* AUTH-3, AUTH-5: a forged token, one with more rights, one that chooses its algorithm, one of another terminal; the
 * good one stays good */
START_TEST(a_token_is_good_only_as_it_was_given)
{
    struct token_tricks tricks;
    uint8_t public_key[32];
    struct journey_clerk forger = {.terminal = AS_NUMBER_TERMINAL};
    public_key_read(public_key);
    token_tricks_make(&tricks, hanako.token, public_key);
    for (size_t i = 0; i < tricks.count; i++) {
        forger.token = tricks.all[i].token;
        int status = call(&forger, "GET", "/api/staff/applications", NULL);
        ck_assert_msg(status == 401 && strcmp(journey_text(answer.json, "code"), "not_authenticated") == 0, "%s: %d %s",
            tricks.all[i].name, status, answer.body);
    }
    forger = (struct journey_clerk){.terminal = AS_RESIDENCE_TERMINAL, .token = hanako.token};
    check(call(&forger, "GET", "/api/staff/applications", NULL), 401, "not_authenticated");
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 200, NULL);
    token_tricks_free(&tricks);
}
END_TEST

static void key_read(const char *otpauth, uint8_t key[TOTP_KEY_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const char *at = strstr(otpauth, "secret=") + strlen("secret=");
    memset(key, 0, TOTP_KEY_BYTES);
    for (size_t bit = 0; bit < TOTP_KEY_BYTES * 8; bit++)
        if ((strchr(digits, at[bit / 5]) - digits) >> (4 - bit % 5) & 1)
            key[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* AUTH-2, AUTH-10, AUTH-11: a second factor, training and consent, each before the rights where the manager says so */
START_TEST(a_manager_asks_for_more)
{
    uint8_t key[TOTP_KEY_BYTES];
    char code[TOTP_CODE_MAX + 1], today[11];
    time_t now = time(NULL);
    struct tm day;
    strftime(today, sizeof today, "%Y-%m-%d", gmtime_r(&now, &day));
    check(call(&administrators[0], "PUT", "/api/staff/policy",
              json_pack("{ss si ss}", "second_factor", "totp", "training_days", 365, "terms", "kiyaku-1")),
        204, NULL);
    renew(&hanako);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "must")), 3);
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 403, "not_permitted");
    check(call(&administrators[0], "GET", "/api/staff/accounts?untrained=true", NULL), 200, NULL);
    ck_assert(is_listed("accounts", "account", "nara-hanako"));
    check(call(&administrators[0], "POST", "/api/staff/accounts/nara-hanako/trainings",
              json_pack("{ss ss}", "course", "特定個人情報の取扱い", "held_on", today)),
        204, NULL);
    check(call(&hanako, "POST", "/api/staff/me/terms", json_pack("{ss}", "version", "kiyaku-1")), 204, NULL);
    check(call(&hanako, "POST", "/api/staff/me/second-factor", json_pack("{ss}", "password", PASSWORD)), 200, NULL);
    key_read(journey_text(answer.json, "otpauth"), key);
    ck_assert(totp_code(key, TOTP_KEY_BYTES, (uint64_t)(now / TOTP_STEP_SECONDS - 1), 6, code) &&
              totp_code(key, TOTP_KEY_BYTES, (uint64_t)(time(NULL) / TOTP_STEP_SECONDS), 6, code));
    check(
        call(&hanako, "POST", "/api/staff/me/second-factor/confirmation", json_pack("{ss}", "code", code)), 204, NULL);
    renew(&hanako);
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 200, NULL);
    check(call(&hanako, "GET", "/api/staff/me", NULL), 200, NULL);
    ck_assert_str_eq(journey_text(answer.json, "second_factor"), "totp");
    struct journey_clerk again = {.account = "nara-hanako", .terminal = AS_NUMBER_TERMINAL};
    check(log_in(&again, PASSWORD, ""), 401, "second_factor_required");
    check(log_in(&again, PASSWORD, code), 401, "login_failed"); /* used */
    ck_assert(totp_code(key, TOTP_KEY_BYTES, (uint64_t)(time(NULL) / TOTP_STEP_SECONDS + 1), 6, code));
    check(log_in(&again, PASSWORD, code), 201, NULL);
    free(again.token);
}
END_TEST

/* --- being cut off ------------------------------------------------------------------------------------------------ */

/* A route with a person's right of every service that has one, asked by the portal's own key, past its gate. */
static const struct hop {
    const char *service, *route;
    const ProtobufCMessageDescriptor *request;
} hops[] = {
    {"intake", "intake_list", &intake__list_request__descriptor},
    {"residence", "residence_instant_result", &residence__instant_result_request__descriptor},
    {"certificates", "certificates_show", &certificates__show_request__descriptor},
    {"vault", "vault_correction_decide", &vault__correction_decide_request__descriptor},
    {"staff", "staff_me", &staff__me_request__descriptor},
};
#define HOPS (sizeof hops / sizeof *hops)

static struct agency *portal;

static bool portal_make(void)
{
    struct fault fault = {0};
    char peers[PATH_MAX];
    if (!keyring_open("portal", NULL, NULL, 0, &fault))
        return false;
    snprintf(peers, sizeof peers, "%s/peers", getenv("SHIKAKU_KEYS"));
    portal = agency_new("portal", keyring_newest("*", KEY_BUS)->secret, getenv("SHIKAKU_BUS"), peers);
    keyring_close();
    return portal != NULL;
}

/* What the service says to a person with this token: "" where it lets the person in, whatever it then finds. */
static void ask(const struct hop *hop, const char *token, char said[64])
{
    uint8_t payload[512], key[32] = {0};
    struct agency_reply reply = {0};
    ProtobufCMessage *request = malloc(hop->request->sizeof_message);
    protobuf_c_message_init(hop->request, request);
    if (hop->request == &certificates__show_request__descriptor) { /* looks at its form before the person */
        ((Certificates__ShowRequest *)request)->certificate = "00000000-0000-4000-8000-000000000000";
        ((Certificates__ShowRequest *)request)->format = "lines";
    }
    struct agency_request sent = {
        .to = hop->service, .route = hop->route, .key = key, .payload = payload, .actor_token = token};
    sent.payload_len = protobuf_c_message_pack(request, payload);
    agency_call(portal, &sent, &reply);
    ck_assert_msg(reply.answered, "%s does not answer", hop->service);
    bool out =
        strcmp(reply.fault_code, "not_authenticated") == 0 || strcmp(reply.fault_code, "revocation_unknown") == 0;
    snprintf(said, 64, "%s", out ? reply.fault_code : "");
    agency_reply_fini(&reply);
    free(request);
}

#include "flow/two_persons.h"

/* AUTH-8: a table of applications is carried out by a lent right alone: asked for, lent by another, and withdrawn it
 * is refused within 5 s, while the session goes on */
START_TEST(an_export_needs_a_right_that_is_lent)
{
    static const char path[] = "/api/staff/exports/applications?programme=jun-kangoshi";
    char loan[64], decision[128], end[128];
    struct journey_trip trip = {0};
    struct journey_plan plan = {.programme = "jun-kangoshi", .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    ck_assert_int_eq(trip_submit(&trip, &journey), 201);
    check(call(&hanako, "GET", path, NULL), 403, "not_permitted");
    check(call(&hanako, "POST", "/api/staff/loans",
              json_pack("{ss ss ss si ss}", "right", "export", "purpose", "inspection", "programme", "jun-kangoshi",
                  "minutes", 10, "reason", "定期監査の資料")),
        200, NULL);
    keep(loan, sizeof loan, "loan");
    snprintf(decision, sizeof decision, "/api/staff/loans/%s/decision", loan);
    snprintf(end, sizeof end, "/api/staff/loans/%s/end", loan);
    check(call(&hanako, "POST", decision, json_pack("{sb}", "approve", 1)), 403, "not_permitted");
    check(call(&administrators[0], "POST", decision, json_pack("{sb}", "approve", 1)), 200, NULL);
    renew(&hanako);
    check(call(&hanako, "GET", path, NULL), 200, NULL);
    ck_assert_ptr_nonnull(strstr(answer.body, "受付番号"));
    ck_assert_ptr_nonnull(strstr(answer.body, trip.receipt));
    check(call(&hanako, "GET", "/api/staff/exports/applications?programme=jun-kangoshi&from=2999-01-01", NULL), 200,
        NULL);
    ck_assert_ptr_null(strstr(answer.body, trip.receipt));
    check(call(&hanako, "GET", "/api/staff/exports/applications?programme=jun-kangoshi&to=2026-02-30", NULL), 422,
        "item_invalid");
    check(call(&hanako, "GET", "/api/staff/exports/applications?programme=chorishi", NULL), 403, "not_permitted");
    check(call(&hanako, "GET", "/api/staff/exports/roll?programme=jun-kangoshi", NULL), 200, NULL);
    ck_assert_ptr_nonnull(strstr(answer.body, "資格者氏名"));
    check(call(&hanako, "GET", "/api/staff/exports/roll?programme=kaigishi", NULL), 403, "not_permitted");
    check(call(&hanako, "GET", "/api/staff/exports/roll", NULL), 422, "item_missing");
    check(call(&administrators[0], "GET", "/api/staff/loans?state=lent", NULL), 200, NULL);
    ck_assert(is_listed("loans", "loan", loan));
    check(call(&administrators[0], "POST", end, json_pack("{ss}", "reason", "資料ができた")), 204, NULL);
    int64_t since = clock_up_ms(), last = 0;
    while (call(&hanako, "GET", path, NULL) == 200) {
        last = clock_up_ms() - since;
        ck_assert_int_lt(last, BACK_MS);
        wire_pause(BEAT_MS);
    }
    check(answer.status, 403, "not_permitted");
    check(call(&hanako, "GET", "/api/staff/exports/roll?programme=jun-kangoshi", NULL), 403, "not_permitted");
    ck_assert_msg(last <= SESSION_SILENCE_MS, "let out %d ms after the loan was withdrawn", (int)last);
    check(call(&hanako, "GET", "/api/staff/applications", NULL), 200, NULL);
    check(call(&hanako, "GET", "/api/staff/proposals?all=true", NULL), 200, NULL); /* counters decide alone */
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "proposals")), 0);
    trip_fini(&trip);
}
END_TEST

/* Ask every service and the portal until all have shut the person out; the last moment at which one had not, in ms
 * since `since`. What they said last has to be `code`. */
static int64_t last_let_in(const struct journey_clerk *who, int64_t since, const char *code)
{
    const char *by = "";
    char said[64];
    int64_t last = 0;
    unsigned patience_ms = journey.patience_ms;
    journey.patience_ms = 0; /* 503 is to be seen */
    for (bool any = true; any; wire_pause(BEAT_MS)) {
        any = false;
        for (size_t i = 0; i < HOPS; i++) {
            int64_t asked = clock_up_ms() - since;
            if (strcmp(hops[i].service, "staff") == 0 && strcmp(code, "revocation_unknown") == 0)
                continue;
            ask(&hops[i], who->token, said);
            ck_assert(!*said || strcmp(said, code) == 0);
            if (!*said)
                any = true, last = asked, by = hops[i].service;
        }
        int64_t asked = clock_up_ms() - since;
        int status = call(who, "GET", "/api/staff/applications", NULL);
        ck_assert(status == 200 || strcmp(journey_text(answer.json, "code"), code) == 0);
        if (status == 200)
            any = true, last = asked, by = "portal";
        ck_assert_msg(asked < BACK_MS, "%s still lets in after %d ms", by, (int)asked);
    }
    journey.patience_ms = patience_ms;
    return last;
}

/* AUTH-6: a session that an administrator ends is out at every service within 5 s, also past the portal; others stay */
START_TEST(an_ended_session_is_out_everywhere)
{
    char path[160], said[64];
    struct journey_clerk *clerk = journey_clerk(&journey, "tokyo", "counter");
    struct journey_clerk administrator;
    ck_assert_ptr_nonnull(clerk);
    ck_assert(journey_administrator(&journey, "tokyo", 1, &administrator));
    struct journey_clerk other = *journey_clerk(&journey, "tokyo", "reviewer");
    check(call(&administrator, "GET", "/api/staff/sessions?account=tokyo-counter", NULL), 200, NULL);
    snprintf(path, sizeof path, "/api/staff/sessions/%s",
        journey_text(json_array_get(json_object_get(answer.json, "sessions"), 0), "session"));
    for (size_t i = 0; i < HOPS; i++) {
        ask(&hops[i], clerk->token, said);
        ck_assert_msg(!*said, "%s: %s", hops[i].service, said);
    }
    check(call(&other, "DELETE", path, NULL), 403, "not_permitted");
    check(call(&administrator, "DELETE", path, NULL), 204, NULL);
    int64_t last = last_let_in(clerk, clock_up_ms(), "not_authenticated");
    ck_assert_msg(last <= SESSION_SILENCE_MS, "let in %d ms after the revocation", (int)last);
    check(call(&other, "GET", "/api/staff/applications", NULL), 200, NULL);
    free(clerk->token);
    clerk->token = NULL;
    free(administrator.token);
}
END_TEST

/* AUTH-6: whoever leaves is out everywhere, and cannot come back */
START_TEST(whoever_leaves_is_out)
{
    check(call(&administrators[1], "POST", "/api/staff/accounts/nara-hanako/end", json_pack("{ss}", "reason", "left")),
        204, NULL);
    int64_t last = last_let_in(&hanako, clock_up_ms(), "not_authenticated");
    ck_assert_msg(last <= SESSION_SILENCE_MS, "let in %d ms after the end", (int)last);
    check(log_in(&hanako, PASSWORD, ""), 401, "login_failed");
    check(call(&administrators[0], "GET", "/api/staff/accounts?account=nara-hanako", NULL), 200, NULL);
    ck_assert(is_listed("accounts", "close_reason", "left"));
}
END_TEST

/* Without staff nobody can know who is cut off: in 5 s no person is let in anywhere; machines and the public go on;
 * when staff is back, so are the people, with the tokens they had */
START_TEST(without_staff_no_person_is_let_in)
{
    struct journey_clerk *clerk = journey_clerk(&journey, "tokyo", "reviewer");
    const struct journey_call keys = {.as = AS_NOBODY, .method = "GET", .path = "/.well-known/vault-keys"};
    ck_assert_ptr_nonnull(clerk);
    ck_assert(stack_do("kill", "staff"));
    int64_t last = last_let_in(clerk, clock_up_ms(), "revocation_unknown");
    ck_assert_msg(last <= SESSION_SILENCE_MS, "let in %d ms after staff was killed", (int)last);
    ck_assert_int_eq(answer.status, 503);
    check(journey_call(&journey, &keys, &answer), 200, NULL);
    struct journey_trip trip = {0};
    struct journey_plan plan = {.programme = "chorishi", .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    ck_assert_int_eq(trip_submit(&trip, &journey), 201);
    ck_assert(trip_await(&trip, &journey, "residence_terminal", BACK_MS));
    trip_fini(&trip);
    ck_assert(stack_do("start", "staff"));
    int64_t deadline = clock_up_ms() + BACK_MS;
    while (call(clerk, "GET", "/api/staff/applications", NULL) != 200 && clock_up_ms() < deadline)
        wire_pause(BEAT_MS);
    check(call(clerk, "GET", "/api/staff/applications", NULL), 200, NULL);
}
END_TEST

/* What the command prints, into `printed`; its exit status. */
static int operator_says(const char *words, char *printed, size_t size)
{
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "'%s/shikakuctl' %s", journey_setting("SHIKAKU_BIN"), words);
    FILE *in = popen(command, "r");
    ck_assert_ptr_nonnull(in);
    printed[fread(printed, 1, size - 1, in)] = '\0';
    return pclose(in);
}

/* AUTH-5: an administrator reviews the rights table; the operator sees by whom, and what is in force at each service */
START_TEST(the_rights_table_is_reviewed)
{
    static const char *const services[] = {"portal", "intake", "vault", "residence", "intermediate", "records",
        "certificates", "legacy_sync", "staff", "audit"};
    char printed[8192], line[96];
    ck_assert_int_ne(operator_says("rights status nara", printed, sizeof printed), 0);
    ck_assert_ptr_nonnull(strstr(printed, "manager\tnara\tnever"));
    check(call(&administrators[0], "GET", "/api/staff/rights", NULL), 200, NULL);
    check(call(&administrators[0], "POST", "/api/staff/rights/reviews",
              json_pack("{si sO ss}", "version", 0, "sha256", json_object_get(answer.json, "sha256"), "reason", "x")),
        409, "state_conflict");
    check(call(&administrators[0], "GET", "/api/staff/rights", NULL), 200, NULL);
    check(call(&administrators[0], "POST", "/api/staff/rights/reviews",
              json_pack("{sO sO ss}", "version", json_object_get(answer.json, "version"), "sha256",
                  json_object_get(answer.json, "sha256"), "reason", "年次点検")),
        204, NULL);
    ck_assert_int_eq(operator_says("rights status nara", printed, sizeof printed), 0);
    ck_assert_ptr_nonnull(strstr(printed, "manager\tnara\treviewed"));
    ck_assert_ptr_nonnull(strstr(printed, "by nara-admin-1"));
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        snprintf(line, sizeof line, "service\t%s\t", services[i]);
        ck_assert_msg(strstr(printed, line) != NULL, "%s is not heard of", services[i]);
    }
    ck_assert_int_ne(operator_says("rights status", printed, sizeof printed), 0);
    ck_assert_ptr_nonnull(strstr(printed, "manager\ttokyo\tnever"));
}
END_TEST

/* AUTH-4: after all this, `shikakuctl staff compare` finds no difference */
START_TEST(the_register_agrees)
{
    char command[700];
    snprintf(command, sizeof command, "'%s/shikakuctl' staff compare nara && '%s/shikakuctl' staff compare tokyo",
        journey_setting("SHIKAKU_BIN"), journey_setting("SHIKAKU_BIN"));
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(
        stack_count("WITH hand AS (UPDATE staff.account SET role = 'reviewer' WHERE account = 'tokyo-counter' "
                    "RETURNING 1) SELECT count(*) FROM hand"),
        1);
    ck_assert_int_ne(system(command), 0);
}
END_TEST

int main(void)
{
    if (!stack_open("staff", 20400) || !journey_open(&journey, NULL) || !portal_make())
        return 1;
    Suite *suite = suite_create("staff");
    TCase *tests = tcase_create("staff");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, an_account_begins_with_an_application);
    tcase_add_test(tests, logins_and_sessions_are_seen);
    tcase_add_test(tests, a_token_is_good_only_as_it_was_given);
    tcase_add_test(tests, an_export_needs_a_right_that_is_lent);
    tcase_add_test(tests, an_act_of_two_persons);
    tcase_add_test(tests, a_manager_asks_for_more);
    tcase_add_test(tests, an_ended_session_is_out_everywhere);
    tcase_add_test(tests, whoever_leaves_is_out);
    tcase_add_test(tests, without_staff_no_person_is_let_in);
    tcase_add_test(tests, the_rights_table_is_reviewed);
    tcase_add_test(tests, the_register_agrees);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* one stack, one connection to it */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    for (int i = 0; i < 2; i++)
        free(administrators[i].token);
    free(hanako.token);
    journey_answer_fini(&answer);
    agency_free(portal);
    journey_close(&journey);
    stack_close();
    return failed != 0;
}
