/* What happens to a person's number beside the usual way, over HTTPS: paper, with and without a number; a changed
 * number; a number or a portal pseudonym that is another's; corrections by two. */
#include "kit/journey_way.h"
#include "kit/stack.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct journey_answer answer;

static void numbers_start(void)
{
    way_start();
    memset(&answer, 0, sizeof answer);
}

static void numbers_end(void)
{
    journey_answer_fini(&answer);
    way_end();
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static void enter(const char *number)
{
    int status = trip_enter(&way.trip, &way.journey, number);
    ck_assert_msg(status == 201, "%d %s", status, way.trip.answer.body ? way.trip.answer.body : "");
}

static void identify(void)
{
    int status = trip_identify(&way.trip, &way.journey);
    ck_assert_msg(status == 200, "%d %s", status, way.trip.answer.body ? way.trip.answer.body : "");
}

static const char *paid_at_the_counter(void)
{
    const struct programme_procedure *procedure = programme_procedure_find(way.trip.programme, "registration");
    return procedure->payments & PROGRAMME_CASH ? "cash" : "stamps";
}

static void until_registered(void)
{
    way_await("review");
    way_decide("accept", NULL);
    way_await("fee");
    way_pay(paid_at_the_counter());
    way_await("completed");
    ck_assert_int_eq(way_entries(), 1);
}

/* As a member of staff of this role; the answer stays until the next. */
static int staff(
    const char *manager, const char *role, const char *method, const char *path, const char *key, json_t *body_take)
{
    struct journey_clerk *clerk = journey_clerk(&way.journey, manager, role);
    ck_assert_ptr_nonnull(clerk);
    return journey_clerk_call(&way.journey, clerk, method, path, key, body_take, &answer);
}

static void expect_code(int status, int wanted, const char *code)
{
    ck_assert_msg(status == wanted, "%d %s", status, answer.body ? answer.body : "");
    ck_assert_str_eq(journey_text(answer.json, "code"), code);
}

static int number_put(const char *manager, const char *pseudonym, const char *reason, const char *number)
{
    char path[128];
    char *sealed = journey_seal(&way.journey, reason, manager, number);
    snprintf(path, sizeof path, "/api/staff/persons/%s/number", pseudonym);
    int status =
        staff(manager, "counter", "PUT", path, NULL, json_pack("{ss ss}", "sealed_number", sealed, "reason", reason));
    free(sealed);
    return status;
}

static long count(const char *sql, const char *value)
{
    char text[512];
    snprintf(text, sizeof text, sql, value);
    return stack_count(text);
}

/* --- on paper ---------------------------------------------------------------------------------------------------- */

/* NUM-9, APPLY-6, PAY-2: S1 to S4 on paper, with the number, the whole way; nobody sees the number again */
START_TEST(on_paper_with_a_number)
{
    static const char *const programmes[] = {"chorishi", "hoikushi", "ginou-kentei", "jun-kangoshi"};
    char pseudonym[64];
    way_compose(programmes[_i], NULL);
    const char *number = way.trip.applicant.person.number;
    enter(number);
    ck_assert_int_eq(trip_enter(&way.trip, &way.journey, number), 200); /* the same paper, typed in again */
    ck_assert_int_eq(paper_look(&way.trip, &way.journey), 200);
    if (strcmp(way.trip.state, "residence_terminal") == 0)
        identify();
    until_registered();
    ck_assert_str_eq(journey_text(way_view(), "residence_result"), "match");
    ck_assert_ptr_null(strstr(way.trip.answer.body, number));
    way_pseudonym(pseudonym);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie WHERE pseudonym = '%s'", pseudonym), 1);
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry WHERE pseudonym = '%s'", pseudonym), 1);
}
END_TEST

/* NUM-9, JUKI-1, LINK-1: S0 takes no number on paper: an operator finds the person by the four items, no family
 * register is asked; the pseudonym stands for the person when the number becomes known and they apply on line */
START_TEST(on_paper_without_a_number)
{
    char pseudonym[64], online[64];
    way_compose("kaigishi", NULL);
    enter(NULL);
    way_await("residence_terminal");
    identify();
    until_registered();
    way_pseudonym(pseudonym);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie WHERE pseudonym = '%s'", pseudonym), 0);
    ck_assert_int_eq(way_ledger("SHIKAKU_KAIGI_URL", "taken", "pseudonym", pseudonym, NULL), 1);
    const char *number = way.trip.applicant.person.number;
    ck_assert_int_eq(number_put("mlit", pseudonym, "case-1", number), 200);
    ck_assert(json_is_true(json_object_get(answer.json, "changed")));
    /* The same person, now with the card. */
    struct kit_request request = way.trip.request;
    kit_application_fini(&way.trip.application);
    ck_assert(kit_application_make(&way.trip.application, &way.journey.world, &request));
    way.trip.paper = false;
    way_submit();
    way_await("review");
    way_pseudonym(online);
    ck_assert_str_eq(online, pseudonym);
}
END_TEST

/* NUM-9: what a programme asks for on paper must be there */
START_TEST(a_missing_number_is_refused)
{
    way_compose("chorishi", NULL);
    ck_assert_int_eq(trip_enter(&way.trip, &way.journey, NULL), 422);
    ck_assert_str_eq(journey_text(way.trip.answer.json, "code"), "number_missing");
}
END_TEST

/* Pitfall 15: another's number typed in leads to another's pseudonym; the residence network tells, and a person decides
 * before anything comes to the roll */
START_TEST(another_persons_number_goes_to_a_person)
{
    struct kit_person other;
    kit_person_make(&other, way.journey.seed, journey_people_take(1));
    ck_assert(journey_resident_load(&way.journey, &other, NULL));
    way_compose("hoikushi", NULL);
    enter(other.number);
    way_await("person");
    json_t *comparisons = json_object_get(way_view(), "comparisons");
    ck_assert_str_eq(journey_text(json_array_get(comparisons, 0), "item"), "name");
    ck_assert_str_eq(journey_text(json_array_get(comparisons, 0), "result"), "different");
    ck_assert_ptr_null(strstr(way.trip.answer.body, other.person.name));
    way_decide("return", "個人番号の記入が誤っています。");
    way_await("returned");
    ck_assert_int_eq(way_entries(), 0);
}
END_TEST

/* --- changed ------------------------------------------------------------------------------------------------------ */

/* NUM-1, domain 1.1: the network says that the number was changed; a clerk types in the new one; the pseudonym stays,
 * the earlier number leads to it still, and the application goes on */
START_TEST(a_changed_number)
{
    struct kit_person renumbered;
    char pseudonym[64], after[64];
    kit_person_make(&renumbered, way.journey.seed, journey_people_take(1));
    way_compose("hoikushi", &(struct journey_resident){.changed_number = renumbered.number});
    enter(way.trip.applicant.person.number);
    way_await("person");
    ck_assert_str_eq(journey_text(way_view(), "residence_result"), "number_changed");
    way_pseudonym(pseudonym);
    expect_code(number_put("saitama", "Y0KQ-BQNY-JZVK-G0Z1", "case-2", renumbered.number), 404, "pseudonym_unknown");
    ck_assert_int_eq(number_put("saitama", pseudonym, "case-2", renumbered.number), 200);
    ck_assert(json_is_true(json_object_get(answer.json, "changed")));
    ck_assert_int_eq(number_put("saitama", pseudonym, "case-2", renumbered.number), 200);
    ck_assert(json_is_false(json_object_get(answer.json, "changed")));
    way_decide("continue", "変更後の個人番号を確認した。");
    until_registered();
    way_pseudonym(after);
    ck_assert_str_eq(after, pseudonym);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie WHERE pseudonym = '%s'", pseudonym), 2);
}
END_TEST

/* AUTH-5: not everybody may type in a changed number, nor decide corrections, nor is it done at any terminal */
START_TEST(who_has_no_right_is_refused)
{
    int status = staff("tokyo", "residence", "PUT", "/api/staff/persons/Y0KQ-BQNY-JZVK-G0Z1/number", NULL,
        json_pack("{ss ss}", "sealed_number", "a.b.c.d.e", "reason", "case-1"));
    expect_code(status, 403, "not_permitted");
    expect_code(staff("tokyo", "counter", "GET", "/api/staff/corrections", NULL, NULL), 403, "not_permitted");
    expect_code(number_put("tokyo", "Y0KQ-BQNY-JZVK-G0Z1", "彼の件", "999900000001"), 422, "item_invalid");
}
END_TEST

/* --- corrections ---------------------------------------------------------------------------------------------------
 */

static void correction_ask(const char *key, json_t *body_take, char id[40])
{
    int status = staff("saitama", "corrector", "POST", "/api/staff/corrections", key, body_take);
    ck_assert_msg(status == 201, "%d %s", status, answer.body ? answer.body : "");
    snprintf(id, 40, "%s", journey_text(answer.json, "correction"));
}

static int correction_decide(const char *role, const char *id, bool approve)
{
    char path[128];
    snprintf(path, sizeof path, "/api/staff/corrections/%s/decision", id);
    return staff("saitama", role, "POST", path, NULL, json_pack("{sb ss}", "approve", approve, "reason", "case-4"));
}

static bool is_listed(const char *id)
{
    size_t i;
    json_t *one;
    ck_assert_int_eq(staff("saitama", "corrector#2", "GET", "/api/staff/corrections", NULL, NULL), 200);
    json_array_foreach(json_object_get(answer.json, "corrections"), i, one)
    {
        if (strcmp(journey_text(one, "correction"), id) == 0)
            return true;
    }
    return false;
}

/* Two numbers under one pseudonym: what a clerk typed as a changed number was another person's. */
static void wrongly_linked(char pseudonym[64], struct kit_person *other)
{
    way_compose("hoikushi", NULL);
    way_submit();
    way_await("review");
    way_pseudonym(pseudonym);
    kit_person_make(other, way.journey.seed, journey_people_take(1));
    ck_assert_int_eq(number_put("saitama", pseudonym, "case-3", other->number), 200);
}

/* NUM-1, AUTH-1, LOG-1, pitfall 15: separated by two members of staff and not by one; joined again the same way */
START_TEST(a_correction_takes_two)
{
    struct kit_person other;
    char pseudonym[64], second[64], id[40], again[40];
    wrongly_linked(pseudonym, &other);
    char *sealed = journey_seal(&way.journey, "case-4", "saitama", other.number);
    json_t *split = json_pack(
        "{ss ss ss ss}", "kind", "split", "pseudonym", pseudonym, "sealed_number", sealed, "reason", "case-4");
    free(sealed);
    correction_ask("split-1", json_incref(split), id);
    correction_ask("split-1", split, again);
    ck_assert_str_eq(id, again);
    ck_assert(is_listed(id));
    expect_code(correction_decide("corrector", id, true), 403, "correction_same_person");
    ck_assert_int_eq(correction_decide("corrector#2", id, true), 200);
    ck_assert_str_eq(journey_text(answer.json, "pseudonym"), pseudonym);
    snprintf(second, sizeof second, "%s", journey_text(answer.json, "other"));
    ck_assert_str_ne(second, pseudonym);
    expect_code(correction_decide("corrector#2", id, true), 409, "state_conflict");
    ck_assert(!is_listed(id));
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie WHERE pseudonym = '%s'", second), 1);
    correction_ask(NULL,
        json_pack("{ss ss ss sb ss}", "kind", "join", "pseudonym", pseudonym, "other", second, "other_in_force", false,
            "reason", "case-5"),
        id);
    ck_assert_int_eq(correction_decide("corrector#2", id, false), 200);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.joined WHERE pseudonym = '%s'", second), 0);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.correction WHERE asked_by = '%s' AND decided_by <> asked_by",
                         "saitama-corrector"),
        2);
    expect_code(staff("saitama", "corrector", "POST", "/api/staff/corrections", NULL,
                    json_pack("{ss ss ss}", "kind", "guess", "pseudonym", pseudonym, "reason", "case-6")),
        422, "item_invalid");
}
END_TEST

