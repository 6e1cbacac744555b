/* The records of use answer over HTTPS, about a person whose application went the whole way: who saw the data, what an
 * account did, whose data could have leaked. */
#include "kit/journey_way.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_MS 100

static struct journey_answer answer;
static char pseudonym[64];

static struct journey_clerk *officer(const char *manager)
{
    struct journey_clerk *found = journey_clerk(&way.journey, manager, "disclosure");
    ck_assert_ptr_nonnull(found);
    return found;
}

static int get(struct journey_clerk *clerk, const char *path)
{
    return journey_clerk_call(&way.journey, clerk, "GET", path, NULL, NULL, &answer);
}

static const json_t *row_of(const char *list, const char *member, const char *text)
{
    size_t index;
    json_t *row;
    json_array_foreach(
        json_object_get(answer.json, list), index, row) if (strcmp(journey_text(row, member), text) == 0) return row;
    return NULL;
}

/* Records reach audit within moments: ask until this act is there. Of before now: the questions are uses as well. */
static const json_t *use_await(const char *path, const char *act)
{
    int64_t deadline = journey_clock_ms() + WAY_MS;
    const json_t *found = NULL;
    for (; !found && journey_clock_ms() < deadline; wire_pause(BEAT_MS)) {
        ck_assert_msg(get(officer("saitama"), path) == 200, "%.900s", answer.body);
        found = row_of("uses", "act", act);
    }
    ck_assert_msg(found != NULL, "%s is not in %.900s", act, answer.body);
    return found;
}

/* RIGHT-1, LOG-1, EXCH-12: the whole way of an application as its person can be shown it, and the look at it */
START_TEST(who_saw_this_person_is_told)
{
    char path[256];
    way_compose("hoikushi", NULL);
    ck_assert(trip_travel(&way.trip, &way.journey, "online", WAY_MS));
    way_pseudonym(pseudonym); /* by a clerk at the counter, who looks at it */
    snprintf(path, sizeof path, "/api/staff/uses/of-person?pseudonym=%s&reason=R8-kaiji-1&limit=200&until_ms=%lld",
        pseudonym, (long long)journey_clock_ms() + 1);
    use_await(path, "notifying"); /* the last one */
    const json_t *seen = use_await(path, "intake_view");
    ck_assert_str_eq(journey_text(seen, "office"), "埼玉県知事");
    ck_assert_str_eq(journey_text(seen, "role"), "窓口・審査担当");
    ck_assert_str_eq(journey_text(seen, "what"), "申請内容の閲覧");
    ck_assert_str_eq(journey_text(seen, "result"), "実施");
    ck_assert_str_eq(journey_text(seen, "account"), "");
    ck_assert_ptr_nonnull(strstr(journey_text(seen, "why"), way.trip.application.id));
    static const char *const acts[] = {"intake_submit", "residence_answered", "intake_decide", "records_register",
        "certificates_issue", "hand_over", "vault_release"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        ck_assert_msg(row_of("uses", "act", acts[i]), "%s is not in %.900s", acts[i], answer.body);
    ck_assert_ptr_null(strstr(answer.body, way.trip.applicant.person.number));
    *strstr(path, "&until_ms") = '\0';
    use_await(path, "audit_who"); /* the questions too */
    ck_assert_int_eq(get(officer("tokyo"), path), 200);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "uses")), 0);
}
END_TEST

/* RIGHT-3: the counter's account could have leaked this person's data; the account's own deeds say how */
START_TEST(whose_data_an_account_touched_is_told)
{
    char path[320];
    long long until = journey_clock_ms() + 1, from = until - 3600000;
    snprintf(path, sizeof path,
        "/api/staff/uses/exposed?account=saitama-counter&reason=R8-jian-1&from_ms=%lld&until_ms=%lld", from, until);
    ck_assert_msg(get(officer("saitama"), path) == 200, "%.900s", answer.body);
    const json_t *exposure = row_of("exposures", "person", pseudonym);
    ck_assert_ptr_nonnull(exposure);
    ck_assert_int_ge(json_integer_value(json_object_get(exposure, "seen")), 1);
    ck_assert_int_ge(json_integer_value(json_object_get(json_object_get(answer.json, "sum"), "persons")), 1);
    ck_assert_int_eq(
        get(officer("saitama"), "/api/staff/uses/of-account?account=saitama-counter&reason=R8-jian-1"), 200);
    const json_t *deed = row_of("deeds", "act", "intake_view");
    ck_assert_ptr_nonnull(deed);
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(deed, "persons"), 0)), pseudonym);
}
END_TEST

/* RIGHT-1, EXCH-13, AUTH-5: who may not ask is refused; what is missing is named */
START_TEST(who_may_not_ask_is_refused)
{
    char path[256];
    struct journey_clerk administrator;
    ck_assert(journey_administrator(&way.journey, "saitama", 1, &administrator));
    snprintf(path, sizeof path, "/api/staff/uses/of-person?pseudonym=%s&reason=R8-kaiji-1", pseudonym);
    ck_assert_int_eq(get(journey_clerk(&way.journey, "saitama", "counter"), path), 403);
    ck_assert_int_eq(get(&administrator, path), 403);
    free(administrator.token);
    ck_assert_int_eq(get(officer("saitama"), "/api/staff/uses/of-person?pseudonym=K"), 422);
    ck_assert_str_eq(journey_text(answer.json, "code"), "reason_missing");
    ck_assert_str_eq(journey_text(answer.json, "field"), "reason");
    ck_assert_str_ne(journey_text(answer.json, "message"), "");
    ck_assert_int_eq(get(officer("saitama"), "/api/staff/uses/exposed?terminal=t&reason=1&from_ms=9&until_ms=x"), 422);
    ck_assert_str_eq(journey_text(answer.json, "field"), "until_ms");
}
END_TEST

int main(void)
{
    if (!stack_open("disclosure", 25400))
        return 1;
    TCase *tests = tcase_create("disclosure");
    tcase_add_checked_fixture(tests, way_start, way_end);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, who_saw_this_person_is_told);
    tcase_add_test(tests, whose_data_an_account_touched_is_told);
    tcase_add_test(tests, who_may_not_ask_is_refused);
    Suite *suite = suite_create("disclosure");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    journey_answer_fini(&answer);
    stack_close();
    return failed != 0;
}
