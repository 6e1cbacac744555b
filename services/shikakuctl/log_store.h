/* Reading audit's log for the verifier. */
#ifndef LOG_STORE_H
#define LOG_STORE_H

#include "chassis/audit_head.h"
#include "chassis/pg.h"

/* Records from `position` on, at most `limit`, with their positions; the caller's, PQclear it. */
MUST_USE PGresult *log_list(struct pg *pg, uint64_t position, int limit, struct fault *fault);

/* A row of that list; its texts lie in the arena, its bytes in the result. False when memory is out. */
MUST_USE bool log_row(
    const PGresult *rows, int row, struct arena *arena, uint64_t *position, struct audit_record *record);

#endif
