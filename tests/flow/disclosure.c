/* The records of use answer over HTTPS, about a person whose application went the whole way: who saw the data, what an
 * account did, whose data could have leaked; and what looks like misuse is found by itself. */
#include "kit/journey_way.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_MS 100
#define PASSWORD "Sazanami-31-Kumo"

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

static void check(int status, int expected, const char *code)
{
    ck_assert_msg(status == expected, "%d %.900s", status, answer.body ? answer.body : "");
    if (code)
        ck_assert_str_eq(journey_text(answer.json, "code"), code);
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

static int send(const char *method, const char *path, json_t *body_take)
{
    return journey_clerk_call(&way.journey, officer("saitama"), method, path, NULL, body_take, &answer);
}

/* RIGHT-3: from the question to a file with its scope, to the nine items, to the reports */
START_TEST(a_leak_is_worked_on)
{
    static const char *const items[] = {
        "data_items", "persons", "cause", "secondary_damage", "response", "publication", "prevention", "other"};
    char path[200], sub[240];
    long long until = journey_clock_ms() + 1;
    check(send("POST", "/api/staff/incidents",
              json_pack("{ss ss ss sI sI}", "reason", "R8-jian-1", "outline", "架空の端末が盗まれた。", "account",
                  "saitama-counter", "from_ms", (json_int_t)(until - 3600000), "until_ms", (json_int_t)until)),
        200, NULL);
    json_int_t due = json_integer_value(json_object_get(answer.json, "preliminary_due_ms"));
    ck_assert_int_gt(due, until);
    snprintf(path, sizeof path, "/api/staff/incidents/%s", journey_text(answer.json, "incident"));
    snprintf(sub, sizeof sub, "%s/persons?scope=1", path);
    check(get(officer("saitama"), sub), 200, NULL);
    ck_assert_ptr_nonnull(row_of("exposures", "person", pseudonym));
    check(get(officer("tokyo"), path), 404, "not_found");
    snprintf(sub, sizeof sub, "%s/steps", path);
    check(send("POST", sub, json_pack("{ss ss}", "to", "preliminary", "reason", "R8-sokuho-1")), 200, NULL);
    check(send("POST", sub, json_pack("{ss ss}", "to", "final", "reason", "R8-kakuho-1")), 422, "item_missing");
    ck_assert_str_eq(journey_text(answer.json, "field"), "data_items");
    json_t *body = json_pack("{ss}", "reason", "R8-jian-1");
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        json_object_set_new(body, items[i], json_string("調査済み。"));
    check(send("PUT", path, body), 200, NULL);
    check(send("POST", sub, json_pack("{ss ss}", "to", "final", "reason", "R8-kakuho-1")), 200, NULL);
    check(send("POST", sub, json_pack("{ss ss}", "to", "closed", "reason", "R8-jian-1")), 200, NULL);
    check(get(officer("saitama"), path), 200, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "items")), 9);
    ck_assert_str_eq(journey_text(row_of("items", "label", "再発防止"), "text"), "調査済み。");
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "changes")), 5);
    check(get(officer("saitama"), "/api/staff/incidents?state=closed"), 200, NULL);
    ck_assert_str_eq(journey_text(row_of("incidents", "state", "closed"), "japanese"), "終了");
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

/* --- what is found by itself ---------------------------------------------------------------------------------------
 */

static int log_in(struct journey_clerk *clerk, const char *password)
{
    const struct journey_call call = {.as = clerk->terminal, .method = "POST", .path = "/api/staff/sessions"};
    int status = journey_call_json(
        &way.journey, call, json_pack("{ss ss}", "account", clerk->account, "password", password), &answer);
    free(clerk->token);
    clerk->token = status == 201 ? strdup(journey_text(answer.json, "token")) : NULL;
    return status;
}

static int post(const struct journey_clerk *clerk, const char *path, json_t *body_take)
{
    const struct journey_call call = {.as = clerk->terminal, .method = "POST", .path = path, .token = clerk->token};
    return journey_call_json(&way.journey, call, body_take, &answer);
}

