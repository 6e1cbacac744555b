/* Applications at the front door of a running stack, all composed before the clock starts.
 *
 *   load receipt COUNT CONNECTIONS [PER_SECOND]   調理師 alone: after the receipt (受付) each waits for a person, so
 * that nothing but the receipt is measured. PER_SECOND: sent by the clock, and a latency counts from when it was due
 *   load whole COUNT CONNECTIONS                  the five programmes in turn, to the end; clerks work in sessions of
 *                                                 their own
 *
 * Prints `count=… seconds=… rate=… p50=… p99=… failed=…`. BENCH_DSN: a connection that may count intake's queue.
 * BENCH_PATIENCE_MS: how long an applicant tries again (10,000). */
#include "kit/journey.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kit/assertion.h"

#define CONNECTIONS_MAX 128
#define COMPOSERS 2
#define LOAD_BATCH 500 /* residents in one request */
#define WHOLE_MS 300000
#define CLERK_LOOKS_S 0.2 /* where the list is empty */
#define TERMINAL_CLERKS 4
#define COUNTER_CLERKS 2

static const char *const programmes[] = {"chorishi", "kaigishi", "hoikushi", "ginou-kentei", "jun-kangoshi"};
#define PROGRAMMES (sizeof programmes / sizeof *programmes)

struct sent {
    struct journey_trip trip;
    char *assertion;
    double ms;
};

static struct journey world; /* authorities and programmes, shared by all threads */
static struct sent *all;
static size_t count;
static double per_second; /* 0: as fast as answers come */
static double begun_s;
static atomic_size_t next_one, failed;
static atomic_bool over;
static volatile sig_atomic_t told_to_end;

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_s(double seconds)
{
    if (seconds <= 0)
        return;
    const struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

static void stop(const char *why)
{
    fprintf(stderr, "load: %s\n", why);
    exit(EXIT_FAILURE);
}

static void join_all(pthread_t *threads, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

static void start_all(pthread_t *threads, size_t n, void *(*run)(void *), void *argument)
{
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, run, argument) != 0)
            stop("no thread");
}

/* --- before the clock starts -------------------------------------------------------------------------------------- */

static const char *programme_of(size_t i, bool mixed)
{
    return programmes[mixed ? i % PROGRAMMES : 0];
}

struct composing {
    uint32_t first;
    bool mixed;
};

static void *compose(void *argument)
{
    const struct composing *composing = argument;
    struct journey journey;
    if (!journey_open(&journey, &world))
        stop("no connection");
    for (size_t i; (i = atomic_fetch_add(&next_one, 1)) < count;) {
        const struct journey_plan plan = {.programme = programme_of(i, composing->mixed),
            .index = composing->first + (uint32_t)i,
            .unknown = true /* they are loaded in bulk */};
        if (!trip_init(&all[i].trip, &journey, &plan))
            stop("not composed");
    }
    journey_close(&journey);
    return NULL;
}

static void assertion_make(struct sent *one)
{
    const char *body = one->trip.application.submission;
    one->assertion = kit_assertion_make(world.world.authorities->assertion_key,
        &(struct kit_assertion){
            .pseudonym = one->trip.applicant.person.portal_pseudonym, .body = body, .body_size = strlen(body)});
}

/* Good for five minutes, so made last. */
static void *assert_all(void *unused)
{
    (void)unused;
    for (size_t i; (i = atomic_fetch_add(&next_one, 1)) < count;)
        assertion_make(&all[i]);
    return NULL;
}

/* Everybody attaches the same page. */
static void pieces_put(bool mixed)
{
    struct journey_answer answer = {0};
    for (size_t i = 0; i < count && i < (mixed ? PROGRAMMES : 1); i++)
        for (size_t k = 0; k < all[i].trip.application.piece_count; k++) {
            const struct kit_piece *piece = &all[i].trip.application.pieces[k];
            char path[128];
            snprintf(path, sizeof path, "/api/attachments/%s", piece->sha256);
            int status = journey_call(&world,
                &(struct journey_call){.as = AS_MYNAPORTAL,
                    .method = "PUT",
                    .path = path,
                    .media_type = "application/octet-stream",
                    .body = piece->bytes,
                    .size = piece->size},
                &answer);
            if (status != 200 && status != 201)
                stop("an attachment was refused");
        }
    journey_answer_fini(&answer);
}

static void prepare(bool mixed)
{
    pthread_t threads[COMPOSERS];
    struct composing composing = {journey_people_take(count), mixed};
    if (!(all = calloc(count, sizeof *all)))
        stop("no memory");
    for (size_t i = 0; i < count; i += LOAD_BATCH)
        if (!journey_residents_load(
                &world, composing.first + (uint32_t)i, count - i < LOAD_BATCH ? count - i : LOAD_BATCH))
            stop("no residents");
    start_all(threads, COMPOSERS, compose, &composing);
    join_all(threads, COMPOSERS);
    pieces_put(mixed);
    atomic_store(&next_one, 0);
    if (mixed && per_second > 0) /* for longer than an assertion lives: each is made when it is sent */
        return;
    start_all(threads, COMPOSERS, assert_all, NULL);
    join_all(threads, COMPOSERS);
    atomic_store(&next_one, 0);
}

