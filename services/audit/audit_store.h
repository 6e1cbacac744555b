/* The log, the chains that feed it, and its heads (migrations/audit). */
#ifndef AUDIT_STORE_H
#define AUDIT_STORE_H

#include "chassis/audit_head.h"
#include "chassis/audit_link.h"
#include "chassis/audit_record.h"
#include "chassis/merkle.h"
#include "chassis/pg.h"
#include "chassis/rotation.h"

/* In the open transaction: become the one sequencer until it ends, and read where the log stands. */
MUST_USE bool sequencer_take(struct pg *pg, struct merkle *tree, struct fault *fault);
/* The same without becoming it, outside a transaction. */
MUST_USE bool sequencer_read(struct pg *pg, struct merkle *tree, struct fault *fault);
void sequencer_put(struct pg *pg, const struct merkle *tree);

/* Where a worker's chain stands. sequence 0 and zeroes: nothing of it is in the log. */
struct chain_end {
    uint64_t sequence;
    uint8_t digest[AUDIT_LINK_BYTES];
};
MUST_USE bool chain_read(struct pg *pg, const char *service, const char *instance, uint32_t worker,
    struct chain_end *end, struct fault *fault);
void chain_put(struct pg *pg, const char *service, const char *instance, uint32_t worker, const struct chain_end *end);

/* Add records of one worker, in order and at consecutive positions, with their leaves. False only when memory is out.
 */
MUST_USE bool log_put(struct pg *pg, struct arena *arena, const char *instance, const struct audit_record *records,
    const uint8_t (*leaves)[MERKLE_HASH_BYTES], size_t count);

/* Make sure that there is room for every kind's records of this month and of the next. */
MUST_USE bool months_make(struct pg *pg, struct fault *fault);

/* The oldest month (YYYYMM) of a kind's records that is older than `keep` months; "" where there is none. */
MUST_USE bool month_past_find(struct pg *pg, const char *kind, int64_t keep, char month[7], struct fault *fault);
/* In a transaction of manager "*": position and leaf of that month's records after position `after` (-1: from the
 * first), in order, at most `limit`; the caller's, PQclear it. */
MUST_USE PGresult *month_leaves_list(
    struct pg *pg, const char *kind, const char *month, int64_t after, int limit, struct fault *fault);
/* Delete that month's records and keep their leaves, which name the record of their deletion at position `deletion`.
 * Returns how many; -1 with a fault. */
MUST_USE int64_t month_end(struct pg *pg, const char *kind, const char *month, uint64_t deletion, struct fault *fault);

/* The tree of the log's first `size` records, computed from their leaves; of fewer where the log has fewer. */
MUST_USE bool log_tree(struct pg *pg, uint64_t size, struct merkle *tree, struct fault *fault);

/* The newest head. size and signed_at_ms are 0 where there is none. */
MUST_USE bool head_read(struct pg *pg, struct audit_head *head, struct fault *fault);
/* Is it among the newest heads? */
MUST_USE bool head_find(
    struct pg *pg, uint64_t size, const uint8_t root[MERKLE_HASH_BYTES], bool *found, struct fault *fault);
MUST_USE bool head_put(struct pg *pg, const struct audit_head *head, struct fault *fault);

/* audit's own records of use, which no relay brings: at most `limit`, in order; the caller's, PQclear it. */
MUST_USE PGresult *own_records_list(struct pg *pg, int limit, struct fault *fault);
void own_records_drop(struct pg *pg, const char *instance, uint32_t worker, uint64_t through);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns audit_columns;

#endif