/* A clerk of the applicant's own name. */
static void namesake_make(struct journey_clerk *clerk)
{
    struct journey_clerk administrators[2];
    char person[PERSON_NAME_BYTES + 64], path[160], first[64];
    *clerk = (struct journey_clerk){.account = "saitama-namesake", .terminal = AS_NUMBER_TERMINAL};
    snprintf(person, sizeof person, "%s(職員番号0002)", way.trip.applicant.person.person.name);
    for (int i = 0; i < 2; i++)
        ck_assert(journey_administrator(&way.journey, "saitama", i + 1, &administrators[i]));
    ck_assert_int_eq(post(&administrators[0], "/api/staff/account-applications",
                         json_pack("{ss ss ss ss ss ss ss}", "kind", "issue", "account", clerk->account, "person",
                             person, "category", "staff", "role", "counter", "need", "見本", "until", "2099-03-31")),
        200);
    snprintf(
        path, sizeof path, "/api/staff/account-applications/%s/decision", journey_text(answer.json, "application"));
    ck_assert_int_eq(post(&administrators[1], path, json_pack("{sb}", "approve", 1)), 200);
    snprintf(first, sizeof first, "%s", journey_text(answer.json, "first_password"));
    ck_assert_int_eq(log_in(clerk, first), 201);
    ck_assert_int_eq(post(clerk, "/api/staff/me/password", json_pack("{ss ss}", "old", first, "new", PASSWORD)), 204);
    ck_assert_int_eq(log_in(clerk, PASSWORD), 201);
    free(administrators[0].token);
    free(administrators[1].token);
}

/* LOG-3: a clerk looks at an application of their own name; it becomes a finding, which another one closes */
START_TEST(a_look_at_ones_own_record_is_found)
{
    struct journey_clerk namesake, *inspector = journey_clerk(&way.journey, "saitama", "inspector");
    char path[160];
    const json_t *finding = NULL;
    ck_assert_ptr_nonnull(inspector);
    way_compose("hoikushi", NULL);
    way_submit();
    namesake_make(&namesake);
    snprintf(path, sizeof path, "/api/staff/applications/%s", way.trip.receipt);
    ck_assert_int_eq(get(&namesake, path), 200);
    for (int64_t deadline = journey_clock_ms() + WAY_MS; !finding && journey_clock_ms() < deadline;
         wire_pause(BEAT_MS)) {
        ck_assert_msg(get(inspector, "/api/staff/findings?rule=own-record&state=open") == 200, "%.900s", answer.body);
        finding = row_of("findings", "account", namesake.account);
    }
    ck_assert_msg(finding != NULL, "%.900s", answer.body);
    ck_assert_str_eq(journey_text(finding, "reason"), way.trip.application.id);
    snprintf(path, sizeof path, "/api/staff/findings/%s", journey_text(finding, "finding"));
    ck_assert_int_eq(get(inspector, path), 200);
    ck_assert_str_eq(journey_text(json_array_get(json_object_get(answer.json, "records"), 0), "act"), "intake_view");
    ck_assert_ptr_null(strstr(answer.body, way.trip.applicant.person.person.name));
    ck_assert_int_eq(get(&namesake, path), 403);
    strcat(path, "/closing");
    ck_assert_int_eq(post(inspector, path, json_pack("{ss}", "reason", "")), 422);
    ck_assert_int_eq(post(inspector, path, json_pack("{ss}", "reason", "同姓同名の別人と確認")), 204);
    ck_assert_int_eq(post(inspector, path, json_pack("{ss}", "reason", "もう一度")), 409);
    ck_assert_str_eq(journey_text(answer.json, "code"), "finding_closed");
    free(namesake.token);
}
END_TEST

/* The shipped rule of one's own record, every second. */
static bool rules_make(void)
{
    static const char folder[] = "build/flow-analyses";
    setenv("SHIKAKU_ANALYSES", folder, 1);
    setenv("SHIKAKU_ANALYSIS_SETTLE_SECONDS", "0", 1);
    return system(
               "mkdir -p build/flow-analyses && cd deploy/analyses && cp causes.json holidays.json "
               "../../build/flow-analyses && sed 's/\"every_seconds\": [0-9]*/\"every_seconds\": 1/' own-record.json "
               ">../../build/flow-analyses/own-record.json") == 0;
}

int main(void)
{
    if (!rules_make() || !stack_open("disclosure", 25400))
        return 1;
    TCase *tests = tcase_create("disclosure");
    tcase_add_checked_fixture(tests, way_start, way_end);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, who_saw_this_person_is_told);
    tcase_add_test(tests, whose_data_an_account_touched_is_told);
    tcase_add_test(tests, a_leak_is_worked_on);
    tcase_add_test(tests, who_may_not_ask_is_refused);
    tcase_add_test(tests, a_look_at_ones_own_record_is_found);
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
