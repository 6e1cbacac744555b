/* Forms of text: what is one, and what only looks like one. */
#include "chassis/form.h"

#include <check.h>
#include <stdlib.h>

/* ROLL-1, APPLY-1: ids in a request */
START_TEST(a_uuid_is_told)
{
    static const char *const wrong[] = {"", "6a0c1f52-0000-4000-8000-00000000ab0",
        "6a0c1f52-0000-4000-8000-00000000ab011", "6A0C1F52-0000-4000-8000-00000000AB01",
        "6a0c1f5200000-4000-8000-00000000ab01", "------------------------------------",
        "6a0c1f52-0000-4000-8000-00000000ag01"};
    ck_assert(form_is_uuid("6a0c1f52-0000-4000-8000-00000000ab01"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!form_is_uuid(wrong[i]), "%s", wrong[i]);
}
END_TEST

/* AUTH-4: until when */
START_TEST(a_day_is_told)
{
    static const char *const wrong[] = {"", "2026-2-1", "2026-02-29", "2026-04-31", "2026-13-01", "2026-00-10",
        "2026-01-31x", " 2026-01-31", "20260131", "2026/01/31"};
    ck_assert(form_is_day("2026-01-31"));
    ck_assert(form_is_day("2028-02-29"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!form_is_day(wrong[i]), "%s", wrong[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("form");
    TCase *tests = tcase_create("form");
    tcase_add_test(tests, a_uuid_is_told);
    tcase_add_test(tests, a_day_is_told);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
