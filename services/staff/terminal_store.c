#include "staff/terminal_store.h"

#include <string.h>

bool terminal_serves(const struct terminal *terminal, const char *manager)
{
    return strcmp(terminal->manager, "*") == 0 || strcmp(terminal->manager, manager) == 0;
}

static const char place_find_sql[] = "SELECT manager FROM staff.terminal_place WHERE terminal = $1";

static const char terminal_find_sql[] =
    "SELECT kind, place, account FROM staff.terminal WHERE manager = $1 AND terminal = $2 AND ended_at IS NULL";

static bool row_one(const PGresult *row, struct fault *fault)
{
    return row && (PQntuples(row) == 1 || fault_set(fault, FAULT_terminal_not_listed, "terminal"));
}

bool terminal_find(
    struct pg *pg, struct arena *arena, const char *fingerprint, struct terminal *terminal, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, "");
    PGresult *place = pg_query(pg, place_find_sql, fault, PG_VALUES(pg_text(fingerprint)));
    pg_rollback(pg);
    bool found = row_one(place, fault);
    terminal->manager = found ? pg_get_text(place, 0, 0, arena) : NULL;
    PQclear(place);
    if (!found)
        return false;
    pg_begin(pg, terminal->manager);
    PGresult *row = pg_query(pg, terminal_find_sql, fault, PG_VALUES(pg_text(terminal->manager), pg_text(fingerprint)));
    pg_rollback(pg);
    found = row_one(row, fault);
    if (found) {
        terminal->kind = pg_get_text(row, 0, 0, arena);
        terminal->place = pg_get_text(row, 0, 1, arena);
        terminal->account = pg_get_text(row, 0, 2, arena);
    }
    PQclear(row);
    return found;
}

static const char terminal_was_ended_sql[] =
    "SELECT 1 FROM staff.terminal WHERE manager = $1 AND terminal = $2 LIMIT 1";

bool terminal_was_ended(struct pg *pg, const char *manager, const char *fingerprint, bool *ended, struct fault *fault)
{
    pg_begin(pg, manager);
    PGresult *row = pg_query(pg, terminal_was_ended_sql, fault, PG_VALUES(pg_text(manager), pg_text(fingerprint)));
    pg_rollback(pg);
    *ended = row && PQntuples(row) > 0;
    PQclear(row);
    return row != NULL;
}

static const char place_add_sql[] = "INSERT INTO staff.terminal_place (terminal, manager) VALUES ($1, $2)";

static const char terminal_add_sql[] =
    "INSERT INTO staff.terminal (manager, terminal, kind, place, account, listed_by) VALUES ($1, $2, $3, $4, $5, $6)";

void terminal_add(struct pg *pg, const char *fingerprint, const struct terminal *terminal, const char *by)
{
    pg_queue(pg, place_add_sql, PG_VALUES(pg_text(fingerprint), pg_text(terminal->manager)));
    pg_queue(pg, terminal_add_sql,
        PG_VALUES(pg_text(terminal->manager), pg_text(fingerprint), pg_text(terminal->kind), pg_text(terminal->place),
            pg_text(terminal->account), pg_text(by)));
}

static const char terminal_end_sql[] =
    "UPDATE staff.terminal SET ended_at = now(), ended_by = $3, reason = $4 "
    "WHERE manager = $1 AND terminal = $2 AND ended_at IS NULL";

static const char place_end_sql[] = "DELETE FROM staff.terminal_place WHERE terminal = $1";

void terminal_end(struct pg *pg, const char *manager, const char *fingerprint, const char *by, const char *reason)
{
    pg_queue_exactly(pg, terminal_end_sql, 1, FAULT_not_found,
        PG_VALUES(pg_text(manager), pg_text(fingerprint), pg_text(by), pg_text(reason)));
    pg_queue(pg, place_end_sql, PG_VALUES(pg_text(fingerprint)));
}

static const char terminals_read_sql[] =
    "SELECT terminal, kind, place, account, listed_by, (extract(epoch FROM listed_at) * 1000)::bigint, "
    "coalesce(ended_by, ''), (extract(epoch FROM ended_at) * 1000)::bigint, reason "
    "FROM staff.terminal WHERE manager IN ($1, '*') ORDER BY listed_at, terminal LIMIT 1000";

static Staff__Terminal *terminal_take(struct arena *arena, const PGresult *rows, int i)
{
    Staff__Terminal *terminal = arena_take(arena, sizeof *terminal);
    if (!terminal)
        return NULL;
    staff__terminal__init(terminal);
    terminal->terminal = pg_get_text(rows, i, 0, arena);
    terminal->kind = pg_get_text(rows, i, 1, arena);
    terminal->place = pg_get_text(rows, i, 2, arena);
    terminal->account = pg_get_text(rows, i, 3, arena);
    terminal->listed_by = pg_get_text(rows, i, 4, arena);
    terminal->listed_at_ms = pg_get_integer(rows, i, 5);
    terminal->ended_by = pg_get_text(rows, i, 6, arena);
    terminal->ended_at_ms = pg_get_integer(rows, i, 7);
    terminal->reason = pg_get_text(rows, i, 8, arena);
    return terminal->reason ? terminal : NULL;
}

bool terminals_read(
    struct pg *pg, struct arena *arena, const char *manager, Staff__TerminalsReply *reply, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, manager);
    PGresult *rows = pg_query(pg, terminals_read_sql, fault, PG_VALUES(pg_text(manager)));
    pg_rollback(pg);
    if (!rows)
        return false;
    int count = PQntuples(rows);
    reply->terminals = arena_take(arena, (size_t)(count + 1) * sizeof *reply->terminals);
    bool good = reply->terminals != NULL;
    for (int i = 0; i < count && good; i++)
        good = (reply->terminals[reply->n_terminals++] = terminal_take(arena, rows, i)) != NULL;
    PQclear(rows);
    return good || fault_set(fault, FAULT_internal, NULL);
}
