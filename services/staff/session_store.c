#include "staff/session_store.h"

#define ENDED_PAGE 1000
#define LOGINS_USUAL 100

static const char session_start_sql[] =
    "INSERT INTO staff.session (manager, session, account, terminal, expires_at, lives_until) "
    "VALUES ($1, $2::text::uuid, $3, $4, to_timestamp($5::bigint / 1000.0), to_timestamp($6::bigint / 1000.0))";

void session_start(struct pg *pg, const struct session *session)
{
    pg_queue(pg, session_start_sql,
        PG_VALUES(pg_text(session->manager), pg_text(session->session), pg_text(session->account),
            pg_text(session->terminal), pg_integer(session->expires_at_ms), pg_integer(session->lives_until_ms)));
}

static const char session_renew_sql[] =
    "UPDATE staff.session SET expires_at = to_timestamp($3::bigint / 1000.0), renewed_at = now() "
    "WHERE manager = $1 AND session = $2::text::uuid AND ended_at IS NULL AND lives_until > now() RETURNING 1";

bool session_renew(struct pg *pg, const char *manager, const char *session, int64_t expires_at_ms, struct fault *fault)
{
    PGresult *row = pg_query(
        pg, session_renew_sql, fault, PG_VALUES(pg_text(manager), pg_text(session), pg_integer(expires_at_ms)));
    bool renewed = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_authenticated, NULL));
    PQclear(row);
    return renewed;
}

static const char session_life_sql[] =
    "SELECT (extract(epoch FROM lives_until) * 1000)::bigint FROM staff.session "
    "WHERE manager = $1 AND session = $2::text::uuid AND ended_at IS NULL AND lives_until > now()";

bool session_life(struct pg *pg, const char *manager, const char *session, int64_t *lives_until_ms, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, manager);
    PGresult *row = pg_query(pg, session_life_sql, fault, PG_VALUES(pg_text(manager), pg_text(session)));
    pg_rollback(pg);
    bool alive = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_authenticated, NULL));
    *lives_until_ms = alive ? pg_get_integer(row, 0, 0) : 0;
    PQclear(row);
    return alive;
}

static const char sessions_read_sql[] =
    "SELECT session::text, account, terminal, (extract(epoch FROM started_at) * 1000)::bigint, "
    "(extract(epoch FROM renewed_at) * 1000)::bigint, (extract(epoch FROM expires_at) * 1000)::bigint, "
    "(extract(epoch FROM ended_at) * 1000)::bigint, coalesce(ended_by, ''), coalesce(end_reason, '') "
    "FROM staff.session WHERE manager = $1 AND ($2 = '' OR account = $2) ORDER BY started_at DESC LIMIT 200";

static Staff__Session *session_take(struct arena *arena, const PGresult *rows, int i)
{
    Staff__Session *session = arena_take(arena, sizeof *session);
    if (!session)
        return NULL;
    staff__session__init(session);
    session->session = pg_get_text(rows, i, 0, arena);
    session->account = pg_get_text(rows, i, 1, arena);
    session->terminal = pg_get_text(rows, i, 2, arena);
    session->started_at_ms = pg_get_integer(rows, i, 3);
    session->renewed_at_ms = pg_get_integer(rows, i, 4);
    session->expires_at_ms = pg_get_integer(rows, i, 5);
    session->ended_at_ms = pg_get_integer(rows, i, 6);
    session->ended_by = pg_get_text(rows, i, 7, arena);
    session->end_reason = pg_get_text(rows, i, 8, arena);
    return session->end_reason ? session : NULL;
}

bool sessions_read(struct pg *pg, struct arena *arena, const char *manager, const char *account,
    Staff__SessionsReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, sessions_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(account)));
    int count = rows ? PQntuples(rows) : 0;
    reply->sessions = arena_take(arena, (size_t)(count + 1) * sizeof *reply->sessions);
    bool good = rows && (reply->sessions || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++)
        good = (reply->sessions[reply->n_sessions++] = session_take(arena, rows, i)) ||
               fault_set(fault, FAULT_internal, NULL);
    PQclear(rows);
    return good;
}

static const char logins_read_sql[] =
    "SELECT account, terminal, outcome, (extract(epoch FROM at) * 1000)::bigint, odd_hour, new_terminal "
    "FROM staff.login WHERE manager = $1 AND ($2 = '' OR account = $2) "
    "AND (NOT $3::boolean OR outcome <> 'done' OR odd_hour OR new_terminal) ORDER BY at DESC, id DESC LIMIT $4::int";

static Staff__LoginAttempt *login_take(struct arena *arena, const PGresult *rows, int i)
{
    Staff__LoginAttempt *attempt = arena_take(arena, sizeof *attempt);
    if (!attempt)
        return NULL;
    staff__login_attempt__init(attempt);
    attempt->account = pg_get_text(rows, i, 0, arena);
    attempt->terminal = pg_get_text(rows, i, 1, arena);
    attempt->outcome = pg_get_text(rows, i, 2, arena);
    attempt->at_ms = pg_get_integer(rows, i, 3);
    attempt->odd_hour = pg_get_bool(rows, i, 4);
    attempt->new_terminal = pg_get_bool(rows, i, 5);
    return attempt->outcome ? attempt : NULL;
}

bool logins_read(struct pg *pg, struct arena *arena, const char *manager, const Staff__LoginsRequest *request,
    Staff__LoginsReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, logins_read_sql, fault,
        PG_VALUES(pg_text(manager), pg_text(request->account), pg_integer(request->remarkable),
            pg_integer(request->limit ? request->limit : LOGINS_USUAL)));
    int count = rows ? PQntuples(rows) : 0;
    reply->logins = arena_take(arena, (size_t)(count + 1) * sizeof *reply->logins);
    bool good = rows && (reply->logins || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++)
        good =
            (reply->logins[reply->n_logins++] = login_take(arena, rows, i)) || fault_set(fault, FAULT_internal, NULL);
    PQclear(rows);
    return good;
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
    "SELECT account FROM staff.session WHERE manager = $1 AND session = $2::text::uuid FOR UPDATE";

bool session_find(struct pg *pg, struct arena *arena, const char *manager, const char *session, const char **account,
    struct fault *fault)
{
    PGresult *found = pg_query(pg, session_find_sql, fault, PG_VALUES(pg_text(manager), pg_text(session)));
    bool known = found && PQntuples(found) == 1;
    if (known)
        *account = pg_get_text(found, 0, 0, arena);
    else if (found)
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
