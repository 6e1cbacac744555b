/* The authorisation matrix of the database: every role x table x privilege, held against tests/store/privileges.txt,
 * and tried: what a role may, it can run; what it may not, is refused. AUTH-5, EXCH-12, EXCH-13, NUM-2 */
#include "kit/store.h"

#include <check.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED "tests/store/privileges.txt"
#define LINES_MAX 400
#define LINE_BYTES 1024

static const char *const services[] = {
    "vault", "intake", "residence", "intermediate", "records", "certificates", "legacy_sync", "staff", "audit"};
#define SERVICES (sizeof services / sizeof *services)

static struct store store;
static PGconn *owner;
static char listed[LINES_MAX][LINE_BYTES];
static size_t listed_count;

static PGresult *ask(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK, "%s: %s",
        sql, PQresultErrorMessage(result));
    return result;
}

/* "intake.application shikaku_intake: SELECT INSERT UPDATE(a,b)"; a role that is not named may nothing. */
static void listed_read(void)
{
    FILE *in = fopen(LISTED, "r");
    ck_assert_ptr_nonnull(in);
    while (listed_count < LINES_MAX && fgets(listed[listed_count], LINE_BYTES, in)) {
        listed[listed_count][strcspn(listed[listed_count], "\n")] = '\0';
        if (listed[listed_count][0] && listed[listed_count][0] != '#')
            listed_count++;
    }
    ck_assert(feof(in));
    fclose(in);
}

static void setup(void)
{
    store_open(&store, NULL);
    owner = PQconnectdb(store.owner);
    listed_read();
}

static void teardown(void)
{
    PQfinish(owner);
    store_close(&store);
}

/* What each role may on each table and column, as lines of the list. Roles: all that are no superuser, and PUBLIC's
 * rights with them; the owner, who migrates, is not of them: no service can be it. */
static const char granted_sql[] =
    "SELECT format('%s.%s %s: %s', n.nspname, c.relname, r.rolname, concat_ws(' ', "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'SELECT') THEN 'SELECT' END, "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'INSERT') THEN 'INSERT' END, "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'UPDATE') THEN 'UPDATE' "
    "WHEN has_any_column_privilege(r.oid, c.oid, 'UPDATE') THEN 'UPDATE(' || (SELECT string_agg(a.attname, ',' ORDER "
    "BY "
    "a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "AND has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE')) || ')' END, "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'DELETE') THEN 'DELETE' END, "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'TRUNCATE') THEN 'TRUNCATE' END, "
    "CASE WHEN has_any_column_privilege(r.oid, c.oid, 'REFERENCES') THEN 'REFERENCES' END, "
    "CASE WHEN has_table_privilege(r.oid, c.oid, 'TRIGGER') THEN 'TRIGGER' END)) "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_roles r "
    "WHERE n.nspname = ANY ('{vault,intake,residence,intermediate,records,certificates,legacy_sync,staff,audit}') "
    "AND c.relkind IN ('r', 'p', 'v', 'm') AND r.rolname LIKE 'shikaku\\_%' AND r.rolname <> 'shikaku_owner' "
    "AND NOT r.rolsuper ORDER BY 1";

static bool is_listed(const char *line)
{
    for (size_t i = 0; i < listed_count; i++)
        if (strcmp(listed[i], line) == 0)
            return true;
    return false;
}

START_TEST(every_role_may_what_is_listed)
{
    size_t cells = 0, granted = 0, wrong = 0;
    PGresult *rows = ask(owner, granted_sql);
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *line = PQgetvalue(rows, i, 0);
        cells += 7;
        if (strcmp(strchr(line, ':'), ": ") == 0)
            continue;
        granted++;
        if (!is_listed(line)) {
            printf("not in " LISTED ": %s\n", line);
            fflush(stdout); /* a failed check ends the process */
            wrong++;
        }
    }
    PQclear(rows);
    printf("privileges: %zu cells (role x table x privilege), %zu role-table pairs with some, %zu listed\n", cells,
        granted, listed_count);
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(granted, listed_count); /* nothing listed that is not granted */
}
END_TEST

/* EXCH-13, STORE-5: none of the roles can get past its rights another way */
START_TEST(no_role_can_step_over_the_wall)
{
    static const char *const none[] = {
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'shikaku\\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole "
        "OR "
        "rolcreatedb OR rolreplication)",
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 'shikaku\\_%'",
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname LIKE 'shikaku\\_%' AND "
        "r.rolname <> 'shikaku_owner'",
        "SELECT count(*) FROM pg_namespace n, aclexplode(n.nspacl) a JOIN pg_roles r ON r.oid = a.grantee WHERE "
        "r.rolname LIKE 'shikaku\\_%' AND r.rolname NOT IN ('shikaku_owner', 'shikaku_' || n.nspname)",
        "SELECT count(*) FROM pg_namespace n, aclexplode(n.nspacl) a WHERE a.grantee = 0 AND n.nspname = ANY "
        "('{vault,intake,residence,intermediate,records,certificates,legacy_sync,staff,audit,public}') "
        "AND (n.nspname <> 'public' OR a.privilege_type = 'CREATE')",
        "SELECT count(*) FROM pg_policy p WHERE p.polroles <> '{0}'",
    };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        PGresult *result = ask(owner, none[i]);
        ck_assert_msg(strcmp(PQgetvalue(result, 0, 0), "0") == 0, "%s: %s", none[i], PQgetvalue(result, 0, 0));
        PQclear(result);
    }
}
END_TEST