/* --- the portal ------------------------------------------------------------------------------------------------------
 */

/* NUM-3, pitfall 15: an application ties the portal pseudonym to the person; with another's portal pseudonym it is
 * kept, and a person settles whose it is before anything else happens */
START_TEST(another_persons_portal_pseudonym_goes_to_a_person)
{
    struct journey_trip second;
    long tied = stack_count("SELECT count(*) FROM vault.portal_tie WHERE manager = 'saitama'");
    way_compose("hoikushi", NULL);
    way_submit();
    ck_assert_int_eq(stack_count("SELECT count(*) FROM vault.portal_tie WHERE manager = 'saitama'"), tied + 1);
    const struct journey_plan plan = {.programme = "hoikushi", .index = journey_people_take(1)};
    ck_assert(trip_init(&second, &way.journey, &plan));
    strcpy(second.applicant.person.portal_pseudonym, way.trip.applicant.person.portal_pseudonym);
    ck_assert_int_eq(trip_submit(&second, &way.journey), 201);
    ck_assert_int_eq(trip_look(&second, &way.journey), 200);
    ck_assert_str_eq(second.state, "person");
    ck_assert_int_eq(stack_count("SELECT count(*) FROM vault.portal_tie WHERE manager = 'saitama'"), tied + 1);
    ck_assert_int_eq(count("SELECT count(*) FROM intake.history WHERE application = '%s' AND code = "
                           "'portal_of_another'",
                         second.application.id),
        1);
    ck_assert_int_eq(trip_decide(&second, &way.journey, "continue", "本人に確認した。"), 200);
    ck_assert(trip_await(&second, &way.journey, "review", WAY_MS));
    trip_fini(&second);
}
END_TEST

int main(void)
{
    if (!stack_open("numbers", 22400))
        return 1;
    Suite *suite = suite_create("numbers");
    TCase *tests = tcase_create("numbers");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, numbers_start, numbers_end);
    tcase_add_loop_test(tests, on_paper_with_a_number, 0, 4);
    tcase_add_test(tests, on_paper_without_a_number);
    tcase_add_test(tests, a_missing_number_is_refused);
    tcase_add_test(tests, another_persons_number_goes_to_a_person);
    tcase_add_test(tests, a_changed_number);
    tcase_add_test(tests, who_has_no_right_is_refused);
    tcase_add_test(tests, a_correction_takes_two);
    tcase_add_test(tests, another_persons_portal_pseudonym_goes_to_a_person);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0 || !stack_is_clean();
}
