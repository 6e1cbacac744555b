/* The walls around the numbers: who can reach the vault's tables, whether rows of two managers share anything, what a
 * copy of the database's log shows, and what the running process lets others have. */
#include <arpa/inet.h>
#include <dirent.h>
#include <openssl/rand.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "audit.pb-c.h"
#include "store/vault.h"

extern char **environ;

static PGconn *owner_open(void)
{
    PGconn *owner = PQconnectdb(store.owner);
    ck_assert_int_eq(PQstatus(owner), CONNECTION_OK);
    return owner;
}

/* What the query finds, as one text; "" if nothing. */
static void finds(PGconn *by, const char *sql, const char *wanted)
{
    PGresult *rows = PQexec(by, sql);
    ck_assert_msg(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQerrorMessage(by));
    const char *found = PQntuples(rows) ? PQgetvalue(rows, 0, 0) : "";
    ck_assert_msg(strcmp(found, wanted) == 0, "%s, not %s", found, wanted);
    PQclear(rows);
}

/* --- in the database ---------------------------------------------------------------------------------------------- */

/* Every role but the vault's, the migrating owner and the cluster's own. PostgreSQL's pg_… are groups that nobody may
 * be in. */
#define OTHER_ROLES                                                                                                    \
    "FROM pg_catalog.pg_roles r WHERE NOT r.rolsuper AND r.rolname NOT IN ('shikaku_vault', 'shikaku_owner') "         \
    "AND r.rolname NOT LIKE 'pg\\_%'"

/* NUM-1, NUM-2: of all roles none but the vault's has any right to anything in its schema, nor is in a group that has
 */
START_TEST(no_role_but_the_vaults_reaches_in)
{
    PGconn *owner = owner_open();
    finds(owner, "SELECT (count(*) >= 8)::text " OTHER_ROLES " AND r.rolname LIKE 'shikaku\\_%'", "true");
    finds(owner,
        "SELECT string_agg(r.rolname || ' ' || c.relname, ', ') FROM pg_catalog.pg_class c, LATERAL (SELECT "
        "r.rolname, r.oid " OTHER_ROLES
        ") r WHERE c.relnamespace = 'vault'::regnamespace AND c.relkind IN ('r', 'p', "
        "'v', 'm') AND (has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, "
        "TRIGGER') OR has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))",
        "");
    finds(owner,
        "SELECT string_agg(r.rolname, ', ') " OTHER_ROLES " AND has_schema_privilege(r.oid, 'vault', 'USAGE, CREATE')",
        "");
    finds(owner,
        "SELECT string_agg(m.member::regrole || ' in ' || m.roleid::regrole, ', ') FROM pg_catalog.pg_auth_members m "
        "JOIN pg_catalog.pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'shikaku\\_%' AND "
        "(m.roleid::regrole::text "
        "LIKE 'pg\\_%' OR m.roleid::regrole::text IN ('shikaku_vault', 'shikaku_owner'))",
        "");
    finds(owner,
        "SELECT (has_table_privilege('shikaku_vault', 'vault.tie', 'SELECT') AND NOT r.rolbypassrls)::text FROM "
        "pg_catalog.pg_roles r WHERE r.rolname = 'shikaku_vault'",
        "true"); /* the question can be answered otherwise */
    PQfinish(owner);
}
END_TEST

/* Every value of every column of every table of the schema, for the rows of one manager. */
static void values_gather(PGconn *owner, const char *manager)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
        "DO $$ DECLARE t text; BEGIN PERFORM set_config('shikaku.manager', '%s', false); FOR t IN SELECT relname FROM "
        "pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'r' AND relrowsecurity LOOP EXECUTE format("
        "'INSERT INTO gathered SELECT %%L, %%L, j.key, j.value FROM vault.%%I x, jsonb_each_text(to_jsonb(x)) "
        "j WHERE j.value IS NOT NULL', '%s', t, t); END LOOP; END $$",
        manager, manager);
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(owner));
    PQclear(result);
}

static void gateway_id_make(const char *manager, const char *pseudonym)
{
    Vault__GatewayIdRequest request = VAULT__GATEWAY_ID_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.application = APPLICATION;
    ck_assert_int_eq(deliver(work, ROUTE_vault_gateway_id, "intake", pseudonym, &request.base, &reply), OUTCOME_DONE);
}

/* NUM-1, NUM-2: of one person at two managers, at the roll and at the gateway, no two rows have any value in common but
 * the day and, within one manager, its name */
