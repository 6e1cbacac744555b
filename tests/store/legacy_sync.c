/* Hand-overs on a real PostgreSQL and against the stand-in of 海技資格制度事務処理システム, which is made to lose
 * answers, to refuse and to be away; and the workbook of 准看護師籍簿 from sealed number to file. */
#include <check.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/jwe.h"
#include "chassis/work_state.h"
#include "kit/store.h"
#include "legacy_sync.pb-c.h"
#include "legacy_sync/agile.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_messages.h"
#include "legacy_sync/hand_over_steps.h"
#include "legacy_sync/workbook.h"
#include "legacy_sync/workbook_export.h"

extern char **environ;

#define TRIES "3"
#define PASSWORD "Kani-to-Ebi-2026"
#define NUMBER "999900000077"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
    {"SHIKAKU_VAR", SETTING_TEXT, "var", 0, 0, "folder"},
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "keys"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "definitions"},
    {"SHIKAKU_KAIGI_URL", SETTING_TEXT, "", 0, 0, "stand-in"},
    {"SHIKAKU_HOIKUSHI_URL", SETTING_TEXT, "http://127.0.0.1:1", 0, 0, "nobody"},
    {"SHIKAKU_OUTSIDE_CA", SETTING_TEXT, "", 0, 0, "none"},
    {"SHIKAKU_GINOU_URL", SETTING_TEXT, "http://127.0.0.1:1", 0, 0, "nobody"},
    {"SHIKAKU_LEGACY_WAIT_MS", SETTING_NUMBER, "500", 1, 10000, "wait"},
    {"SHIKAKU_LEGACY_TRIES", SETTING_NUMBER, TRIES, 1, 10, "tries"},
    {"SHIKAKU_LEGACY_COPIES_MS", SETTING_NUMBER, "1", 1, 1000, "copies"},
    {"SHIKAKU_EXPORT_DIR", SETTING_TEXT, "", 0, 0, "workbooks"},
    {"SHIKAKU_SCRATCH_DIR", SETTING_TEXT, "/dev/shm", 0, 0, "tmpfs"},
    {"SHIKAKU_WORKBOOK_PASSWORD_FILE", SETTING_TEXT, "", 0, 0, "password"},
};
static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_SEAL}, {"mlit", KEY_DATA}, {"nara", KEY_DATA}};
static const struct service service = {.name = "legacy_sync", .schema_version = 2};

static struct store store;
static struct work *work;
static char folder[] = "/tmp/shikaku-legacy-XXXXXX", url[64];
static pid_t kaigi;
static int port;

/* --- the stand-in ----------------------------------------------------------------------------------------------- */

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){0, ms * 1000000L}, NULL);
}

static void kaigi_start(void)
{
    char program[512], file[128], state[128], number[12];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 64);
    ck_assert_int_gt(n, 0);
    program[n] = 0;
    *strstr(program, "/tests/store/") = 0;
    strcat(program, "/bin/double-legacy");
    snprintf(file, sizeof file, "%s/port", folder);
    snprintf(state, sizeof state, "%s/kaigi", folder);
    snprintf(number, sizeof number, "%d", port);
    char *const arguments[] = {
        program, "--system", "kaigi", "--state", state, "--port-file", file, "--port", number, "--copy-ms", "1", NULL};
    unlink(file);
    ck_assert_msg(posix_spawn(&kaigi, program, NULL, NULL, arguments, environ) == 0, "%s is not built", program);
    for (int i = 0; i < 500 && access(file, R_OK) != 0; i++) {
        pause_ms(10);
    }
    FILE *in = fopen(file, "r");
    ck_assert_msg(in != NULL, "the stand-in did not start");
    ck_assert_int_eq(fscanf(in, "%d", &port), 1);
    fclose(in);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
}

static void kaigi_kill(void)
{
    kill(kaigi, SIGKILL);
    waitpid(kaigi, NULL, 0);
}

