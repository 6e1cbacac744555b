/* The table of HTTP routes, held against proto/portal.openapi.yaml, and the words around it: bodies, queries, base64,
 * pages. Run from the root of the checkout. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "certificates.pb-c.h"
#include "intake.pb-c.h"
#include "kit/contract.h"
#include "portal/portal_handlers.h"
#include "portal/portal_page.h"
#include "portal/portal_routes.h"

/* --- the contract --- */

static const struct http_route *route_of(const struct contract_operation *operation)
{
    for (size_t i = 0; i < http_route_count; i++)
        if (strcmp(http_routes[i].method, operation->method) == 0 && strcmp(http_routes[i].path, operation->path) == 0)
            return &http_routes[i];
    return NULL;
}

/* Who may ask, in the words of the contract. */
static void security_print(const struct http_route *route, char *text, size_t size)
{
    const char *between = "";
    size_t used = (size_t)snprintf(text, size, "[");
    if (route->who & WHO_MYNAPORTAL)
        used += (size_t)snprintf(text + used, size - used, "{mynaportal: []}"), between = ", ";
    if (route->who & WHO_HOLDER)
        used += (size_t)snprintf(text + used, size - used, "{mynaportal: [], assertion: []}"), between = ", ";
    if (route->who & WHO_TERMINAL)
        used += (size_t)snprintf(text + used, size - used, "{terminal: []}");
    if (route->who & WHO_STAFF)
        used += (size_t)snprintf(text + used, size - used, "%s{terminal: [], token: [%s%s]}", between,
            right_name(route->right), route->act == residence_inquire_http ? ", view" : "");
    snprintf(text + used, size - used, "]");
}

START_TEST(the_table_and_the_contract_agree)
{
    char security[128];
    static struct contract contract;
    ck_assert(contract_read(&contract));
    ck_assert_uint_eq(contract.count, http_route_count);
    for (size_t i = 0; i < contract.count; i++) {
        const struct contract_operation *said = &contract.operations[i];
        const struct http_route *route = route_of(said);
        ck_assert_msg(route != NULL, "%s %s is not in the table", said->method, said->path);
        security_print(route, security, sizeof security);
        ck_assert_msg(
            strcmp(security, said->security) == 0, "%s: %s, contract %s", route->name, security, said->security);
        ck_assert_msg(said->has_body == (route->body_max > 0), "%s: body", route->name);
        ck_assert_msg(said->statuses[0] >= 200 && said->statuses[0] < 300, "%s: no status of success", route->name);
        if (said->body_max)
            ck_assert_int_eq(said->body_max, (long)route->body_max);
    }
}
END_TEST

/* Nothing but the public routes is open, and what is a person's asks for that person. */
START_TEST(every_route_says_who)
{
    static const char *const open[] = {"vault_keys", "verify", "page"};
    for (size_t i = 0; i < http_route_count; i++) {
        const struct http_route *route = &http_routes[i];
        bool listed = false;
        for (size_t j = 0; j < sizeof open / sizeof *open; j++)
            listed |= strcmp(open[j], route->name) == 0;
        ck_assert_msg((route->who == WHO_ANYONE) == listed, "%s", route->name);
        ck_assert_msg(route->who & ~WHO_ANYONE || listed, "%s", route->name);
        ck_assert_msg((route->who & WHO_STAFF) ? route->right != RIGHT_none : true, "%s", route->name);
        ck_assert_uint_le(route->body_max, HTTP_BODY_MAX);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(strcmp(http_routes[j].name, route->name) != 0, "%s twice", route->name);
    }
}
END_TEST

START_TEST(paths_are_found_exactly)
{
    static const struct {
        const char *method, *path, *name, *part;
        enum fault_code code;
    } rows[] = {
        {"GET", "/api/applications", "status_list", "", FAULT_NONE},
        {"GET", "/api/applications/R-2026.1_a", "status", "R-2026.1_a", FAULT_NONE},
        {"POST", "/api/applications/R1/payment", "payment", "R1", FAULT_NONE},
        {"POST", "/api/staff/applications/R1/decision", "decide", "R1", FAULT_NONE},
        {"GET", "/api/applications/", NULL, "", FAULT_not_found},
        {"GET", "/api/applications/R1/", NULL, "", FAULT_not_found},
        {"GET", "/api/applications/R%201", NULL, "", FAULT_not_found},
        {"GET", "/api//applications", NULL, "", FAULT_not_found},
        {"GET", "/w", NULL, "", FAULT_not_found},
        {"GET", "", NULL, "", FAULT_not_found},
        {"GET", "/api/applications/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, "",
            FAULT_not_found},
        {"DELETE", "/api/applications", NULL, "", FAULT_method_not_allowed},
        {"get", "/api/applications", NULL, "", FAULT_method_not_allowed},
    };
    char part[HTTP_PART_MAX + 1], allow[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        const struct http_route *route =
            http_route_find(http_routes, http_route_count, rows[i].method, rows[i].path, part, &fault);
        ck_assert_msg(fault.code == rows[i].code && (route != NULL) == (rows[i].name != NULL), "row %zu", i);
        if (route) {
            ck_assert_str_eq(route->name, rows[i].name);
            ck_assert_str_eq(part, rows[i].part);
        }
    }
    http_route_methods(http_routes, http_route_count, "/api/applications", allow, sizeof allow);
    ck_assert_str_eq(allow, "POST, GET");
}
END_TEST

