#include "staff/staff_rights.h"

#include "chassis/rights.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool terminal_read(json_t *row, struct terminal *terminal)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *manager = json_string_value(json_object_get(row, "manager"));
    if (!kind || !manager || !rights_kind_exists(kind) || strlen(manager) >= sizeof terminal->manager)
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
