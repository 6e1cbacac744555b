#include "staff/session_store.h"

#define ENDED_PAGE 1000

static const char session_start_sql[] =
    "INSERT INTO staff.session (manager, session, account, terminal, expires_at, lives_until) "
    "VALUES ($1, $2::text::uuid, $3, $4, to_timestamp($5::bigint / 1000.0), to_timestamp($6::bigint / 1000.0))";

void session_start(struct pg *pg, const struct session *session)
{
    pg_queue(pg, session_start_sql,
        PG_VALUES(pg_text(session->manager), pg_text(session->session), pg_text(session->account),
            pg_text(session->terminal), pg_integer(session->expires_at_ms), pg_integer(session->lives_until_ms)));
}

static const char sessions_end_sql[] =
    "WITH gone AS (UPDATE staff.session SET ended_at = now(), ended_by = $2, end_reason = $3 "
    "WHERE manager = $1 AND ended_at IS NULL AND expires_at > now() "
    "AND ($4::text IS NULL OR session = $4::text::uuid) AND ($5::text IS NULL OR account = $5::text) "
    "AND ($6::text IS NULL OR terminal = $6::text) AND ($7::text IS NULL OR session <> $7::text::uuid) "
    "RETURNING session, expires_at), "
    "head AS (UPDATE staff.ended_head SET number = number + 1 WHERE EXISTS (SELECT 1 FROM gone) RETURNING number) "
    "INSERT INTO staff.ended_session (number, session, tokens_until) "
    "SELECT head.number, gone.session, gone.expires_at FROM gone, head";

void sessions_end(struct pg *pg, const struct session_choice *choice, const char *by, const char *reason)
{
    pg_queue(pg, sessions_end_sql,
        PG_VALUES(pg_text(choice->manager), pg_text(by), pg_text(reason), pg_text(choice->session),
            pg_text(choice->account), pg_text(choice->terminal), pg_text(choice->except)));
}

static const char session_find_sql[] =
    "SELECT 1 FROM staff.session WHERE manager = $1 AND session = $2::text::uuid FOR UPDATE";

bool session_find(struct pg *pg, const char *manager, const char *session, struct fault *fault)
{
    PGresult *found = pg_query(pg, session_find_sql, fault, PG_VALUES(pg_text(manager), pg_text(session)));
    bool known = found && PQntuples(found) == 1;
    if (found && !known)
        fault_set(fault, FAULT_not_found, "session");
    PQclear(found);
    return known;
}

/* One statement, one snapshot: whatever has a number up to the head's is seen. */
static const char ended_read_sql[] =
    "SELECT h.number, e.number, e.session::text, (extract(epoch FROM e.tokens_until) * 1000)::bigint "
    "FROM staff.ended_head h LEFT JOIN staff.ended_session e ON e.number > $1::bigint "
    "AND e.tokens_until > now() - interval '1 minute' ORDER BY e.number FETCH FIRST 1000 ROWS WITH TIES";

static bool ended_row(const PGresult *rows, int row, struct arena *arena, Staff__EndedReply *reply)
{
    Staff__EndedSession *ended = arena_take(arena, sizeof *ended);
    if (!ended)
        return false;
    staff__ended_session__init(ended);
    ended->session = pg_get_text(rows, row, 2, arena);
    ended->tokens_until_ms = pg_get_integer(rows, row, 3);
    reply->sessions[reply->n_sessions++] = ended;
    return ended->session != NULL;
}

bool ended_read(struct pg *pg, struct arena *arena, int64_t since, Staff__EndedReply *reply, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, "");
    PGresult *rows = pg_query(pg, ended_read_sql, fault, PG_VALUES(pg_integer(since)));
    pg_rollback(pg);
    if (!rows)
        return false;
    int count = PQntuples(rows);
    bool good = count > 0;
    reply->sessions = arena_take(arena, (size_t)(count + 1) * sizeof *reply->sessions);
    reply->more = count >= ENDED_PAGE;
    reply->number = good ? pg_get_integer(rows, reply->more ? count - 1 : 0, reply->more ? 1 : 0) : 0;
    for (int i = 0; i < count && good && !pg_is_null(rows, i, 1); i++)
        good = reply->sessions && ended_row(rows, i, arena, reply);
    PQclear(rows);
    return good || fault_set(fault, FAULT_internal, NULL);
}

static const char ended_sweep_sql[] =
    "DELETE FROM staff.ended_session WHERE tokens_until < now() - interval '2 minutes'";

void ended_sweep(struct pg *pg)
{
    pg_queue(pg, ended_sweep_sql, PG_NONE);
}
