/* Everything dies, again and again: SIGKILLs at random moments, of every service and of PostgreSQL, while applications
 * are on their way: 100 and 250 here, 200 and 500 by `make storm`. What was acknowledged must end once: one completed
 * application, one roll entry, one certificate, one fee, one hand-over, one notice, as the stand-ins' own ledgers and
 * the rolls say.
 *
 * Five applicants' threads travel, and clerks look; the main thread kills, and starts again what it killed.
 * SHIKAKU_SEED repeats the order of the kills (not their moments); STORM_APPLICATIONS, STORM_KILLS and STORM_TRAVELLERS
 * for other numbers. */
#include "chassis/route.h"
#include "kit/journey.h"
#include "kit/stack.h"

#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRAVELLERS 5
#define TRAVELLERS_MAX 64
#define APPLICATIONS 250
#define KILLS 100
#define TRAVEL_MS (10 * 60 * 1000)
#define PATIENCE_MS (3 * 60 * 1000)

static const char *const victims[] = {"audit", "staff", "vault", "residence", "intermediate", "records", "certificates",
    "legacy_sync", "intake", "portal", "postgres"};
#define VICTIMS (sizeof victims / sizeof *victims)

static const char *const ways[] = {
    "chorishi", "ginou-kentei", "hoikushi", "jun-kangoshi", "kogata-senpaku", "kaigishi"};
static const char *const payments[] = {"online", "online", "stamps", "online", "online", "stamps"};

static struct journey shared;
static atomic_int begun, completed, viewed, kills;
static int applications = APPLICATIONS, killed = KILLS, travellers = TRAVELLERS;
static atomic_bool failed;

static bool storm_goes_on(void)
{
    return !atomic_load(&failed) && (atomic_load(&begun) < applications || atomic_load(&kills) < killed);
}

static bool travel_once(struct journey *journey)
{
    struct journey_trip trip;
    int number = atomic_fetch_add(&begun, 1);
    struct journey_plan plan = {.programme = ways[number % 6], .index = journey_people_take(1)};
    if (!trip_init(&trip, journey, &plan)) {
        fprintf(stderr, "application %d could not be composed\n", number);
        return false;
    }
    bool arrived = trip_travel(&trip, journey, payments[number % 6], TRAVEL_MS);
    if (!arrived)
        fprintf(stderr, "application %d (%s, %s) stands in %s: %d %s\n", number, ways[number % 6], trip.receipt,
            trip.state, trip.answer.status, trip.answer.body ? trip.answer.body : "");
    else
        atomic_fetch_add(&completed, 1);
    bool seen = arrived && paper_look(&trip, journey) == 200;
    if (seen)
        atomic_fetch_add(&viewed, 1);
    else if (arrived)
        fprintf(stderr, "application %d was not shown: %d\n", number, trip.answer.status);
    trip_fini(&trip);
    return seen;
}

static void *traveller(void *unused)
{
    struct journey journey;
    (void)unused;
    if (!journey_open(&journey, &shared)) {
        atomic_store(&failed, true);
        return NULL;
    }
    journey.patience_ms = PATIENCE_MS;
    while (storm_goes_on())
        if (!travel_once(&journey))
            atomic_store(&failed, true);
    journey_close(&journey);
    return NULL;
}

/* Kills and applications end together. */
static bool kills_are_ahead(void)
{
    return (long)atomic_load(&kills) * applications > (long)atomic_load(&begun) * killed;
}

/* Until the random moment of the next kill. */
static void moment_await(unsigned *state)
{
    do {
        struct timespec pause = {0, rand_r(state) % 300 * 1000000L};
        nanosleep(&pause, NULL);
    } while (kills_are_ahead() && storm_goes_on());
}

