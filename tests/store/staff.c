/* Accounts, logins and tokens on a real PostgreSQL. Requests go to the service's own message table, as the bus would
 * hand them over. */
#include <check.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/rights.h"
#include "chassis/work_state.h"
#include "kit/staff_word.h"
#include "kit/store.h"
#include "staff.pb-c.h"
#include "staff/staff_messages.h"
#include "staff/staff_password.h"
#include "staff/staff_rights.h"
#include "staff/staff_store.h"
#include "staff/staff_token.h"

#define NUMBER_TERMINAL "1111111111111111111111111111111111111111111111111111111111111111"
#define RESIDENCE_TERMINAL "2222222222222222222222222222222222222222222222222222222222222222"
#define SAITAMA_TERMINAL "3333333333333333333333333333333333333333333333333333333333333333"
#define STRANGER "4444444444444444444444444444444444444444444444444444444444444444"
#define PASSWORD "Kakuu-no-Aikotoba-1"
#define PERSON "架空　職員"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
    {"SHIKAKU_TOKEN_SECONDS", SETTING_NUMBER, "900", 60, 3600, "token"},
    {"SHIKAKU_ARGON2_KIB", SETTING_NUMBER, "1024", 1024, 1048576, "memory"},
    {"SHIKAKU_ARGON2_PASSES", SETTING_NUMBER, "1", 1, 16, "passes"},
};
static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_SIGN}, {"tokyo", KEY_DATA}, {"saitama", KEY_DATA}};
static const struct service service = {.name = "staff", .schema_version = 3};

static struct store store;
static struct work *work;
static char keys_folder[] = "/tmp/shikaku-staff-XXXXXX";

static void file_put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", keys_folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static const char terminals[] =
    "[{\"fingerprint\":\"" NUMBER_TERMINAL
    "\",\"kind\":\"number\",\"manager\":\"*\"},"
    "{\"fingerprint\":\"" RESIDENCE_TERMINAL
    "\",\"kind\":\"residence\",\"manager\":\"*\"},"
    "{\"fingerprint\":\"" SAITAMA_TERMINAL "\",\"kind\":\"number\",\"manager\":\"saitama\"}]";

/* A key folder of our own; the PKCS#11 token in it is the shared one. */
static void keys_folder_make(void)
{
    char path[256], target[512];
    ck_assert_ptr_nonnull(mkdtemp(keys_folder));
    snprintf(path, sizeof path, "%s/staff", keys_folder);
    snprintf(target, sizeof target, "%s/staff", getenv("SHIKAKU_KEYS"));
    ck_assert_int_eq(symlink(target, path), 0);
    setenv("SHIKAKU_KEYS", keys_folder, 1);
    file_put("terminals.json", terminals);
}

static void setup(void)
{
    struct fault fault = {0};
    struct pg *pg;
    store_open(&store, "staff");
    keys_folder_make();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    exchange_store_open("staff");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("staff", pg, wants, sizeof wants / sizeof *wants, &fault), "%s", fault.field);
    pg_close(pg);
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    ck_assert(password_open(&fault));
    ck_assert(token_key_publish(keys_folder, &fault));
    work = work_new(&service);
    ck_assert_ptr_nonnull(work);
    staff_word_take();
}

static void teardown(void)
{
    static const char *const names[] = {"peers/staff.sign.pub", "terminals.json", "staff"};
    char path[256];
    work_free(work);
    keyring_close();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", keys_folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/peers", keys_folder);
    rmdir(path);
    rmdir(keys_folder);
    store_close(&store);
}

/* Hand a request over as the bus does; the reply stays valid until the next call on this work. */
static enum outcome deliver(struct work *by, enum route route, const struct actor *actor,
    const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    static _Thread_local uint8_t payload[4096], key[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    work_reset(by);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)rand();
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key, key};
    envelope.route = (char *)route_row(route)->name;
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof payload);
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    strcpy(by->state->peer.name, "portal");
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(by->arena), envelope.payload.len, envelope.payload.data);
    work_take_request(by, route, &envelope, request);
    if (actor) {
        by->state->actor = *actor;
        by->actor = &by->state->actor;
    }
    const struct message *row = NULL;
    for (size_t i = 0; i < staff_message_count; i++)
        if (staff_messages[i].route == route)
            row = &staff_messages[i];
    ck_assert_ptr_nonnull(row);
    enum outcome outcome = !row->check || row->check(request, &by->fault) ? row->act(by) : work_refuse(by);
    if (reply)
        *reply = outcome == OUTCOME_DONE ? protobuf_c_message_unpack(route_row(route)->reply,
                                               arena_allocator(by->arena), by->state->reply.len, by->state->reply.data)
                                         : NULL;
    return outcome;
}

