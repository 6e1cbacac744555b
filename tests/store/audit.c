/* The log takes every record of use once and in order, and whatever is done to it afterwards shows against the witness.
 */
#include "audit/audit_log.h"
#include "audit/audit_sign.h"
#include "audit/audit_witness.h"
#include "chassis/boot.h"
#include "chassis/journal.h"
#include "chassis/work.h"
#include "kit/store.h"
#include "shikakuctl/audit_verify.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCE "0a0b0c0d-0000-4000-8000-00000000000"
#define MADE_MAX 400

static const struct setting settings[] = {{"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"}};
static struct store store;
static struct pg *pg, *owner;
static struct arena *arena;
static char witness[600], public_keys[600];

/* A worker as the chassis has it: numbers and links its own records. */
struct worker {
    char instance[40];
    uint32_t number;
    struct audit_record records[MADE_MAX];
    size_t count;
};

static void worker_init(struct worker *worker, uint32_t number)
{
    memset(worker, 0, sizeof *worker);
    snprintf(worker->instance, sizeof worker->instance, INSTANCE "%u", number);
    worker->number = number;
}

static void record_make(struct worker *worker, const char *event)
{
    static uint8_t zeroes[AUDIT_DIGEST_BYTES];
    struct audit_record *record = &worker->records[worker->count];
    uint8_t digest[AUDIT_DIGEST_BYTES];
    *record = (struct audit_record){"intake", worker->instance, worker->number, worker->count + 1,
        worker->count ? record[-1].digest : (struct bytes){zeroes, sizeof zeroes}, {NULL, 0},
        arena_copy(arena, event, strlen(event))};
    audit_link_digest(record, digest);
    record->digest = arena_copy(arena, digest, sizeof digest);
    worker->count++;
}

static void records_make(struct worker *worker, int count)
{
    char event[32];
    for (int i = 0; i < count; i++) {
        snprintf(event, sizeof event, "event %zu of %u", worker->count, worker->number);
        record_make(worker, event);
    }
}

/* Send records [from, to) of a worker. */
static struct audit_chain relay(const struct worker *worker, size_t from, size_t to)
{
    struct fault fault = {0};
    struct audit_chain chain = {worker->instance, worker->number, worker->records + from, to - from, 0, false};
    pg_begin(pg, "");
    ck_assert(log_append(pg, arena, "intake", &chain, 1, &fault));
    ck_assert(pg_commit(pg, &fault));
    return chain;
}

static void sign(void)
{
    struct work work = {.pg = pg};
    struct fault fault = {0};
    struct audit_head before, head;
    ck_assert(head_read(pg, &before, &fault));
    do {
        head_sign_turn(&work, NULL); /* signs when a second has passed since the last */
        ck_assert(head_read(pg, &head, &fault));
    } while (head.signed_at_ms == before.signed_at_ms && usleep(20000) == 0);
}

static struct audit_verdict verify(void)
{
    struct audit_verdict verdict;
    struct fault fault = {0};
    ck_assert(audit_verify(pg, witness, public_keys, &verdict, &fault));
    return verdict;
}

static void tamper(const char *sql)
{
    struct fault fault = {0};
    PGresult *done = pg_query(owner, sql, &fault, PG_NONE);
    ck_assert_msg(done != NULL, "the owner can do: %s", sql);
    PQclear(done);
}

