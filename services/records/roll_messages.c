#include "records/roll_messages.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "chassis/table_request.h"
#include "chassis/cover.h"
#include "chassis/form.h"
#include "chassis/programme_value.h"
#include "records.pb-c.h"
#include "records/roll_export.h"
#include "records/roll_store.h"

#define JAPAN_OFFSET_SECONDS (9 * 3600) /* no summer time */
#define ITEMS_MAX (64 * 1024)
#define YEAR_2100_MS 4102444800000 /* a time past it is no time of receipt */

static const struct programmes *programmes;

void roll_serve(const struct programmes *served)
{
    programmes = served;
}

/* A text from outside: not empty unless it may be, within its limit, no control characters. */
static bool text_check(
    const char *text, enum programme_type type, size_t max, bool may_be_empty, const char *field, struct fault *fault)
{
    if (text[0] == 0)
        return may_be_empty || fault_set(fault, FAULT_item_missing, field);
    enum fault_code code = programme_value_check(type, max, NULL, 0, text, strlen(text));
    return code == FAULT_NONE || fault_set(fault, code, field);
}

static bool uuid_check(const char *text, const char *field, struct fault *fault)
{
    return form_is_uuid(text) || fault_set(fault, FAULT_malformed, field);
}

/* A programme that is served, and of this manager: a body can never write on another's roll (ROLL-6). */
static bool programme_check(const char *manager, const char *code, struct fault *fault)
{
    const struct programme *programme = programme_find(programmes, code);
    if (programme == NULL)
        return fault_set(fault, FAULT_programme_unknown, "programme");
    return strcmp(programme->manager, manager) == 0 || fault_set(fault, FAULT_not_permitted, "manager");
}

static bool register_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Records__RegisterRequest *request = (const Records__RegisterRequest *)message;
    if (request->person == NULL)
        return fault_set(fault, FAULT_item_missing, "person");
    if (request->items.len > ITEMS_MAX)
        return fault_set(fault, FAULT_too_large, "items");
    if (request->received_at_ms <= 0 || request->received_at_ms >= YEAR_2100_MS)
        return fault_set(fault, FAULT_item_invalid, "received_at_ms");
    struct person person;
    return programme_check(request->manager, request->programme, fault) &&
           uuid_check(request->application, "application", fault) &&
           text_check(request->pseudonym, PROGRAMME_CODE, 64, false, "pseudonym", fault) &&
           text_check(request->portal_pseudonym, PROGRAMME_TEXT, 128, true, "portal_pseudonym", fault) &&
           text_check(request->domicile, PROGRAMME_TEXT, 200, true, "domicile", fault) &&
           text_check(request->receipt, PROGRAMME_TEXT, 40, false, "receipt", fault) &&
           person_fill(&person, request->person->name, request->person->address, request->person->birth_date,
               request->person->sex, fault);
}

static void day_print(int64_t ms, char day[9])
{
    time_t seconds = (time_t)(ms / 1000) + JAPAN_OFFSET_SECONDS;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(day, 9, "%Y%m%d", &parts);
}

/* Cover a JSON text for its place; data NULL on failure. */
static struct bytes json_cover(struct work *work, struct cover_place place, const json_t *json, struct bytes *plain)
{
    struct bytes covered = {NULL, 0};
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL)
        return covered;
    *plain = arena_copy(work->arena, text, strlen(text));
    memset(text, 0, strlen(text));
    free(text);
    if (plain->data != NULL)
        covered = cover_put(work->arena, place, plain->data, plain->len);
    return covered;
}

static struct cover_place version_place(
    struct work *work, const char *manager, const char *entry, uint32_t version, const char *column)
{
    return (struct cover_place){column, manager, arena_format(work->arena, "%s/%u", entry, version)};
}
#define FIELDS_COLUMN "records.version.fields"
#define DIFFERING_COLUMN "records.version.differing"
#define NUMBER_COLUMN "records.entry.registration_number"

/* An application being registered. */
struct registration {
    const Records__RegisterRequest *request;
    const struct programme *programme;
    const struct programme_procedure *procedure;
    struct person person;
    json_t *items, *fields;
    char received_on[9], registered_on[9], number[PROGRAMME_NUMBER_MAX], entry[37];
    struct bytes fields_text;
};

