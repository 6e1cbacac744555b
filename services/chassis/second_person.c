#include "chassis/second_person.h"

#include "chassis/form.h"
#include "chassis/work_state.h"

#include <stdio.h>
#include <string.h>

#define REASON_BYTES_MAX 3000

/* --- seeing --- */

bool proposals_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Proposal__ListRequest *request = (const Proposal__ListRequest *)message;
    return !*request->proposal || form_is_uuid(request->proposal) || fault_set(fault, FAULT_item_invalid, "proposal");
}

/* Who proposed it, and whoever could do the same in that programme and part. */
static bool may_see(const struct work *work, const Proposal__Proposal *one)
{
    enum route route;
    struct fault ignored;
    const struct actor *actor = work->actor;
    if (strcmp(one->proposed_by, actor->account) == 0)
        return true;
    return route_find(one->act, &route) && (!*actor->body || strcmp(actor->body, one->body) == 0) &&
           rights_permit(actor, route_row(route)->right, work->envelope->purpose,
               *one->programme ? one->programme : NULL, &ignored);
}

enum outcome proposals_act(struct work *work)
{
    const Proposal__ListRequest *request = (const Proposal__ListRequest *)work->request;
    Proposal__ListReply reply = PROPOSAL__LIST_REPLY__INIT;
    size_t count;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!proposals_read(work, !*request->proposal && !request->all, request->proposal, &reply.proposals, &count))
        return work_refuse(work);
    for (size_t i = 0; i < count; i++)
        if (may_see(work, reply.proposals[i]))
            reply.proposals[reply.n_proposals++] = reply.proposals[i];
    if (*request->proposal && !reply.n_proposals)
        return work_refuse_with(work, FAULT_not_found, "proposal");
    work_audit(work,
        &(struct touch){.reason = *request->proposal ? request->proposal : "proposals", .nobody = !*request->proposal});
    return work_commit(work, &reply.base);
}

/* --- deciding --- */

bool proposal_decide_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Proposal__DecideRequest *request = (const Proposal__DecideRequest *)message;
    static const char *const decisions[] = {"approve", "turn_down", "withdraw"};
    size_t i = 0;
    while (i < sizeof decisions / sizeof *decisions && strcmp(decisions[i], request->decision) != 0)
        i++;
    if (i == sizeof decisions / sizeof *decisions)
        return fault_set(fault, FAULT_item_invalid, "decision");
    if (!form_is_uuid(request->proposal))
        return fault_set(fault, FAULT_item_invalid, "proposal");
    if (strlen(request->reason) > REASON_BYTES_MAX)
        return fault_set(fault, FAULT_item_too_long, "reason");
    return i != 1 || *request->reason || fault_set(fault, FAULT_reason_missing, "reason");
}

/* From here on the person acts by the right of what was proposed. */
static bool take_right(struct work *work, enum route route, const Proposal__Proposal *one)
{
    const char *programme = *one->programme ? one->programme : NULL;
    return work_take_actor(work, route_row(route)->right) &&
           work_permits(work, &(struct affair){work->actor->manager, programme, programme ? one->body : NULL});
}

static enum outcome close_it(struct work *work, const Proposal__DecideRequest *request, const char *state)
{
    Proposal__DecideReply reply = PROPOSAL__DECIDE_REPLY__INIT;
    if (!work_begin(work, request->manager))
        return work_end(work);
    reply.state = (char *)state;
    work->state->two_persons = false; /* for turning down one is enough */
    proposal_close(work, request->proposal, work->actor->account, request->reason);
    work_audit(work, &(struct touch){.reason = request->proposal});
    return work_commit(work, &reply.base);
}

/* The handler of the act has the work from here, as if this person had sent what the other one did. */
static enum outcome carry_out(struct work *work, enum route route, const Proposal__Proposal *one)
{
    const struct service *service = work->state->service;
    const struct message *message = NULL;
    for (size_t i = 0; i < service->message_count; i++)
        if (service->messages[i].route == route)
            message = &service->messages[i];
    const ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(work->arena), one->request.len, one->request.data);
    Bus__Envelope *envelope = arena_take(work->arena, sizeof *envelope);
    if (!message || !request || !envelope)
        return work_refuse_with(work, FAULT_internal, "proposal");
    *envelope = *work->envelope;
    envelope->route = one->act;
    envelope->payload = one->request;
    snprintf(work->state->approving, sizeof work->state->approving, "%s", one->proposal);
    work->state->route = route;
    work->envelope = envelope;
    work->request = request;
    if (!take_right(work, route, one) || (message->check && !message->check(request, &work->fault)))
        return work_refuse(work);
    return message->act(work);
}

enum outcome proposal_decide_act(struct work *work)
{
    const Proposal__DecideRequest *request = (const Proposal__DecideRequest *)work->request;
    Proposal__Proposal **list, *one;
    size_t count;
    enum route route;
    bool approves = strcmp(request->decision, "approve") == 0, withdraws = strcmp(request->decision, "withdraw") == 0;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!proposals_read(work, false, request->proposal, &list, &count))
        return work_refuse(work);
    if (count != 1 || !may_see(work, one = list[0]) || !route_find(one->act, &route))
        return work_refuse_with(work, FAULT_not_found, "proposal");
    bool own = strcmp(one->proposed_by, work->actor->account) == 0;
    if (strcmp(one->state, "open") != 0 || (approves && !one->request.len))
        return work_refuse_with(work, FAULT_proposal_decided, "proposal");
    if (own && !withdraws)
        return work_refuse_with(work, FAULT_decided_by_applicant, "proposal");
    if (withdraws && !own)
        return work_refuse_with(work, FAULT_not_permitted, "proposal");
    pg_rollback(work->pg);
    if (withdraws)
        return close_it(work, request, "withdrawn");
    return approves                       ? carry_out(work, route, one)
           : take_right(work, route, one) ? close_it(work, request, "turned_down")
                                          : work_refuse(work);
}

const ProtobufCMessage *proposal_answer(struct work *work, const ProtobufCMessage *reply)
{
    Proposal__DecideReply *told = arena_take(work->arena, sizeof *told);
    uint8_t *packed = arena_take(work->arena, protobuf_c_message_get_packed_size(reply) + 1);
    if (!told || !packed)
        return NULL;
    proposal__decide_reply__init(told);
    told->state = "approved";
    told->act = (char *)route_row(work->state->route)->name;
    told->answer = (ProtobufCBinaryData){protobuf_c_message_pack(reply, packed), packed};
    return &told->base;
}
