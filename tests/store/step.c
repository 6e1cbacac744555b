/* When a lane turns: at a wake, at the time that was asked for, and by itself now and then. */
#include "chassis/step_threads.h"
#include "store/letter.h"

#include <stdatomic.h>
#include <time.h>

#define AGAIN_MS 20
#define TURNS 40
#define POLLED_MS (TURNS * 250 - 1000) /* as many turns by the poll alone take longer */

static const char *const again = "again";
static atomic_int turns, early;
static _Atomic int64_t asked_ms; /* no turn before; 0: whenever it likes */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* There is nothing to do, and will be in AGAIN_MS. */
static int asking_turn(struct work *by, const struct lane *lane)
{
    (void)by;
    if (now_ms() < asked_ms)
        early++;
    asked_ms = now_ms() + AGAIN_MS;
    step_wake_in(lane->name, AGAIN_MS);
    turns++;
    return 0;
}

static int waking_turn(struct work *by, const struct lane *lane)
{
    (void)by;
    step_wake(lane->name);
    turns++;
    return 0;
}

static int idle_turn(struct work *by, const struct lane *lane)
{
    (void)by;
    (void)lane;
    turns++;
    return 0;
}

static const struct service service = {.name = "intake", .schema_version = 1};

static int64_t turns_await(int (*turn)(struct work *by, const struct lane *lane), int count)
{
    const struct lane lane = {again, 1, turn, NULL, 0, 0};
    const struct lane *const tables[] = {&lane};
    const size_t counts[] = {1};
    const struct timespec look = {0, 1000000};
    int64_t from = now_ms();
    ck_assert(steps_start(&service, tables, counts, 1));
    while (turns < count)
        nanosleep(&look, NULL);
    int64_t took = now_ms() - from;
    steps_stop();
    return took;
}

/* design.md, Concurrency */
START_TEST(a_lane_turns_when_it_was_asked_to)
{
    ck_assert_int_lt(turns_await(asking_turn, TURNS), POLLED_MS);
    ck_assert_int_eq(early, 0);
}
END_TEST

START_TEST(a_wake_during_a_turn_is_not_lost)
{
    ck_assert_int_lt(turns_await(waking_turn, TURNS), POLLED_MS);
}
END_TEST

START_TEST(a_lane_looks_by_itself)
{
    ck_assert_int_ge(turns_await(idle_turn, 3), 2 * 250);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("step");
    TCase *cases = tcase_create("step");
    tcase_add_unchecked_fixture(cases, letters_once, letters_once_end);
    tcase_add_checked_fixture(cases, letters_start, letters_end);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, a_lane_turns_when_it_was_asked_to);
    tcase_add_test(cases, a_wake_during_a_turn_is_not_lost);
    tcase_add_test(cases, a_lane_looks_by_itself);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
