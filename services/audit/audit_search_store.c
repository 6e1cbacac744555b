#include "audit/audit_search_store.h"

#include <stdio.h>
#include <string.h>

#define EVENT_ARENA (4 * 1024 * 1024) /* a thousand subjects, several times over */
#define TOKEN_TEXT 22                 /* a sign, 19 digits, a comma, room for the end */

bool use_tokens_init(struct arena *arena, struct use_tokens *tokens, size_t most)
{
    *tokens = (struct use_tokens){.room = most * TOKEN_TEXT + 3};
    tokens->list = arena_take(arena, tokens->room);
    if (tokens->list)
        tokens->len = (size_t)snprintf(tokens->list, tokens->room, "{}");
    return tokens->list != NULL;
}

void use_tokens_add(struct use_tokens *tokens, const char *manager, enum token_kind kind, const char *text)
{
    uint64_t token = record_token(manager, kind, text, strlen(text));
    tokens->shut |= token == 0;
    if (token == 0 || tokens->len + TOKEN_TEXT >= tokens->room)
        return;
    tokens->len--;
    tokens->len += (size_t)snprintf(tokens->list + tokens->len, tokens->room - tokens->len, "%s%lld}",
        tokens->list[tokens->len - 1] == '{' ? "" : ",", (long long)token);
}

static const char uses_list_sql[] =
    "SELECT position, appended_ms, service, instance::text, worker, sequence, act, outcome, event FROM audit.log "
    "WHERE manager = $1 AND tokens && $2::text::bigint[] AND position < $3::bigint AND appended_ms >= $4::bigint "
    "ORDER BY position DESC LIMIT $5::int";

static bool use_take(struct arena *arena, const PGresult *rows, int row, const char *manager, struct use *use)
{
    const char *instance = pg_get_text(rows, row, 3, arena);
    use->position = (uint64_t)pg_get_integer(rows, row, 0);
    use->at_ms = pg_get_integer(rows, row, 1);
    use->service = pg_get_text(rows, row, 2, arena);
    use->act = pg_get_text(rows, row, 6, arena);
    use->outcome = pg_get_text(rows, row, 7, arena);
    if (!instance || !use->service || !use->act || !use->outcome)
        return false;
    use->event = record_uncover(arena, manager, use->service, instance, (uint32_t)pg_get_integer(rows, row, 4),
        (uint64_t)pg_get_integer(rows, row, 5), pg_get_bytes(rows, row, 8));
    if (use->event)
        use->at_ms = use->event->at_ms;
    return true;
}

bool uses_each(struct pg *pg, const struct use_search *search, bool (*take)(void *to, const struct use *use), void *to,
    size_t *found, struct fault *fault)
{
    struct arena *arena = arena_new(EVENT_ARENA);
    PGresult *rows = pg_query(pg, uses_list_sql, fault,
        PG_VALUES(pg_text(search->manager), pg_text(search->tokens->list), pg_integer((int64_t)search->before),
            pg_integer(search->from_ms), pg_integer(search->limit)));
    bool read = rows && (arena || fault_set(fault, FAULT_internal, NULL));
    bool wanted = true;
    *found = rows ? (size_t)PQntuples(rows) : 0;
    for (size_t i = 0; i < *found && read && wanted; i++) {
        struct use use;
        arena_reset(arena);
        read = use_take(arena, rows, (int)i, search->manager, &use) || fault_set(fault, FAULT_internal, NULL);
        wanted = read && take(to, &use);
    }
    PQclear(rows);
    arena_free(arena);
    return read;
}

static const char log_length_sql[] = "SELECT size FROM audit.sequencer";

bool log_length(struct pg *pg, uint64_t *length, struct fault *fault)
{
    PGresult *row = pg_query(pg, log_length_sql, fault, PG_NONE);
    *length = row ? (uint64_t)pg_get_integer(row, 0, 0) : 0;
    PQclear(row);
    return row != NULL;
}

static const char uses_count_sql[] =
    "SELECT least(count(*), 2147483647) FROM audit.log WHERE manager = $1 AND appended_ms >= $2::bigint "
    "AND ($3::bigint = 0 OR appended_ms < $3::bigint) AND position < $4::bigint";

bool uses_count(struct pg *pg, const char *manager, int64_t from_ms, int64_t until_ms, uint64_t before, int32_t *count,
    struct fault *fault)
{
    PGresult *row = pg_query(pg, uses_count_sql, fault,
        PG_VALUES(pg_text(manager), pg_integer(from_ms), pg_integer(until_ms), pg_integer((int64_t)before)));
    *count = row ? (int32_t)pg_get_integer(row, 0, 0) : 0;
    PQclear(row);
    return row != NULL;
}

bool use_names(const Audit__Event *event, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = event->subject; *at; at += strspn(at, " ")) {
        size_t subject = strcspn(at, " ");
        if (subject == len && memcmp(at, text, len) == 0)
            return true;
        at += subject;
    }
    return false;
}
