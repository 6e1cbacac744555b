/* The life of a statement: pg_queue puts it (and, the first time, its PREPARE) into libpq's pipeline and notes what is
 * expected of it in `pending`; settle() ends the pipeline with a sync, waits, and holds every answer against what was
 * expected. The first failure is kept until the transaction is rolled back, so a caller that only queued learns of it
 * at pg_commit. */
#include "chassis/pg.h"

#include "chassis/journal.h"
#include "chassis/meters.h"

#include <endian.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX 256 /* a power of two; a service has some dozens */
#define PENDING_MAX 64
#define PARAMETERS_MAX 24
#define ANY_ROWS (-1)

struct statement {
    const char *sql;
    bool prepared;
};

struct pending {
    struct statement *prepares; /* the statement that this PREPARE makes; NULL for an execution */
    int64_t rows;
    enum fault_code code;
    bool is_commit;
    PGresult **answer; /* where it is handed over; NULL: nobody wants it */
};

struct pg {
    PGconn *conn;
    char *dsn;
    struct statement statements[STATEMENTS_MAX];
    struct pending pending[PENDING_MAX];
    int pending_count;
    bool in_transaction;
    bool committed;
    enum fault_code failed; /* of the open transaction */
    bool duplicate;
};

/* Plans are generic: where a statement takes an array, PostgreSQL would plan it anew at each execution, which costs
 * more than to run it. */
static const char session_options[] =
    "-c search_path=pg_catalog -c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s "
    "-c client_min_messages=warning -c application_name=shikaku -c jit=off "
    "-c plan_cache_mode=force_generic_plan";

struct pg_value pg_text(const char *text)
{
    return (struct pg_value){.data = text, .len = text ? (int)strlen(text) : 0};
}

struct pg_value pg_bytes(const void *data, size_t len)
{
    return (struct pg_value){.data = data, .len = (int)len, .is_integer = -1};
}

struct pg_value pg_integer(int64_t value)
{
    struct pg_value integer = {.is_integer = 1};
    integer.len = snprintf(integer.text, sizeof integer.text, "%lld", (long long)value);
    return integer;
}

static bool durability_check(PGconn *conn)
{
    PGresult *shown = PQexec(conn,
        "SELECT count(*) FROM pg_catalog.pg_settings WHERE setting = 'off' AND name IN "
        "('fsync', 'full_page_writes', 'synchronous_commit')");
    bool durable = PQresultStatus(shown) == PGRES_TUPLES_OK && strcmp(PQgetvalue(shown, 0, 0), "0") == 0;
    PQclear(shown);
    if (!durable)
        journal(JOURNAL_ERROR, NULL, "database_not_durable");
    return durable;
}

static atomic_bool reached = true;

static void notice_ignore(void *nothing, const char *message)
{
    (void)nothing;
    (void)message;
}

/* Over a network only to a server whose certificate names it. */
static bool privacy_check(PGconn *conn)
{
    bool local = false, verified = false;
    PQconninfoOption *options = PQconninfo(conn);
    for (const PQconninfoOption *option = options; option && option->keyword; option++) {
        if (strcmp(option->keyword, "host") == 0)
            local = !option->val || !*option->val || *option->val == '/' || *option->val == '@';
        if (strcmp(option->keyword, "sslmode") == 0)
            verified = option->val && strcmp(option->val, "verify-full") == 0;
    }
    PQconninfoFree(options);
    if (!local && !verified)
        journal(JOURNAL_ERROR, NULL, "database_not_verified", WORD("setting", "SHIKAKU_DSN"));
    return local || verified;
}

bool pg_is_reached(void)
{
    return atomic_load(&reached);
}

static PGconn *connect_once(const char *dsn)
{
    const char *const names[] = {"dbname", "options", "connect_timeout", "keepalives_idle", "tcp_user_timeout", NULL};
    const char *const values[] = {dsn, session_options, "5", "10", "15000", NULL};
    PGconn *conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(conn) == CONNECTION_OK && privacy_check(conn) && durability_check(conn) && PQenterPipelineMode(conn)) {
        PQsetNoticeProcessor(conn, notice_ignore, NULL);
        atomic_store(&reached, true);
        return conn;
    }
    PQfinish(conn);
    atomic_store(&reached, false);
    return NULL;
}

static struct pg *pg_make(const char *dsn)
{
    struct pg *pg = calloc(1, sizeof *pg);
    if (pg && (pg->dsn = strdup(dsn)))
        return pg;
    free(pg);
    return NULL;
}

bool pg_open(struct pg **pg, const char *dsn, struct fault *fault)
{
    *pg = pg_make(dsn);
    if (!*pg)
        return fault_set(fault, FAULT_internal, NULL);
    if (pg_ensure(*pg, fault))
        return true;
    pg_close(*pg);
    *pg = NULL;
    return false;
}

struct pg *pg_new(const char *dsn)
{
    struct fault away = {0};
    struct pg *pg = pg_make(dsn);
    (void)(pg && pg_ensure(pg, &away));
    return pg;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->conn);
    free(pg->dsn);
    free(pg);
}