/* The programs find the test's database and witness, and the cluster's token. */
static void programs_prepare(void)
{
    char keys[700], token[700];
    snprintf(keys, sizeof keys, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    snprintf(token, sizeof token, "%s/audit", getenv("SHIKAKU_KEYS"));
    setenv("SHIKAKU_KEYS", keys, 1);
    strcat(keys, "/audit");
    ck_assert_int_eq(symlink(token, keys), 0);
    setenv("SHIKAKU_WITNESS", witness, 1);
    setenv("SHIKAKU_ADMIN_PORT", "1", 1); /* none gets as far as opening it */
}

/* Exit status of a program of this build. */
static int run(const char *command)
{
    char line[900];
    snprintf(line, sizeof line, "\"$SHIKAKU_BIN\"/%s", command);
    int status = system(line);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void setup(void)
{
    static const struct key_want wants[] = {{"*", KEY_SIGN}};
    struct fault fault = {0};
    store_open(&store, "audit");
    ck_assert(settings_read(settings, 1));
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert(pg_open(&owner, store.owner, &fault));
    ck_assert(keyring_open("audit", pg, wants, 1, &fault));
    arena = arena_new(8 * 1024 * 1024);
    snprintf(witness, sizeof witness, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    mkdir(witness, 0700);
    snprintf(witness, sizeof witness, "%s/%s/heads", getenv("SHIKAKU_VAR"), store.name);
    snprintf(public_keys, sizeof public_keys, "%s/%s/peers", getenv("SHIKAKU_VAR"), store.name);
    mkdir(public_keys, 0700);
    snprintf(public_keys, sizeof public_keys, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    ck_assert(sign_key_publish(public_keys, &fault));
    strcat(public_keys, "/peers/audit.sign.pub");
    ck_assert(witness_open(witness, &fault));
    programs_prepare();
}

static void teardown(void)
{
    char folder[700];
    keyring_close();
    arena_free(arena);
    pg_close(pg);
    pg_close(owner);
    store_close(&store);
    unlink(witness);
    unlink(public_keys);
    snprintf(folder, sizeof folder, "%s/%s/audit", getenv("SHIKAKU_VAR"), store.name);
    unlink(folder);
    snprintf(folder, sizeof folder, "%s/%s/peers", getenv("SHIKAKU_VAR"), store.name);
    rmdir(folder);
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
}

/* LOG-1 */
START_TEST(a_log_that_nobody_touched_is_whole)
{
    struct worker one, two;
    worker_init(&one, 1);
    worker_init(&two, 2);
    records_make(&one, 30);
    records_make(&two, 7);
    ck_assert_uint_eq(relay(&one, 0, 13).through, 13);
    sign();
    ck_assert_uint_eq(relay(&two, 0, 7).through, 7);
    ck_assert_uint_eq(relay(&one, 13, 30).through, 30);
    sign();
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 37);
    ck_assert_uint_eq(verdict.heads, 2);
    ck_assert_uint_eq(verdict.uncovered, 0);
}
END_TEST

/* LOG-1: what is sent again, in whole or in part, is in the log once */
START_TEST(records_sent_again_are_taken_once)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 20);
    relay(&one, 0, 10);
    ck_assert_uint_eq(relay(&one, 0, 10).through, 10);
    ck_assert_uint_eq(relay(&one, 5, 20).through, 20);
    ck_assert_uint_eq(relay(&one, 0, 3).through, 20);
    sign();
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 20);
}
END_TEST

/* LOG-1: a record that was taken away before it was relayed */
START_TEST(a_gap_is_refused)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    relay(&one, 0, 4);
    struct audit_chain chain = relay(&one, 5, 10);
    ck_assert(chain.broken);
    ck_assert_uint_eq(chain.through, 4);
    ck_assert_uint_eq(verify().events, 4);
}
END_TEST

/* LOG-1: a record that was changed before it was relayed */
START_TEST(an_altered_record_is_refused)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 10);
    one.records[6].event = arena_copy(arena, "another", 7);
    struct audit_chain chain = relay(&one, 0, 10);
    ck_assert(chain.broken);
    ck_assert_uint_eq(chain.through, 6);
    ck_assert_uint_eq(verify().events, 6);
}
END_TEST

/* LOG-1: the records before the end were made anew, with links that agree among themselves */
START_TEST(a_chain_made_anew_is_refused)
{
    struct worker one, other;
    worker_init(&one, 1);
    records_make(&one, 5);
    relay(&one, 0, 5);
    worker_init(&other, 1);
    for (int i = 0; i < 6; i++)
        record_make(&other, "made up");
    ck_assert(relay(&other, 0, 5).broken);
    ck_assert(relay(&other, 5, 6).broken);
    ck_assert_uint_eq(verify().events, 5);
}
END_TEST

/* LOG-1: the service's own role can neither change nor delete what it wrote */
START_TEST(the_role_of_audit_cannot_change_the_log)
{
    static const char *const acts[] = {"UPDATE audit.log SET event = ''", "DELETE FROM audit.log", "TRUNCATE audit.log",
        "UPDATE audit.head SET size = 1", "DELETE FROM audit.head"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct fault fault = {0};
        PGresult *done = pg_query(pg, acts[i], &fault, PG_NONE);
        ck_assert_msg(done == NULL, "%s", acts[i]);
    }
}
END_TEST

