/* The chassis's tables in a service's schema: inbox, outbox (migrations/chassis/tables.sql); audit_outbox has a header
 * of its own. The schema is known only at start-up, so the texts are completed once, by exchange_store_open, and are
 * constant from then on. */
#ifndef CHASSIS_EXCHANGE_STORE_H
#define CHASSIS_EXCHANGE_STORE_H

#include "chassis/bus.h"
#include "chassis/pg.h"
#include "chassis/step.h"
#include "chassis/work.h"

void exchange_store_open(const char *schema);

/* Queue the look for a stored reply to (caller, key); `answer` as pg_queue_asking hands it over. */
void inbox_ask(struct pg *pg, const char *caller, const uint8_t key[IDEMPOTENCY_KEY_BYTES], PGresult **answer);
/* Read that answer. False: there is no stored reply. `reply` is covered bytes, borrowed from the answer. */
MUST_USE bool inbox_read(const PGresult *answer, uint8_t request_sha256[32], struct bytes *reply);
/* Queue the row; a second one of the same key makes the commit fail as a duplicate. */
void inbox_put(struct pg *pg, const char *caller, const uint8_t key[IDEMPOTENCY_KEY_BYTES], const char *route,
    const uint8_t request_sha256[32], struct bytes reply);

/* Queue an event; the same key a second time is the same event and changes nothing. */
void outbox_put(struct pg *pg, enum route route, const uint8_t key[IDEMPOTENCY_KEY_BYTES], const char *aggregate,
    struct bytes payload);

/* Put the schema's name for each @ of `sql`, once at start-up. */
void exchange_sql_complete(char *text, size_t size, const char *sql);

/* Items of a full turn. */
#define RELAY_BATCH 32

/* Lane turn: relay what waits, and delete what the inbox need not remember. Returns how many items were worked on. */
int outbox_relay(struct work *work, const struct lane *lane);

/* Check that the schema is at `version`. False with FAULT_unavailable when it is not. */
MUST_USE bool schema_version_check(struct pg *pg, int version, struct fault *fault);

#endif
