/* Loans: asked for by a person, lent by another for a time, withdrawn by hand or by itself, listed for good. */
#include "store/staff.h"

#include "staff/staff_lanes.h"

#define HOUR_MS (60 * 60000LL)

static struct actor hanako;
static char loan[37];

static struct actor clerk_at(const char *terminal)
{
    return actor_of(login("hanako", PASSWORD, terminal));
}

static enum outcome ask(
    const struct actor *who, const char *right, const char *purpose, const char *programme, int minutes)
{
    Staff__LoanAskRequest request = STAFF__LOAN_ASK_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)who->manager;
    request.right = (char *)right;
    request.purpose = (char *)purpose;
    request.programme = (char *)programme;
    request.minutes = minutes;
    request.reason = "監査資料の作成";
    enum outcome outcome = deliver(work, ROUTE_staff_loan_ask, who, &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        strcpy(loan, ((const Staff__LoanAskReply *)reply)->loan);
    return outcome;
}

/* Until when; 0 where it was refused. */
static int64_t decide_loan(const char *by, bool approve, int minutes)
{
    Staff__LoanDecideRequest request = STAFF__LOAN_DECIDE_REQUEST__INIT;
    struct actor decider = person_of(by, "tokyo");
    ProtobufCMessage *reply;
    request.manager = "tokyo";
    request.loan = loan;
    request.approve = approve;
    request.minutes = minutes;
    request.reason = approve ? "" : "必要性が認められない";
    if (deliver(work, ROUTE_staff_loan_decide, &decider, &request.base, &reply) != OUTCOME_DONE)
        return 0;
    return ((const Staff__LoanDecideReply *)reply)->until_ms;
}

static enum outcome end_loan(const struct actor *by)
{
    Staff__LoanEndRequest request = STAFF__LOAN_END_REQUEST__INIT;
    request.manager = (char *)by->manager;
    request.loan = loan;
    request.reason = "作成が終わった";
    return deliver(work, ROUTE_staff_loan_end, by, &request.base, NULL);
}

static const Staff__LoansReply *list(const struct actor *by, const char *account)
{
    Staff__LoansRequest request = STAFF__LOANS_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)by->manager;
    request.account = (char *)account;
    deliver(work, ROUTE_staff_loans, by, &request.base, &reply);
    return (const Staff__LoansReply *)reply;
}

static bool may_export(const struct actor *actor)
{
    struct fault fault = {0};
    return rights_permit(actor, RIGHT_export, "inspection", "chorishi", &fault);
}

static void start(void)
{
    setup();
    account_make("hanako", "counter", "tokyo");
    hanako = clerk_at(NUMBER_TERMINAL);
}

/* AUTH-8: nobody has it by default; asked for with reason and time, lent by another person, never for longer than
 * asked; from the next token on, only at terminals where it can be used */
START_TEST(a_right_is_lent_by_another_for_a_time)
{
    ck_assert(!may_export(&hanako));
    ck_assert_int_eq(ask(&hanako, "export", "inspection", "chorishi", 60), OUTCOME_DONE);
    ck_assert(!may_export(&(struct actor){0}) && decide_loan("hanako", true, 0) == 0);
    assert_code(FAULT_decided_by_applicant);
    ck_assert_int_eq(decide_loan("admin-1", true, 61), 0);
    assert_code(FAULT_item_invalid);
    int64_t before = clock_ms(), until = decide_loan("admin-1", true, 30);
    ck_assert(until >= before + HOUR_MS / 2 && until <= clock_ms() + HOUR_MS / 2);
    ck_assert_int_eq(decide_loan("admin-2", false, 0), 0);
    assert_code(FAULT_application_decided);
    ck_assert(!may_export(&hanako)); /* the token of before */
    struct actor with = clerk_at(NUMBER_TERMINAL), elsewhere = clerk_at(RESIDENCE_TERMINAL);
    ck_assert(may_export(&with) && !may_export(&elsewhere));
    ck_assert_str_eq(with.loans[0].id, loan);
    ck_assert_int_eq(with.loans[0].until_ms / 1000, until / 1000);
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    ck_assert_str_eq(reply->rights[reply->n_rights - 1], "session");
    ck_assert_str_eq(reply->rights[reply->n_rights - 2], "export");
    ck_assert_uint_lt(strlen(reply->token), ACTOR_TOKEN_MAX);
}
END_TEST