static void storm(unsigned seed)
{
    unsigned state = seed;
    while (storm_goes_on()) {
        /* PostgreSQL takes seconds to come back: one kill in thirty. */
        int draw = rand_r(&state) % 30;
        const char *victim = draw == 0 ? "postgres" : victims[draw % (VICTIMS - 1)];
        moment_await(&state);
        if (!stack_do("kill", victim) || !stack_do("start", victim)) {
            fprintf(stderr, "%s did not come back\n", victim);
            atomic_store(&failed, true);
        }
        if (atomic_fetch_add(&kills, 1) % 50 == 49)
            fprintf(stderr, "%d kills, %d applications begun, %d completed\n", atomic_load(&kills), atomic_load(&begun),
                atomic_load(&completed));
    }
}

/* How many rows of that kind a ledger has for each key that has any: the greatest and the total. */
static void ledger_check(const char *setting, const char *kind, int total)
{
    struct journey_answer answer = {0};
    json_t *seen = json_object(), *row;
    size_t index;
    ck_assert_int_eq(journey_ledger(&shared, setting, kind, NULL, &answer), total);
    const json_t *rows = json_is_array(answer.json) ? answer.json : json_object_get(answer.json, "rows");
    json_array_foreach(rows, index, row)
    {
        const char *key = journey_text(row, "key");
        ck_assert_msg(!json_object_get(seen, key), "%s twice in the ledger of %s", kind, setting);
        json_object_set_new(seen, key, json_true());
    }
    ck_assert_int_eq(json_object_size(seen), total);
    json_decref(seen);
    journey_answer_fini(&answer);
}

/* How many applications of these programmes there are: so many hand-overs an existing system must have taken. */
static int handed_over(const char *programme, const char *other)
{
    char sql[200];
    snprintf(
        sql, sizeof sql, "SELECT count(*) FROM intake.application WHERE programme IN ('%s', '%s')", programme, other);
    return (int)stack_count(sql);
}

static void records_await(const char *service)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.audit_outbox", service);
    for (int64_t until = journey_clock_ms() + PATIENCE_MS; stack_count(sql) > 0;)
        ck_assert_msg(journey_clock_ms() < until, "records of use of %s wait", service);
}

/* Nothing was shown without a record. There are more of them where an answer was lost and asked for again. */
static void shown_check(const char *route, long shown)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM audit.log WHERE act = '%s' AND outcome = 'done'", route);
    long records = stack_count(sql);
    printf("%ld times %s, %ld records of use\n", shown, route, records);
    ck_assert_int_gt(shown, 0);
    ck_assert_int_ge(records, shown);
}

/* ROLL-1, PAY-3, CERT-2, NOTE-1, LINK-6: nothing lost, nothing doubled; LOG-1: nothing shown unseen */
START_TEST(what_was_acknowledged_ends_once)
{
    pthread_t threads[TRAVELLERS_MAX];
    const char *given = getenv("SHIKAKU_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    printf("seed %u\n", seed);
    ck_assert(journey_open(&shared, NULL));
    for (int i = 0; i < travellers; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, traveller, NULL), 0);
    storm(seed);
    for (int i = 0; i < travellers; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!atomic_load(&failed));
    int all = atomic_load(&completed);
    printf("%d kills, %d applications\n", atomic_load(&kills), all);
    ck_assert_int_ge(all, applications);
    ck_assert_int_ge(atomic_load(&kills), killed);
    ck_assert_int_eq(all, atomic_load(&begun));
    ck_assert_int_eq(stack_count("SELECT count(*) FROM intake.application"), all);
    ck_assert_int_eq(stack_count("SELECT count(*) FROM intake.queue WHERE state = 'completed'"), all);
    ck_assert_int_eq(stack_count("SELECT count(*) FROM records.entry"), all);
    ck_assert_int_eq(stack_count("SELECT count(DISTINCT application) FROM records.entry"), all);
    ck_assert_int_eq(stack_count("SELECT count(*) FROM certificates.certificate"), all);
    ck_assert_int_eq(stack_count("SELECT count(DISTINCT entry) FROM certificates.certificate"), all);
    ck_assert_int_eq(stack_count("SELECT count(*) FROM intake.fee_entry"), all);
    ledger_check("SHIKAKU_NOTICE_URL", "notice", all);
    ledger_check("SHIKAKU_PAYMENT_URL", "payment",
        (int)stack_count("SELECT count(*) FROM intake.fee_entry WHERE method = 'online'"));
    ledger_check("SHIKAKU_KAIGI_URL", "taken", handed_over("kaigishi", "kogata-senpaku"));
    ledger_check("SHIKAKU_HOIKUSHI_URL", "taken", handed_over("hoikushi", ""));
    ledger_check("SHIKAKU_GINOU_URL", "taken", handed_over("ginou-kentei", ""));
    records_await("intake");
    shown_check("intake_view", atomic_load(&viewed));
    journey_close(&shared);
}
END_TEST

