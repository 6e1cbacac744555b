/* The life of an account: application, decision, issue, change, extension, end; the register, and what is compared. */
#include "store/staff.h"

#include "staff/staff_lanes.h"

static void account_end_as(const char *account, const char *reason, enum outcome expected)
{
    Staff__AccountEndRequest request = STAFF__ACCOUNT_END_REQUEST__INIT;
    struct actor administrator = person_of("admin-2", "tokyo");
    request.manager = "tokyo";
    request.account = (char *)account;
    request.reason = (char *)reason;
    ck_assert_int_eq(deliver(work, ROUTE_staff_account_end, &administrator, &request.base, NULL), expected);
}

/* AUTH-1, AUTH-4: applied for by one, approved by another; the first password opens nothing but its change */
START_TEST(an_account_is_issued_on_an_application)
{
    char application[37], first[64];
    Staff__AccountApplyRequest request = apply_request("hanako", "counter", "tokyo");
    apply(&request, "admin-1", application);
    ck_assert(*application);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_ptr_null(decide("tokyo", application, "admin-1", true));
    assert_code(FAULT_decided_by_applicant);
    ck_assert_ptr_null(decide("saitama", application, "admin-2", true));
    assert_code(FAULT_not_found);
    const Staff__AccountDecideReply *decided = decide("tokyo", application, "admin-2", true);
    strcpy(first, decided->first_password);
    ck_assert_str_eq(decided->account, "hanako");
    ck_assert_ptr_null(decide("tokyo", application, "admin-3", false));
    assert_code(FAULT_application_decided);
    const Staff__LoginReply *reply = login("hanako", first, NUMBER_TERMINAL);
    struct actor actor = actor_of(reply);
    ck_assert_str_eq(reply->must[0], "password");
    ck_assert_int_eq(actor.rights, 1u << RIGHT_session);
    ck_assert_int_eq(password_change(&actor, first, PASSWORD), OUTCOME_DONE);
    actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert(actor_has(&actor, RIGHT_review));
    assert_refused(login("hanako", first, NUMBER_TERMINAL), FAULT_login_failed);
}
END_TEST

/* AUTH-4: what was refused issues nothing, and stays in the register with who and why */
START_TEST(a_refused_application_stays)
{
    char application[37];
    Staff__AccountApplyRequest request = apply_request("hanako", "counter", "tokyo");
    apply(&request, "admin-1", application);
    ck_assert_ptr_nonnull(decide("tokyo", application, "admin-2", false));
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.account"), 0);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.application WHERE state = 'refused' AND "
                         "applied_by = 'admin-1' AND decided_by = 'admin-2' AND reason <> ''"),
        1);
}
END_TEST

/* AUTH-1, AUTH-9: what an application must say */
START_TEST(applications_keep_the_rules)
{
    static const struct {
        const char *member, *value;
        enum fault_code code;
    } rows[] = {
        {"kind", "borrow", FAULT_item_invalid}, {"account", "", FAULT_item_invalid},
        {"account", "Hanako", FAULT_item_invalid}, {"account", "a b", FAULT_item_invalid},
        {"person", "", FAULT_item_missing}, {"category", "friend", FAULT_item_invalid},
        {"category", "operator", FAULT_item_invalid},
        {"category", "administrator", FAULT_item_invalid}, /* with a clerk's role */
        {"category", "contractor", FAULT_item_missing},    /* of whom? */
        {"role", "king", FAULT_item_invalid},
        {"role", "administrator", FAULT_item_invalid}, /* with a clerk's account */
        {"need", "", FAULT_item_missing}, {"until", "", FAULT_item_missing},
        {"until", "2026-02-30", FAULT_item_invalid}, {"until", "tomorrow", FAULT_item_invalid},
        {"until", "2020-01-01", FAULT_item_invalid}, /* past */
    };
    char application[37];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Staff__AccountApplyRequest request = apply_request("hanako", "counter", "tokyo");
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(request.base.descriptor, rows[i].member);
        *(char **)((char *)&request + field->offset) = (char *)rows[i].value;
        apply(&request, "admin-1", application);
        ck_assert_msg(
            !*application && work->fault.code == rows[i].code, "row %zu: %s", i, fault_code_text(work->fault.code));
    }
    Staff__AccountApplyRequest contractor = apply_request("gaibu", "counter", "tokyo");
    contractor.category = "contractor";
    contractor.employer = "架空入力株式会社";
    apply(&contractor, "admin-1", application);
    ck_assert(*application);
}
END_TEST

