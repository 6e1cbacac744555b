/* Keys of the vault are replaced while two replicas work and one after the other is killed: nothing fails, nobody gets
 * a second pseudonym, everything can be read afterwards, and what the old keys would open is refused. */
#include "store/vault.h"

#include "chassis/journal.h"
#include "chassis/key_guard.h"
#include "chassis/key_watch.h"
#include "vault/vault_columns.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#define PERSONS 300       /* before */
#define PERSONS_MORE 3000 /* at most, meanwhile */
#define WAIT_SECONDS 120
#define LEASE_MS "1500"

extern char **environ;

static const struct service watched = {
    .name = "vault", .schema_version = VAULT_SCHEMA_VERSION, .columns = &vault_columns};

static void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

/* --- a replica: a process of its own, started by this program with its name as argument ----------------------------
 */

static atomic_bool told_to_stop;

static void stop(int number)
{
    (void)number;
    atomic_store(&told_to_stop, true);
}

static void *keys_run(void *nothing)
{
    (void)nothing;
    struct work *by = work_new(&watched);
    while (by && !atomic_load(&told_to_stop)) {
        work_reset(by);
        int worked = key_watch_turn(by, NULL);
        work_rest(by);
        if (!worked)
            pause_ms(20);
    }
    work_free(by);
    return NULL;
}

/* Out of touch for longer than the lease (a busy machine): whoever asked asks again. */
static bool is_to_be_asked_again(const struct work *by, enum outcome outcome)
{
    return outcome != OUTCOME_DONE && by->fault.code == FAULT_unavailable && strcmp(by->fault.field, "keys") == 0;
}

/* The key that is published just now, as who seals a number would get it. */
static void sealer_renew(struct work *by)
{
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    enum outcome outcome;
    while (is_to_be_asked_again(by, outcome = deliver(by, ROUTE_vault_keys, "portal", "", &keys.base, &reply)))
        work_rest(by);
    ck_assert_int_eq(outcome, OUTCOME_DONE);
    kit_sealer_free(sealer);
    sealer = kit_sealer_new(((Vault__KeysReply *)reply)->jwks);
    ck_assert_ptr_nonnull(sealer);
    work_rest(by);
}

/* One enrolment; what came of it is a line "person pseudonym" or "failed CODE". */
static bool person_enrol(struct work *by, FILE *out, unsigned index, const char *manager)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    kit_person_make(&person, SEED, index);
    sealer_renew(by);
    enrolment_by_paper(&e, person.number, manager);
    enum outcome outcome;
    while (is_to_be_asked_again(by, outcome = enrol(by, e.application, &e, &enrolled)))
        work_rest(by);
    bool done = outcome == OUTCOME_DONE;
    if (done)
        fprintf(out, "%u %s\n", index, enrolled.pseudonym);
    else
        fprintf(out, "failed %s %s\n", fault_code_text(by->fault.code), by->fault.field);
    work_rest(by);
    free(e.sealed);
    return done;
}

static enum outcome release_try(struct work *by, const char *pseudonym)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    char act[37], *asked = (char *)pseudonym;
    uuid_make(act);
    request.manager = "tokyo";
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = &asked;
    request.n_pseudonyms = 1;
    enum outcome outcome = deliver(by, ROUTE_vault_release, "residence", act, &request.base, &reply);
    work_rest(by);
    return outcome;
}

static bool person_release(struct work *by, FILE *out, const char *pseudonym)
{
    enum outcome outcome;
    while (is_to_be_asked_again(by, outcome = release_try(by, pseudonym)))
        ;
    if (outcome != OUTCOME_DONE)
        fprintf(out, "failed %s %s\n", fault_code_text(by->fault.code), by->fault.field);
    return outcome == OUTCOME_DONE;
}

static void vault_open(void)
{
    struct fault fault = {0};
    const struct key_want *wants;
    struct pg *pg;
    exchange_store_open("vault");
    size_t count = vault_keys_wanted(&wants);
    bool opened = settings_read(settings, sizeof settings / sizeof *settings) &&
                  settings_read(vault_settings, VAULT_SETTINGS) && pg_open(&pg, setting_text("SHIKAKU_DSN"), &fault);
    opened = opened && keyring_open("vault", pg, wants, count, &fault) && key_watch_open(&watched, pg, &fault) &&
             vault_prepare(&fault) && (work = work_new(&watched));
    if (!opened) { /* the test sees how it ended */
        fprintf(stderr, "replica: %s %s\n", fault_code_text(fault.code), fault.field);
        exit(2);
    }
    pg_close(pg);
}

