#include "vault/ending_store.h"

#include <inttypes.h>

static const char sql_ending_find[] = "SELECT certificate FROM vault.erasure WHERE manager = $1";

bool ending_find(struct work *work, char **certificate)
{
    PGresult *row = pg_query(work->pg, sql_ending_find, &work->fault, PG_VALUES(pg_text(work_manager(work))));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1;
    *certificate = found ? pg_get_text(row, 0, 0, work->arena) : NULL;
    PQclear(row);
    return found ? true : fault_set(&work->fault, FAULT_not_found, "manager");
}

static const char sql_keys_empty[] =
    "WITH ended AS (UPDATE vault.data_key SET wrapped = ''::bytea, state = 'retired', "
    "retired_at = coalesce(retired_at, now()) "
    "WHERE manager = $1 RETURNING key_id) SELECT (SELECT string_agg(key_id::text, ',' ORDER BY key_id) FROM ended), "
    "(SELECT count(*) FROM vault.tie WHERE manager = $1), "
    "(SELECT count(*) FROM vault.gateway_tie WHERE manager = $1), "
    "(SELECT count(*) FROM vault.portal_tie WHERE manager = $1), "
    "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
/* The other replicas learn of it by the generation; what was being replaced ends with the keys. */
static const char sql_keys_tell[] = "UPDATE vault.key_state SET generation = generation + 1";
static const char sql_rotations_end[] =
    "UPDATE vault.rotation SET phase = 'refused', finished_at = now() WHERE manager = $1 AND finished_at IS NULL";
static const char sql_ending_add[] = "INSERT INTO vault.erasure (manager, certificate) VALUES ($1, $2)";

bool ending_make(struct work *work, const char *reason, char **certificate)
{
    PGresult *row = pg_query(work->pg, sql_keys_empty, &work->fault, PG_VALUES(pg_text(work_manager(work))));
    if (!row)
        return false;
    *certificate = arena_format(work->arena,
        "{\"manager\":\"%s\",\"decision\":\"%s\",\"ended_at\":\"%s\",\"keys\":[%s],\"ties\":%" PRId64
        ",\"gateway_ties\":%" PRId64 ",\"portal_ties\":%" PRId64 "}",
        work_manager(work), reason, PQgetvalue(row, 0, 4), PQgetvalue(row, 0, 0), pg_get_integer(row, 0, 1),
        pg_get_integer(row, 0, 2), pg_get_integer(row, 0, 3));
    PQclear(row);
    if (!*certificate)
        return fault_set(&work->fault, FAULT_internal, NULL);
    pg_queue(work->pg, sql_keys_tell, PG_NONE);
    pg_queue(work->pg, sql_rotations_end, PG_VALUES(pg_text(work_manager(work))));
    pg_queue(work->pg, sql_ending_add, PG_VALUES(pg_text(work_manager(work)), pg_text(*certificate)));
    return true;
}
