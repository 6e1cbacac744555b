/* Logins, tokens and sessions on a real PostgreSQL. */
#include "store/staff.h"

static bool permits(const struct actor *actor, const char *programme)
{
    struct fault fault;
    return rights_permit(actor, RIGHT_review, "", programme, &fault);
}

/* AUTH-1, AUTH-5: the token that other services verify says who, from where, with which rights */
START_TEST(a_login_gives_a_token_that_verifies)
{
    account_make("hanako", "counter", "tokyo");
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    struct actor actor = actor_of(reply);
    ck_assert_str_eq(actor.account, "hanako");
    ck_assert_str_eq(actor.role, "counter");
    ck_assert_str_eq(actor.manager, "tokyo");
    ck_assert_str_eq(actor.terminal, NUMBER_TERMINAL);
    ck_assert(actor_has(&actor, RIGHT_review) && actor_has(&actor, RIGHT_paper_enter));
    ck_assert(actor_has(&actor, RIGHT_session) && !actor_has(&actor, RIGHT_residence_terminal));
    ck_assert(permits(&actor, "chorishi") && permits(&actor, "hoikushi"));
    ck_assert(!permits(&actor, "hoiku") && !permits(&actor, "kaigishi"));
    ck_assert_int_eq(actor.expires_at_ms, reply->expires_at_ms);
    ck_assert_int_le(actor.expires_at_ms, clock_ms() + 900 * 1000);
    struct fault fault = {0};
    ck_assert(!actor_verify(reply->token, reply->expires_at_ms, &actor, &fault));
    ck_assert_int_eq(fault.code, FAULT_not_authenticated);
}
END_TEST

/* AUTH-5: a token is what staff signed, to the letter */
START_TEST(an_altered_token_is_refused)
{
    char token[ACTOR_TOKEN_MAX + 1];
    struct actor actor;
    struct fault fault = {0};
    account_make("hanako", "reviewer", "tokyo");
    strcpy(token, login("hanako", PASSWORD, NUMBER_TERMINAL)->token);
    ck_assert(actor_verify(token, clock_ms(), &actor, &fault));
    for (size_t i = 0; token[i]; i++) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : 'A';
        ck_assert_msg(!actor_verify(token, clock_ms(), &actor, &fault), "letter %zu", i);
        token[i] = was;
    }
    ck_assert(!actor_verify("", clock_ms(), &actor, &fault));
    ck_assert(!actor_verify(NULL, clock_ms(), &actor, &fault));
    ck_assert(!actor_verify(".", clock_ms(), &actor, &fault));
}
END_TEST

static enum outcome terminal_strike(const char *terminal, const char *manager)
{
    Staff__TerminalEndRequest request = STAFF__TERMINAL_END_REQUEST__INIT;
    struct actor administrator = person_of("operator-1", manager);
    request.manager = (char *)manager;
    request.terminal = (char *)terminal;
    request.reason = "紛失";
    return deliver(work, ROUTE_staff_terminal_end, &administrator, &request.base, NULL);
}

/* AUTH-3: only listed terminals, only for their manager, and a struck one is out at once, with the sessions there,
 * whatever the operator's file says; the list keeps who did it */
START_TEST(only_listed_terminals_reach_the_system)
{
    account_make("hanako", "counter", "tokyo");
    assert_refused(login("hanako", PASSWORD, STRANGER), FAULT_terminal_not_listed);
    assert_refused(login("hanako", PASSWORD, ""), FAULT_terminal_not_listed);
    assert_refused(login("hanako", PASSWORD, SAITAMA_TERMINAL), FAULT_terminal_not_listed);
    assert_refused(login("hanako", "Nothing-Right-9", SAITAMA_TERMINAL), FAULT_login_failed);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert_int_eq(terminal_strike(NUMBER_TERMINAL, "tokyo"), OUTCOME_REJECT); /* every manager's: the platform's */
    ck_assert_int_eq(terminal_strike(NUMBER_TERMINAL, "platform"), OUTCOME_DONE);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_terminal_not_listed);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE end_reason = 'terminal'"), 1);
    ck_assert_int_eq(count_of("*", "SELECT count(*) FROM staff.terminal WHERE terminal = '" NUMBER_TERMINAL
                                   "' AND listed_by = 'operator' AND ended_by = 'operator-1' AND reason = '紛失'"),
        1);
    file_put("terminals.json", "nonsense");
    assert_refused(login("hanako", PASSWORD, RESIDENCE_TERMINAL), FAULT_unavailable);
}
END_TEST

/* JUKI-2, APPLY-6: what can be done depends on the terminal, whoever logs in */
START_TEST(rights_follow_the_terminal)
{
    account_make("soto", "residence", "tokyo");
    struct actor at_counter = actor_of(login("soto", PASSWORD, NUMBER_TERMINAL));
    ck_assert(!actor_has(&at_counter, RIGHT_residence_terminal) && actor_has(&at_counter, RIGHT_review));
    struct actor at_terminal = actor_of(login("soto", PASSWORD, RESIDENCE_TERMINAL));
    ck_assert(actor_has(&at_terminal, RIGHT_residence_terminal) && !actor_has(&at_terminal, RIGHT_paper_enter));
}
END_TEST

START_TEST(a_logout_ends_the_session)
{
    Staff__LogoutRequest request = STAFF__LOGOUT_REQUEST__INIT;
    account_make("hanako", "counter", "tokyo");
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE ended_at IS NOT NULL"), 1);
    strcpy(actor.session, "00000000-0000-4000-8000-000000000000");
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &request.base, NULL), OUTCOME_REJECT);
}
END_TEST