/* Those who are there already, and new ones in the same order as the other replica, so that both come at once. */
static int replica_run(const char *path)
{
    FILE *out = fopen(path, "a");
    struct kit_person person;
    struct enrolled first;
    struct enrolment e;
    pthread_t keys;
    bool right = out != NULL;
    unsigned more = 0;
    signal(SIGTERM, stop);
    journal_open("replica");
    if (!settings_read(settings, sizeof settings / sizeof *settings))
        return 2;
    vault_open();
    setvbuf(out, NULL, _IOLBF, 0);
    pthread_create(&keys, NULL, keys_run, NULL);
    kit_person_make(&person, SEED, 0);
    sealer_renew(work);
    enrolment_by_paper(&e, person.number, "tokyo");
    enum outcome outcome;
    while (is_to_be_asked_again(work, outcome = enrol(work, e.application, &e, &first)))
        work_rest(work);
    right = outcome == OUTCOME_DONE;
    work_rest(work);
    free(e.sealed);
    for (unsigned turn = 0; right && !atomic_load(&told_to_stop); turn++) {
        right = person_enrol(work, out, turn % PERSONS, "tokyo") && person_release(work, out, first.pseudonym);
        if (right && more < PERSONS_MORE)
            right = person_enrol(work, out, PERSONS + more++, "tokyo");
    }
    atomic_store(&told_to_stop, true);
    pthread_join(keys, NULL);
    work_free(work);
    kit_sealer_free(sealer);
    key_watch_close();
    keyring_close();
    fclose(out);
    return right ? 0 : 1;
}

/* --- the test ------------------------------------------------------------------------------------------------------
 */

struct replica {
    pid_t pid;
    char path[64];
};
static struct replica replicas[2];
static char program[512];

static void replica_start(struct replica *replica)
{
    char *argv[] = {program, "replica", replica->path, NULL};
    ck_assert_int_eq(posix_spawn(&replica->pid, program, NULL, NULL, argv, environ), 0);
}

static void replica_end(struct replica *replica, int signal_number, bool right)
{
    int status;
    kill(replica->pid, signal_number);
    ck_assert_int_eq(waitpid(replica->pid, &status, 0), replica->pid);
    replica->pid = 0;
    if (right)
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a replica failed, see %s", replica->path);
}

static void text_of(PGconn *owner, const char *sql, char *text, size_t size)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(owner));
    snprintf(text, size, "%s", PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
}

static long number_of(PGconn *owner, const char *sql)
{
    char text[64];
    text_of(owner, sql, text, sizeof text);
    return atol(text);
}

static void rotation_ask(PGconn *owner, const char *kind, const char *manager)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "INSERT INTO vault.rotation (manager, kind, old_key) SELECT manager, '%s', max(key_id) FILTER (WHERE kind = "
        "'%s') FROM vault.data_key WHERE manager = '%s' AND state = 'in_force' GROUP BY manager RETURNING rotation",
        kind, kind, manager);
    ck_assert_int_gt(number_of(owner, sql), 0);
}

static void replicas_have_no_failure(void)
{
    for (int i = 0; i < 2; i++) {
        char command[128];
        snprintf(command, sizeof command, "! grep -s failed %s", replicas[i].path);
        ck_assert_msg(system(command) == 0, "a request failed");
    }
}

/* At every new phase one of the two replicas is killed, by turns, and started again. */
static void rotation_await(PGconn *owner, bool kills)
{
    char phase[64], last[64] = "",
                    sql[] =
                        "SELECT kind || ' ' || phase FROM vault.rotation WHERE finished_at IS NULL "
                        "ORDER BY rotation LIMIT 1";
    int killed = 0;
    for (int tick = 0; tick < WAIT_SECONDS * 200; tick++) {
        text_of(owner, sql, phase, sizeof phase);
        if (!phase[0])
            return;
        if (tick % 100 == 0) /* as the relay takes records of use away, linked under the service's own key */
            tamper("DELETE FROM vault.audit_outbox");
        if (strcmp(phase, last) != 0) {
            snprintf(last, sizeof last, "%s", phase);
            if (kills) {
                struct replica *victim = &replicas[killed++ % 2];
                replica_end(victim, SIGKILL, false);
                replica_start(victim);
            }
        }
        for (int i = 0; i < 2; i++)
            ck_assert_msg(!replicas[i].pid || waitpid(replicas[i].pid, NULL, WNOHANG) == 0, "a replica ended");
        pause_ms(5);
    }
    ck_abort_msg("not done: %s", last);
}

static char pseudonyms[PERSONS + PERSONS_MORE][PSEUDONYM_LENGTH + 1];