/* --- applicants --------------------------------------------------------------------------------------------------- */

static bool submit(struct journey *journey, struct sent *one)
{
    const struct journey_call call = {.as = AS_MYNAPORTAL,
        .method = "POST",
        .path = "/api/applications",
        .assertion = one->assertion,
        .media_type = "application/json",
        .body = one->trip.application.submission,
        .size = strlen(one->trip.application.submission)};
    int status = journey_call(journey, &call, &one->trip.answer);
    if (status == 201)
        return true;
    fprintf(stderr, "load: %d %s\n", status, one->trip.answer.body ? one->trip.answer.body : "");
    return false;
}

static pthread_barrier_t ready;

static void *fire(void *unused)
{
    struct journey journey;
    struct journey_answer answer = {0};
    (void)unused;
    if (!journey_open(&journey, &world))
        stop("no connection");
    if (*journey_setting("BENCH_PATIENCE_MS"))
        journey.patience_ms = (unsigned)strtoul(journey_setting("BENCH_PATIENCE_MS"), NULL, 10);
    /* So that the connection as Mynaportal stands. */
    (void)journey_call(&journey,
        &(struct journey_call){.as = AS_MYNAPORTAL, .method = "GET", .path = "/.well-known/vault-keys"}, &answer);
    journey_answer_fini(&answer);
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready); /* between the two the clock is read */
    for (size_t i; !told_to_end && (i = atomic_fetch_add(&next_one, 1)) < count;) {
        double from = begun_s + (per_second > 0 ? (double)i / per_second : 0);
        pause_s(from - clock_s());
        if (per_second <= 0)
            from = clock_s();
        if (!all[i].assertion)
            assertion_make(&all[i]);
        if (!submit(&journey, &all[i]))
            atomic_fetch_add(&failed, 1);
        all[i].ms = (clock_s() - from) * 1000;
        journey_answer_fini(&all[i].trip.answer);
    }
    journey_close(&journey);
    return NULL;
}

/* --- clerks ------------------------------------------------------------------------------------------------------- */

struct clerk {
    const char *manager, *role, *state;
    int index, of; /* clerks of one kind share the work by the receipt */
    const struct programme *programme;
};

static bool is_mine(const struct clerk *clerk, const char *receipt)
{
    return strlen(receipt) > 0 && receipt[strlen(receipt) - 1] % clerk->of == clerk->index;
}

static bool clerk_do(struct journey *journey, struct journey_clerk *session, const struct clerk *clerk,
    const char *receipt, struct journey_answer *answer)
{
    char path[128], key[64];
    if (strcmp(clerk->state, "residence_terminal") == 0) {
        struct journey_trip trip = {.programme = clerk->programme};
        snprintf(trip.receipt, sizeof trip.receipt, "%s", receipt);
        int status = trip_identify(&trip, journey);
        journey_answer_fini(&trip.answer);
        return status == 200;
    }
    snprintf(path, sizeof path, "/api/staff/applications/%s/decision", receipt);
    snprintf(key, sizeof key, "%s-accept", receipt);
    return journey_clerk_call(journey, session, "POST", path, key, json_pack("{ss}", "decision", "accept"), answer) ==
           200;
}

/* Take what lies there, one after another; look again. */
static void *clerk_run(void *argument)
{
    const struct clerk *clerk = argument;
    struct journey journey;
    struct journey_answer list = {0}, answer = {0};
    char path[96];
    size_t i, done;
    json_t *one;
    if (!journey_open(&journey, &world))
        stop("no connection");
    struct journey_clerk *session = journey_clerk(&journey, clerk->manager, clerk->role);
    struct journey_clerk *lister = journey_clerk(&journey, clerk->manager, "counter");
    if (!session || !lister)
        stop("a clerk cannot log in");
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready);
    snprintf(path, sizeof path, "/api/staff/applications?state=%s&limit=50", clerk->state);
    while (!atomic_load(&over)) {
        done = 0;
        if (journey_clerk_call(&journey, lister, "GET", path, NULL, NULL, &list) == 200)
            json_array_foreach(json_object_get(list.json, "applications"), i, one)
            {
                const char *receipt = journey_text(one, "receipt");
                if (is_mine(clerk, receipt))
                    done += clerk_do(&journey, session, clerk, receipt, &answer);
            }
        if (!done)
            pause_s(CLERK_LOOKS_S);
    }
    journey_answer_fini(&list);
    journey_answer_fini(&answer);
    journey_close(&journey);
    return NULL;
}

static struct clerk clerks[PROGRAMMES * COUNTER_CLERKS + TERMINAL_CLERKS];
static size_t clerk_count;

