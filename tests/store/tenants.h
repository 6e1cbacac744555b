/* Every table that names a manager, in a database with all schemas, and made-up rows of two managers in each. */
#ifndef STORE_TENANTS_H
#define STORE_TENANTS_H

#include "kit/store.h"

#include <check.h>
#include <libpq-fe.h>
#include <stdint.h>

#define OURS "tokyo"
#define THEIRS "saitama"
#define ROWS_EACH 3
#define TABLES_MAX 96
#define COLUMNS_MAX 40
#define RESULT_BYTES 65536

static const char *const services[] = {
    "vault", "intake", "residence", "intermediate", "records", "certificates", "legacy_sync", "staff", "audit"};
#define SERVICES (sizeof services / sizeof *services)

/* Tables that name a manager and are open to their service across managers: lanes look through them before they know
 * whose row it is, or a number leads to its manager. No column of them is a person's. */
static const struct {
    const char *table, *columns;
} open_tables[] = {
    {"intake.queue", " manager application state resume due_at lease_until attempt "},
    {"intake.directory", " receipt manager application portal_token "},
    {"residence.inquiry_queue", " id manager lane due_at lease_until attempt "},
    {"intermediate.inquiry_queue", " id manager lane due_at lease_until attempt polls failures "},
    {"legacy_sync.task", " id manager system attempt due_at lease_until "},
    {"staff.account_place", " account manager "},
    {"staff.terminal_place", " terminal manager "},
    {"vault.erasure", " manager certificate erased_at "},
};

struct column {
    char name[64];
    unsigned type;
    bool given; /* by the row that is put in: no identity, not generated */
    bool may_update;
};

struct table {
    char name[80], service[24];
    struct column columns[COLUMNS_MAX];
    size_t column_count;
    bool may_select, may_insert, may_delete;
};

static struct store store;
static PGconn *owner, *roles[SERVICES];
static struct table tables[TABLES_MAX];
static size_t table_count;

/* --- the database ------------------------------------------------------------------------------------------------- */

static inline PGresult *ask(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK, "%s: %s",
        sql, PQresultErrorMessage(result));
    return result;
}

static inline void run(PGconn *conn, const char *sql)
{
    PQclear(ask(conn, sql));
}