/* LOG-2: the records of use survive the same storm whole */
START_TEST(the_log_is_whole)
{
    ck_assert_int_eq(system("\"$SHIKAKU_BIN\"/shikakuctl audit verify"), 0);
    ck_assert_int_eq(system("\"$SHIKAKU_BIN\"/shikakuctl audit status"), 0); /* audit itself answers: audit_status */
}
END_TEST

/* --- operations and records of use -------------------------------------------------------------------------------- */

static const char *const keepers[] = {
    "staff", "vault", "residence", "intermediate", "records", "certificates", "legacy_sync", "intake"};
#define KEEPERS (sizeof keepers / sizeof *keepers)

static const char *const bare[] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind)
#define BARE(route, why) #route,
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

static bool is_bare(const char *route)
{
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        if (strcmp(bare[i], route) == 0)
            return true;
    return false;
}

/* A command that was carried out is a row of the inbox, with its route; and a record of use that says `done`. */
static long match_count(const char *service, const char *route, bool *match)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.inbox WHERE route = '%s'", service, route);
    long operations = stack_count(sql);
    if (!operations || is_bare(route))
        return 0;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM audit.log WHERE service = '%s' AND act = '%s' AND outcome = 'done'",
        service, route);
    long records = stack_count(sql);
    if (records != operations) {
        fprintf(stderr, "%s: %ld times %s, %ld records of use\n", service, operations, route, records);
        *match = false;
    }
    return operations;
}

/* LOG-1: after the storm each operation has one record of use, and no record is without its operation */
START_TEST(operations_and_records_match)
{
    long operations = 0;
    bool match = true;
    for (size_t i = 0; i < KEEPERS; i++) {
        records_await(keepers[i]);
        for (int route = 0; route < ROUTES; route++)
            operations += match_count(keepers[i], route_row((enum route)route)->name, &match);
    }
    ck_assert(match);
    printf("%ld operations, as many records of use\n", operations);
    ck_assert_int_gt(operations, 5 * applications);
}
END_TEST

static int number_given(const char *setting, int otherwise, int most)
{
    const char *given = getenv(setting);
    int number = given && *given ? atoi(given) : otherwise;
    return number < most ? number : most;
}

int main(void)
{
    applications = number_given("STORM_APPLICATIONS", APPLICATIONS, INT_MAX);
    killed = number_given("STORM_KILLS", KILLS, INT_MAX);
    travellers = number_given("STORM_TRAVELLERS", TRAVELLERS, TRAVELLERS_MAX);
    if (!stack_open("crash", 14400))
        return 1;
    Suite *suite = suite_create("crash");
    TCase *storms = tcase_create("storm");
    tcase_set_timeout(storms, applications > APPLICATIONS ? 0 : 1500);
    tcase_add_test(storms, what_was_acknowledged_ends_once);
    tcase_add_test(storms, operations_and_records_match);
    tcase_add_test(storms, the_log_is_whole);
    suite_add_tcase(suite, storms);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0;
}
