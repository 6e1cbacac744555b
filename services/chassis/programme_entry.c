/* Making and changing a roll entry by its programme's definition. */
#include "chassis/programme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "chassis/programme_value.h"

static const char *text_or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

const char *programme_entry_value(const struct programme_target *target, const json_t *entry)
{
    const json_t *table = json_object_get(entry, target->table->key);
    return text_or_empty(json_string_value(json_object_get(table, target->field->key)));
}

/* Set one field; an empty value takes the field away, so that an entry holds filled fields only. */
static bool entry_set(json_t *entry, const struct programme_target *target, const char *value)
{
    json_t *table = json_object_get(entry, target->table->key);
    if (value[0] == 0) {
        json_object_del(table, target->field->key);
        return true;
    }
    if (table == NULL) {
        table = json_object();
        if (json_object_set_new(entry, target->table->key, table) != 0)
            return false;
    }
    return json_object_set_new(table, target->field->key, json_string(value)) == 0;
}

/* Fiscal years (年度) begin on 1 April. */
static int fiscal_year_of(const char *day)
{
    int year = 0, month = 0;
    if (day == NULL || sscanf(day, "%4d%2d", &year, &month) != 2)
        return 0;
    return month < 4 ? year - 1 : year;
}

/* The first part of an address up to 都, 道, 府 or 県; a domicile without one (a nationality) stays whole. */
static void prefecture_cut(const char *domicile, char *text, size_t size)
{
    static const char *const ends[] = {"県", "都", "府", "道"};
    /* 京都府 holds 都 before its own end; 北海道, 東京都, 大阪府 and 県 hold none other. */
    const char *kyoto = strncmp(domicile, "京都府", strlen("京都府")) == 0 ? domicile + strlen("京都") : domicile;
    const char *end = NULL;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *at = strstr(kyoto, ends[i]);
        if (at != NULL && (size_t)(at - domicile) <= strlen("神奈川") && (end == NULL || at < end))
            end = at;
    }
    size_t length = end == NULL ? strlen(domicile) : (size_t)(end - domicile) + strlen("県");
    snprintf(text, size, "%.*s", (int)length, domicile);
}

/* One part of the confirmed person. Without a separator the whole name is the family name. */
static void person_part(const struct person *person, const char *value, char *text, size_t size)
{
    static const char separator[] = "\u3000";
    const char *space = strstr(person->name, separator);
    size_t family = space == NULL ? strlen(person->name) : (size_t)(space - person->name);
    if (strcmp(value, "name") == 0)
        snprintf(text, size, "%s", person->name);
    else if (strcmp(value, "family_name") == 0)
        snprintf(text, size, "%.*s", (int)family, person->name);
    else if (strcmp(value, "given_name") == 0)
        snprintf(text, size, "%s", space == NULL ? "" : space + sizeof separator - 1);
    else if (strcmp(value, "address") == 0)
        snprintf(text, size, "%s", person->address);
    else if (strcmp(value, "birth_date") == 0)
        snprintf(text, size, "%s", person->birth_date);
    else
        snprintf(text, size, "%c", person->sex);
}

static void system_value(const struct programme *programme, const struct programme_procedure *procedure,
    const struct programme_values *values, const char *value, char *text, size_t size)
{
    if (strcmp(value, "fiscal_year") == 0) {
        snprintf(text, size, "%04d", fiscal_year_of(values->received_on));
        return;
    }
    const struct {
        const char *name, *value;
    } rows[] = {
        {"registration_number", values->registration_number},
        {"registered_on", values->registered_on},
        {"received_on", values->received_on},
        {"receipt", values->receipt},
        {"programme_title", programme->title},
        {"procedure_title", procedure->title},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, value) == 0)
            snprintf(text, size, "%s", text_or_empty(rows[i].value));
}

static void domicile_value(const char *domicile, const char *value, char *text, size_t size)
{
    if (strcmp(value, "prefecture") == 0)
        prefecture_cut(text_or_empty(domicile), text, size);
    else
        snprintf(text, size, "%s", text_or_empty(domicile));
}