START_TEST(no_value_joins_two_rows_of_a_person)
{
    static const char *const managers[] = {"tokyo", "mlit"};
    struct kit_person person;
    PGconn *owner = owner_open();
    kit_person_make(&person, SEED, 1);
    PGresult *made = PQexec(owner, "CREATE TEMPORARY TABLE gathered (manager text, of text, key text, value text)");
    ck_assert_msg(PQresultStatus(made) == PGRES_COMMAND_OK, "%s", PQerrorMessage(owner));
    PQclear(made);
    for (int i = 0; i < 2; i++) {
        struct enrolled enrolled = enrol_card(&person, managers[i]);
        gateway_id_make(managers[i], enrolled.pseudonym);
        values_gather(owner, managers[i]);
    }
    finds(owner, "SELECT count(DISTINCT (manager, of))::text FROM gathered", "4");
    finds(owner, "SELECT (count(*) >= 20)::text FROM gathered", "true");
    finds(owner,
        "SELECT string_agg(a.of || '.' || a.key || ' = ' || b.of || '.' || b.key, ', ') FROM gathered a JOIN "
        "gathered b ON a.value = b.value AND (a.manager, a.of) < (b.manager, b.of) WHERE NOT (a.key = "
        "'tied_on' AND b.key = 'tied_on') AND NOT (a.manager = b.manager AND a.key = 'manager' AND b.key = 'manager')",
        "");
    PQfinish(owner);
}
END_TEST

static bool file_has(const char *path, const void *wanted, size_t len)
{
    struct stat about;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fstat(fileno(file), &about), 0);
    char *bytes = malloc((size_t)about.st_size + 1);
    ck_assert_ptr_nonnull(bytes);
    size_t read = fread(bytes, 1, (size_t)about.st_size, file);
    bool has = memmem(bytes, read, wanted, len) != NULL;
    free(bytes);
    fclose(file);
    return has;
}

/* In the segments of the write-ahead log that were written since. */
static bool log_has(time_t since, const void *wanted, size_t len)
{
    char folder[512], path[1024];
    struct stat about;
    bool has = false;
    snprintf(folder, sizeof folder, "%s/pg/pg_wal", getenv("SHIKAKU_VAR"));
    DIR *segments = opendir(folder);
    ck_assert_msg(segments != NULL, "%s", folder);
    for (struct dirent *entry; !has && (entry = readdir(segments));) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_mtime >= since - 1)
            has = file_has(path, wanted, len);
    }
    closedir(segments);
    return has;
}

/* NUM-8: a copy of the log, from which every row and every backup can be made, shows no number in text, bytes or hex;
 * the pseudonym, which lies open, is found there, so the look is at the right place */
START_TEST(no_number_is_in_the_databases_log)
{
    struct kit_person person;
    uint32_t index;
    uint8_t digits[12], packed[6];
    char hex[25];
    time_t since = time(NULL);
    ck_assert_int_eq(RAND_bytes((uint8_t *)&index, sizeof index), 1); /* others' numbers are in the log, too */
    kit_person_make(&person, SEED, index);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    gateway_id_make("tokyo", enrolled.pseudonym);
    for (int i = 0; i < 12; i++)
        digits[i] = (uint8_t)(person.number[i] - '0');
    for (int i = 0; i < 6; i++)
        packed[i] = (uint8_t)(digits[2 * i] << 4 | digits[2 * i + 1]);
    hex_put(hex, person.number, 12);
    ck_assert(log_has(since, enrolled.pseudonym, strlen(enrolled.pseudonym)));
    ck_assert(!log_has(since, person.number, 12));
    ck_assert(!log_has(since, hex, 24));
    ck_assert(!log_has(since, digits, 12));
    ck_assert(!log_has(since, packed, 6));
    ck_assert(!log_has(since, person.person.name, strlen(person.person.name)));
}
END_TEST

/* The newest record of use. */
static Audit__Event *event_newest(void)
{
    struct fault fault = {0};
    pg_begin(work->pg, "");
    PGresult *rows =
        pg_query(work->pg, "SELECT event FROM vault.audit_outbox ORDER BY sequence DESC LIMIT 1", &fault, PG_NONE);
    ck_assert_ptr_nonnull(rows);
    struct bytes packed = pg_get_bytes(rows, 0, 0);
    Audit__Event *event = audit__event__unpack(NULL, packed.len, packed.data);
    ck_assert_ptr_nonnull(event);
    PQclear(rows);
    pg_rollback(work->pg);
    return event;
}

