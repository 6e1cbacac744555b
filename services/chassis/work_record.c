/* Records of use (利用記録): every act leaves one, whether its handler says so or not. */
#include "chassis/audit_link.h"
#include "chassis/audit_outbox_store.h"
#include "chassis/work_state.h"

#include "audit.pb-c.h"

#include <string.h>

#define ID_MAX 64

/* A field of the request by which somebody or something is named, as far as it can be an id and no sentence. */
static const char *request_id(const struct work *work, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        work->request ? protobuf_c_message_descriptor_get_field_by_name(work->request->descriptor, name) : NULL;
    if (!field || field->type != PROTOBUF_C_TYPE_STRING || field->label == PROTOBUF_C_LABEL_REPEATED)
        return "";
    const char *id = *(char *const *)((const char *)work->request + field->offset);
    size_t len = strlen(id);
    return len <= ID_MAX && strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-") == len
               ? id
               : "";
}

/* What is done by a lent right is recorded under its loan (AUTH-8), so that its use can be watched. */
static char *reason_of(const struct work *work, const struct touch *touch)
{
    if (work->actor && *work->state->loan)
        return work->state->loan;
    return (char *)(touch->reason ? touch->reason : "");
}

static void event_fill(struct work *work, const struct touch *touch, const char *outcome, Audit__Event *event)
{
    struct work_state *state = work->state;
    event->service = (char *)state->service->name;
    event->at_ms = clock_ms();
    event->who = work->actor ? (char *)work->actor->account : work->peer ? state->peer.name : event->service;
    event->terminal = (char *)(work->actor ? work->actor->terminal : request_id(work, "terminal"));
    event->role = work->actor ? (char *)work->actor->role : "";
    event->person = work->actor ? (char *)work->actor->person : "";
    event->act = (char *)(touch->act ? touch->act : route_row(state->route)->name);
    event->manager = state->manager;
    event->subject = (char *)(touch->subject ? touch->subject : "");
    event->reason = reason_of(work, touch);
    event->outcome = (char *)outcome;
    event->count = touch->nobody ? 0 : touch->count ? touch->count : 1;
    event->purpose = work->actor ? state->purpose : "";
    event->programme = work->actor ? state->programme : "";
    event->likeness =
        (char *)(work->actor && touch->name ? likeness_of(&work->actor->tags, state->manager, touch->name) : "");
}

static void record_put(struct work *work, const struct touch *touch, const char *outcome)
{
    struct record_chain *chain = &work->state->pending;
    Audit__Event event = AUDIT__EVENT__INIT;
    uint8_t previous[AUDIT_LINK_BYTES];
    event_fill(work, touch, outcome, &event);
    struct bytes packed = {NULL, audit__event__get_packed_size(&event)};
    packed.data = arena_take(work->arena, packed.len);
    if (!packed.data) {
        pg_fail(work->pg, FAULT_internal); /* no touch of a person's data without its record */
        return;
    }
    audit__event__pack(&event, packed.data);
    memcpy(previous, chain->digest, sizeof previous);
    if (!audit_link_make(previous, ++chain->sequence, packed, chain->digest)) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    audit_outbox_put(work->pg, chain->instance, chain->worker, chain->sequence, previous, chain->digest, packed);
    work->state->audit_filled = true;
}

void work_audit(struct work *work, const struct touch *touch)
{
    record_put(work, touch, "done");
}

static struct touch touch_of_request(const struct work *work)
{
    const char *pseudonym = request_id(work, "pseudonym"), *application = request_id(work, "application");
    return (struct touch){.subject = *pseudonym ? pseudonym : request_id(work, "gateway_id"),
        .reason = *application ? application : work->correlation,
        .nobody = !*pseudonym};
}

static bool leaves_none(enum route route)
{
    static const bool bare[ROUTES] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind)
#define BARE(name, why) [ROUTE_##name] = true,
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
    };
    return bare[route];
}

void record_what_was_not_said(struct work *work)
{
    const struct work_state *state = work->state;
    struct touch touch = touch_of_request(work);
    if (work->envelope && state->pending.sequence == state->committed.sequence && !leaves_none(state->route))
        work_audit(work, &touch);
}

void record_refusal(struct work *work, enum fault_code code)
{
    struct touch touch = touch_of_request(work);
    record_put(work, &touch, fault_code_text(code));
}

void record_refused(struct work *work, const struct touch *touch, enum fault_code code)
{
    record_put(work, touch, fault_code_text(code));
}
