/* The texts one after another, each with its NUL, after a NUL of the list's own. */
#include "residence/candidate_list.h"

#include <string.h>

#define TEXTS 4

struct bytes candidate_list_put(struct arena *arena, const struct person_text *people, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(people[i].name) + strlen(people[i].address) + strlen(people[i].birth_date) +
                strlen(people[i].sex) + TEXTS;
    char *start = arena_take(arena, size), *at = start;
    if (!start)
        return (struct bytes){0};
    *at++ = 0;
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, people[i].name) + 1;
        at = stpcpy(at, people[i].address) + 1;
        at = stpcpy(at, people[i].birth_date) + 1;
        at = stpcpy(at, people[i].sex) + 1;
    }
    return (struct bytes){(uint8_t *)start, size};
}

static const char *text_take(const char **at, const char *end)
{
    const char *text = *at, *stop = memchr(text, 0, (size_t)(end - text));
    *at = stop ? stop + 1 : end;
    return stop ? text : NULL;
}

bool candidate_list_take(struct arena *arena, struct bytes list, struct person_text **people, size_t *count)
{
    char *copy = list.len ? arena_text(arena, list.data, list.len) : NULL;
    *people = arena_take(arena, (list.len / TEXTS + 1) * sizeof **people);
    *count = 0;
    if (!copy || !*people)
        return false;
    const char *at = copy + 1, *end = copy + list.len;
    while (at < end) {
        struct person_text *person = &(*people)[*count];
        person->name = text_take(&at, end);
        person->address = text_take(&at, end);
        person->birth_date = text_take(&at, end);
        person->sex = at <= end ? text_take(&at, end) : NULL;
        if (!person->sex)
            return false;
        (*count)++;
    }
    return true;
}
