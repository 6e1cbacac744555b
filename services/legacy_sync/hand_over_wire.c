#include "legacy_sync/hand_over_wire.h"

#include "chassis/number_guard.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An id of the other side: letters, digits and hyphens, so that it can stand in a log or a path. */
static bool id_fits(const char *text, size_t max)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return text && *text && strlen(text) <= max && strspn(text, letters) == strlen(text);
}

static void not_now(struct delivery *delivery, enum fault_code reason)
{
    *delivery = (struct delivery){.cause = HAND_OVER_NOT_NOW, .reason = reason};
}

static void refused(struct delivery *delivery, enum fault_code reason)
{
    *delivery = (struct delivery){.cause = HAND_OVER_REFUSED, .reason = reason};
}

static void answer_judge(int status, const json_t *answer, struct delivery *delivery)
{
    const char *reference = json_string_value(json_object_get(answer, "reference"));
    if (status == 200 && id_fits(reference, REFERENCE_MAX)) {
        *delivery = (struct delivery){.cause = HAND_OVER_TAKEN};
        snprintf(delivery->reference, sizeof delivery->reference, "%s", reference);
    } else if (status >= 400 && status < 500 && status != 408 && status != 429) {
        refused(delivery, FAULT_legacy_refused);
    } else {
        not_now(delivery, FAULT_unavailable);
    }
}

static json_t *message_make(const char *hand_over, const LegacySync__HandOverRequest *entry, const char *sealed_number)
{
    json_t *items = json_loadb((const char *)entry->fields.data, entry->fields.len, JSON_REJECT_DUPLICATES, NULL);
    return items ? json_pack("{ss ss ss ss so ss*}", "hand_over", hand_over, "pseudonym", entry->pseudonym, "programme",
                       entry->programme, "registration_number", entry->registration_number, "items", items,
                       "sealed_number", sealed_number)
                 : NULL;
}

void hand_over_send(struct arena *arena, const struct existing_system *system, const char *hand_over,
    const LegacySync__HandOverRequest *entry, const char *sealed_number, struct delivery *delivery)
{
    struct fault fault = {0};
    int status = 0;
    json_t *answer = NULL, *message = message_make(hand_over, entry, sealed_number);
    if (!message) {
        refused(delivery, FAULT_malformed);
    } else if (number_guard_json(json_object_get(message, "items"))) {
        refused(delivery, FAULT_number_not_allowed);
    } else if (!outside_json(system->peer, arena, "POST", system->path, message, &status, &answer, &fault)) {
        not_now(delivery, fault.code);
    } else {
        answer_judge(status, answer, delivery);
    }
    json_decref(answer);
    json_decref(message);
}

static bool copy_take(struct arena *arena, const json_t *from, int64_t after, struct copy *copy)
{
    const char *id = json_string_value(json_object_get(from, "copy"));
    const char *pseudonym = json_string_value(json_object_get(from, "pseudonym"));
    const json_t *fields = json_object_get(from, "fields"), *number = json_object_get(from, "n");
    if (!id_fits(id, 128) || !id_fits(pseudonym, 64) || !json_is_object(fields) ||
        json_integer_value(number) <= after) {
        return false;
    }
    char *text = json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS);
    *copy = (struct copy){
        .number = json_integer_value(number),
        .copy = arena_text(arena, id, strlen(id)),
        .pseudonym = arena_text(arena, pseudonym, strlen(pseudonym)),
        .fields = text ? arena_text(arena, text, strlen(text)) : NULL,
    };
    free(text);
    return copy->copy && copy->pseudonym && copy->fields;
}

bool copies_read(struct arena *arena, const struct existing_system *system, int64_t after, struct copy *copies,
    size_t max, size_t *count, struct fault *fault)
{
    int status = 0;
    json_t *answer = NULL, *one;
    size_t i;
    bool whole = false;
    char *path = arena_format(arena, "%s?after=%lld", system->copies, (long long)after);
    *count = 0;
    if (!path || !outside_json(system->peer, arena, "GET", path, NULL, &status, &answer, fault)) {
        return false;
    }
    const json_t *list = json_object_get(answer, "copies");
    if (status != 200) {
        fault_set(fault, FAULT_unavailable, system->name);
    } else if (!json_is_array(list)) {
        fault_set(fault, FAULT_malformed, system->name);
    } else {
        whole = true;
        json_array_foreach((json_t *)list, i, one)
        {
            if (*count == max) {
                break;
            }
            if (!copy_take(arena, one, after, &copies[*count])) {
                whole = fault_set(fault, FAULT_malformed, system->name);
                break;
            }
            after = copies[(*count)++].number;
        }
    }
    json_decref(answer);
    return whole;
}
