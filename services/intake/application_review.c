#include "intake/application_review.h"

#include "intake/application_events.h"
#include "intake/application_status.h"
#include "intake/attachment_store.h"
#include "intake/application_steps.h"
#include "intake/intake_setup.h"

#include "intake.pb-c.h"
#include "residence.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define REASON_BYTES_MAX 3000

bool review_begin(
    struct work *work, const char *manager, const char *receipt, struct application *a, enum outcome *outcome)
{
    const char *owner, *id;
    if (!work_permits(work, &(struct affair){.manager = manager})) {
        *outcome = work_refuse(work);
        return false;
    }
    if (!work_begin(work, manager)) {
        *outcome = work_end(work);
        return false;
    }
    bool mine = directory_find(work, receipt, &owner, &id);
    if (mine && strcmp(owner, manager) != 0)
        mine = fault_set(&work->fault, FAULT_not_found, "receipt");
    mine = mine && application_find(work, id, a);
    mine = mine && work_permits(work, &(struct affair){manager, a->programme, a->body});
    if (!mine)
        *outcome = work_refuse(work);
    return mine;
}

bool list_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__ListRequest *request = (const Intake__ListRequest *)message;
    enum application_state state;
    if (*request->state && !state_find(request->state, &state))
        return fault_set(fault, FAULT_item_invalid, "state");
    return request->limit <= 200 ? true : fault_set(fault, FAULT_item_invalid, "limit");
}

/* Whose applications a list shows: the record of use names each, by the application where there is no pseudonym yet. */
static char *subjects_join(struct arena *arena, const struct application *list, size_t count)
{
    size_t len = 1;
    for (size_t i = 0; i < count; i++)
        len += strlen(*list[i].pseudonym ? list[i].pseudonym : list[i].application) + 1;
    char *subjects = arena_take(arena, len), *at = subjects;
    if (!subjects)
        return NULL;
    *at = '\0';
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i ? " " : "", *list[i].pseudonym ? list[i].pseudonym : list[i].application);
    return subjects;
}

enum outcome list_act(struct work *work)
{
    const Intake__ListRequest *request = (const Intake__ListRequest *)work->request;
    Intake__ListReply reply = INTAKE__LIST_REPLY__INIT;
    struct application_id *ids;
    size_t count;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!application_list(work, request->manager, request->state, request->limit ? request->limit : 50, &ids, &count))
        return work_refuse(work);
    reply.applications = arena_take(work->arena, count * sizeof *reply.applications);
    struct application *list = arena_take(work->arena, count * sizeof *list);
    if (!reply.applications || !list)
        return work_refuse_with(work, FAULT_too_large, NULL);
    if (applications_find(work, ids, count, list) != count)
        return work_refuse(work);
    for (size_t i = 0; i < count; i++)
        if (!work_permits(work, &(struct affair){request->manager, list[i].programme, list[i].body}))
            return work_refuse(work);
    if (!applications_show(work, list, count, true, reply.applications))
        return work_refuse(work);
    char *subjects = subjects_join(work->arena, list, count);
    if (!subjects)
        return work_refuse_with(work, FAULT_too_large, NULL);
    reply.n_applications = count;
    work_audit(work, &(struct touch){.subject = subjects, .count = (uint32_t)count, .nobody = !count});
    return work_commit(work, &reply.base);
}

/* "name=equal address=different … rule=1" as rows. */
static bool comparisons_show(struct work *work, const struct application *a, Intake__ViewReply *reply)
{
    char *text = arena_text(work->arena, a->comparison, strlen(a->comparison)), *rest = NULL;
    reply->comparisons = arena_take(work->arena, PERSON_ITEMS * sizeof *reply->comparisons);
    if (!text || !reply->comparisons)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    for (char *word = strtok_r(text, " ", &rest); word && reply->n_comparisons < PERSON_ITEMS;
         word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        Intake__Comparison *row = arena_take(work->arena, sizeof *row);
        if (!equals || !row)
            return fault_set(&work->fault, FAULT_internal, "comparison");
        *equals = '\0';
        intake__comparison__init(row);
        row->with = "residence";
        row->item = word;
        row->result = equals + 1;
        reply->comparisons[reply->n_comparisons++] = row;
    }
    return true;
}

static bool attachments_show(struct work *work, const struct application *a, Intake__ViewReply *reply)
{
    const struct programme *programme = programme_find(intake_programmes(), a->programme);
    const struct programme_procedure *procedure = programme ? programme_procedure_find(programme, a->procedure) : NULL;
    if (!attachment_list(work, a->manager, a->application, &reply->attachments, &reply->n_attachments))
        return false;
    for (size_t i = 0; procedure && i < reply->n_attachments; i++) {
        const struct programme_attachment *known = programme_attachment_find(procedure, reply->attachments[i]->name);
        reply->attachments[i]->label = (char *)(known ? known->label : "");
    }
    return true;
}

enum outcome view_act(struct work *work)
{
    const Intake__ViewRequest *request = (const Intake__ViewRequest *)work->request;
    Intake__ViewReply reply = INTAKE__VIEW_REPLY__INIT;
    struct application a;
    enum outcome outcome;
    if (!review_begin(work, request->manager, request->receipt, &a, &outcome))
        return outcome;
    if (!applications_show(work, &a, 1, true, &reply.application) || !comparisons_show(work, &a, &reply) ||
        !attachments_show(work, &a, &reply))
        return work_refuse(work);
    reply.document = (ProtobufCBinaryData){a.document.len, a.document.data};
    reply.residence_result = (char *)a.residence_result;
    reply.family_result = (char *)a.family_result;
    reply.domicile = (char *)a.domicile;
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application, .name = a.person.name});
    return work_commit(work, &reply.base);
}

