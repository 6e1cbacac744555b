/* Accepting and telling. Nothing here speaks to the network or the vault: steps do (inquiry_steps.c). */
#include "residence/inquiry_messages.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "chassis/form.h"
#include "chassis/person_match.h"
#include "chassis/second_person.h"
#include "chassis/step.h"
#include "residence.pb-c.h"
#include "residence/candidate_list.h"
#include "residence/inquiry_store.h"

#define PSEUDONYM_MAX 64
#define SEALED_MAX (16 * 1024)

static const struct programmes *programmes;

void inquiries_serve(const struct programmes *served)
{
    programmes = served;
}

/* --- checks ------------------------------------------------------------------------------------------------------- */

static bool word_check(const char *text, size_t max, const char *field, struct fault *fault)
{
    size_t len = strlen(text);
    if (len == 0)
        return fault_set(fault, FAULT_item_missing, field);
    if (len > max)
        return fault_set(fault, FAULT_item_too_long, field);
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return fault_set(fault, FAULT_item_invalid, field);
    return true;
}

static bool uuid_check(const char *text, const char *field, struct fault *fault)
{
    return form_is_uuid(text) || fault_set(fault, FAULT_malformed, field);
}

static bool affair_check(const char *manager, const char *code, const struct programme **programme, struct fault *fault)
{
    *programme = programme_find(programmes, code);
    if (!*programme)
        return fault_set(fault, FAULT_programme_unknown, "programme");
    return strcmp((*programme)->manager, manager) == 0 || fault_set(fault, FAULT_not_permitted, "manager");
}

static bool inquire_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Residence__InquireRequest *request = (const Residence__InquireRequest *)message;
    const struct programme *programme;
    if (!affair_check(request->manager, request->programme, &programme, fault))
        return false;
    /* JUKI-7: where the terminal is the only way there is no batch inquiry. */
    if (programme->residence != PROGRAMME_RESIDENCE_BATCH)
        return fault_set(fault, FAULT_residence_refused, "programme");
    return uuid_check(request->application, "application", fault) &&
           word_check(request->pseudonym, PSEUDONYM_MAX, "pseudonym", fault);
}

static bool instant_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Residence__InstantRequest *request = (const Residence__InstantRequest *)message;
    const struct programme *programme;
    struct person person;
    if (!word_check(request->manager, 31, "manager", fault) ||
        !uuid_check(request->application, "application", fault) ||
        !affair_check(request->manager, request->programme, &programme, fault))
        return false;
    if (*request->body && !programme_has_body(programme, request->body))
        return fault_set(fault, FAULT_item_invalid, "body");
    if (strcmp(request->key, "number") == 0)
        return word_check(request->pseudonym, PSEUDONYM_MAX, "pseudonym", fault);
    if (strcmp(request->key, "four_items") != 0)
        return fault_set(fault, FAULT_item_invalid, "key");
    if (!request->person)
        return fault_set(fault, FAULT_item_missing, "person");
    return person_fill(&person, request->person->name, request->person->address, request->person->birth_date,
        request->person->sex, fault);
}

static bool instant_result_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Residence__InstantResultRequest *request = (const Residence__InstantResultRequest *)message;
    return word_check(request->manager, 31, "manager", fault) && uuid_check(request->inquiry, "inquiry", fault);
}

static bool acquire_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Residence__AcquireRequest *request = (const Residence__AcquireRequest *)message;
    return word_check(request->manager, 31, "manager", fault) &&
           uuid_check(request->acquisition, "acquisition", fault) &&
           word_check(request->sealed, SEALED_MAX, "sealed", fault);
}

/* --- acts --------------------------------------------------------------------------------------------------------- */

static struct inquiry inquiry_new(const char *manager, const char *application, const char *programme)
{
    struct inquiry inquiry = {
        .application = application, .programme = programme, .pseudonym = "", .account = "", .body = ""};
    uuid_make(inquiry.id);
    snprintf(inquiry.manager, sizeof inquiry.manager, "%s", manager);
    return inquiry;
}

static enum outcome inquire_act(struct work *work)
{
    const Residence__InquireRequest *request = (const Residence__InquireRequest *)work->request;
    Residence__InquireReply reply = RESIDENCE__INQUIRE_REPLY__INIT;
    struct inquiry inquiry = inquiry_new(request->manager, request->application, request->programme);
    inquiry.pseudonym = request->pseudonym;
    if (!work_begin(work, request->manager))
        return work_end(work);
    inquiry_put(work, &inquiry);
    inquiry_queue_put(work, inquiry.id, inquiry.manager, LANE_BATCH, 0);
    reply.inquiry = inquiry.id;
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        step_wake(LANE_BATCH);
    return outcome;
}