static const Staff__EndedReply *ended_since(int64_t number)
{
    Staff__EndedRequest request = STAFF__ENDED_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.since = number;
    ck_assert_int_eq(deliver(work, ROUTE_staff_ended, NULL, &request.base, &reply), OUTCOME_DONE);
    return (const Staff__EndedReply *)reply;
}

/* AUTH-6: what ended is told to whoever asks since an earlier number, as long as a token of it could be good */
START_TEST(what_ended_is_told)
{
    Staff__LogoutRequest request = STAFF__LOGOUT_REQUEST__INIT;
    struct actor actors[3];
    account_make("hanako", "counter", "tokyo");
    ck_assert_int_eq(ended_since(0)->n_sessions, 0);
    for (int i = 0; i < 3; i++) {
        actors[i] = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
        ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actors[i], &request.base, NULL), OUTCOME_DONE);
        const Staff__EndedReply *reply = ended_since(i);
        ck_assert(reply->number == i + 1 && reply->n_sessions == 1 && !reply->more);
        ck_assert_str_eq(reply->sessions[0]->session, actors[i].session);
        ck_assert_int_eq(reply->sessions[0]->tokens_until_ms, actors[i].expires_at_ms);
    }
    ck_assert_int_eq(ended_since(0)->n_sessions, 3);
    ck_assert_int_eq(ended_since(3)->n_sessions, 0);
    ck_assert_int_eq(ended_since(3)->number, 3);
    ck_assert_int_eq(ended_since(99)->number, 3); /* who knows more is told that the tables are of an earlier day */
    ck_assert_int_eq(count_of("",
                         "WITH past AS (UPDATE staff.ended_session SET tokens_until = now() - interval '1 h'"
                         " WHERE number < 3 RETURNING 1) SELECT count(*) FROM past"),
        2);
    ck_assert_int_eq(ended_since(0)->n_sessions, 1);
}
END_TEST

static long records_with(const char *one, const char *two, const char *three)
{
    char sql[600];
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM staff.audit_outbox WHERE position('%s'::bytea in event) > 0 "
        "AND position('%s'::bytea in event) > 0 AND position('%s'::bytea in event) > 0",
        one, two, three);
    return count_of("", sql);
}

/* LOG-1, AUTH-7, EXCH-7: every login, refused or not, leaves a row of the register and a record of use that names the
 * terminal; who and in which role it says once that is proven. Renewal and end of the session name them too. */
START_TEST(logins_are_recorded)
{
    Staff__LogoutRequest logout = STAFF__LOGOUT_REQUEST__INIT;
    Staff__RenewRequest renew = STAFF__RENEW_REQUEST__INIT;
    account_make("hanako", "counter", "tokyo");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    long before = count_of("", "SELECT count(*) FROM staff.audit_outbox");
    struct actor actor = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    assert_refused(login("hanako", "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
    assert_refused(login("hanako", PASSWORD, STRANGER), FAULT_terminal_not_listed);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.audit_outbox"), before + 3);
    ck_assert_int_eq(records_with("staff_login", "counter", NUMBER_TERMINAL), 2);
    ck_assert_int_eq(records_with("account:hanako", "login_failed", NUMBER_TERMINAL), 1);
    ck_assert_int_eq(records_with("staff_login", "terminal_not_listed", STRANGER), 1);
    ck_assert_int_eq(records_with("staff_login", "portal", "counter"), 0); /* once proven it is the person's */
    ck_assert_int_eq(deliver(work, ROUTE_staff_renew, &actor, &renew.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(deliver(work, ROUTE_staff_logout, &actor, &logout.base, NULL), OUTCOME_DONE);
    ck_assert_int_eq(records_with("staff_renew", "hanako", NUMBER_TERMINAL), 1);
    ck_assert_int_eq(records_with("staff_logout", "hanako", NUMBER_TERMINAL), 1);
}
END_TEST

/* STORE-2, NUM-8 in kind: names and passwords do not lie open; ROLL-6: another manager's accounts are not to be seen */
START_TEST(a_copy_of_the_tables_shows_nobody)
{
    account_make("hanako", "counter", "tokyo");
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.account"), 1);
    ck_assert_int_eq(count_of("saitama", "SELECT count(*) FROM staff.account"), 0);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.account a WHERE a::text LIKE '%架空%' OR position("
                         "convert_to('" PERSON "', 'UTF8') in person) > 0 OR position('argon2'::bytea in "
                         "password) > 0 OR position('" PASSWORD "'::bytea in password) > 0"),
        0);
    ck_assert_int_eq(
        count_of("", "SELECT count(*) FROM staff.inbox WHERE position(convert_to('" PERSON "', 'UTF8') in reply) > 0"),
        0);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("staff");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_login_gives_a_token_that_verifies);
    tcase_add_test(tests, an_altered_token_is_refused);
    tcase_add_test(tests, only_listed_terminals_reach_the_system);
    tcase_add_test(tests, rights_follow_the_terminal);
    tcase_add_test(tests, a_logout_ends_the_session);
    tcase_add_test(tests, what_ended_is_told);
    tcase_add_test(tests, logins_are_recorded);
    tcase_add_test(tests, a_copy_of_the_tables_shows_nobody);
    Suite *suite = suite_create("staff");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