static enum outcome add_with(const char *account, const char *role, const char *manager, const char *password)
{
    Staff__AddRequest request = STAFF__ADD_REQUEST__INIT;
    char *programmes[] = {"chorishi", "hoikushi"};
    request.account = (char *)account;
    request.person = PERSON;
    request.role = (char *)role;
    request.manager = (char *)manager;
    request.programmes = programmes;
    request.n_programmes = strcmp(manager, "tokyo") == 0 ? 2 : 0;
    request.password = (char *)password;
    request.need = "審査事務";
    return deliver(work, ROUTE_staff_add, NULL, &request.base, NULL);
}

static const Staff__LoginReply *login_by(
    struct work *by, const char *account, const char *password, const char *terminal)
{
    Staff__LoginRequest request = STAFF__LOGIN_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.account = (char *)account;
    request.password = (char *)password;
    request.terminal = (char *)terminal;
    deliver(by, ROUTE_staff_login, NULL, &request.base, &reply);
    return (const Staff__LoginReply *)reply;
}

static const Staff__LoginReply *login(const char *account, const char *password, const char *terminal)
{
    return login_by(work, account, password, terminal);
}

static void assert_refused(const Staff__LoginReply *reply, enum fault_code code)
{
    ck_assert_ptr_null(reply);
    ck_assert_str_eq(fault_code_text(work->fault.code), fault_code_text(code));
}

/* A value as the owner sees it when he pins the manager. */
static long count_of(const char *manager, const char *sql)
{
    char pin[128];
    PGconn *db = PQconnectdb(store.owner);
    snprintf(pin, sizeof pin, "SET shikaku.manager = '%s'", manager);
    PQclear(PQexec(db, pin));
    PGresult *result = PQexec(db, sql);
    ck_assert_msg(PQntuples(result) == 1, "%s", PQerrorMessage(db));
    long count = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(db);
    return count;
}

static struct actor actor_of(const Staff__LoginReply *reply)
{
    struct actor actor;
    struct fault fault = {0};
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(actor_verify(reply->token, clock_ms(), &actor, &fault), "%s", fault_code_text(fault.code));
    return actor;
}

static bool permits(const struct actor *actor, const char *programme)
{
    struct fault fault;
    return rights_permit(actor, RIGHT_review, "", programme, &fault);
}

/* AUTH-1, AUTH-5: the token that other services verify says who, from where, with which rights */
START_TEST(a_login_gives_a_token_that_verifies)
{
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    struct actor actor = actor_of(reply);
    ck_assert_str_eq(actor.account, "hanako");
    ck_assert_str_eq(actor.role, "counter");
    ck_assert_str_eq(actor.manager, "tokyo");
    ck_assert_str_eq(actor.terminal, NUMBER_TERMINAL);
    ck_assert(actor_has(&actor, RIGHT_review) && actor_has(&actor, RIGHT_paper_enter));
    ck_assert(actor_has(&actor, RIGHT_session) && !actor_has(&actor, RIGHT_residence_terminal));
    ck_assert(permits(&actor, "chorishi") && permits(&actor, "hoikushi"));
    ck_assert(!permits(&actor, "hoiku") && !permits(&actor, "kaigishi"));
    ck_assert_int_eq(actor.expires_at_ms, reply->expires_at_ms);
    ck_assert_int_le(actor.expires_at_ms, clock_ms() + 900 * 1000);
    struct fault fault = {0};
    ck_assert(!actor_verify(reply->token, reply->expires_at_ms, &actor, &fault));
    ck_assert_int_eq(fault.code, FAULT_not_authenticated);
}
END_TEST

/* AUTH-5: a token is what staff signed, to the letter */
START_TEST(an_altered_token_is_refused)
{
    char token[ACTOR_TOKEN_MAX + 1];
    struct actor actor;
    struct fault fault = {0};
    ck_assert_int_eq(add_with("hanako", "reviewer", "tokyo", PASSWORD), OUTCOME_DONE);
    strcpy(token, login("hanako", PASSWORD, NUMBER_TERMINAL)->token);
    ck_assert(actor_verify(token, clock_ms(), &actor, &fault));
    for (size_t i = 0; token[i]; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        ck_assert_msg(!actor_verify(token, clock_ms(), &actor, &fault), "letter %zu", i);
        token[i] = was;
    }
    ck_assert(!actor_verify("", clock_ms(), &actor, &fault));
    ck_assert(!actor_verify(NULL, clock_ms(), &actor, &fault));
    ck_assert(!actor_verify(".", clock_ms(), &actor, &fault));
}
END_TEST