/* --- bodies --- */

static const struct member members[] = {
    {"text", JSON_STRING, true, 8},
    {"number", JSON_INTEGER, false, 0},
    {"flag", JSON_TRUE, false, 0},
};

/* APPLY-5: an object of the named members and no other */
START_TEST(bodies_are_strict)
{
    static const struct {
        const char *body;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"{\"text\":\"架空\"}", FAULT_NONE, ""},
        {"{\"text\":\"\",\"number\":1,\"flag\":false}", FAULT_NONE, ""},
        {"", FAULT_malformed, "body"},
        {"{", FAULT_malformed, "body"},
        {"[]", FAULT_malformed, "body"},
        {"\"text\"", FAULT_malformed, "body"},
        {"{\"text\":\"a\"} x", FAULT_malformed, "body"},
        {"{\"text\":\"a\",\"text\":\"b\"}", FAULT_malformed, "body"},
        {"{\"text\":\"a\\u0000\"}", FAULT_malformed, "body"},
        {"{\"text\":\"\xff\"}", FAULT_malformed, "body"},
        {"{\"text\":\"\\ud800\"}", FAULT_malformed, "body"},
        {"{\"text\":\"a\",\"secret-name\":\"b\"}", FAULT_item_unknown, "body"},
        {"{}", FAULT_item_missing, "text"},
        {"{\"text\":1}", FAULT_item_invalid, "text"},
        {"{\"text\":null}", FAULT_item_invalid, "text"},
        {"{\"text\":\"a\",\"number\":1.5}", FAULT_item_invalid, "number"},
        {"{\"text\":\"a\",\"flag\":\"true\"}", FAULT_item_invalid, "flag"},
        {"{\"text\":\"123456789\"}", FAULT_item_too_long, "text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        struct exchange x = {.body = (char *)rows[i].body, .body_len = strlen(rows[i].body)};
        json_t *body = exchange_json(&x, members, 3, &fault);
        ck_assert_msg(fault.code == rows[i].code && strcmp(fault.field, rows[i].field) == 0, "row %zu: %s %s", i,
            fault_code_text(fault.code), fault.field);
        ck_assert_int_eq(body != NULL, rows[i].code == FAULT_NONE);
        json_decref(body);
    }
    /* A NUL within the body is not its end. */
    struct fault fault = {0};
    struct exchange x = {.body = "{\"text\":\"a\"}\0}", .body_len = 14};
    ck_assert_ptr_null(exchange_json(&x, members, 3, &fault));
}
END_TEST

/* A member nested deep must not take the process down. */
START_TEST(depth_is_bounded)
{
    size_t len = 180000;
    char *body = malloc(len + 1);
    memset(body, '[', len);
    struct fault fault = {0};
    struct exchange x = {.body = body, .body_len = len};
    ck_assert_ptr_null(exchange_json(&x, members, 3, &fault));
    ck_assert_int_eq(fault.code, FAULT_malformed);
    free(body);
}
END_TEST

START_TEST(base64_is_strict)
{
    static const struct {
        const char *text, *bytes;
        enum fault_code code;
    } rows[] = {
        {"", "", FAULT_NONE},
        {"YQ==", "a", FAULT_NONE},
        {"YWI=", "ab", FAULT_NONE},
        {"YWJj", "abc", FAULT_NONE},
        {"Pz8/", "???", FAULT_NONE},
        {"YWJjZA==", "", FAULT_too_large},
        {"Pz8_", "", FAULT_malformed},
        {"YQ", "", FAULT_malformed},
        {"YR==", "", FAULT_malformed},
        {"YQ=a", "", FAULT_malformed},
        {"=YQ=", "", FAULT_malformed},
        {"====", "", FAULT_malformed},
        {"YQ= ", "", FAULT_malformed},
        {"Y\nQ=", "", FAULT_malformed},
    };
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        struct bytes bytes = {0};
        bool good = base64_take(arena, rows[i].text, "document", 3, &bytes, &fault);
        ck_assert_msg(fault.code == rows[i].code && good == (fault.code == FAULT_NONE), "row %zu", i);
        if (good)
            ck_assert_msg(
                bytes.len == strlen(rows[i].bytes) && memcmp(bytes.data, rows[i].bytes, bytes.len) == 0, "row %zu", i);
        else
            ck_assert_str_eq(fault.field, "document");
    }
    arena_free(arena);
}
END_TEST

