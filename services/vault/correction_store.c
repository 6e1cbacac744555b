#include "vault/correction_store.h"

/* `other` of a join that is open begins with a mark: person_store.c. */
static const char sql_open[] =
    "SELECT correction_id, kind, pseudonym, coalesce(substring(other FROM 2), ''), coalesce(other LIKE '+%', false), "
    "reason, asked_by, asked_at::date::text, (asked_at + $2::bigint * interval '1 day')::date::text "
    "FROM vault.correction WHERE manager = $1 AND state = 'asked' ORDER BY asked_at, correction_id LIMIT 200";

PGresult *corrections_open(struct work *work, int64_t days)
{
    return pg_query(work->pg, sql_open, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_integer(days)));
}

static const char sql_lapse[] =
    "UPDATE vault.correction SET state = 'lapsed', decided_at = now(), number = NULL, "
    "other = CASE WHEN kind = 'join' THEN substring(other FROM 2) END WHERE manager = $1 AND state = 'asked' AND "
    "asked_at < now() - $2::bigint * interval '1 day' RETURNING pseudonym, coalesce(other, ''), reason";

PGresult *corrections_lapse(struct work *work, int64_t days)
{
    return pg_query(work->pg, sql_lapse, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_integer(days)));
}
