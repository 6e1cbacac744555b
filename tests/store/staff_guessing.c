/* Guessing: what a refusal tells, how guesses are slowed without shutting anybody out, passwords and one-time codes. */
#include "store/staff.h"

#include "staff/totp.h"

#include <math.h>

#define TRIES 16
#define DISTINCT_Z 3.3 /* two-sided p = 0.001 */

static double refused_after_ms(const char *account, const char *terminal, enum fault_code code)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_refused(login(account, "Wrong-Password-1", terminal), code);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

/* Mann-Whitney's U as a standard score: whether the times of one sort tend to be longer than those of the other. It
 * looks at ranks alone, so that what a busy machine adds to some of them counts for little. */
static double rank_sum_z(const double *one, const double *other)
{
    double u = 0, n = TRIES;
    for (int i = 0; i < TRIES; i++)
        for (int j = 0; j < TRIES; j++)
            u += one[i] > other[j] ? 1 : one[i] == other[j] ? 0.5 : 0;
    return (u - n * n / 2) / sqrt(n * n * (2 * n + 1) / 12);
}

/* In turns, so that both meet the same machine; the failures are forgotten, so that none is locked. */
static double known_against(const char *account, const char *terminal, enum fault_code code)
{
    double known[TRIES], other[TRIES];
    for (int i = 0; i < TRIES; i++) {
        known[i] = refused_after_ms("hanako", NUMBER_TERMINAL, FAULT_login_failed);
        other[i] = refused_after_ms(account, terminal, code);
        count_of("tokyo",
            "WITH past AS (UPDATE staff.attempt SET failures = 0, locked_until = NULL RETURNING 1) "
            "SELECT count(*) FROM past");
    }
    return rank_sum_z(known, other);
}

/* AUTH-7: the time of a refusal does not tell which accounts there are. By chance alone the score passes the bound once
 * in a thousand runs; three in a row are no chance. The control shows that the score finds a difference where there is
 * one. */
START_TEST(an_unknown_account_is_refused_as_late)
{
    double z = DISTINCT_Z + 1;
    account_make("hanako", "counter", "tokyo");
    ck_assert_double_gt(known_against("hanako", STRANGER, FAULT_terminal_not_listed), DISTINCT_Z);
    for (int run = 0; run < 3 && fabs(z) > DISTINCT_Z; run++)
        z = known_against("nobody", NUMBER_TERMINAL, FAULT_login_failed);
    ck_assert_msg(fabs(z) <= DISTINCT_Z, "z = %.2f", z);
    ck_assert_str_eq(work->fault.field, "");
}
END_TEST

