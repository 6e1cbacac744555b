/* Every schema can be made, checked, undone and made again, and gives each role what it needs and nothing else. */
#include "chassis/pg.h"
#include "kit/store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const services[] = {
    "vault", "intake", "residence", "intermediate", "records", "certificates", "legacy_sync", "staff", "audit"};
#define SERVICES (sizeof services / sizeof *services)

static struct store store;
static struct pg *owner;

static void setup(void)
{
    struct fault fault = {0};
    store_open(&store, NULL);
    setenv("SHIKAKU_DATABASE_NAME", store.name, 1);
    ck_assert(pg_open(&owner, store.owner, &fault));
}

static void teardown(void)
{
    pg_close(owner);
    unsetenv("SHIKAKU_DATABASE_NAME");
    store_close(&store);
}

static void sqitch(const char *service, const char *act)
{
    char command[256];
    snprintf(command, sizeof command, "deploy/migrate -s %s %s >/dev/null 2>&1", service, act);
    ck_assert_msg(system(command) == 0, "run `%s` to see why it failed", command);
}

static int64_t number(struct pg *pg, const char *sql, const char *parameter)
{
    struct fault fault = {0};
    PGresult *rows = pg_query(pg, sql, &fault, PG_VALUES(pg_text(parameter)));
    ck_assert_ptr_nonnull(rows);
    int64_t value = pg_get_integer(rows, 0, 0);
    PQclear(rows);
    return value;
}

static const char objects_sql[] =
    "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid = c.relnamespace WHERE n.nspname = $1";
static const char functions_sql[] =
    "SELECT count(*) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n "
    "ON n.oid = p.pronamespace WHERE n.nspname = $1";

static void undo_and_make_again(const char *service)
{
    int64_t objects = number(owner, objects_sql, service), functions = number(owner, functions_sql, service);
    ck_assert_int_gt(objects, 0);
    sqitch(service, "verify");
    sqitch(service, "revert -y");
    ck_assert_int_eq(number(owner, objects_sql, service), 0);
    ck_assert_int_eq(number(owner, functions_sql, service), 0);
    sqitch(service, "deploy --verify");
    ck_assert_int_eq(number(owner, objects_sql, service), objects);
    ck_assert_int_eq(number(owner, functions_sql, service), functions);
}

START_TEST(a_schema_can_be_undone_and_made_again)
{
    for (size_t i = 0; i < SERVICES; i++)
        undo_and_make_again(services[i]);
}
END_TEST

/* `deploy/migrate` brings the schema of vault to the plan of this copy of migrations/, which shell words changed
 * before. */
static bool migrated(const char *change)
{
    char command[1024];
    snprintf(command, sizeof command,
        "export SHIKAKU_MIGRATIONS=$PWD/build/%s; cd \"$SHIKAKU_MIGRATIONS/vault\" && { %s; } && "
        "cd - >/dev/null && deploy/migrate vault >/dev/null 2>&1",
        store.name, change);
    return system(command) == 0;
}

static const char changes_sql[] =
    "SELECT count(*) FROM sqitch_vault.changes WHERE $1 IN ('', change) AND script_hash IS NOT NULL";

/* Two changes after what is there: where the check of one fails both are undone, and made when it is mended. A script
 * finds nothing of another's settings, and leaves no transaction open. */