static bool asked_keep(struct work *work, const struct inquiry *inquiry, const Person__FourItems *items)
{
    const struct person_text text = {items->name, items->address, items->birth_date, items->sex};
    struct bytes plain = candidate_list_put(work->arena, &text, 1);
    if (!plain.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    return passing_put(work, inquiry->manager, inquiry->id, "asked", plain.data, plain.len);
}

static enum outcome instant_act(struct work *work)
{
    const Residence__InstantRequest *request = (const Residence__InstantRequest *)work->request;
    Residence__InquireReply reply = RESIDENCE__INQUIRE_REPLY__INIT;
    struct inquiry inquiry = inquiry_new(request->manager, request->application, request->programme);
    inquiry.instant = true;
    inquiry.by_items = strcmp(request->key, "four_items") == 0;
    inquiry.pseudonym = request->pseudonym;
    inquiry.account = work->actor->account;
    inquiry.body = request->body;
    if (!work_permits(work, &(struct affair){request->manager, request->programme, request->body}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    inquiry_put(work, &inquiry);
    if (inquiry.by_items && !asked_keep(work, &inquiry, request->person))
        return work_refuse(work);
    inquiry_queue_put(work, inquiry.id, inquiry.manager, LANE_INSTANT, 0);
    work_audit(work, &(struct touch){.subject = request->pseudonym,
                         .reason = request->application,
                         .name = inquiry.by_items ? request->person->name : NULL});
    reply.inquiry = inquiry.id;
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        step_wake(LANE_INSTANT);
    return outcome;
}

static bool candidates_fill(struct work *work, struct bytes list, Residence__InstantResultReply *reply)
{
    struct person_text *people;
    if (!candidate_list_take(work->arena, list, &people, &reply->n_candidates))
        return fault_set(&work->fault, FAULT_internal, NULL);
    reply->candidates = arena_take(work->arena, (reply->n_candidates + 1) * sizeof *reply->candidates);
    Person__FourItems *items = arena_take(work->arena, (reply->n_candidates + 1) * sizeof *items);
    if (!reply->candidates || !items)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < reply->n_candidates; i++) {
        person__four_items__init(&items[i]);
        items[i].name = (char *)people[i].name;
        items[i].address = (char *)people[i].address;
        items[i].birth_date = (char *)people[i].birth_date;
        items[i].sex = (char *)people[i].sex;
        reply->candidates[i] = &items[i];
    }
    return true;
}

/* The list of an answered inquiry stands for minutes; after them it is not_found, and the operator asks anew. */
static enum outcome instant_result_act(struct work *work)
{
    const Residence__InstantResultRequest *request = (const Residence__InstantResultRequest *)work->request;
    Residence__InstantResultReply reply = RESIDENCE__INSTANT_RESULT_REPLY__INIT;
    struct inquiry inquiry;
    struct bytes list = {0};
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!inquiry_read(work, request->manager, request->inquiry, &inquiry))
        return work_refuse(work);
    if (!inquiry.instant)
        return work_refuse_with(work, FAULT_not_permitted, "inquiry");
    if (!work_permits(work, &(struct affair){request->manager, inquiry.programme, inquiry.body}))
        return work_refuse(work);
    if (inquiry.state == INQUIRY_ANSWERED && !passing_read(work, request->manager, request->inquiry, "list", &list))
        return work_refuse(work);
    if (inquiry.state == INQUIRY_ANSWERED && !list.data)
        return work_refuse_with(work, FAULT_not_found, "inquiry");
    if (list.data && !candidates_fill(work, list, &reply))
        return work_refuse(work);
    if (list.data)
        work_audit(work,
            &(struct touch){
                .subject = inquiry.pseudonym, .reason = inquiry.application, .count = (uint32_t)reply.n_candidates});
    reply.state = (char *)inquiry_state_text(inquiry.state);
    reply.result = (char *)inquiry.outcome;
    reply.application = (char *)inquiry.application;
    return work_commit(work, &reply.base);
}

/* Kept covered until the network has taken it. The acquisition's id makes a second request for it one and the same. */
static enum outcome acquire_act(struct work *work)
{
    const Residence__AcquireRequest *request = (const Residence__AcquireRequest *)work->request;
    Residence__AcquireReply reply = RESIDENCE__ACQUIRE_REPLY__INIT;
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!passing_put(
            work, request->manager, request->acquisition, "acquisition", request->sealed, strlen(request->sealed)))
        return work_refuse(work);
    inquiry_queue_put(work, request->acquisition, request->manager, LANE_ACQUIRE, 0);
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        step_wake(LANE_ACQUIRE);
    return outcome;
}

const struct message inquiry_messages[] = {
    PROPOSAL_MESSAGES(residence),
    {ROUTE_residence_inquire, inquire_check, inquire_act},
    {ROUTE_residence_instant, instant_check, instant_act},
    {ROUTE_residence_instant_result, instant_result_check, instant_result_act},
    {ROUTE_residence_acquire, acquire_check, acquire_act},
};
const size_t inquiry_message_count = sizeof inquiry_messages / sizeof *inquiry_messages;
