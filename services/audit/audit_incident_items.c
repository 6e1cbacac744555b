#include "audit/audit_incident_items.h"

#include <string.h>

static const char *const labels[INCIDENT_ITEMS] = {
    "概要", "項目", "人数", "原因", "二次被害", "本人対応", "公表", "再発防止", "その他"};

static const ProtobufCFieldDescriptor *field_of(int item)
{
    return &audit__incident_items__descriptor.fields[item];
}

static char **text_at(const void *message, const ProtobufCFieldDescriptor *field)
{
    return (char **)((char *)message + field->offset);
}

const char *incident_item_key(int item)
{
    return field_of(item)->name;
}

const char *incident_item_label(int item)
{
    return labels[item];
}

const char *incident_item(const Audit__IncidentItems *items, int item)
{
    return *text_at(items, field_of(item));
}

void incident_items_take(const ProtobufCMessage *request, Audit__IncidentItems *items)
{
    audit__incident_items__init(items);
    for (int item = 0; item < INCIDENT_ITEMS; item++) {
        const ProtobufCFieldDescriptor *given =
            protobuf_c_message_descriptor_get_field_by_name(request->descriptor, field_of(item)->name);
        if (given && given->label != PROTOBUF_C_LABEL_REPEATED)
            *text_at(items, field_of(item)) = *text_at(request, given);
    }
}

bool incident_items_check(const Audit__IncidentItems *items, struct fault *fault)
{
    for (int item = 0; item < INCIDENT_ITEMS; item++)
        if (strlen(incident_item(items, item)) > INCIDENT_ITEM_MAX)
            return fault_set(fault, FAULT_item_too_long, incident_item_key(item));
    return true;
}

void incident_items_merge(Audit__IncidentItems *items, const Audit__IncidentItems *given)
{
    for (int item = 0; given && item < INCIDENT_ITEMS; item++)
        if (*incident_item(given, item))
            *text_at(items, field_of(item)) = *text_at(given, field_of(item));
}

int incident_items_given(const Audit__IncidentItems *items)
{
    int given = 0;
    for (int item = 0; item < INCIDENT_ITEMS; item++)
        given += *incident_item(items, item) != '\0';
    return given;
}