/* What a server says unasked is that it ends: a statement would be lost to a dead connection. */
static bool is_connected(struct pg *pg)
{
    struct pollfd socket = {.fd = PQsocket(pg->conn), .events = POLLIN};
    bool is_idle = !pg->in_transaction && pg->pending_count == 0;
    return PQstatus(pg->conn) == CONNECTION_OK && !(is_idle && poll(&socket, 1, 0) > 0);
}

bool pg_ensure(struct pg *pg, struct fault *fault)
{
    if (pg->conn && is_connected(pg))
        return true;
    if (pg->conn)
        meter_add(METER_database_reconnects_total, "postgresql", 1);
    PQfinish(pg->conn);
    memset(pg->statements, 0, sizeof pg->statements);
    pg->pending_count = 0;
    pg->in_transaction = false;
    pg->failed = FAULT_NONE;
    pg->conn = connect_once(pg->dsn);
    return pg->conn ? true : fault_set(fault, FAULT_unavailable, NULL);
}

/* The one place where SQLSTATE becomes a fault. What may pass by itself is RETRY. */
static enum fault_code fault_of_sqlstate(const char *sqlstate)
{
    static const char *const passing[] = {"08", "40", "53", "55", "57", "58"};
    if (!sqlstate)
        return FAULT_unavailable;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strncmp(sqlstate, passing[i], 2) == 0)
            return FAULT_unavailable;
    return FAULT_internal;
}

static void note_failure(struct pg *pg, const PGresult *result)
{
    if (pg->failed)
        return;
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    pg->failed = fault_of_sqlstate(sqlstate);
    pg->duplicate = sqlstate && strcmp(sqlstate, "23505") == 0;
    if (!pg->duplicate)
        journal(JOURNAL_WARNING, NULL, "statement_failed", WORD("sqlstate", sqlstate ? sqlstate : "connection"));
}

static void hold_against(struct pg *pg, const struct pending *expected, const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_ABORTED)
        return;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        note_failure(pg, result);
        return;
    }
    if (expected->prepares)
        expected->prepares->prepared = true;
    if (expected->is_commit)
        pg->committed = strcmp(PQcmdStatus((PGresult *)result), "COMMIT") == 0;
    if (expected->rows != ANY_ROWS && !pg->failed && atoll(PQcmdTuples((PGresult *)result)) != expected->rows)
        pg->failed = expected->code;
}

/* End the pipeline and take every answer. */
static void settle(struct pg *pg)
{
    if (!pg->pending_count)
        return;
    bool connected = PQpipelineSync(pg->conn) == 1;
    for (int i = 0; i < pg->pending_count && connected; i++) {
        const struct pending *expected = &pg->pending[i];
        PGresult *result = PQgetResult(pg->conn);
        if (!result) {
            connected = false;
            break;
        }
        hold_against(pg, expected, result);
        if (expected->answer && !pg->failed)
            *expected->answer = result;
        else
            PQclear(result);
        PQclear(PQgetResult(pg->conn)); /* the NULL that ends one statement's results */
    }
    pg->pending_count = 0;
    PGresult *sync = connected ? PQgetResult(pg->conn) : NULL;
    if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC) {
        note_failure(pg, NULL);
        PQfinish(pg->conn);
        pg->conn = NULL;
    }
    PQclear(sync);
}

static struct statement *statement_of(struct pg *pg, const char *sql)
{
    for (size_t i = ((uintptr_t)sql >> 3) % STATEMENTS_MAX;; i = (i + 1) % STATEMENTS_MAX) {
        if (!pg->statements[i].sql)
            pg->statements[i].sql = sql;
        if (pg->statements[i].sql == sql)
            return &pg->statements[i];
    }
}

static void expect(struct pg *pg, struct pending expected)
{
    pg->pending[pg->pending_count++] = expected;
}

static bool prepare_pending(const struct pg *pg, const struct statement *statement)
{
    for (int i = 0; i < pg->pending_count; i++)
        if (pg->pending[i].prepares == statement)
            return true;
    return false;
}

