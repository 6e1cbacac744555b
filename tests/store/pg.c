/* The connection to PostgreSQL: nothing is done by halves, and "done" is said only after the COMMIT tag. */
#include "chassis/journal.h"
#include "chassis/pg.h"
#include "chassis/work.h"
#include "kit/store.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct store store;
static struct pg *pg;
static PGconn *owner;
static struct arena *arena;
static struct fault fault;

static const char sql_add[] = "INSERT INTO vault.note (id, manager, text) VALUES ($1::int, $2, $3)";
static const char sql_alter[] = "UPDATE vault.note SET text = $2 WHERE id = $1::int";
static const char sql_count[] = "SELECT count(*) FROM vault.note";
static const char sql_break[] = "SELECT 1 / $1::int";

static void owner_do(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s",
        sql, PQresultErrorMessage(result));
    PQclear(result);
}

static int64_t owner_count(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_int_eq(PQresultStatus(result), PGRES_TUPLES_OK);
    int64_t count = atoll(PQgetvalue(result, 0, 0));
    PQclear(result);
    return count;
}

static void once_start(void)
{
    store_open(&store, "vault");
    owner = PQconnectdb(store.owner);
    ck_assert_int_eq(PQstatus(owner), CONNECTION_OK);
    owner_do(
        "CREATE TABLE vault.note (id int PRIMARY KEY, manager text, text text, bytes bytea, "
        "other int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
    owner_do("ALTER TABLE vault.note ENABLE ROW LEVEL SECURITY");
    owner_do("ALTER TABLE vault.note FORCE ROW LEVEL SECURITY");
    owner_do("CREATE POLICY by_manager ON vault.note TO shikaku_vault USING (manager = vault.manager_in_force())");
    owner_do("CREATE POLICY all_rows ON vault.note TO shikaku_owner USING (true)");
    owner_do("GRANT SELECT, INSERT, UPDATE, DELETE ON vault.note TO shikaku_vault");
    PQfinish(owner);
}

static void once_end(void)
{
    store_close(&store);
}

static void start(void)
{
    owner = PQconnectdb(store.owner);
    owner_do("DELETE FROM vault.note");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    arena = arena_new(1 << 20);
    fault = (struct fault){0};
}

static void end(void)
{
    pg_close(pg);
    PQfinish(owner);
    arena_free(arena);
}

static void add(int id, const char *manager)
{
    pg_queue(pg, sql_add, PG_VALUES(pg_integer(id), pg_text(manager), pg_text("text")));
}

static int64_t seen(void)
{
    PGresult *result = pg_query(pg, sql_count, &fault, PG_NONE);
    ck_assert_ptr_nonnull(result);
    int64_t count = pg_get_integer(result, 0, 0);
    PQclear(result);
    return count;
}

static int64_t stored(void)
{
    return owner_count("SELECT count(*) FROM vault.note");
}

/* More statements than the pipeline holds at a time, in one transaction. */
START_TEST(queued_statements_commit_together)
{
    pg_begin(pg, "nara");
    for (int i = 0; i < 500; i++)
        add(i, "nara");
    ck_assert_int_eq(stored(), 0);
    ck_assert_int_eq(seen(), 500); /* a read in between sees what was queued */
    add(500, "nara");
    ck_assert(pg_commit(pg, &fault));
    ck_assert(!pg_in_transaction(pg));
    ck_assert_int_eq(stored(), 501);
}
END_TEST

START_TEST(a_queued_failure_undoes_all)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    pg_queue(pg, sql_break, PG_VALUES(pg_integer(0)));
    add(2, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(fault.code, FAULT_internal);
    ck_assert_int_eq(stored(), 0);
    /* and the connection is good for the next */
    pg_begin(pg, "nara");
    add(3, "nara");
    ck_assert(pg_commit(pg, &fault));
    ck_assert_int_eq(stored(), 1);
}
END_TEST

/* pitfalls 11: after a failed statement the server answers COMMIT with ROLLBACK. A caller that saw its read fail and
 * went on must not be told that all is done. */
START_TEST(a_rollback_answered_to_a_commit_is_not_done)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert_ptr_null(pg_query(pg, sql_break, &fault, PG_VALUES(pg_integer(0))));
    add(2, "nara");
    ck_assert_ptr_null(pg_query(pg, sql_count, &fault, PG_NONE));
    fault = (struct fault){0};
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_ne(fault.code, FAULT_NONE);
    ck_assert_int_eq(stored(), 0);
}
END_TEST

