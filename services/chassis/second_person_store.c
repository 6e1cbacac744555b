#include "chassis/second_person.h"

#include "chassis/cover.h"
#include "chassis/exchange_store.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define SQL_BYTES 1024
#define ABOUT_MAX 64

/* Another's proposal before one's own: two who propose at the same time agree. */
static const char find_form[] =
    "SELECT proposed_by FROM @.proposal WHERE manager = $1 AND request_sha256 = $2 AND approved_at IS NULL "
    "AND closed_at IS NULL AND lapses_at > now() ORDER BY proposed_by = $3, proposed_at LIMIT 1 FOR UPDATE";
static const char agree_form[] =
    "UPDATE @.proposal SET approved_by = $3, approved_at = now(), content = NULL WHERE manager = $1 "
    "AND request_sha256 = $2 AND approved_at IS NULL AND closed_at IS NULL AND lapses_at > now() AND proposed_by <> $3";
static const char approve_form[] =
    "UPDATE @.proposal SET approved_by = $3, approved_at = now(), content = NULL WHERE manager = $1 "
    "AND proposal = $2::uuid AND approved_at IS NULL AND closed_at IS NULL AND lapses_at > now() AND proposed_by <> $3";
static const char close_form[] =
    "UPDATE @.proposal SET closed_by = $3, closed_at = now(), content = NULL, reason = $4 WHERE manager = $1 "
    "AND proposal = $2::uuid AND approved_at IS NULL AND closed_at IS NULL AND lapses_at > now()";
static const char keep_form[] =
    "INSERT INTO @.proposal (manager, proposal, request_sha256, route, about, programme, body, content, proposed_by, "
    "lapses_at) SELECT $1, $2::uuid, $3, $4, $5, $6, $7, $8, $9, now() + $10::bigint * interval '1 second' WHERE NOT "
    "EXISTS (SELECT 1 FROM @.proposal o WHERE o.manager = $1 AND o.request_sha256 = $3 AND o.approved_at IS NULL "
    "AND o.closed_at IS NULL AND o.lapses_at > now() AND o.proposed_by = $9)";
static const char lapsed_form[] =
    "UPDATE @.proposal SET content = NULL WHERE manager = $1 AND content IS NOT NULL AND lapses_at <= now()";
static const char list_form[] =
    "SELECT proposal::text, route, about, CASE WHEN approved_by IS NOT NULL THEN 'approved' WHEN closed_by = "
    "proposed_by THEN 'withdrawn' WHEN closed_by IS NOT NULL THEN 'turned_down' WHEN lapses_at <= now() THEN 'lapsed' "
    "ELSE 'open' END, programme, body, proposed_by, coalesce(approved_by, closed_by, ''), "
    "(extract(epoch FROM proposed_at) * 1000)::bigint, (extract(epoch FROM lapses_at) * 1000)::bigint, "
    "(extract(epoch FROM coalesce(approved_at, closed_at)) * 1000)::bigint, reason, "
    "CASE WHEN $3 <> '' AND lapses_at > now() THEN content END FROM @.proposal WHERE manager = $1 "
    "AND (NOT $2::boolean OR approved_at IS NULL AND closed_at IS NULL AND lapses_at > now()) "
    "AND ($3 = '' OR proposal = nullif($3, '')::uuid) ORDER BY proposed_at DESC LIMIT 200";

static char find_sql[SQL_BYTES], agree_sql[SQL_BYTES], approve_sql[SQL_BYTES], close_sql[SQL_BYTES],
    keep_sql[SQL_BYTES], lapsed_sql[SQL_BYTES], list_sql[SQL_BYTES];

void proposals_open(void)
{
    exchange_sql_complete(find_sql, SQL_BYTES, find_form);
    exchange_sql_complete(agree_sql, SQL_BYTES, agree_form);
    exchange_sql_complete(approve_sql, SQL_BYTES, approve_form);
    exchange_sql_complete(close_sql, SQL_BYTES, close_form);
    exchange_sql_complete(keep_sql, SQL_BYTES, keep_form);
    exchange_sql_complete(lapsed_sql, SQL_BYTES, lapsed_form);
    exchange_sql_complete(list_sql, SQL_BYTES, list_form);
}

/* --- judging --- */

static struct pg_value request_of(const struct work *work)
{
    return pg_bytes(work->state->request_sha256, sizeof work->state->request_sha256);
}

/* Has another proposed the same? Otherwise it is this person's proposal. */
static bool another_proposed(struct work *work)
{
    const char *person = work->actor->account;
    PGresult *row = pg_query(
        work->pg, find_sql, &work->fault, PG_VALUES(pg_text(work->actor->manager), request_of(work), pg_text(person)));
    if (!row)
        return false;
    bool proposed = PQntuples(row) == 1 && strcmp(PQgetvalue(row, 0, 0), person) != 0;
    PQclear(row);
    work->state->proposing = !proposed;
    return proposed || fault_set(&work->fault, FAULT_approval_needed, NULL);
}

bool second_person_lets_act(struct work *work)
{
    const struct work_state *state = work->state;
    const char *programme = state->permitted && *state->programme ? state->programme : NULL;
    if (!work->actor || *state->approving || !rights_need_two(work->actor, state->right, state->purpose, programme))
        return true;
    if (!pg_ensure(work->pg, &work->fault))
        return false;
    snprintf(work->state->manager, sizeof work->state->manager, "%s", work->actor->manager);
    pg_begin(work->pg, work->actor->manager);
    bool proposed = another_proposed(work);
    pg_rollback(work->pg);
    return proposed;
}

