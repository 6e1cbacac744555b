/* The form of one record in the log of records of use: shared by audit, which writes it, and by shikakuctl, which
 * exports it. services/audit_verify reads the same form by itself and includes nothing of this. */
#ifndef CHASSIS_AUDIT_RECORD_H
#define CHASSIS_AUDIT_RECORD_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <stdint.h>

#define AUDIT_INSTANCE_BYTES 16 /* a UUID */
#define AUDIT_TOKENS_MAX 2048   /* a batch names a thousand persons at most */

/* Texts are at most 255 bytes. */
struct audit_record {
    uint64_t position;   /* in the log, from 0 */
    int64_t appended_ms; /* Unix time by audit's clock */
    uint8_t instance[AUDIT_INSTANCE_BYTES];
    uint32_t worker;
    uint64_t sequence; /* of this worker, from 1, without a gap */
    const char *service, *kind, *manager, *act, *outcome;
    const uint64_t *tokens; /* by which it is found: of persons, account, terminal, reason */
    size_t token_count;
    struct bytes event; /* covered: who, from where, whose, why */
};

/* The record as it is hashed for its leaf (RFC 6962: SHA-256 of it) and written into an export. In this order, numbers
 * big-endian: 0x00, position 8, appended_ms 8, instance 16, worker 4, sequence 8, the five texts each behind a byte of
 * length, number of tokens 2, tokens 8 each, event. In the arena; data NULL when it does not fit. */
MUST_USE struct bytes audit_record_put(struct arena *arena, const struct audit_record *record);

#endif