/* The server itself rolls back at COMMIT where a deferred constraint fails. */
START_TEST(a_failure_at_commit_is_not_done)
{
    pg_begin(pg, "nara");
    pg_queue(pg, "INSERT INTO vault.note (id, manager, other) VALUES (1, 'nara', 7), (2, 'nara', 7)", PG_NONE);
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_ne(fault.code, FAULT_NONE);
    ck_assert_int_eq(stored(), 0);
}
END_TEST

/* A ROLLBACK between, for whatever reason, is seen in COMMIT's tag. */
START_TEST(a_lost_transaction_is_not_done)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    pg_queue(pg, "ROLLBACK", PG_NONE);
    pg_queue(pg, "BEGIN", PG_NONE);
    pg_queue(pg, "SAVEPOINT s", PG_NONE);
    ck_assert_ptr_null(pg_query(pg, sql_break, &fault, PG_VALUES(pg_integer(0))));
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(stored(), 0);
}
END_TEST

START_TEST(a_wrong_row_count_is_never_committed)
{
    static const int wanted[] = {0, 2, 1};
    static const int id[] = {1, 1, 99}; /* the last touches none */
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert(pg_commit(pg, &fault));
    pg_begin(pg, "nara");
    pg_queue_exactly(
        pg, sql_alter, wanted[_i], FAULT_state_conflict, PG_VALUES(pg_integer(id[_i]), pg_text("altered")));
    add(2, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(fault.code, FAULT_state_conflict);
    ck_assert_int_eq(stored(), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM vault.note WHERE text = 'altered'"), 0);
}
END_TEST

START_TEST(a_wrong_row_count_is_seen_by_a_read_and_still_at_commit)
{
    pg_begin(pg, "nara");
    pg_queue_exactly(pg, sql_alter, 1, FAULT_state_conflict, PG_VALUES(pg_integer(99), pg_text("altered")));
    ck_assert_ptr_null(pg_query(pg, sql_count, &fault, PG_NONE));
    ck_assert_int_eq(fault.code, FAULT_state_conflict);
    fault = (struct fault){0};
    add(1, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(fault.code, FAULT_state_conflict);
    ck_assert_int_eq(stored(), 0);
}
END_TEST

START_TEST(the_right_row_count_commits)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    pg_queue_exactly(pg, sql_alter, 1, FAULT_state_conflict, PG_VALUES(pg_integer(1), pg_text("altered")));
    pg_queue_exactly(pg, sql_alter, 0, FAULT_state_conflict, PG_VALUES(pg_integer(99), pg_text("altered")));
    ck_assert(pg_commit(pg, &fault));
    ck_assert_int_eq(owner_count("SELECT count(*) FROM vault.note WHERE text = 'altered'"), 1);
}
END_TEST

START_TEST(a_duplicate_is_told_apart)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert(pg_commit(pg, &fault));
    ck_assert(!pg_was_duplicate(pg));
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert(pg_was_duplicate(pg));
    pg_begin(pg, "nara");
    pg_queue(pg, sql_break, PG_VALUES(pg_integer(0)));
    ck_assert(!pg_commit(pg, &fault));
    ck_assert(!pg_was_duplicate(pg));
}
END_TEST

/* The server ends our session; returns when it is gone. A role may end its own sessions. */
static void kill_ours(void)
{
    static const char sql[] =
        "SELECT count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity "
        "WHERE usename = current_user AND datname = current_database() AND pid <> "
        "pg_catalog.pg_backend_pid()";
    PGconn *same = PQconnectdb(store.dsn);
    int64_t left = 1;
    while (left) {
        PGresult *result = PQexec(same, sql);
        ck_assert_int_eq(PQresultStatus(result), PGRES_TUPLES_OK);
        left = atoll(PQgetvalue(result, 0, 0));
        PQclear(result);
        usleep(1000);
    }
    PQfinish(same);
}

/* pitfalls 11: a server that restarts under us */
START_TEST(a_connection_killed_mid_way_does_nothing_and_comes_back)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert_int_eq(seen(), 1);
    add(2, "nara");
    kill_ours();
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert_int_eq(stored(), 0);
    ck_assert(pg_ensure(pg, &fault));
    pg_begin(pg, "nara");
    add(3, "nara");
    ck_assert(pg_commit(pg, &fault));
    ck_assert_int_eq(stored(), 1);
}
END_TEST

