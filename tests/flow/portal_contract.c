/* The running portal against proto/portal.openapi.yaml: every operation refuses a stranger in the stated form, and
 * answers those who may ask with a status and members that the contract states. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kit/contract.h"
#include "kit/journey.h"
#include "kit/stack.h"

static struct contract contract;
static char *contract_text;
static struct journey journey;

static bool text_read(void)
{
    size_t size = 0;
    FILE *in = fopen("proto/portal.openapi.yaml", "r");
    bool good = in && getdelim(&contract_text, &size, '\0', in) > 0;
    if (in)
        fclose(in);
    return good;
}

/* The path with something in place of its {…}. */
static void path_fill(char *path, size_t size, const char *pattern, const char *value)
{
    const char *open = strchr(pattern, '{'), *close = strchr(pattern, '}');
    if (open)
        snprintf(path, size, "%.*s%s%s", (int)(open - pattern), pattern, value, close + 1);
    else
        snprintf(path, size, "%s", pattern);
}

static void assert_error(const struct journey_answer *answer, const char *what)
{
    const char *code = journey_text(answer->json, "code");
    ck_assert_msg(json_object_size(answer->json) == 3 && *code && json_object_get(answer->json, "field") &&
                      *journey_text(answer->json, "message"),
        "%s: %s", what, answer->body);
    enum fault_code fault = fault_code_parse(code);
    ck_assert_msg(strcmp(fault_code_text(fault), code) == 0, "%s: %s is in no table", what, code);
    ck_assert_msg(fault_http_status(fault) == answer->status, "%s: %s with %d", what, code, answer->status);
    ck_assert_str_eq(journey_text(answer->json, "message"), fault_japanese(fault));
}

static int call_as(enum journey_as as, const char *method, const char *path, struct journey_answer *answer)
{
    const struct journey_call call = {.as = as, .method = method, .path = path};
    return journey_call(&journey, &call, answer);
}

/* AUTH-3, APPLY-12: whatever is not public is closed to who proves nothing */
START_TEST(strangers_are_refused_in_the_stated_form)
{
    static const enum journey_as strangers[] = {AS_NOBODY, AS_MYNAPORTAL, AS_UNLISTED_TERMINAL, AS_NUMBER_TERMINAL};
    char path[160], what[256];
    for (size_t i = 0; i < contract.count; i++) {
        const struct contract_operation *operation = &contract.operations[i];
        if (strcmp(operation->security, "[]") == 0)
            continue;
        path_fill(path, sizeof path, operation->path, "some-id");
        for (size_t j = 0; j < sizeof strangers / sizeof *strangers; j++) {
            struct journey_answer answer = {0};
            snprintf(what, sizeof what, "%s %s by %d", operation->method, path, strangers[j]);
            int status = call_as(strangers[j], operation->method, path, &answer);
            /* A listed terminal may log in, Mynaportal may put up a piece: with nothing in it, that is the fault. */
            ck_assert_msg(status == 401 || status == 403 || status == 400, "%s: %d", what, status);
            assert_error(&answer, what);
            journey_answer_fini(&answer);
        }
    }
}
END_TEST

START_TEST(other_methods_are_refused)
{
    char path[160];
    for (size_t i = 0; i < contract.count; i++) {
        struct journey_answer answer = {0};
        path_fill(path, sizeof path, contract.operations[i].path, "some-id");
        ck_assert_int_eq(call_as(AS_NOBODY, "PATCH", path, &answer), 405);
        assert_error(&answer, path);
        journey_answer_fini(&answer);
    }
}
END_TEST

/* --- what those get who may ask --- */

/* Every member of an answer, at any depth, is a word of the contract; what a programme's form holds is its own. */
static void assert_members_stated(const json_t *json, const char *what)
{
    const char *name;
    char word[96];
    json_t *value;
    size_t index;
    if (json_is_array(json)) {
        json_array_foreach(json, index, value) assert_members_stated(value, what);
        return;
    }
    json_object_foreach((json_t *)json, name, value)
    {
        snprintf(word, sizeof word, "%s:", name);
        ck_assert_msg(strstr(contract_text, word) != NULL, "%s: member %s is not in the contract", what, name);
        if (strcmp(name, "document") != 0 && strcmp(name, "keys") != 0)
            assert_members_stated(value, what);
    }
}

static void assert_stated(const char *method, const char *path, int status, const struct journey_answer *answer)
{
    ck_assert_msg(contract_states(&contract, method, path, status), "%s %s: %d %s", method, path, status,
        answer->body ? answer->body : "");
    assert_members_stated(answer->json, path);
}

