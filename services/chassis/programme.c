#include "chassis/programme.h"

#include <stdio.h>
#include <string.h>
#include "chassis/programme_reader.h"
#include "chassis/programme_value.h"

size_t programmes_count(const struct programmes *programmes)
{
    return programmes->count;
}

const struct programme *programmes_at(const struct programmes *programmes, size_t index)
{
    return programmes->list[index];
}

size_t programmes_managers(const struct programmes *programmes, const char *const **managers)
{
    *managers = programmes->managers;
    return programmes->manager_count;
}

const struct programme *programme_find(const struct programmes *programmes, const char *code)
{
    for (size_t i = 0; i < programmes->count; i++)
        if (strcmp(programmes->list[i]->code, code) == 0)
            return programmes->list[i];
    return NULL;
}

const struct programme_procedure *programme_procedure_find(const struct programme *programme, const char *code)
{
    for (size_t i = 0; i < programme->procedure_count; i++)
        if (strcmp(programme->procedures[i].code, code) == 0)
            return &programme->procedures[i];
    return NULL;
}

bool programme_field_find(const struct programme *programme, const char *path, struct programme_target *target)
{
    const char *dot = strchr(path, '.'), *key = dot == NULL ? path : dot + 1;
    for (size_t i = 0; i < programme->table_count; i++) {
        const struct programme_table *table = &programme->tables[i];
        size_t length = strlen(table->key);
        if (dot != NULL && ((size_t)(dot - path) != length || memcmp(table->key, path, length) != 0))
            continue;
        for (size_t j = 0; j < table->field_count; j++) {
            if (strcmp(table->fields[j].key, key) == 0) {
                *target = (struct programme_target){table, &table->fields[j]};
                return true;
            }
        }
    }
    return false;
}

static const struct programme_item *item_find(const struct programme_procedure *procedure, const char *key)
{
    for (size_t i = 0; i < procedure->item_count; i++)
        if (strcmp(procedure->items[i].key, key) == 0)
            return &procedure->items[i];
    return NULL;
}

/* A key that is not known came from outside: it is named only if it looks like a key and so cannot be a value. */
static const char *key_shown(const char *key)
{
    bool plain = key[0] != 0 && strlen(key) < 40 && key[strspn(key, "abcdefghijklmnopqrstuvwxyz_")] == 0;
    return plain ? key : "items";
}

static bool pattern_matches(const struct programme_item *item, const char *value)
{
    return item->pattern_compiled == NULL || value[0] == 0 || regexec(item->pattern_compiled, value, 0, NULL, 0) == 0;
}

bool programme_items_check(const struct programme_procedure *procedure, const json_t *items, struct fault *fault)
{
    if (!json_is_object(items))
        return fault_set(fault, FAULT_malformed, "items");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)items, key, value)
    {
        const struct programme_item *item = item_find(procedure, key);
        if (item == NULL)
            return fault_set(fault, FAULT_item_unknown, key_shown(key));
        if (!json_is_string(value))
            return fault_set(fault, FAULT_malformed, item->key);
        const char *text = json_string_value(value);
        size_t length = json_string_length(value);
        if (strlen(text) != length)
            return fault_set(fault, FAULT_item_invalid, item->key);
        enum fault_code code =
            programme_value_check(item->type, item->max, item->choices, item->choice_count, text, length);
        if (code == FAULT_NONE && !pattern_matches(item, text))
            code = FAULT_item_invalid;
        if (code != FAULT_NONE)
            return fault_set(fault, code, item->key);
    }
    for (size_t i = 0; i < procedure->item_count; i++)
        if (procedure->items[i].required && json_string_length(json_object_get(items, procedure->items[i].key)) == 0)
            return fault_set(fault, FAULT_item_missing, procedure->items[i].key);
    return true;
}

static bool attachment_is(const struct programme_attachment *attachment, const char *name)
{
    size_t length = strlen(attachment->key);
    return strncmp(name, attachment->key, length) == 0 && (name[length] == 0 || name[length] == '.');
}