/* AUTH-3: only listed terminals, only for their manager, and a struck one is out at once */
START_TEST(only_listed_terminals_reach_the_system)
{
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    assert_refused(login("hanako", PASSWORD, STRANGER), FAULT_terminal_not_listed);
    assert_refused(login("hanako", PASSWORD, ""), FAULT_terminal_not_listed);
    assert_refused(login("hanako", PASSWORD, SAITAMA_TERMINAL), FAULT_terminal_not_listed);
    assert_refused(login("hanako", "Nothing-Right-9", SAITAMA_TERMINAL), FAULT_login_failed);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    file_put("terminals.json", "[]");
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_terminal_not_listed);
    file_put("terminals.json", "nonsense");
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_unavailable);
}
END_TEST

/* JUKI-2, APPLY-6: what can be done depends on the terminal, whoever logs in */
START_TEST(rights_follow_the_terminal)
{
    ck_assert_int_eq(add_with("soto", "residence", "tokyo", PASSWORD), OUTCOME_DONE);
    struct actor at_counter = actor_of(login("soto", PASSWORD, NUMBER_TERMINAL));
    ck_assert(!actor_has(&at_counter, RIGHT_residence_terminal) && actor_has(&at_counter, RIGHT_review));
    struct actor at_terminal = actor_of(login("soto", PASSWORD, RESIDENCE_TERMINAL));
    ck_assert(actor_has(&at_terminal, RIGHT_residence_terminal) && !actor_has(&at_terminal, RIGHT_paper_enter));
}
END_TEST

/* An unknown account and a wrong password look and cost the same. */
START_TEST(a_refusal_does_not_tell_which)
{
    struct timespec from, to;
    double took[2];
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    const char *const accounts[] = {"hanako", "nobody"};
    for (int i = 0; i < 2; i++) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        assert_refused(login(accounts[i], "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        took[i] = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    }
    ck_assert_str_eq(work->fault.field, "");
    ck_assert_double_gt(took[1], took[0] / 4);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.login WHERE account = '?' AND outcome = 'unknown'"), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.login WHERE outcome = 'wrong'"), 1);
}
END_TEST

/* AUTH-7: guessing is slowed, also for who guesses right while it is */
START_TEST(failures_slow_the_next_try)
{
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    for (int i = 0; i < STAFF_LOCK_AFTER - 1; i++)
        assert_refused(login("hanako", "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    for (int i = 0; i < STAFF_LOCK_AFTER; i++)
        assert_refused(login("hanako", "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.login WHERE outcome = 'locked'"), 1);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.account WHERE locked_until > now() + interval '1 s'"
                         " AND locked_until < now() + interval '3 s'"),
        1);
    /* The wait is over. */
    ck_assert_int_eq(count_of("tokyo",
                         "WITH past AS (UPDATE staff.account SET locked_until = now() RETURNING 1) "
                         "SELECT count(*) FROM past"),
        1);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert_int_eq(count_of("tokyo", "SELECT failures FROM staff.account"), 0);
}
END_TEST

static void *guess(void *argument)
{
    struct work *by = work_new(&service);
    login_by(by, "hanako", "Wrong-Password-1", NUMBER_TERMINAL);
    work_free(by);
    return NULL;
}

START_TEST(failures_at_the_same_time_all_count)
{
    pthread_t threads[4];
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, guess, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(count_of("tokyo", "SELECT failures FROM staff.account"), 4);
}
END_TEST

/* AUTH-1, AUTH-2: one account once, with a password worth the name */
START_TEST(accounts_are_made_by_rule)
{
    static const struct {
        const char *account, *role, *manager, *password;
        enum fault_code code;
    } rows[] = {
        {"hanako", "counter", "tokyo", PASSWORD, FAULT_NONE},
        {"hanako", "counter", "tokyo", PASSWORD, FAULT_account_exists},
        {"hanako", "counter", "saitama", PASSWORD, FAULT_account_exists},
        {"Hanako", "counter", "tokyo", PASSWORD, FAULT_item_invalid},
        {"", "counter", "tokyo", PASSWORD, FAULT_item_invalid},
        {"a b", "counter", "tokyo", PASSWORD, FAULT_item_invalid},
        {"taro", "king", "tokyo", PASSWORD, FAULT_item_invalid},
        {"taro", "counter", "atlantis", PASSWORD, FAULT_item_invalid},
        {"taro", "counter", "*", PASSWORD, FAULT_item_invalid},
        {"taro", "counter", "tokyo", "Short-1", FAULT_password_weak},
        {"taro", "counter", "tokyo", "onlylowercaseletters", FAULT_password_weak},
        {"taro", "counter", "tokyo", "lowercase1digits2", FAULT_password_weak},
        {"taro", "counter", "tokyo", "Lowercase1Upper2", FAULT_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum outcome outcome = add_with(rows[i].account, rows[i].role, rows[i].manager, rows[i].password);
        ck_assert_msg(outcome == (rows[i].code ? OUTCOME_REJECT : OUTCOME_DONE), "row %zu", i);
        if (rows[i].code)
            ck_assert_msg(work->fault.code == rows[i].code, "row %zu: %s", i, fault_code_text(work->fault.code));
    }
}
END_TEST

START_TEST(a_logout_ends_the_session)
{
    Staff__LogoutRequest request = STAFF__LOGOUT_REQUEST__INIT;
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE ended_at IS NOT NULL"), 1);
    strcpy(actor.session, "00000000-0000-4000-8000-000000000000");
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_REJECT);
}
END_TEST