START_TEST(queries_are_strict)
{
    static const struct {
        const char *query, *value;
        enum fault_code code;
    } rows[] = {
        {"", NULL, FAULT_NONE},
        {"c=abc", "abc", FAULT_NONE},
        {"x=1&c=a%2Bb%2fc%3D&y=2", "a+b/c=", FAULT_NONE},
        {"c=a+b", "a+b", FAULT_NONE},
        {"cc=1", NULL, FAULT_NONE},
        {"c", NULL, FAULT_NONE},
        {"c=%E8%B3%87", "資", FAULT_NONE},
        {"c=", "", FAULT_NONE},
        {"c=1&c=2", NULL, FAULT_malformed},
        {"c=%", NULL, FAULT_malformed},
        {"c=%4", NULL, FAULT_malformed},
        {"c=%zz", NULL, FAULT_malformed},
        {"c=a%00b", NULL, FAULT_malformed},
        {"c=%FF", NULL, FAULT_malformed},
    };
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fault fault = {0};
        struct exchange x = {.query = (char *)rows[i].query};
        const char *value;
        bool good = exchange_query(&x, arena, "c", &value, &fault);
        ck_assert_msg(fault.code == rows[i].code && good == (fault.code == FAULT_NONE), "row %zu", i);
        if (good)
            ck_assert_msg((!value && !rows[i].value) || (value && rows[i].value && strcmp(value, rows[i].value) == 0),
                "row %zu", i);
    }
    arena_free(arena);
}
END_TEST

/* --- answers --- */

START_TEST(a_refusal_names_code_field_and_sentence)
{
    for (int code = FAULT_NONE + 1; code < FAULT_CODES; code++) {
        struct fault fault = {0};
        struct exchange *x = exchange_new();
        fault_set(&fault, code, "birth_date");
        exchange_refuse(x, &fault);
        json_t *said = json_loadb(x->answer, x->answer_len, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_int_eq(x->status, fault_http_status(code));
        ck_assert_int_ge(x->status, 400);
        ck_assert_str_eq(member_text(said, "code"), fault_code_text(code));
        ck_assert_str_eq(member_text(said, "field"), "birth_date");
        ck_assert_str_eq(member_text(said, "message"), fault_japanese(code));
        ck_assert_uint_eq(json_object_size(said), 3);
        json_decref(said);
        exchange_free(x);
    }
}
END_TEST

/* NUM-3: what a holder sees has no 資格仮名ID in it */
START_TEST(the_pseudonym_is_shown_to_staff_only)
{
    Intake__Application application = INTAKE__APPLICATION__INIT;
    Intake__Step step = INTAKE__STEP__INIT, *steps[] = {&step};
    application.receipt = "R1";
    application.pseudonym = "PSEUDONYM-1";
    application.history = steps;
    application.n_history = 1;
    json_t *holder = application_json(&application, false), *staff = application_json(&application, true);
    char *text = json_dumps(holder, 0);
    ck_assert_ptr_null(strstr(text, "PSEUDONYM-1"));
    ck_assert_ptr_null(strstr(text, "pseudonym"));
    ck_assert_str_eq(member_text(staff, "pseudonym"), "PSEUDONYM-1");
    ck_assert_uint_eq(json_object_size(staff), json_object_size(holder) + 1);
    free(text);
    json_decref(holder);
    json_decref(staff);
}
END_TEST

/* CERT-1: what is shown cannot become a part of the page */
START_TEST(the_page_escapes)
{
    Certificates__Shown line = CERTIFICATES__SHOWN__INIT, *lines[] = {&line};
    Certificates__VerifyReply reply = CERTIFICATES__VERIFY_REPLY__INIT;
    size_t len;
    line.label = "<script>\"'&";
    line.value = "髙橋　葵</dd><img src=x>";
    reply.valid = true;
    reply.japanese = "<b>";
    reply.lines = lines;
    reply.n_lines = 1;
    char *page = page_print(&reply, &len);
    ck_assert_uint_eq(strlen(page), len);
    ck_assert_ptr_nonnull(strstr(page, "有効です"));
    ck_assert_ptr_nonnull(
        strstr(page, "<dt>&lt;script&gt;&quot;&#39;&amp;</dt><dd>髙橋　葵&lt;/dd&gt;&lt;img src=x&gt;</dd>"));
    ck_assert_ptr_nonnull(strstr(page, "<p>&lt;b&gt;</p>"));
    ck_assert_ptr_null(strstr(page, "<script"));
    ck_assert_ptr_null(strstr(page, "<img"));
    page_free(page);
    reply.valid = false;
    page = page_print(&reply, &len);
    ck_assert_ptr_nonnull(strstr(page, "無効です"));
    ck_assert_ptr_null(strstr(page, "有効です"));
    page_free(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("portal_routes");
    TCase *tests = tcase_create("routes");
    tcase_add_test(tests, the_table_and_the_contract_agree);
    tcase_add_test(tests, every_route_says_who);
    tcase_add_test(tests, paths_are_found_exactly);
    tcase_add_test(tests, bodies_are_strict);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, base64_is_strict);
    tcase_add_test(tests, queries_are_strict);
    tcase_add_test(tests, a_refusal_names_code_field_and_sentence);
    tcase_add_test(tests, the_pseudonym_is_shown_to_staff_only);
    tcase_add_test(tests, the_page_escapes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
