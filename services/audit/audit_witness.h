/* The witness: a file of signed heads outside the database, appended to and never changed. What it says last must hold
 * of the log, else one of the two was restored from an older copy, cut, or changed. */
#ifndef AUDIT_WITNESS_H
#define AUDIT_WITNESS_H

#include "audit/audit_store.h"

/* Open the witness for appending, to find at start that it cannot be written. A last line that was being written when
 * the machine lost power proves nothing and is cut off. */
MUST_USE bool witness_open(const char *path, struct fault *fault);
/* Append whole lines and sync; false, with a word in the journal, when it cannot be done. */
MUST_USE bool witness_append(const char *lines, size_t len);

/* What the witness says last: a head, or that log and witness were reconciled. size 0: nothing. */
struct witnessed {
    uint64_t size;
    uint8_t root[32];
    bool reconciled;
    struct audit_reconciliation stated; /* then */
};

enum agreement {
    LOG_AGREES,
    LOG_SHORTER_THAN_WITNESS, /* an older copy of the database, or a tail that was cut */
    WITNESS_SHORTER_THAN_LOG, /* an older copy of the witness, or none */
    RECONCILIATION_UNFINISHED,
    LOG_DIFFERS_FROM_WITNESS, /* no copy of this log: nothing an operator could state makes it one */
};
const char *agreement_text(enum agreement agreement);

/* Reads the end of the witness and where the log stands (into *tree). public_keys: file of audit's keys, one in hex a
 * line. False with a fault if either cannot be read. */
MUST_USE bool witness_compare(struct pg *pg, const char *path, const char *public_keys, struct witnessed *last,
    struct merkle *tree, enum agreement *agreement, struct fault *fault);

/* As a step of the start: fault audit_disagrees unless they agree, and the journal says how they differ. */
MUST_USE bool witness_check(const char *path, const char *keys, struct fault *fault);

#endif
