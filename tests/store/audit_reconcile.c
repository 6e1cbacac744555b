/* After a restore log and witness disagree: audit does not start until an operator has stated why, and what is stated
 * hides nothing else. */
#include "store/audit.h"

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
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 41);
    ck_assert_uint_eq(verdict.reconciled_count, 1);
    ck_assert_uint_eq(verdict.reconciled[0].from_size, 20);
    ck_assert_uint_eq(verdict.reconciled[0].to_size, 10);
    ck_assert_uint_eq(verdict.reconciled[0].lost, 10);
    ck_assert_uint_eq(verdict.reconciled[0].heads_abandoned, 1);
    ck_assert_str_eq(verdict.reconciled[0].reason, "decision-7");
    restore(); /* the same again was not stated */
    ck_assert_str_eq(verify().finding, "log_shorter_than_witness");
    ck_assert_int_eq(run("shikaku-audit"), EXIT_OPERATOR);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-9"), 0);
    verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.reconciled_count, 2);
    ck_assert_uint_eq(verdict.reconciled[1].lost, 31);
    ck_assert_str_eq(verdict.reconciled[0].reason, "");
    ck_assert_str_eq(verdict.reconciled[1].reason, "decision-9");
}
END_TEST

static const struct {
    const char *act, *finding;
} after_reconciling[] = {
    {"UPDATE audit.log SET event = 'x' WHERE position = 5", "log_differs_from_witness"},
    {"UPDATE audit.log SET service = 'vault' WHERE position < 10", "log_differs_from_witness"},
    {"DELETE FROM audit.log WHERE position = 10", "log_shorter_than_witness"},
    {"UPDATE audit.log SET event = '0 decision-7' WHERE position = 10", "reconciliation_not_in_log"},
};

/* LOG-2: what was stated hides nothing else */
START_TEST(a_reconciled_log_is_guarded_as_before)
{
    static struct worker one;
    go_back(&one);
    ck_assert_int_eq(run("shikakuctl audit reconcile decision-7"), 0);
    tamper(after_reconciling[_i].act);
    struct verdict verdict = verify();
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
    ck_assert_uint_eq(verify().reconciled_count, 0);
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
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.reconciled_count, 1);
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
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.events, 21);
    ck_assert_uint_eq(verdict.reconciled_count, 1);
    ck_assert_uint_eq(verdict.reconciled[0].from_size, _i ? 10 : 0);
    ck_assert_uint_eq(verdict.reconciled[0].to_size, 20);
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
    struct verdict verdict = verify();
    ck_assert_msg(verdict.whole, "%s", verdict.finding);
    ck_assert_uint_eq(verdict.heads, 2);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *log = tcase_create("reconcile");
    tcase_add_checked_fixture(log, setup, teardown);
    tcase_set_timeout(log, 60);
    tcase_add_test(log, going_back_to_an_old_copy_is_found);
    tcase_add_test(log, a_restored_copy_is_reconciled);
    tcase_add_loop_test(
        log, a_reconciled_log_is_guarded_as_before, 0, sizeof after_reconciling / sizeof *after_reconciling);
    tcase_add_test(log, a_changed_log_is_not_reconciled);
    tcase_add_test(log, a_reconciliation_cut_short_is_completed);
    tcase_add_loop_test(log, a_restored_witness_is_reconciled, 0, 2);
    tcase_add_test(log, what_a_crash_leaves_is_no_disagreement);
    Suite *suite = suite_create("audit_reconcile");
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
