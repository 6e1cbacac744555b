/* Records whose time is over are deleted and the log stays provable; a second witness gets what the first one has. */
#include "store/audit.h"

#include "audit/record_cover.h"
#include "audit/retention.h"
#include "audit/second_witness.h"

#include <signal.h>
#include <spawn.h>

extern char **environ;

#define OLD_MS 1420113600000 /* 2015-01-01T12:00:00Z */
#define DAY_MS 86400000

static struct work work;

static void start(void)
{
    setup();
    work = (struct work){.pg = pg, .arena = arena};
}

/* A record that was appended long ago, of the kind of `act`. */
static void old_record_put(const struct worker *worker, uint64_t sequence, const char *act, int64_t at_ms)
{
    struct fault fault = {0};
    struct merkle tree;
    struct chain_end end = {.sequence = sequence};
    struct record_tokens tokens = {0};
    uint8_t leaves[1][MERKLE_HASH_BYTES];
    Audit__Event event = event_of("sato", act, "person-1", "application-1");
    struct audit_record record = {.appended_ms = at_ms, .sequence = sequence, .service = "intake"};
    record.instance[0] = (uint8_t)worker->number;
    pg_begin(pg, "");
    ck_assert(sequencer_take(pg, &tree, &fault));
    ck_assert(record_cover(arena, &tokens, worker->instance, event_pack(&event), &record));
    record_tokens_fini(&tokens);
    record.position = tree.size;
    struct bytes put = audit_record_put(arena, &record);
    merkle_leaf(put.data, put.len, leaves[0]);
    merkle_add(&tree, leaves[0]);
    char *instance = arena_format(arena, "%02x000000-0000-0000-0000-000000000000", (unsigned)worker->number & 0xff);
    ck_assert(log_put(pg, arena, instance, &record, (const uint8_t(*)[MERKLE_HASH_BYTES])leaves, 1));
    chain_put(pg, "intake", worker->instance, worker->number, &end);
    sequencer_put(pg, &tree);
    ck_assert(pg_commit(pg, &fault));
}

static void old_records_put(struct worker *worker)
{
    static const char *const acts[] = {"intake_view", "vault_release", "intake_view", "staff_login"};
    tamper("SELECT audit.month_make(kind, '2015-01-01') FROM unnest(ARRAY['use', 'provision', 'session']) AS kind");
    tamper("SELECT audit.month_make('use', '2015-02-01')");
    worker_init(worker, 7);
    for (uint64_t i = 0; i < 20; i++)
        old_record_put(worker, i + 1, acts[i % 4], OLD_MS + (int64_t)i * 1000);
    old_record_put(worker, 21, "intake_view", OLD_MS + 40 * (int64_t)DAY_MS);
    sign();
}

static int64_t count(const char *sql)
{
    struct fault fault = {0};
    pg_begin(owner, "*");
    PGresult *rows = pg_query(owner, sql, &fault, PG_NONE);
    ck_assert_ptr_nonnull(rows);
    int64_t value = pg_get_integer(rows, 0, 0);
    PQclear(rows);
    pg_rollback(owner);
    return value;
}

/* LOG-1, ERASE-1: by kind and month, the oldest first; what is deleted is gone, what is not is there, the proof holds
 */
START_TEST(records_go_when_their_time_is_over)
{
    static struct worker one, young;
    old_records_put(&one);
    worker_init(&young, 1);
    records_make(&young, 5);
    relay(&young, 0, 5);
    sign();
    ck_assert_uint_eq(verify().events, 26);
    ck_assert(retention_end(&work, "use", 84));
    ck_assert_int_eq(count("SELECT count(*) FROM audit.log WHERE kind = 'use'"), 1 + 5);
    ck_assert_int_eq(count("SELECT count(*) FROM audit.leaf"), 10);
    ck_assert_int_eq(count("SELECT count(*) FROM audit.log WHERE act = 'log_deleted'"), 1);
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s at %d", verdict.finding, (int)verdict.at);
    ck_assert_uint_eq(verdict.deleted, 10);
    ck_assert_uint_eq(verdict.events, 27);
    ck_assert(retention_end(&work, "use", 84)); /* February */
    ck_assert(!retention_end(&work, "use", 84));
    ck_assert(!retention_end(&work, "provision", 1200));
    ck_assert(retention_end(&work, "provision", 84));
    sign();
    verdict = verify();
    ck_assert_msg(verdict.whole, "%s at %d", verdict.finding, (int)verdict.at);
    ck_assert_uint_eq(verdict.deleted, 16);
    records_make(&young, 5);
    relay(&young, 5, 10);
    sign();
    ck_assert(verify().whole);
}
END_TEST

static const struct {
    const char *act, *finding;
} frauds[] = {
    {"INSERT INTO audit.leaf SELECT position, leaf, 21 FROM audit.log WHERE position = 1", "deleted_without_record"},
    {"UPDATE audit.leaf SET deletion = 30 WHERE position = 0", "deleted_without_record"},
    {"UPDATE audit.leaf SET leaf = sha256('x') WHERE position = 2", "log_differs_from_witness"},
    {"DELETE FROM audit.leaf WHERE position = 2", "position_missing"},
    {"UPDATE audit.log SET event = event || '0' WHERE act = 'log_deleted'", "deletion_not_signed"},
    {"UPDATE audit.log SET event = convert_to(replace(convert_from(event, 'UTF8'), 'use 201501 10', 'use 201501 11'), "
     "'UTF8') WHERE act = 'log_deleted'",
        "deletion_not_signed"},
};

