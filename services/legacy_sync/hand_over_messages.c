#include "legacy_sync/hand_over_messages.h"

#include "chassis/cover.h"
#include "chassis/form.h"
#include "chassis/number_guard.h"
#include "chassis/step.h"
#include "legacy_sync.pb-c.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_store.h"

#include <string.h>

#define PSEUDONYM_MAX 64
#define NUMBER_TEXT_MAX 100

/* The fields are a JSON object, and nothing in them may be a number (LINK-1, NUM-1). */
static bool fields_check(const ProtobufCBinaryData *fields, struct fault *fault)
{
    json_t *value = json_loadb((const char *)fields->data, fields->len, JSON_REJECT_DUPLICATES, NULL);
    enum fault_code code = !json_is_object(value)     ? FAULT_malformed
                           : number_guard_json(value) ? FAULT_number_not_allowed
                                                      : FAULT_NONE;
    json_decref(value);
    return code == FAULT_NONE ? true : fault_set(fault, code, "fields");
}

bool hand_over_check(const ProtobufCMessage *message, struct fault *fault)
{
    const LegacySync__HandOverRequest *request = (const LegacySync__HandOverRequest *)message;
    const struct programme *programme = programme_find(programmes_in_use(), request->programme);
    if (!programme || !existing_system_by_kind(programme->legacy)) {
        return fault_set(fault, FAULT_programme_unknown, "programme");
    }
    if (strcmp(programme->manager, request->manager) != 0) {
        return fault_set(fault, FAULT_malformed, "manager");
    }
    if (!form_is_uuid(request->application)) {
        return fault_set(fault, FAULT_malformed, "application");
    }
    if (!*request->pseudonym || strlen(request->pseudonym) > PSEUDONYM_MAX) {
        return fault_set(fault, FAULT_malformed, "pseudonym");
    }
    if (!*request->registration_number || strlen(request->registration_number) > NUMBER_TEXT_MAX) {
        return fault_set(fault, FAULT_malformed, "registration_number");
    }
    return fields_check(&request->fields, fault);
}

/* The request as it came, covered for its place in the table. */
static struct bytes content_make(struct work *work, const char *manager, const char *id)
{
    size_t len = protobuf_c_message_get_packed_size(work->request);
    uint8_t *plain = arena_take(work->arena, len + 1);
    if (!plain) {
        return (struct bytes){0};
    }
    protobuf_c_message_pack(work->request, plain);
    return cover_put(work->arena, (struct cover_place){"legacy_sync.hand_over", manager, id}, plain, len);
}

/* Accept durably; the lane does the rest. One application is handed over once, whatever key it comes under. */
static enum outcome hand_over_act(struct work *work)
{
    const LegacySync__HandOverRequest *request = (const LegacySync__HandOverRequest *)work->request;
    const struct programme *programme = programme_find(programmes_in_use(), request->programme);
    const struct existing_system *system = existing_system_by_kind(programme->legacy);
    LegacySync__HandOverReply reply = LEGACY_SYNC__HAND_OVER_REPLY__INIT;
    char id[37];
    uuid_make(id);
    struct bytes content = content_make(work, request->manager, id);
    if (!content.data) {
        return work_refuse_with(work, FAULT_internal, NULL);
    }
    if (!work_begin(work, request->manager)) {
        return work_end(work);
    }
    reply.hand_over =
        hand_over_of_application(work->pg, work->arena, request->manager, request->application, &work->fault);
    if (!reply.hand_over && work->fault.code != FAULT_NONE) {
        return work_refuse(work);
    }
    if (reply.hand_over) {
        hand_over_retry(work->pg, request->manager, reply.hand_over);
    } else {
        reply.hand_over = id;
        hand_over_put(work->pg, &(struct hand_over){id, request->manager, request->programme, request->application,
                                    system->name, request->pseudonym, HAND_OVER_WAITING, content});
        work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->application});
    }
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE) {
        step_wake(system->name);
    }
    return outcome;
}

const struct message hand_over_messages[] = {
    {ROUTE_legacy_sync_hand_over, hand_over_check, hand_over_act},
};
const size_t hand_over_message_count = sizeof hand_over_messages / sizeof *hand_over_messages;
