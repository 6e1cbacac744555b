/* From a record of the log to what analyses look at. The record is opened in memory; what is kept of it are tokens. */
#include "audit/analysis_rules.h"
#include "audit/analysis_steps.h"
#include "audit/analysis_store.h"
#include "audit/record_cover.h"

#include <string.h>

#define WALK_RECORDS 500
#define RECORD_BYTES (4 * 1024 * 1024) /* of one, opened: it names two thousand persons at most */

/* 0 for what is not there. */
static uint64_t token_of(
    struct record_tokens *tokens, const char *manager, enum token_kind kind, const char *text, size_t len)
{
    return len ? record_tokens_make(tokens, manager, kind, text, len) : 0;
}

static struct touch_row touch_of(
    struct record_tokens *tokens, const PGresult *rows, int row, struct arena *arena, const Audit__Event *event)
{
    struct touch_row touch = {.manager = pg_get_text(rows, row, 6, arena),
        .act = pg_get_text(rows, row, 7, arena),
        .outcome = pg_get_text(rows, row, 8, arena),
        .role = event->role,
        .programme = event->programme,
        .purpose = event->purpose,
        .likeness = event->likeness,
        .position = pg_get_integer(rows, row, 0),
        .at_ms = event->at_ms,
        .appended_ms = pg_get_integer(rows, row, 1),
        .persons = event->count};
    const char *manager = touch.manager ? touch.manager : "";
    touch.account = *event->role ? token_of(tokens, manager, TOKEN_ACCOUNT, event->who, strlen(event->who)) : 0;
    touch.terminal = token_of(tokens, manager, TOKEN_TERMINAL, event->terminal, strlen(event->terminal));
    touch.reason = token_of(tokens, manager, TOKEN_REASON, event->reason, strlen(event->reason));
    return touch;
}

/* A row for each person it names; how many it touched stands in the first. */
static void touches_put(struct pg *pg, struct record_tokens *tokens, struct touch_row *touch, const char *subjects)
{
    const char *at = subjects + strspn(subjects, " ");
    do {
        size_t len = strcspn(at, " ");
        touch->subject = token_of(tokens, touch->manager, TOKEN_SUBJECT, at, len);
        touch_put(pg, touch);
        touch->persons = 0;
        at += len;
        at += strspn(at, " ");
    } while (*at);
}

static void record_take(
    struct work *work, struct record_tokens *tokens, struct arena *arena, const PGresult *rows, int row)
{
    char *manager = pg_get_text(rows, row, 6, arena), *service = pg_get_text(rows, row, 2, arena);
    char *instance = pg_get_text(rows, row, 3, arena);
    if (!manager || !service || !instance)
        return pg_fail(work->pg, FAULT_internal);
    /* What is of no manager names nobody's data. */
    const Audit__Event *event =
        strcmp(manager, "*") == 0
            ? NULL
            : record_uncover(arena, manager, service, instance, (uint32_t)pg_get_integer(rows, row, 4),
                  (uint64_t)pg_get_integer(rows, row, 5), pg_get_bytes(rows, row, 9));
    if (!event)
        return; /* nor can the records of a manager that ended be read by anybody */
    struct touch_row touch = touch_of(tokens, rows, row, arena, event);
    if (!touch.act || !touch.outcome)
        return pg_fail(work->pg, FAULT_internal);
    bool done = strcmp(touch.outcome, "done") == 0;
    bool opens = done && analysis_opens(touch.act), closes = done && analysis_closes(touch.act);
    bool looked_at = touch.account || analysis_looks_at_service(touch.act);
    if (!opens && !closes && !looked_at)
        return;
    pg_set_manager(work->pg, manager);
    if ((opens || closes) && touch.reason) {
        struct touch_row cause = touch;
        cause.subject = token_of(tokens, manager, TOKEN_SUBJECT, event->subject, strcspn(event->subject, " "));
        cause_put(work->pg, &cause, opens);
    }
    if (looked_at)
        touches_put(work->pg, tokens, &touch, event->subject);
}

int analysis_walk(struct work *work)
{
    struct log_walk walk;
    struct record_tokens tokens = {0};
    bool free = false;
    struct arena *record = work_begin(work, "*") ? arena_new(RECORD_BYTES) : NULL;
    if (!record) {
        pg_rollback(work->pg);
        return -1;
    }
    PGresult *rows = log_walk_take(work->pg, &walk, &free, &work->fault) && free
                         ? log_walk_list(work->pg, &walk, WALK_RECORDS, &work->fault)
                         : NULL;
    int count = rows ? PQntuples(rows) : -1;
    for (int row = 0; row < count; row++) {
        record_take(work, &tokens, record, rows, row);
        arena_reset(record);
    }
    arena_free(record);
    record_tokens_fini(&tokens);
    if (count > 0)
        log_walk_put(
            work->pg, &(struct log_walk){pg_get_integer(rows, count - 1, 0), pg_get_integer(rows, count - 1, 1)});
    PQclear(rows);
    if (count <= 0) {
        pg_rollback(work->pg);
        return count;
    }
    return work_commit(work, NULL) == OUTCOME_DONE ? count : -1;
}
