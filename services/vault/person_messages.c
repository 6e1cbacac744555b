#include "vault/person_messages.h"

#include "chassis/keyring.h"
#include "vault/ending_store.h"
#include "vault/number_messages.h"
#include "vault/number_record.h"
#include "vault/person_store.h"
#include "vault/portal_store.h"
#include "vault/unnumbered_store.h"

#include "vault.pb-c.h"

#include <string.h>

#define REASON_MAX 64
#define SEALED_MAX (16 * 1024)

/* A case is numbered, never told: a sentence could hold a name. */
static bool reason_check(const char *reason, struct fault *fault)
{
    return text_check(reason, REASON_MAX, "reason", fault) &&
           (strspn(reason, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_/.") == strlen(reason)
                   ? true
                   : fault_set(fault, FAULT_item_invalid, "reason"));
}

/* A tie knows no programme and is in no body's part: the manager's own staff alone. */
static bool actor_here(struct work *work, const char *manager)
{
    return work_permits(work, &(struct affair){.manager = manager, .body = ""});
}

/* Nobody's number yet */

bool issue_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__IssueRequest *request = (const Vault__IssueRequest *)message;
    return manager_check(request->manager, fault) && text_check(request->application, 36, "application", fault);
}

enum outcome issue_act(struct work *work)
{
    const Vault__IssueRequest *request = (const Vault__IssueRequest *)work->request;
    Vault__IssueReply reply = VAULT__ISSUE_REPLY__INIT;
    char pseudonym[PSEUDONYM_LENGTH + 1];
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!unnumbered_issue(work, pseudonym))
        return work_refuse(work);
    reply.pseudonym = pseudonym;
    work_audit(work, &(struct touch){.subject = pseudonym, .reason = request->application});
    return work_commit(work, &reply.base);
}

/* A changed number (個人番号の変更, 番号法7条2項), or one that became known */

bool change_number_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__ChangeNumberRequest *request = (const Vault__ChangeNumberRequest *)message;
    if (request->signer.len != 32)
        return fault_set(fault, FAULT_malformed, "signer");
    return manager_check(request->manager, fault) &&
           text_check(request->pseudonym, PSEUDONYM_LENGTH, "pseudonym", fault) &&
           reason_check(request->reason, fault) &&
           text_check(request->sealed_number, SEALED_MAX, "sealed_number", fault);
}

static bool number_take(struct work *work, const char *pseudonym, const struct my_number *number, bool *changed)
{
    bool first;
    if (!unnumbered_hold(work, pseudonym, &first))
        return false;
    if (!first)
        return person_number_change(work, pseudonym, number, changed);
    *changed = person_number_first(work, pseudonym, number);
    if (*changed)
        unnumbered_end(work, pseudonym);
    return *changed;
}

enum outcome change_number_act(struct work *work)
{
    const Vault__ChangeNumberRequest *request = (const Vault__ChangeNumberRequest *)work->request;
    Vault__ChangeNumberReply reply = VAULT__CHANGE_NUMBER_REPLY__INIT;
    const struct number_binding binding = {request->reason, request->manager, request->signer.data, NULL};
    struct my_number number;
    bool changed = false;
    if (!actor_here(work, request->manager) ||
        !number_record_open(work->arena, request->sealed_number, &binding, &number, &work->fault))
        return work_refuse(work);
    if (!work_begin(work, request->manager)) {
        my_number_wipe(&number);
        return work_end(work);
    }
    bool done = number_take(work, request->pseudonym, &number, &changed);
    my_number_wipe(&number);
    if (!done)
        return work_refuse(work);
    reply.changed = changed;
    work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->reason});
    return work_commit(work, &reply.base);
}

/* Corrections */

bool correction_ask_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__CorrectionAskRequest *request = (const Vault__CorrectionAskRequest *)message;
    bool join = strcmp(request->kind, "join") == 0;
    if (!join && strcmp(request->kind, "split") != 0)
        return fault_set(fault, FAULT_item_invalid, "kind");
    if (!join && request->signer.len != 32)
        return fault_set(fault, FAULT_malformed, "signer");
    return manager_check(request->manager, fault) &&
           text_check(request->pseudonym, PSEUDONYM_LENGTH, "pseudonym", fault) &&
           (join ? text_check(request->other, PSEUDONYM_LENGTH, "other", fault)
                 : text_check(request->sealed_number, SEALED_MAX, "sealed_number", fault)) &&
           reason_check(request->reason, fault);
}

static bool correction_read(
    struct work *work, const Vault__CorrectionAskRequest *request, struct correction *correction)
{
    const struct number_binding binding = {request->reason, request->manager, request->signer.data, NULL};
    memset(correction, 0, sizeof *correction);
    correction->join = strcmp(request->kind, "join") == 0;
    correction->other_in_force = request->other_in_force;
    correction->reason = request->reason;
    correction->asked_by = work->actor->account;
    memcpy(correction->pseudonym, request->pseudonym, strlen(request->pseudonym));
    if (correction->join)
        memcpy(correction->other, request->other, strlen(request->other));
    return correction->join ||
           number_record_open(work->arena, request->sealed_number, &binding, &correction->number, &work->fault);
}

static void correction_record(struct work *work, const struct correction *correction, const char *reason)
{
    char *subject =
        arena_format(work->arena, "%s%s%s", correction->pseudonym, correction->other[0] ? " " : "", correction->other);
    work_audit(work, &(struct touch){.subject = subject, .reason = reason, .count = correction->other[0] ? 2 : 1});
}