/* LOG-1: who, what, whose, at which manager, why; and of a refusal at which manager, by whom, for which application */
START_TEST(records_of_use_are_whole)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    kit_person_make(&person, SEED, 1);
    enrolment_by_card(&e, &person, "tokyo");
    ck_assert_int_eq(enrol(work, "one", &e, &enrolled), OUTCOME_DONE);
    Audit__Event *event = event_newest();
    ck_assert_str_eq(event->service, "vault");
    ck_assert_str_eq(event->who, "intake");
    ck_assert_str_eq(event->act, "vault_enrol");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->subject, enrolled.pseudonym);
    ck_assert_str_eq(event->reason, e.application);
    ck_assert_str_eq(event->outcome, "done");
    ck_assert(llabs(event->at_ms - clock_ms()) < 60000);
    audit__event__free_unpacked(event, NULL);
    e.signer_bytes[0] ^= 1;
    expect_fault(enrol(work, "two", &e, &enrolled), FAULT_number_binding, "signer");
    event = event_newest();
    ck_assert_str_eq(event->who, "intake");
    ck_assert_str_eq(event->act, "vault_enrol");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->reason, APPLICATION);
    ck_assert_str_eq(event->outcome, "number_binding");
    audit__event__free_unpacked(event, NULL);
    free(e.sealed);
}
END_TEST

/* LOG-1, LOG-3: a release that was refused says by whom, at which manager */
START_TEST(a_refused_release_is_recorded)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    char *pseudonyms[] = {enrolled.pseudonym};
    request.manager = "tokyo";
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = 1;
    expect_fault(deliver(work, ROUTE_vault_release, "legacy_sync", "key", &request.base, &reply),
        FAULT_recipient_not_entitled, "recipient");
    Audit__Event *event = event_newest();
    ck_assert_str_eq(event->who, "legacy_sync");
    ck_assert_str_eq(event->act, "vault_release");
    ck_assert_str_eq(event->manager, "tokyo");
    ck_assert_str_eq(event->outcome, "recipient_not_entitled");
    audit__event__free_unpacked(event, NULL);
}
END_TEST

/* --- the process ---------------------------------------------------------------------------------------------------
 */

static int dumpable_at_preparation = -1;
static struct rlimit core_at_preparation = {1, 1};

/* Runs when keys are open and before any message is. */
static bool probe(struct fault *fault)
{
    dumpable_at_preparation = prctl(PR_GET_DUMPABLE);
    getrlimit(RLIMIT_CORE, &core_at_preparation);
    return fault_set(fault, FAULT_unavailable, "probe"); /* and no further */
}

static int port_free(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int admin_port;

static void process_set_up(void)
{
    char text[32];
    store_open(&store, "vault");
    keys_folder_make();
    setenv("SHIKAKU_BUS", keys_folder, 1);
    setenv("SHIKAKU_DSN", store.dsn, 1);
    admin_port = port_free();
    snprintf(text, sizeof text, "%d", admin_port);
    setenv("SHIKAKU_ADMIN_PORT", text, 1);
}

static void process_tear_down(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/vault.bus", keys_folder);
    unlink(path); /* of the one that died */
    keys_folder_remove();
    store_close(&store);
}

/* Pitfall 13: before the first message no core can be written and nobody can read the memory */
START_TEST(nothing_can_be_dumped)
{
    char *argv[] = {"shikaku-vault", NULL};
    const struct service probed = {.name = "vault",
        .schema_version = 3,
        .settings = vault_settings,
        .setting_count = VAULT_SETTINGS,
        .keys = vault_keys_wanted,
        .prepare = probe};
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
    ck_assert_int_eq(service_run(&probed, 1, argv), 1);
    ck_assert_int_eq(dumpable_at_preparation, 0);
    ck_assert_uint_eq(core_at_preparation.rlim_cur, 0);
    ck_assert_uint_eq(core_at_preparation.rlim_max, 0);
}
END_TEST

static bool admin_says(const char *path, const char *wanted)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)admin_port)};
    char text[256] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(fd, "GET %s HTTP/1.0\r\n\r\n", path);
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
    }
    close(fd);
    return strstr(text, wanted) != NULL;
}

static pid_t vault_start(void)
{
    char program[512];
    char *argv[] = {program, NULL};
    pid_t pid;
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    ck_assert_msg(posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0, "%s is not built", program);
    bool ready = false;
    for (int i = 0; i < 600 && !ready; i++) {
        ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0, "the vault ended at its start");
        ready = admin_says("/readyz", " 200 ");
        if (!ready)
            nanosleep(&(struct timespec){0, 50 * 1000000L}, NULL);
    }
    ck_assert(ready);
    return pid;
}

/* The line of /proc/PID/FILE that begins so; the caller's. */
static char *proc_line(pid_t pid, const char *file, const char *begins)
{
    char path[64], line[512], *found = NULL;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    while (!found && fgets(line, sizeof line, in))
        if (strncmp(line, begins, strlen(begins)) == 0)
            found = strdup(line);
    fclose(in);
    ck_assert_msg(found != NULL, "%s has no %s", path, begins);
    return found;
}