static unsigned pseudonyms_read(const char *path)
{
    char line[128], pseudonym[32];
    unsigned index, lines = 0;
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "%u %31s", &index, pseudonym) != 2 || strlen(pseudonym) != PSEUDONYM_LENGTH)
            continue; /* cut off by a kill */
        ck_assert_uint_lt(index, PERSONS + PERSONS_MORE);
        if (pseudonyms[index][0])
            ck_assert_msg(strcmp(pseudonyms[index], pseudonym) == 0, "person %u has two pseudonyms", index);
        snprintf(pseudonyms[index], sizeof pseudonyms[index], "%s", pseudonym);
        lines++;
    }
    fclose(in);
    return lines;
}

static PGconn *owner;

static void rotation_set_up(void)
{
    setenv("SHIKAKU_KEY_LEASE_MS", LEASE_MS, 1);
    setenv("SHIKAKU_KEY_OVERLAP_S", "2", 1);
    own_token = true;
    set_up();
    owner = PQconnectdb(store.owner);
    memset(pseudonyms, 0, sizeof pseudonyms);
    PQclear(PQexec(owner, "SET row_security = off"));
    for (unsigned i = 0; i < PERSONS; i++) {
        struct kit_person person;
        kit_person_make(&person, SEED, i);
        struct enrolled enrolled = enrol_paper(person.number, "tokyo");
        memcpy(pseudonyms[i], enrolled.pseudonym, sizeof pseudonyms[i]);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(replicas[i].path, sizeof replicas[i].path, "/tmp/shikaku-replica-%d-%d", (int)getpid(), i);
        unlink(replicas[i].path);
    }
}

static void rotation_tear_down(void)
{
    PQfinish(owner);
    for (int i = 0; i < 2; i++)
        unlink(replicas[i].path);
    tear_down();
}

static void ring_renew(void)
{
    struct fault fault = {0};
    struct pg *pg;
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_reload(pg, &fault), "%s", fault.field);
    pg_close(pg);
}

static long old_rows(uint32_t key)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "SELECT (SELECT count(*) FROM vault.tie WHERE manager = 'tokyo' AND substring(number FROM 1 FOR 4) = "
        "'\\x%08x') + (SELECT count(*) FROM vault.tie WHERE manager = 'tokyo' AND (index_key = %u OR next_token IS NOT "
        "NULL))",
        key, key);
    tamper("ALTER TABLE vault.tie NO FORCE ROW LEVEL SECURITY");
    long rows = number_of(owner, sql);
    tamper("ALTER TABLE vault.tie FORCE ROW LEVEL SECURITY");
    return rows;
}

static void all_are_who_they_were(void)
{
    unsigned persons = 0;
    for (unsigned i = 0; i < PERSONS + PERSONS_MORE; i++) {
        struct kit_person person;
        if (!pseudonyms[i][0])
            continue;
        kit_person_make(&person, SEED, i);
        struct enrolled again = enrol_paper(person.number, "tokyo");
        ck_assert(again.known);
        ck_assert_str_eq(again.pseudonym, pseudonyms[i]);
        persons++;
    }
    /* One whose enrolment was under way when its replica was killed may be tied and not told. */
    ck_assert_int_ge(ties("tokyo"), (int)persons);
    ck_assert_int_le(ties("tokyo"), (int)persons + 32);
}

/* NUM-8, STORE-1 */
START_TEST(keys_are_replaced_while_replicas_work_and_die)
{
    uint32_t data = keyring_newest("tokyo", KEY_DATA)->id, index = keyring_newest("tokyo", KEY_INDEX)->id,
             own = keyring_newest("*", KEY_DATA)->id;
    for (int i = 0; i < 2; i++)
        replica_start(&replicas[i]);
    rotation_ask(owner, "data", "tokyo");
    rotation_ask(owner, "index", "tokyo");
    rotation_ask(owner, "data", "*");
    rotation_ask(owner, "wrap", "tokyo");
    rotation_await(owner, true);
    replicas_have_no_failure();
    for (int i = 0; i < 2; i++)
        replica_end(&replicas[i], SIGTERM, true);
    ck_assert_uint_gt(pseudonyms_read(replicas[0].path), PERSONS);
    ck_assert_uint_gt(pseudonyms_read(replicas[1].path), PERSONS);

    ck_assert_int_eq(old_rows(data), 0);
    ck_assert_int_eq(old_rows(index), 0);
    ck_assert_int_eq(
        number_of(owner, "SELECT count(*) FROM vault.data_key WHERE state = 'retired' AND wrapped = ''"), 3);
    ck_assert_int_eq(
        number_of(owner, "SELECT count(*) FROM vault.data_key WHERE state NOT IN ('retired', 'in_force')"), 0);
    ring_renew();
    ck_assert(!keyring_by_id(data) && !keyring_by_id(index) && !keyring_by_id(own));
    all_are_who_they_were();
}
END_TEST