static const struct {
    const char *name, *act[3], *finding;
} tamperings[] = {
    {"edit", {"UPDATE audit.log SET event = 'x' WHERE position = 20"}, "record_altered"},
    {"edit, digest made anew",
        {"UPDATE audit.log SET event = 'x', digest = sha256(previous || int8send(sequence) || 'x'::bytea) "
         "WHERE sequence = 30"},
        "log_differs_from_witness"},
    {"edit of who sent it", {"UPDATE audit.log SET service = 'vault'"}, "log_differs_from_witness"},
    {"delete", {"DELETE FROM audit.log WHERE position = 11"}, "position_missing"},
    {"delete, positions closed up",
        {"DELETE FROM audit.log WHERE position = 11",
            "UPDATE audit.log SET position = position - 1000 + 999 WHERE position > 11"},
        "record_missing_or_moved"},
    {"insert",
        {"UPDATE audit.log SET position = position + 1 WHERE position = 29",
            "INSERT INTO audit.log VALUES (29, 'vault', '" INSTANCE "9', 1, 1, decode(repeat('00', 32), 'hex'), "
            "sha256(decode(repeat('00', 32), 'hex') || int8send(1) || 'x'::bytea), 'x')"},
        "log_differs_from_witness"},
    {"reorder",
        {"UPDATE audit.log SET position = 1000 WHERE position = 8",
            "UPDATE audit.log SET position = 8 WHERE position = 9",
            "UPDATE audit.log SET position = 9 WHERE position = 1000"},
        "record_missing_or_moved"},
    {"truncate the tail", {"DELETE FROM audit.log WHERE position >= 25"}, "log_shorter_than_witness"},
    {"truncate all", {"DELETE FROM audit.log"}, "log_shorter_than_witness"},
};

/* LOG-1 */
START_TEST(tampering_is_found)
{
    struct worker one;
    worker_init(&one, 1);
    records_make(&one, 30);
    relay(&one, 0, 30);
    sign();
    ck_assert(verify().whole);
    for (int i = 0; i < 3 && tamperings[_i].act[i]; i++)
        tamper(tamperings[_i].act[i]);
    struct audit_verdict verdict = verify();
    ck_assert_msg(!verdict.whole, "%s was not found", tamperings[_i].name);
    ck_assert_str_eq(verdict.finding, tamperings[_i].finding);
}
END_TEST

static void acts_do(const char *const *acts)
{
    for (; *acts; acts++)
        tamper(*acts);
}

static void backup(void)
{
    static const char *const acts[] = {"CREATE TABLE audit.old_log AS TABLE audit.log",
        "CREATE TABLE audit.old_chain AS TABLE audit.chain",
        "CREATE TABLE audit.old_sequencer AS TABLE audit.sequencer", "CREATE TABLE audit.old_head AS TABLE audit.head",
        NULL};
    acts_do(acts);
}

static void restore(void)
{
    static const char *const acts[] = {"DELETE FROM audit.log", "INSERT INTO audit.log SELECT * FROM audit.old_log",
        "DELETE FROM audit.chain", "INSERT INTO audit.chain SELECT * FROM audit.old_chain",
        "DELETE FROM audit.sequencer", "INSERT INTO audit.sequencer SELECT * FROM audit.old_sequencer",
        "DELETE FROM audit.head", "INSERT INTO audit.head OVERRIDING SYSTEM VALUE SELECT * FROM audit.old_head", NULL};
    acts_do(acts);
}

/* LOG-1: an old copy of the database is put back and the system goes on from there, past where it was */
START_TEST(going_back_to_an_old_copy_is_found)
{
    static struct worker one, other;
    worker_init(&one, 1);
    worker_init(&other, 2);
    records_make(&one, 20);
    records_make(&other, 30);
    relay(&one, 0, 10);
    sign();
    backup();
    relay(&one, 10, 20);
    sign();
    ck_assert(verify().whole);

    restore();
    ck_assert_str_eq(verify().finding, "log_shorter_than_witness");
    relay(&other, 0, 30);
    sign();
    ck_assert_str_eq(verify().finding, "log_differs_from_witness");
}
END_TEST