static long number_of(PGconn *conn, const char *sql)
{
    PGresult *result = ask(conn, sql);
    long number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

/* The SQLSTATE, "" where it went well. */
static const char *try(PGconn *conn, const char *sql)
{
    static char state[8];
    PGresult *result = PQexec(conn, sql);
    snprintf(state, sizeof state, "%s",
        PQresultErrorField(result, PG_DIAG_SQLSTATE) ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : "");
    PQclear(result);
    return state;
}

static PGconn *role_of(const char *service)
{
    for (size_t i = 0; i < SERVICES; i++)
        if (strcmp(services[i], service) == 0)
            return roles[i];
    ck_abort_msg("no service %s", service);
}

/* Begin as the service does, for this manager. */
static void begin_for(PGconn *conn, const char *manager)
{
    char sql[128];
    run(conn, "BEGIN");
    snprintf(sql, sizeof sql, "SELECT set_config('shikaku.manager', '%s', true)", manager);
    run(conn, sql);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

enum { BOOLEAN = 16, BYTEA = 17, BIGINT = 20, SMALLINT = 21, INTEGER = 23, TEXT = 25, DATE = 1082, TIMESTAMPTZ = 1184 };
enum { UUID = 2950, TEXTS = 1009, UUIDS = 2951, BYTEAS = 1001, BIGINTS = 1016, INTEGERS = 1007 };

static unsigned hash_of(const char *text)
{
    unsigned hash = 5381;
    for (; *text; text++)
        hash = hash * 33 + (unsigned char)*text;
    return hash & 0xffff;
}

/* Two columns of the same name hold the same, so that joins find their rows. Everything of a manager can be told by its
 * look: names, a, b or 770001, 2031 or 2032. */
static const char *value_of(const char *column, unsigned type, const char *manager, int row)
{
    static char value[8][160];
    static int next;
    char *at = value[next++ % 8];
    bool ours = strcmp(manager, OURS) == 0;
    unsigned mark = hash_of(column);
    if (strcmp(column, "manager") == 0)
        snprintf(at, sizeof value[0], "%s", manager);
    else if (type == TEXT)
        snprintf(at, sizeof value[0], "%s-%s-%d", manager, column, row);
    else if (type == UUID || type == UUIDS)
        snprintf(at, sizeof value[0], "%s%s-0000-4000-8000-0000%04x000%d%s", type == UUIDS ? "{" : "",
            ours ? "aaaaaaaa" : "bbbbbbbb", mark, row, type == UUIDS ? "}" : "");
    else if (type == BYTEA)
        snprintf(at, sizeof value[0], "\\x%s%04x%02d%048d", ours ? "aaaa" : "bbbb", mark, row, 0);
    else if (type == BIGINT || type == INTEGER)
        snprintf(at, sizeof value[0], "%d", (ours ? 100000 : 770000) + row);
    else if (type == SMALLINT)
        snprintf(at, sizeof value[0], "%d", ours ? row : 770 + row);
    else if (type == BIGINTS || type == INTEGERS)
        snprintf(at, sizeof value[0], "{%d}", (ours ? 100000 : 770000) + row);
    else if (type == DATE || type == TIMESTAMPTZ)
        snprintf(at, sizeof value[0], "203%d-01-0%d", ours ? 1 : 2, row);
    else if (type == TEXTS)
        snprintf(at, sizeof value[0], "{%s}", manager);
    else
        snprintf(at, sizeof value[0], "%s", type == BOOLEAN ? "true" : type == BYTEAS ? "{}" : "0");
    return at;
}

/* Where a table is cut into parts by a value, rows need one that there is a part for. */
static const char *value_in(const struct table *table, const struct column *column, const char *manager, int row)
{
    bool log = strcmp(table->name, "audit.log") == 0;
    if (log && strcmp(column->name, "kind") == 0)
        return "use";
    if (log && strcmp(column->name, "appended_ms") == 0)
        return row == 1 ? "1900000000001" : row == 2 ? "1900000000002" : "1900000000003";
    return value_of(column->name, column->type, manager, row);
}

static PGresult *row_put(PGconn *conn, const struct table *table, const char *manager, int row)
{
    char sql[4096], values[2048] = "";
    const char *given[COLUMNS_MAX];
    char copies[COLUMNS_MAX][160];
    unsigned types[COLUMNS_MAX];
    int count = 0, used = snprintf(sql, sizeof sql, "INSERT INTO %s (", table->name);
    size_t value_used = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        if (!column->given)
            continue;
        used += snprintf(sql + used, sizeof sql - (size_t)used, "%s%s", count ? ", " : "", column->name);
        value_used +=
            (size_t)snprintf(values + value_used, sizeof values - value_used, "%s$%d", count ? ", " : "", count + 1);
        snprintf(copies[count], sizeof copies[0], "%s", value_in(table, column, manager, row));
        given[count] = copies[count];
        types[count++] = column->type;
    }
    snprintf(sql + used, sizeof sql - (size_t)used, ") VALUES (%s)", values);
    return PQexecParams(conn, sql, count, types, given, NULL, NULL, 0);
}

static void rows_put(const char *manager, int row)
{
    for (size_t i = 0; i < table_count; i++) {
        PGresult *put = row_put(owner, &tables[i], manager, row);
        ck_assert_msg(PQresultStatus(put) == PGRES_COMMAND_OK, "%s: %s", tables[i].name, PQresultErrorMessage(put));
        PQclear(put);
    }
}

/* --- which tables there are --------------------------------------------------------------------------------------- */

static const char tables_sql[] =
    "SELECT n.nspname || '.' || c.relname, n.nspname, c.relrowsecurity AND c.relforcerowsecurity, "
    "has_table_privilege('shikaku_' || n.nspname, c.oid, 'SELECT'), "
    "has_table_privilege('shikaku_' || n.nspname, c.oid, 'INSERT'), "
    "has_table_privilege('shikaku_' || n.nspname, c.oid, 'DELETE') "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = ANY ('{vault,intake,residence,intermediate,records,certificates,legacy_sync,staff,audit}') "
    "AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('data_key', 'rotation') "
    "AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'manager') ORDER BY 1";

static void columns_read(struct table *table)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "SELECT attname, atttypid::bigint, attidentity = '' AND attgenerated = '', "
        "has_column_privilege('shikaku_%s', attrelid, attnum, 'UPDATE') FROM pg_attribute "
        "WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        table->service, table->name);
    PGresult *rows = ask(owner, sql);
    table->column_count = (size_t)PQntuples(rows);
    ck_assert_uint_le(table->column_count, COLUMNS_MAX);
    for (int i = 0; i < PQntuples(rows); i++) {
        struct column *column = &table->columns[i];
        snprintf(column->name, sizeof column->name, "%s", PQgetvalue(rows, i, 0));
        column->type = (unsigned)strtoul(PQgetvalue(rows, i, 1), NULL, 10);
        column->given = *PQgetvalue(rows, i, 2) == 't';
        column->may_update = *PQgetvalue(rows, i, 3) == 't';
    }
    PQclear(rows);
}