static bool holds_socket(pid_t pid, unsigned long inode)
{
    char folder[64], path[128], target[64], wanted[64];
    bool holds = false;
    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *descriptors = opendir(folder);
    ck_assert_ptr_nonnull(descriptors);
    for (struct dirent *entry; !holds && (entry = readdir(descriptors));) {
        snprintf(path, sizeof path, "%s/%.32s", folder, entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        holds = strcmp(target, wanted) == 0;
    }
    closedir(descriptors);
    return holds;
}

/* Listening TCP sockets of the process; how many of them not on 127.0.0.1 in *open. */
static int listens(pid_t pid, const char *table, int *open)
{
    char path[64], line[512], local[64], state[8];
    unsigned long inode;
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/net/%s", (int)pid, table);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%*s %63s %*s %7s %*s %*s %*s %*s %*s %lu", local, state, &inode) != 3 ||
            strcmp(state, "0A") != 0 || !holds_socket(pid, inode))
            continue;
        count++;
        *open += strncmp(local, "0100007F:", 9) != 0;
    }
    if (in)
        fclose(in);
    return count;
}

/* NUM-7, pitfall 13: the program itself: no core, keys in locked memory, not reached from any network, and it stops
 * when told; one that dies leaves no core */
START_TEST(the_program_keeps_to_itself)
{
    int status, open = 0;
    long locked = 0;
    char limit[2][32];
    pid_t pid = vault_start();
    char *line = proc_line(pid, "limits", "Max core file size");
    ck_assert_int_eq(sscanf(line, "Max core file size %31s %31s", limit[0], limit[1]), 2);
    ck_assert_str_eq(limit[0], "0");
    ck_assert_str_eq(limit[1], "0");
    free(line);
    line = proc_line(pid, "status", "VmLck:");
    ck_assert_int_eq(sscanf(line, "VmLck: %ld kB", &locked), 1);
    ck_assert_int_ge(locked, 64);
    free(line);
    ck_assert_int_eq(listens(pid, "tcp", &open), 1); /* the admin port */
    ck_assert_int_eq(listens(pid, "tcp6", &open), 0);
    ck_assert_int_eq(open, 0);
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pid = vault_start();
    ck_assert_int_eq(kill(pid, SIGABRT), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && !WCOREDUMP(status));
}
END_TEST

/* Every thread of the process has this line in its status. */
static void threads_say(pid_t pid, const char *name, const char *wanted)
{
    char folder[64], file[320];
    int threads = 0;
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(folder);
    ck_assert_ptr_nonnull(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "task/%.32s/status", entry->d_name);
        char *line = proc_line(pid, file, name);
        ck_assert_msg(strcmp(line, wanted) == 0, "%s", line);
        free(line);
        threads++;
    }
    closedir(tasks);
    ck_assert_int_ge(threads, 4);
}

/* NUM-2, NUM-7: once it has started no thread can ask the kernel for more than its work needs, nor win rights back; a
 * vault told to go without does, and one told nonsense does not start */
START_TEST(the_program_is_confined)
{
    int status;
    char program[512];
    char *argv[] = {program, NULL};
    pid_t pid = vault_start();
#ifdef __SANITIZE_ADDRESS__
    threads_say(pid, "Seccomp:", "Seccomp:\t0\n"); /* see sandbox.c; `tests/run --release` proves the filter */
#else
    threads_say(pid, "Seccomp:", "Seccomp:\t2\n");
    threads_say(pid, "NoNewPrivs:", "NoNewPrivs:\t1\n");
#endif
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    setenv("SHIKAKU_VAULT_SANDBOX", "off", 1);
    pid = vault_start();
    threads_say(pid, "Seccomp:", "Seccomp:\t0\n");
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    setenv("SHIKAKU_VAULT_SANDBOX", "perhaps", 1);
    snprintf(program, sizeof program, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    ck_assert_int_eq(posix_spawn(&pid, program, NULL, NULL, argv, environ), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    unsetenv("SHIKAKU_VAULT_SANDBOX");
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_walls");
    TCase *tests = tcase_create("database");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, no_role_but_the_vaults_reaches_in);
    tcase_add_test(tests, no_value_joins_two_rows_of_a_person);
    tcase_add_test(tests, no_number_is_in_the_databases_log);
    tcase_add_test(tests, records_of_use_are_whole);
    tcase_add_test(tests, a_refused_release_is_recorded);
    suite_add_tcase(suite, tests);
    tests = tcase_create("process");
    tcase_set_timeout(tests, 90);
    tcase_add_checked_fixture(tests, process_set_up, process_tear_down);
    tcase_add_test(tests, nothing_can_be_dumped);
    tcase_add_test(tests, the_program_keeps_to_itself);
    tcase_add_test(tests, the_program_is_confined);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