static bool person_token_make(struct work *work, const char *manager, const struct person *person, uint8_t *token)
{
    char key[PERSON_NAME_KEY_MAX];
    if (!person_name_normalise(person->name, key, sizeof key))
        return fault_set(&work->fault, FAULT_item_invalid, "name");
    const char *plain = arena_format(work->arena, "%s\n%s", key, person->birth_date);
    return (plain != NULL && index_token(manager, "records.person", plain, strlen(plain), token)) ||
           fault_set(&work->fault, FAULT_internal, NULL);
}

static bool registration_prepare(struct work *work, struct registration *registration)
{
    const Records__RegisterRequest *request = registration->request;
    registration->programme = programme_find(programmes, request->programme);
    registration->procedure = programme_procedure_find(registration->programme, "registration");
    registration->items =
        json_loadb((const char *)request->items.data, request->items.len, JSON_REJECT_DUPLICATES, NULL);
    day_print(request->received_at_ms, registration->received_on);
    day_print(clock_ms(), registration->registered_on);
    uuid_make(registration->entry);
    return programme_items_check(registration->procedure, registration->items, &work->fault) &&
           person_fill(&registration->person, request->person->name, request->person->address,
               request->person->birth_date, request->person->sex, &work->fault);
}

static bool fields_build(struct work *work, struct registration *registration)
{
    const Records__RegisterRequest *request = registration->request;
    const struct programme_values values = {
        .items = registration->items,
        .person = &registration->person,
        .pseudonym = request->pseudonym,
        .portal_pseudonym = request->portal_pseudonym,
        .domicile = request->domicile,
        .receipt = request->receipt,
        .registration_number = registration->number,
        .received_on = registration->received_on,
        .registered_on = registration->registered_on,
    };
    registration->fields = programme_entry_build(registration->programme, registration->procedure, &values);
    return registration->fields != NULL || fault_set(&work->fault, FAULT_internal, NULL);
}

/* Everything of the new entry, covered and queued. */
static bool entry_write(struct work *work, struct registration *registration)
{
    const Records__RegisterRequest *request = registration->request;
    const char *manager = request->manager, *number = registration->number;
    uint8_t number_token[INDEX_TOKEN_BYTES], person_token[INDEX_TOKEN_BYTES];
    if (!person_token_make(work, manager, &registration->person, person_token))
        return false;
    if (!index_token(manager, "records.number", number, strlen(number), number_token))
        return fault_set(&work->fault, FAULT_internal, NULL);
    struct bytes covered_number = cover_put(
        work->arena, (struct cover_place){NUMBER_COLUMN, manager, registration->entry}, number, strlen(number));
    struct bytes fields = json_cover(work, version_place(work, manager, registration->entry, 1, FIELDS_COLUMN),
        registration->fields, &registration->fields_text);
    if (covered_number.data == NULL || fields.data == NULL)
        return fault_set(&work->fault, FAULT_internal, NULL);
    roll_entry_put(work, &(struct roll_new){manager, registration->entry, request->programme, request->application,
                             request->pseudonym, covered_number, number_token, person_token,
                             programme_body_find(registration->programme, registration->items)});
    roll_version_put(work, &(struct roll_version){manager, registration->entry, 1, "registered", request->application,
                               work->peer->name, fields, {NULL, 0}});
    return true;
}

bool roll_entry_open(
    struct work *work, const char *manager, const struct roll_entry *entry, char **number, struct bytes *fields)
{
    struct bytes plain = cover_take(
        work->arena, (struct cover_place){NUMBER_COLUMN, manager, entry->entry}, entry->number.data, entry->number.len);
    *fields = cover_take(work->arena, version_place(work, manager, entry->entry, entry->version, FIELDS_COLUMN),
        entry->fields.data, entry->fields.len);
    if (plain.data == NULL || fields->data == NULL)
        return fault_set(&work->fault, FAULT_internal, "entry");
    *number = arena_text(work->arena, plain.data, plain.len);
    return *number != NULL || fault_set(&work->fault, FAULT_internal, NULL);
}