/* A table with a manager and without row-level security must stand in open_tables, with its columns. */
static void open_table_check(const struct table *table)
{
    char listed[70];
    for (size_t i = 0; i < sizeof open_tables / sizeof *open_tables; i++) {
        if (strcmp(open_tables[i].table, table->name) != 0)
            continue;
        for (size_t column = 0; column < table->column_count; column++) {
            snprintf(listed, sizeof listed, " %.60s ", table->columns[column].name);
            ck_assert_msg(strstr(open_tables[i].columns, listed) != NULL, "%s has%sand no row-level security",
                table->name, listed);
        }
        return;
    }
    ck_abort_msg("%s has a manager and no (forced) row-level security", table->name);
}

static void tables_read(void)
{
    PGresult *rows = ask(owner, tables_sql);
    for (int i = 0; i < PQntuples(rows); i++) {
        ck_assert_uint_lt(table_count, TABLES_MAX);
        struct table *table = &tables[table_count];
        snprintf(table->name, sizeof table->name, "%s", PQgetvalue(rows, i, 0));
        snprintf(table->service, sizeof table->service, "%s", PQgetvalue(rows, i, 1));
        table->may_select = *PQgetvalue(rows, i, 3) == 't';
        table->may_insert = *PQgetvalue(rows, i, 4) == 't';
        table->may_delete = *PQgetvalue(rows, i, 5) == 't';
        columns_read(table);
        if (*PQgetvalue(rows, i, 2) == 't')
            table_count++;
        else
            open_table_check(table);
    }
    PQclear(rows);
}

/* What stands in the way of made-up rows goes: checks and references. Row-level security is not touched, but for the
 * owner, who must see both. */
static void tables_loosen(void)
{
    PGresult *rows = ask(owner,
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) FROM pg_constraint "
        "WHERE contype IN ('c', 'f') AND conrelid <> 0 AND connamespace::regnamespace::text = ANY "
        "('{vault,intake,residence,intermediate,records,certificates,legacy_sync,staff,audit}') "
        "AND conislocal ORDER BY contype DESC");
    for (int i = 0; i < PQntuples(rows); i++)
        run(owner, PQgetvalue(rows, i, 0));
    PQclear(rows);
    for (size_t i = 0; i < table_count; i++) {
        char sql[200];
        snprintf(sql, sizeof sql, "ALTER TABLE %.79s NO FORCE ROW LEVEL SECURITY", tables[i].name);
        run(owner, sql);
    }
    run(owner, "SELECT audit.month_make('use', '2030-03-01')");
}

static void setup(void)
{
    char dsn[640];
    store_open(&store, NULL);
    owner = PQconnectdb(store.owner);
    run(owner, "SET client_min_messages = error");
    for (size_t i = 0; i < SERVICES; i++) {
        store_dsn(&store, services[i], dsn, sizeof dsn);
        roles[i] = PQconnectdb(dsn);
        ck_assert_msg(PQstatus(roles[i]) == CONNECTION_OK, "%s", PQerrorMessage(roles[i]));
        run(roles[i], "SET search_path = pg_catalog");
    }
    tables_read();
    tables_loosen();
}

static void teardown(void)
{
    for (size_t i = 0; i < SERVICES; i++)
        PQfinish(roles[i]);
    PQfinish(owner);
    store_close(&store);
}

static void both_put(void)
{
    for (int row = 1; row <= ROWS_EACH; row++) {
        rows_put(OURS, row);
        rows_put(THEIRS, row);
    }
}

#endif
