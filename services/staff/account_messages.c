/* The life of an account (AUTH-1, AUTH-4, AUTH-6): application, decision by another person, issue, change, extension, a
 * new first password, the end. */
#include "staff/staff_handlers.h"

#include "chassis/cover.h"
#include "chassis/form.h"
#include "chassis/keyring.h"
#include "chassis/programme_keys.h"
#include "chassis/rights.h"
#include "staff.pb-c.h"
#include "staff/account_store.h"
#include "staff/loan_store.h"
#include "staff/programme_list.h"
#include "staff/session_store.h"
#include "staff/staff_password.h"
#include "staff/staff_setup.h"
#include "staff/staff_token.h"

#include <stdio.h>
#include <string.h>

#define OPERATOR "operator"
#define BOOTSTRAP "bootstrap"
#define ADMINISTRATORS_WITHOUT_APPLICATION 2

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

/* --- application --- */

/* Does the role decide about accounts? */
static bool role_administers(const char *role)
{
    return rights_of(role, "administration") & 1u << RIGHT_account_decide;
}

/* A body of one of the manager's programmes that the account is for (ORG-1). */
static bool body_check(
    const char *body, const char *manager, char *const *programmes, size_t count, struct fault *fault)
{
    for (size_t i = 0; i < programmes_count(programmes_in_use()) && *body; i++) {
        const struct programme *programme = programmes_at(programmes_in_use(), i);
        bool meant = count == 0;
        for (size_t listed = 0; listed < count; listed++)
            meant |= strcmp(programmes[listed], programme->code) == 0;
        if (meant && strcmp(programme->manager, manager) == 0 && programme_has_body(programme, body))
            return true;
    }
    return !*body || fault_set(fault, FAULT_item_invalid, "body");
}

/* A role that administers accounts goes with an account kept for that alone (AUTH-1); the platform has no other. */
static bool category_check(const Staff__AccountApplyRequest *request, struct fault *fault)
{
    static const char *const categories[] = {"staff", "administrator", "operator", "contractor", NULL};
    bool platform = strcmp(request->manager, STAFF_PLATFORM) == 0;
    bool administers = role_administers(request->role);
    if (!is_one_of(request->category, categories))
        return fault_set(fault, FAULT_item_invalid, "category");
    if ((strcmp(request->category, "operator") == 0) != platform ||
        (platform || strcmp(request->category, "administrator") == 0) != administers)
        return fault_set(fault, FAULT_item_invalid, "category");
    if (strcmp(request->category, "contractor") == 0)
        return staff_text_check(request->employer, PERSON_MAX, true, "employer", fault);
    return !*request->employer || fault_set(fault, FAULT_item_invalid, "employer");
}

static bool role_check(const Staff__AccountApplyRequest *request, struct fault *fault)
{
    if (!rights_role_fits(request->role, request->manager))
        return fault_set(fault, FAULT_item_invalid, "role");
    return programme_list_check(request->programmes, request->n_programmes, fault) &&
           body_check(request->body, request->manager, request->programmes, request->n_programmes, fault);
}

bool account_apply_check(const ProtobufCMessage *message, struct fault *fault)
{
    static const char *const kinds[] = {"issue", "change", "extend", NULL};
    const Staff__AccountApplyRequest *request = (const Staff__AccountApplyRequest *)message;
    bool issue = strcmp(request->kind, "issue") == 0, extend = strcmp(request->kind, "extend") == 0;
    if (!is_one_of(request->kind, kinds))
        return fault_set(fault, FAULT_item_invalid, "kind");
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    if (!staff_text_check(request->need, PERSON_MAX, true, "need", fault) ||
        !day_check(request->until, true, "until", fault))
        return false;
    if (day_beside_today(request->until) < 0)
        return fault_set(fault, FAULT_item_invalid, "until");
    if (issue ? !staff_text_check(request->person, PERSON_MAX, true, "person", fault) : *request->person != '\0')
        return issue ? false : fault_set(fault, FAULT_item_invalid, "person");
    if (issue ? !category_check(request, fault) : *request->category || *request->employer)
        return issue ? false : fault_set(fault, FAULT_item_invalid, "category");
    if (extend)
        return (!*request->role && request->n_programmes == 0 && !*request->body) ||
               fault_set(fault, FAULT_item_invalid, "role");
    return role_check(request, fault);
}

/* What a change or extension is of must be there; what an issue asks for must not. */
static bool account_stands(struct work *work, const Staff__AccountApplyRequest *request)
{
    const char *place;
    if (!account_place_read(work->pg, work->arena, request->account, &place, &work->fault))
        return false;
    if (strcmp(request->kind, "issue") == 0)
        return !*place || fault_set(&work->fault, FAULT_account_exists, "account");
    if (strcmp(place, request->manager) != 0)
        return fault_set(&work->fault, FAULT_not_found, "account");
    return account_hold(work->pg, request->manager, request->account, &work->fault);
}

