/* Starting and stopping, as an operator meets it: services start in any order and wait for what they need; told to
 * stop, they finish what is on its way; a wrong setting is named; the admin port tells how they are; the logs are lines
 * of JSON that hold nothing of a person. */
#include "kit/journey.h"
#include "kit/journey_refusals.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"

#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 10000
#define READY_MS 90000
#define TRAVEL_MS 90000
#define LOOK_MS 20

extern char **environ;

/* In the order of the flow. */
static const char *const services[] = {"portal", "intake", "vault", "residence", "intermediate", "records",
    "certificates", "legacy_sync", "staff", "audit"};
#define SERVICES ((int)(sizeof services / sizeof *services))

static struct journey journey;

static void setup(void)
{
    ck_assert(journey_open(&journey, NULL));
}

static void teardown(void)
{
    journey_close(&journey);
}

/* --- a service as this program's own child -------------------------------------------------------------------------
 */

struct child {
    pid_t pid;
    char log[PATH_MAX];
};

static void shell_start(struct child *child, const char *command)
{
    const char *const words[] = {"bash", "-c", command, NULL};
    static int children;
    posix_spawn_file_actions_t actions;
    snprintf(child->log, sizeof child->log, "%s/child-%ld-%d", getenv("SHIKAKU_RUN"), (long)getpid(), children++);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, child->log, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND, 0600);
    ck_assert_int_eq(posix_spawnp(&child->pid, words[0], &actions, NULL, (char *const *)words, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

/* `change` is shell text between the service's environment and its start. */
static void service_start(struct child *child, const char *service, const char *change)
{
    char command[1024];
    snprintf(command, sizeof command,
        "ulimit -l unlimited 2>/dev/null; eval \"$(deploy/stack env %s)\"; %s\nexec \"$SHIKAKU_BIN/shikaku-%s\"",
        service, change, service);
    shell_start(child, command);
}

/* Its exit status; -1 if it did not end in time or was killed. */
static int child_wait(const struct child *child, int ms)
{
    int status;
    for (int64_t deadline = journey_clock_ms() + ms; journey_clock_ms() < deadline; wire_pause(LOOK_MS))
        if (waitpid(child->pid, &status, WNOHANG) == child->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return -1;
}

/* The whole of a file, with a NUL behind; the caller's. */
static char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    *size = 0;
    while (file && !feof(file) && (text = realloc(text, *size + 65537)))
        *size += fread(text + *size, 1, 65536, file);
    ck_assert_msg(file && text, "%s cannot be read", path);
    fclose(file);
    text[*size] = '\0';
    return text;
}

static bool file_says(const char *path, size_t from, const char *what)
{
    size_t size;
    char *text = file_read(path, &size);
    bool says = from <= size && strstr(text + from, what) != NULL;
    free(text);
    return says;
}

static bool log_says(const struct child *child, const char *what)
{
    return file_says(child->log, 0, what);
}

static void await_file(const char *path, size_t from, const char *what)
{
    int64_t deadline = journey_clock_ms() + READY_MS;
    while (!file_says(path, from, what)) {
        ck_assert_msg(journey_clock_ms() < deadline, "%s never says %s", path, what);
        wire_pause(LOOK_MS);
    }
}

static void await_log(const struct child *child, const char *what)
{
    await_file(child->log, 0, what);
}

static void stack_log(const char *service, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s.log", getenv("SHIKAKU_LOG"), service);
}

static void admin_get(const char *service, const char *page, struct journey_answer *answer)
{
    char command[200], url[200];
    int port = 0;
    snprintf(command, sizeof command, "deploy/stack env %s", service);
    FILE *lines = popen(command, "r");
    ck_assert_ptr_nonnull(lines);
    for (char line[4096]; fgets(line, sizeof line, lines);)
        (void)!sscanf(line, "declare -x SHIKAKU_ADMIN_PORT=\"%d", &port);
    pclose(lines);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, page);
    unsigned patience = journey.patience_ms;
    journey.patience_ms = 0;
    journey_outside(&journey, "", "GET", url, NULL, answer);
    journey.patience_ms = patience;
}

static void check_travels(const char *programme)
{
    struct journey_trip trip;
    struct journey_plan plan = {.programme = programme, .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    ck_assert_msg(trip_travel(&trip, &journey, strcmp(programme, "kaigishi") == 0 ? "stamps" : "online", TRAVEL_MS),
        "%s stands in %s: %d %s", programme, trip.state, trip.answer.status, trip.answer.body ? trip.answer.body : "");
    trip_fini(&trip);
}

/* --- starting ------------------------------------------------------------------------------------------------------
 */

/* Started from the front inwards, with no database and no outside system there; then those. */
START_TEST(services_start_in_any_order)
{
    static struct child children[SERVICES];
    static const char *const later[] = {"postgres", "double-juki", "double-ipn", "double-moj", "double-payment",
        "double-mynaportal", "double-jpki", "double-kaigi", "double-hoikushi", "double-ginou", "haproxy"};
    char command[100], log[PATH_MAX];
    size_t size;
    ck_assert(stack_do("stop", NULL));
    for (int i = 0; i < SERVICES; i++) {
        stack_log(services[i], log);
        free(file_read(log, &size));
        snprintf(command, sizeof command, "exec deploy/stack start %s", services[i]);
        shell_start(&children[i], command);
        if (i > 0) /* all but portal, which has no database */
            await_file(log, size, "\"waiting_for_database\"");
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        ck_assert(stack_do("start", later[i]));
    for (int i = 0; i < SERVICES; i++)
        ck_assert_msg(child_wait(&children[i], READY_MS) == 0, "%s did not become ready", services[i]);
    setup();
    check_travels("chorishi");
    teardown();
}
END_TEST

static int page_status(const char *service, const char *page)
{
    struct journey_answer answer = {0};
    admin_get(service, page, &answer);
    int status = answer.status;
    journey_answer_fini(&answer);
    return status;
}

static void await_status(const char *service, const char *page, int status)
{
    for (int64_t until = journey_clock_ms() + READY_MS; page_status(service, page) != status; wire_pause(LOOK_MS))
        ck_assert_msg(journey_clock_ms() < until, "%s%s does not become %d", service, page, status);
}

/* While it waits for the database a service lives, is not ready, and stops when it is told to. */
START_TEST(a_waiting_service_stops)
{
    struct child child;
    ck_assert(stack_do("stop", "intake"));
    service_start(&child, "intake", "export SHIKAKU_DSN='host=/nonexistent connect_timeout=1'");
    await_log(&child, "\"waiting_for_database\"");
    await_status("intake", "/healthz", 200);
    ck_assert_int_eq(page_status("intake", "/readyz"), 503);
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    ck_assert_int_eq(child_wait(&child, STOP_MS), 0);
    ck_assert(log_says(&child, "\"stopped\""));
    ck_assert(stack_do("start", "intake"));
}
END_TEST

/* --- the admin port ------------------------------------------------------------------------------------------------
 */

static void check_page(const char *service, const char *page, const char *text)
{
    struct journey_answer answer = {0};
    admin_get(service, page, &answer);
    ck_assert_msg(answer.status == 200, "%s%s: %d", service, page, answer.status);
    ck_assert_str_eq(answer.body, text);
    journey_answer_fini(&answer);
}

START_TEST(each_service_tells_how_it_is)
{
    struct journey_answer answer = {0};
    const char *service = services[_i];
    check_page(service, "/healthz", "ok\n");
    check_page(service, "/readyz", "ready\n");
    admin_get(service, "/metrics", &answer);
    ck_assert_int_eq(answer.status, 200);
    FILE *tool = popen("promtool check metrics >&2", "w");
    ck_assert_ptr_nonnull(tool);
    ck_assert_uint_eq(fwrite(answer.body, 1, answer.size, tool), answer.size);
    ck_assert_msg(pclose(tool) == 0, "promtool does not take /metrics of %s", service);
    admin_get(service, "/nothing", &answer);
    ck_assert_int_eq(answer.status, 404);
    journey_answer_fini(&answer);
}
END_TEST

/* A database that is lost is no reason to be killed, but one to be given no work. */
START_TEST(readiness_follows_the_database)
{
    ck_assert(stack_do("stop", "postgres"));
    for (int i = 0; i < SERVICES; i++)
        if (strcmp(services[i], "portal") != 0) {
            await_status(services[i], "/readyz", 503);
            ck_assert_int_eq(page_status(services[i], "/healthz"), 200);
        }
    ck_assert(stack_do("start", "postgres"));
    for (int i = 0; i < SERVICES; i++)
        await_status(services[i], "/readyz", 200);
}
END_TEST

/* --- stopping ------------------------------------------------------------------------------------------------------
 */

/* A service in the stack's place, as a child whose end can be seen; afterwards the stack's own again. */
static void child_take_over(struct child *child, const char *service)
{
    ck_assert(stack_do("stop", service));
    service_start(child, service, ":");
    await_log(child, "\"ready\"");
}

static void child_stop(struct child *child, const char *service)
{
    ck_assert_int_eq(kill(child->pid, SIGTERM), 0);
    int status = child_wait(child, STOP_MS);
    ck_assert_msg(status == 0, "%s ended with %d", service, status);
    ck_assert(log_says(child, "\"stopping\""));
    ck_assert(log_says(child, "\"stopped\""));
}

START_TEST(each_service_stops_cleanly)
{
    struct child child;
    child_take_over(&child, services[_i]);
    check_page(services[_i], "/readyz", "ready\n");
    child_stop(&child, services[_i]);
    ck_assert(stack_do("start", services[_i]));
}
END_TEST

static PGconn *superuser_connect(void)
{
    char dsn[PATH_MAX + 128];
    snprintf(dsn, sizeof dsn, "host=%s/pg port=5432 dbname=shikaku user=postgres passfile=%s/postgres/db-password",
        getenv("SHIKAKU_RUN"), getenv("SHIKAKU_KEYS"));
    PGconn *conn = PQconnectdb(dsn);
    ck_assert_int_eq(PQstatus(conn), CONNECTION_OK);
    return conn;
}

static void run_sql(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(conn));
    PQclear(result);
}

static void *submit_once(void *argument)
{
    struct journey_trip *trip = argument;
    (void)trip_submit(trip, &journey);
    return NULL;
}

/* What was on its way when the service was told to stop is answered, and what was answered is kept. The database holds
 * the request up until the service is seen stopping. */
START_TEST(a_request_on_its_way_is_answered)
{
    static const char *const held[] = {"intake", "portal"};
    static const char waiting[] =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
        "usename = 'shikaku_intake' AND query LIKE '%INSERT INTO intake.application %'";
    struct child child;
    struct journey_trip trip;
    pthread_t applicant;
    char sql[160];
    struct journey_plan plan = {.programme = "chorishi", .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    child_take_over(&child, held[_i]);
    PGconn *conn = superuser_connect();
    run_sql(conn, "BEGIN");
    run_sql(conn, "LOCK TABLE intake.application IN SHARE MODE");
    journey.patience_ms = 0; /* one try: it must succeed */
    ck_assert_int_eq(pthread_create(&applicant, NULL, submit_once, &trip), 0);
    int64_t deadline = journey_clock_ms() + READY_MS;
    while (stack_count(waiting) != 1) {
        ck_assert_msg(journey_clock_ms() < deadline, "the application never came to the database");
        wire_pause(LOOK_MS);
    }
    ck_assert_int_eq(kill(child.pid, SIGTERM), 0);
    await_log(&child, "\"stopping\"");
    ck_assert(!log_says(&child, "\"stopped\""));
    run_sql(conn, "COMMIT");
    PQfinish(conn);
    pthread_join(applicant, NULL);
    ck_assert_msg(trip.answer.status == 201, "%s stopped, and the applicant was told %d", held[_i], trip.answer.status);
    ck_assert_int_eq(child_wait(&child, STOP_MS), 0);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM intake.application WHERE receipt = '%s'", trip.receipt);
    ck_assert_int_eq(stack_count(sql), 1);
    ck_assert(stack_do("start", held[_i]));
    journey.patience_ms = 10000;
    ck_assert(trip_travel(&trip, &journey, "online", TRAVEL_MS));
    trip_fini(&trip);
}
END_TEST

/* --- wrong settings ------------------------------------------------------------------------------------------------
 */

static const struct wrong {
    const char *service, *change; /* shell text */
    const char *event, *names;    /* what the log says */
} wrongs[] = {
    {"intake", "export SHIKAKU_TRIES=0", "setting_out_of_range", "SHIKAKU_TRIES"},
    {"intake", "export SHIKAKU_TRIES=secretly", "setting_out_of_range", "SHIKAKU_TRIES"},
    {"intake", "export SHIKAKU_LANE_THREADS=17", "setting_out_of_range", "SHIKAKU_LANE_THREADS"},
    {"intake", "unset SHIKAKU_CRL_URL", "setting_missing", "SHIKAKU_CRL_URL"},
    {"intake", "export SHIKAKU_PAYMENT_URL=", "setting_missing", "SHIKAKU_PAYMENT_URL"},
    {"intake", "export SHIKAKU_JPKI_ROOTS=/secretly/none", "start_failed", "SHIKAKU_JPKI_ROOTS"},
    {"intake", "export SHIKAKU_PROGRAMMES=/secretly/none", "start_failed", "SHIKAKU_PROGRAMMES"},
    {"records", "export SHIKAKU_PROGRAMMES=/secretly/none", "start_failed", "SHIKAKU_PROGRAMMES"},
    {"certificates", "export SHIKAKU_PROGRAMMES=/secretly/none", "start_failed", "SHIKAKU_PROGRAMMES"},
    {"legacy_sync", "export SHIKAKU_PROGRAMMES=/secretly/none", "start_failed", "SHIKAKU_PROGRAMMES"},
    {"vault", "export SHIKAKU_PROGRAMMES=/secretly/none", "start_failed", "SHIKAKU_PROGRAMMES"},
    {"residence", "export SHIKAKU_JUKI_TIMEOUT_MS=99", "setting_out_of_range", "SHIKAKU_JUKI_TIMEOUT_MS"},
    {"intermediate", "export SHIKAKU_NETWORK_TRIES=101", "setting_out_of_range", "SHIKAKU_NETWORK_TRIES"},
    {"legacy_sync", "export SHIKAKU_LEGACY_TRIES=-1", "setting_out_of_range", "SHIKAKU_LEGACY_TRIES"},
    {"staff", "export SHIKAKU_TOKEN_SECONDS=86400", "setting_out_of_range", "SHIKAKU_TOKEN_SECONDS"},
    {"staff", "export SHIKAKU_RIGHTS=/secretly/none", "start_failed", "SHIKAKU_RIGHTS"},
    {"portal", "export SHIKAKU_HTTP_WORKERS=0", "setting_out_of_range", "SHIKAKU_HTTP_WORKERS"},
    {"audit", "export SHIKAKU_WORKERS=65", "setting_out_of_range", "SHIKAKU_WORKERS"},
    {"vault", "unset SHIKAKU_ADMIN_PORT", "setting_missing", "SHIKAKU_ADMIN_PORT"},
    {"vault", "export SHIKAKU_ADMIN_PORT=$SHIKAKU_HTTPS_PORT", "start_failed", "SHIKAKU_ADMIN_PORT"},
    {"records", "export SHIKAKU_KEYS=/secretly/none", "bus_key_missing", "deploy/keys"},
};
#define WRONGS ((int)(sizeof wrongs / sizeof *wrongs))

/* A wrong setting stops the service at once; the log says which, and what rule it breaks. */
START_TEST(a_wrong_setting_is_named)
{
    struct child child;
    const struct wrong *wrong = &wrongs[_i];
    ck_assert(stack_do("stop", wrong->service));
    service_start(&child, wrong->service, wrong->change);
    int status = child_wait(&child, READY_MS);
    ck_assert_msg(status > 0, "%s with %s ended with %d", wrong->service, wrong->change, status);
    ck_assert_msg(log_says(&child, wrong->event) && log_says(&child, wrong->names), "%s with %s does not name it: %s",
        wrong->service, wrong->change, child.log);
    if (strncmp(wrong->event, "setting_", 8) == 0) /* a folder that is not there is told by its path */
        ck_assert(!log_says(&child, "secretly"));
    ck_assert(!log_says(&child, "\"ready\""));
}
END_TEST

/* They run again with what is right. */
START_TEST(right_settings_start_again)
{
    ck_assert(stack_do("start", NULL));
    setup();
    check_travels("chorishi");
    teardown();
}
END_TEST

/* --- logs ----------------------------------------------------------------------------------------------------------
 */

struct text {
    char path[PATH_MAX], *bytes;
    size_t size;
};

/* True if it stands there as a word of its own: eight digits of a birth date can be part of anything. */
static bool stands_alone(const struct text *log, const char *at, size_t len)
{
    char before = at > log->bytes ? at[-1] : ' ', behind = at[len];
    return !(before >= '0' && before <= '9') && !(behind >= '0' && behind <= '9');
}

static void check_absent(const struct text *log, const char *value, const char *what)
{
    size_t len = strlen(value);
    ck_assert_uint_gt(len, 0);
    for (const char *at = log->bytes; (at = memmem(at, log->size - (size_t)(at - log->bytes), value, len)); at++)
        ck_assert_msg(!stands_alone(log, at, len), "%s holds somebody's %s", log->path, what);
}

static void check_nothing_of(const struct text *log, const struct kit_person *person)
{
    char family[PERSON_NAME_BYTES];
    const char *name = person->person.name, *gap = strstr(name, "　");
    ck_assert_ptr_nonnull(gap);
    snprintf(family, sizeof family, "%.*s", (int)(gap - name), name);
    check_absent(log, person->number, "number");
    check_absent(log, person->residence_code, "residence code");
    check_absent(log, person->person.name, "name");
    check_absent(log, family, "family name");
    check_absent(log, person->kana, "kana");
    check_absent(log, person->person.address, "address");
    check_absent(log, person->person.birth_date, "birth date");
    check_absent(log, person->domicile, "domicile");
    check_absent(log, person->portal_pseudonym, "portal pseudonym");
}

static void log_read(struct text *log, const char *path)
{
    snprintf(log->path, sizeof log->path, "%s", path);
    log->bytes = file_read(path, &log->size);
}

/* Every line is one JSON object that says when, who, how grave and what. */
static void check_lines(const struct text *log)
{
    size_t lines = 0;
    for (char *line = log->bytes, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(json_is_object(object), "%s: line %zu is no JSON object", log->path, lines + 1);
        static const char *const members[] = {"at", "service", "level", "event"};
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            ck_assert_msg(
                *journey_text(object, members[i]), "%s: line %zu has no %s", log->path, lines + 1, members[i]);
        json_decref(object);
    }
    ck_assert_msg(lines > 0, "%s is empty", log->path);
}

static void everything_happens(void)
{
    static const char *const programmes[] = {
        "chorishi", "ginou-kentei", "hoikushi", "jun-kangoshi", "kogata-senpaku", "kaigishi"};
    for (size_t i = 0; i < sizeof programmes / sizeof *programmes; i++)
        check_travels(programmes[i]);
    for (size_t i = 0; i < refusal_count; i++) {
        struct refusal_outcome outcome;
        refusal_play(&journey, &refusals[i], &outcome);
        ck_assert_msg(!*outcome.wrong, "%s: %s", refusals[i].name, outcome.wrong);
    }
}

/* STORE-5, LOG-1: whoever reads the logs, PostgreSQL's own too, learns of nobody: not from what went well, not from
 * what was refused */
START_TEST(the_logs_hold_nothing_of_a_person)
{
    char pattern[PATH_MAX], path[PATH_MAX];
    glob_t found = {0};
    everything_happens();
    uint32_t people = journey_people_take(0);
    ck_assert_uint_gt(people, 0);
    snprintf(pattern, sizeof pattern, "%s/*.log", getenv("SHIKAKU_LOG"));
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    snprintf(path, sizeof path, "%s/pg/postgresql.log", getenv("SHIKAKU_VAR"));
    ck_assert_int_eq(glob(path, GLOB_APPEND, NULL, &found), 0);
    ck_assert_uint_gt(found.gl_pathc, SERVICES);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct text log;
        log_read(&log, found.gl_pathv[i]);
        for (uint32_t index = 0; index < people; index++) {
            struct kit_person person;
            kit_person_make(&person, journey.seed, index);
            check_nothing_of(&log, &person);
        }
        free(log.bytes);
    }
    globfree(&found);
}
END_TEST

START_TEST(each_log_is_lines_of_json)
{
    char path[PATH_MAX];
    struct text log;
    stack_log(services[_i], path);
    log_read(&log, path);
    check_lines(&log);
    free(log.bytes);
}
END_TEST

/* What goes wrong with an application is found by its id, in the log of whichever service it happens to. */
START_TEST(a_failing_step_names_its_application)
{
    char path[PATH_MAX], correlation[64];
    size_t size;
    struct journey_trip trip;
    struct journey_plan plan = {.programme = "chorishi", .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
    stack_log("intake", path);
    free(file_read(path, &size));
    ck_assert(journey_control(&journey, "SHIKAKU_PAYMENT_URL", "fail", "/charges", 0, 1));
    ck_assert(trip_travel(&trip, &journey, "online", TRAVEL_MS));
    snprintf(correlation, sizeof correlation, "\"correlation\":\"%s\"", trip.application.id);
    ck_assert(file_says(path, size, "\"step_failed\""));
    ck_assert(file_says(path, size, correlation));
    trip_fini(&trip);
}
END_TEST

static TCase *case_make(Suite *suite, const char *name, bool with_journey)
{
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 150);
    if (with_journey)
        tcase_add_checked_fixture(tests, setup, teardown);
    suite_add_tcase(suite, tests);
    return tests;
}

int main(void)
{
    if (!stack_open("start_stop", 19400))
        return 1;
    Suite *suite = suite_create("start_stop");
    TCase *logs = case_make(suite, "logs", true);
    tcase_add_test(logs, the_logs_hold_nothing_of_a_person);
    tcase_add_loop_test(logs, each_log_is_lines_of_json, 0, SERVICES);
    tcase_add_test(logs, a_failing_step_names_its_application);
    TCase *admin = case_make(suite, "admin port", true);
    tcase_add_loop_test(admin, each_service_tells_how_it_is, 0, SERVICES);
    tcase_add_test(admin, readiness_follows_the_database);
    TCase *stops = case_make(suite, "stopping", true);
    tcase_add_loop_test(stops, a_request_on_its_way_is_answered, 0, 2);
    tcase_add_loop_test(stops, each_service_stops_cleanly, 0, SERVICES);
    tcase_add_test(stops, a_waiting_service_stops);
    TCase *starts = case_make(suite, "starting", false);
    tcase_add_test(starts, services_start_in_any_order);
    TCase *settings = case_make(suite, "settings", false);
    tcase_add_loop_test(settings, a_wrong_setting_is_named, 0, WRONGS);
    tcase_add_test(settings, right_settings_start_again);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0;
}