/* --- tried -------------------------------------------------------------------------------------------------------- */

static bool may(const char *table, const char *role, const char *privilege)
{
    char begin[160];
    size_t len = (size_t)snprintf(begin, sizeof begin, "%s %s:", table, role);
    for (size_t i = 0; i < listed_count; i++)
        if (strncmp(listed[i], begin, len) == 0)
            return strstr(listed[i] + len, privilege) != NULL;
    return false;
}

/* A column that may be updated, by the list; else the first of the table. */
static void column_of(const char *table, const char *role, const char *first, char column[80])
{
    char begin[160];
    size_t len = (size_t)snprintf(begin, sizeof begin, "%s %s:", table, role);
    snprintf(column, 80, "%s", first);
    for (size_t i = 0; i < listed_count; i++) {
        const char *list = strncmp(listed[i], begin, len) == 0 ? strstr(listed[i], "UPDATE(") : NULL;
        if (list)
            snprintf(column, 80, "%.*s", (int)strcspn(list + 7, ",)"), list + 7);
    }
}

/* REFERENCES is asked of the catalogue alone: no role can make a table that refers to one. Each statement touches no
 * row: PostgreSQL asks for the privilege before it looks. */
static const struct {
    const char *privilege, *sql; /* %1$s table, %2$s column */
} attempts[] = {
    {"SELECT", "SELECT FROM %1$s WHERE false"},
    {"INSERT", "INSERT INTO %1$s SELECT (NULL::%1$s).* WHERE false"},
    {"UPDATE", "UPDATE %1$s SET %2$s = NULL WHERE false"},
    {"DELETE", "DELETE FROM %1$s WHERE false"},
    {"TRUNCATE", "TRUNCATE %1$s"},
    {"TRIGGER", "CREATE TRIGGER probe BEFORE INSERT ON %1$s EXECUTE FUNCTION suppress_redundant_updates_trigger()"},
};

static bool done_by(PGconn *conn, const char *sql)
{
    PQclear(ask(conn, "BEGIN"));
    PGresult *result = PQexec(conn, sql);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool refused = state && strcmp(state, "42501") == 0;
    ck_assert_msg(!state || refused, "%s: %s", sql, PQresultErrorMessage(result));
    PQclear(result);
    PQclear(ask(conn, "ROLLBACK"));
    return !refused;
}

/* Generated and identity columns take no NULL. */
static const char tried_sql[] =
    "SELECT n.nspname || '.' || c.relname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND "
    "a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = '' ORDER BY a.attnum LIMIT 1), "
    "EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '') "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY "
    "('{vault,intake,residence,intermediate,records,certificates,legacy_sync,staff,audit}') AND c.relkind IN ('r', "
    "'p') "
    "ORDER BY 1";

static size_t table_try(PGconn *conn, const char *role, PGresult *tables, int row)
{
    size_t tried = 0;
    const char *table = PQgetvalue(tables, row, 0);
    char sql[512], column[80];
    column_of(table, role, PQgetvalue(tables, row, 1), column);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        bool wanted = may(table, role, attempts[i].privilege);
        if (strcmp(attempts[i].privilege, "INSERT") == 0 && *PQgetvalue(tables, row, 2) == 't')
            snprintf(sql, sizeof sql, "INSERT INTO %s OVERRIDING SYSTEM VALUE SELECT (NULL::%s).* WHERE false", table,
                table);
        else
            snprintf(sql, sizeof sql, attempts[i].sql, table, column);
        ck_assert_msg(done_by(conn, sql) == wanted, "%s %s: %s", role, wanted ? "may not" : "may", sql);
        tried++;
    }
    return tried;
}

START_TEST(every_privilege_is_tried)
{
    size_t tried = 0;
    PGresult *tables = ask(owner, tried_sql);
    for (size_t i = 0; i < SERVICES; i++) {
        char dsn[640], role[64];
        snprintf(role, sizeof role, "shikaku_%s", services[i]);
        store_dsn(&store, services[i], dsn, sizeof dsn);
        PGconn *conn = PQconnectdb(dsn);
        ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
        for (int row = 0; row < PQntuples(tables); row++)
            tried += table_try(conn, role, tables, row);
        PQfinish(conn);
    }
    printf("privileges: %zu statements tried by %zu roles on %d tables\n", tried, SERVICES, PQntuples(tables));
    ck_assert_uint_eq(tried, SERVICES * (size_t)PQntuples(tables) * (sizeof attempts / sizeof *attempts));
    PQclear(tables);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("privileges");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, every_role_may_what_is_listed);
    tcase_add_test(cases, no_role_can_step_over_the_wall);
    tcase_add_test(cases, every_privilege_is_tried);
    tcase_set_timeout(cases, 30);
    Suite *suite = suite_create("privileges");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