static json_t *kaigi_call(const char *method, const char *path, const char *body)
{
    struct fault fault = {0};
    struct outside_peer *peer = existing_system_by_name("kaigi")->peer;
    struct arena *arena = arena_new(1 << 20);
    json_t *sent = body ? json_loads(body, 0, NULL) : NULL, *answer = NULL;
    int status = 0;
    ck_assert(outside_json(peer, arena, method, path, sent, &status, &answer, &fault));
    ck_assert_int_lt(status, 300);
    json_decref(sent);
    arena_free(arena);
    return answer;
}

static void kaigi_behaves(const char *control)
{
    json_decref(kaigi_call("POST", "/control", control));
}

static size_t kaigi_took(const char *kind)
{
    char path[64];
    snprintf(path, sizeof path, "/ledger?kind=%s", kind);
    json_t *answer = kaigi_call("GET", path, NULL);
    size_t count = json_array_size(json_object_get(answer, "rows"));
    json_decref(answer);
    return count;
}

/* --- the store -------------------------------------------------------------------------------------------------- */

/* One value as the schema's owner sees it; a manager is put in force, since row-level security binds the owner too. */
static char *look(const char *manager, const char *sql)
{
    static char value[256];
    PGconn *owner = PQconnectdb(store.owner);
    const char *const values[] = {manager};
    PQclear(PQexecParams(owner, "SELECT set_config('shikaku.manager', $1, false)", 1, NULL, values, NULL, NULL, 0));
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK, "%s", sql);
    snprintf(value, sizeof value, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(owner);
    return value;
}

static void shows(const char *sql, const char *wanted)
{
    char *is = look("mlit", sql);
    ck_assert_msg(strcmp(is, wanted) == 0, "%s: is %s, not %s", sql, is, wanted);
}

#define STATE "SELECT state || ' ' || reason FROM legacy_sync.hand_over"
#define EVENTS(route) "SELECT count(*) FROM legacy_sync.outbox WHERE route = '" route "'"

static void everything_is_due(void)
{
    look("", "UPDATE legacy_sync.task SET due_at = now() - interval '1 s'");
    look("", "UPDATE legacy_sync.reading SET due_at = now() - interval '1 s'");
}

static enum outcome hand_over(const char *application, const char *key, char id[37])
{
    static uint8_t payload[4096], key_bytes[IDEMPOTENCY_KEY_BYTES];
    static const char fields[] = "{\"roll\":{\"family_name\":\"山田\",\"address\":\"東京都架空区一丁目\"}}";
    LegacySync__HandOverRequest request = LEGACY_SYNC__HAND_OVER_REQUEST__INIT;
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    work_reset(work);
    request.manager = "mlit";
    request.programme = "kaigishi";
    request.application = (char *)application;
    request.pseudonym = "p0123456789abcdef";
    request.registration_number = "00000012";
    request.fields = (ProtobufCBinaryData){sizeof fields - 1, (uint8_t *)fields};
    memset(key_bytes, 0, sizeof key_bytes);
    memcpy(key_bytes, key, strlen(key));
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key_bytes, key_bytes};
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(&request.base, payload), payload};
    envelope.route = "legacy_sync_hand_over";
    envelope.correlation = (char *)application;
    snprintf(work->state->peer.name, sizeof work->state->peer.name, "intake");
    work_take_request(work, ROUTE_legacy_sync_hand_over, &envelope, &request.base);
    ck_assert(hand_over_messages[0].check(&request.base, &work->fault));
    enum outcome outcome = hand_over_messages[0].act(work);
    if (outcome == OUTCOME_DONE) {
        LegacySync__HandOverReply *reply = legacy_sync__hand_over_reply__unpack(
            arena_allocator(work->arena), work->state->reply.len, work->state->reply.data);
        snprintf(id, 37, "%s", reply->hand_over);
    }
    return outcome;
}

#define APPLICATION "6a0c1f52-0000-4000-8000-00000000abcd"

static void accept_one(void)
{
    char id[37];
    ck_assert_int_eq(hand_over(APPLICATION, "key", id), OUTCOME_DONE);
}

