/* Staff: the review of applications (審査), fees at the counter, the residence network's terminal. */
#include "portal/portal_handlers.h"

#include "intake.pb-c.h"
#include "residence.pb-c.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 50
#define LIST_MAX 200
#define REASON_MAX 6000 /* 2,000 characters */
#define WORD_MAX 64
#define YEN_MAX 10000000
#define CANDIDATES_MAX 1000
#define ATTACHMENT_MAX (24 * 192 * 1024) /* bytes of all attachments of an application */

static bool limit_parse(const char *text, uint32_t *limit)
{
    *limit = LIST_DEFAULT;
    if (!text)
        return true;
    if (!is_word(text, 3) || strspn(text, "0123456789") != strlen(text))
        return false;
    *limit = (uint32_t)strtoul(text, NULL, 10);
    return *limit >= 1 && *limit <= LIST_MAX;
}

bool list_http(struct exchange *x, struct work *work)
{
    Intake__ListRequest request = INTAKE__LIST_REQUEST__INIT;
    ProtobufCMessage *message;
    const char *state, *limit;
    if (!exchange_query(x, work->arena, "state", &state, &work->fault) ||
        !exchange_query(x, work->arena, "limit", &limit, &work->fault))
        return false;
    if (state && !is_word(state, WORD_MAX))
        return fault_set(&work->fault, FAULT_item_invalid, "state");
    if (!limit_parse(limit, &request.limit))
        return fault_set(&work->fault, FAULT_item_invalid, "limit");
    request.manager = x->actor.manager;
    request.state = (char *)(state ? state : "");
    if (!work_call(work, ROUTE_intake_list, NULL, &request.base, &message))
        return false;
    const Intake__ListReply *reply = (const Intake__ListReply *)message;
    exchange_answer_json(
        x, 200, json_pack("{so}", "applications", applications_json(reply->applications, reply->n_applications, true)));
    return true;
}

static const Intake__ViewReply *view_ask(struct exchange *x, struct work *work)
{
    Intake__ViewRequest request = INTAKE__VIEW_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = x->actor.manager;
    request.receipt = x->part;
    if (!work_call(work, ROUTE_intake_view, NULL, &request.base, &reply))
        return NULL;
    const Intake__ViewReply *view = (const Intake__ViewReply *)reply;
    if (!view->application || strlen(view->application->application) >= sizeof x->application) {
        fault_set(&work->fault, FAULT_internal, NULL);
        return NULL;
    }
    strcpy(x->application, view->application->application);
    return view;
}

static json_t *comparisons_json(Intake__Comparison *const *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{ss ss ss}", "with", rows[i]->with, "item", rows[i]->item, "result", rows[i]->result));
    return list;
}

static json_t *attachments_json(Intake__Attachment *const *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{si ss ss ss sI}", "number", (int)rows[i]->number, "name", rows[i]->name, "label",
                      rows[i]->label, "media_type", rows[i]->media_type, "size", (json_int_t)rows[i]->size));
    return list;
}

bool view_http(struct exchange *x, struct work *work)
{
    const Intake__ViewReply *view = view_ask(x, work);
    if (!view)
        return false;
    json_t *document = json_loadb((const char *)view->document.data, view->document.len, JSON_REJECT_DUPLICATES, NULL);
    if (!document)
        return fault_set(&work->fault, FAULT_internal, NULL);
    exchange_answer_json(x, 200,
        json_pack("{so so so so ss ss ss}", "application", application_json(view->application, true), "document",
            document, "comparisons", comparisons_json(view->comparisons, view->n_comparisons), "attachments",
            attachments_json(view->attachments, view->n_attachments), "residence_result", view->residence_result,
            "family_result", view->family_result, "domicile", view->domicile));
    return true;
}

