/* Records of use that wait in the service's own schema until audit has taken them (SCHEMA.audit_outbox,
 * migrations/chassis/tables.sql). They may wait up to a bound in number and age; past it no person's data leaves:
 * routes are refused with audit_full, lanes rest, and both go on by themselves when audit takes records again. */
#ifndef CHASSIS_AUDIT_OUTBOX_STORE_H
#define CHASSIS_AUDIT_OUTBOX_STORE_H

#include "chassis/audit_link.h"
#include "chassis/pg.h"
#include "chassis/step.h"

#define AUDIT_BATCH 400 /* records of a full turn */

/* Fix the schema. Called by exchange_store_open. */
void audit_outbox_open(const char *schema);
/* How many may wait, and how long the oldest. Without this call there is no bound. */
void audit_outbox_bound(int64_t records, int64_t seconds);

void audit_outbox_put(struct pg *pg, const char *instance, int worker, uint64_t sequence,
    const uint8_t previous[AUDIT_LINK_BYTES], const uint8_t link[AUDIT_LINK_BYTES], struct bytes event);
/* Tell that a transaction with so many records was committed. */
void audit_outbox_added(int64_t records);
bool audit_outbox_full(void);

/* Lane turn: send what waits to audit, in order, and delete what it has. A chain with a record that this service did
 * not make, or that audit refuses, stands still from there and is tried again every minute; the others go on. */
int audit_relay(struct work *work, const struct lane *lane);

#endif