static int turn(const char *lane)
{
    const struct lane *lanes;
    size_t count = hand_over_lanes(&lanes);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lanes[i].name, lane) == 0) {
            work_reset(work);
            return lanes[i].turn(work, &lanes[i]);
        }
    }
    ck_abort_msg("no lane %s", lane);
}

static void password_write(const char *set_on)
{
    FILE *out = fopen(getenv("SHIKAKU_WORKBOOK_PASSWORD_FILE"), "w");
    fprintf(out, "{\"password\":\"" PASSWORD "\",\"set_on\":\"%s\"}", set_on);
    fclose(out);
}

static void setup(void)
{
    struct fault fault = {0};
    struct pg *pg;
    char path[128];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    store_open(&store, "legacy_sync");
    port = 0;
    kaigi_start();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    setenv("SHIKAKU_KAIGI_URL", url, 1);
    snprintf(path, sizeof path, "%s/export", folder);
    setenv("SHIKAKU_EXPORT_DIR", path, 1);
    snprintf(path, sizeof path, "%s/password.json", folder);
    setenv("SHIKAKU_WORKBOOK_PASSWORD_FILE", path, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    exchange_store_open("legacy_sync");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("legacy_sync", pg, wants, sizeof wants / sizeof *wants, &fault), "%s", fault.field);
    pg_close(pg);
    ck_assert_ptr_nonnull(programmes_open());
    existing_systems_open();
    ck_assert(workbook_export_open(&fault));
    work = work_new(&service);
    ck_assert_ptr_nonnull(work);
}

static void teardown(void)
{
    char command[128];
    kaigi_kill();
    work_free(work);
    keyring_close();
    store_close(&store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* --- handing over ----------------------------------------------------------------------------------------------- */

/* LINK-1, LINK-6: accepted once, whatever key it comes under, and covered */
START_TEST(an_application_is_accepted_once)
{
    char first[37], again[37], other_key[37];
    ck_assert_int_eq(hand_over(APPLICATION, "key", first), OUTCOME_DONE);
    ck_assert_int_eq(hand_over(APPLICATION, "key", again), OUTCOME_DONE);
    ck_assert_int_eq(hand_over(APPLICATION, "other key", other_key), OUTCOME_DONE);
    ck_assert_str_eq(first, again);
    ck_assert_str_eq(first, other_key);
    shows("SELECT count(*) FROM legacy_sync.hand_over", "1");
    shows("SELECT count(*) FROM legacy_sync.task", "1");
    shows("SELECT count(*) FROM legacy_sync.audit_outbox", "2"); /* that it was asked under another key too */
    shows("SELECT position(convert_to('山田', 'UTF8') IN content) FROM legacy_sync.hand_over", "0");
    ck_assert_str_eq(look("nara", "SELECT count(*) FROM legacy_sync.hand_over"), "0");
}
END_TEST

/* LINK-1 */
START_TEST(it_is_handed_over_once)
{
    accept_one();
    ck_assert_int_eq(turn("hoikushi"), 0);
    ck_assert_int_eq(turn("kaigi"), 1);
    ck_assert_int_eq(turn("kaigi"), 0);
    ck_assert_uint_eq(kaigi_took("taken"), 1);
    shows(STATE, "handed_over ");
    shows("SELECT count(*) FROM legacy_sync.hand_over WHERE content IS NULL AND reference <> ''", "1");
    shows("SELECT count(*) FROM legacy_sync.task", "0");
    shows(EVENTS("intake_handed_over"), "1");
}
END_TEST

/* LINK-6: the answer is lost after the system took it; twice, since libcurl itself sends again over a fresh connection
 * what a kept one lost */
START_TEST(a_lost_answer_doubles_nothing)
{
    accept_one();
    kaigi_behaves("{\"mode\":\"lose\",\"times\":2,\"path\":\"/applications\"}");
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "waiting unavailable");
    ck_assert_int_eq(turn("kaigi"), 0); /* it waits first */
    everything_is_due();
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "handed_over ");
    ck_assert_uint_eq(kaigi_took("taken"), 1);
    shows(EVENTS("intake_handed_over"), "1");
}
END_TEST