static const Staff__AccountDecideReply *issue(Staff__AccountApplyRequest request)
{
    char application[37];
    apply(&request, "admin-1", application);
    ck_assert(*application);
    return decide(request.manager, application, "admin-2", true);
}

/* AUTH-1: a person has one account an affair; an administrator's is apart from it */
START_TEST(a_person_has_one_account_an_affair)
{
    Staff__AccountApplyRequest first = apply_request("hanako", "counter", "tokyo");
    ck_assert_ptr_nonnull(issue(first));
    Staff__AccountApplyRequest again = apply_request("hanako-2", "reviewer", "tokyo");
    again.person = "架空 職員"; /* a space of another kind */
    ck_assert_ptr_null(issue(again));
    assert_code(FAULT_account_of_person);
    Staff__AccountApplyRequest all = again;
    all.n_programmes = 0;
    ck_assert_ptr_null(issue(all));
    assert_code(FAULT_account_of_person);
    Staff__AccountApplyRequest unknown = again;
    char none[37];
    unknown.programmes = (char *[]){"no-such"};
    unknown.n_programmes = 1;
    apply(&unknown, "admin-1", none);
    ck_assert_str_eq(none, "");
    assert_code(FAULT_item_invalid);
    Staff__AccountApplyRequest apart = again;
    apart.programmes = (char *[]){"kaigishi"};
    apart.n_programmes = 1;
    ck_assert_ptr_nonnull(issue(apart));
    Staff__AccountApplyRequest administrator = apply_request("hanako-kanri", "administrator", "tokyo");
    administrator.category = "administrator";
    ck_assert_ptr_nonnull(issue(administrator));
    account_end_as("hanako", "moved", OUTCOME_DONE);
    again.account = "hanako-3";
    ck_assert_ptr_nonnull(issue(again));
    Staff__AccountApplyRequest elsewhere = apply_request("hanako", "counter", "saitama");
    char application[37];
    apply(&elsewhere, "admin-1", application);
    ck_assert_str_eq(application, "");
    assert_code(FAULT_account_exists);
}
END_TEST

static void person_of_login(Staff__AccountApplyRequest request, char person[ACTOR_PERSON_MAX + 1])
{
    const Staff__AccountDecideReply *decided = issue(request);
    char first[64];
    ck_assert_ptr_nonnull(decided);
    strcpy(first, decided->first_password);
    struct actor actor = actor_of(login(request.account, first, NUMBER_TERMINAL));
    strcpy(person, actor.person);
}

/* AUTH-1, LOG-3: a token tells which accounts of a manager are one person's, and nothing else of who it is */
START_TEST(a_token_tells_whose_accounts_are_one_persons)
{
    char one[ACTOR_PERSON_MAX + 1], two[ACTOR_PERSON_MAX + 1], other[ACTOR_PERSON_MAX + 1];
    Staff__AccountApplyRequest administrator = apply_request("hanako-kanri", "administrator", "tokyo");
    administrator.category = "administrator";
    administrator.person = "架空 職員"; /* a space of another kind */
    Staff__AccountApplyRequest stranger = apply_request("jiro", "counter", "tokyo");
    stranger.person = "架空　二郎";
    person_of_login(apply_request("hanako", "counter", "tokyo"), one);
    person_of_login(administrator, two);
    person_of_login(stranger, other);
    ck_assert_uint_eq(strlen(one), ACTOR_PERSON_MAX);
    ck_assert_str_eq(one, two);
    ck_assert_str_ne(one, other);
    person_print("saitama", PERSON, other);
    ck_assert_str_ne(one, other);
}
END_TEST

/* AUTH-6: whoever leaves is out at once, the sessions too, and stays in the register */
START_TEST(an_end_is_at_once_and_kept)
{
    account_make("hanako", "counter", "tokyo");
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    account_end_as("hanako", "on_a_whim", OUTCOME_REJECT);
    account_end_as("hanako", "left", OUTCOME_DONE);
    account_end_as("hanako", "left", OUTCOME_REJECT);
    assert_code(FAULT_account_ended);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_login_failed);
    Staff__RenewRequest renew = STAFF__RENEW_REQUEST__INIT;
    ck_assert_int_eq(deliver(work, ROUTE_staff_renew, &actor, &renew.base, NULL), OUTCOME_REJECT);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE end_reason = 'account'"), 1);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.ended_session"), 1);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.account WHERE account = 'hanako' AND "
                         "state = 'closed' AND closed_by = 'admin-2' AND close_reason = 'left'"),
        1);
}
END_TEST

