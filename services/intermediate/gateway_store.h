/* The only SQL of intermediate. Functions that end in _put queue into the transaction that the caller began for the
 * manager; the others wait for their answer. Ids are lower-case UUIDs. Codes, 取得番号 and permits are covered here. */
#ifndef INTERMEDIATE_GATEWAY_STORE_H
#define INTERMEDIATE_GATEWAY_STORE_H

#include "chassis/rotation.h"
#include "chassis/work.h"
#include "intermediate/gateway_state.h"

#define INQUIRY_LEASE_MAX 16

/* Lanes of the queue. */
#define LANE_ACQUIRE "acquire"
#define LANE_NETWORK "network"
#define LANE_FORGET "forget"

struct inquiry {
    char id[37];
    char manager[32];
    int attempt, polls, failures;                                                /* of the queue's row */
    const char *application, *programme, *gateway_id, *provider, *affair, *item; /* in the arena, as all texts here */
    enum inquiry_state state;
    const char *outcome;
    const char *processing_number; /* "" until asked */
    const char *permit;            /* NULL but in state permitted */
    int64_t state_since_ms, asked_at_ms;
    const char *code;               /* NULL while it is not had */
    const char *acquisition_number; /* NULL where there is none */
    char acquisition[37];           /* its id, "" */
};

/* Lease up to `max` (at most INQUIRY_LEASE_MAX) due rows of a lane, all of one manager: the one that waits longest.
 * Fills id, manager, attempt, polls, failures; returns how many, 0 also on a fault. Outside a transaction. */
int gateway_lease(struct work *work, const char *lane, int max, int64_t lease_ms, struct inquiry *leased);

/* In a transaction of the manager: */
void gateway_queue_put(struct work *work, const struct inquiry *inquiry, const char *lane);
/* Lane, time and counters (inquiry's polls and failures) of a leased row; state_conflict at commit when the lease was
 * lost. */
void gateway_move_put(struct work *work, const struct inquiry *leased, const char *lane, int64_t due_in_ms);
void gateway_queue_remove_put(struct work *work, const struct inquiry *leased);

void gateway_inquiry_put(struct work *work, const struct inquiry *inquiry);
/* Write state, outcome, permit, processing number and asked_at; `from` is the state in which it was read:
 * state_conflict at commit when it has changed meanwhile. */
MUST_USE bool gateway_state_put(struct work *work, const struct inquiry *inquiry, enum inquiry_state from);
void gateway_inquiry_remove_put(struct work *work, const struct inquiry *inquiry);
/* Fill what gateway_lease left open, with code and 取得番号. False with a fault; not_found if any is not there. */
MUST_USE bool gateway_inquiries_read(struct work *work, struct inquiry *inquiries, int count);

MUST_USE bool code_exists(struct work *work, const char *manager, const char *gateway_id, bool *exists);
/* Keep the code (unless one is kept) and delete the 取得番号. */
MUST_USE bool code_put(struct work *work, const struct inquiry *inquiry);
void acquisition_remove_put(struct work *work, const struct inquiry *inquiry);
/* Keep a 取得番号 unless the person has one already. */
MUST_USE bool acquisition_put(
    struct work *work, const char *manager, const char *gateway_id, const char *id, const char *number);

/* 情報提供等記録; provided_at_ms 0: nothing was provided. */
void exchange_record_put(struct work *work, const struct inquiry *inquiry, int64_t provided_at_ms);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns gateway_columns;

#endif
