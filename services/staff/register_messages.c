/* The register and what an administrator notes in it: trainings, what the manager asks of its people; and the
 * comparison of applications, register and rights in force (AUTH-4, AUTH-10, AUTH-11). */
#include "staff/staff_handlers.h"

#include "chassis/rights.h"
#include "staff.pb-c.h"
#include "staff/account_store.h"
#include "staff/programme_list.h"

#include <string.h>

#define COURSE_MAX 200
#define TERMS_MAX 64
#define TRAINING_DAYS_MAX 3660
#define ROLE_RULE "role:"

bool training_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__TrainingRequest *request = (const Staff__TrainingRequest *)message;
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    if (!staff_text_check(request->course, COURSE_MAX, true, "course", fault) ||
        !day_check(request->held_on, true, "held_on", fault))
        return false;
    return day_beside_today(request->held_on) <= 0 || fault_set(fault, FAULT_item_invalid, "held_on");
}

enum outcome training_act(struct work *work)
{
    const Staff__TrainingRequest *request = (const Staff__TrainingRequest *)work->request;
    Staff__TrainingReply reply = STAFF__TRAINING_REPLY__INIT;
    char *reason = account_reason(work, request->account);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!account_hold(work->pg, request->manager, request->account, &work->fault))
        return work_refuse(work);
    training_put(work->pg, request, work->actor->account);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

bool policy_check(const ProtobufCMessage *message, struct fault *fault)
{
    static const char *const factors[] = {"none", "totp", "terminal"};
    const Staff__PolicyRequest *request = (const Staff__PolicyRequest *)message;
    bool known = false;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        known |= strcmp(request->second_factor, factors[i]) == 0;
    if (!known)
        return fault_set(fault, FAULT_item_invalid, "second_factor");
    if (request->training_days < 0 || request->training_days > TRAINING_DAYS_MAX)
        return fault_set(fault, FAULT_item_invalid, "training_days");
    return !*request->terms || is_id(request->terms, TERMS_MAX) || fault_set(fault, FAULT_item_invalid, "terms");
}

/* In force at the next login or renewal. */
enum outcome policy_act(struct work *work)
{
    const Staff__PolicyRequest *request = (const Staff__PolicyRequest *)work->request;
    Staff__PolicyReply reply = STAFF__POLICY_REPLY__INIT;
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    policy_put(work->pg, request, work->actor->account);
    work_audit(work, &(struct touch){.reason = "policy"});
    return work_commit(work, &reply.base);
}

enum outcome applications_act(struct work *work)
{
    const Staff__ApplicationsRequest *request = (const Staff__ApplicationsRequest *)work->request;
    Staff__ApplicationsReply reply = STAFF__APPLICATIONS_REPLY__INIT;
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!applications_read(work->pg, work->arena, request->manager, request, &reply, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = "register", .count = (uint32_t)reply.n_applications});
    return work_commit(work, &reply.base);
}

enum outcome accounts_act(struct work *work)
{
    const Staff__AccountsRequest *request = (const Staff__AccountsRequest *)work->request;
    Staff__AccountsReply reply = STAFF__ACCOUNTS_REPLY__INIT;
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!accounts_read(work->pg, work->arena, request->manager, request, &reply, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = "register", .count = (uint32_t)reply.n_accounts});
    return work_commit(work, &reply.base);
}

/* Rows "role:NAME" are differences only where the rights table does not know the role. */
static void roles_judge(Staff__CompareReply *reply)
{
    size_t kept = 0;
    for (size_t i = 0; i < reply->n_differences; i++) {
        Staff__Difference *found = reply->differences[i];
        if (strncmp(found->rule, ROLE_RULE, strlen(ROLE_RULE)) == 0) {
            if (rights_role_exists(found->rule + strlen(ROLE_RULE)))
                continue;
            found->rule = "role_not_in_rights_table";
        }
        reply->differences[kept++] = found;
    }
    reply->n_differences = kept;
}

enum outcome compare_act(struct work *work)
{
    const Staff__CompareRequest *request = (const Staff__CompareRequest *)work->request;
    Staff__CompareReply reply = STAFF__COMPARE_REPLY__INIT;
    if (!manager_exists(request->manager))
        return work_refuse_with(work, FAULT_item_invalid, "manager");
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!differences_read(work->pg, work->arena, request->manager, &reply, &work->fault))
        return work_refuse(work);
    roles_judge(&reply);
    work_audit(work, &(struct touch){.reason = "register", .count = (uint32_t)reply.accounts});
    return work_commit(work, &reply.base);
}