/* AUTH-6: an account lives no longer than its need: on the day after its last one it opens nothing, and is closed by
 * itself */
START_TEST(an_account_runs_out)
{
    account_make("hanako", "counter", "tokyo");
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    count_of("tokyo",
        "WITH past AS (UPDATE staff.account SET until = (now() AT TIME ZONE 'Asia/Tokyo')::date - 1 RETURNING 1) "
        "SELECT count(*) FROM past");
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_login_failed);
    Staff__RenewRequest renew = STAFF__RENEW_REQUEST__INIT;
    ck_assert_int_eq(deliver(work, ROUTE_staff_renew, &actor, &renew.base, NULL), OUTCOME_REJECT);
    assert_code(FAULT_account_ended);
    work_reset(work);
    staff_lanes[0].turn(work, &staff_lanes[0]);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.account WHERE close_reason = 'ran_out'"), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE end_reason = 'account'"), 1);
    ck_assert_int_eq(count_of("",
                         "SELECT count(*) FROM staff.audit_outbox WHERE "
                         "position('staff_account_end'::bytea in event) > 0"),
        1);
}
END_TEST

/* AUTH-4, AUTH-6: another role or a later last day, on an application again; the rights of before end at once */
START_TEST(a_change_is_applied_for_too)
{
    account_make("hanako", "counter", "tokyo");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    Staff__AccountApplyRequest extend = STAFF__ACCOUNT_APPLY_REQUEST__INIT;
    extend.manager = "tokyo";
    extend.kind = "extend";
    extend.account = "hanako";
    extend.need = "引き続き従事";
    extend.until = "2100-03-31";
    ck_assert_ptr_nonnull(issue(extend));
    ck_assert_int_eq(
        count_of("tokyo", "SELECT count(*) FROM staff.account WHERE until = '2100-03-31' AND role = 'counter'"), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE ended_at IS NULL"), 1);
    Staff__AccountApplyRequest change = extend;
    change.kind = "change";
    change.role = "reviewer";
    ck_assert_ptr_nonnull(issue(change));
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE end_reason = 'right'"), 1);
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert(actor_has(&actor, RIGHT_review) && !actor_has(&actor, RIGHT_paper_enter));
    change.account = "nobody";
    char application[37];
    apply(&change, "admin-1", application);
    assert_code(FAULT_not_found);
}
END_TEST

static enum outcome add(const char *account, const char *role, const char *manager, const char *password)
{
    Staff__AddRequest request = STAFF__ADD_REQUEST__INIT;
    request.account = (char *)account;
    request.person = (char *)account;
    request.role = (char *)role;
    request.manager = (char *)manager;
    request.password = (char *)password;
    request.need = "起案第1号";
    return deliver(work, ROUTE_staff_add, NULL, &request.base, NULL);
}

/* AUTH-4: the operator enters two administrators from a document, and nobody else; from then on they apply and decide
 */
START_TEST(the_first_two_are_entered_by_the_operator)
{
    ck_assert_int_eq(add("hanako", "counter", "tokyo", PASSWORD), OUTCOME_REJECT);
    ck_assert_int_eq(add("kanri-1", "administrator", "atlantis", PASSWORD), OUTCOME_REJECT);
    ck_assert_int_eq(add("kanri-1", "administrator", "*", PASSWORD), OUTCOME_REJECT);
    ck_assert_int_eq(add("kanri-1", "administrator", "tokyo", "Short-1"), OUTCOME_REJECT);
    ck_assert_int_eq(add("kanri-1", "administrator", "tokyo", PASSWORD), OUTCOME_DONE);
    ck_assert_int_eq(add("kanri-1", "administrator", "tokyo", PASSWORD), OUTCOME_REJECT);
    assert_code(FAULT_account_exists);
    ck_assert_int_eq(add("kanri-2", "administrator", "tokyo", PASSWORD), OUTCOME_DONE);
    ck_assert_int_eq(add("kanri-3", "administrator", "tokyo", PASSWORD), OUTCOME_REJECT);
    assert_code(FAULT_account_by_application);
    const Staff__LoginReply *reply = login("kanri-1", PASSWORD, OFFICE_TERMINAL);
    ck_assert_str_eq(reply->must[0], "password");
    struct actor actor = actor_of(reply);
    ck_assert_int_eq(actor.rights, 1u << RIGHT_session);
    ck_assert_int_eq(password_change(&actor, PASSWORD, "Kakuu-no-Aikotoba-2"), OUTCOME_DONE);
    actor = actor_of(login("kanri-1", "Kakuu-no-Aikotoba-2", OFFICE_TERMINAL));
    ck_assert(actor_has(&actor, RIGHT_account_decide) && !actor_has(&actor, RIGHT_review));
    actor = actor_of(login("kanri-1", "Kakuu-no-Aikotoba-2", NUMBER_TERMINAL));
    ck_assert(!actor_has(&actor, RIGHT_account_decide));
}
END_TEST

static bool differs(const char *account, const char *rule)
{
    Staff__CompareRequest request = STAFF__COMPARE_REQUEST__INIT;
    ProtobufCMessage *message;
    request.manager = "tokyo";
    ck_assert_int_eq(deliver(work, ROUTE_staff_compare, NULL, &request.base, &message), OUTCOME_DONE);
    const Staff__CompareReply *reply = (const Staff__CompareReply *)message;
    for (size_t i = 0; i < reply->n_differences; i++)
        if (!account ||
            (strcmp(reply->differences[i]->account, account) == 0 && strcmp(reply->differences[i]->rule, rule) == 0))
            return true;
    return false;
}

/* AUTH-4: applications, register and rights in force agree, and each way in which a hand in the tables makes them
 * differ is found */
START_TEST(every_difference_is_found)
{
    static const struct {
        const char *rule, *by_hand, *back;
    } rows[] = {
        {"no_application", "UPDATE staff.account SET application = NULL",
            "UPDATE staff.account SET application = (SELECT application FROM staff.application)"},
        {"no_application", "UPDATE staff.application SET application = gen_random_uuid()",
            "UPDATE staff.application SET application = (SELECT application FROM staff.account)"},
        {"role_differs", "UPDATE staff.account SET role = 'reviewer'", "UPDATE staff.account SET role = 'counter'"},
        {"role_not_in_rights_table", "UPDATE staff.account SET role = 'king'",
            "UPDATE staff.account SET role = 'counter'"},
        {"programmes_differ", "UPDATE staff.account SET programmes = ''",
            "UPDATE staff.account SET programmes = ',chorishi,hoikushi,'"},
        {"body_differs", "UPDATE staff.account SET body = 'hc-chuo'", "UPDATE staff.account SET body = ''"},
        {"until_differs", "UPDATE staff.account SET until = NULL", "UPDATE staff.account SET until = '2099-03-31'"},
        {"past_its_last_day", "UPDATE staff.account SET until = '2000-01-01'",
            "UPDATE staff.account SET until = '2099-03-31'"},
        {"application_not_approved", "UPDATE staff.application SET state = 'refused'",
            "UPDATE staff.application SET state = 'approved'"},
        {"no_account", "UPDATE staff.application SET account = 'yurei'",
            "UPDATE staff.application SET account = 'hanako'"},
        {"session_of_ended_account", "UPDATE staff.account SET state = 'closed'",
            "UPDATE staff.account SET state = 'open'"},
    };
    char sql[256];
    account_make("hanako", "counter", "tokyo");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert(!differs(NULL, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *account = strcmp(rows[i].rule, "no_account") == 0 ? "yurei" : "hanako";
        snprintf(sql, sizeof sql, "WITH hand AS (%s RETURNING 1) SELECT count(*) FROM hand", rows[i].by_hand);
        ck_assert_int_eq(count_of("tokyo", sql), 1);
        ck_assert_msg(differs(account, rows[i].rule), "%s is not found", rows[i].rule);
        snprintf(sql, sizeof sql, "WITH hand AS (%s RETURNING 1) SELECT count(*) FROM hand", rows[i].back);
        ck_assert_int_eq(count_of("tokyo", sql), 1);
        ck_assert_msg(!differs(NULL, NULL), "after %s", rows[i].rule);
    }
}
END_TEST

static void policy_set(int days, const char *terms)
{
    Staff__PolicyRequest request = STAFF__POLICY_REQUEST__INIT;
    struct actor administrator = person_of("admin-1", "tokyo");
    request.manager = "tokyo";
    request.second_factor = "none";
    request.training_days = days;
    request.terms = (char *)terms;
    ck_assert_int_eq(deliver(work, ROUTE_staff_policy, &administrator, &request.base, NULL), OUTCOME_DONE);
}

static size_t must_count(void)
{
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    ck_assert_ptr_nonnull(reply);
    struct actor actor = actor_of(reply);
    ck_assert_int_eq(actor_has(&actor, RIGHT_review), reply->n_must == 0);
    return reply->n_must;
}

static size_t untrained_count(void)
{
    Staff__AccountsRequest request = STAFF__ACCOUNTS_REQUEST__INIT;
    struct actor administrator = person_of("admin-1", "tokyo");
    ProtobufCMessage *reply;
    request.manager = "tokyo";
    request.untrained = true;
    ck_assert_int_eq(deliver(work, ROUTE_staff_accounts, &administrator, &request.base, &reply), OUTCOME_DONE);
    return ((const Staff__AccountsReply *)reply)->n_accounts;
}

static void train(const char *held_on, enum outcome expected)
{
    Staff__TrainingRequest request = STAFF__TRAINING_REQUEST__INIT;
    struct actor administrator = person_of("admin-1", "tokyo");
    request.manager = "tokyo";
    request.account = "hanako";
    request.course = "特定個人情報の取扱い";
    request.held_on = (char *)held_on;
    ck_assert_int_eq(deliver(work, ROUTE_staff_training, &administrator, &request.base, NULL), expected);
}

/* AUTH-10, AUTH-11: training and consent, where the manager asks for them, come before access; who lacks one is listed
 */
START_TEST(training_and_consent_come_first)
{
    Staff__TermsAcceptRequest accept = STAFF__TERMS_ACCEPT_REQUEST__INIT;
    struct actor person = person_of("hanako", "tokyo");
    char day[11];
    time_t now = time(NULL) - 3 * 24 * 3600;
    struct tm then;
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&now, &then));
    account_make("hanako", "counter", "tokyo");
    train("2999-01-01", OUTCOME_REJECT); /* is to come */
    ck_assert_uint_eq(must_count(), 0);
    ck_assert_uint_eq(untrained_count(), 0);
    policy_set(365, "kiyaku-2");
    ck_assert_uint_eq(must_count(), 2);
    ck_assert_uint_eq(untrained_count(), 1);
    train("not-a-day", OUTCOME_REJECT);
    train("2001-01-01", OUTCOME_DONE); /* too long ago */
    ck_assert_uint_eq(must_count(), 2);
    train(day, OUTCOME_DONE);
    ck_assert_uint_eq(must_count(), 1);
    accept.version = "kiyaku-1";
    ck_assert_int_eq(deliver(work, ROUTE_staff_terms_accept, &person, &accept.base, NULL), OUTCOME_REJECT);
    accept.version = "kiyaku-2";
    ck_assert_int_eq(deliver(work, ROUTE_staff_terms_accept, &person, &accept.base, NULL), OUTCOME_DONE);
    ck_assert_uint_eq(must_count(), 0);
    ck_assert_uint_eq(untrained_count(), 0);
    policy_set(2, "kiyaku-2");
    ck_assert_uint_eq(must_count(), 1);
    policy_set(365, "kiyaku-3");
    ck_assert_uint_eq(must_count(), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.policy"), 3);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("accounts");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, an_account_is_issued_on_an_application);
    tcase_add_test(tests, a_refused_application_stays);
    tcase_add_test(tests, applications_keep_the_rules);
    tcase_add_test(tests, a_person_has_one_account_an_affair);
    tcase_add_test(tests, a_token_tells_whose_accounts_are_one_persons);
    tcase_add_test(tests, an_end_is_at_once_and_kept);
    tcase_add_test(tests, an_account_runs_out);
    tcase_add_test(tests, a_change_is_applied_for_too);
    tcase_add_test(tests, the_first_two_are_entered_by_the_operator);
    tcase_add_test(tests, every_difference_is_found);
    tcase_add_test(tests, training_and_consent_come_first);
    Suite *suite = suite_create("staff_accounts");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
