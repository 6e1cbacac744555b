/* The rights table: what may stand in it, what it decides, and how another one comes into force. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "chassis/rights.h"
#include "chassis/session_watch.h"
#include "chassis/work.h"
#include "kit/staff_word.h"

#define SHIPPED "deploy/rights/roles.json"

/* As shipped, whichever edition that is: here the second. */
static json_t *shipped(void)
{
    json_t *table = json_load_file(SHIPPED, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(table);
    json_object_set_new(table, "version", json_integer(2));
    return table;
}

static json_t *at(json_t *json, const char *one, const char *two, const char *three)
{
    json_t *found = json_object_get(json, one);
    found = two ? json_object_get(found, two) : found;
    found = three ? json_object_get(found, three) : found;
    ck_assert_msg(found != NULL, "%s", one);
    return found;
}

static void refused(json_t *table_take, const char *field)
{
    struct fault fault = {0};
    ck_assert_msg(!rights_take(table_take, &fault), "%s", field);
    ck_assert_int_eq(fault.code, FAULT_malformed);
    ck_assert_str_eq(fault.field, field);
    json_decref(table_take);
}

/* AUTH-5, EXCH-13: a table that breaks a rule is refused and the place named */
START_TEST(a_wrong_table_is_refused)
{
    struct fault fault = {0};
    ck_assert(!rights_open("deploy/rights/none.json", &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert(!rights_open("deploy/rights/README.md", &fault));
    ck_assert_int_eq(fault.code, FAULT_malformed);
    json_t *table = shipped();
    json_object_set_new(table, "more", json_true());
    refused(table, "SHIKAKU_RIGHTS");
    table = shipped();
    json_object_set_new(table, "version", json_integer(0));
    refused(table, "version");
    table = shipped();
    json_object_del(at(table, "rights", NULL, NULL), "review");
    refused(table, "review"); /* a right that is nowhere described */
    table = shipped();
    json_object_set_new(at(table, "rights", NULL, NULL), "rule", json_object());
    refused(table, "rule");
    table = shipped();
    json_array_append_new(at(table, "rights", "review", "purposes"), json_string("curiosity"));
    refused(table, "curiosity");
    table = shipped();
    json_array_append_new(json_object_get(json_array_get(at(table, "roles", "reviewer", "grants"), 0), "purposes"),
        json_string("administration"));
    refused(table, "view"); /* for a purpose that the right is not for */
    table = shipped();
    json_array_append_new(at(table, "roles", "platform_operator", "grants"),
        json_pack("{s[s] ss s[s]}", "rights", "view", "programmes", "all", "purposes", "registration"));
    refused(table, "view"); /* personal data for a role that may reach none */
    table = shipped();
    json_object_set_new(json_array_get(at(table, "roles", "data_entry", "grants"), 0), "programmes", json_array());
    refused(table, "programmes");
    table = shipped();
    json_object_set_new(at(table, "terminals", "number", NULL), "rights", json_array());
    refused(table, "rights");
}
END_TEST

/* AUTH-5: every right by which something is changed can be marked; looking cannot wait for a second person, and a table
 * that says so is refused with the right and the rule */
START_TEST(two_persons_for_every_act)
{
    size_t marked = 0;
    for (int right = RIGHT_none + 1; right < RIGHTS; right++) {
        struct fault fault = {0};
        bool changes = false;
        for (enum route route = 0; route < ROUTES; route++)
            changes |= (int)route_row(route)->right == right && route_row(route)->kind == ROUTE_COMMAND;
        json_t *table = shipped(), *rule = json_object_get(json_object_get(table, "rights"), right_name(right));
        if (!rule || json_is_true(json_object_get(rule, "temporary"))) {
            json_decref(table);
            continue;
        }
        json_t *grants =
            at(table, "roles", json_is_true(json_object_get(rule, "personal")) ? "counter" : "administrator", "grants");
        json_array_append_new(grants, json_pack("{s[s] ss sO sb}", "rights", right_name(right), "programmes", "all",
                                          "purposes", json_object_get(rule, "purposes"), "two_persons", 1));
        ck_assert_msg(rights_take(table, &fault) == changes, "%s", right_name(right));
        if (!changes) {
            ck_assert_str_eq(fault_code_text(fault.code), "two_persons_unfit");
            ck_assert_str_eq(fault.field, right_name(right));
        }
        marked += changes;
        json_decref(table);
    }
    ck_assert_uint_ge(marked, 10);
}
END_TEST

static struct actor actor_of(const char *role, const char *programmes)
{
    struct actor actor = {.rights = ~0u, .rights_version = 2};
    strcpy(actor.account, "hanako");
    strcpy(actor.manager, "tokyo");
    snprintf(actor.role, sizeof actor.role, "%s", role);
    snprintf(actor.programmes, sizeof actor.programmes, "%s", programmes);
    return actor;
}

static const struct {
    const char *role, *programmes; /* of the token */
    enum right right;
    const char *purpose, *programme;
    const char *refused; /* the field; NULL: permitted */
} decisions[] = {
    {"reviewer", "", RIGHT_review, "", "chorishi", NULL},
    {"reviewer", "", RIGHT_review, "registration", "chorishi", NULL},
    {"reviewer", "", RIGHT_review, "registration", NULL, NULL},
    {"reviewer", "", RIGHT_review, "disclosure", NULL, "purpose"},
    {"reviewer", "", RIGHT_review, "curiosity", NULL, "purpose"},
    {"reviewer", "", RIGHT_view, "disclosure", NULL, "purpose"},
    {"reviewer", "", RIGHT_paper_enter, "", "chorishi", "purpose"},
    {"reviewer", ",chorishi,", RIGHT_review, "", "chorishi", NULL},
    {"reviewer", ",chorishi,", RIGHT_review, "", "hoikushi", "programme"},
    {"reviewer", ",chorishi,", RIGHT_review, "", "chori", "programme"},
    {"reviewer", ",chorishi,hoikushi,", RIGHT_review, "", "chorishi,hoikushi", "programme"},
    {"reviewer", ",chorishi,", RIGHT_review, "", "", "programme"},
    {"disclosure", "", RIGHT_view, "disclosure", "chorishi", NULL},
    {"disclosure", "", RIGHT_view, "incident", "chorishi", NULL},
    {"disclosure", "", RIGHT_view, "", "chorishi", "purpose"}, /* it must say for what */
    {"disclosure", "", RIGHT_review, "disclosure", "chorishi", "purpose"},
    {"health_centre", "", RIGHT_view, "", "chorishi", NULL},
    {"health_centre", "", RIGHT_view, "", "hoikushi", "programme"},
    {"health_centre", ",hoikushi,", RIGHT_view, "", "hoikushi", "programme"},
    {"health_centre", ",hoikushi,", RIGHT_view, "", "chorishi", "programme"},
    {"platform_operator", "", RIGHT_view, "", NULL, "manager"},
    {"platform_operator", "", RIGHT_account_watch, "", NULL, "manager"}, /* of a manager with a roll: nothing at all */
    {"administrator", "", RIGHT_account_watch, "", NULL, NULL},
    {"platform_operator", "", RIGHT_session, "", NULL, NULL},
    {"nobody", "", RIGHT_view, "", NULL, ""},
};

/* AUTH-5: role x right x programme x purpose */
START_TEST(the_table_decides)
{
    struct fault fault = {0};
    ck_assert(rights_open(SHIPPED, &fault));
    struct actor actor = actor_of(decisions[_i].role, decisions[_i].programmes);
    bool may = rights_permit(&actor, decisions[_i].right, decisions[_i].purpose, decisions[_i].programme, &fault);
    ck_assert_int_eq(may, decisions[_i].refused == NULL);
    if (!may) {
        ck_assert_int_eq(fault.code, FAULT_not_permitted);
        ck_assert_str_eq(fault.field, decisions[_i].refused);
    }
    actor.rights = 0; /* what the token does not say is not given, whatever the table says */
    ck_assert(!rights_permit(&actor, decisions[_i].right, decisions[_i].purpose, decisions[_i].programme, &fault));
}
END_TEST

static struct loan loan_of(const char *purpose, const char *programme, int64_t until_ms)
{
    struct loan loan = {.id = "00000000-0000-4000-8000-00000000000a", .right = RIGHT_export, .until_ms = until_ms};
    snprintf(loan.purpose, sizeof loan.purpose, "%s", purpose);
    snprintf(loan.programme, sizeof loan.programme, "%s", programme);
    return loan;
}

static bool export_permitted(const char *role, const char *programmes, struct loan loan, const char *programme)
{
    struct fault fault = {0};
    struct actor actor = actor_of(role, programmes);
    actor.loans[actor.loan_count++] = loan;
    return rights_permit(&actor, RIGHT_export, "inspection", programme, &fault);
}

/* AUTH-8: nobody has the right by default; a loan gives it while it runs, for its purpose, on its programme, within
 * what the person has otherwise, and not to who may reach no personal data */
START_TEST(a_lent_right_counts_while_it_is_lent)
{
    struct fault fault = {0};
    char programmes[RIGHTS_PROGRAMMES_MAX];
    int64_t later = clock_ms() + 60000;
    ck_assert(rights_open(SHIPPED, &fault));
    staff_word_take();
    struct actor without = actor_of("reviewer", "");
    ck_assert(!rights_permit(&without, RIGHT_export, "inspection", NULL, &fault));
    ck_assert(export_permitted("reviewer", "", loan_of("inspection", "", later), "chorishi"));
    ck_assert(export_permitted("reviewer", "", loan_of("inspection", "chorishi", later), "chorishi"));
    ck_assert(export_permitted("reviewer", "", loan_of("inspection", "chorishi", later), NULL));
    ck_assert(!export_permitted("reviewer", "", loan_of("inspection", "chorishi", later), "hoikushi"));
    ck_assert(!export_permitted("reviewer", "", loan_of("inspection", "", clock_ms()), "chorishi"));
    ck_assert(!export_permitted("reviewer", "", loan_of("disclosure", "", later), "chorishi"));
    ck_assert(!export_permitted("reviewer", "", loan_of("registration", "", later), "chorishi"));
    ck_assert(!export_permitted("reviewer", ",hoikushi,", loan_of("inspection", "", later), "chorishi"));
    ck_assert(!export_permitted("health_centre", "", loan_of("inspection", "", later), "hoikushi"));
    ck_assert(export_permitted("health_centre", "", loan_of("inspection", "", later), "chorishi"));
    ck_assert(!export_permitted("administrator", "", loan_of("inspection", "", later), "chorishi"));
    struct actor with = actor_of("health_centre", "");
    with.loans[with.loan_count++] = loan_of("inspection", "", later);
    ck_assert(!rights_permit(&with, RIGHT_review, "", NULL, &fault)); /* nothing else comes with it */
    rights_programmes(&with, RIGHT_export, "inspection", programmes);
    ck_assert_str_eq(programmes, ",chorishi,");
    ck_assert_str_eq(rights_loan(&with, RIGHT_export, "inspection")->id, with.loans[0].id);
    ck_assert_ptr_null(rights_loan(&with, RIGHT_view, "registration"));
    session_ended(with.loans[0].id, later);
    ck_assert(!rights_permit(&with, RIGHT_export, "inspection", NULL, &fault));
    rights_programmes(&with, RIGHT_export, "inspection", programmes);
    ck_assert_str_eq(programmes, ",,");
}
END_TEST

/* AUTH-8: what can be lent to whom; and what can be lent stands in no role */
START_TEST(only_what_is_temporary_is_lent)
{
    struct fault fault = {0};
    ck_assert(rights_open(SHIPPED, &fault));
    ck_assert(rights_lend_check("reviewer", "export", "inspection", "chorishi", &fault));
    ck_assert(rights_lend_check("reviewer", "export", "incident", "", &fault));
    ck_assert(!rights_lend_check("reviewer", "review", "registration", "", &fault));
    ck_assert(!rights_lend_check("reviewer", "session", "registration", "", &fault));
    ck_assert(!rights_lend_check("reviewer", "no_such", "inspection", "", &fault));
    ck_assert(!rights_lend_check("reviewer", "export", "registration", "", &fault));
    ck_assert(!rights_lend_check("health_centre", "export", "inspection", "hoikushi", &fault));
    ck_assert(!rights_lend_check("administrator", "export", "inspection", "", &fault));
    ck_assert(!rights_lend_check("platform_operator", "export", "inspection", "", &fault));
    json_t *table = shipped();
    json_array_append_new(at(table, "roles", "reviewer", "grants"),
        json_pack("{s[s] ss s[s]}", "rights", "export", "programmes", "all", "purposes", "inspection"));
    refused(table, "export");
}
END_TEST

/* EXCH-13, AUTH-1: operators administer the platform's own accounts, and nobody else administers those */
START_TEST(operators_belong_to_the_platform)
{
    struct fault fault = {0};
    ck_assert(rights_open(SHIPPED, &fault));
    struct actor operator= actor_of("platform_operator", ""), administrator = actor_of("administrator", "");
    strcpy(operator.manager, RIGHTS_PLATFORM);
    strcpy(administrator.manager, RIGHTS_PLATFORM);
    ck_assert(rights_permit(&operator, RIGHT_account_decide, "", NULL, &fault));
    ck_assert(!rights_permit(&administrator, RIGHT_account_decide, "", NULL, &fault));
    ck_assert_str_eq(fault.field, "manager");
    for (int right = RIGHT_none + 1; right < RIGHTS; right++) {
        bool administers = right == RIGHT_session || strncmp(right_name((enum right)right), "account_", 8) == 0 ||
                           right == RIGHT_terminal_manage;
        ck_assert_int_eq(rights_permit(&operator, right, "", NULL, &fault), administers);
    }
    ck_assert(rights_role_fits("platform_operator", RIGHTS_PLATFORM) && !rights_role_fits("reviewer", RIGHTS_PLATFORM));
    ck_assert(rights_role_fits("reviewer", "tokyo") && !rights_role_fits("platform_operator", "tokyo"));
    json_t *table = shipped();
    json_object_set_new(at(table, "roles", "platform_operator", NULL), "personal_data", json_true());
    refused(table, "platform_operator");
}
END_TEST

static void programmes_are(const char *role, const char *of_token, const char *wanted)
{
    char programmes[RIGHTS_PROGRAMMES_MAX];
    struct actor actor = actor_of(role, of_token);
    rights_programmes(&actor, RIGHT_view, "registration", programmes);
    ck_assert_str_eq(programmes, wanted);
}

/* ROLL-6: what row-level security is told; ",," is no programme */
START_TEST(programmes_are_those_of_token_and_table)
{
    struct fault fault = {0};
    ck_assert(rights_open(SHIPPED, &fault));
    programmes_are("reviewer", "", "");
    programmes_are("reviewer", ",chorishi,hoikushi,", ",chorishi,hoikushi,");
    programmes_are("health_centre", "", ",chorishi,");
    programmes_are("health_centre", ",hoikushi,chorishi,", ",chorishi,");
    programmes_are("health_centre", ",hoikushi,", ",,");
    programmes_are("platform_operator", "", ",,");
    programmes_are("nobody", "", ",,");
}
END_TEST

static void table_write(const char *file, json_t *table_take)
{
    char fresh[80];
    snprintf(fresh, sizeof fresh, "%s.new", file);
    ck_assert_int_eq(json_dump_file(table_take, fresh, 0), 0);
    ck_assert_int_eq(rename(fresh, file), 0);
    json_decref(table_take);
}

static json_t *without_review(int version)
{
    json_t *table = shipped();
    json_object_set_new(table, "version", json_integer(version));
    json_object_set_new(at(table, "roles", "reviewer", NULL), "grants", json_array());
    return table;
}

static bool reviewer_may(uint32_t version)
{
    struct fault fault = {0};
    struct actor actor = actor_of("reviewer", "");
    actor.rights_version = version;
    return rights_permit(&actor, RIGHT_review, "", NULL, &fault);
}

static uint32_t version_now(void)
{
    struct rights_edition edition;
    rights_edition(&edition);
    return edition.version;
}

/* AUTH-5: a right that is taken away is gone within a second; a table under an old version is not taken */
START_TEST(a_changed_table_comes_into_force)
{
    struct fault fault = {0};
    char file[] = "/tmp/shikaku-rights-XXXXXX";
    close(mkstemp(file));
    table_write(file, shipped());
    ck_assert(rights_open(file, &fault));
    const uint32_t first = version_now();
    ck_assert(reviewer_may(first));
    table_write(file, without_review((int)first)); /* the same version: nobody can have reviewed it */
    ck_assert(reviewer_may(first));
    struct fault behind = {0};
    struct actor actor = actor_of("reviewer", "");
    actor.rights_version = first + 1;
    ck_assert(!rights_permit(&actor, RIGHT_review, "", NULL, &behind));
    ck_assert_str_eq(fault_code_text(behind.code), "unavailable"); /* the token knows more than we */
    ck_assert(reviewer_may(first));
    table_write(file, without_review((int)first + 1));
    ck_assert(!reviewer_may(first + 1)); /* at once: the token's version says that there is a newer one */
    ck_assert_uint_eq(version_now(), first + 1);
    ck_assert(!reviewer_may(first));
    json_t *third = shipped();
    json_object_set_new(third, "version", json_integer(first + 2));
    table_write(file, third);
    int64_t until = time(NULL) + 5;
    while (version_now() != first + 2 && time(NULL) < until)
        usleep(20000);
    ck_assert_uint_eq(version_now(), first + 2);
    ck_assert(reviewer_may(first));
    unlink(file);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("rights");
    tcase_add_test(cases, a_wrong_table_is_refused);
    tcase_add_test(cases, two_persons_for_every_act);
    tcase_add_loop_test(cases, the_table_decides, 0, sizeof decisions / sizeof *decisions);
    tcase_add_test(cases, a_lent_right_counts_while_it_is_lent);
    tcase_add_test(cases, only_what_is_temporary_is_lent);
    tcase_add_test(cases, operators_belong_to_the_platform);
    tcase_add_test(cases, programmes_are_those_of_token_and_table);
    tcase_add_test(cases, a_changed_table_comes_into_force);
    Suite *suite = suite_create("rights");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