static Staff__AccountApplication application_of(const Staff__AccountApplyRequest *request, char *id, const char *by)
{
    Staff__AccountApplication application = STAFF__ACCOUNT_APPLICATION__INIT;
    application.application = id;
    application.kind = request->kind;
    application.account = request->account;
    application.person = request->person;
    application.category = request->category;
    application.employer = request->employer;
    application.role = request->role;
    application.programmes = request->programmes;
    application.n_programmes = request->n_programmes;
    application.body = request->body;
    application.need = request->need;
    application.until = request->until;
    application.applied_by = (char *)by;
    return application;
}

enum outcome account_apply_act(struct work *work)
{
    const Staff__AccountApplyRequest *request = (const Staff__AccountApplyRequest *)work->request;
    Staff__AccountApplyReply reply = STAFF__ACCOUNT_APPLY_REPLY__INIT;
    char id[UUID_LEN + 1], *reason = account_reason(work, request->account);
    uuid_make(id);
    Staff__AccountApplication application = application_of(request, id, work->actor->account);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!account_stands(work, request))
        return work_refuse(work);
    if (!reason || !application_add(work->pg, work->arena, request->manager, &application))
        return work_refuse_with(work, FAULT_internal, NULL);
    reply.application = id;
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

/* --- decision --- */

bool account_decide_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__AccountDecideRequest *request = (const Staff__AccountDecideRequest *)message;
    if (!form_is_uuid(request->application))
        return fault_set(fault, FAULT_item_invalid, "application");
    if (!request->approve && !*request->reason)
        return fault_set(fault, FAULT_reason_missing, "reason");
    return staff_text_check(request->reason, PERSON_MAX, false, "reason", fault);
}

static bool account_from(struct work *work, const char *manager, const Staff__AccountApplication *application,
    uint8_t token[INDEX_TOKEN_BYTES], struct account *account)
{
    *account = (struct account){.account = application->account,
        .manager = manager,
        .person = application->person,
        .need = application->need,
        .category = application->category,
        .employer = application->employer,
        .role = application->role,
        .programmes = programme_list_join(work->arena, application->programmes, application->n_programmes),
        .body = application->body,
        .until = application->until,
        .application = application->application,
        .person_token = token};
    return (account->programmes && person_token(manager, PERSON_REGISTER, application->person, token)) ||
           fault_set(&work->fault, FAULT_internal, NULL);
}

/* One person has one account an affair, whatever two administrators do at the same time. */
static bool account_issue(struct work *work, struct account *account)
{
    const char *taken;
    bool exists;
    if (!account_place_read(work->pg, work->arena, account->account, &taken, &work->fault))
        return false;
    if (*taken)
        return fault_set(&work->fault, FAULT_account_exists, "account");
    if (!account_of_person(work->pg, account, &exists, &work->fault))
        return false;
    if (exists)
        return fault_set(&work->fault, FAULT_account_of_person, "person");
    return account_add(work->pg, work->arena, account) || fault_set(&work->fault, FAULT_internal, NULL);
}

static bool application_carry_out(
    struct work *work, const Staff__AccountApplication *application, struct account *account)
{
    if (strcmp(application->kind, "issue") == 0)
        return account_issue(work, account);
    if (strcmp(application->kind, "extend") == 0)
        account_extend(work->pg, account);
    else if (!account_change(work->pg, work->arena, account))
        return fault_set(&work->fault, FAULT_internal, NULL);
    else { /* the rights of before end with their tokens */
        loans_end(work->pg, work->arena,
            &(struct loan_choice){.manager = account->manager, .account = account->account}, work->actor->account,
            "right");
        sessions_end(work->pg, &(struct session_choice){.manager = account->manager, .account = account->account},
            work->actor->account, "right");
    }
    return true;
}

/* The first password is made before the transaction: computing it takes longer than the rest together. */
enum outcome account_decide_act(struct work *work)
{
    const Staff__AccountDecideRequest *request = (const Staff__AccountDecideRequest *)work->request;
    Staff__AccountDecideReply reply = STAFF__ACCOUNT_DECIDE_REPLY__INIT;
    const char *by = work->actor->account;
    char first[PASSWORD_FIRST_SIZE], encoded[PASSWORD_ENCODED_MAX];
    Staff__AccountApplication application;
    struct account account;
    uint8_t token[INDEX_TOKEN_BYTES];
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (request->approve && !password_first(first, encoded))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!application_read(work->pg, work->arena, request->manager, request->application, &application, &work->fault) ||
        !account_from(work, request->manager, &application, token, &account))
        return work_refuse(work);
    if (strcmp(application.applied_by, by) == 0)
        return work_refuse_with(work, FAULT_decided_by_applicant, NULL);
    if (strcmp(application.state, "applied") != 0)
        return work_refuse_with(work, FAULT_application_decided, "application");
    account.password = encoded;
    if (request->approve && !application_carry_out(work, &application, &account))
        return work_refuse(work);
    application_decide(work->pg, request->manager, request->application, request->approve ? "approved" : "refused", by,
        request->reason);
    char *reason = account_reason(work, application.account);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    reply.account = application.account;
    if (request->approve && strcmp(application.kind, "issue") == 0)
        reply.first_password = first;
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

