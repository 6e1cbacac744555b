/* Every kind of key is replaced while applications travel, at the running stack, by the operator's command: no request
 * fails, every application arrives, and afterwards nothing lies under an earlier key. */
#include "kit/journey.h"
#include "kit/stack.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_BASE 21400
#define TRAVELLERS 2
#define TRAVEL_MS (4 * 60 * 1000)
#define ROTATION_MS (4 * 60 * 1000)
#define LOOK_US 200000

static const char *const services[] = {
    "vault", "intake", "residence", "intermediate", "records", "certificates", "legacy_sync", "staff", "audit"};
#define SERVICES (sizeof services / sizeof *services)

static const struct {
    const char *service, *kind; /* and the manager; else all */
} others[] = {{"vault", "index tokyo"}, {"vault", "seal"}, {"vault", "wrap"}, {"legacy_sync", "seal"},
    {"residence", "seal"}, {"staff", "sign"}, {"audit", "sign"}, {"certificates", "issue"}, {"intake", "wrap"}};
#define OTHERS (sizeof others / sizeof *others)

static const char *const ways[] = {"chorishi", "ginou-kentei", "hoikushi", "jun-kangoshi", "kaigishi"};
static const char *const payments[] = {"online", "online", "stamps", "online", "stamps"};

static struct journey shared;
static atomic_int begun, completed;
static atomic_bool failed, over;

/* A journey of its own, so that it seals to the key that is published now; nothing is tried a second time. */
static bool travel_once(void)
{
    struct journey journey;
    struct journey_trip trip;
    int number = atomic_fetch_add(&begun, 1);
    struct journey_plan plan = {.programme = ways[number % 5], .index = journey_people_take(1)};
    if (!journey_open(&journey, &shared))
        return false;
    journey.patience_ms = 0;
    bool arrived = trip_init(&trip, &journey, &plan) && trip_travel(&trip, &journey, payments[number % 5], TRAVEL_MS);
    if (!arrived)
        fprintf(stderr, "application %d (%s, %s) stands in %s: %d %s\n", number, ways[number % 5], trip.receipt,
            trip.state, trip.answer.status, trip.answer.body ? trip.answer.body : "");
    atomic_fetch_add(&completed, arrived);
    trip_fini(&trip);
    journey_close(&journey);
    return arrived;
}

static void *traveller(void *unused)
{
    (void)unused;
    while (!atomic_load(&over) && !atomic_load(&failed))
        if (!travel_once())
            atomic_store(&failed, true);
    return NULL;
}

static bool rotate(const char *service, const char *kind)
{
    char command[512];
    snprintf(command, sizeof command, "\"$SHIKAKU_BIN\"/shikakuctl keys rotate %s %s >/dev/null", service, kind);
    return system(command) == 0;
}

/* Over all services. */
static long rows_of(const char *form)
{
    long sum = 0;
    for (size_t i = 0; i < SERVICES; i++) {
        char sql[512];
        const char *at = strchr(form, '@');
        snprintf(sql, sizeof sql, "%.*s%s%s", (int)(at - form), form, services[i], at + 1);
        sum += stack_count(sql);
    }
    return sum;
}

static void rotations_await(void)
{
    int64_t deadline = journey_clock_ms() + ROTATION_MS;
    while (rows_of("SELECT count(*) FROM @.rotation WHERE finished_at IS NULL") > 0) {
        ck_assert_msg(journey_clock_ms() < deadline, "keys are still being replaced");
        ck_assert(!atomic_load(&failed));
        usleep(LOOK_US);
    }
}

/* NUM-8, STORE-1 */
START_TEST(applications_travel_while_every_key_is_replaced)
{
    pthread_t threads[TRAVELLERS];
    ck_assert(journey_open(&shared, NULL));
    ck_assert(travel_once()); /* so that there is something under the first keys */
    for (int i = 0; i < TRAVELLERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, traveller, NULL), 0);
    for (size_t i = 0; i < SERVICES; i++)
        ck_assert(rotate(services[i], "data"));
    for (size_t i = 0; i < OTHERS; i++)
        ck_assert(rotate(others[i].service, others[i].kind));
    rotations_await();
    atomic_store(&over, true);
    for (int i = 0; i < TRAVELLERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!atomic_load(&failed));
    ck_assert_int_eq(atomic_load(&completed), atomic_load(&begun));
    ck_assert_int_eq(rows_of("SELECT count(*) FROM @.rotation WHERE phase <> 'done'"), 0);
    /* What was replaced is destroyed; audit reads its log, which never changes, by its earlier keys. */
    ck_assert_int_eq(rows_of("SELECT count(*) FROM @.data_key WHERE state = 'retired' AND wrapped <> ''"), 0);
    ck_assert_int_eq(rows_of("SELECT count(*) FROM @.data_key WHERE state NOT IN ('in_force', 'retired')"),
        stack_count("SELECT count(*) FROM audit.data_key WHERE state = 'leaving' AND kind = 'data'"));
    printf("%d applications\n", atomic_load(&completed));
    ck_assert(travel_once()); /* and everything works by the new ones */
    journey_close(&shared);
}
END_TEST

int main(void)
{
    setenv("SHIKAKU_KEY_OVERLAP_S", "20", 1);
    if (!stack_open("rotation", PORT_BASE))
        return 1;
    Suite *suite = suite_create("rotation");
    TCase *tests = tcase_create("rotation");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, applications_travel_while_every_key_is_replaced);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int wrong = srunner_ntests_failed(r);
    srunner_free(r);
    stack_close();
    return wrong != 0 || !stack_is_clean();
}