/* Ten records signed and copied, ten more, and the copy put back. */
static void go_back(struct worker *one)
{
    worker_init(one, 1);
    records_make(one, 20);
    relay(one, 0, 10);
    sign();
    backup();
    relay(one, 10, 20);
    sign();
    restore();
}

/* STORE-3, LOG-2: on a restored copy audit does not start, until an operator has stated why; then the verifier takes
 * exactly what was stated, tells it for ever, and finds all else as before */
START_TEST(a_restored_copy_is_reconciled)
{
    static struct worker one, other;
    struct fault fault = {0};
    go_back(&one);
    ck_assert_int_eq(run("shikaku-audit"), EXIT_OPERATOR);
    ck_assert_int_ne(run("shikakuctl audit verify"), 0);
    ck_assert_int_ne(run("shikakuctl audit reconcile 'because \"I\" say so'"), 0);
    ck_assert_int_eq(run("shikaku-audit"), EXIT_OPERATOR);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    ck_assert_int_ne(run("shikakuctl audit reconcile decision-8"), 0); /* nothing is left to reconcile */
    ck_assert(witness_check(witness, getenv("SHIKAKU_KEYS"), &fault));
    worker_init(&other, 2);
    records_make(&other, 30);
    relay(&other, 0, 30);
    sign();
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 41);
    ck_assert_uint_eq(verdict.reconciled, 1);
    ck_assert_uint_eq(verdict.reconciliations[0].stated.from_size, 20);
    ck_assert_uint_eq(verdict.reconciliations[0].stated.to_size, 10);
    ck_assert_uint_eq(audit_reconciliation_lost(&verdict.reconciliations[0].stated), 10);
    ck_assert_uint_eq(verdict.reconciliations[0].heads_abandoned, 1);
    ck_assert_str_eq(verdict.reconciliations[0].reason, "decision-7");
    restore(); /* the same again was not stated */
    ck_assert_str_eq(verify().finding, "log_shorter_than_witness");
    ck_assert_int_eq(run("shikaku-audit"), EXIT_OPERATOR);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-9"), 0);
    verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.reconciled, 2);
    ck_assert_uint_eq(audit_reconciliation_lost(&verdict.reconciliations[1].stated), 31);
    ck_assert_str_eq(verdict.reconciliations[0].reason, "");
    ck_assert_str_eq(verdict.reconciliations[1].reason, "decision-9");
}
END_TEST

static const struct {
    const char *act, *finding;
} after_reconciling[] = {
    {"UPDATE audit.log SET event = 'x' WHERE position = 5", "record_altered"},
    {"UPDATE audit.log SET service = 'vault' WHERE position < 10", "log_differs_from_witness"},
    {"DELETE FROM audit.log WHERE position = 10", "log_shorter_than_witness"},
    {"UPDATE audit.log SET event = 'x', digest = sha256(previous || int8send(sequence) || 'x'::bytea) "
     "WHERE position = 10",
        "reconciliation_not_in_log"},
};

/* LOG-2: what was stated hides nothing else */
START_TEST(a_reconciled_log_is_guarded_as_before)
{
    static struct worker one;
    go_back(&one);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    tamper(after_reconciling[_i].act);
    struct audit_verdict verdict = verify();
    ck_assert_msg(!verdict.whole, "%s", after_reconciling[_i].act);
    ck_assert_str_eq(verdict.finding, after_reconciling[_i].finding);
}
END_TEST

/* LOG-2: a log that was changed is no earlier copy, and is not taken for one */
START_TEST(a_changed_log_is_not_reconciled)
{
    static struct worker one;
    go_back(&one);
    tamper("UPDATE audit.log SET service = 'vault'");
    ck_assert_int_ne(run("shikakuctl audit reconcile decision-7"), 0);
    ck_assert_int_eq(run("shikaku-audit"), EXIT_OPERATOR);
    ck_assert_str_eq(verify().finding, "log_differs_from_witness");
    ck_assert_uint_eq(verify().reconciled, 0);
}
END_TEST

/* Only the first lines of the witness. */
static void witness_cut(int lines)
{
    char command[1400];
    snprintf(command, sizeof command, "sed -i '%d,$d' '%s'", lines + 1, witness);
    ck_assert_int_eq(system(command), 0);
}

