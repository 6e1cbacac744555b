#include "chassis/dispatch.h"

#include "chassis/audit_outbox_store.h"
#include "chassis/door.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/wire_scan.h"
#include "chassis/work_state.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define CLOCK_SKEW_MS 5000
#define LIFETIME_MAX_MS 60000

static const struct message *message_of(const struct service *service, enum route route)
{
    for (size_t i = 0; i < service->message_count; i++)
        if (service->messages[i].route == route)
            return &service->messages[i];
    return NULL;
}

static bool times_check(const Bus__Envelope *envelope, struct fault *fault)
{
    int64_t now = clock_ms();
    /* The first two bound sent_at_ms, so that the sum cannot overflow whatever a peer sends. */
    if (envelope->sent_at_ms > now + CLOCK_SKEW_MS || envelope->sent_at_ms < now - LIFETIME_MAX_MS ||
        envelope->deadline_ms < now || envelope->deadline_ms > envelope->sent_at_ms + LIFETIME_MAX_MS)
        return fault_set(fault, FAULT_envelope_expired, NULL);
    return true;
}

static bool sender_check(const struct service *service, const Bus__Envelope *envelope, const struct seal_peer *peer,
    enum route *route, struct fault *fault)
{
    char wanted[80];
    if (strcmp(envelope->sender, peer->name) != 0 || strcmp(envelope->recipient, service->name) != 0 ||
        envelope->message_id.len != 16)
        return fault_set(fault, FAULT_envelope_altered, NULL);
    if (!route_find(envelope->route, route) || !message_of(service, *route))
        return fault_set(fault, FAULT_route_not_allowed, NULL);
    if (!(route_row(*route)->from & peer->party))
        return fault_set(fault, FAULT_route_not_allowed, NULL);
    snprintf(wanted, sizeof wanted, " %s ", route_row(*route)->name);
    if (peer->party == PARTY_AGENCY && !strstr(peer->routes, wanted))
        return fault_set(fault, FAULT_route_not_allowed, NULL);
    if (route_needs_key(*route) && envelope->idempotency_key.len != IDEMPOTENCY_KEY_BYTES)
        return fault_set(fault, FAULT_malformed, "idempotency_key");
    return true;
}

static bool actor_check(struct work *work, enum route route)
{
    work->actor = NULL;
    return route_row(route)->right == RIGHT_none || work_take_actor(work, route_row(route)->right);
}

/* Whoever the handler will be: a person's request for another manager ends here. */
static bool manager_check(struct work *work)
{
    const char *manager = work->state->manager;
    if (!work->actor || !*manager || strcmp(manager, work->actor->manager) == 0)
        return true;
    return fault_set(&work->fault, FAULT_not_permitted, "manager");
}

/* Handle a request whose sender is proven; the fault, if any, is in the work. */
static enum outcome request_handle(struct work *work, const Bus__Envelope *envelope)
{
    const struct service *service = work->state->service;
    enum route route;
    if (!sender_check(service, envelope, &work->state->peer, &route, &work->fault) ||
        !times_check(envelope, &work->fault)) {
        door_refused(work);
        return fault_outcome(work->fault.code);
    }
    const struct route_row *row = route_row(route);
    meter_add(METER_bus_requests_total, row->name, 1);
    work_take_request(work, route, envelope, NULL);
    if (audit_outbox_full() && row->kind != ROUTE_STREAM && row->kind != ROUTE_PULSE)
        return work_refuse_with(work, FAULT_audit_full, NULL);
    if (!actor_check(work, route))
        return work_refuse(work);
    if (envelope->payload.len > BUS_PAYLOAD_MAX)
        return work_refuse_with(work, FAULT_too_large, NULL);
    if (!wire_scan(row->request, envelope->payload.data, envelope->payload.len))
        return work_refuse_with(work, FAULT_malformed, "payload");
    work->request = protobuf_c_message_unpack(
        row->request, arena_allocator(work->arena), envelope->payload.len, envelope->payload.data);
    if (!work->request)
        return work_refuse_with(work, FAULT_malformed, "payload");
    work_take_manager(work, work->request);
    if (!manager_check(work))
        return work_refuse(work);
    const struct message *message = message_of(service, route);
    if (!message)
        return work_refuse_with(work, FAULT_route_not_allowed, NULL);
    if (message->check && !message->check(work->request, &work->fault))
        return work_refuse(work);
    return message->act(work);
}

static struct bytes answer_make(struct work *work, const Bus__Envelope *request, enum outcome outcome)
{
    const struct bytes nothing = {NULL, 0};
    struct work_state *state = work->state;
    uint8_t message_id[16];
    Bus__Envelope reply = BUS__ENVELOPE__INIT;
    if (RAND_bytes(message_id, sizeof message_id) != 1)
        return nothing;
    reply.message_id = (ProtobufCBinaryData){sizeof message_id, message_id};
    reply.in_reply_to = request->message_id;
    reply.route = request->route;
    reply.sender = (char *)state->service->name;
    reply.recipient = state->peer.name;
    reply.sent_at_ms = clock_ms();
    reply.outcome = (Bus__Outcome)outcome;
    if (outcome == OUTCOME_DONE)
        reply.payload = (ProtobufCBinaryData){state->reply.len, state->reply.data};
    else {
        reply.fault_code = (char *)fault_code_text(work->fault.code);
        reply.fault_field = work->fault.field;
        meter_add(METER_bus_refusals_total, reply.fault_code, 1);
    }
    size_t size = bus__envelope__get_packed_size(&reply);
    uint8_t *plain = arena_take(work->arena, size);
    if (!plain)
        return nothing;
    bus__envelope__pack(&reply, plain);
    return seal_put(state->sealer, work->arena, SEAL_REPLY, state->peer.name, plain, size);
}

struct bytes dispatch(struct work *work, const void *frame, size_t len)
{
    const struct bytes nothing = {NULL, 0};
    int64_t from = clock_ms();
    work_reset(work);
    work->peer = &work->state->peer;
    struct bytes plain =
        seal_take(work->state->sealer, work->arena, SEAL_REQUEST, frame, len, &work->state->peer, &work->fault);
    if (!plain.data) {
        meter_add(METER_bus_refusals_total, fault_code_text(work->fault.code), 1);
        journal(JOURNAL_WARNING, NULL, "frame_refused", WORD("code", fault_code_text(work->fault.code)));
        work->state->peer.name[0] = '\0'; /* whoever it said it was */
        door_refused(work);
        return nothing;
    }
    Bus__Envelope *envelope = wire_scan(&bus__envelope__descriptor, plain.data, plain.len)
                                  ? bus__envelope__unpack(arena_allocator(work->arena), plain.len, plain.data)
                                  : NULL;
    if (!envelope) {
        fault_set(&work->fault, FAULT_malformed, "envelope");
        door_refused(work);
        return nothing;
    }
    enum outcome outcome = request_handle(work, envelope);
    if (outcome != OUTCOME_DONE)
        journal(JOURNAL_INFO, envelope->correlation, "request_refused", WORD("route", envelope->route),
            WORD("code", fault_code_text(work->fault.code)), WORD("field", work->fault.field),
            WORD("sender", work->state->peer.name));
    struct bytes answer = answer_make(work, envelope, outcome);
    enum route route;
    if (route_find(envelope->route, &route))
        meter_add(METER_bus_request_seconds_total, route_row(route)->name, (clock_ms() - from) * 1000);
    return answer;
}
