#include "staff/staff_rights.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define GRANTS_MAX 32

struct grant {
    char name[32];
    unsigned rights;
};

struct grants {
    struct grant rows[GRANTS_MAX];
    size_t count;
};

static struct grants roles, kinds;

static const struct grant *grant_find(const struct grants *grants, const char *name)
{
    for (size_t i = 0; i < grants->count; i++)
        if (strcmp(grants->rows[i].name, name) == 0)
            return &grants->rows[i];
    return NULL;
}

static bool right_find(const char *name, unsigned *rights)
{
    for (int right = RIGHT_none + 1; right < RIGHTS; right++)
        if (strcmp(right_name(right), name) == 0) {
            *rights |= 1u << right;
            return true;
        }
    return false;
}

static bool grant_read(const char *name, json_t *row, struct grant *grant)
{
    size_t index;
    json_t *label = json_object_get(row, "label"), *list = json_object_get(row, "rights"), *right;
    if (strlen(name) >= sizeof grant->name || json_object_size(row) != 2 || !json_is_string(label) ||
        !json_is_array(list))
        return false;
    snprintf(grant->name, sizeof grant->name, "%s", name);
    grant->rights = 0;
    json_array_foreach(list, index,
        right) if (!json_is_string(right) || !right_find(json_string_value(right), &grant->rights)) return false;
    return true;
}

static bool grants_read(const json_t *file, const char *key, struct grants *grants, struct fault *fault)
{
    const char *name;
    json_t *row, *table = json_object_get(file, key);
    grants->count = 0;
    if (json_object_size(table) == 0)
        return fault_set(fault, FAULT_malformed, key);
    json_object_foreach(table, name, row)
    {
        if (grants->count == GRANTS_MAX || !grant_read(name, row, &grants->rows[grants->count]))
            return fault_set(fault, FAULT_malformed, name);
        grants->count++;
    }
    return true;
}

bool rights_open(const char *file, struct fault *fault)
{
    json_t *json = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_RIGHTS");
    bool good = json_object_size(json) == 2 || fault_set(fault, FAULT_malformed, "SHIKAKU_RIGHTS");
    good = good && grants_read(json, "roles", &roles, fault) && grants_read(json, "terminals", &kinds, fault);
    json_decref(json);
    return good;
}

bool role_exists(const char *role)
{
    return grant_find(&roles, role) != NULL;
}

static bool terminal_read(json_t *row, struct terminal *terminal)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *manager = json_string_value(json_object_get(row, "manager"));
    if (!kind || !manager || !grant_find(&kinds, kind) || strlen(manager) >= sizeof terminal->manager)
        return false;
    snprintf(terminal->kind, sizeof terminal->kind, "%s", kind);
    snprintf(terminal->manager, sizeof terminal->manager, "%s", manager);
    return true;
}

bool terminal_find(const char *file, const char *fingerprint, struct terminal *terminal, struct fault *fault)
{
    size_t index;
    json_t *row, *list = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    bool found = false;
    if (!json_is_array(list)) {
        json_decref(list);
        return fault_set(fault, FAULT_unavailable, "terminals");
    }
    json_array_foreach(list, index, row)
    {
        const char *listed = json_string_value(json_object_get(row, "fingerprint"));
        if (listed && strlen(listed) == TERMINAL_FINGERPRINT_LEN && strcmp(listed, fingerprint) == 0)
            found = terminal_read(row, terminal);
    }
    json_decref(list);
    return found || fault_set(fault, FAULT_terminal_not_listed, "terminal");
}

bool terminal_serves(const struct terminal *terminal, const char *manager)
{
    return strcmp(terminal->manager, "*") == 0 || strcmp(terminal->manager, manager) == 0;
}

unsigned rights_find(const char *role, const char *kind)
{
    const struct grant *of_role = grant_find(&roles, role), *of_kind = grant_find(&kinds, kind);
    unsigned both = of_role && of_kind ? of_role->rights & of_kind->rights : 0;
    return both | 1u << RIGHT_session;
}
