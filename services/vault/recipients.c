#include "vault/recipients.h"

#include "chassis/jwe.h"
#include "chassis/journal.h"
#include "chassis/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define JWK_BYTES_MAX 2048

static json_t *table;

static bool row_check(const json_t *row)
{
    static const char *const texts[] = {"recipient", "caller", "purpose", "legal_basis"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!json_is_string(json_object_get(row, texts[i])))
            return false;
    return json_is_array(json_object_get(row, "managers")) && json_object_size(row) == 5;
}

bool recipients_load(const char *path, struct fault *fault)
{
    size_t index;
    json_t *row;
    json_decref(table);
    table = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(table))
        return fault_set(fault, FAULT_internal, "SHIKAKU_RECIPIENTS");
    json_array_foreach(table, index, row)
    {
        if (!row_check(row))
            return fault_set(fault, FAULT_internal, "SHIKAKU_RECIPIENTS");
    }
    return true;
}

static bool text_is(const json_t *row, const char *name, const char *text)
{
    return strcmp(json_string_value(json_object_get(row, name)), text) == 0;
}

static bool manager_listed(const json_t *row, const char *manager)
{
    size_t index;
    json_t *listed;
    json_array_foreach(json_object_get(row, "managers"), index, listed)
    {
        if (json_is_string(listed) && strcmp(json_string_value(listed), manager) == 0)
            return true;
    }
    return false;
}

bool recipient_check(
    const char *recipient, const char *caller, const char *purpose, const char *manager, struct fault *fault)
{
    size_t index;
    json_t *row;
    json_array_foreach(table, index, row)
    {
        if (text_is(row, "recipient", recipient) && text_is(row, "caller", caller) &&
            text_is(row, "purpose", purpose) && manager_listed(row, manager))
            return true;
    }
    return fault_set(fault, FAULT_recipient_not_entitled, "recipient");
}

char *recipient_seal(struct arena *arena, const char *recipient, const void *plain, size_t len, struct fault *fault)
{
    char path[512], jwk[JWK_BYTES_MAX];
    /* `recipient` is a word of our own table by now, never something that came from outside. */
    snprintf(path, sizeof path, "%s/recipients/%s.jwk", setting_text("SHIKAKU_KEYS"), recipient);
    FILE *file = fopen(path, "r");
    size_t read = file ? fread(jwk, 1, sizeof jwk - 1, file) : 0;
    if (file)
        fclose(file);
    jwk[read] = '\0';
    char *sealed = read ? jwe_seal(arena, jwk, NULL, plain, len) : NULL;
    if (!sealed) {
        journal(JOURNAL_WARNING, NULL, "recipient_without_key", WORD("recipient", recipient));
        fault_set(fault, FAULT_unavailable, "recipient");
    }
    return sealed;
}