/* Deciding */

static const char *const decisions[] = {"accept", "return", "reject", "continue"};

bool decide_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__DecideRequest *request = (const Intake__DecideRequest *)message;
    size_t i = 0;
    while (i < sizeof decisions / sizeof *decisions && strcmp(decisions[i], request->decision) != 0)
        i++;
    if (i == sizeof decisions / sizeof *decisions)
        return fault_set(fault, FAULT_item_invalid, "decision");
    if (strlen(request->reason) > REASON_BYTES_MAX)
        return fault_set(fault, FAULT_item_too_long, "reason");
    return i == 0 || *request->reason ? true : fault_set(fault, FAULT_reason_missing, "reason");
}

/* Where a decision takes an application. False: not from where it stands. */
static bool decision_follow(const struct application *a, const char *decision, enum application_state *to)
{
    if (strcmp(decision, "return") == 0)
        *to = STATE_returning;
    else if (strcmp(decision, "reject") == 0)
        *to = STATE_rejecting;
    else if (strcmp(decision, "accept") == 0)
        *to = a->fee ? STATE_fee : STATE_registering;
    else
        *to = a->resume;
    bool settles = strcmp(decision, "continue") == 0, accepts = strcmp(decision, "accept") == 0;
    if ((settles && a->state != STATE_person) || (accepts && a->state != STATE_review))
        return false;
    return state_may_follow(a->state, *to);
}

static enum outcome moved(struct work *work, const struct application *a, enum application_state to)
{
    Intake__DecideReply reply = INTAKE__DECIDE_REPLY__INIT;
    struct application after = *a;
    after.state = to;
    if (!applications_show(work, &after, 1, true, &reply.application))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = a->pseudonym, .reason = a->application, .name = a->person.name});
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        application_wake(to);
    return outcome;
}

enum outcome decide_act(struct work *work)
{
    const Intake__DecideRequest *request = (const Intake__DecideRequest *)work->request;
    struct application a;
    enum application_state to;
    enum outcome outcome;
    if (!review_begin(work, request->manager, request->receipt, &a, &outcome))
        return outcome;
    if (!decision_follow(&a, request->decision, &to))
        return work_refuse_with(work, FAULT_state_conflict, "receipt");
    application_move(work, &a, &(struct move){.to = to, .code = request->decision, .reason = request->reason});
    return moved(work, &a, to);
}

bool fee_receipt_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__FeeReceiptRequest *request = (const Intake__FeeReceiptRequest *)message;
    if (!(programme_payment_parse(request->method) & (PROGRAMME_STAMPS | PROGRAMME_CASH)))
        return fault_set(fault, FAULT_fee_method, "method");
    return request->amount > 0 ? true : fault_set(fault, FAULT_fee_amount, "amount");
}

enum outcome fee_receipt_act(struct work *work)
{
    const Intake__FeeReceiptRequest *request = (const Intake__FeeReceiptRequest *)work->request;
    struct application a;
    enum outcome outcome;
    if (!review_begin(work, request->manager, request->receipt, &a, &outcome))
        return outcome;
    const struct programme *programme = programme_find(intake_programmes(), a.programme);
    const struct programme_procedure *procedure = programme ? programme_procedure_find(programme, a.procedure) : NULL;
    if (!procedure || !(procedure->payments & programme_payment_parse(request->method)))
        return work_refuse_with(work, FAULT_fee_method, "method");
    if (a.state != STATE_fee)
        return work_refuse_with(work, FAULT_state_conflict, "receipt");
    if (request->amount != a.fee)
        return work_refuse_with(work, FAULT_fee_amount, "amount");
    application_set_paid(work, &a, request->method, a.fee, work->actor->account);
    application_move(work, &a, &(struct move){.to = STATE_registering, .code = request->method});
    return moved(work, &a, STATE_registering);
}

/* The operator at the residence terminal saw the list and says which one it is (JUKI-8). The list comes from the
 * connector, so what is registered is what the network said, not what was typed. */
enum outcome residence_result_act(struct work *work)
{
    const Intake__ResidenceResultRequest *request = (const Intake__ResidenceResultRequest *)work->request;
    Residence__InstantResultRequest ask = RESIDENCE__INSTANT_RESULT_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct application a;
    struct person person;
    enum outcome outcome;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    ask.manager = request->manager;
    ask.inquiry = request->inquiry;
    if (!work_call(work, ROUTE_residence_instant_result, NULL, &ask.base, &reply))
        return work_refuse(work);
    const Residence__InstantResultReply *answer = (const Residence__InstantResultReply *)reply;
    if (strcmp(answer->state, "answered") != 0)
        return work_refuse_with(work, FAULT_state_conflict, "inquiry");
    if (!request->none_matches && request->candidate >= answer->n_candidates)
        return work_refuse_with(work, FAULT_item_invalid, "candidate");
    if (!review_begin(work, request->manager, request->receipt, &a, &outcome))
        return outcome;
    if (strcmp(answer->application, a.application) != 0)
        return work_refuse_with(work, FAULT_item_invalid, "inquiry");
    if (a.state != STATE_residence_terminal)
        return work_refuse_with(work, FAULT_state_conflict, "receipt");
    const Person__FourItems *chosen = request->none_matches ? NULL : answer->candidates[request->candidate];
    if (chosen && !person_fill(&person, chosen->name, chosen->address, chosen->birth_date, chosen->sex, &work->fault))
        return work_refuse(work);
    enum application_state next = residence_take(work, &a, chosen ? "match" : "none", chosen ? &person : NULL);
    return moved(work, &a, next);
}