const struct programme_attachment *programme_attachment_find(
    const struct programme_procedure *procedure, const char *name)
{
    for (size_t i = 0; i < procedure->attachment_count; i++)
        if (attachment_is(&procedure->attachments[i], name))
            return &procedure->attachments[i];
    return NULL;
}

bool programme_attachment_check(
    const struct programme_procedure *procedure, const char *name, size_t bytes, struct fault *fault)
{
    const struct programme_attachment *attachment = programme_attachment_find(procedure, name);
    if (!attachment)
        return fault_set(fault, FAULT_item_unknown, "attachments");
    return bytes <= attachment->max_bytes || fault_set(fault, FAULT_too_large, attachment->key);
}

bool programme_attachments_complete(
    const struct programme_procedure *procedure, const char *const *names, size_t count, struct fault *fault)
{
    for (size_t i = 0; i < procedure->attachment_count; i++) {
        size_t at = 0;
        while (at < count && !attachment_is(&procedure->attachments[i], names[at]))
            at++;
        if (at == count && procedure->attachments[i].required)
            return fault_set(fault, FAULT_attachment_missing, procedure->attachments[i].key);
    }
    return true;
}

/* Join the parts that are filled by U+3000. False if they do not fit. */
static bool parts_join(const json_t *items, const char *const *parts, char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (; *parts != NULL; parts++) {
        const char *part = json_string_value(json_object_get(items, *parts));
        if (part == NULL || part[0] == 0)
            continue;
        int written = snprintf(text + length, size - length, "%s%s", length == 0 ? "" : "\u3000", part);
        if (written < 0 || (size_t)written >= size - length)
            return false;
        length += (size_t)written;
    }
    return true;
}

bool programme_person_make(
    const struct programme *programme, const json_t *items, struct person *person, struct fault *fault)
{
    const struct programme_identity *identity = &programme->identity;
    char name[PERSON_NAME_BYTES + 1], address[PERSON_ADDRESS_BYTES + 1];
    if (!parts_join(items, identity->name, name, sizeof name))
        return fault_set(fault, FAULT_item_too_long, identity->name[0]);
    if (!parts_join(items, identity->address, address, sizeof address))
        return fault_set(fault, FAULT_item_too_long, identity->address[0]);
    if (person_fill(person, name, address, json_string_value(json_object_get(items, identity->birth_date)),
            json_string_value(json_object_get(items, identity->sex)), fault))
        return true;
    /* The fault names the person's part; the caller knows it by the item's key. */
    const char *const keys[PERSON_ITEMS] = {
        identity->name[0], identity->address[0], identity->birth_date, identity->sex};
    for (int i = 0; i < PERSON_ITEMS; i++)
        if (strcmp(fault->field, person_item_text((enum person_item)i)) == 0)
            return fault_set(fault, fault->code, keys[i]);
    return false;
}

bool programme_fee_find(const struct programme_procedure *procedure, const char *day, int64_t *yen)
{
    *yen = 0;
    for (size_t i = 0; i < procedure->fee_count; i++) {
        const struct programme_fee *part = &procedure->fees[i], *valid = NULL;
        bool seen = false;
        for (size_t j = 0; j < procedure->fee_count; j++) {
            const struct programme_fee *row = &procedure->fees[j];
            if (strcmp(row->key, part->key) != 0)
                continue;
            seen = seen || j < i;
            if (strcmp(row->valid_from, day) <= 0 && (valid == NULL || strcmp(row->valid_from, valid->valid_from) > 0))
                valid = row;
        }
        if (seen)
            continue;
        if (valid == NULL)
            return false;
        *yen += valid->yen;
    }
    return true;
}

unsigned programme_payment_parse(const char *method)
{
    static const char *const words[] = {"online", "stamps", "cash"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(words[i], method) == 0)
            return 1u << i;
    return 0;
}
