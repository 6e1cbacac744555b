/* What is said of the log of records of use, signed, and how the witness keeps it. services/audit_verify reads the same
 * forms by itself. */
#ifndef CHASSIS_AUDIT_HEAD_H
#define CHASSIS_AUDIT_HEAD_H

#include "chassis/fault.h"
#include "chassis/keyring.h"

#include <stdint.h>

#define AUDIT_LINE_MAX 512 /* of the witness */

/* What the log was at one moment. Signed with Ed25519 over "shikaku audit head 1" and its NUL, size 8, root 32,
 * signed_at_ms 8, big-endian. */
struct audit_head {
    uint64_t size;
    uint8_t root[32];
    int64_t signed_at_ms;
    uint8_t public_key[32];
    uint8_t signature[64];
};

MUST_USE bool audit_head_sign(struct audit_head *head, const struct key *key);
/* Only whether it was signed by the key that it names; whether that key is audit's is for the caller to say. */
MUST_USE bool audit_head_check(const struct audit_head *head);

/* A line of the witness: size, root, time, public key, signature; decimal and hex, one blank between, newline. */
int audit_head_print(const struct audit_head *head, char line[AUDIT_LINE_MAX]);
MUST_USE bool audit_head_parse(struct audit_head *head, const char *line);

/* What an operator states, once, of a log and a witness that disagree because one of them was restored: the witness's
 * newest head was `from` and the log was `to`. Signed by audit's key. The log goes on at position to_size with the
 * record of this very act (AUDIT_RECONCILE; its event, in plain, is "LOST REASON"), so that neither can state it
 * alone. Heads over more than to_size are abandoned by it; to_size above from_size: the witness lost heads. */
struct audit_reconciliation {
    uint64_t from_size, to_size;
    uint8_t from_root[32], to_root[32];
    int64_t at_ms;
    uint8_t public_key[32];
    uint8_t signature[64];
};

#define AUDIT_RECONCILE "audit_reconcile"

MUST_USE bool audit_reconciliation_sign(struct audit_reconciliation *stated, const struct key *key);
MUST_USE bool audit_reconciliation_check(const struct audit_reconciliation *stated);
uint64_t audit_reconciliation_lost(const struct audit_reconciliation *stated); /* records */

/* A line of the witness: the word `reconciled`, then sizes, roots, time, public key, signature as those of a head. */
int audit_reconciliation_print(const struct audit_reconciliation *stated, char line[AUDIT_LINE_MAX]);
MUST_USE bool audit_reconciliation_parse(struct audit_reconciliation *stated, const char *line);

#endif