/* --- a new first password --- */

enum outcome account_reset_act(struct work *work)
{
    const Staff__AccountResetRequest *request = (const Staff__AccountResetRequest *)work->request;
    Staff__AccountResetReply reply = STAFF__ACCOUNT_RESET_REPLY__INIT;
    struct account account = {.account = request->account, .manager = request->manager};
    char first[PASSWORD_FIRST_SIZE], encoded[PASSWORD_ENCODED_MAX], *reason = account_reason(work, request->account);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (strcmp(request->account, work->actor->account) == 0)
        return work_refuse_with(work, FAULT_decided_by_applicant, "account");
    if (!pg_ensure(work->pg, &work->fault) || !account_read(work->pg, work->arena, "", &account, &work->fault))
        return work_refuse(work);
    if (!reason || !password_first(first, encoded))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!password_put(work->pg, work->arena, &account, encoded, true))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (request->second_factor)
        factor_drop(work->pg, &account);
    sessions_end(work->pg, &(struct session_choice){.manager = request->manager, .account = request->account},
        work->actor->account, "password");
    reply.first_password = first;
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

/* --- the end --- */

bool account_end_check(const ProtobufCMessage *message, struct fault *fault)
{
    static const char *const reasons[] = {"left", "moved", "not_needed", "misuse", NULL};
    const Staff__AccountEndRequest *request = (const Staff__AccountEndRequest *)message;
    return is_one_of(request->reason, reasons) || fault_set(fault, FAULT_item_invalid, "reason");
}

/* Its sessions end in the same transaction. */
enum outcome account_end_act(struct work *work)
{
    const Staff__AccountEndRequest *request = (const Staff__AccountEndRequest *)work->request;
    Staff__AccountEndReply reply = STAFF__ACCOUNT_END_REPLY__INIT;
    const char *by = work->actor->account;
    char *reason = account_reason(work, request->account);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    account_end(work->pg, request->manager, request->account, by, request->reason);
    loans_end(work->pg, work->arena, &(struct loan_choice){.manager = request->manager, .account = request->account},
        by, "account");
    sessions_end(
        work->pg, &(struct session_choice){.manager = request->manager, .account = request->account}, by, "account");
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

/* --- the first two administrators --- */

bool add_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__AddRequest *request = (const Staff__AddRequest *)message;
    if (!is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    if (!staff_text_check(request->person, PERSON_MAX, true, "person", fault) ||
        !staff_text_check(request->need, PERSON_MAX, true, "need", fault))
        return false;
    if (!rights_role_fits(request->role, request->manager) || !role_administers(request->role))
        return fault_set(fault, FAULT_item_invalid, "role");
    if (!manager_exists(request->manager))
        return fault_set(fault, FAULT_item_invalid, "manager");
    return programme_list_check(request->programmes, request->n_programmes, fault) &&
           password_policy_check(request->password, request->account, fault);
}

static Staff__AccountApplication bootstrap_application(const Staff__AddRequest *request, char *id)
{
    Staff__AccountApplication application = STAFF__ACCOUNT_APPLICATION__INIT;
    application.application = id;
    application.kind = "issue";
    application.account = request->account;
    application.person = request->person;
    application.category = strcmp(request->manager, STAFF_PLATFORM) == 0 ? "operator" : "administrator";
    application.role = request->role;
    application.programmes = request->programmes;
    application.n_programmes = request->n_programmes;
    application.need = request->need;
    application.applied_by = OPERATOR;
    return application;
}

/* While a manager has not two who can apply and decide, the operator enters them, from the document that `need` names;
 * it stands in the register as what it is. */
enum outcome add_act(struct work *work)
{
    const Staff__AddRequest *request = (const Staff__AddRequest *)work->request;
    Staff__AddReply reply = STAFF__ADD_REPLY__INIT;
    char encoded[PASSWORD_ENCODED_MAX], id[UUID_LEN + 1], *reason = account_reason(work, request->account);
    uint8_t token[INDEX_TOKEN_BYTES];
    int64_t administrators;
    struct account account;
    uuid_make(id);
    Staff__AccountApplication application = bootstrap_application(request, id);
    if (!reason || !password_encode(request->password, encoded))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!account_from(work, request->manager, &application, token, &account))
        return work_refuse(work);
    account.password = encoded;
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!administrators_count(work->pg, request->manager, &administrators, &work->fault))
        return work_refuse(work);
    if (administrators >= ADMINISTRATORS_WITHOUT_APPLICATION)
        return work_refuse_with(work, FAULT_account_by_application, "account");
    if (!application_add(work->pg, work->arena, request->manager, &application))
        return work_refuse_with(work, FAULT_internal, NULL);
    application_decide(work->pg, request->manager, id, "approved", BOOTSTRAP, "");
    if (!account_issue(work, &account))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}
