/* The nine items of a report on a leak (domain.md 7, [S:98], not official): keys as in Audit__IncidentItems. */
#ifndef AUDIT_INCIDENT_ITEMS_H
#define AUDIT_INCIDENT_ITEMS_H

#include "audit.pb-c.h"
#include "chassis/arena.h"
#include "chassis/fault.h"

#define INCIDENT_ITEMS 9
#define INCIDENT_ITEM_MAX 9000 /* bytes: about 3,000 characters */

/* Item number `item` of nine. */
const char *incident_item_key(int item);
const char *incident_item_label(int item); /* in Japanese */
const char *incident_item(const Audit__IncidentItems *items, int item);

/* The items of a request, whose fields have their keys. Borrowed from it. */
void incident_items_take(const ProtobufCMessage *request, Audit__IncidentItems *items);
/* Faults: item_too_long. */
MUST_USE bool incident_items_check(const Audit__IncidentItems *items, struct fault *fault);
/* What was given replaces what was there. Borrowed. */
void incident_items_merge(Audit__IncidentItems *items, const Audit__IncidentItems *given);
int incident_items_given(const Audit__IncidentItems *items); /* how many are not "" */

#endif
