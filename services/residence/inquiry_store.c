#include "residence/inquiry_store.h"

#include <stdio.h>
#include <string.h>

#include "chassis/cover.h"
#include "chassis/second_person.h"

#define TABLE_PASSING "residence.passing"

static const struct covered_column covered_columns[] = {
    PROPOSAL_COLUMNS,
    {"passing", "covered", "residence.passing", "t.id::text || ' ' || t.kind"},
};

const struct key_columns inquiry_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static void text_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* --- the queue ---------------------------------------------------------------------------------------------------- */

static const char lease_sql[] =
    "WITH first AS ("
    "  SELECT manager FROM residence.inquiry_queue WHERE lane = $1 AND due_at <= now() AND lease_until <= now()"
    "  ORDER BY due_at LIMIT 1"
    "), due AS ("
    "  SELECT q.id FROM residence.inquiry_queue q JOIN first f ON q.manager = f.manager"
    "  WHERE q.lane = $1 AND q.due_at <= now() AND q.lease_until <= now()"
    "  ORDER BY q.due_at LIMIT $2::int FOR UPDATE OF q SKIP LOCKED"
    ") UPDATE residence.inquiry_queue q"
    "  SET lease_until = now() + $3::bigint * interval '1 millisecond', attempt = q.attempt + 1"
    "  FROM due WHERE q.id = due.id RETURNING q.id::text, q.manager, q.attempt";

int inquiry_lease(struct work *work, const char *lane, int max, int64_t lease_ms, struct inquiry *leased)
{
    PGresult *result =
        pg_query(work->pg, lease_sql, &work->fault, PG_VALUES(pg_text(lane), pg_integer(max), pg_integer(lease_ms)));
    int count = result ? PQntuples(result) : 0;
    for (int i = 0; i < count; i++) {
        leased[i] = (struct inquiry){.attempt = (int)pg_get_integer(result, i, 2), .outcome = ""};
        text_copy(leased[i].id, sizeof leased[i].id, pg_get_text(result, i, 0, work->arena));
        text_copy(leased[i].manager, sizeof leased[i].manager, pg_get_text(result, i, 1, work->arena));
    }
    PQclear(result);
    return count;
}

static const char queue_put_sql[] =
    "INSERT INTO residence.inquiry_queue (id, manager, lane, due_at)"
    " VALUES ($1::uuid, $2, $3, now() + $4::bigint * interval '1 millisecond') ON CONFLICT (id) DO NOTHING";

void inquiry_queue_put(struct work *work, const char *id, const char *manager, const char *lane, int64_t due_in_ms)
{
    pg_queue(work->pg, queue_put_sql, PG_VALUES(pg_text(id), pg_text(manager), pg_text(lane), pg_integer(due_in_ms)));
}

static const char queue_move_sql[] =
    "UPDATE residence.inquiry_queue SET lane = $3, due_at = now() + $4::bigint * interval '1 millisecond',"
    " lease_until = '-infinity' WHERE id = $1::uuid AND attempt = $2::int";

void inquiry_move_put(struct work *work, const struct inquiry *leased, const char *lane, int64_t due_in_ms)
{
    pg_queue_exactly(work->pg, queue_move_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(leased->id), pg_integer(leased->attempt), pg_text(lane), pg_integer(due_in_ms)));
}

static const char queue_remove_sql[] = "DELETE FROM residence.inquiry_queue WHERE id = $1::uuid AND attempt = $2::int";

void inquiry_remove_put(struct work *work, const struct inquiry *leased)
{
    pg_queue_exactly(work->pg, queue_remove_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(leased->id), pg_integer(leased->attempt)));
}

/* --- inquiries ---------------------------------------------------------------------------------------------------- */

static const char inquiry_put_sql[] =
    "INSERT INTO residence.inquiry (manager, id, form, asked_by, application, programme, pseudonym, account,"
    " body) VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9)";

void inquiry_put(struct work *work, const struct inquiry *inquiry)
{
    pg_queue(work->pg, inquiry_put_sql,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id), pg_text(inquiry->instant ? "instant" : "batch"),
            pg_text(inquiry->by_items ? "four_items" : "number"), pg_text(inquiry->application),
            pg_text(inquiry->programme), pg_text(inquiry->pseudonym), pg_text(inquiry->account),
            pg_text(inquiry->body)));
}

static const char inquiry_finish_sql[] =
    "UPDATE residence.inquiry SET state = $3, outcome = $4, file = $5, finished_at = now()"
    " WHERE manager = $1 AND id = $2::uuid AND state = 'waiting'";

