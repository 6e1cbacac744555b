/* Acts that wait for a second person, wherever they wait (chassis/second_person.h). Here a proposal's name begins with
 * that of its service: "intake.3f2a…". */
#include "portal/portal_handlers.h"

#include "proposal.pb-c.h"

#include <string.h>

#define REASON_MAX 3000
#define DECISION_MAX 16

static const struct {
    enum route list, decide;
} places[] = {
    {ROUTE_intake_proposals, ROUTE_intake_proposal_decide},
    {ROUTE_vault_proposals, ROUTE_vault_proposal_decide},
    {ROUTE_residence_proposals, ROUTE_residence_proposal_decide},
    {ROUTE_staff_proposals, ROUTE_staff_proposal_decide},
    {ROUTE_audit_proposals, ROUTE_audit_proposal_decide},
};
#define PLACES (sizeof places / sizeof *places)

static const char *service_of(size_t place)
{
    return party_name(route_row(places[place].list)->to);
}

/* Where what stands in the path waits, and its name there. */
static bool place_find(const struct exchange *x, size_t *place, const char **proposal, struct fault *fault)
{
    for (*place = 0; *place < PLACES; (*place)++) {
        size_t len = strlen(service_of(*place));
        *proposal = x->part + len + 1;
        if (strncmp(x->part, service_of(*place), len) == 0 && x->part[len] == '.')
            return true;
    }
    return fault_set(fault, FAULT_not_found, "proposal");
}

static const Proposal__ListReply *list_ask(
    struct exchange *x, struct work *work, size_t place, Proposal__ListRequest *request)
{
    ProtobufCMessage *reply;
    request->manager = x->actor.manager;
    return work_call(work, places[place].list, NULL, &request->base, &reply) ? (const Proposal__ListReply *)reply
                                                                             : NULL;
}

static json_t *proposal_json(struct work *work, size_t place, const Proposal__Proposal *one)
{
    json_t *json = message_json(&one->base);
    const char *name = arena_format(work->arena, "%s.%s", service_of(place), one->proposal);
    json_object_set_new(json, "proposal", json_string(name));
    return json;
}

bool proposal_list_http(struct exchange *x, struct work *work)
{
    Proposal__ListRequest request = PROPOSAL__LIST_REQUEST__INIT;
    const char *all = NULL;
    if (!exchange_query(x, work->arena, "all", &all, &work->fault))
        return false;
    request.all = all && strcmp(all, "true") == 0;
    if (all && !request.all && strcmp(all, "false") != 0)
        return fault_set(&work->fault, FAULT_item_invalid, "all");
    json_t *list = json_array();
    for (size_t place = 0; place < PLACES; place++) {
        const Proposal__ListReply *reply = list_ask(x, work, place, &request);
        if (!reply) {
            json_decref(list);
            return false;
        }
        for (size_t i = 0; i < reply->n_proposals; i++)
            json_array_append_new(list, proposal_json(work, place, reply->proposals[i]));
    }
    exchange_answer_json(x, 200, json_pack("{so}", "proposals", list));
    return true;
}

/* What was asked for. Bytes are shown where they are JSON: the items of an application on paper. */
static json_t *request_json(struct work *work, const Proposal__Proposal *one)
{
    enum route route;
    const ProtobufCMessage *request = NULL;
    if (route_find(one->act, &route))
        request = protobuf_c_message_unpack(
            route_row(route)->request, arena_allocator(work->arena), one->request.len, one->request.data);
    if (!request || !one->request.len)
        return NULL;
    json_t *json = message_json(request);
    for (unsigned i = 0; i < request->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &request->descriptor->fields[i];
        const ProtobufCBinaryData *bytes = (const void *)((const char *)request + field->offset);
        if (field->type == PROTOBUF_C_TYPE_BYTES && field->label != PROTOBUF_C_LABEL_REPEATED)
            json_object_set_new(json, field->name, json_loadb((const char *)bytes->data, bytes->len, 0, NULL));
    }
    json_object_del(json, "sealed_number");
    return json;
}

bool proposal_view_http(struct exchange *x, struct work *work)
{
    Proposal__ListRequest request = PROPOSAL__LIST_REQUEST__INIT;
    size_t place;
    if (!place_find(x, &place, (const char **)&request.proposal, &work->fault))
        return false;
    const Proposal__ListReply *reply = list_ask(x, work, place, &request);
    if (!reply)
        return false;
    if (reply->n_proposals != 1)
        return fault_set(&work->fault, FAULT_not_found, "proposal");
    json_t *json = proposal_json(work, place, reply->proposals[0]);
    json_object_set_new(json, "request", request_json(work, reply->proposals[0]));
    exchange_answer_json(x, 200, json);
    return true;
}

static json_t *answer_json(struct work *work, const Proposal__DecideReply *reply)
{
    enum route route;
    const ProtobufCMessage *answer = NULL;
    if (*reply->act && route_find(reply->act, &route))
        answer = protobuf_c_message_unpack(
            route_row(route)->reply, arena_allocator(work->arena), reply->answer.len, reply->answer.data);
    return answer ? message_json(answer) : NULL;
}

bool proposal_close_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"decision", JSON_STRING, true, DECISION_MAX},
        {"reason", JSON_STRING, false, REASON_MAX},
    };
    Proposal__DecideRequest request = PROPOSAL__DECIDE_REQUEST__INIT;
    ProtobufCMessage *message;
    size_t place;
    const char *act = act_name(x, work);
    if (!act || !place_find(x, &place, (const char **)&request.proposal, &work->fault))
        return false;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.decision = (char *)member_text(body, "decision");
    request.reason = (char *)member_text(body, "reason");
    bool done = work_call(work, places[place].decide, act, &request.base, &message);
    json_decref(body);
    if (!done)
        return false;
    const Proposal__DecideReply *reply = (const Proposal__DecideReply *)message;
    json_t *json = json_pack("{ss ss}", "state", reply->state, "act", reply->act);
    json_object_set_new(json, "answer", answer_json(work, reply));
    exchange_answer_json(x, 200, json);
    return true;
}
