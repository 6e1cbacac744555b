#include "audit/audit_store.h"
#include "audit/record_cover.h"

#include <stdio.h>
#include <string.h>

static const char month_make_sql[] =
    "SELECT audit.month_make($1, date_trunc('month', now() AT TIME ZONE 'UTC')::date), "
    "audit.month_make($1, (date_trunc('month', now() AT TIME ZONE 'UTC') "
    "+ interval '1 month')::date)";

bool months_make(struct pg *pg, struct fault *fault)
{
    const char *const *kinds;
    size_t count = kinds_list(&kinds);
    pg_begin(pg, "");
    for (size_t i = 0; i < count; i++)
        pg_queue(pg, month_make_sql, PG_VALUES(pg_text(kinds[i])));
    return pg_commit(pg, fault);
}

static const char month_past_find_sql[] =
    "SELECT right(c.relname, 6)::text FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'audit.log'::regclass AND left(c.relname, -7) = 'log_' || $1 "
    "AND right(c.relname, 6) < to_char(now() AT TIME ZONE 'UTC' - $2::int * interval '1 month', 'YYYYMM') "
    "ORDER BY 1 LIMIT 1";

bool month_past_find(struct pg *pg, const char *kind, int64_t keep, char month[7], struct fault *fault)
{
    PGresult *row = pg_query(pg, month_past_find_sql, fault, PG_VALUES(pg_text(kind), pg_integer(keep)));
    snprintf(month, 7, "%.6s", row && PQntuples(row) ? PQgetvalue(row, 0, 0) : "");
    PQclear(row);
    return row != NULL;
}

static const char month_leaves_list_sql[] =
    "SELECT position, leaf FROM audit.log WHERE kind = $1 AND position > $3::bigint "
    "AND appended_ms >= audit.month_ms(to_date($2, 'YYYYMM')) "
    "AND appended_ms < audit.month_ms((to_date($2, 'YYYYMM') + interval '1 month')::date) ORDER BY position LIMIT "
    "$4::int";

PGresult *month_leaves_list(
    struct pg *pg, const char *kind, const char *month, int64_t after, int limit, struct fault *fault)
{
    return pg_query(pg, month_leaves_list_sql, fault,
        PG_VALUES(pg_text(kind), pg_text(month), pg_integer(after), pg_integer(limit)));
}

static const char month_end_sql[] = "SELECT audit.month_end($1, to_date($2, 'YYYYMM'), $3::bigint)";

int64_t month_end(struct pg *pg, const char *kind, const char *month, uint64_t deletion, struct fault *fault)
{
    PGresult *row =
        pg_query(pg, month_end_sql, fault, PG_VALUES(pg_text(kind), pg_text(month), pg_integer((int64_t)deletion)));
    int64_t ended = row ? pg_get_integer(row, 0, 0) : -1;
    PQclear(row);
    return ended;
}
