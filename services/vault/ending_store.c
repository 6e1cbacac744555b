#include "vault/ending_store.h"

#include "chassis/journal.h"
#include "chassis/keyring.h"

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
    "WITH ended AS (UPDATE vault.data_key SET wrapped = ''::bytea, retired_at = coalesce(retired_at, now()) "
    "WHERE manager = $1 RETURNING key_id) SELECT (SELECT string_agg(key_id::text, ',' ORDER BY key_id) FROM ended), "
    "(SELECT count(*) FROM vault.tie WHERE manager = $1), "
    "(SELECT count(*) FROM vault.gateway_tie WHERE manager = $1), "
    "(SELECT count(*) FROM vault.portal_tie WHERE manager = $1), "
    "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
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
    pg_queue(work->pg, sql_ending_add, PG_VALUES(pg_text(work_manager(work)), pg_text(*certificate)));
    return true;
}

static const char sql_keys_emptied[] =
    "SELECT key_id, manager FROM vault.data_key WHERE wrapped = ''::bytea ORDER BY key_id";

int endings_watch(struct work *work, const struct lane *lane)
{
    (void)lane;
    PGresult *rows =
        pg_ensure(work->pg, &work->fault) ? pg_query(work->pg, sql_keys_emptied, &work->fault, PG_NONE) : NULL;
    for (int row = 0; rows && row < PQntuples(rows); row++) {
        const char *manager = pg_get_text(rows, row, 1, work->arena);
        if (!manager || !keyring_by_id((uint32_t)pg_get_integer(rows, row, 0)))
            continue;
        keyring_forget(manager);
        journal(JOURNAL_WARNING, NULL, "manager_ended", WORD("manager", manager));
    }
    PQclear(rows);
    return 0;
}
