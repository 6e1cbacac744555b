/* The only SQL of residence. Functions that end in _put queue into the transaction that the caller began for the
 * manager; the others wait for their answer. Ids are lower-case UUIDs. */
#ifndef RESIDENCE_INQUIRY_STORE_H
#define RESIDENCE_INQUIRY_STORE_H

#include "chassis/rotation.h"
#include "chassis/work.h"
#include "residence/inquiry_state.h"

#define INQUIRY_LEASE_MAX 16

/* Lanes of the queue. */
#define LANE_BATCH "batch"
#define LANE_INSTANT "instant"
#define LANE_ACQUIRE "acquire"
#define LANE_FORGET "forget"

struct inquiry {
    char id[37];
    char manager[32];
    int attempt; /* of the lease: 1 at the first */
    bool instant, by_items;
    const char *application, *programme, *pseudonym, *account, *body; /* in the arena */
    enum inquiry_state state;
    const char *outcome;
};

/* Lease up to `max` (at most INQUIRY_LEASE_MAX) due rows of a lane, all of one manager: the one that waits longest.
 * Fills id, manager, attempt; returns how many, 0 also on a fault. Outside a transaction. */
int inquiry_lease(struct work *work, const char *lane, int max, int64_t lease_ms, struct inquiry *leased);

/* In a transaction of the manager: */
void inquiry_queue_put(struct work *work, const char *id, const char *manager, const char *lane, int64_t due_in_ms);
/* Another lane or a later time for a leased row; state_conflict at commit when the lease was lost. */
void inquiry_move_put(struct work *work, const struct inquiry *leased, const char *lane, int64_t due_in_ms);
void inquiry_remove_put(struct work *work, const struct inquiry *leased);

void inquiry_put(struct work *work, const struct inquiry *inquiry);
/* state, outcome and the answered file's reference ("" for none) of an inquiry that was waiting. */
void inquiry_finish_put(struct work *work, const struct inquiry *inquiry, const char *file);
/* Fill what inquiry_lease left open. False with a fault; not_found if any of them is not there. */
MUST_USE bool inquiries_read(struct work *work, struct inquiry *inquiries, int count);
MUST_USE bool inquiry_read(struct work *work, const char *manager, const char *id, struct inquiry *inquiry);

/* What is in passing; kind "asked", "list" or "acquisition". Covered here, for table, manager and id. */
MUST_USE bool passing_put(
    struct work *work, const char *manager, const char *id, const char *kind, const void *plain, size_t len);
/* plain.data is NULL where there is nothing (any more); false only on a fault. */
MUST_USE bool passing_read(
    struct work *work, const char *manager, const char *id, const char *kind, struct bytes *plain);
void passing_remove_put(struct work *work, const char *manager, const char *id, const char *kind);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns inquiry_columns;

#endif
