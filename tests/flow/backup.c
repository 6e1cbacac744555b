/* Backups and restoring, as an operator meets them, with the vault in a PostgreSQL cluster of its own: a backup is
 * taken while the system works, work goes on, both clusters go back to one point in time. What was committed by then is
 * there and can be read and worked on; what came later is gone, and nothing begins before an operator has said that
 * this is known; a manager that ended meanwhile does not come back. The tests are one story, in this order. */
#include "kit/journey.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"

#include <check.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRAVEL_MS 90000
#define LOOK_MS 10

extern char **environ;

static struct journey journey, after;            /* the same people; staff log in anew after the restore */
static struct journey_trip ended, waiting, lost; /* completed, in review, and not there yet at the point in time */
static char point[40];

/* Exit status of shell text; what it prints is kept in SHIKAKU_LOG/operator.log. */
static int shell(const char *text)
{
    char command[1024];
    char *words[] = {"bash", "-c", command, NULL};
    pid_t pid;
    int status;
    snprintf(command, sizeof command, "exec >>\"$SHIKAKU_LOG/operator.log\" 2>&1; %s", text);
    ck_assert_int_eq(posix_spawnp(&pid, words[0], NULL, NULL, words, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void compose(struct journey_trip *trip, const char *programme)
{
    struct journey_plan plan = {.programme = programme, .index = journey_people_take(1)};
    ck_assert(trip_init(trip, &journey, &plan));
}

static void travel(struct journey *by, struct journey_trip *trip)
{
    ck_assert_msg(trip_travel(trip, by, "online", TRAVEL_MS), "%s stands in %s: %d %s", trip->programme->code,
        trip->state, trip->answer.status, trip->answer.body ? trip->answer.body : "");
}

static void now_print(char text[40])
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t len = strftime(text, 40, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(text + len, 40 - len, ".%06ld+00:00", now.tv_nsec / 1000);
}

/* --- before --------------------------------------------------------------------------------------------------------
 */

/* NUM-1, NUM-2: in the vault's cluster is no other service's role, and in the others' nothing of the vault */
START_TEST(the_vault_is_apart)
{
    ck_assert_int_eq(stack_count("SELECT count(*) FROM pg_namespace WHERE nspname = 'vault'"), 0);
    ck_assert_int_eq(stack_count("SELECT count(*) FROM pg_roles WHERE rolname = 'shikaku_vault'"), 0);
    ck_assert_int_eq(
        shell("[[ $(SHIKAKU_CLUSTER=vault deploy/cluster psql postgres -At -c \"SELECT "
              "string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'shikaku%'\") == "
              "'shikaku_owner shikaku_vault' ]]"),
        0);
    ck_assert_int_ne(
        shell("cmp \"$SHIKAKU_KEYS/postgres/db-password\" \"$SHIKAKU_KEYS/postgres-vault/db-password\""), 0);
}
END_TEST

/* STORE-3: taken while applications are on their way; encrypted; the passphrase is nobody else's to read */
START_TEST(a_backup_is_taken)
{
    struct stat about;
    char path[PATH_MAX];
    compose(&ended, "hoikushi");
    compose(&waiting, "chorishi");
    travel(&journey, &ended);
    ck_assert_int_eq(shell("deploy/backup full"), 0);
    ck_assert_int_eq(shell("deploy/backup verify"), 0);
    snprintf(path, sizeof path, "%s/postgres-vault/backup-passphrase", getenv("SHIKAKU_KEYS"));
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_uint_eq(about.st_mode & 0777, 0600);
    /* A covered page would be found, were it not encrypted: the catalogue's own words are on it. */
    ck_assert_int_ne(shell("grep -rqaF pg_catalog \"$SHIKAKU_VAR/backup/\""), 0);
    ck_assert_int_ne(shell("find \"$SHIKAKU_VAR/backup/\" -name '*pin*' -o -name '*softhsm*' | grep -q ."), 0);
}
END_TEST

/* STORE-3: PostgreSQL is killed in the middle of a backup: the next one is whole, and so is what was there */
START_TEST(a_backup_that_was_cut_off_harms_nothing)
{
    char lock[PATH_MAX];
    struct stat about;
    snprintf(lock, sizeof lock, "%s/pg/backup-lock/main-backup.lock", getenv("SHIKAKU_RUN"));
    pid_t pid = fork();
    if (pid == 0)
        _exit(shell("deploy/backup full main"));
    for (int i = 0; stat(lock, &about) != 0; i++) {
        ck_assert_int_lt(i, 3000);
        wire_pause(LOOK_MS);
    }
    ck_assert(stack_do("kill", "postgres"));
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    ck_assert(stack_do("start", "postgres"));
    ck_assert_int_eq(shell("deploy/backup incr main"), 0);
    ck_assert_int_eq(shell("deploy/backup verify main"), 0);
}
END_TEST

/* After the backup: one application comes to review, then is the point in time; another goes the whole way, and a
 * manager ends. */
START_TEST(work_goes_on)
{
    int64_t deadline = journey_clock_ms() + TRAVEL_MS;
    ck_assert_int_eq(trip_submit(&waiting, &journey), 201);
    while (trip_look(&waiting, &journey) == 200 && strcmp(waiting.state, "review") != 0) {
        ck_assert_int_lt(journey_clock_ms(), deadline);
        if (strcmp(waiting.state, "residence_terminal") == 0)
            ck_assert_int_eq(trip_identify(&waiting, &journey), 200);
        wire_pause(LOOK_MS);
    }
    now_print(point);
    compose(&lost, "chorishi");
    travel(&journey, &lost);
    ck_assert_int_eq(shell("\"$SHIKAKU_BIN/shikakuctl\" keys end saitama decision-1"), 0);
}
END_TEST

/* STORE-3: nothing is restored under a running system */
START_TEST(a_running_cluster_is_not_restored)
{
    ck_assert_int_ne(shell("deploy/backup restore main"), 0);
    ck_assert(stack_do("stop", "vault"));
    ck_assert(stack_do("stop", "postgres-vault"));
    ck_assert(stack_do("start", "postgres-vault"));
    ck_assert(stack_do("start", "vault"));
    ck_assert(stack_do("stop", NULL));
}
END_TEST

/* --- after ---------------------------------------------------------------------------------------------------------
 */

/* STORE-3, LOG-2: audit finds that its log is shorter than the witness says; it does not start, and the others wait */
START_TEST(nothing_begins_on_a_restored_copy)
{
    char command[200];
    snprintf(command, sizeof command, "deploy/backup restore main --to '%s'", point);
    ck_assert_int_eq(shell(command), 0);
    snprintf(command, sizeof command, "deploy/backup restore vault --to '%s'", point);
    ck_assert_int_eq(shell(command), 0);
    ck_assert_int_eq(shell("mv \"$SHIKAKU_LOG/vault.log\" \"$SHIKAKU_LOG/vault.before.log\""), 0);
    ck_assert_int_ne(shell("deploy/stack start"), 0);
    ck_assert_int_eq(shell("grep -q log_shorter_than_witness \"$SHIKAKU_LOG/audit.log\""), 0);
    ck_assert_int_eq(shell("eval \"$(deploy/stack env audit)\"; \"$SHIKAKU_BIN/shikaku-audit\"; [[ $? -eq 3 ]]"), 0);
    ck_assert_int_eq(shell("for i in {1..300}; do ! grep -q waiting_for_audit \"$SHIKAKU_LOG/vault.log\" || exit 0; "
                           "sleep 0.1; done; exit 1"),
        0);
    ck_assert_int_ne(shell("grep -q '\"ready\"' \"$SHIKAKU_LOG/vault.log\""), 0);
}
END_TEST

/* LOG-2: the operator says that this is known: the verifier takes that, tells it, and finds the rest whole */
START_TEST(an_operator_reconciles)
{
    ck_assert_int_ne(shell("\"$SHIKAKU_BIN/shikakuctl\" audit verify"), 0);
    ck_assert_int_eq(shell("\"$SHIKAKU_BIN/shikakuctl\" audit reconcile decision-2"), 0);
    ck_assert(stack_do("start", NULL));
    ck_assert_int_eq(shell("\"$SHIKAKU_BIN/shikakuctl\" audit verify | grep -q decision-2"), 0);
    ck_assert_int_eq(shell("\"$SHIKAKU_BIN/shikakuctl\" audit verify"), 0);
}
END_TEST

/* STORE-3: what was committed is there, is read with the tokens' keys, and goes on; what came later is not */
START_TEST(what_was_committed_goes_on)
{
    ck_assert(journey_open(&after, &journey));
    ck_assert_int_eq(stack_count("SELECT count(*) FROM intake.application"), 2);
    ck_assert_int_eq(trip_look(&ended, &after), 200);
    ck_assert_str_eq(ended.state, "completed");
    ck_assert_int_eq(trip_look(&waiting, &after), 200);
    ck_assert_str_eq(waiting.state, "review");
    ck_assert_int_eq(trip_look(&lost, &after), 404);
    travel(&after, &waiting);
    ck_assert_int_eq(shell("\"$SHIKAKU_BIN/shikakuctl\" audit verify"), 0);
}
END_TEST

/* ERASE-2: the backup has rows and wrapped keys of the manager that ended, and not what opens them */
START_TEST(an_ended_manager_stays_ended)
{
    struct journey_trip again;
    ck_assert_int_eq(shell("[[ $(SHIKAKU_CLUSTER=vault deploy/cluster psql postgres -At -c \"SELECT count(*) FROM "
                           "vault.data_key WHERE manager = 'saitama' AND length(wrapped) > 0\") -gt 0 ]]"),
        0);
    ck_assert_int_eq(shell("[[ $(SHIKAKU_CLUSTER=vault deploy/cluster psql postgres -At -c \"SELECT count(*) FROM "
                           "vault.tie WHERE manager = 'saitama'\") -eq 1 ]]"),
        0);
    ck_assert_int_eq(shell("grep key_erased \"$SHIKAKU_LOG/vault.log\" | grep -q saitama"), 0);
    ck_assert_int_eq(shell("grep manager_ended \"$SHIKAKU_LOG/vault.log\" | grep -q saitama"), 0);
    compose(&again, "hoikushi");
    int status = trip_submit(&again, &after);
    ck_assert_msg(status == 404 && strcmp(journey_text(again.answer.json, "code"), "not_found") == 0, "%d %s", status,
        again.answer.body ? again.answer.body : "");
    trip_fini(&again);
    compose(&again, "chorishi"); /* another manager */
    travel(&after, &again);
    trip_fini(&again);
}
END_TEST

int main(void)
{
    const TTest *const story[] = {the_vault_is_apart, a_backup_is_taken, a_backup_that_was_cut_off_harms_nothing,
        work_goes_on, a_running_cluster_is_not_restored, nothing_begins_on_a_restored_copy, an_operator_reconciles,
        what_was_committed_goes_on, an_ended_manager_stays_ended};
    setenv("SHIKAKU_OWN_CLUSTERS", "vault", 1);
    if (!stack_open("backup", 23400) || !journey_open(&journey, NULL))
        return 1;
    Suite *suite = suite_create("backup");
    TCase *tests = tcase_create("story");
    for (size_t i = 0; i < sizeof story / sizeof *story; i++)
        tcase_add_test(tests, story[i]);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* one story: each test goes on with the trips of those before */
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    trip_fini(&ended);
    trip_fini(&waiting);
    trip_fini(&lost);
    journey_close(&after);
    journey_close(&journey);
    stack_close();
    return failures != 0 || !stack_is_clean();
}