/* Piece by piece, as the bus carries it, into `whole`, which is the caller's to wipe and free. */
static bool attachment_collect(
    struct work *work, Intake__AttachmentViewRequest *request, uint8_t **whole, size_t *size, const char **media_type)
{
    size_t used = 0;
    do {
        ProtobufCMessage *message;
        if (!work_call(work, ROUTE_intake_attachment_view, NULL, &request->base, &message))
            return false;
        const Intake__AttachmentViewReply *reply = (const Intake__AttachmentViewReply *)message;
        if (!*whole && reply->size > 0 && reply->size <= ATTACHMENT_MAX && (*whole = malloc((size_t)reply->size)))
            *size = (size_t)reply->size;
        if (!*whole || !reply->content.len || reply->content.len > *size - used)
            return fault_set(&work->fault, FAULT_internal, NULL);
        memcpy(*whole + used, reply->content.data, reply->content.len);
        used += reply->content.len;
        *media_type = reply->media_type;
        request->piece++;
    } while (used < *size);
    return true;
}

bool attachment_view_http(struct exchange *x, struct work *work)
{
    static const char *const shown[] = {"application/pdf", "image/jpeg", "image/png"};
    Intake__AttachmentViewRequest request = INTAKE__ATTACHMENT_VIEW_REQUEST__INIT;
    const char *number, *media_type = "", *as = "application/octet-stream";
    uint8_t *whole = NULL;
    size_t size = 0;
    if (!exchange_query(x, work->arena, "number", &number, &work->fault))
        return false;
    if (!number || !is_word(number, 2) || strspn(number, "0123456789") != strlen(number))
        return fault_set(&work->fault, FAULT_item_invalid, "number");
    request.manager = x->actor.manager;
    request.receipt = x->part;
    request.number = (uint32_t)strtoul(number, NULL, 10);
    bool done = attachment_collect(work, &request, &whole, &size, &media_type);
    for (size_t i = 0; done && i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i], media_type) == 0)
            as = shown[i];
    if (done)
        exchange_answer(x, 200, as, whole, size);
    if (whole)
        OPENSSL_cleanse(whole, size);
    free(whole);
    return done;
}

/* Send a command about the application of the path and answer with how it stands then. */
static bool command_send(struct exchange *x, struct work *work, enum route route, const ProtobufCMessage *request)
{
    ProtobufCMessage *message;
    const char *act = act_name(x, work);
    if (!act)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (!work_call(work, route, act, request, &message))
        return false;
    const Intake__Application *application = ((const Intake__DecideReply *)message)->application;
    if (!application)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (strlen(application->application) < sizeof x->application)
        strcpy(x->application, application->application);
    exchange_answer_json(x, 200, application_json(application, true));
    return true;
}

bool decide_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"decision", JSON_STRING, true, 16},
        {"reason", JSON_STRING, false, REASON_MAX},
    };
    Intake__DecideRequest request = INTAKE__DECIDE_REQUEST__INIT;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.receipt = x->part;
    request.decision = (char *)member_text(body, "decision");
    request.reason = (char *)member_text(body, "reason");
    bool done = command_send(x, work, ROUTE_intake_decide, &request.base);
    json_decref(body);
    return done;
}

bool fee_receipt_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"method", JSON_STRING, true, 16},
        {"amount", JSON_INTEGER, true, 0},
    };
    Intake__FeeReceiptRequest request = INTAKE__FEE_RECEIPT_REQUEST__INIT;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.receipt = x->part;
    request.method = (char *)member_text(body, "method");
    request.amount = json_integer_value(json_object_get(body, "amount"));
    bool done = request.amount >= 0 && request.amount <= YEN_MAX
                    ? command_send(x, work, ROUTE_intake_fee_receipt, &request.base)
                    : fault_set(&work->fault, FAULT_item_invalid, "amount");
    json_decref(body);
    return done;
}

/* --- the residence network's terminal (本人確認端末) --- */

