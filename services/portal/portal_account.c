/* Accounts, sessions and terminals of staff, and what audit answers. Each HTTP route has the name of its route on the
 * bus; JSON and query have the names and types of the message's fields, what stands in the path is the field of that
 * name, and `manager` is the person's own. The rules are staff's and audit's. */
#include "portal/portal_handlers.h"
#include "portal/portal_routes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 16
#define TEXT_MAX 16384 /* the service has bounds of its own */

static void *field_at(const ProtobufCMessage *message, unsigned offset)
{
    return (char *)message + offset;
}

/* --- what is asked --- */

static bool list_take(struct arena *arena, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
    const json_t *list, struct fault *fault)
{
    size_t count = json_array_size(list), index;
    json_t *value;
    char **texts = arena_take(arena, (count + 1) * sizeof *texts);
    if (!texts)
        return fault_set(fault, FAULT_internal, NULL);
    json_array_foreach(list, index, value)
    {
        const char *text = json_string_value(value);
        if (!text || !(texts[index] = arena_text(arena, text, strlen(text))))
            return fault_set(fault, FAULT_item_invalid, field->name);
    }
    *(char ***)field_at(message, field->offset) = texts;
    *(size_t *)field_at(message, field->quantifier_offset) = count;
    return true;
}

static bool text_take(
    struct arena *arena, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const char *text)
{
    char *copy = arena_text(arena, text, strlen(text));
    *(char **)field_at(message, field->offset) = copy;
    return copy != NULL;
}

static bool value_take(struct arena *arena, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
    const json_t *value, struct fault *fault)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return list_take(arena, message, field, value, fault);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return text_take(arena, message, field, json_string_value(value)) || fault_set(fault, FAULT_internal, NULL);
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)field_at(message, field->offset) = json_is_true(value);
        return true;
    }
    if (field->type == PROTOBUF_C_TYPE_INT64) {
        *(int64_t *)field_at(message, field->offset) = json_integer_value(value);
        return true;
    }
    if (json_integer_value(value) < INT32_MIN || json_integer_value(value) > INT32_MAX)
        return fault_set(fault, FAULT_item_invalid, field->name);
    *(int32_t *)field_at(message, field->offset) = (int32_t)json_integer_value(value);
    return true;
}

static json_type json_type_of(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED ? JSON_ARRAY
           : field->type == PROTOBUF_C_TYPE_STRING   ? JSON_STRING
           : field->type == PROTOBUF_C_TYPE_BOOL     ? JSON_TRUE
                                                     : JSON_INTEGER;
}

/* The name of the {…} in the route's path; "" where there is none. */
static void part_name(const struct http_route *route, char name[HTTP_PART_MAX + 1])
{
    const char *open = strchr(route->path, '{');
    size_t len = open ? strcspn(open + 1, "}") : 0;
    if (open)
        memcpy(name, open + 1, len);
    name[len] = '\0';
}

static bool body_take(
    struct exchange *x, struct arena *arena, ProtobufCMessage *message, const char *part, struct fault *fault)
{
    const ProtobufCMessageDescriptor *shape = message->descriptor;
    struct member members[FIELDS_MAX];
    size_t count = 0;
    bool good = true;
    for (unsigned i = 0; i < shape->n_fields && count < FIELDS_MAX; i++)
        if (strcmp(shape->fields[i].name, "manager") != 0 && strcmp(shape->fields[i].name, part) != 0)
            members[count++] = (struct member){shape->fields[i].name, json_type_of(&shape->fields[i]), false, TEXT_MAX};
    json_t *body = exchange_json(x, members, count, fault), *value;
    for (size_t i = 0; i < count && body && good; i++)
        if ((value = json_object_get(body, members[i].name)))
            good = value_take(
                arena, message, protobuf_c_message_descriptor_get_field_by_name(shape, members[i].name), value, fault);
    good = good && body;
    json_decref(body);
    return good;
}

static bool query_value_take(struct arena *arena, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
    const char *text, struct fault *fault)
{
    char *end;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return text_take(arena, message, field, text) || fault_set(fault, FAULT_internal, NULL);
    bool truth = strcmp(text, "true") == 0;
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *)field_at(message, field->offset) = truth;
        return truth || strcmp(text, "false") == 0 || fault_set(fault, FAULT_item_invalid, field->name);
    }
    bool wide = field->type == PROTOBUF_C_TYPE_INT64;
    long number = strtol(text, &end, 10);
    if (wide)
        *(int64_t *)field_at(message, field->offset) = number;
    else
        *(int32_t *)field_at(message, field->offset) = (int32_t)number;
    return (end != text && !*end && number >= 0 && (wide ? number < LONG_MAX : number <= INT32_MAX)) ||
           fault_set(fault, FAULT_item_invalid, field->name);
}

static bool query_take(struct exchange *x, struct arena *arena, ProtobufCMessage *message, struct fault *fault)
{
    const ProtobufCMessageDescriptor *shape = message->descriptor;
    for (unsigned i = 0; i < shape->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &shape->fields[i];
        const char *text = NULL;
        if (strcmp(field->name, "manager") == 0 || field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        if (!exchange_query(x, arena, field->name, &text, fault) ||
            (text && !query_value_take(arena, message, field, text, fault)))
            return false;
    }
    return true;
}

static bool request_fill(struct exchange *x, struct arena *arena, ProtobufCMessage *message, struct fault *fault)
{
    char part[HTTP_PART_MAX + 1];
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "manager");
    part_name(x->route, part);
    if (!(x->route->body_max ? body_take(x, arena, message, part, fault) : query_take(x, arena, message, fault)))
        return false;
    if (field && !text_take(arena, message, field, x->actor.manager))
        return fault_set(fault, FAULT_internal, NULL);
    field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, part);
    return !field || text_take(arena, message, field, x->part) || fault_set(fault, FAULT_internal, NULL);
}

/* --- what is answered --- */

static json_t *value_json(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return json_string(*(char *const *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_INT64:
        return json_integer((json_int_t) * (const int64_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
        return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT32:
        return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at ? message_json(*(ProtobufCMessage *const *)at) : json_null();
    default:
        return NULL;
    }
}

/* Strings and messages alone are repeated: both are pointers. */
json_t *message_json(const ProtobufCMessage *message)
{
    json_t *json = json_object();
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *at = field_at(message, field->offset);
        json_t *value = NULL;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            void *const *all = *(void *const *const *)at;
            value = json_array();
            for (size_t j = 0; j < *(size_t *)field_at(message, field->quantifier_offset); j++)
                json_array_append_new(value, value_json(field, &all[j]));
        } else
            value = value_json(field, at);
        json_object_set_new(json, field->name, value);
    }
    return json;
}

bool account_http(struct exchange *x, struct work *work)
{
    enum route route;
    const char *act = act_name(x, work);
    ProtobufCMessage *reply;
    if (!act || !route_find(x->route->name, &route))
        return fault_set(&work->fault, FAULT_internal, NULL);
    ProtobufCMessage *request = arena_take(work->arena, route_row(route)->request->sizeof_message);
    if (!request)
        return fault_set(&work->fault, FAULT_internal, NULL);
    protobuf_c_message_init(route_row(route)->request, request);
    if (!request_fill(x, work->arena, request, &work->fault) || !work_call(work, route, act, request, &reply))
        return false;
    if (reply->descriptor->n_fields == 0)
        exchange_answer(x, 204, NULL, "", 0);
    else
        exchange_answer_json(x, 200, message_json(reply));
    return true;
}