/* The transaction's own part of registering: an application that was here before gets the entry it made. */
static bool register_write(struct work *work, struct registration *registration, Records__RegisterReply *reply)
{
    const Records__RegisterRequest *request = registration->request;
    const struct programme *programme = registration->programme;
    struct roll_entry known;
    char series[PROGRAMME_SERIES_MAX];
    bool found;
    int64_t serial = 0;
    programme_number_series(programme, registration->received_on, series);
    if (!roll_serial_take(
            work, request->manager, request->programme, series, request->application, &found, &known, &serial))
        return false;
    reply->version = 1;
    if (found) {
        reply->entry = known.entry;
        struct bytes fields;
        bool opened = roll_entry_open(work, request->manager, &known, &reply->registration_number, &fields);
        reply->fields = (ProtobufCBinaryData){fields.len, fields.data};
        return opened;
    }
    if (!programme_number_print(programme, serial, registration->received_on, registration->items, registration->number,
            sizeof registration->number))
        return fault_set(&work->fault, FAULT_internal, "registration_number");
    if (!fields_build(work, registration) || !entry_write(work, registration))
        return false;
    reply->entry = registration->entry;
    reply->registration_number = registration->number;
    reply->fields = (ProtobufCBinaryData){registration->fields_text.len, registration->fields_text.data};
    return true;
}

static enum outcome register_act(struct work *work)
{
    struct registration registration = {.request = (const Records__RegisterRequest *)work->request};
    const Records__RegisterRequest *request = registration.request;
    Records__RegisterReply reply = RECORDS__REGISTER_REPLY__INIT;
    enum outcome outcome;
    if (!registration_prepare(work, &registration)) {
        outcome = work_refuse(work);
    } else if (!work_begin(work, request->manager)) {
        outcome = work_end(work);
    } else if (!register_write(work, &registration, &reply)) {
        outcome = work_refuse(work);
    } else {
        work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->application});
        outcome = work_commit(work, &reply.base);
    }
    json_decref(registration.items);
    json_decref(registration.fields);
    return outcome;
}

static bool entry_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Records__EntryRequest *request = (const Records__EntryRequest *)message;
    return text_check(request->manager, PROGRAMME_CODE, 31, false, "manager", fault) &&
           uuid_check(request->entry, "entry", fault);
}

static enum outcome entry_act(struct work *work)
{
    const Records__EntryRequest *request = (const Records__EntryRequest *)work->request;
    Records__EntryReply reply = RECORDS__ENTRY_REPLY__INIT;
    struct roll_entry entry;
    struct bytes fields;
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!roll_entry_read(work, request->manager, request->entry, &entry) ||
        !roll_entry_open(work, request->manager, &entry, &reply.registration_number, &fields))
        return work_refuse(work);
    reply.entry = entry.entry;
    reply.programme = entry.programme;
    reply.version = entry.version;
    reply.state = entry.state;
    reply.fields = (ProtobufCBinaryData){fields.len, fields.data};
    work_audit(work, &(struct touch){.subject = entry.pseudonym, .reason = work->correlation});
    return work_commit(work, &reply.base);
}

static bool take_copy_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Records__TakeCopyRequest *request = (const Records__TakeCopyRequest *)message;
    if (request->fields.len > ITEMS_MAX)
        return fault_set(fault, FAULT_too_large, "fields");
    return programme_check(request->manager, request->programme, fault) &&
           text_check(request->pseudonym, PROGRAMME_CODE, 64, false, "pseudonym", fault) &&
           text_check(request->copy, PROGRAMME_TEXT, 100, false, "copy", fault);
}

/* A copy that names the registration number is about that entry; a person may have several on one roll (技能検定). */
static bool copy_number_token(
    struct work *work, const struct programme *programme, const json_t *copy, uint8_t *token, bool *named)
{
    const char *path;
    json_t *value;
    *named = false;
    json_object_foreach((json_t *)copy, path, value)
    {
        struct programme_target target;
        const char *text = json_string_value(value);
        if (text == NULL || text[0] == 0 || !programme_field_find(programme, path, &target) ||
            target.field->source != PROGRAMME_SYSTEM || strcmp(target.field->value, "registration_number") != 0)
            continue;
        *named = true;
        return index_token(programme->manager, "records.number", text, strlen(text), token) ||
               fault_set(&work->fault, FAULT_internal, NULL);
    }
    return true;
}