static bool person_take(const json_t *person, Person__FourItems *items, struct fault *fault)
{
    const char *const names[] = {"name", "address", "birth_date", "sex"};
    char **const fields[] = {&items->name, &items->address, &items->birth_date, &items->sex};
    for (size_t i = 0; i < 4; i++) {
        const json_t *value = json_object_get(person, names[i]);
        if (!json_is_string(value) || !json_string_length(value))
            return fault_set(fault, FAULT_item_missing, names[i]);
        *fields[i] = (char *)json_string_value(value);
    }
    return json_object_size(person) == 4 || fault_set(fault, FAULT_item_unknown, "person");
}

static bool instant_send(struct exchange *x, struct work *work, Residence__InstantRequest *request)
{
    ProtobufCMessage *reply;
    const char *act = act_name(x, work);
    const Intake__ViewReply *view = view_ask(x, work);
    if (!view || !act)
        return false;
    request->manager = x->actor.manager;
    request->application = view->application->application;
    request->programme = view->application->programme;
    request->body = view->application->body;
    request->pseudonym = view->application->pseudonym;
    if (!work_call(work, ROUTE_residence_instant, act, &request->base, &reply))
        return false;
    exchange_answer_json(x, 202, json_pack("{ss}", "inquiry", ((const Residence__InquireReply *)reply)->inquiry));
    return true;
}

bool residence_inquire_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"key", JSON_STRING, true, 16},
        {"person", JSON_OBJECT, false, 0},
    };
    Residence__InstantRequest request = RESIDENCE__INSTANT_REQUEST__INIT;
    Person__FourItems items = PERSON__FOUR_ITEMS__INIT;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    const json_t *person = json_object_get(body, "person");
    request.key = (char *)member_text(body, "key");
    bool by_items = strcmp(request.key, "four_items") == 0, good = by_items || strcmp(request.key, "number") == 0;
    if (!good)
        fault_set(&work->fault, FAULT_item_invalid, "key");
    else if (by_items != (person != NULL))
        good = fault_set(&work->fault, by_items ? FAULT_item_missing : FAULT_item_unknown, "person");
    else if (by_items && (good = person_take(person, &items, &work->fault)))
        request.person = &items;
    good = good && instant_send(x, work, &request);
    json_decref(body);
    return good;
}

bool residence_inquiry_http(struct exchange *x, struct work *work)
{
    Residence__InstantResultRequest request = RESIDENCE__INSTANT_RESULT_REQUEST__INIT;
    ProtobufCMessage *message;
    request.manager = x->actor.manager;
    request.inquiry = x->part;
    if (!work_call(work, ROUTE_residence_instant_result, NULL, &request.base, &message))
        return false;
    const Residence__InstantResultReply *reply = (const Residence__InstantResultReply *)message;
    json_t *list = json_array();
    for (size_t i = 0; i < reply->n_candidates; i++) {
        const Person__FourItems *one = reply->candidates[i];
        json_array_append_new(list, json_pack("{ss ss ss ss}", "name", one->name, "address", one->address, "birth_date",
                                        one->birth_date, "sex", one->sex));
    }
    exchange_answer_json(x, 200,
        json_pack("{ss ss ss so}", "state", reply->state, "result", reply->result, "application", reply->application,
            "candidates", list));
    return true;
}

bool residence_result_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"inquiry", JSON_STRING, true, WORD_MAX},
        {"candidate", JSON_INTEGER, false, 0},
        {"none", JSON_TRUE, false, 0},
    };
    Intake__ResidenceResultRequest request = INTAKE__RESIDENCE_RESULT_REQUEST__INIT;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    const json_t *candidate = json_object_get(body, "candidate");
    json_int_t index = json_integer_value(candidate);
    request.manager = x->actor.manager;
    request.receipt = x->part;
    request.inquiry = (char *)member_text(body, "inquiry");
    request.candidate = (uint32_t)index;
    request.none_matches = json_is_true(json_object_get(body, "none"));
    bool done = false;
    if (request.none_matches == (candidate != NULL) || index < 0 || index >= CANDIDATES_MAX)
        fault_set(&work->fault, FAULT_item_invalid, "candidate");
    else
        done = command_send(x, work, ROUTE_intake_residence_result, &request.base);
    json_decref(body);
    return done;
}