/* Killed between two statements; what follows was meant for a transaction that is gone. */
START_TEST(statements_after_a_loss_are_not_run_outside_the_transaction)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert_int_eq(seen(), 1);
    kill_ours();
    ck_assert_ptr_null(pg_query(pg, sql_count, &fault, PG_NONE));
    add(2, "nara");
    ck_assert_ptr_null(pg_query(pg, sql_count, &fault, PG_NONE));
    add(3, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert_int_eq(stored(), 0);
}
END_TEST

/* Killed between two transactions: nothing is lost to it. */
START_TEST(a_connection_killed_while_idle_is_replaced_unnoticed)
{
    for (int round = 0; round < 3; round++) {
        ck_assert(pg_ensure(pg, &fault));
        pg_begin(pg, "nara");
        add(round, "nara");
        ck_assert(pg_commit(pg, &fault));
        kill_ours();
    }
    ck_assert_int_eq(stored(), 3);
}
END_TEST

/* A new connection knows no prepared statements. */
START_TEST(statements_are_prepared_anew_on_a_new_connection)
{
    for (int round = 0; round < 3; round++) {
        ck_assert(pg_ensure(pg, &fault));
        pg_begin(pg, "nara");
        add(round, "nara");
        ck_assert(pg_commit(pg, &fault));
        kill_ours();
        ck_assert_ptr_null(pg_query(pg, sql_count, &fault, PG_NONE));
    }
    ck_assert_int_eq(stored(), 3);
}
END_TEST

/* pitfalls 10: the manager holds for one transaction of a kept connection, and no longer */
START_TEST(the_manager_does_not_outlive_the_transaction)
{
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert_int_eq(seen(), 1);
    ck_assert(pg_commit(pg, &fault));
    ck_assert_int_eq(seen(), 0);
    pg_begin(pg, "tokyo");
    ck_assert_int_eq(seen(), 0);
    pg_set_manager(pg, "nara");
    ck_assert_int_eq(seen(), 1);
    pg_rollback(pg);
    ck_assert_int_eq(seen(), 0);
}
END_TEST

/* STORE-1 */
START_TEST(another_managers_row_cannot_be_written)
{
    pg_begin(pg, "tokyo");
    add(1, "nara");
    ck_assert(!pg_commit(pg, &fault));
    ck_assert_int_eq(stored(), 0);
}
END_TEST

START_TEST(values_come_back_as_they_went)
{
    static const uint8_t odd[] = {0, 1, 0xff, '\'', '\\', 0};
    static const char sql[] =
        "SELECT $1::smallint, $2::int, $3::bigint, $4::boolean, $5, $6::bytea, $7::text, $8::bytea";
    PGresult *result = pg_query(pg, sql, &fault,
        PG_VALUES(pg_integer(-2), pg_integer(INT32_MIN), pg_integer(INT64_MAX), pg_integer(1),
            pg_text("渡邉󠄀 '\\"), pg_bytes(odd, sizeof odd), pg_text(NULL), pg_bytes("", 0)));
    ck_assert_ptr_nonnull(result);
    ck_assert_int_eq(pg_get_integer(result, 0, 0), -2);
    ck_assert_int_eq(pg_get_integer(result, 0, 1), INT32_MIN);
    ck_assert_int_eq(pg_get_integer(result, 0, 2), INT64_MAX);
    ck_assert(pg_get_bool(result, 0, 3));
    ck_assert_str_eq(pg_get_text(result, 0, 4, arena), "渡邉󠄀 '\\");
    ck_assert_uint_eq(pg_get_bytes(result, 0, 5).len, sizeof odd);
    ck_assert_mem_eq(pg_get_bytes(result, 0, 5).data, odd, sizeof odd);
    ck_assert(pg_is_null(result, 0, 6));
    ck_assert_str_eq(pg_get_text(result, 0, 6, arena), "");
    ck_assert(!pg_is_null(result, 0, 7)); /* no bytes are not NULL */
    ck_assert_uint_eq(pg_get_bytes(result, 0, 7).len, 0);
    PQclear(result);
}
END_TEST

