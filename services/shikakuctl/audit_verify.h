/* Is the log of records of use what it was? Everything is computed anew from its rows and held against the signed heads
 * that the witness has: editing, deleting, inserting, reordering, truncating and going back to an older copy all show,
 * for the root at some head differs, or the log is shorter than the head says. Rows younger than the newest head are
 * not covered yet. A going back that an operator stated (chassis/audit_head.h) is taken as exactly what was stated,
 * told with its reason, and held against the log's own record of it. */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "chassis/audit_head.h"
#include "chassis/pg.h"

#include <stdint.h>

#define AUDIT_RECONCILED_MAX 32

struct audit_reconciled {
    struct audit_reconciliation stated;
    uint64_t heads_abandoned;
    char reason[81]; /* as its record in the log says; "" where a later going back took that record away */
};

struct audit_verdict {
    bool whole;
    uint64_t events, heads, uncovered; /* uncovered: events after the newest head */
    const char *finding;               /* the first thing that is wrong, static; NULL if whole */
    uint64_t at;                       /* position, size of the head, or line of the witness it was found at */
    struct audit_reconciled reconciliations[AUDIT_RECONCILED_MAX]; /* in order */
    size_t reconciled;
};

/* witness: file of signed heads. public_keys: file of audit's keys, one hex key a line. False with a fault if it could
 * not be found out; true with a verdict else. */
MUST_USE bool audit_verify(
    struct pg *pg, const char *witness, const char *public_keys, struct audit_verdict *verdict, struct fault *fault);

#endif