/* The machine stopped between the witness and the log: what was begun is found and completed */
START_TEST(a_reconciliation_cut_short_is_completed)
{
    static struct worker one;
    struct fault fault = {0};
    go_back(&one);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    restore();
    witness_cut(3); /* two heads, and what was stated */
    ck_assert_str_eq(verify().finding, "reconciliation_not_in_log");
    ck_assert(!witness_check(witness, getenv("SHIKAKU_KEYS"), &fault));
    ck_assert_str_eq(fault.field, "reconciliation_unfinished");
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.reconciled, 1);
}
END_TEST

/* STORE-3, LOG-2: so it is when the witness is the one that was restored, or lost */
START_TEST(a_restored_witness_is_reconciled)
{
    static struct worker one;
    struct fault fault = {0};
    worker_init(&one, 1);
    records_make(&one, 20);
    relay(&one, 0, 10);
    sign();
    relay(&one, 10, 20);
    sign();
    witness_cut(_i);
    ck_assert(!witness_check(witness, getenv("SHIKAKU_KEYS"), &fault));
    ck_assert_str_eq(fault.field, "witness_shorter_than_log");
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 21);
    ck_assert_uint_eq(verdict.reconciled, 1);
    ck_assert_uint_eq(verdict.reconciliations[0].stated.from_size, _i ? 10 : 0);
    ck_assert_uint_eq(verdict.reconciliations[0].stated.to_size, 20);
}
END_TEST

/* A head that reached the witness when the process died before it reached the database is no disagreement, nor is a
 * line that was cut short by the power */
START_TEST(what_a_crash_leaves_is_no_disagreement)
{
    static struct worker one;
    struct fault fault = {0};
    worker_init(&one, 1);
    records_make(&one, 20);
    relay(&one, 0, 10);
    sign();
    relay(&one, 10, 20);
    tamper("DELETE FROM audit.head");
    FILE *file = fopen(witness, "a");
    fputs("21 00ff", file);
    fclose(file);
    ck_assert(witness_open(witness, &fault));
    ck_assert(witness_check(witness, getenv("SHIKAKU_KEYS"), &fault));
    sign();
    struct audit_verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.heads, 2);
}
END_TEST

/* LOG-1: who can write the witness cannot sign for it */
START_TEST(a_head_of_another_key_is_found)
{
    struct worker one;
    struct key stranger = {.kind = KEY_SIGN, .secret = {1, 2, 3}};
    struct audit_head head;
    struct fault fault = {0};
    char line[AUDIT_LINE_MAX];
    worker_init(&one, 1);
    records_make(&one, 5);
    relay(&one, 0, 5);
    sign();
    ck_assert(head_read(pg, &head, &fault));
    ck_assert(audit_head_sign(&head, &stranger));
    audit_head_print(&head, line);
    FILE *file = fopen(witness, "a");
    fputs(line, file);
    fclose(file);
    ck_assert_str_eq(verify().finding, "head_of_unknown_key");
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *log = tcase_create("log");
    tcase_add_checked_fixture(log, setup, teardown);
    tcase_set_timeout(log, 60);
    tcase_add_test(log, a_log_that_nobody_touched_is_whole);
    tcase_add_test(log, records_sent_again_are_taken_once);
    tcase_add_test(log, a_gap_is_refused);
    tcase_add_test(log, an_altered_record_is_refused);
    tcase_add_test(log, a_chain_made_anew_is_refused);
    tcase_add_test(log, the_role_of_audit_cannot_change_the_log);
    tcase_add_loop_test(log, tampering_is_found, 0, sizeof tamperings / sizeof *tamperings);
    tcase_add_test(log, going_back_to_an_old_copy_is_found);
    tcase_add_test(log, a_head_of_another_key_is_found);
    tcase_add_test(log, a_restored_copy_is_reconciled);
    tcase_add_loop_test(
        log, a_reconciled_log_is_guarded_as_before, 0, sizeof after_reconciling / sizeof *after_reconciling);
    tcase_add_test(log, a_changed_log_is_not_reconciled);
    tcase_add_test(log, a_reconciliation_cut_short_is_completed);
    tcase_add_loop_test(log, a_restored_witness_is_reconciled, 0, 2);
    tcase_add_test(log, what_a_crash_leaves_is_no_disagreement);
    Suite *suite = suite_create("audit");
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
