/* Sessions and logins, one's own and those of the manager's other accounts: to see with the right account_watch, to end
 * with account_decide. */
#include "staff/staff_handlers.h"

#include "chassis/form.h"
#include "chassis/session_watch.h"
#include "staff.pb-c.h"
#include "staff/programme_list.h"
#include "staff/rights_store.h"
#include "staff/session_store.h"
#include "staff/staff_token.h"

#include <string.h>

static enum outcome session_stop(
    struct work *work, const char *session, const char *account, const char *reason, const ProtobufCMessage *reply)
{
    sessions_end(work->pg, &(struct session_choice){.manager = work->actor->manager, .session = session},
        work->actor->account, reason);
    char *touched = account_reason(work, account);
    if (!touched)
        return work_refuse_with(work, FAULT_internal, NULL);
    work_audit(work, &(struct touch){.reason = touched});
    enum outcome outcome = work_commit(work, reply);
    if (outcome == OUTCOME_DONE)
        session_ended(session, work->actor->expires_at_ms);
    return outcome;
}

enum outcome staff_logout_act(struct work *work)
{
    const struct actor *actor = work->actor;
    Staff__LogoutReply reply = STAFF__LOGOUT_REPLY__INIT;
    const char *account;
    if (!work_begin(work, actor->manager))
        return work_end(work);
    if (!session_find(work->pg, work->arena, actor->manager, actor->session, &account, &work->fault))
        return work_refuse(work);
    return session_stop(work, actor->session, account, "logout", &reply.base);
}

/* What every service asks once a second. */
enum outcome ended_act(struct work *work)
{
    const Staff__EndedRequest *request = (const Staff__EndedRequest *)work->request;
    Staff__EndedReply reply = STAFF__ENDED_REPLY__INIT;
    if (!ended_read(work->pg, work->arena, request->since, &reply, &work->fault) ||
        !rights_hear(work->pg, work->peer->name, request->rights_version, request->rights_sha256, &work->fault))
        return work_refuse(work);
    uint8_t key[LIKENESS_KEY_BYTES];
    if (strcmp(work->peer->name, "portal") != 0 && name_key_make(key))
        reply.name_key = (ProtobufCBinaryData){sizeof key, key};
    return work_commit(work, &reply.base);
}

enum outcome sessions_act(struct work *work)
{
    const Staff__SessionsRequest *request = (const Staff__SessionsRequest *)work->request;
    Staff__SessionsReply reply = STAFF__SESSIONS_REPLY__INIT;
    const char *account = *request->account ? request->account : work->actor->account;
    char *reason = account_reason(work, account);
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!is_own_or_permitted(work, account, RIGHT_account_watch))
        return work_refuse(work);
    if (!work_begin(work, work->actor->manager))
        return work_end(work);
    if (!sessions_read(work->pg, work->arena, work->actor->manager, account, &reply, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}

bool session_end_check(const ProtobufCMessage *message, struct fault *fault)
{
    const char *session = ((const Staff__SessionEndRequest *)message)->session;
    return form_is_uuid(session) || fault_set(fault, FAULT_item_invalid, "session");
}

enum outcome session_end_act(struct work *work)
{
    const Staff__SessionEndRequest *request = (const Staff__SessionEndRequest *)work->request;
    Staff__SessionEndReply reply = STAFF__SESSION_END_REPLY__INIT;
    const char *account;
    if (!work_begin(work, work->actor->manager))
        return work_end(work);
    if (!session_find(work->pg, work->arena, work->actor->manager, request->session, &account, &work->fault) ||
        !is_own_or_permitted(work, account, RIGHT_account_decide))
        return work_refuse(work);
    return session_stop(work, request->session, account, "revoked", &reply.base);
}

bool logins_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Staff__LoginsRequest *request = (const Staff__LoginsRequest *)message;
    if (*request->account && !is_id(request->account, ACCOUNT_MAX))
        return fault_set(fault, FAULT_item_invalid, "account");
    return (request->limit >= 0 && request->limit <= 500) || fault_set(fault, FAULT_item_invalid, "limit");
}

/* Who may see the others and names nobody sees all. */
enum outcome logins_act(struct work *work)
{
    Staff__LoginsRequest request = *(const Staff__LoginsRequest *)work->request;
    Staff__LoginsReply reply = STAFF__LOGINS_REPLY__INIT;
    if (!*request.account && !person_may(work, RIGHT_account_watch))
        request.account = (char *)work->actor->account;
    char *reason = account_reason(work, *request.account ? request.account : "*");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (*request.account && !is_own_or_permitted(work, request.account, RIGHT_account_watch))
        return work_refuse(work);
    if (!work_begin(work, work->actor->manager))
        return work_end(work);
    if (!logins_read(work->pg, work->arena, work->actor->manager, &request, &reply, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = reason});
    return work_commit(work, &reply.base);
}
