/* Accepting an inquiry. Nothing here speaks to the network: steps do (gateway_steps.c). */
#include "intermediate/gateway_messages.h"

#include <stdio.h>
#include <string.h>

#include "chassis/form.h"
#include "chassis/step.h"
#include "intermediate.pb-c.h"
#include "intermediate/acquisition_number.h"
#include "intermediate/gateway_store.h"

#define GATEWAY_ID_MAX 64
#define TEXT_MAX 300 /* bytes of affair and item */

static const struct programmes *programmes;

void gateway_serve(const struct programmes *served)
{
    programmes = served;
}

static bool uuid_check(const char *text, const char *field, struct fault *fault)
{
    return form_is_uuid(text) || fault_set(fault, FAULT_malformed, field);
}

static bool text_check(const char *text, size_t max, const char *field, struct fault *fault)
{
    if (!text[0])
        return fault_set(fault, FAULT_item_missing, field);
    return strlen(text) <= max || fault_set(fault, FAULT_item_too_long, field);
}

/* A programme of this manager that asks for family registers at all (技能検定 does not). Whether this inquiry is
 * permitted is for the network to say, by its list. */
static bool inquire_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intermediate__InquireRequest *request = (const Intermediate__InquireRequest *)message;
    const struct programme *programme = programme_find(programmes, request->programme);
    if (!programme)
        return fault_set(fault, FAULT_programme_unknown, "programme");
    if (strcmp(programme->manager, request->manager) != 0)
        return fault_set(fault, FAULT_not_permitted, "manager");
    if (!programme->family_register)
        return fault_set(fault, FAULT_permit_refused, "programme");
    return uuid_check(request->application, "application", fault) &&
           text_check(request->gateway_id, GATEWAY_ID_MAX, "gateway_id", fault) &&
           text_check(request->affair, TEXT_MAX, "affair", fault) && text_check(request->item, TEXT_MAX, "item", fault);
}

/* A 取得番号 is made with the inquiry, so that it is durable before anybody hears of it. */
static bool acquisition_make(struct work *work, const struct inquiry *inquiry)
{
    char number[ACQUISITION_NUMBER_SIZE], id[37];
    acquisition_number_make(number);
    uuid_make(id);
    bool kept = acquisition_put(work, inquiry->manager, inquiry->gateway_id, id, number);
    explicit_bzero(number, sizeof number);
    return kept;
}

static enum outcome inquire_act(struct work *work)
{
    const Intermediate__InquireRequest *request = (const Intermediate__InquireRequest *)work->request;
    Intermediate__InquireReply reply = INTERMEDIATE__INQUIRE_REPLY__INIT;
    struct inquiry inquiry = {.application = request->application,
        .programme = request->programme,
        .gateway_id = request->gateway_id,
        .provider = programme_find(programmes, request->programme)->family_provider,
        .affair = request->affair,
        .item = request->item};
    bool had;
    uuid_make(inquiry.id);
    snprintf(inquiry.manager, sizeof inquiry.manager, "%s", request->manager);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!code_exists(work, inquiry.manager, inquiry.gateway_id, &had))
        return work_refuse(work);
    inquiry.state = had ? INQUIRY_CODE_HAD : INQUIRY_CODE_NEEDED;
    if (!had && !acquisition_make(work, &inquiry))
        return work_refuse(work);
    const char *lane = had ? LANE_NETWORK : LANE_ACQUIRE;
    gateway_inquiry_put(work, &inquiry);
    gateway_queue_put(work, &inquiry, lane);
    reply.inquiry = inquiry.id;
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        step_wake(lane);
    return outcome;
}

const struct message gateway_messages[] = {
    {ROUTE_intermediate_inquire, inquire_check, inquire_act},
};
const size_t gateway_message_count = sizeof gateway_messages / sizeof *gateway_messages;