/* NUM-8: a row under a retired key is refused, and so is its wrapped form where a backup brings it back */
START_TEST(what_a_retired_key_opens_is_refused)
{
    uint32_t data = keyring_newest("tokyo", KEY_DATA)->id;
    char *pseudonym = pseudonyms[0], key[16];
    tamper("CREATE TABLE vault.backup AS SELECT * FROM vault.data_key");
    tamper("ALTER TABLE vault.tie NO FORCE ROW LEVEL SECURITY");
    tamper("CREATE TABLE vault.backup_tie AS SELECT * FROM vault.tie");
    replica_start(&replicas[0]);
    rotation_ask(owner, "data", "tokyo");
    rotation_ask(owner, "wrap", "tokyo");
    rotation_await(owner, false);
    replica_end(&replicas[0], SIGTERM, true);
    tamper(
        "UPDATE vault.tie t SET number = b.number FROM vault.backup_tie b WHERE b.manager = t.manager AND b.token = "
        "t.token");
    tamper("ALTER TABLE vault.tie FORCE ROW LEVEL SECURITY");
    ring_renew();
    ck_assert(!person_release(work, stderr, pseudonym));
    ck_assert_str_eq(fault_code_text(work->fault.code), "key_retired");

    /* A replica that was out of touch cannot know that it is retired: who asks is to ask again. */
    key_guard_watch(1);
    pause_ms(5);
    ck_assert_int_eq(release_try(work, pseudonym), OUTCOME_RETRY);
    ck_assert_str_eq(fault_code_text(work->fault.code), "unavailable");
    key_guard_watch(0);

    /* With the wrapping key the copy of the wrapped form is worth nothing any more. */
    struct fault fault = {0};
    struct pg *pg;
    snprintf(key, sizeof key, "%u", data);
    tamper(
        "UPDATE vault.data_key k SET wrapped = b.wrapped, state = 'leaving' FROM vault.backup b WHERE b.key_id = "
        "k.key_id AND k.state = 'retired'");
    keyring_close();
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert(!keyring_open("vault", pg, NULL, 0, &fault));
    pg_close(pg);
}
END_TEST

/* NUM-8: while the sealing key is replaced two are accepted; the newest is published; later the old one is refused */
START_TEST(a_sealing_key_is_accepted_beside_its_successor_and_then_refused)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    ProtobufCMessage *reply;
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    uint32_t seal = keyring_newest("*", KEY_SEAL)->id;
    kit_person_make(&person, SEED, 1);
    enrolment_by_paper(&e, person.number, "tokyo");
    replica_start(&replicas[0]);
    rotation_ask(owner, "seal", "*");
    for (int tick = 0; tick < WAIT_SECONDS * 50; tick++) {
        if (number_of(owner, "SELECT count(*) FROM vault.rotation WHERE phase = 'overlap'"))
            break;
        pause_ms(20);
    }
    ring_renew();
    ck_assert_uint_ne(keyring_newest("*", KEY_SEAL)->id, seal);
    ck_assert_int_eq(enrol(work, e.application, &e, &enrolled), OUTCOME_DONE);
    ck_assert_int_eq(deliver(work, ROUTE_vault_keys, "portal", "", &keys.base, &reply), OUTCOME_DONE);
    char *kid = arena_format(work->arena, "\"vault-%u\"", keyring_newest("*", KEY_SEAL)->id);
    ck_assert_ptr_nonnull(strstr(((Vault__KeysReply *)reply)->jwks, kid));
    rotation_await(owner, false);
    replica_end(&replicas[0], SIGTERM, true);
    ring_renew();
    uuid_make(e.application);
    expect_fault(enrol(work, e.application, &e, &enrolled), FAULT_key_retired, "sealed_number");
    free(e.sealed);
}
END_TEST

static const char *replica_path;

START_TEST(replica)
{
    ck_assert_int_eq(replica_run(replica_path), 0);
}
END_TEST

/* What the assertions of vault.h need around them. */
static int replica_main(const char *path)
{
    Suite *suite = suite_create("replica");
    TCase *tests = tcase_create("replica");
    replica_path = path;
    tcase_add_test(tests, replica);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_SILENT);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "replica") == 0)
        return replica_main(argv[2]);
    if (!kit_authorities_make("build/kit") || !realpath(argv[0], program))
        return 1;
    Suite *suite = suite_create("vault_rotation");
    TCase *tests = tcase_create("rotation");
    tcase_set_timeout(tests, 150);
    tcase_add_checked_fixture(tests, rotation_set_up, rotation_tear_down);
    tcase_add_test(tests, keys_are_replaced_while_replicas_work_and_die);
    tcase_add_test(tests, what_a_retired_key_opens_is_refused);
    tcase_add_test(tests, a_sealing_key_is_accepted_beside_its_successor_and_then_refused);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
