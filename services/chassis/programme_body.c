/* Bodies inside a programme (ORG-1): which part of its applications each of them works on. */
#include "chassis/programme.h"

#include "chassis/programme_reader.h"

#include <string.h>

static bool is_part_of(const struct programme_body *body, const char *value)
{
    for (size_t i = 0; i < body->part_count; i++)
        if (strcmp(body->parts[i], value) == 0)
            return true;
    return false;
}

static const struct programme_body *body_of(const struct programme *programme, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (is_part_of(&programme->bodies[i], value))
            return &programme->bodies[i];
    return NULL;
}

static bool read_parts(struct reader *reader, const json_t *object, const char *where,
    const struct programme *programme, size_t before, struct programme_body *body)
{
    const json_t *list = read_array(reader, object, where, "parts");
    body->part_count = json_array_size(list);
    const char **parts = list == NULL ? NULL : reader_keep(reader, body->part_count, sizeof *parts);
    for (size_t i = 0; parts != NULL && i < body->part_count; i++) {
        char at[WHERE_MAX];
        reader_place(at, where, "parts", i);
        parts[i] = json_string_value(json_array_get(list, i));
        if (parts[i] == NULL || parts[i][0] == 0)
            return reader_refuse(reader, at, "must be a value of the item");
        if (body_of(programme, before, parts[i]) != NULL)
            return reader_refuse(reader, at, "is another body's part already");
    }
    body->parts = parts;
    return parts != NULL && (body->part_count > 0 || reader_refuse(reader, where, "has no part"));
}

static bool read_body(struct reader *reader, const json_t *object, const char *where, struct programme *programme,
    size_t before, struct programme_body *body)
{
    if (!reader_keys(reader, object, where, KEYS("code", "title", "parts")) ||
        !read_key(reader, object, where, "code", &body->code) ||
        !read_text(reader, object, where, "title", &body->title) ||
        !read_parts(reader, object, where, programme, before, body))
        return false;
    for (size_t i = 0; i < before; i++)
        if (strcmp(programme->bodies[i].code, body->code) == 0)
            return reader_refuse(reader, where, "this code is already a body");
    return strlen(body->code) <= PROGRAMME_BODY_MAX || reader_refuse(reader, where, "the code is too long");
}

bool read_bodies(struct reader *reader, const json_t *root, struct programme *programme)
{
    const json_t *object = json_object_get(root, "bodies");
    if (object == NULL)
        return true;
    if (!reader_keys(reader, object, "bodies", KEYS("item", "list")) ||
        !read_key(reader, object, "bodies", "item", &programme->body_item))
        return false;
    const struct programme_procedure *registration = programme_procedure_find(programme, "registration");
    size_t asked = 0;
    while (asked < registration->item_count && strcmp(registration->items[asked].key, programme->body_item) != 0)
        asked++;
    if (asked == registration->item_count)
        return reader_refuse(reader, "bodies.item", "must be an item of registration");
    const json_t *list = read_array(reader, object, "bodies", "list");
    size_t count = json_array_size(list);
    struct programme_body *bodies = list == NULL ? NULL : reader_keep(reader, count, sizeof *bodies);
    programme->bodies = bodies;
    for (size_t i = 0; bodies != NULL && i < count; i++) {
        char at[WHERE_MAX];
        reader_place(at, "bodies", "list", i);
        if (!read_body(reader, json_array_get(list, i), at, programme, i, &bodies[i]))
            return false;
    }
    programme->body_count = count;
    return bodies != NULL;
}

const char *programme_body_find(const struct programme *programme, const json_t *items)
{
    const char *value = programme->body_item ? json_string_value(json_object_get(items, programme->body_item)) : NULL;
    const struct programme_body *body = value ? body_of(programme, programme->body_count, value) : NULL;
    return body ? body->code : "";
}

bool programme_has_body(const struct programme *programme, const char *code)
{
    for (size_t i = 0; i < programme->body_count; i++)
        if (strcmp(programme->bodies[i].code, code) == 0)
            return true;
    return false;
}