START_TEST(what_was_typed_for_an_account_is_not_kept)
{
    assert_refused(login("perhaps.a-password", "Wrong-Password-1", NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_int_eq(count_of("", "SELECT count(*) FROM staff.login WHERE account = '?' AND outcome = 'unknown'"), 1);
    ck_assert_int_eq(
        count_of("", "SELECT count(*) FROM staff.audit_outbox WHERE position('perhaps'::bytea in event) > 0"), 0);
}
END_TEST

static void guess_wrong(int times, const char *terminal)
{
    for (int i = 0; i < times; i++)
        assert_refused(login("hanako", "Wrong-Password-1", terminal), FAULT_login_failed);
}

static long outcomes(const char *outcome)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM staff.login WHERE outcome = '%s'", outcome);
    return count_of("tokyo", sql);
}

static void wait_over(void)
{
    count_of(
        "tokyo", "WITH past AS (UPDATE staff.attempt SET locked_until = now() RETURNING 1) SELECT count(*) FROM past");
}

/* AUTH-7: guessing is slowed, also for who guesses right while it is */
START_TEST(failures_slow_the_next_try)
{
    account_make("hanako", "counter", "tokyo");
    guess_wrong(STAFF_LOCK_AFTER - 1, NUMBER_TERMINAL);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    guess_wrong(STAFF_LOCK_AFTER, NUMBER_TERMINAL);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_int_eq(outcomes("locked"), 1);
    ck_assert_int_eq(count_of("tokyo",
                         "SELECT count(*) FROM staff.attempt WHERE terminal <> '' AND "
                         "locked_until > now() + interval '1 s' AND locked_until < now() + interval '3 s'"),
        1);
    wait_over();
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert_int_eq(count_of("tokyo", "SELECT failures FROM staff.attempt WHERE terminal <> ''"), 0);
}
END_TEST

/* AUTH-7: guessing elsewhere does not shut the person out at the own terminal, and is slowed there, however many
 * terminals the guesser goes to */
START_TEST(nobody_is_shut_out_by_guesses_elsewhere)
{
    account_make("hanako", "counter", "tokyo");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    guess_wrong(STAFF_LOCK_AFTER - 1, RESIDENCE_TERMINAL);
    guess_wrong(STAFF_LOCK_AFTER - 1, SAITAMA_TERMINAL);
    guess_wrong(2, OFFICE_TERMINAL);
    ck_assert_int_eq(outcomes("locked"), 0);
    guess_wrong(1, OFFICE_TERMINAL); /* the tenth at terminals new to the account: no single one has seen five */
    ck_assert_int_eq(outcomes("locked"), 1);
    assert_refused(login("hanako", PASSWORD, RESIDENCE_TERMINAL), FAULT_login_failed);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    wait_over();
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, RESIDENCE_TERMINAL));
}
END_TEST

static void *guess(void *argument)
{
    struct work *by = work_new(&service);
    login_with(by, "hanako", "Wrong-Password-1", "", NUMBER_TERMINAL);
    work_free(by);
    return NULL;
}

START_TEST(failures_at_the_same_time_all_count)
{
    pthread_t threads[4];
    account_make("hanako", "counter", "tokyo");
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, guess, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(count_of("tokyo", "SELECT failures FROM staff.attempt WHERE terminal <> ''"), 4);
}
END_TEST

/* AUTH-2: long, mixed, not what guessers try first, not one of the last */
START_TEST(passwords_keep_the_policy)
{
    static const struct {
        const char *password;
        enum fault_code code;
    } rows[] = {
        {"Short-1", FAULT_password_weak},
        {"onlylowercaseletters", FAULT_password_weak},
        {"lowercase1digits2", FAULT_password_weak},
        {"Password-2026!", FAULT_password_known},
        {"P@ssw0rd-2026", FAULT_password_known},
        {"Shikaku1Shikaku2", FAULT_password_known},
        {"1234-5678-ABCD", FAULT_password_known},
        {"Hanako-1234567", FAULT_password_known},
        {PASSWORD, FAULT_password_used},
        {"Kakuu-no-Aikotoba-2", FAULT_NONE},
        {PASSWORD, FAULT_password_used},
    };
    account_make("hanako", "counter", "tokyo");
    struct actor actor = person_of("hanako", "tokyo");
    const char *now = PASSWORD;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum outcome outcome = password_change(&actor, now, rows[i].password);
        ck_assert_msg(outcome == (rows[i].code ? OUTCOME_REJECT : OUTCOME_DONE), "row %zu", i);
        if (rows[i].code)
            ck_assert_msg(work->fault.code == rows[i].code, "row %zu: %s", i, fault_code_text(work->fault.code));
        else
            now = rows[i].password;
    }
    ck_assert_int_eq(password_change(&actor, "Wrong-Password-1", "Kakuu-no-Aikotoba-3"), OUTCOME_REJECT);
    assert_code(FAULT_login_failed);
    ck_assert_int_eq(count_of("tokyo", "SELECT failures FROM staff.attempt WHERE terminal <> ''"), 1);
}
END_TEST

