#include "intermediate/gateway_store.h"

#include <stdio.h>
#include <string.h>

#include "chassis/cover.h"

static const struct covered_column covered_columns[] = {
    {"inquiry", "permit", "intermediate.inquiry", "t.id::text"},
    {"code", "covered", "intermediate.code", "t.gateway_id"},
    {"acquisition", "covered", "intermediate.acquisition", "t.gateway_id"},
    {"exchange_record", "cause", "intermediate.exchange_record", "t.id::text"},
};

const struct key_columns gateway_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static void text_copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* --- the queue ---------------------------------------------------------------------------------------------------- */

static const char lease_sql[] =
    "WITH first AS ("
    "  SELECT manager FROM intermediate.inquiry_queue WHERE lane = $1 AND due_at <= now() AND lease_until <= now()"
    "  ORDER BY due_at LIMIT 1"
    "), due AS ("
    "  SELECT q.id FROM intermediate.inquiry_queue q JOIN first f ON q.manager = f.manager"
    "  WHERE q.lane = $1 AND q.due_at <= now() AND q.lease_until <= now()"
    "  ORDER BY q.due_at LIMIT $2::int FOR UPDATE OF q SKIP LOCKED"
    ") UPDATE intermediate.inquiry_queue q"
    "  SET lease_until = now() + $3::bigint * interval '1 millisecond', attempt = q.attempt + 1"
    "  FROM due WHERE q.id = due.id RETURNING q.id::text, q.manager, q.attempt, q.polls, q.failures";

int gateway_lease(struct work *work, const char *lane, int max, int64_t lease_ms, struct inquiry *leased)
{
    PGresult *result =
        pg_query(work->pg, lease_sql, &work->fault, PG_VALUES(pg_text(lane), pg_integer(max), pg_integer(lease_ms)));
    int count = result ? PQntuples(result) : 0;
    for (int i = 0; i < count; i++) {
        leased[i] = (struct inquiry){.attempt = (int)pg_get_integer(result, i, 2),
            .polls = (int)pg_get_integer(result, i, 3),
            .failures = (int)pg_get_integer(result, i, 4)};
        text_copy(leased[i].id, sizeof leased[i].id, pg_get_text(result, i, 0, work->arena));
        text_copy(leased[i].manager, sizeof leased[i].manager, pg_get_text(result, i, 1, work->arena));
    }
    PQclear(result);
    return count;
}

static const char queue_put_sql[] =
    "INSERT INTO intermediate.inquiry_queue (id, manager, lane) VALUES ($1::uuid, $2, $3)";

void gateway_queue_put(struct work *work, const struct inquiry *inquiry, const char *lane)
{
    pg_queue(work->pg, queue_put_sql, PG_VALUES(pg_text(inquiry->id), pg_text(inquiry->manager), pg_text(lane)));
}

static const char queue_move_sql[] =
    "UPDATE intermediate.inquiry_queue SET lane = $3, due_at = now() + $4::bigint * interval '1 millisecond',"
    " lease_until = '-infinity', polls = $5::int, failures = $6::int WHERE id = $1::uuid AND attempt = $2::int";

void gateway_move_put(struct work *work, const struct inquiry *leased, const char *lane, int64_t due_in_ms)
{
    pg_queue_exactly(work->pg, queue_move_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(leased->id), pg_integer(leased->attempt), pg_text(lane), pg_integer(due_in_ms),
            pg_integer(leased->polls), pg_integer(leased->failures)));
}

static const char queue_remove_sql[] =
    "DELETE FROM intermediate.inquiry_queue WHERE id = $1::uuid AND attempt = $2::int";

void gateway_queue_remove_put(struct work *work, const struct inquiry *leased)
{
    pg_queue_exactly(work->pg, queue_remove_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(leased->id), pg_integer(leased->attempt)));
}

/* --- inquiries ---------------------------------------------------------------------------------------------------- */

static const char inquiry_put_sql[] =
    "INSERT INTO intermediate.inquiry (manager, id, application, programme, gateway_id, provider, affair, item, state)"
    " VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9)";

void gateway_inquiry_put(struct work *work, const struct inquiry *inquiry)
{
    pg_queue(work->pg, inquiry_put_sql,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id), pg_text(inquiry->application),
            pg_text(inquiry->programme), pg_text(inquiry->gateway_id), pg_text(inquiry->provider),
            pg_text(inquiry->affair), pg_text(inquiry->item), pg_text(gateway_state_text(inquiry->state))));
}

static struct cover_place permit_place(const struct inquiry *inquiry)
{
    return (struct cover_place){"intermediate.inquiry", inquiry->manager, inquiry->id};
}

static struct cover_place code_place(const char *manager, const char *gateway_id)
{
    return (struct cover_place){"intermediate.code", manager, gateway_id};
}

