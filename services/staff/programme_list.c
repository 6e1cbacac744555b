#include "staff/programme_list.h"

#include "chassis/programme.h"
#include "chassis/programme_keys.h"

#include <stdio.h>
#include <string.h>

bool is_id(const char *text, size_t max)
{
    size_t len = strlen(text);
    return len > 0 && len <= max && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

bool programme_list_check(char *const *names, size_t count, struct fault *fault)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        if (!is_id(names[i], PROGRAMMES_MAX) || !programme_find(programmes_in_use(), names[i]))
            return fault_set(fault, FAULT_item_invalid, "programmes");
        size += strlen(names[i]) + 1;
    }
    return size <= PROGRAMMES_MAX || fault_set(fault, FAULT_item_too_long, "programmes");
}

char *programme_list_join(struct arena *arena, char *const *names, size_t count)
{
    char joined[PROGRAMMES_MAX + 1] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s,", used ? "" : ",", names[i]);
    return arena_text(arena, joined, used);
}

bool programme_list_split(struct arena *arena, const char *joined, char ***names, size_t *count)
{
    size_t commas = 0;
    for (const char *at = joined; *at; at++)
        commas += *at == ',';
    *count = 0;
    *names = arena_take(arena, (commas + 1) * sizeof **names);
    if (!*names)
        return false;
    for (const char *from = joined; *from; from += strcspn(from, ",")) {
        from += *from == ',';
        if (*from && !((*names)[(*count)++] = arena_text(arena, from, strcspn(from, ","))))
            return false;
    }
    return true;
}
