#include "shikakuctl/log_store.h"

static const char log_list_sql[] =
    "SELECT position, service, instance::text, worker, sequence, previous, digest, event "
    "FROM audit.log WHERE position >= $1::bigint ORDER BY position LIMIT $2::int";

PGresult *log_list(struct pg *pg, uint64_t position, int limit, struct fault *fault)
{
    return pg_query(pg, log_list_sql, fault, PG_VALUES(pg_integer((int64_t)position), pg_integer(limit)));
}

bool log_row(const PGresult *rows, int row, struct arena *arena, uint64_t *position, struct audit_record *record)
{
    *position = (uint64_t)pg_get_integer(rows, row, 0);
    record->service = pg_get_text(rows, row, 1, arena);
    record->instance = pg_get_text(rows, row, 2, arena);
    record->worker = (uint32_t)pg_get_integer(rows, row, 3);
    record->sequence = (uint64_t)pg_get_integer(rows, row, 4);
    record->previous = pg_get_bytes(rows, row, 5);
    record->digest = pg_get_bytes(rows, row, 6);
    record->event = pg_get_bytes(rows, row, 7);
    return record->service && record->instance;
}