/* The copy laid over the entry in force, as its next version. */
static bool copy_write(struct work *work, const struct programme *programme, const char *id,
    const struct roll_entry *entry, const json_t *copy)
{
    const char *manager = programme->manager;
    uint32_t next = entry->version + 1;
    char *number;
    struct bytes plain, ignored;
    if (!roll_entry_open(work, manager, entry, &number, &plain))
        return false;
    bool written = false;
    json_t *fields = json_loadb((const char *)plain.data, plain.len, 0, NULL), *differing = json_array();
    if (!programme_entry_take_copy(programme, fields, copy, differing, &work->fault))
        goto out;
    struct roll_version version = {manager, entry->entry, next, "copy", id, work->peer->name, {NULL, 0}, {NULL, 0}};
    version.fields =
        json_cover(work, version_place(work, manager, entry->entry, next, FIELDS_COLUMN), fields, &ignored);
    if (json_array_size(differing) > 0)
        version.differing =
            json_cover(work, version_place(work, manager, entry->entry, next, DIFFERING_COLUMN), differing, &ignored);
    written = version.fields.data != NULL && (json_array_size(differing) == 0 || version.differing.data != NULL);
    if (!written) {
        fault_set(&work->fault, FAULT_internal, NULL);
        goto out;
    }
    roll_version_put(work, &version);
    roll_version_move(work, manager, entry->entry, next);
out:
    json_decref(fields);
    json_decref(differing);
    return written;
}

/* Idempotent for good, not only as long as the inbox remembers: a copy makes one version of an entry. */
static bool take_copy_write(
    struct work *work, const Records__TakeCopyRequest *request, const json_t *copy, Records__TakeCopyReply *reply)
{
    const struct programme *programme = programme_find(programmes, request->programme);
    uint8_t token[INDEX_TOKEN_BYTES];
    bool named;
    struct roll_entry entry;
    if (!copy_number_token(work, programme, copy, token, &named) ||
        !roll_entry_lock(
            work, request->manager, request->programme, request->pseudonym, named ? token : NULL, &reply->entry) ||
        !roll_copy_find(work, request->manager, reply->entry, request->copy, &reply->version))
        return false;
    if (reply->version > 0)
        return true;
    if (!roll_entry_read(work, request->manager, reply->entry, &entry) ||
        !copy_write(work, programme, request->copy, &entry, copy))
        return false;
    reply->version = entry.version + 1;
    return true;
}

static enum outcome take_copy_act(struct work *work)
{
    const Records__TakeCopyRequest *request = (const Records__TakeCopyRequest *)work->request;
    Records__TakeCopyReply reply = RECORDS__TAKE_COPY_REPLY__INIT;
    json_t *copy = json_loadb((const char *)request->fields.data, request->fields.len, JSON_REJECT_DUPLICATES, NULL);
    enum outcome outcome;
    if (!json_is_object(copy)) {
        outcome = work_refuse_with(work, FAULT_malformed, "fields");
    } else if (!work_begin(work, request->manager)) {
        outcome = work_end(work);
    } else if (!take_copy_write(work, request, copy, &reply)) {
        outcome = work_refuse(work);
    } else {
        work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->copy});
        outcome = work_commit(work, &reply.base);
    }
    json_decref(copy);
    return outcome;
}

const struct programme *roll_programme_find(const char *manager, const char *code, struct fault *fault)
{
    return programme_check(manager, code, fault) ? programme_find(programmes, code) : NULL;
}

const struct message roll_messages[] = {
    {ROUTE_records_register, register_check, register_act},
    {ROUTE_records_entry, entry_check, entry_act},
    {ROUTE_records_take_copy, take_copy_check, take_copy_act},
    {ROUTE_records_export, table_request_check, roll_export_act},
};
const size_t roll_message_count = sizeof roll_messages / sizeof roll_messages[0];