START_TEST(rolling_back_costs_nothing_of_the_next)
{
    for (int i = 0; i < 20; i++) {
        pg_begin(pg, "nara");
        add(1, "nara");
        if (i % 2)
            ck_assert_int_eq(seen(), 1);
        pg_rollback(pg);
        pg_rollback(pg); /* twice is harmless */
    }
    ck_assert_int_eq(stored(), 0);
    pg_begin(pg, "nara");
    add(1, "nara");
    ck_assert(pg_commit(pg, &fault));
    ck_assert_int_eq(stored(), 1);
}
END_TEST

/* pitfalls 11 */
START_TEST(a_database_that_can_forget_is_refused)
{
    struct pg *weak = NULL;
    owner_do("ALTER ROLE CURRENT_USER SET synchronous_commit = off");
    ck_assert(!pg_open(&weak, store.owner, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert_ptr_null(weak);
    owner_do("ALTER ROLE CURRENT_USER RESET synchronous_commit");
    ck_assert(pg_open(&weak, store.owner, &fault));
    pg_close(weak);
}
END_TEST

START_TEST(no_database_is_unavailable)
{
    struct pg *none = NULL;
    ck_assert(!pg_open(&none, "host=/nonexistent dbname=none", &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert_ptr_null(none);
}
END_TEST

/* A service that starts while its database is away is there when it comes back. */
START_TEST(a_database_that_is_away_is_opened_later)
{
    owner_do("ALTER ROLE CURRENT_USER SET synchronous_commit = off"); /* which is refused as if it were away */
    struct pg *later = pg_new(store.owner);
    ck_assert_ptr_nonnull(later);
    ck_assert_ptr_null(pg_query(later, "SELECT 1", &fault, PG_NONE));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    owner_do("ALTER ROLE CURRENT_USER RESET synchronous_commit");
    ck_assert(pg_ensure(later, &fault));
    PGresult *row = pg_query(later, "SELECT 1", &fault, PG_NONE);
    ck_assert_ptr_nonnull(row);
    PQclear(row);
    pg_close(later);
}
END_TEST

int main(void)
{
    journal_open("test");
    Suite *suite = suite_create("pg");
    TCase *cases = tcase_create("pg");
    tcase_add_unchecked_fixture(cases, once_start, once_end);
    tcase_add_checked_fixture(cases, start, end);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, queued_statements_commit_together);
    tcase_add_test(cases, a_queued_failure_undoes_all);
    tcase_add_test(cases, a_rollback_answered_to_a_commit_is_not_done);
    tcase_add_test(cases, a_failure_at_commit_is_not_done);
    tcase_add_test(cases, a_lost_transaction_is_not_done);
    tcase_add_loop_test(cases, a_wrong_row_count_is_never_committed, 0, 3);
    tcase_add_test(cases, a_wrong_row_count_is_seen_by_a_read_and_still_at_commit);
    tcase_add_test(cases, the_right_row_count_commits);
    tcase_add_test(cases, a_duplicate_is_told_apart);
    tcase_add_test(cases, a_connection_killed_mid_way_does_nothing_and_comes_back);
    tcase_add_test(cases, statements_after_a_loss_are_not_run_outside_the_transaction);
    tcase_add_test(cases, a_connection_killed_while_idle_is_replaced_unnoticed);
    tcase_add_test(cases, statements_are_prepared_anew_on_a_new_connection);
    tcase_add_test(cases, the_manager_does_not_outlive_the_transaction);
    tcase_add_test(cases, another_managers_row_cannot_be_written);
    tcase_add_test(cases, values_come_back_as_they_went);
    tcase_add_test(cases, rolling_back_costs_nothing_of_the_next);
    tcase_add_test(cases, a_database_that_can_forget_is_refused);
    tcase_add_test(cases, no_database_is_unavailable);
    tcase_add_test(cases, a_database_that_is_away_is_opened_later);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