static void clerks_list(void)
{
    for (size_t p = 0; p < PROGRAMMES; p++) {
        const struct programme *programme = programme_find(world.programmes, programmes[p]);
        for (int i = 0; i < COUNTER_CLERKS; i++)
            clerks[clerk_count++] =
                (struct clerk){programme->manager, "counter", "review", i, COUNTER_CLERKS, programme};
        for (int i = 0; p == 0 && i < TERMINAL_CLERKS; i++)
            clerks[clerk_count++] =
                (struct clerk){programme->manager, "residence", "residence_terminal", i, TERMINAL_CLERKS, programme};
    }
}

/* --- measuring ---------------------------------------------------------------------------------------------------- */

static long queue_count(const char *sql)
{
    static PGconn *connection;
    if (!connection)
        connection = PQconnectdb(journey_setting("BENCH_DSN"));
    PGresult *result = PQexec(connection, sql);
    long found = PQresultStatus(result) == PGRES_TUPLES_OK ? strtol(PQgetvalue(result, 0, 0), NULL, 10) : -1;
    if (found < 0)
        stop("the queue cannot be counted; is BENCH_DSN right?");
    PQclear(result);
    return found;
}

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static void report(double seconds)
{
    double *ms = calloc(count, sizeof *ms);
    if (!ms)
        stop("no memory");
    for (size_t i = 0; i < count; i++)
        ms[i] = all[i].ms;
    qsort(ms, count, sizeof *ms, by_value);
    printf("count=%zu seconds=%.2f rate=%.1f p50=%.1f p99=%.1f failed=%zu\n", count, seconds, (double)count / seconds,
        ms[count / 2], ms[count * 99 / 100], (size_t)atomic_load(&failed));
    free(ms);
}

static const char sql_completed[] = "SELECT count(*) FROM intake.queue WHERE state = 'completed'";
static const char sql_person[] = "SELECT count(*) FROM intake.queue WHERE state = 'person'";

/* In the statement log: what lies between the two is the run. */
static void mark(const char *sql)
{
    if (*journey_setting("BENCH_DSN"))
        (void)queue_count(sql);
}

static void await_completed(long before, long persons)
{
    long done, asked;
    double deadline = clock_s() + WHOLE_MS / 1000.0;
    while ((done = queue_count(sql_completed) - before) + (asked = queue_count(sql_person) - persons) < (long)count &&
           clock_s() < deadline) {
        if (getenv("BENCH_VERBOSE"))
            fprintf(stderr, "%6.1f s: %ld done\n", clock_s() - begun_s, done);
        pause_s(0.2);
    }
    if (done + asked < (long)count)
        stop("not completed in time");
    if (asked > (long)count / 20)
        stop("too many applications wait for a person");
    if (asked)
        fprintf(stderr, "load: %ld of %zu wait for a person\n", asked, count);
}

static void run(size_t connections, bool whole)
{
    pthread_t threads[CONNECTIONS_MAX], clerk_threads[sizeof clerks / sizeof *clerks];
    long before = whole ? queue_count(sql_completed) : 0, persons = whole ? queue_count(sql_person) : 0;
    if (whole)
        clerks_list();
    pthread_barrier_init(&ready, NULL, (unsigned)(connections + clerk_count + 1));
    start_all(threads, connections, fire, NULL);
    for (size_t i = 0; i < clerk_count; i++)
        if (pthread_create(&clerk_threads[i], NULL, clerk_run, &clerks[i]) != 0)
            stop("no thread");
    pthread_barrier_wait(&ready);
    mark("SELECT 1 AS bench_begins");
    begun_s = clock_s();
    pthread_barrier_wait(&ready);
    join_all(threads, connections);
    if (atomic_load(&next_one) < count)
        count = atomic_load(&next_one);
    if (whole)
        await_completed(before, persons);
    double seconds = clock_s() - begun_s;
    mark("SELECT 1 AS bench_ends");
    atomic_store(&over, true);
    join_all(clerk_threads, clerk_count);
    report(seconds);
}

static void end_at_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

int main(int argc, char **argv)
{
    bool whole = argc > 1 && strcmp(argv[1], "whole") == 0, receipt = argc > 1 && strcmp(argv[1], "receipt") == 0;
    long connections = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if ((!whole && !receipt) || !count || connections < 1 || connections > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: load receipt|whole COUNT CONNECTIONS [PER_SECOND]\n");
        return 64;
    }
    per_second = argc > 4 ? strtod(argv[4], NULL) : 0;
    if (!journey_open(&world, NULL))
        return EXIT_FAILURE;
    size_t composed = count;
    prepare(whole);
    signal(SIGTERM, end_at_signal);
    run((size_t)connections, whole);
    for (size_t i = 0; i < composed; i++) {
        free(all[i].assertion);
        trip_fini(&all[i].trip);
    }
    free(all);
    journey_close(&world);
    return atomic_load(&failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
