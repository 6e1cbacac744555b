#include "legacy_sync/hand_over_store.h"

#include <string.h>

static const struct covered_column covered_columns[] = {
    {"hand_over", "content", "legacy_sync.hand_over", "t.id::text"},
};

const struct key_columns hand_over_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

/* The first column of the first row as text; NULL with FAULT_NONE where there is no row. */
static char *one_text(PGresult *result, struct arena *arena, struct fault *fault)
{
    char *text = NULL;
    if (result) {
        fault->code = FAULT_NONE;
        text = PQntuples(result) == 1 ? pg_get_text(result, 0, 0, arena) : NULL;
    }
    PQclear(result);
    return text;
}

static const char sql_hand_over_put[] =
    "INSERT INTO legacy_sync.hand_over (manager, id, programme, application, system, pseudonym, state, content) "
    "VALUES ($1, $2::uuid, $3, $4::uuid, $5, $6, $7, $8)";
static const char sql_task_put[] = "INSERT INTO legacy_sync.task (id, manager, system) VALUES ($1::uuid, $2, $3)";

void hand_over_put(struct pg *pg, const struct hand_over *h)
{
    pg_queue(pg, sql_hand_over_put,
        PG_VALUES(pg_text(h->manager), pg_text(h->id), pg_text(h->programme), pg_text(h->application),
            pg_text(h->system), pg_text(h->pseudonym), pg_text(hand_over_state_text(h->state)),
            pg_bytes(h->content.data, h->content.len)));
    pg_queue(pg, sql_task_put, PG_VALUES(pg_text(h->id), pg_text(h->manager), pg_text(h->system)));
}

static const char sql_hand_over_of_application[] =
    "SELECT id::text FROM legacy_sync.hand_over WHERE manager = $1 AND application = $2::uuid";

char *hand_over_of_application(
    struct pg *pg, struct arena *arena, const char *manager, const char *application, struct fault *fault)
{
    return one_text(
        pg_query(pg, sql_hand_over_of_application, fault, PG_VALUES(pg_text(manager), pg_text(application))), arena,
        fault);
}

static const char sql_manager_enforce[] = "SELECT pg_catalog.set_config('shikaku.manager', $1, true)";
static const char sql_hand_over_load[] =
    "SELECT id::text, manager, programme, application::text, system, pseudonym, state, content "
    "FROM legacy_sync.hand_over WHERE manager = $1 AND id = $2::uuid";

bool hand_over_load(
    struct pg *pg, struct arena *arena, const struct task *task, struct hand_over *hand_over, struct fault *fault)
{
    pg_queue(pg, sql_manager_enforce, PG_VALUES(pg_text(task->manager)));
    PGresult *result = pg_query(pg, sql_hand_over_load, fault, PG_VALUES(pg_text(task->manager), pg_text(task->id)));
    if (!result) {
        return false;
    }
    bool found = PQntuples(result) == 1;
    if (found) {
        struct bytes content = pg_get_bytes(result, 0, 7);
        *hand_over = (struct hand_over){
            .id = pg_get_text(result, 0, 0, arena),
            .manager = pg_get_text(result, 0, 1, arena),
            .programme = pg_get_text(result, 0, 2, arena),
            .application = pg_get_text(result, 0, 3, arena),
            .system = pg_get_text(result, 0, 4, arena),
            .pseudonym = pg_get_text(result, 0, 5, arena),
            .content = content.data ? arena_copy(arena, content.data, content.len) : content,
        };
        found = hand_over_state_find(pg_get_text(result, 0, 6, arena), &hand_over->state);
    }
    PQclear(result);
    return found ? true : fault_set(fault, FAULT_not_found, "hand_over");
}

static const char sql_hand_over_finish[] =
    "UPDATE legacy_sync.hand_over SET state = $3, reason = '', reference = $4, content = NULL, handed_over_at = now() "
    "WHERE manager = $1 AND id = $2::uuid AND state <> $3";
static const char sql_task_end[] = "DELETE FROM legacy_sync.task WHERE id = $1::uuid";

void hand_over_finish(struct pg *pg, const struct hand_over *h, const char *reference)
{
    pg_queue_exactly(pg, sql_hand_over_finish, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(h->manager), pg_text(h->id), pg_text(hand_over_state_text(HAND_OVER_HANDED_OVER)),
            pg_text(reference)));
    pg_queue(pg, sql_task_end, PG_VALUES(pg_text(h->id)));
}

static const char sql_hand_over_postpone[] =
    "UPDATE legacy_sync.hand_over SET state = $3, reason = $4 WHERE manager = $1 AND id = $2::uuid AND state = $5";
static const char sql_task_postpone[] =
    "UPDATE legacy_sync.task SET lease_until = NULL, due_at = clock_timestamp() + $2::int * interval '1 ms' "
    "WHERE id = $1::uuid";