START_TEST(a_change_that_fails_is_undone_and_told)
{
    char command[256];
    int64_t objects = number(owner, objects_sql, "vault"), changes = number(owner, changes_sql, "");
    snprintf(command, sizeof command, "rm -rf build/%1$s && cp -r migrations build/%1$s", store.name);
    ck_assert_int_eq(system(command), 0);
    ck_assert(!migrated(
        "for name in one two; do printf '\n%s 2026-01-01T00:00:00Z a <a@localhost> # tried\n' $name >>sqitch.plan; "
        "echo \"CREATE TABLE vault.$name (); SET search_path = vault\" >deploy/$name.sql; "
        "echo \"DROP TABLE vault.$name\" >revert/$name.sql; echo 'SELECT FROM one' >verify/$name.sql; done"));
    ck_assert_int_eq(number(owner, objects_sql, "vault"), objects);
    ck_assert_int_eq(number(owner, changes_sql, ""), changes);
    ck_assert(!migrated("echo 'SELECT FROM vault.one' >verify/one.sql"));
    ck_assert_int_eq(number(owner, changes_sql, ""), changes);
    ck_assert(!migrated("echo 'BEGIN; SELECT FROM vault.two' >verify/two.sql"));
    ck_assert(migrated("echo 'SELECT FROM vault.two' >verify/two.sql"));
    ck_assert_int_eq(number(owner, objects_sql, "vault"), objects + 2);
    ck_assert_int_eq(number(owner, changes_sql, "two"), 1);
    snprintf(command, sizeof command, "rm -rf build/%s", store.name);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* STORE-2: rights that a role has outside its own schema, or that let it empty, refer to or own a table */
START_TEST(a_role_has_no_more_than_it_uses)
{
    static const char foreign[] =
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1) "
        "AND n.nspname NOT LIKE 'pg_toast%' AND (has_schema_privilege('shikaku_' || $1, n.oid, 'USAGE') "
        "OR c.relkind <> 'S' AND has_table_privilege('shikaku_' || $1, c.oid, 'SELECT, INSERT, UPDATE, DELETE'))";
    static const char excess[] =
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND (has_table_privilege('shikaku_' || $1, c.oid, "
        "'TRUNCATE, REFERENCES, TRIGGER') OR pg_get_userbyid(c.relowner) <> 'shikaku_owner')";
    static const char creates[] =
        "SELECT count(*) FROM pg_catalog.pg_namespace "
        "WHERE has_schema_privilege('shikaku_' || $1, oid, 'CREATE')";
    static const char powers[] =
        "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = 'shikaku_' || $1 AND "
        "(rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls OR rolreplication)";
    for (size_t i = 0; i < SERVICES; i++) {
        ck_assert_int_eq(number(owner, foreign, services[i]), 0);
        ck_assert_int_eq(number(owner, excess, services[i]), 0);
        ck_assert_int_eq(number(owner, creates, services[i]), 0);
        ck_assert_int_eq(number(owner, powers, services[i]), 0);
    }
}
END_TEST

/* STORE-2: a table of a manager's rows guards them against its owner too, with a policy. Read before a manager is
 * known, and without a person's data in them, are data_key and the directory from keyed tokens to applications. */
START_TEST(every_table_of_managers_guards_its_rows)
{
    static const char open_tables[] =
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'manager' "
        "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname <> ALL "
        "(ARRAY['intake.directory']) "
        "AND c.relname <> 'data_key' "
        "AND EXISTS (SELECT FROM pg_catalog.pg_attribute b WHERE b.attrelid = c.oid AND b.atttypid = 'bytea'::regtype) "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity "
        "AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid))";
    for (size_t i = 0; i < SERVICES; i++)
        ck_assert_msg(number(owner, open_tables, services[i]) == 0, "%s has a table whose rows are open", services[i]);
}
END_TEST

/* The cluster that everything stands on: what a commit acknowledged is on disk, and no value reaches its log. */
START_TEST(the_cluster_is_durable_and_discreet)
{
    static const char wrong[] =
        "SELECT count(*) FROM (VALUES ('fsync', 'on'), ('full_page_writes', 'on'), ('synchronous_commit', 'on'), "
        "('data_checksums', 'on'), ('log_error_verbosity', 'terse'), ('log_statement', 'none'), "
        "('log_parameter_max_length', '0'), ('log_parameter_max_length_on_error', '0'), "
        "('log_min_duration_statement', '-1'), ('log_min_error_statement', 'panic'), ('listen_addresses', ''), "
        "('password_encryption', 'scram-sha-256')) AS w(name, value) "
        "WHERE current_setting(w.name) <> w.value AND $1::text IS NOT NULL";
    ck_assert_int_eq(number(owner, wrong, ""), 0);
}
END_TEST

int main(void)
{
    TCase *made = tcase_create("migrations");
    tcase_add_checked_fixture(made, setup, teardown);
    tcase_set_timeout(made, 120);
    tcase_add_test(made, a_schema_can_be_undone_and_made_again);
    tcase_add_test(made, a_change_that_fails_is_undone_and_told);
    tcase_add_test(made, a_role_has_no_more_than_it_uses);
    tcase_add_test(made, every_table_of_managers_guards_its_rows);
    tcase_add_test(made, the_cluster_is_durable_and_discreet);
    Suite *suite = suite_create("migrations");
    suite_add_tcase(suite, made);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
