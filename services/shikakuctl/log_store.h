/* Reading audit's log, in one state of it, for exports and proofs. */
#ifndef LOG_STORE_H
#define LOG_STORE_H

#include "chassis/audit_head.h"
#include "chassis/audit_record.h"
#include "chassis/pg.h"

/* From here to log_close everything is read as it is now. */
MUST_USE bool log_open(struct pg *pg, struct fault *fault);
void log_close(struct pg *pg);

/* Entries from `position` on, at most `limit`, in order; the caller's, PQclear it. */
MUST_USE PGresult *log_list(struct pg *pg, uint64_t position, int limit, struct fault *fault);

/* A row of that list as an entry of an export (services/audit_verify/README.md), without its length; in the arena. data
 * NULL when memory is out. */
MUST_USE struct bytes log_entry(const PGresult *rows, int row, struct arena *arena);

/* Leaves of [from, to), in order: one column, at most `limit`. */
MUST_USE PGresult *leaves_list(struct pg *pg, uint64_t from, uint64_t to, int limit, struct fault *fault);

/* The newest head, or the newest of this size. not_found where there is none. */
MUST_USE bool head_of_size(struct pg *pg, uint64_t size, struct audit_head *head, struct fault *fault);

#endif
