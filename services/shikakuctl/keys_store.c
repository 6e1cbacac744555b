#include "shikakuctl/keys_store.h"

#include "chassis/statement.h"

#include <stdlib.h>
#include <string.h>

static char *sql_ask, *sql_keys, *sql_rotations;

static const char ask_form[] =
    "INSERT INTO @.rotation (manager, kind, old_key) SELECT k.manager, $1, max(k.key_id) FILTER (WHERE k.kind = $1) "
    "FROM @.data_key AS k WHERE k.state = 'in_force' AND (k.kind = $1 OR $1 = 'wrap') "
    "AND ($2::text IS NULL OR k.manager = $2) GROUP BY k.manager "
    "ON CONFLICT (manager, kind) WHERE finished_at IS NULL DO NOTHING";
static const char keys_form[] =
    "SELECT manager, kind, key_id::text, state, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), "
    "coalesce(to_char(retired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), ''), "
    "(current_date - (created_at AT TIME ZONE 'UTC')::date)::text FROM @.data_key ORDER BY manager, kind, key_id";
static const char rotations_form[] =
    "SELECT manager, kind, phase, rows_done::text, greatest(rows_total, rows_done)::text, "
    "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
    "FROM @.rotation WHERE finished_at IS NULL OR (phase = 'refused' AND finished_at > now() - interval '1 day') "
    "ORDER BY rotation";

bool keys_store_open(const char *service)
{
    const struct statement_word schema = {"@", service};
    if (!*service || strspn(service, "abcdefghijklmnopqrstuvwxyz_") != strlen(service))
        return false;
    free(sql_ask);
    free(sql_keys);
    free(sql_rotations);
    sql_ask = statement_make(ask_form, &schema, 1);
    sql_keys = statement_make(keys_form, &schema, 1);
    sql_rotations = statement_make(rotations_form, &schema, 1);
    return sql_ask && sql_keys && sql_rotations;
}

bool rotation_ask(struct pg *pg, const char *kind, const char *manager, int64_t *asked, struct fault *fault)
{
    PGresult *result = pg_query(pg, sql_ask, fault, PG_VALUES(pg_text(kind), pg_text(manager)));
    if (result)
        *asked = atoll(PQcmdTuples(result));
    PQclear(result);
    return result != NULL;
}

PGresult *keys_list(struct pg *pg, struct fault *fault)
{
    return pg_query(pg, sql_keys, fault, PG_NONE);
}

PGresult *rotations_list(struct pg *pg, struct fault *fault)
{
    return pg_query(pg, sql_rotations, fault, PG_NONE);
}