static void queue(struct pg *pg, const char *sql, struct pending expected, const struct pg_value *values, int count)
{
    const char *data[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    char name[24];
    if (!pg->conn || count > PARAMETERS_MAX) {
        note_failure(pg, NULL);
        return;
    }
    if (pg->pending_count > PENDING_MAX - 2)
        settle(pg);
    if (!pg->conn)
        return;
    struct statement *statement = statement_of(pg, sql);
    snprintf(name, sizeof name, "s%d", (int)(statement - pg->statements));
    if (!statement->prepared && !prepare_pending(pg, statement)) {
        if (PQsendPrepare(pg->conn, name, sql, 0, NULL) != 1)
            note_failure(pg, NULL);
        else
            expect(pg, (struct pending){.prepares = statement, .rows = ANY_ROWS});
    }
    for (int i = 0; i < count; i++) {
        data[i] = values[i].is_integer > 0 ? values[i].text : values[i].data;
        lengths[i] = values[i].len;
        formats[i] = values[i].is_integer < 0;
    }
    if (PQsendQueryPrepared(pg->conn, name, count, data, lengths, formats, 1) != 1)
        note_failure(pg, NULL);
    else
        expect(pg, expected);
}

void pg_queue(struct pg *pg, const char *sql, const struct pg_value *values, int count)
{
    queue(pg, sql, (struct pending){.rows = ANY_ROWS}, values, count);
}

void pg_queue_exactly(
    struct pg *pg, const char *sql, int64_t rows, enum fault_code code, const struct pg_value *values, int count)
{
    queue(pg, sql, (struct pending){.rows = rows, .code = code}, values, count);
}

void pg_queue_asking(struct pg *pg, const char *sql, PGresult **answer, const struct pg_value *values, int count)
{
    *answer = NULL;
    queue(pg, sql, (struct pending){.rows = ANY_ROWS, .answer = answer}, values, count);
}

bool pg_await(struct pg *pg, struct fault *fault)
{
    settle(pg);
    return pg->failed ? fault_set(fault, pg->failed, NULL) : true;
}

PGresult *pg_query(struct pg *pg, const char *sql, struct fault *fault, const struct pg_value *values, int count)
{
    PGresult *result;
    if (!pg->in_transaction) {
        pg->failed = FAULT_NONE;
        pg->duplicate = false;
    }
    pg_queue_asking(pg, sql, &result, values, count);
    if (pg_await(pg, fault))
        return result;
    PQclear(result);
    return NULL;
}

void pg_begin(struct pg *pg, const char *manager)
{
    pg->failed = FAULT_NONE;
    pg->duplicate = false;
    pg->in_transaction = true;
    pg_queue(pg, "BEGIN", PG_NONE);
    pg_set_manager(pg, manager);
}

void pg_set_manager(struct pg *pg, const char *manager)
{
    pg_queue(pg, "SELECT pg_catalog.set_config('shikaku.manager', $1, true)", PG_VALUES(pg_text(manager)));
}

void pg_narrow(struct pg *pg, const char *programmes, const char *body)
{
    pg_queue(pg,
        "SELECT pg_catalog.set_config('shikaku.programmes', $1, true), "
        "pg_catalog.set_config('shikaku.body', $2, true)",
        PG_VALUES(pg_text(programmes), pg_text(body)));
}

/* A statement that had to touch a certain number of rows must be seen to have done so before COMMIT is sent. */
static bool awaits_row_count(const struct pg *pg)
{
    for (int i = 0; i < pg->pending_count; i++)
        if (pg->pending[i].rows != ANY_ROWS)
            return true;
    return false;
}

bool pg_commit(struct pg *pg, struct fault *fault)
{
    pg->committed = false;
    if (awaits_row_count(pg))
        settle(pg);
    if (!pg->failed) {
        queue(pg, "COMMIT", (struct pending){.rows = ANY_ROWS, .is_commit = true}, PG_NONE);
        settle(pg);
    }
    enum fault_code failed = pg->failed ? pg->failed : pg->committed ? FAULT_NONE : FAULT_unavailable;
    if (failed)
        pg_rollback(pg);
    pg->in_transaction = false;
    return failed ? fault_set(fault, failed, NULL) : true;
}

void pg_rollback(struct pg *pg)
{
    bool duplicate = pg->duplicate;
    if (pg->in_transaction && pg->conn) {
        settle(pg);
        if (pg->conn) {
            queue(pg, "ROLLBACK", (struct pending){.rows = ANY_ROWS}, PG_NONE);
            settle(pg);
        }
    }
    pg->in_transaction = false;
    pg->failed = FAULT_NONE;
    pg->duplicate = duplicate;
}

void pg_fail(struct pg *pg, enum fault_code code)
{
    if (!pg->failed)
        pg->failed = code;
}

bool pg_in_transaction(const struct pg *pg)
{
    return pg->in_transaction;
}

bool pg_was_duplicate(const struct pg *pg)
{
    return pg->duplicate;
}

int64_t pg_get_integer(const PGresult *result, int row, int column)
{
    const char *at = PQgetvalue(result, row, column);
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (PQgetlength(result, row, column)) {
    case 1:
        return at[0];
    case 2:
        memcpy(&two, at, 2);
        return (int16_t)be16toh(two);
    case 4:
        memcpy(&four, at, 4);
        return (int32_t)be32toh(four);
    case 8:
        memcpy(&eight, at, 8);
        return (int64_t)be64toh(eight);
    default:
        return 0;
    }
}

char *pg_get_text(const PGresult *result, int row, int column, struct arena *arena)
{
    return arena_text(arena, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

struct bytes pg_get_bytes(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct bytes){NULL, 0};
    return (struct bytes){(uint8_t *)PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

bool pg_get_bool(const PGresult *result, int row, int column)
{
    return pg_get_integer(result, row, column) != 0;
}

bool pg_is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column);
}
