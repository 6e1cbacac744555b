#include "chassis/keyring_store.h"

#include <stdio.h>
#include <string.h>

#define SCHEMA_MAX 32
#define STATEMENT_MAX 256

/* The schema is the service's name, known only at start; the statements are completed once. */
static char generation_sql[STATEMENT_MAX], list_sql[STATEMENT_MAX], add_sql[STATEMENT_MAX], retire_sql[STATEMENT_MAX];

static const char generation_form[] = "SELECT generation FROM %s.key_state";
static const char list_form[] = "SELECT key_id, manager, kind, wrapped, state FROM %s.data_key ORDER BY key_id";
static const char add_form[] =
    "INSERT INTO %s.data_key (manager, kind, wrapped) VALUES ($1, $2, $3) "
    "ON CONFLICT (manager, kind) WHERE state = 'in_force' DO NOTHING";

static const char retire_form[] =
    "UPDATE %s.data_key SET state = 'retired', wrapped = ''::bytea, retired_at = now() "
    "WHERE manager = $1 AND kind = $2 AND state <> 'retired'";

bool keyring_store_open(const char *schema)
{
    size_t len = strlen(schema);
    if (!len || len > SCHEMA_MAX || strspn(schema, "abcdefghijklmnopqrstuvwxyz_") != len)
        return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(generation_sql, sizeof generation_sql, generation_form, schema);
    snprintf(list_sql, sizeof list_sql, list_form, schema);
    snprintf(add_sql, sizeof add_sql, add_form, schema);
    snprintf(retire_sql, sizeof retire_sql, retire_form, schema);
#pragma GCC diagnostic pop
    return true;
}

bool keyring_store_generation(struct pg *pg, int64_t *generation, struct fault *fault)
{
    PGresult *row = pg_query(pg, generation_sql, fault, PG_NONE);
    if (row && PQntuples(row) == 1)
        *generation = pg_get_integer(row, 0, 0);
    bool read = row && PQntuples(row) == 1;
    PQclear(row);
    return read;
}

PGresult *keyring_store_list(struct pg *pg, struct fault *fault)
{
    return pg_query(pg, list_sql, fault, PG_NONE);
}

bool keyring_store_add(
    struct pg *pg, const char *manager, const char *kind, const void *wrapped, size_t len, struct fault *fault)
{
    pg_begin(pg, "");
    pg_queue(pg, add_sql, PG_VALUES(pg_text(manager), pg_text(kind), pg_bytes(wrapped, len)));
    return pg_commit(pg, fault);
}

bool keyring_store_retire(struct pg *pg, const char *manager, const char *kind, struct fault *fault)
{
    pg_begin(pg, "");
    pg_queue(pg, retire_sql, PG_VALUES(pg_text(manager), pg_text(kind)));
    return pg_commit(pg, fault);
}