/* LINK-6: nothing is lost while the other side is down; a person is asked after the set number of tries */
START_TEST(it_waits_while_the_system_is_down)
{
    accept_one();
    kaigi_kill();
    for (int i = 0; i < atoi(TRIES); i++) {
        shows(STATE, i ? "waiting unavailable" : "waiting ");
        everything_is_due();
        ck_assert_int_eq(turn("kaigi"), 1);
    }
    shows(STATE, "asking_person unavailable");
    kaigi_start();
    everything_is_due();
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "handed_over ");
    ck_assert_uint_eq(kaigi_took("taken"), 1);
}
END_TEST

START_TEST(a_hanging_system_is_left_in_time)
{
    accept_one();
    kaigi_behaves("{\"mode\":\"hang\",\"times\":1,\"path\":\"/applications\"}");
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "waiting timed_out");
}
END_TEST

START_TEST(a_refusal_asks_a_person)
{
    accept_one();
    kaigi_behaves("{\"mode\":\"refuse\",\"times\":1,\"path\":\"/applications\"}");
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "asking_person legacy_refused");
    shows(EVENTS("intake_handed_over"), "1"); /* which says "refused" */
    everything_is_due();
    kaigi_behaves("{\"mode\":\"refuse\",\"times\":1,\"path\":\"/applications\"}");
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(EVENTS("intake_handed_over"), "1"); /* a person is asked once */
}
END_TEST

/* LINK-6: a lease that ran out is taken over; the slower one's record is rolled back */
START_TEST(a_lost_lease_is_taken_over)
{
    accept_one();
    look("", "UPDATE legacy_sync.task SET lease_until = now() + interval '1 h'");
    ck_assert_int_eq(turn("kaigi"), 0);
    look("", "UPDATE legacy_sync.task SET lease_until = now() - interval '1 s'");
    ck_assert_int_eq(turn("kaigi"), 1);
    shows(STATE, "handed_over ");
}
END_TEST

/* --- what comes back -------------------------------------------------------------------------------------------- */

static void read_copies(void)
{
    for (int i = 0; i < 200 && kaigi_took("copy") == 0; i++) {
        pause_ms(10);
    }
    everything_is_due();
}

/* LINK-1: the copy (副本データ) goes to records once, however often it is read */
START_TEST(a_copy_is_taken_once)
{
    accept_one();
    ck_assert_int_eq(turn("kaigi"), 1);
    read_copies();
    ck_assert_int_eq(turn("kaigi_copies"), 1);
    shows(EVENTS("records_take_copy"), "1");
    shows("SELECT after_number FROM legacy_sync.reading WHERE system = 'kaigi'", "1");
    look("", "UPDATE legacy_sync.reading SET after_number = 0");
    everything_is_due();
    ck_assert_int_eq(turn("kaigi_copies"), 1);
    shows("SELECT count(*) FROM legacy_sync.given_back WHERE state = 'taken'", "1");
    shows(EVENTS("records_take_copy"), "1");
}
END_TEST

/* LINK-6: a copy of somebody whom we never handed over is shown, and goes nowhere */
START_TEST(a_strange_copy_goes_nowhere)
{
    kaigi_behaves("{\"mode\":\"answer\"}");
    json_decref(kaigi_call("POST", "/applications",
        "{\"hand_over\":\"h\",\"pseudonym\":\"stranger\",\"programme\":\"kaigishi\",\"registration_number\":\"1\","
        "\"items\":{}}"));
    read_copies();
    ck_assert_int_eq(turn("kaigi_copies"), 1);
    shows("SELECT state FROM legacy_sync.given_back", "unknown_pseudonym");
    shows(EVENTS("records_take_copy"), "0");
}
END_TEST

/* --- the workbook ----------------------------------------------------------------------------------------------- */

static char *sealed_to_us(const char *pseudonym)
{
    char *jwk = jwk_public_text(work->arena, keyring_newest("*", KEY_SEAL), NULL);
    char *plain =
        arena_format(work->arena, "{\"numbers\":[{\"pseudonym\":\"%s\",\"number\":\"" NUMBER "\"}]}", pseudonym);
    return jwe_seal(work->arena, jwk, NULL, plain, strlen(plain));
}