/* AUTH-8: what can be asked for, by whom */
START_TEST(asking_keeps_the_rules)
{
    static const struct {
        const char *right, *purpose, *programme;
        int minutes;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"review", "inspection", "", 60, FAULT_item_invalid, "right"},
        {"", "inspection", "", 60, FAULT_item_invalid, "right"},
        {"export", "registration", "", 60, FAULT_item_invalid, "purpose"},
        {"export", "curiosity", "", 60, FAULT_item_invalid, "purpose"},
        {"export", "inspection", "A B", 60, FAULT_item_invalid, "programme"},
        {"export", "inspection", "", 0, FAULT_item_invalid, "minutes"},
        {"export", "inspection", "", -1, FAULT_item_invalid, "minutes"},
        {"export", "inspection", "", 481, FAULT_item_invalid, "minutes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(
            ask(&hanako, rows[i].right, rows[i].purpose, rows[i].programme, rows[i].minutes), OUTCOME_REJECT);
        assert_code(rows[i].code);
        ck_assert_str_eq(work->fault.field, rows[i].field);
    }
    struct actor administrator = person_of("admin-1", "tokyo"), operator_ = person_of("operator-1", "platform");
    ck_assert_int_eq(ask(&administrator, "export", "inspection", "", 60), OUTCOME_REJECT);
    assert_code(FAULT_not_permitted);
    ck_assert_int_eq(ask(&operator_, "export", "inspection", "", 60), OUTCOME_REJECT);
    assert_code(FAULT_not_permitted);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.loan"), 0);
}
END_TEST

static void lend(void)
{
    ck_assert_int_eq(ask(&hanako, "export", "inspection", "", 60), OUTCOME_DONE);
    ck_assert_int_gt(decide_loan("admin-1", true, 0), 0);
}

/* AUTH-8: withdrawn by an administrator or given back; told to every service with the ended sessions; the session
 * goes on without it */
START_TEST(a_loan_is_withdrawn)
{
    struct fault fault = {0};
    lend();
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    char *token = strdup(reply->token);
    struct actor with = actor_of(reply), other = person_of("taro", "tokyo");
    strcpy(other.role, "counter");
    ck_assert_int_eq(end_loan(&other), OUTCOME_REJECT);
    assert_code(FAULT_not_permitted);
    ck_assert(may_export(&with));
    struct actor administrator = person_of("admin-2", "tokyo");
    ck_assert_int_eq(end_loan(&administrator), OUTCOME_DONE);
    ck_assert(!may_export(&with));
    ck_assert(actor_verify(token, clock_ms(), &with, &fault)); /* it is the loan that ended */
    ck_assert(!may_export(&with) && rights_permit(&with, RIGHT_review, "", "chorishi", &fault));
    ck_assert_int_eq(end_loan(&administrator), OUTCOME_REJECT);
    assert_code(FAULT_state_conflict);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.ended_session"), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE ended_at IS NOT NULL"), 0);
    struct actor after = clerk_at(NUMBER_TERMINAL);
    ck_assert_uint_eq(after.loan_count, 0);
    lend();
    ck_assert_int_eq(end_loan(&hanako), OUTCOME_DONE); /* given back */
    free(token);
}
END_TEST