static struct cover_place acquisition_place(const char *manager, const char *gateway_id)
{
    return (struct cover_place){"intermediate.acquisition", manager, gateway_id};
}

static const char inquiry_state_sql[] =
    "UPDATE intermediate.inquiry SET state = $4, outcome = $5, permit = $6, processing_number = $7,"
    " asked_at = CASE WHEN $8::bigint > 0 THEN to_timestamp($8::bigint / 1000.0) END,"
    " state_since = CASE WHEN state = $4 THEN state_since ELSE now() END"
    " WHERE manager = $1 AND id = $2::uuid AND state = $3";

bool gateway_state_put(struct work *work, const struct inquiry *inquiry, enum inquiry_state from)
{
    struct pg_value permit = pg_text(NULL);
    if (inquiry->state == INQUIRY_PERMITTED) {
        struct bytes covered = cover_put(work->arena, permit_place(inquiry), inquiry->permit, strlen(inquiry->permit));
        if (!covered.data)
            return fault_set(&work->fault, FAULT_internal, NULL);
        permit = pg_bytes(covered.data, covered.len);
    }
    pg_queue_exactly(work->pg, inquiry_state_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id), pg_text(gateway_state_text(from)),
            pg_text(gateway_state_text(inquiry->state)), pg_text(inquiry->outcome), permit,
            pg_text(inquiry->processing_number), pg_integer(inquiry->asked_at_ms)));
    return true;
}

static const char inquiry_remove_sql[] = "DELETE FROM intermediate.inquiry WHERE manager = $1 AND id = $2::uuid";

void gateway_inquiry_remove_put(struct work *work, const struct inquiry *inquiry)
{
    pg_queue(work->pg, inquiry_remove_sql, PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id)));
}

static const char inquiries_read_sql[] =
    "SELECT i.id::text, i.application, i.programme, i.gateway_id, i.provider, i.affair, i.item, i.state, i.outcome,"
    " i.processing_number, i.permit, (extract(epoch FROM i.state_since) * 1000)::bigint,"
    " coalesce(extract(epoch FROM i.asked_at) * 1000, 0)::bigint, c.covered, a.covered, a.id::text"
    " FROM intermediate.inquiry i"
    " LEFT JOIN intermediate.code c ON c.manager = i.manager AND c.gateway_id = i.gateway_id"
    " LEFT JOIN intermediate.acquisition a ON a.manager = i.manager AND a.gateway_id = i.gateway_id"
    " WHERE i.manager = $1 AND i.id = ANY ($2::uuid[])";

/* The text under a cover, or NULL where the column is; *opened becomes false when it cannot be opened. */
static const char *covered_text(
    struct work *work, struct cover_place place, const PGresult *result, int row, int column, bool *opened)
{
    struct bytes covered = pg_get_bytes(result, row, column);
    if (!covered.data)
        return NULL;
    struct bytes plain = cover_take(work->arena, place, covered.data, covered.len);
    char *text = plain.data ? arena_text(work->arena, plain.data, plain.len) : NULL;
    *opened = *opened && text;
    return text;
}

static bool inquiry_fill(struct work *work, const PGresult *result, int row, struct inquiry *inquiry)
{
    bool opened = true;
    inquiry->application = pg_get_text(result, row, 1, work->arena);
    inquiry->programme = pg_get_text(result, row, 2, work->arena);
    inquiry->gateway_id = pg_get_text(result, row, 3, work->arena);
    inquiry->provider = pg_get_text(result, row, 4, work->arena);
    inquiry->affair = pg_get_text(result, row, 5, work->arena);
    inquiry->item = pg_get_text(result, row, 6, work->arena);
    inquiry->state = gateway_state_parse(pg_get_text(result, row, 7, work->arena));
    inquiry->outcome = pg_get_text(result, row, 8, work->arena);
    inquiry->processing_number = pg_get_text(result, row, 9, work->arena);
    inquiry->permit = covered_text(work, permit_place(inquiry), result, row, 10, &opened);
    inquiry->state_since_ms = pg_get_integer(result, row, 11);
    inquiry->asked_at_ms = pg_get_integer(result, row, 12);
    inquiry->code = covered_text(work, code_place(inquiry->manager, inquiry->gateway_id), result, row, 13, &opened);
    inquiry->acquisition_number =
        covered_text(work, acquisition_place(inquiry->manager, inquiry->gateway_id), result, row, 14, &opened);
    text_copy(inquiry->acquisition, sizeof inquiry->acquisition, pg_get_text(result, row, 15, work->arena));
    return opened || fault_set(&work->fault, FAULT_internal, "cover");
}