static void export_one(const char *sealed, struct delivery *delivery)
{
    static const char fields[] = "{\"roll\":{\"name\":\"山田　花子\",\"registration_number\":\"第12号\"}}";
    LegacySync__HandOverRequest entry = LEGACY_SYNC__HAND_OVER_REQUEST__INIT;
    entry.pseudonym = "p1";
    entry.fields = (ProtobufCBinaryData){sizeof fields - 1, (uint8_t *)fields};
    workbook_export(
        work->arena, programme_find(programmes_in_use(), "jun-kangoshi"), APPLICATION, &entry, sealed, delivery);
}

/* LINK-4: 12 items of 別添 and the number, in a file that only the password opens */
START_TEST(a_workbook_is_written)
{
    static uint8_t file[1 << 20];
    struct delivery delivery;
    struct bytes document;
    struct workbook_table table;
    char path[256], today[11];
    time_t now = time(NULL);
    struct tm parts;
    strftime(today, sizeof today, "%Y-%m-%d", gmtime_r(&now, &parts));
    password_write(today);
    export_one(sealed_to_us("p1"), &delivery);
    ck_assert_int_eq(delivery.cause, HAND_OVER_TAKEN);
    ck_assert_str_eq(delivery.reference, APPLICATION ".xlsx");
    snprintf(path, sizeof path, "%s/%s", getenv("SHIKAKU_EXPORT_DIR"), delivery.reference);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    size_t len = fread(file, 1, sizeof file, in);
    fclose(in);
    ck_assert_int_eq(agile_decrypt(work->arena, file, len, PASSWORD, &document), AGILE_OPENED);
    ck_assert(workbook_read(work->arena, document.data, document.len, &table));
    ck_assert_uint_eq(table.rows, 2);
    ck_assert_uint_eq(table.columns, 13);
    ck_assert_str_eq(table.cells[0], "資格者氏名");
    ck_assert_str_eq(table.cells[13], "山田　花子");
    ck_assert_str_eq(table.cells[6], "資格者登録番号");
    ck_assert_str_eq(table.cells[13 + 6], "第12号");
    ck_assert_str_eq(table.cells[12], "個人番号");
    ck_assert_str_eq(table.cells[13 + 12], NUMBER);
}
END_TEST

/* LINK-4: no workbook without a number that is this person's, none under an old password */
START_TEST(a_workbook_is_refused)
{
    struct delivery delivery;
    password_write("2020-01-01");
    export_one(sealed_to_us("p1"), &delivery);
    ck_assert_int_eq(delivery.cause, HAND_OVER_NOT_NOW);
    export_one(sealed_to_us("somebody else"), &delivery);
    ck_assert_int_eq(delivery.cause, HAND_OVER_REFUSED);
    ck_assert_int_eq(delivery.reason, FAULT_number_unsealable);
    export_one(NULL, &delivery);
    ck_assert_int_eq(delivery.cause, HAND_OVER_REFUSED);
    export_one("a.b.c.d.e", &delivery);
    ck_assert_int_eq(delivery.cause, HAND_OVER_REFUSED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("legacy_sync");
    TCase *t = tcase_create("legacy_sync");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, an_application_is_accepted_once);
    tcase_add_test(t, it_is_handed_over_once);
    tcase_add_test(t, a_lost_answer_doubles_nothing);
    tcase_add_test(t, it_waits_while_the_system_is_down);
    tcase_add_test(t, a_hanging_system_is_left_in_time);
    tcase_add_test(t, a_refusal_asks_a_person);
    tcase_add_test(t, a_lost_lease_is_taken_over);
    tcase_add_test(t, a_copy_is_taken_once);
    tcase_add_test(t, a_strange_copy_goes_nowhere);
    tcase_add_test(t, a_workbook_is_written);
    tcase_add_test(t, a_workbook_is_refused);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
