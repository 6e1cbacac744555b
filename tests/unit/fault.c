/* Errors are data: every code can be told, told apart, and answered. */
#include "chassis/fault.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A refusal names code and field, and reads as Japanese */
START_TEST(every_code_has_what_an_answer_needs)
{
    for (int code = FAULT_NONE + 1; code < FAULT_CODES; code++) {
        const char *japanese = fault_japanese(code);
        ck_assert_int_eq(fault_code_parse(fault_code_text(code)), code);
        ck_assert(fault_http_status(code) >= 400 && fault_http_status(code) <= 504);
        ck_assert(fault_outcome(code) == OUTCOME_RETRY || fault_outcome(code) == OUTCOME_REJECT);
        /* What may pass is a trouble of the server; what never will is one of the request. */
        ck_assert_int_eq(fault_outcome(code) == OUTCOME_RETRY, fault_http_status(code) >= 500);
        ck_assert_str_ne(japanese, "");
        ck_assert_str_eq(japanese + strlen(japanese) - strlen("。"), "。");
    }
}
END_TEST

START_TEST(what_is_not_in_the_table_is_internal)
{
    ck_assert_int_eq(fault_code_parse("no_such_code"), FAULT_internal);
    ck_assert_int_eq(fault_code_parse(""), FAULT_internal);
    /* A peer that refuses for no reason is not taken to agree. */
    ck_assert_int_eq(fault_code_parse("none"), FAULT_internal);
}
END_TEST

START_TEST(a_fault_keeps_code_and_field_and_says_no)
{
    struct fault fault = {0};
    char longer[2 * FAULT_FIELD_MAX];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert(!fault_set(&fault, FAULT_item_missing, "items.name"));
    ck_assert_int_eq(fault.code, FAULT_item_missing);
    ck_assert_str_eq(fault.field, "items.name");
    ck_assert(!fault_set(&fault, FAULT_item_unknown, longer));
    ck_assert_uint_eq(strlen(fault.field), FAULT_FIELD_MAX - 1);
    ck_assert(!fault_set(&fault, FAULT_malformed, NULL));
    ck_assert_str_eq(fault.field, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fault");
    TCase *cases = tcase_create("fault");
    tcase_add_test(cases, every_code_has_what_an_answer_needs);
    tcase_add_test(cases, what_is_not_in_the_table_is_internal);
    tcase_add_test(cases, a_fault_keeps_code_and_field_and_says_no);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
