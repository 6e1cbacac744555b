#include "staff/staff_messages.h"

#include "chassis/form.h"
#include "chassis/keyring.h"
#include "chassis/rights.h"
#include "chassis/second_person.h"
#include "staff/staff_handlers.h"

#include <string.h>
#include <time.h>

#define DAY_SIZE 16
#define JAPAN_OFFSET_SECONDS (9 * 3600)

char *account_reason(struct work *work, const char *account)
{
    return arena_format(work->arena, "account:%s", account);
}

bool is_permitted(struct work *work, const char *manager)
{
    return work_permits(work, &(struct affair){.manager = manager});
}

bool person_may(const struct work *work, enum right right)
{
    struct fault ignored;
    return rights_permit(work->actor, right, "", NULL, &ignored);
}

bool is_own_or_permitted(struct work *work, const char *account, enum right right)
{
    return strcmp(account, work->actor->account) == 0 || person_may(work, right) ||
           fault_set(&work->fault, FAULT_not_permitted, "account");
}

bool staff_text_check(const char *text, size_t max, bool needed, const char *field, struct fault *fault)
{
    if (needed && !*text)
        return fault_set(fault, FAULT_item_missing, field);
    return strlen(text) <= max || fault_set(fault, FAULT_item_too_long, field);
}

bool day_check(const char *text, bool needed, const char *field, struct fault *fault)
{
    if (!*text)
        return !needed || fault_set(fault, FAULT_item_missing, field);
    return form_is_day(text) || fault_set(fault, FAULT_item_invalid, field);
}

/* Who has keys here. */
bool manager_exists(const char *manager)
{
    return strcmp(manager, "*") != 0 && keyring_newest(manager, KEY_DATA) != NULL;
}

int day_beside_today(const char *day)
{
    char today[DAY_SIZE];
    time_t japan = time(NULL) + JAPAN_OFFSET_SECONDS;
    struct tm parts;
    strftime(today, sizeof today, "%Y-%m-%d", gmtime_r(&japan, &parts));
    return strcmp(day, today);
}

const struct message staff_messages[] = {
    PROPOSAL_MESSAGES(staff),
    {ROUTE_staff_login, login_check, staff_login_act},
    {ROUTE_staff_renew, NULL, renew_act},
    {ROUTE_staff_logout, NULL, staff_logout_act},
    {ROUTE_staff_ended, NULL, ended_act},
    {ROUTE_staff_sessions, NULL, sessions_act},
    {ROUTE_staff_session_end, session_end_check, session_end_act},
    {ROUTE_staff_logins, logins_check, logins_act},
    {ROUTE_staff_me, NULL, me_act},
    {ROUTE_staff_password, password_check, password_act},
    {ROUTE_staff_factor_enrol, NULL, factor_enrol_act},
    {ROUTE_staff_factor_confirm, NULL, factor_confirm_act},
    {ROUTE_staff_terms_accept, NULL, terms_accept_act},
    {ROUTE_staff_account_apply, account_apply_check, account_apply_act},
    {ROUTE_staff_account_decide, account_decide_check, account_decide_act},
    {ROUTE_staff_account_end, account_end_check, account_end_act},
    {ROUTE_staff_account_reset, NULL, account_reset_act},
    {ROUTE_staff_training, training_check, training_act},
    {ROUTE_staff_policy, policy_check, policy_act},
    {ROUTE_staff_applications, NULL, applications_act},
    {ROUTE_staff_accounts, NULL, accounts_act},
    {ROUTE_staff_terminal_add, terminal_add_check, terminal_add_act},
    {ROUTE_staff_terminal_end, terminal_end_check, terminal_end_act},
    {ROUTE_staff_terminals, NULL, terminals_act},
    {ROUTE_staff_loan_ask, loan_ask_check, loan_ask_act},
    {ROUTE_staff_loan_decide, loan_decide_check, loan_decide_act},
    {ROUTE_staff_loan_end, loan_end_check, loan_end_act},
    {ROUTE_staff_loans, loans_check, loans_act},
    {ROUTE_staff_rights, NULL, rights_act},
    {ROUTE_staff_rights_review, rights_review_check, rights_review_act},
    {ROUTE_staff_rights_status, NULL, rights_status_act},
    {ROUTE_staff_compare, NULL, compare_act},
    {ROUTE_staff_add, add_check, add_act},
};
const size_t staff_message_count = sizeof staff_messages / sizeof *staff_messages;