/* AUTH-8: over by itself: the right at the second, and the register notes it; the end of the account ends it too */
START_TEST(a_loan_is_over_by_itself)
{
    lend();
    struct actor with = clerk_at(NUMBER_TERMINAL);
    ck_assert(may_export(&with));
    with.loans[0].until_ms = clock_ms();
    ck_assert(!may_export(&with));
    ck_assert_int_eq(count_of("tokyo",
                         "WITH past AS (UPDATE staff.loan SET until = now() - interval '1 s' RETURNING 1) "
                         "SELECT count(*) FROM past"),
        1);
    ck_assert_uint_eq(clerk_at(NUMBER_TERMINAL).loan_count, 0);
    work_reset(work);
    staff_lanes[0].turn(work, &staff_lanes[0]);
    ck_assert_int_eq(
        count_of("tokyo", "SELECT count(*) FROM staff.loan WHERE state = 'ended' AND ended_by = 'staff'"), 1);
    ck_assert_int_eq(count_of("",
                         "SELECT count(*) FROM staff.audit_outbox WHERE "
                         "position('staff_loan_end'::bytea IN event) > 0"),
        1);
    lend();
    Staff__AccountEndRequest left = STAFF__ACCOUNT_END_REQUEST__INIT;
    struct actor administrator = person_of("admin-2", "tokyo");
    left.manager = "tokyo";
    left.account = "hanako";
    left.reason = "left";
    ck_assert_int_eq(deliver(work, ROUTE_staff_account_end, &administrator, &left.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(
        count_of("tokyo", "SELECT count(*) FROM staff.loan WHERE state = 'withdrawn' AND end_reason = 'account'"), 1);
}
END_TEST

/* AUTH-8: the inventory: everything that was asked, lent, refused, withdrawn, with who, when and why; not to be read
 * from a copy of the table; and no more at once than fit a token */
START_TEST(loans_are_inventoried)
{
    struct actor administrator = person_of("admin-1", "tokyo"), other = person_of("taro", "tokyo");
    strcpy(other.role, "counter");
    ck_assert_int_eq(ask(&hanako, "export", "incident", "", 10), OUTCOME_DONE);
    ck_assert_int_eq(decide_loan("admin-1", false, 0), 0);
    for (int i = 0; i < ACTOR_LOANS_MAX; i++)
        lend();
    ck_assert_int_eq(ask(&hanako, "export", "inspection", "", 60), OUTCOME_DONE);
    ck_assert_int_eq(decide_loan("admin-1", true, 0), 0);
    assert_code(FAULT_state_conflict);
    ck_assert_uint_eq(clerk_at(NUMBER_TERMINAL).loan_count, ACTOR_LOANS_MAX);
    const Staff__LoansReply *reply = list(&administrator, "");
    ck_assert_uint_eq(reply->n_loans, 2 + ACTOR_LOANS_MAX);
    ck_assert_str_eq(reply->loans[0]->state, "asked");
    ck_assert_str_eq(reply->loans[1]->state, "lent");
    ck_assert_str_eq(reply->loans[1]->decided_by, "admin-1");
    ck_assert_str_eq(reply->loans[1]->reason, "監査資料の作成");
    const Staff__Loan *refused = reply->loans[reply->n_loans - 1];
    ck_assert_str_eq(refused->state, "refused");
    ck_assert_str_eq(refused->decision, "必要性が認められない");
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.loan WHERE state = 'refused' AND decision = '' AND "
                         "position('必要性'::bytea IN decision_covered) = 0"),
        1);
    ck_assert_uint_eq(list(&hanako, "")->n_loans, 2 + ACTOR_LOANS_MAX);
    ck_assert_uint_eq(list(&other, "")->n_loans, 0);
    ck_assert_ptr_null(list(&other, "hanako"));
    assert_code(FAULT_not_permitted);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.loan WHERE "
                         "position(convert_to('監査', 'UTF8') IN reason) > 0"),
        0);
    ck_assert_int_eq(count_of("saitama", "SELECT count(*) FROM staff.loan"), 0);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("staff_loans");
    tcase_add_checked_fixture(tests, start, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_right_is_lent_by_another_for_a_time);
    tcase_add_test(tests, asking_keeps_the_rules);
    tcase_add_test(tests, a_loan_is_withdrawn);
    tcase_add_test(tests, a_loan_is_over_by_itself);
    tcase_add_test(tests, loans_are_inventoried);
    Suite *suite = suite_create("staff_loans");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
