/* PostgreSQL as the services use it: one connection a thread, statements prepared on first use, sent in pipeline mode
 * so that what can wait for its answer does (pg_queue), and only what must be read costs a round trip (pg_query,
 * pg_commit). Values travel and return in binary. No text of the server is ever passed on: SQLSTATE becomes a fault
 * code. */
#ifndef CHASSIS_PG_H
#define CHASSIS_PG_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <libpq-fe.h>

struct pg;

struct pg_value {
    const void *data; /* NULL: SQL NULL */
    int len;
    char text[24];
    int is_integer;
};

/* Parameters. Integers are sent as decimal text; give them a type in the SQL: $1::int, $2::bigint, $3::boolean. */
struct pg_value pg_text(const char *text);              /* NULL stays NULL; borrowed until the statement was sent */
struct pg_value pg_bytes(const void *data, size_t len); /* NULL stays NULL */
struct pg_value pg_integer(int64_t value);

#define PG_VALUES(...)                                                                                                 \
    (const struct pg_value[]){__VA_ARGS__},                                                                            \
        (int)(sizeof((const struct pg_value[]){__VA_ARGS__}) / sizeof(struct pg_value))
#define PG_NONE NULL, 0

/* Open with the pitfalls of libpq closed: time-outs, keepalives, pinned search_path, durability settings checked.
 * `dsn` is a libpq connection string: a unix socket, or sslmode=verify-full (STORE-2). */
MUST_USE bool pg_open(struct pg **pg, const char *dsn, struct fault *fault);
/* The same, but a database that is away is no failure: pg_ensure opens it later. NULL: memory is out. */
MUST_USE struct pg *pg_new(const char *dsn);
void pg_close(struct pg *pg);
/* Open anew after a failure; true when the connection is usable. Whatever transaction was open is gone. */
MUST_USE bool pg_ensure(struct pg *pg, struct fault *fault);

/* False from a connection that could not be opened until one could: lanes look every 250 ms. */
bool pg_is_reached(void);

/* A transaction, with the manager (tenant) pinned for row-level security; "" for tables without a manager. */
void pg_begin(struct pg *pg, const char *manager);
/* Pin another manager for the statements that follow in the open transaction. */
void pg_set_manager(struct pg *pg, const char *manager);
/* Narrow what row-level security shows in the open transaction: to these programmes (",chorishi,"; "": all) and to this
 * body's part ("": all parts). */
void pg_narrow(struct pg *pg, const char *programmes, const char *body);
MUST_USE bool pg_commit(struct pg *pg, struct fault *fault); /* true only when the COMMIT tag was seen */
void pg_rollback(struct pg *pg);
bool pg_in_transaction(const struct pg *pg);

/* Send without waiting; a failure shows at the next pg_query or pg_commit. `sql` must be a static string: its address
 * is its identity. `values` may be reused at once. */
void pg_queue(struct pg *pg, const char *sql, const struct pg_value *values, int count);
/* As pg_queue, but the statement must touch exactly `rows` rows, else `code` is the fault of the next read or commit.
 */
void pg_queue_exactly(
    struct pg *pg, const char *sql, int64_t rows, enum fault_code code, const struct pg_value *values, int count);
/* As pg_queue, and hand the answer over as soon as another call waits for its own: *answer is NULL until then, and
 * stays so on failure. The caller's, PQclear it; `answer` must live as long. */
void pg_queue_asking(struct pg *pg, const char *sql, PGresult **answer, const struct pg_value *values, int count);
/* Wait for the answers to all that was asked. */
MUST_USE bool pg_await(struct pg *pg, struct fault *fault);
/* Send and wait. The result (binary format) is the caller's, PQclear it; NULL with a fault on failure. */
MUST_USE PGresult *pg_query(
    struct pg *pg, const char *sql, struct fault *fault, const struct pg_value *values, int count);

/* Let the open transaction fail with `code` at its next read or commit: for what went wrong before SQL was reached. */
void pg_fail(struct pg *pg, enum fault_code code);

/* True when the last failure was a unique violation (23505). */
bool pg_was_duplicate(const struct pg *pg);

/* Reading a binary result: column types are those of the SQL (cast there). NULL reads as 0, "" or {0}. */
int64_t pg_get_integer(const PGresult *result, int row,
    int column); /* int2, int4, int8, boolean; timestamptz: use extract(epoch)*1000 ::bigint */
char *pg_get_text(const PGresult *result, int row, int column, struct arena *arena); /* text, uuid cast to text */
struct bytes pg_get_bytes(const PGresult *result, int row, int column);              /* borrowed from the result */
bool pg_get_bool(const PGresult *result, int row, int column);
bool pg_is_null(const PGresult *result, int row, int column);

#endif
