/* Appending to the log: every record once, none missing, none changed. Called with the transaction open. */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/audit_store.h"

#define AUDIT_RECORDS_MAX 1024 /* of one request */

/* A worker's records, in order. */
struct audit_chain {
    const char *instance;
    uint32_t worker;
    const struct audit_record *records;
    size_t count;
    uint64_t through; /* out: the last one of this worker that is in the log */
    bool broken;      /* out: a record is missing, altered or follows another one than the log has */
};

/* Append what is new of these chains of `service`; a chain is taken up to where it breaks. The caller commits. */
MUST_USE bool log_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chains,
    size_t count, struct fault *fault);

#endif