void hand_over_postpone(
    struct pg *pg, const struct hand_over *h, enum hand_over_state state, const char *reason, int64_t wait_ms)
{
    pg_queue_exactly(pg, sql_hand_over_postpone, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(h->manager), pg_text(h->id), pg_text(hand_over_state_text(state)), pg_text(reason),
            pg_text(hand_over_state_text(h->state))));
    pg_queue(pg, sql_task_postpone, PG_VALUES(pg_text(h->id), pg_integer(wait_ms)));
}

static const char sql_hand_over_retry[] =
    "UPDATE legacy_sync.hand_over SET state = 'waiting', reason = '' "
    "WHERE manager = $1 AND id = $2::uuid AND state = 'asking_person'";
static const char sql_task_retry[] =
    "UPDATE legacy_sync.task SET attempt = 0, due_at = clock_timestamp() WHERE id = $1::uuid";

void hand_over_retry(struct pg *pg, const char *manager, const char *id)
{
    pg_queue(pg, sql_hand_over_retry, PG_VALUES(pg_text(manager), pg_text(id)));
    pg_queue(pg, sql_task_retry, PG_VALUES(pg_text(id)));
}

static const char sql_task_lease[] =
    "UPDATE legacy_sync.task SET lease_until = clock_timestamp() + $2::int * interval '1 ms', attempt = attempt + 1 "
    "WHERE id = (SELECT t.id FROM legacy_sync.task t WHERE t.system = $1 AND t.due_at <= clock_timestamp() "
    "AND (t.lease_until IS NULL OR t.lease_until < clock_timestamp()) ORDER BY t.due_at LIMIT 1 "
    "FOR UPDATE SKIP LOCKED) RETURNING id::text, manager, attempt";

bool task_lease(
    struct pg *pg, struct arena *arena, const char *system, int64_t lease_ms, struct task *task, struct fault *fault)
{
    PGresult *result = pg_query(pg, sql_task_lease, fault, PG_VALUES(pg_text(system), pg_integer(lease_ms)));
    if (!result) {
        return false;
    }
    fault->code = FAULT_NONE;
    bool found = PQntuples(result) == 1;
    if (found) {
        *task = (struct task){.id = pg_get_text(result, 0, 0, arena),
            .manager = pg_get_text(result, 0, 1, arena),
            .attempt = (int)pg_get_integer(result, 0, 2)};
    }
    PQclear(result);
    return found;
}

static const char sql_reading_lease[] =
    "UPDATE legacy_sync.reading SET lease_until = clock_timestamp() + $2::int * interval '1 ms' "
    "WHERE system = (SELECT r.system FROM legacy_sync.reading r WHERE r.system = $1 AND r.due_at <= clock_timestamp() "
    "AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp()) FOR UPDATE SKIP LOCKED) RETURNING after_number";

bool reading_lease(struct pg *pg, const char *system, int64_t lease_ms, int64_t *after, struct fault *fault)
{
    PGresult *result = pg_query(pg, sql_reading_lease, fault, PG_VALUES(pg_text(system), pg_integer(lease_ms)));
    if (!result) {
        return false;
    }
    fault->code = FAULT_NONE;
    bool due = PQntuples(result) == 1;
    if (due) {
        *after = pg_get_integer(result, 0, 0);
    }
    PQclear(result);
    return due;
}

static const char sql_reading_advance[] =
    "UPDATE legacy_sync.reading SET lease_until = NULL, due_at = clock_timestamp() + $3::int * interval '1 ms', "
    "after_number = greatest(after_number, $2::bigint) WHERE system = $1";

void reading_advance(struct pg *pg, const char *system, int64_t after, int64_t wait_ms)
{
    pg_queue(pg, sql_reading_advance, PG_VALUES(pg_text(system), pg_integer(after), pg_integer(wait_ms)));
}

static const char sql_programme_of_pseudonym[] =
    "SELECT programme FROM legacy_sync.hand_over WHERE manager = $1 AND pseudonym = $2 AND system = $3 "
    "ORDER BY accepted_at DESC LIMIT 1";

char *programme_of_pseudonym(struct pg *pg, struct arena *arena, const char *manager, const char *system,
    const char *pseudonym, struct fault *fault)
{
    return one_text(pg_query(pg, sql_programme_of_pseudonym, fault,
                        PG_VALUES(pg_text(manager), pg_text(pseudonym), pg_text(system))),
        arena, fault);
}

static const char sql_given_back_put[] =
    "INSERT INTO legacy_sync.given_back (manager, system, copy, pseudonym, state) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (manager, system, copy) DO NOTHING RETURNING copy";

bool given_back_put(struct pg *pg, const char *manager, const char *system, const char *copy, const char *pseudonym,
    bool known, struct fault *fault)
{
    PGresult *result = pg_query(pg, sql_given_back_put, fault,
        PG_VALUES(pg_text(manager), pg_text(system), pg_text(copy), pg_text(pseudonym),
            pg_text(known ? "taken" : "unknown_pseudonym")));
    bool fresh = result && PQntuples(result) == 1;
    if (result) {
        fault->code = FAULT_NONE;
    }
    PQclear(result);
    return fresh;
}