bool second_person_agrees(struct work *work)
{
    const struct work_state *state = work->state;
    const char *manager = state->manager, *person = work->actor->account;
    if (*state->approving) {
        pg_queue_exactly(work->pg, approve_sql, 1, FAULT_proposal_decided,
            PG_VALUES(pg_text(manager), pg_text(state->approving), pg_text(person)));
        return true;
    }
    if (!state->two_persons)
        return true;
    if (!another_proposed(work))
        return false;
    pg_queue(work->pg, agree_sql, PG_VALUES(pg_text(manager), request_of(work), pg_text(person)));
    return true;
}

/* --- keeping --- */

/* By what the request names its object: an id, no sentence. */
static const char *about_find(const struct work *work)
{
    static const char *const names[] = {
        "receipt", "application", "account", "correction", "terminal", "loan", "finding", "incident"};
    for (size_t i = 0; work->request && i < sizeof names / sizeof *names; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(work->request->descriptor, names[i]);
        if (!field || field->type != PROTOBUF_C_TYPE_STRING || field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        const char *id = *(char *const *)((const char *)work->request + field->offset);
        if (*id && strlen(id) <= ABOUT_MAX)
            return id;
    }
    return "";
}

static struct cover_place content_place(const char *manager, const char *proposal)
{
    return (struct cover_place){"proposal.content", manager, proposal};
}

void proposal_keep(struct work *work)
{
    const struct work_state *state = work->state;
    const char *manager = work->actor->manager;
    char proposal[37];
    uuid_make(proposal);
    struct bytes content = cover_put(
        work->arena, content_place(manager, proposal), work->envelope->payload.data, work->envelope->payload.len);
    if (!content.data) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    pg_queue(work->pg, lapsed_sql, PG_VALUES(pg_text(manager)));
    pg_queue(work->pg, keep_sql,
        PG_VALUES(pg_text(manager), pg_text(proposal), request_of(work), pg_text(route_row(state->route)->name),
            pg_text(about_find(work)), pg_text(state->programme), pg_text(state->body),
            pg_bytes(content.data, content.len), pg_text(work->actor->account),
            pg_integer(setting_number("SHIKAKU_PROPOSAL_DAYS") * DAY_SECONDS)));
}

void proposal_close(struct work *work, const char *proposal, const char *by, const char *reason)
{
    const struct cover_place place = {"proposal.reason", work->state->manager, proposal};
    struct bytes covered = {NULL, 0};
    if (*reason && !(covered = cover_put(work->arena, place, reason, strlen(reason))).data) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    pg_queue_exactly(work->pg, close_sql, 1, FAULT_proposal_decided,
        PG_VALUES(pg_text(work->state->manager), pg_text(proposal), pg_text(by), pg_bytes(covered.data, covered.len)));
}

/* --- reading --- */

static bool covered_read(
    struct work *work, struct cover_place place, const PGresult *rows, int row, int column, struct bytes *plain)
{
    *plain = (struct bytes){NULL, 0};
    if (pg_is_null(rows, row, column))
        return true;
    struct bytes covered = pg_get_bytes(rows, row, column);
    *plain = cover_take(work->arena, place, covered.data, covered.len);
    return plain->data || fault_set(&work->fault, cover_refusal(covered.data, covered.len), "proposal");
}

static bool proposal_read(struct work *work, const PGresult *rows, int row, Proposal__Proposal *one)
{
    struct arena *arena = work->arena;
    struct bytes reason, content;
    proposal__proposal__init(one);
    char **const texts[] = {&one->proposal, &one->act, &one->about, &one->state, &one->programme, &one->body,
        &one->proposed_by, &one->decided_by};
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts); i++)
        if (!(*texts[i] = pg_get_text(rows, row, i, arena)))
            return fault_set(&work->fault, FAULT_internal, NULL);
    one->proposed_at_ms = pg_get_integer(rows, row, 8);
    one->lapses_at_ms = pg_get_integer(rows, row, 9);
    one->decided_at_ms = pg_get_integer(rows, row, 10);
    if (!covered_read(work, (struct cover_place){"proposal.reason", work->state->manager, one->proposal}, rows, row, 11,
            &reason) ||
        !covered_read(work, content_place(work->state->manager, one->proposal), rows, row, 12, &content))
        return false;
    one->request = (ProtobufCBinaryData){content.len, content.data};
    if (reason.data && !(one->reason = arena_text(arena, (const char *)reason.data, reason.len)))
        return fault_set(&work->fault, FAULT_internal, NULL);
    return true;
}

bool proposals_read(struct work *work, bool open_alone, const char *proposal, Proposal__Proposal ***list, size_t *count)
{
    pg_queue(work->pg, lapsed_sql, PG_VALUES(pg_text(work->state->manager)));
    PGresult *rows = pg_query(work->pg, list_sql, &work->fault,
        PG_VALUES(pg_text(work->state->manager), pg_integer(open_alone), pg_text(proposal)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *list = arena_take(work->arena, (*count + 1) * sizeof **list);
    Proposal__Proposal *all = arena_take(work->arena, (*count + 1) * sizeof *all);
    bool good = rows && ((*list && all) || fault_set(&work->fault, FAULT_internal, NULL));
    for (size_t i = 0; i < *count && good; i++) {
        (*list)[i] = &all[i];
        good = proposal_read(work, rows, (int)i, &all[i]);
    }
    PQclear(rows);
    return good;
}