enum outcome correction_ask_act(struct work *work)
{
    const Vault__CorrectionAskRequest *request = (const Vault__CorrectionAskRequest *)work->request;
    Vault__CorrectionAskReply reply = VAULT__CORRECTION_ASK_REPLY__INIT;
    struct correction correction;
    if (!actor_here(work, request->manager) || !correction_read(work, request, &correction))
        return work_refuse(work);
    if (!work_begin(work, request->manager)) {
        my_number_wipe(&correction.number);
        return work_end(work);
    }
    bool asked = correction_ask(work, &correction);
    my_number_wipe(&correction.number);
    if (!asked)
        return work_refuse(work);
    reply.correction = correction.id;
    correction_record(work, &correction, request->reason);
    return work_commit(work, &reply.base);
}

bool correction_decide_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__CorrectionDecideRequest *request = (const Vault__CorrectionDecideRequest *)message;
    return manager_check(request->manager, fault) && text_check(request->correction, 36, "correction", fault) &&
           reason_check(request->reason, fault);
}

enum outcome correction_decide_act(struct work *work)
{
    const Vault__CorrectionDecideRequest *request = (const Vault__CorrectionDecideRequest *)work->request;
    Vault__CorrectionDecideReply reply = VAULT__CORRECTION_DECIDE_REPLY__INIT;
    struct correction correction;
    if (!actor_here(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    const char *by = work->actor->account;
    bool done = correction_take(work, request->correction, by, &correction);
    if (done && request->approve)
        done = correction_approve(work, &correction, by);
    else if (done)
        correction_refuse(work, &correction, by);
    my_number_wipe(&correction.number);
    if (!done)
        return work_refuse(work);
    reply.pseudonym = correction.pseudonym;
    reply.other = correction.other;
    correction_record(work, &correction, request->reason);
    return work_commit(work, &reply.base);
}

/* The end of a manager's use */

bool manager_end_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__ManagerEndRequest *request = (const Vault__ManagerEndRequest *)message;
    if (strcmp(request->manager, "*") == 0) /* the service's own keys end with the service */
        return fault_set(fault, FAULT_item_invalid, "manager");
    return text_check(request->manager, 31, "manager", fault) && reason_check(request->reason, fault);
}

/* Asked for again, for the token did not answer: the same certificate. */
enum outcome manager_end_act(struct work *work)
{
    const Vault__ManagerEndRequest *request = (const Vault__ManagerEndRequest *)work->request;
    Vault__ManagerEndReply reply = VAULT__MANAGER_END_REPLY__INIT;
    if (!work_begin(work, request->manager))
        return work_end(work);
    bool ended = ending_find(work, &reply.certificate);
    if (!ended && work->fault.code == FAULT_not_found) {
        work->fault.code = FAULT_NONE;
        ended = manager_check(request->manager, &work->fault) && ending_make(work, request->reason, &reply.certificate);
    }
    if (!ended)
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = request->reason});
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        keyring_forget(request->manager);
    return outcome;
}

/* Portal pseudonyms (マイナポータル仮名ID) */

bool portal_tie_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__PortalTieRequest *request = (const Vault__PortalTieRequest *)message;
    return manager_check(request->manager, fault) &&
           text_check(request->pseudonym, PSEUDONYM_LENGTH, "pseudonym", fault) &&
           text_check(request->portal_pseudonym, PORTAL_PSEUDONYM_MAX, "portal_pseudonym", fault) &&
           text_check(request->application, 36, "application", fault);
}

enum outcome portal_tie_act(struct work *work)
{
    const Vault__PortalTieRequest *request = (const Vault__PortalTieRequest *)work->request;
    Vault__PortalTieReply reply = VAULT__PORTAL_TIE_REPLY__INIT;
    bool known = false;
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!portal_tie_make(work, request->portal_pseudonym, request->pseudonym, &known))
        return work_refuse(work);
    reply.known_already = known;
    work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->application});
    return work_commit(work, &reply.base);
}

bool portal_persons_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__PortalPersonsRequest *request = (const Vault__PortalPersonsRequest *)message;
    return text_check(request->portal_pseudonym, PORTAL_PSEUDONYM_MAX, "portal_pseudonym", fault) &&
           reason_check(request->reason, fault);
}

/* One record of use a manager, in that manager's rows. */
enum outcome portal_persons_act(struct work *work)
{
    const Vault__PortalPersonsRequest *request = (const Vault__PortalPersonsRequest *)work->request;
    Vault__PortalPersonsReply reply = VAULT__PORTAL_PERSONS_REPLY__INIT;
    struct portal_person *persons;
    size_t count;
    if (!work_begin(work, "*"))
        return work_end(work);
    if (!portal_tie_find(work, request->portal_pseudonym, &persons, &count))
        return work_refuse(work);
    Vault__PortalPerson *answers = arena_take(work->arena, count * sizeof *answers + 1);
    reply.persons = arena_take(work->arena, count * sizeof *reply.persons + 1);
    if (!answers || !reply.persons)
        return work_refuse_with(work, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        answers[i] = (Vault__PortalPerson)VAULT__PORTAL_PERSON__INIT;
        answers[i].manager = persons[i].manager;
        answers[i].pseudonym = persons[i].pseudonym;
        reply.persons[reply.n_persons++] = &answers[i];
        work_switch(work, persons[i].manager);
        work_audit(work, &(struct touch){.subject = persons[i].pseudonym, .reason = request->reason});
    }
    return work_commit(work, &reply.base);
}