/* AUTH-2: the first one and one that is too old open nothing but the change; the change ends the other sessions */
START_TEST(a_password_has_its_time)
{
    account_make("hanako", "counter", "tokyo");
    struct actor first = actor_of(login("hanako", PASSWORD, NUMBER_TERMINAL));
    ck_assert(actor_has(&first, RIGHT_review));
    count_of("tokyo",
        "WITH past AS (UPDATE staff.account SET password_set_at = now() - interval '91 days' RETURNING 1) "
        "SELECT count(*) FROM past");
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    ck_assert_int_eq(reply->n_must, 1);
    ck_assert_str_eq(reply->must[0], "password");
    struct actor late = actor_of(reply);
    ck_assert_int_eq(late.rights, 1u << RIGHT_session);
    ck_assert_int_eq(password_change(&late, PASSWORD, "Kakuu-no-Aikotoba-2"), OUTCOME_DONE);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE end_reason = 'password'"), 1);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.session WHERE ended_at IS NULL"), 1);
    Staff__RenewRequest renew = STAFF__RENEW_REQUEST__INIT;
    ProtobufCMessage *message;
    ck_assert_int_eq(deliver(work, ROUTE_staff_renew, &late, &renew.base, &message), OUTCOME_DONE);
    struct actor renewed = actor_of((const Staff__LoginReply *)message);
    ck_assert(actor_has(&renewed, RIGHT_review));
    ck_assert_str_eq(renewed.session, late.session);
    ck_assert_int_eq(deliver(work, ROUTE_staff_renew, &first, &renew.base, NULL), OUTCOME_REJECT);
    assert_code(FAULT_not_authenticated);
}
END_TEST

static void policy_set(const char *factor, int days, const char *terms)
{
    Staff__PolicyRequest request = STAFF__POLICY_REQUEST__INIT;
    struct actor administrator = person_of("admin-1", "tokyo");
    request.manager = "tokyo";
    request.second_factor = (char *)factor;
    request.training_days = days;
    request.terms = (char *)terms;
    ck_assert_int_eq(deliver(work, ROUTE_staff_policy, &administrator, &request.base, NULL), OUTCOME_DONE);
}