static void clerk_asks(const char *role, const char *method, const char *pattern, const char *value, json_t *body_take)
{
    char path[200];
    struct journey_answer answer = {0};
    struct journey_clerk *clerk = journey_clerk(&journey, "tokyo", role);
    ck_assert_ptr_nonnull(clerk);
    path_fill(path, sizeof path, pattern, value);
    int status = journey_clerk_call(&journey, clerk, method, path, NULL, body_take, &answer);
    assert_stated(method, pattern, status, &answer);
    journey_answer_fini(&answer);
}

static void anybody_asks(const char *pattern, const char *query)
{
    char path[8000];
    struct journey_answer answer = {0};
    snprintf(path, sizeof path, "%s%s", pattern, query);
    assert_stated("GET", pattern, call_as(AS_NOBODY, "GET", path, &answer), &answer);
    journey_answer_fini(&answer);
}

static void holder_asks(struct journey_trip *trip, const char *pattern, const char *value)
{
    char path[200];
    struct journey_answer answer = {0};
    path_fill(path, sizeof path, pattern, value);
    const struct journey_call call = {
        .as = AS_MYNAPORTAL, .method = "GET", .path = path, .pseudonym = trip->applicant.person.portal_pseudonym};
    assert_stated("GET", pattern, journey_call(&journey, &call, &answer), &answer);
    journey_answer_fini(&answer);
}

static void until_review(struct journey_trip *trip)
{
    assert_stated("POST", "/api/applications", trip_submit(trip, &journey), &trip->answer);
    ck_assert_int_eq(trip->answer.status, 201);
    assert_stated("POST", "/api/applications", trip_submit(trip, &journey), &trip->answer);
    ck_assert_int_eq(trip->answer.status, 200);
    ck_assert(trip_await(trip, &journey, "residence_terminal", 20000));
    assert_stated(
        "POST", "/api/staff/applications/{receipt}/residence-result", trip_identify(trip, &journey), &trip->answer);
    ck_assert(trip_await(trip, &journey, "review", 20000));
}

/* APPLY-1, APPLY-8, APPLY-10, PAY-2, CERT-1: the whole way, each answer as stated */
START_TEST(those_who_may_ask_are_answered_as_stated)
{
    struct journey_trip trip = {0};
    struct journey_plan plan = {.programme = "chorishi", .index = journey_people_take(1)};
    char url[7000], certificate[64];
    ck_assert(trip_init(&trip, &journey, &plan));
    anybody_asks("/.well-known/vault-keys", "");
    until_review(&trip);
    holder_asks(&trip, "/api/applications", "");
    holder_asks(&trip, "/api/applications/{receipt}", trip.receipt);
    clerk_asks("counter", "GET", "/api/staff/applications", "", NULL);
    clerk_asks("counter", "GET", "/api/staff/applications/{receipt}", trip.receipt, NULL);
    clerk_asks("counter", "POST", "/api/staff/applications/{receipt}/decision", trip.receipt,
        json_pack("{ss}", "decision", "accept"));
    ck_assert(trip_await(&trip, &journey, "fee", 20000));
    clerk_asks("counter", "POST", "/api/staff/applications/{receipt}/fee-receipts", trip.receipt,
        json_pack("{ss sO}", "method", "cash", "amount", json_object_get(trip.answer.json, "fee")));
    ck_assert(trip_await(&trip, &journey, "completed", 20000));
    snprintf(certificate, sizeof certificate, "%s", journey_text(trip.answer.json, "certificate"));
    for (int i = 0; i < 3; i++) {
        int status = trip_certificate(&trip, &journey, (const char *const[]){"png", "pdf", "lines"}[i]);
        assert_stated("GET", "/api/certificates/{id}", status, &trip.answer);
    }
    snprintf(url, sizeof url, "%s", strstr(journey_text(trip.answer.json, "qr_url"), "?c="));
    clerk_asks("counter", "GET", "/api/certificates/{id}", certificate, NULL);
    anybody_asks("/api/verify", url);
    anybody_asks("/w/", url);
    clerk_asks("counter", "DELETE", "/api/staff/sessions", "", NULL);
    trip_fini(&trip);
}
END_TEST

int main(void)
{
    if (!stack_open("portal_contract", 15400))
        return 1;
    if (!text_read() || !contract_read(&contract) || !journey_open(&journey, NULL))
        return 1;
    Suite *suite = suite_create("portal_contract");
    TCase *tests = tcase_create("contract");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, strangers_are_refused_in_the_stated_form);
    tcase_add_test(tests, other_methods_are_refused);
    tcase_add_test(tests, those_who_may_ask_are_answered_as_stated);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* one stack, one connection to it */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    journey_close(&journey);
    free(contract_text);
    stack_close();
    return failed != 0;
}