static const Staff__EndedReply *ended_since(int64_t number)
{
    Staff__EndedRequest request = STAFF__ENDED_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.since = number;
    ck_assert_int_eq(deliver(work, ROUTE_staff_ended, NULL, &request.base, &reply), OUTCOME_DONE);
    return (const Staff__EndedReply *)reply;
}

/* AUTH-6: what ended is told to whoever asks since an earlier number, as long as a token of it could be good */
START_TEST(what_ended_is_told)
{
    Staff__LogoutRequest request = STAFF__LOGOUT_REQUEST__INIT;
    struct actor actors[3];
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    ck_assert_int_eq(ended_since(0)->n_sessions, 0);
    for (int i = 0; i < 3; i++) {
        actors[i] = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
        ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actors[i], &request.base, NULL), OUTCOME_DONE);
        const Staff__EndedReply *reply = ended_since(i);
        ck_assert(reply->number == i + 1 && reply->n_sessions == 1 && !reply->more);
        ck_assert_str_eq(reply->sessions[0]->session, actors[i].session);
        ck_assert_int_eq(reply->sessions[0]->tokens_until_ms, actors[i].expires_at_ms);
    }
    ck_assert_int_eq(ended_since(0)->n_sessions, 3);
    ck_assert_int_eq(ended_since(3)->n_sessions, 0);
    ck_assert_int_eq(ended_since(3)->number, 3);
    ck_assert_int_eq(ended_since(99)->number, 3); /* who knows more is told that the tables are of an earlier day */
    ck_assert_int_eq(count_of("",
                         "WITH past AS (UPDATE staff.ended_session SET tokens_until = now() - interval '1 h'"
                         " WHERE number < 3 RETURNING 1) SELECT count(*) FROM past"),
        2);
    ck_assert_int_eq(ended_since(0)->n_sessions, 1);
}
END_TEST

/* LOG-1, AUTH-7: every login, refused or not, leaves a record of use and a row of the register */
START_TEST(logins_are_recorded)
{
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    long before = count_of("", "SELECT count(*) FROM staff.audit_outbox");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    assert_refused(login("hanako", "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
    assert_refused(login("hanako", PASSWORD, STRANGER), FAULT_terminal_not_listed);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.audit_outbox"), before + 3);
    ck_assert_int_eq(count_of("",
                         "SELECT count(*) FROM staff.audit_outbox WHERE position('account:hanako'::bytea in event)"
                         " > 0 AND position('login_failed'::bytea in event) > 0"),
        1);
}
END_TEST

/* STORE-2, NUM-8 in kind: names and passwords do not lie open; ROLL-6: another manager's accounts are not to be seen */
START_TEST(a_copy_of_the_tables_shows_nobody)
{
    ck_assert_int_eq(add_with("hanako", "counter", "tokyo", PASSWORD), OUTCOME_DONE);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.account"), 1);
    ck_assert_int_eq(count_of("saitama", "SELECT count(*) FROM staff.account"), 0);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.account a WHERE a::text LIKE '%架空%' OR position("
                         "convert_to('" PERSON "', 'UTF8') in person) > 0 OR position('argon2'::bytea in "
                         "password) > 0 OR position('" PASSWORD "'::bytea in password) > 0"),
        0);
    ck_assert_int_eq(
        count_of("", "SELECT count(*) FROM staff.inbox WHERE position(convert_to('" PERSON "', 'UTF8') in reply) > 0"),
        0);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("staff");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_login_gives_a_token_that_verifies);
    tcase_add_test(tests, an_altered_token_is_refused);
    tcase_add_test(tests, only_listed_terminals_reach_the_system);
    tcase_add_test(tests, rights_follow_the_terminal);
    tcase_add_test(tests, a_refusal_does_not_tell_which);
    tcase_add_test(tests, failures_slow_the_next_try);
    tcase_add_test(tests, failures_at_the_same_time_all_count);
    tcase_add_test(tests, accounts_are_made_by_rule);
    tcase_add_test(tests, a_logout_ends_the_session);
    tcase_add_test(tests, what_ended_is_told);
    tcase_add_test(tests, logins_are_recorded);
    tcase_add_test(tests, a_copy_of_the_tables_shows_nobody);
    Suite *suite = suite_create("staff");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