/* What a field takes from elsewhere than the items, in text. */
static void field_value(const struct programme *programme, const struct programme_procedure *procedure,
    const struct programme_values *values, const struct programme_field *field, char *text, size_t size)
{
    text[0] = 0;
    switch (field->source) {
    case PROGRAMME_RESIDENCE:
        if (values->person != NULL)
            person_part(values->person, field->value, text, size);
        break;
    case PROGRAMME_FAMILY_REGISTER:
        domicile_value(values->domicile, field->value, text, size);
        break;
    case PROGRAMME_PSEUDONYM:
        snprintf(text, size, "%s", text_or_empty(values->pseudonym));
        break;
    case PROGRAMME_PORTAL_PSEUDONYM:
        snprintf(text, size, "%s", text_or_empty(values->portal_pseudonym));
        break;
    case PROGRAMME_SYSTEM:
        system_value(programme, procedure, values, field->value, text, size);
        break;
    case PROGRAMME_APPLICANT:
    case PROGRAMME_CERTIFICATE:
    case PROGRAMME_NUMBER:
    case PROGRAMME_STAFF:
    case PROGRAMME_LEGACY:
        break;
    }
}

static bool items_fill(const struct programme_procedure *procedure, const json_t *items, json_t *entry)
{
    for (size_t i = 0; i < procedure->item_count; i++) {
        const struct programme_item *item = &procedure->items[i];
        const char *value = json_string_value(json_object_get(items, item->key));
        for (size_t j = 0; value != NULL && j < item->target_count; j++)
            if (!entry_set(entry, &item->targets[j], value))
                return false;
    }
    return true;
}

/* An application that was made in parts keeps its parts: the confirmed name cannot fill 住所 and 方書 apart. So a
 * confirmed value replaces what was applied for only where the item is whole. */
static bool is_in_parts(const struct programme *programme, const struct programme_field *field)
{
    return strcmp(field->value, "address") == 0 && programme->identity.address[1] != NULL;
}

json_t *programme_entry_build(const struct programme *programme, const struct programme_procedure *procedure,
    const struct programme_values *values)
{
    json_t *entry = json_object();
    if (entry == NULL || !items_fill(procedure, values->items, entry))
        goto failed;
    for (size_t i = 0; i < programme->table_count; i++) {
        const struct programme_table *table = &programme->tables[i];
        for (size_t j = 0; j < table->field_count; j++) {
            struct programme_target target = {table, &table->fields[j]};
            char text[PERSON_ADDRESS_BYTES + 1];
            if (target.field->source == PROGRAMME_RESIDENCE && is_in_parts(programme, target.field))
                continue;
            field_value(programme, procedure, values, target.field, text, sizeof text);
            if (text[0] != 0 && !entry_set(entry, &target, text))
                goto failed;
        }
    }
    return entry;
failed:
    json_decref(entry);
    return NULL;
}

static bool copy_check(const struct programme *programme, const char *path, const json_t *value,
    struct programme_target *target, struct fault *fault)
{
    if (!programme_field_find(programme, path, target) || target->field->source == PROGRAMME_NUMBER)
        return fault_set(fault, FAULT_item_unknown, "fields");
    const struct programme_field *field = target->field;
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value))
        return fault_set(fault, FAULT_item_invalid, field->key);
    enum fault_code code =
        programme_value_check(field->type, field->max, field->choices, field->choice_count, text, strlen(text));
    return code == FAULT_NONE || fault_set(fault, code, field->key);
}

