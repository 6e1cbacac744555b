#include "audit/gap_store.h"

#include <string.h>

static const char gap_put_sql[] =
    "INSERT INTO audit.gap (service, instance, worker, after, resume, digest) "
    "VALUES ($1, $2::uuid, $3::int, $4::bigint, $5::bigint, $6) "
    "ON CONFLICT (service, instance, worker, after) DO UPDATE SET resume = excluded.resume, digest = excluded.digest "
    "RETURNING found_at = now()";

bool gap_put(struct pg *pg, const struct gap *gap, bool *is_new, struct fault *fault)
{
    PGresult *row = pg_query(pg, gap_put_sql, fault,
        PG_VALUES(pg_text(gap->service), pg_text(gap->instance), pg_integer(gap->worker),
            pg_integer((int64_t)gap->after), pg_integer((int64_t)gap->resume),
            pg_bytes(gap->digest, sizeof gap->digest)));
    if (!row)
        return false;
    *is_new = pg_get_bool(row, 0, 0);
    PQclear(row);
    return true;
}

static const char gap_hold_sql[] =
    "SELECT g.after, g.resume, g.digest FROM audit.gap g WHERE g.service = $1 AND g.instance = $2::uuid "
    "AND g.worker = $3::int AND g.released_at IS NULL AND g.after = coalesce((SELECT c.sequence FROM audit.chain c "
    "WHERE c.service = $1 AND c.instance = $2::uuid AND c.worker = $3::int), 0) FOR UPDATE OF g";

bool gap_hold(struct pg *pg, struct gap *gap, struct fault *fault)
{
    PGresult *row = pg_query(
        pg, gap_hold_sql, fault, PG_VALUES(pg_text(gap->service), pg_text(gap->instance), pg_integer(gap->worker)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1;
    if (found) {
        gap->after = (uint64_t)pg_get_integer(row, 0, 0);
        gap->resume = (uint64_t)pg_get_integer(row, 0, 1);
        memcpy(gap->digest, pg_get_bytes(row, 0, 2).data, sizeof gap->digest);
    }
    PQclear(row);
    return found ? true : fault_set(fault, FAULT_not_found, "chain");
}

static const char gap_release_sql[] =
    "UPDATE audit.gap SET released_at = now(), reason = $5 WHERE service = $1 "
    "AND instance = $2::uuid AND worker = $3::int AND after = $4::bigint";

void gap_release_put(struct pg *pg, const struct gap *gap, const char *reason)
{
    pg_queue_exactly(pg, gap_release_sql, 1, FAULT_internal,
        PG_VALUES(pg_text(gap->service), pg_text(gap->instance), pg_integer(gap->worker),
            pg_integer((int64_t)gap->after), pg_text(reason)));
}

static const char gaps_list_sql[] =
    "SELECT g.service, g.instance::text, g.worker, g.after, g.resume, coalesce(g.reason, ''), "
    "(extract(epoch FROM g.found_at) * 1000)::bigint, (extract(epoch FROM g.released_at) * 1000)::bigint "
    "FROM audit.gap g LEFT JOIN audit.chain c ON c.service = g.service AND c.instance = g.instance "
    "AND c.worker = g.worker WHERE g.released_at IS NOT NULL OR g.after = coalesce(c.sequence, 0) "
    "ORDER BY g.released_at DESC NULLS FIRST, g.found_at DESC LIMIT $1::int";

bool gaps_list(struct pg *pg, struct arena *arena, int limit, struct gap **gaps, size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, gaps_list_sql, fault, PG_VALUES(pg_integer(limit)));
    if (!rows)
        return false;
    *count = (size_t)PQntuples(rows);
    *gaps = arena_take(arena, (*count + 1) * sizeof **gaps);
    for (size_t i = 0; *gaps && i < *count; i++)
        (*gaps)[i] = (struct gap){.service = pg_get_text(rows, (int)i, 0, arena),
            .instance = pg_get_text(rows, (int)i, 1, arena),
            .worker = (uint32_t)pg_get_integer(rows, (int)i, 2),
            .after = (uint64_t)pg_get_integer(rows, (int)i, 3),
            .resume = (uint64_t)pg_get_integer(rows, (int)i, 4),
            .reason = pg_get_text(rows, (int)i, 5, arena),
            .found_at_ms = pg_get_integer(rows, (int)i, 6),
            .released_at_ms = pg_get_integer(rows, (int)i, 7)};
    PQclear(rows);
    return *gaps ? true : fault_set(fault, FAULT_internal, NULL);
}