bool gateway_inquiries_read(struct work *work, struct inquiry *inquiries, int count)
{
    char ids[INQUIRY_LEASE_MAX * 37 + 2], *at = ids;
    for (int i = 0; i < count; i++)
        at += sprintf(at, "%c%s", i ? ',' : '{', inquiries[i].id);
    strcpy(at, "}");
    PGresult *result =
        pg_query(work->pg, inquiries_read_sql, &work->fault, PG_VALUES(pg_text(inquiries[0].manager), pg_text(ids)));
    bool read = result != NULL;
    int found = 0;
    for (int row = 0; read && row < PQntuples(result); row++) {
        const char *id = pg_get_text(result, row, 0, work->arena);
        for (int i = 0; read && i < count; i++)
            if (id && strcmp(inquiries[i].id, id) == 0) {
                read = inquiry_fill(work, result, row, &inquiries[i]);
                found++;
            }
    }
    PQclear(result);
    return read && (found == count || fault_set(&work->fault, FAULT_not_found, "inquiry"));
}

/* --- codes and 取得番号 ---------------------------------------------------------------------------------------------
 */

static const char code_exists_sql[] = "SELECT 1 FROM intermediate.code WHERE manager = $1 AND gateway_id = $2";

bool code_exists(struct work *work, const char *manager, const char *gateway_id, bool *exists)
{
    PGresult *result =
        pg_query(work->pg, code_exists_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(gateway_id)));
    *exists = result && PQntuples(result) == 1;
    PQclear(result);
    return result != NULL;
}

static const char code_put_sql[] =
    "INSERT INTO intermediate.code (manager, gateway_id, covered) VALUES ($1, $2, $3)"
    " ON CONFLICT (manager, gateway_id) DO NOTHING";

bool code_put(struct work *work, const struct inquiry *inquiry)
{
    struct bytes covered =
        cover_put(work->arena, code_place(inquiry->manager, inquiry->gateway_id), inquiry->code, strlen(inquiry->code));
    if (!covered.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    pg_queue(work->pg, code_put_sql,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->gateway_id), pg_bytes(covered.data, covered.len)));
    acquisition_remove_put(work, inquiry);
    return true;
}

static const char acquisition_remove_sql[] =
    "DELETE FROM intermediate.acquisition WHERE manager = $1 AND gateway_id = $2";

void acquisition_remove_put(struct work *work, const struct inquiry *inquiry)
{
    pg_queue(work->pg, acquisition_remove_sql, PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->gateway_id)));
}

static const char acquisition_put_sql[] =
    "INSERT INTO intermediate.acquisition (manager, gateway_id, id, covered) VALUES ($1, $2, $3::uuid, $4)"
    " ON CONFLICT (manager, gateway_id) DO NOTHING";

bool acquisition_put(struct work *work, const char *manager, const char *gateway_id, const char *id, const char *number)
{
    struct bytes covered = cover_put(work->arena, acquisition_place(manager, gateway_id), number, strlen(number));
    if (!covered.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    pg_queue(work->pg, acquisition_put_sql,
        PG_VALUES(pg_text(manager), pg_text(gateway_id), pg_text(id), pg_bytes(covered.data, covered.len)));
    return true;
}

/* --- records of provision ----------------------------------------------------------------------------------------- */

/* Seven years: 番号法施行令30条. The application is covered: in clear it would join the gateway's person with a roll's
 * by intake's trail (NUM-1). */
static const char exchange_record_sql[] =
    "INSERT INTO intermediate.exchange_record (manager, id, cause, gateway_id, inquirer, provider, affair, item,"
    " processing_number, asked_at, provided_at, outcome, keep_until) VALUES ($1, $2::uuid, $3, $4, $1, $5, $6, $7, $8,"
    " CASE WHEN $9::bigint > 0 THEN to_timestamp($9::bigint / 1000.0) ELSE now() END,"
    " CASE WHEN $10::bigint > 0 THEN to_timestamp($10::bigint / 1000.0) END,"
    " $11, (now() + interval '7 years')::date)";

void exchange_record_put(struct work *work, const struct inquiry *inquiry, int64_t provided_at_ms)
{
    const struct cover_place place = {"intermediate.exchange_record", inquiry->manager, inquiry->id};
    struct bytes cause = cover_put(work->arena, place, inquiry->application, strlen(inquiry->application));
    if (!cause.data) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    pg_queue(work->pg, exchange_record_sql,
        PG_VALUES(pg_text(inquiry->manager), pg_text(inquiry->id), pg_bytes(cause.data, cause.len),
            pg_text(inquiry->gateway_id), pg_text(inquiry->provider), pg_text(inquiry->affair), pg_text(inquiry->item),
            pg_text(inquiry->processing_number), pg_integer(inquiry->asked_at_ms), pg_integer(provided_at_ms),
            pg_text(inquiry->outcome)));
}
