/* What must be refused, each by its status, its code of proto/errors.def and its Japanese sentence; and nothing of it
 * is kept, here or at any outside system. The cases are the table of kit/journey_refusals.c: one case, one test. */
#include "kit/journey.h"
#include "kit/journey_refusals.h"
#include "kit/stack.h"

#include <check.h>
#include <stdlib.h>

static struct journey journey;

static void start(void)
{
    ck_assert(journey_open(&journey, NULL));
}

static void end(void)
{
    journey_close(&journey);
}

/* Applications, ties of the vault that only an accepted number makes, and what went out. */
static long kept(void)
{
    return stack_count(
        "SELECT (SELECT count(*) FROM intake.application) + (SELECT count(*) FROM intake.queue) + "
        "(SELECT count(*) FROM vault.tie) + (SELECT count(*) FROM residence.inquiry) + "
        "(SELECT count(*) FROM records.entry)");
}

/* NUM-4, NUM-5, NUM-9, APPLY-1, APPLY-2, APPLY-5, APPLY-10, AUTH-3: as each case's row says */
START_TEST(it_is_refused)
{
    const struct refusal *refusal = &refusals[_i];
    struct refusal_outcome outcome;
    long before = kept();
    refusal_play(&journey, refusal, &outcome);
    ck_assert_msg(!*outcome.wrong, "%s (%s): %d %s %s: %s", refusal->name, refusal->requirement, outcome.http,
        outcome.code, outcome.field, outcome.wrong);
    if (refusal->code == FAULT_NONE)
        return;
    ck_assert_int_eq(kept(), before);
    /* Who is to put it right is told where: all but what concerns the caller as such name a field. */
    ck_assert_msg(*outcome.field || refusal->code == FAULT_peer_unknown, "%s names no field", refusal->name);
}
END_TEST

/* NUM-5, LOG-1: a refusal is on record too, by its code */
START_TEST(a_refused_number_is_on_record)
{
    struct refusal_outcome outcome;
    static const char sql[] = "SELECT count(*) FROM audit.log WHERE outcome = 'number_check_digit'";
    long before = stack_count(sql);
    refusal_play(&journey, &refusals[0], &outcome);
    ck_assert_str_eq(outcome.wrong, "");
    int64_t deadline = journey_clock_ms() + 20000;
    while (stack_count(sql) == before && journey_clock_ms() < deadline)
        ;
    ck_assert_int_gt(stack_count(sql), before);
}
END_TEST

/* APPLY-10: an assertion is good for one request */
START_TEST(an_assertion_is_good_once)
{
    struct kit_person person;
    struct journey_answer answer = {0};
    kit_person_make(&person, journey.seed, journey_people_take(1));
    char *assertion = journey_assertion(&journey, person.portal_pseudonym);
    const struct journey_call call = {
        .as = AS_MYNAPORTAL, .method = "GET", .path = "/api/applications", .assertion = assertion};
    ck_assert_int_eq(journey_call(&journey, &call, &answer), 200);
    ck_assert_int_eq(journey_call(&journey, &call, &answer), 401);
    ck_assert_str_eq(journey_text(answer.json, "code"), "assertion_invalid");
    journey_answer_fini(&answer);
    free(assertion);
}
END_TEST

int main(void)
{
    if (!stack_open("refusals", 14700))
        return 1;
    Suite *suite = suite_create("refusals");
    TCase *cases = tcase_create("cases");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_loop_test(cases, it_is_refused, 0, (int)refusal_count);
    tcase_add_test(cases, a_refused_number_is_on_record);
    tcase_add_test(cases, an_assertion_is_good_once);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0 || !stack_is_clean();
}
