/* Loans (一時的な権限, AUTH-8): asked for by a person with reason and time, lent by another, watched under its id,
 * over by itself or withdrawn. */
#include "staff/staff_handlers.h"

#include "chassis/form.h"
#include "chassis/rights.h"
#include "chassis/session_watch.h"
#include "chassis/settings.h"
#include "staff.pb-c.h"
#include "staff/loan_store.h"
#include "staff/programme_list.h"

#include <string.h>

#define REASON_MAX 600
#define MINUTE_MS 60000

static char *loan_reason(struct work *work, const char *loan)
{
    return arena_format(work->arena, "loan:%s", loan);
}

static bool loan_id_check(const char *loan, struct fault *fault)
{
    return form_is_uuid(loan) || fault_set(fault, FAULT_item_invalid, "loan");
}

static bool minutes_check(int32_t minutes, int32_t least, struct fault *fault)
{
    return (minutes >= least && minutes <= setting_number("SHIKAKU_LOAN_MINUTES")) ||
           fault_set(fault, FAULT_item_invalid, "minutes");
}

/* --- asking --- */

bool loan_ask_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoanAskRequest *request = (const Staff__LoanAskRequest *)message;
    if (*request->programme && !programme_list_check((char *const[]){request->programme}, 1, fault))
        return fault_set(fault, FAULT_item_invalid, "programme");
    if (!rights_purpose_exists(request->purpose))
        return fault_set(fault, FAULT_item_invalid, "purpose");
    return minutes_check(request->minutes, 1, fault) &&
           staff_text_check(request->reason, REASON_MAX, true, "reason", fault);
}

enum outcome loan_ask_act(struct work *work)
{
    const Staff__LoanAskRequest *request = (const Staff__LoanAskRequest *)work->request;
    Staff__LoanAskReply reply = STAFF__LOAN_ASK_REPLY__INIT;
    char loan[UUID_LEN + 1];
    uuid_make(loan);
    char *reason = loan_reason(work, loan);
    if (!is_permitted(work, request->manager) ||
        !rights_lend_check(work->actor->role, request->right, request->purpose, request->programme, &work->fault))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!account_hold(work->pg, request->manager, work->actor->account, &work->fault))
        return work_refuse(work);
    if (!reason || !loan_add(work->pg, work->arena, request, loan, work->actor->account))
        return work_refuse_with(work, FAULT_internal, NULL);
    reply.loan = loan;
    work_audit(work, &(struct touch){.reason = reason, .nobody = true});
    return work_commit(work, &reply.base);
}

/* --- deciding --- */

bool loan_decide_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoanDecideRequest *request = (const Staff__LoanDecideRequest *)message;
    return loan_id_check(request->loan, fault) && minutes_check(request->minutes, 0, fault) &&
           staff_text_check(request->reason, REASON_MAX, !request->approve, "reason", fault);
}

/* Another person than the borrower lends, no more than was asked, to who could be lent it now. */
static bool loan_may_be_decided(struct work *work, const Staff__LoanDecideRequest *request, const struct loan_row *loan)
{
    if (strcmp(loan->account, work->actor->account) == 0)
        return fault_set(&work->fault, FAULT_decided_by_applicant, NULL);
    if (strcmp(loan->state, "asked") != 0)
        return fault_set(&work->fault, FAULT_application_decided, "loan");
    if (!request->approve)
        return true;
    if (!*loan->role)
        return fault_set(&work->fault, FAULT_account_ended, "account");
    if (request->minutes > loan->minutes)
        return fault_set(&work->fault, FAULT_item_invalid, "minutes");
    if (loan->in_force >= ACTOR_LOANS_MAX)
        return fault_set(&work->fault, FAULT_state_conflict, "account");
    return rights_lend_check(loan->role, loan->right, loan->purpose, loan->programme, &work->fault);
}

enum outcome loan_decide_act(struct work *work)
{
    const Staff__LoanDecideRequest *request = (const Staff__LoanDecideRequest *)work->request;
    Staff__LoanDecideReply reply = STAFF__LOAN_DECIDE_REPLY__INIT;
    struct loan_row loan;
    char *reason = loan_reason(work, request->loan);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!loan_read(work->pg, work->arena, request->manager, request->loan, &loan, &work->fault) ||
        !loan_may_be_decided(work, request, &loan))
        return work_refuse(work);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (request->approve)
        reply.until_ms = clock_ms() + (request->minutes ? request->minutes : loan.minutes) * MINUTE_MS;
    loan_decide(work->pg, work->arena, request, reply.until_ms, work->actor->account);
    work_audit(work, &(struct touch){.reason = reason, .nobody = true});
    return work_commit(work, &reply.base);
}

/* --- withdrawing --- */

bool loan_end_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoanEndRequest *request = (const Staff__LoanEndRequest *)message;
    return loan_id_check(request->loan, fault) && staff_text_check(request->reason, REASON_MAX, true, "reason", fault);
}

/* By who has it, who needs it no more, or by an administrator. */
enum outcome loan_end_act(struct work *work)
{
    const Staff__LoanEndRequest *request = (const Staff__LoanEndRequest *)work->request;
    Staff__LoanEndReply reply = STAFF__LOAN_END_REPLY__INIT;
    struct loan_row loan;
    char *reason = loan_reason(work, request->loan);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!loan_read(work->pg, work->arena, request->manager, request->loan, &loan, &work->fault) ||
        !is_own_or_permitted(work, loan.account, RIGHT_loan_decide))
        return work_refuse(work);
    if (strcmp(loan.state, "lent") != 0 || loan.until_ms <= clock_ms())
        return work_refuse_with(work, FAULT_state_conflict, "loan");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    loans_end(work->pg, work->arena, &(struct loan_choice){.manager = request->manager, .loan = request->loan},
        work->actor->account, request->reason);
    work_audit(work, &(struct touch){.reason = reason, .nobody = true});
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        session_ended(request->loan, loan.until_ms);
    return outcome;
}

/* --- the inventory --- */

bool loans_check(const ProtobufCMessage *message, struct fault *fault)
{
    static const char *const states[] = {"", "asked", "lent", "refused", "withdrawn", "ended"};
    const Staff__LoansRequest *request = (const Staff__LoansRequest *)message;
    if (*request->account && !is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(request->state, states[i]) == 0)
            return true;
    return fault_set(fault, FAULT_item_invalid, "state");
}

/* Who may see the others' or lend, and names nobody, sees all. */
enum outcome loans_act(struct work *work)
{
    Staff__LoansRequest request = *(const Staff__LoansRequest *)work->request;
    Staff__LoansReply reply = STAFF__LOANS_REPLY__INIT;
    bool sees_all = person_may(work, RIGHT_account_watch) || person_may(work, RIGHT_loan_decide);
    if (!is_permitted(work, request.manager))
        return work_refuse(work);
    if (!sees_all && *request.account && strcmp(request.account, work->actor->account) != 0)
        return work_refuse_with(work, FAULT_not_permitted, "account");
    if (!sees_all)
        request.account = (char *)work->actor->account;
    if (!work_begin(work, request.manager))
        return work_end(work);
    if (!loans_read(work->pg, work->arena, &request, &reply, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = "loans", .count = (uint32_t)reply.n_loans, .nobody = !reply.n_loans});
    return work_commit(work, &reply.base);
}
