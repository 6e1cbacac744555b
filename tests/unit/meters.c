/* What /metrics shows: everything of meters.def, added up by all threads, in Prometheus's own form. */
#include "chassis/meters.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define THREADS 8
#define TIMES 10000

static int64_t shown(const char *meter, const char *label)
{
    char wanted[200];
    char *page = meters_print();
    ck_assert_ptr_nonnull(page);
    snprintf(wanted, sizeof wanted, "\nshikaku_%s{%s} ", meter, label);
    const char *at = strstr(page, wanted);
    int64_t value = at ? atoll(at + strlen(wanted)) : INT64_MIN;
    free(page);
    return value;
}

static void *add_many(void *nothing)
{
    static const char *const labels[] = {"intake_submit", "vault_enrol", "staff_login"};
    (void)nothing;
    for (int i = 0; i < TIMES; i++)
        meter_add(METER_bus_requests_total, labels[i % 3], 1);
    return NULL;
}

START_TEST(threads_lose_no_count)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add_many, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(shown("bus_requests_total", "route=\"intake_submit\""), THREADS * ((TIMES + 2) / 3));
    ck_assert_int_eq(shown("bus_requests_total", "route=\"staff_login\""), THREADS * (TIMES / 3));
}
END_TEST

START_TEST(a_gauge_is_the_last_value)
{
    meter_set(METER_outbox_waiting, "intake", 7);
    meter_set(METER_outbox_waiting, "intake", 3);
    ck_assert_int_eq(shown("outbox_waiting", "service=\"intake\""), 3);
}
END_TEST

/* Labels are constants; if there ever were too many, the page stays bounded and nothing breaks. */
START_TEST(too_many_labels_are_left_out)
{
    static char labels[200][8];
    for (int i = 0; i < 200; i++) {
        snprintf(labels[i], sizeof labels[i], "l%d", i);
        meter_add(METER_lane_turns_total, labels[i], 1);
    }
    ck_assert_int_eq(shown("lane_turns_total", "lane=\"l0\""), 1);
    ck_assert_int_eq(shown("lane_turns_total", "lane=\"l199\""), INT64_MIN);
}
END_TEST

/* The page is what Prometheus reads. */
START_TEST(promtool_accepts_the_page)
{
    for (int meter = 0; meter < METERS; meter++)
        meter_set(meter, "intake", meter);
    char *page = meters_print();
    FILE *tool = popen("promtool check metrics >&2", "w");
    ck_assert_ptr_nonnull(tool);
    fputs(page, tool);
    free(page);
    ck_assert_int_eq(pclose(tool), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("meters");
    TCase *cases = tcase_create("meters");
    tcase_add_test(cases, threads_lose_no_count);
    tcase_add_test(cases, a_gauge_is_the_last_value);
    tcase_add_test(cases, too_many_labels_are_left_out);
    tcase_add_test(cases, promtool_accepts_the_page);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
