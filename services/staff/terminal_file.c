#include "staff/terminal_file.h"

#include "chassis/rights.h"
#include "chassis/settings.h"

#include <jansson.h>
#include <string.h>

static bool row_take(struct arena *arena, const json_t *row, struct terminal *terminal)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *manager = json_string_value(json_object_get(row, "manager"));
    if (!kind || !manager || !rights_kind_exists(kind))
        return false;
    *terminal = (struct terminal){.manager = arena_text(arena, manager, strlen(manager)),
        .kind = arena_text(arena, kind, strlen(kind)),
        .place = "",
        .account = ""};
    return terminal->manager && terminal->kind;
}

bool terminal_file_find(struct arena *arena, const char *fingerprint, struct terminal *terminal, struct fault *fault)
{
    size_t index;
    char *path = arena_format(arena, "%s/terminals.json", setting_text("SHIKAKU_KEYS"));
    json_t *row, *list = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    bool found = false;
    if (!json_is_array(list)) {
        json_decref(list);
        return fault_set(fault, FAULT_unavailable, "terminals");
    }
    json_array_foreach(list, index, row)
    {
        const char *listed = json_string_value(json_object_get(row, "fingerprint"));
        if (listed && strcmp(listed, fingerprint) == 0)
            found = row_take(arena, row, terminal);
    }
    json_decref(list);
    return found || fault_set(fault, FAULT_terminal_not_listed, "terminal");
}
