/* Appending to the log: every record once, none missing, none changed. Called with the transaction open. */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/audit_store.h"

#define AUDIT_RECORDS_MAX 1024 /* of one request */

/* A record on its way, as its service linked it. */
struct audit_sent {
    uint64_t sequence;
    struct bytes previous, link; /* AUDIT_LINK_BYTES each */
    struct bytes event;          /* an Event */
};

/* A worker's records, in order. */
struct audit_chain {
    const char *instance; /* UUID, lower case */
    uint32_t worker;
    const struct audit_sent *sent;
    size_t count;
    uint64_t through; /* out: the last one of this worker that is in the log */
    bool broken;      /* out: a record is missing, is no event, or follows another one than the log has */
    bool newly;       /* out: that is seen for the first time */
};

/* Append what is new of these chains of `service`; a chain is taken up to where it breaks. The caller commits. */
MUST_USE bool log_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chains,
    size_t count, struct fault *fault);

/* How many records this process has appended since it started, for who gives way to them. */
uint64_t log_taken(void);

/* Append a record of audit about the log itself: kind `log`, its event in plain, so that whoever verifies can read it.
 * `tree` is what sequencer_take gave; the caller puts it back and commits. */
MUST_USE bool log_append_plain(
    struct pg *pg, struct arena *arena, struct merkle *tree, const char *act, const char *event, struct fault *fault);

#endif