/* LOG-2: a deletion covers nothing but what was deleted by it */
START_TEST(nothing_else_passes_for_deleted)
{
    static struct worker one;
    old_records_put(&one);
    ck_assert(retention_end(&work, "use", 84));
    sign();
    ck_assert(verify().whole);
    for (size_t i = 0; i < sizeof frauds / sizeof *frauds; i++) {
        pg_begin(owner, "*");
        tamper(frauds[i].act);
        if (i == 0)
            tamper("DELETE FROM audit.log WHERE position = 1");
        struct verdict verdict = verify_by(owner);
        ck_assert_msg(!verdict.whole, "%s", frauds[i].act);
        ck_assert_msg(strcmp(verdict.finding, frauds[i].finding) == 0 || strstr(verdict.finding, "malformed"), "%s: %s",
            frauds[i].act, verdict.finding);
    }
}
END_TEST

/* LOG-2: the service's role can end no month that is to be kept, and no other table */
START_TEST(a_young_month_cannot_be_ended)
{
    static const char *const acts[] = {
        "SELECT audit.month_end('use', date_trunc('month', now())::date, 1)",
        "SELECT audit.month_end('use', (date_trunc('month', now()) - interval '1 month')::date, 1)",
        "SELECT audit.month_end('log', '2015-01-01', 1)",
        "SELECT audit.month_end('use; DROP TABLE audit.leaf', '2015-01-01', 1)",
        "SELECT audit.month_make('Use', '2015-01-01')",
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct fault fault = {0};
        ck_assert_msg(pg_query(pg, acts[i], &fault, PG_NONE) == NULL, "%s", acts[i]);
    }
}
END_TEST

/* The second witness */

static pid_t witness_pid;
static char witness_url[64], witness_folder[700];

static void witness_start(void)
{
    char program[700], port_file[800], port[16] = "";
    char *argv[] = {program, "--port-file", port_file, "--state", witness_folder, NULL};
    snprintf(program, sizeof program, "%s/double-witness", getenv("SHIKAKU_BIN"));
    snprintf(witness_folder, sizeof witness_folder, "%s/%s/second", getenv("SHIKAKU_VAR"), store.name);
    snprintf(port_file, sizeof port_file, "%s.port", witness_folder);
    unlink(port_file);
    ck_assert_int_eq(posix_spawn(&witness_pid, program, NULL, NULL, argv, environ), 0);
    int64_t until = clock_ms() + 20000;
    while (!*port && clock_ms() < until) {
        FILE *file = fopen(port_file, "re");
        if (file && !fgets(port, sizeof port, file))
            port[0] = '\0';
        if (file)
            fclose(file);
    }
    ck_assert(*port);
    snprintf(witness_url, sizeof witness_url, "http://127.0.0.1:%d", atoi(port));
    unlink(port_file);
}

static void witness_stop(void)
{
    kill(witness_pid, SIGTERM);
    waitpid(witness_pid, NULL, 0);
}

static void witnesses_agree(void)
{
    char command[1600];
    snprintf(command, sizeof command, "curl -s %s/heads | cmp -s - '%s'", witness_url, witness);
    ck_assert_int_eq(system(command), 0);
}

/* LOG-2: whatever stops, the second witness ends with every line of the first, in order, once */
START_TEST(a_second_witness_gets_every_line)
{
    char command[800];
    static struct worker one;
    witness_start();
    second_witness_open(witness, witness_url, "");
    worker_init(&one, 1);
    records_make(&one, 9);
    for (size_t i = 0; i < 3; i++) {
        relay(&one, i, i + 1);
        sign();
    }
    ck_assert_int_eq(second_witness_turn(&work, NULL), 3);
    ck_assert_int_eq(second_witness_turn(&work, NULL), 0);
    witnesses_agree();
    witness_stop();
    relay(&one, 3, 4);
    sign();
    ck_assert_int_eq(second_witness_turn(&work, NULL), 0);
    witness_start();
    second_witness_open(witness, witness_url, ""); /* as a new process, or another host's */
    ck_assert_int_eq(second_witness_turn(&work, NULL), 1);
    witnesses_agree();
    /* An answer that is lost: the line is there, and is not sent twice. */
    snprintf(command, sizeof command, "curl -s %s/control -d '{\"mode\":\"lose\",\"times\":1,\"path\":\"/heads\"}'",
        witness_url);
    ck_assert_int_eq(system(command), 0);
    relay(&one, 4, 5);
    sign();
    ck_assert_int_eq(second_witness_turn(&work, NULL), 0);
    relay(&one, 5, 6);
    sign();
    ck_assert_int_eq(second_witness_turn(&work, NULL), 1);
    witnesses_agree();
    /* The first witness was put back to an older copy: the second one knows more and is not asked to forget. */
    snprintf(command, sizeof command, "sed -i '$d' '%s'", witness);
    ck_assert_int_eq(system(command), 0);
    second_witness_open(witness, witness_url, "");
    ck_assert_int_eq(second_witness_turn(&work, NULL), 0);
    witness_stop();
    snprintf(command, sizeof command, "rm -r '%s'", witness_folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *log = tcase_create("retention");
    tcase_add_checked_fixture(log, start, teardown);
    tcase_set_timeout(log, 120);
    tcase_add_test(log, records_go_when_their_time_is_over);
    tcase_add_test(log, nothing_else_passes_for_deleted);
    tcase_add_test(log, a_young_month_cannot_be_ended);
    tcase_add_test(log, a_second_witness_gets_every_line);
    Suite *suite = suite_create("audit_retention");
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