static void key_of(const char *otpauth, uint8_t key[TOTP_KEY_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const char *at = strstr(otpauth, "secret=") + strlen("secret=");
    memset(key, 0, TOTP_KEY_BYTES);
    for (size_t bit = 0; bit < TOTP_KEY_BYTES * 8; bit++)
        if ((strchr(digits, at[bit / 5]) - digits) >> (4 - bit % 5) & 1)
            key[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void code_now(const uint8_t key[TOTP_KEY_BYTES], int steps, char code[TOTP_CODE_MAX + 1])
{
    ck_assert(totp_code(key, TOTP_KEY_BYTES, (uint64_t)(clock_ms() / 1000 / TOTP_STEP_SECONDS + steps), 6, code));
}

static enum outcome confirm(const struct actor *actor, const char *code)
{
    Staff__FactorConfirmRequest request = STAFF__FACTOR_CONFIRM_REQUEST__INIT;
    request.code = (char *)code;
    return deliver(work, ROUTE_staff_factor_confirm, actor, &request.base, NULL);
}

static void enrol(const struct actor *actor, uint8_t key[TOTP_KEY_BYTES])
{
    Staff__FactorEnrolRequest request = STAFF__FACTOR_ENROL_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.password = PASSWORD;
    ck_assert_int_eq(deliver(work, ROUTE_staff_factor_enrol, actor, &request.base, &reply), OUTCOME_DONE);
    const Staff__FactorEnrolReply *enrolled = (const Staff__FactorEnrolReply *)reply;
    ck_assert(strncmp(enrolled->otpauth, "otpauth://totp/Shikaku:hanako?secret=", 37) == 0);
    ck_assert(strncmp(enrolled->qr, "<svg ", 5) == 0 && strstr(enrolled->qr, "</svg>"));
    key_of(enrolled->otpauth, key);
}

/* AUTH-2, AUTH-3: a second factor by one-time code: enrolled before anything else, asked for then, each code good once
 */
START_TEST(a_one_time_code_is_asked_for_and_good_once)
{
    uint8_t key[TOTP_KEY_BYTES];
    char code[TOTP_CODE_MAX + 1];
    account_make("hanako", "counter", "tokyo");
    policy_set("totp", 0, "");
    const Staff__LoginReply *reply = login("hanako", PASSWORD, NUMBER_TERMINAL);
    ck_assert_str_eq(reply->must[0], "second_factor");
    struct actor actor = actor_of(reply);
    ck_assert_int_eq(actor.rights, 1u << RIGHT_session);
    enrol(&actor, key);
    ck_assert_int_eq(confirm(&actor, "000000"), OUTCOME_REJECT);
    assert_code(FAULT_second_factor_wrong);
    code_now(key, -1, code);
    ck_assert_int_eq(confirm(&actor, code), OUTCOME_DONE);
    ck_assert_int_eq(count_of("tokyo", "SELECT count(*) FROM staff.account WHERE length(factor) > 20"), 1);
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_second_factor_required);
    assert_refused(login_with(work, "hanako", PASSWORD, code, NUMBER_TERMINAL), FAULT_login_failed);
    assert_refused(login_with(work, "hanako", "Wrong-Password-1", "", NUMBER_TERMINAL), FAULT_login_failed);
    code_now(key, 0, code);
    actor = actor_of(login_with(work, "hanako", PASSWORD, code, NUMBER_TERMINAL));
    ck_assert(actor_has(&actor, RIGHT_review));
    assert_refused(login_with(work, "hanako", PASSWORD, code, NUMBER_TERMINAL), FAULT_login_failed);
    code_now(key, 2, code);
    assert_refused(login_with(work, "hanako", PASSWORD, code, NUMBER_TERMINAL), FAULT_login_failed);
    ck_assert_int_eq(outcomes("factor"), 3);
    ck_assert_int_eq(outcomes("factor_missing"), 1);
}
END_TEST

/* AUTH-3: or by the terminal's certificate, where the manager sets so: only at a terminal that is the account's own */
START_TEST(a_terminal_of_ones_own_is_the_second_factor)
{
    Staff__TerminalAddRequest request = STAFF__TERMINAL_ADD_REQUEST__INIT;
    struct actor administrator = person_of("admin-1", "tokyo");
    account_make("hanako", "counter", "tokyo");
    account_make("taro", "counter", "tokyo");
    policy_set("terminal", 0, "");
    assert_refused(login("hanako", PASSWORD, NUMBER_TERMINAL), FAULT_terminal_not_listed);
    request.manager = "tokyo";
    request.terminal = STRANGER;
    request.kind = "number";
    request.place = "3階 窓口2";
    request.account = "hanako";
    ck_assert_int_eq(deliver(work, ROUTE_staff_terminal_add, &administrator, &request.base, NULL), OUTCOME_DONE);
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, STRANGER));
    assert_refused(login("taro", PASSWORD, STRANGER), FAULT_terminal_not_listed);
    policy_set("none", 0, "");
    ck_assert_ptr_nonnull(login("hanako", PASSWORD, NUMBER_TERMINAL));
    assert_refused(login("taro", PASSWORD, STRANGER), FAULT_terminal_not_listed);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("guessing");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, an_unknown_account_is_refused_as_late);
    tcase_add_test(tests, what_was_typed_for_an_account_is_not_kept);
    tcase_add_test(tests, failures_slow_the_next_try);
    tcase_add_test(tests, nobody_is_shut_out_by_guesses_elsewhere);
    tcase_add_test(tests, failures_at_the_same_time_all_count);
    tcase_add_test(tests, passwords_keep_the_policy);
    tcase_add_test(tests, a_password_has_its_time);
    tcase_add_test(tests, a_one_time_code_is_asked_for_and_good_once);
    tcase_add_test(tests, a_terminal_of_ones_own_is_the_second_factor);
    Suite *suite = suite_create("staff_guessing");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