bool programme_entry_take_copy(
    const struct programme *programme, json_t *entry, const json_t *copy, json_t *differing, struct fault *fault)
{
    const char *path;
    json_t *value;
    struct programme_target target;
    if (!json_is_object(copy))
        return fault_set(fault, FAULT_malformed, "fields");
    json_object_foreach((json_t *)copy, path, value)
    {
        if (!copy_check(programme, path, value, &target, fault))
            return false;
    }
    json_object_foreach((json_t *)copy, path, value)
    {
        if (!programme_field_find(programme, path, &target))
            return fault_set(fault, FAULT_internal, NULL);
        const char *text = json_string_value(value);
        enum programme_source source = target.field->source;
        bool theirs = source == PROGRAMME_LEGACY || source == PROGRAMME_STAFF;
        bool done = true;
        if (theirs)
            done = entry_set(entry, &target, text);
        else if (strcmp(programme_entry_value(&target, entry), text) != 0)
            done = json_array_append_new(differing, json_string(path)) == 0;
        if (!done)
            return fault_set(fault, FAULT_internal, NULL);
    }
    return true;
}

/* One placeholder of a number pattern, name without braces. */
static bool placeholder_print(
    int64_t serial, const char *day, const json_t *items, const char *name, char *text, size_t size, bool *serial_seen)
{
    if (strcmp(name, "serial") == 0 || strncmp(name, "serial:", 7) == 0) {
        int width = name[6] == ':' && name[7] >= '1' && name[7] <= '9' && name[8] == 0 ? name[7] - '0' : 0;
        *serial_seen = true;
        return (name[6] == 0 || width > 0) &&
               snprintf(text, size, "%0*lld", width == 0 ? 1 : width, (long long)serial) < (int)size;
    }
    if (strcmp(name, "year") == 0)
        return snprintf(text, size, "%04d", fiscal_year_of(day)) < (int)size;
    const char *value = json_string_value(json_object_get(items, name));
    return value != NULL && value[0] != 0 && snprintf(text, size, "%s", value) < (int)size;
}

bool programme_number_print(
    const struct programme *programme, int64_t serial, const char *day, const json_t *items, char *text, size_t size)
{
    size_t length = 0;
    bool serial_seen = false;
    for (const char *at = programme->number_pattern; *at != 0;) {
        if (length + 1 >= size)
            return false;
        if (*at != '{') {
            text[length++] = *at++;
            continue;
        }
        char name[64];
        size_t end = strcspn(at, "}");
        if (at[end] != '}' || end > sizeof name - 1)
            return false;
        snprintf(name, sizeof name, "%.*s", (int)end - 1, at + 1);
        if (!placeholder_print(serial, day, items, name, text + length, size - length, &serial_seen))
            return false;
        length += strlen(text + length);
        at += end + 1;
    }
    text[length] = 0;
    return serial_seen;
}

void programme_number_series(const struct programme *programme, const char *day, char text[PROGRAMME_SERIES_MAX])
{
    text[0] = 0;
    if (strstr(programme->number_pattern, "{year}") != NULL)
        snprintf(text, PROGRAMME_SERIES_MAX, "%04d", fiscal_year_of(day));
}

/* What people read of one value. */
static void value_print(const struct programme_field *field, const char *value, char *text, size_t size)
{
    int year, month, day;
    snprintf(text, size, "%s", value);
    if (field->type == PROGRAMME_DATE && sscanf(value, "%4d%2d%2d", &year, &month, &day) == 3)
        snprintf(text, size, "%d年%d月%d日", year, month, day);
    for (size_t i = 0; i < field->choice_count; i++)
        if (strcmp(field->choices[i].value, value) == 0)
            snprintf(text, size, "%s", field->choices[i].label);
}

char *programme_line_print(const struct programme_line *line, const json_t *entry)
{
    size_t size = 1;
    for (size_t i = 0; i < line->target_count; i++)
        size += strlen(programme_entry_value(&line->targets[i], entry)) + 256;
    char *text = calloc(1, size);
    for (size_t i = 0, length = 0; text != NULL && i < line->target_count; i++) {
        const char *value = programme_entry_value(&line->targets[i], entry);
        if (value[0] == 0)
            continue;
        if (length > 0)
            length += (size_t)snprintf(text + length, size - length, "\u3000");
        value_print(line->targets[i].field, value, text + length, size - length);
        length += strlen(text + length);
    }
    return text;
}