void inquiry_finish_put(struct work *work, const struct inquiry *inquiry, const char *file)
{
    pg_queue_exactly(work->pg, inquiry_finish_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id), pg_text(inquiry_state_text(inquiry->state)),
            pg_text(inquiry->outcome), pg_text(file)));
}

static const char inquiries_read_sql[] =
    "SELECT id::text, form = 'instant', asked_by = 'four_items', application, programme, pseudonym, account, state,"
    " outcome, body FROM residence.inquiry WHERE manager = $1 AND id = ANY ($2::uuid[])";

static void inquiry_fill(struct work *work, const PGresult *result, int row, struct inquiry *inquiry)
{
    inquiry->instant = pg_get_bool(result, row, 1);
    inquiry->by_items = pg_get_bool(result, row, 2);
    inquiry->application = pg_get_text(result, row, 3, work->arena);
    inquiry->programme = pg_get_text(result, row, 4, work->arena);
    inquiry->pseudonym = pg_get_text(result, row, 5, work->arena);
    inquiry->account = pg_get_text(result, row, 6, work->arena);
    inquiry->state = inquiry_state_parse(pg_get_text(result, row, 7, work->arena));
    inquiry->outcome = pg_get_text(result, row, 8, work->arena);
    inquiry->body = pg_get_text(result, row, 9, work->arena);
}

bool inquiries_read(struct work *work, struct inquiry *inquiries, int count)
{
    char ids[INQUIRY_LEASE_MAX * 37 + 2], *at = ids;
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%c%s", i ? ',' : '{', inquiries[i].id);
    strcpy(at, "}");
    PGresult *result =
        pg_query(work->pg, inquiries_read_sql, &work->fault, PG_VALUES(pg_text(inquiries[0].manager), pg_text(ids)));
    int found = 0;
    for (int row = 0; result && row < PQntuples(result); row++) {
        const char *id = pg_get_text(result, row, 0, work->arena);
        for (int i = 0; i < count; i++)
            if (id && strcmp(inquiries[i].id, id) == 0) {
                inquiry_fill(work, result, row, &inquiries[i]);
                found++;
            }
    }
    bool read = result != NULL;
    PQclear(result);
    return read && (found == count || fault_set(&work->fault, FAULT_not_found, "inquiry"));
}

bool inquiry_read(struct work *work, const char *manager, const char *id, struct inquiry *inquiry)
{
    *inquiry = (struct inquiry){0};
    text_copy(inquiry->manager, sizeof inquiry->manager, manager);
    text_copy(inquiry->id, sizeof inquiry->id, id);
    return inquiries_read(work, inquiry, 1);
}

/* --- what is in passing ------------------------------------------------------------------------------------------- */

static struct cover_place passing_place(struct work *work, const char *manager, const char *id, const char *kind)
{
    char *row = arena_format(work->arena, "%s %s", id, kind);
    return (struct cover_place){TABLE_PASSING, manager, row ? row : ""};
}

static const char passing_put_sql[] =
    "INSERT INTO residence.passing (manager, id, kind, covered) VALUES ($1, $2::uuid, $3, $4)"
    " ON CONFLICT (manager, id, kind) DO NOTHING";

bool passing_put(
    struct work *work, const char *manager, const char *id, const char *kind, const void *plain, size_t len)
{
    struct bytes covered = cover_put(work->arena, passing_place(work, manager, id, kind), plain, len);
    if (!covered.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    pg_queue(work->pg, passing_put_sql,
        PG_VALUES(pg_text(manager), pg_text(id), pg_text(kind), pg_bytes(covered.data, covered.len)));
    return true;
}

static const char passing_read_sql[] =
    "SELECT covered FROM residence.passing WHERE manager = $1 AND id = $2::uuid AND kind = $3";

bool passing_read(struct work *work, const char *manager, const char *id, const char *kind, struct bytes *plain)
{
    *plain = (struct bytes){0};
    PGresult *result =
        pg_query(work->pg, passing_read_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(id), pg_text(kind)));
    if (!result)
        return false;
    bool there = PQntuples(result) == 1;
    struct bytes covered = there ? pg_get_bytes(result, 0, 0) : (struct bytes){0};
    if (there)
        *plain = cover_take(work->arena, passing_place(work, manager, id, kind), covered.data, covered.len);
    PQclear(result);
    return !there || plain->data || fault_set(&work->fault, FAULT_internal, NULL);
}

static const char passing_remove_sql[] =
    "DELETE FROM residence.passing WHERE manager = $1 AND id = $2::uuid AND kind = $3";

void passing_remove_put(struct work *work, const char *manager, const char *id, const char *kind)
{
    pg_queue(work->pg, passing_remove_sql, PG_VALUES(pg_text(manager), pg_text(id), pg_text(kind)));
}
