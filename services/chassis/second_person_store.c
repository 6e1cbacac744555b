#include "chassis/second_person.h"

#include "chassis/exchange_store.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"

#include <string.h>

#define DAY_SECONDS 86400
#define SQL_BYTES 512

/* Another's proposal before one's own: two who propose at the same time agree. */
static const char find_form[] =
    "SELECT proposed_by FROM @.proposal WHERE manager = $1 AND request_sha256 = $2 AND approved_at IS NULL "
    "AND lapses_at > now() ORDER BY proposed_by = $3, proposed_at LIMIT 1 FOR UPDATE";

static const char agree_form[] =
    "UPDATE @.proposal SET approved_by = $3, approved_at = now() WHERE manager = $1 AND request_sha256 = $2 "
    "AND approved_at IS NULL AND lapses_at > now() AND proposed_by <> $3";

static struct pg_value request_of(const struct work *work)
{
    return pg_bytes(work->state->request_sha256, sizeof work->state->request_sha256);
}

bool second_person_agrees(struct work *work)
{
    char find[SQL_BYTES], agree[SQL_BYTES];
    const char *manager = work->state->manager, *person = work->actor->account;
    exchange_sql_complete(find, sizeof find, find_form);
    PGresult *row =
        pg_query(work->pg, find, &work->fault, PG_VALUES(pg_text(manager), request_of(work), pg_text(person)));
    if (!row)
        return false;
    bool proposed = PQntuples(row) == 1 && strcmp(PQgetvalue(row, 0, 0), person) != 0;
    PQclear(row);
    work->state->proposing = !proposed;
    if (!proposed)
        return fault_set(&work->fault, FAULT_approval_needed, NULL);
    exchange_sql_complete(agree, sizeof agree, agree_form);
    pg_queue(work->pg, agree, PG_VALUES(pg_text(manager), request_of(work), pg_text(person)));
    return true;
}

static const char keep_form[] =
    "INSERT INTO @.proposal (manager, request_sha256, route, about, proposed_by, lapses_at) "
    "SELECT $1, $2, $3, $4, $5, now() + $6::bigint * interval '1 second' WHERE NOT EXISTS (SELECT 1 FROM @.proposal o "
    "WHERE o.manager = $1 AND o.request_sha256 = $2 AND o.approved_at IS NULL AND o.lapses_at > now() "
    "AND o.proposed_by = $5)";

/* By what the request names its object. */
static const char *about_find(const struct work *work)
{
    static const char *const names[] = {"receipt", "application"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(work->request->descriptor, names[i]);
        if (field && field->type == PROTOBUF_C_TYPE_STRING && field->label != PROTOBUF_C_LABEL_REPEATED)
            return *(char *const *)((const char *)work->request + field->offset);
    }
    return "";
}

void proposal_keep(struct work *work)
{
    char keep[SQL_BYTES];
    exchange_sql_complete(keep, sizeof keep, keep_form);
    pg_queue(work->pg, keep,
        PG_VALUES(pg_text(work->state->manager), request_of(work), pg_text(route_row(work->state->route)->name),
            pg_text(about_find(work)), pg_text(work->actor->account),
            pg_integer(setting_number("SHIKAKU_PROPOSAL_DAYS") * DAY_SECONDS)));
}

static const char list_form[] =
    "SELECT proposal::text, route, about, proposed_by, coalesce(approved_by, ''), "
    "(extract(epoch FROM proposed_at) * 1000)::bigint, (extract(epoch FROM lapses_at) * 1000)::bigint, "
    "(extract(epoch FROM approved_at) * 1000)::bigint FROM @.proposal "
    "WHERE manager = $1 AND (NOT $2::boolean OR approved_at IS NULL AND lapses_at > now()) "
    "ORDER BY proposed_at DESC LIMIT 200";

bool proposals_read(struct work *work, bool open_alone, struct proposal **list, size_t *count)
{
    char sql[SQL_BYTES];
    exchange_sql_complete(sql, sizeof sql, list_form);
    PGresult *rows =
        pg_query(work->pg, sql, &work->fault, PG_VALUES(pg_text(work->state->manager), pg_integer(open_alone)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *list = arena_take(work->arena, (*count + 1) * sizeof **list);
    bool good = rows && (*list || fault_set(&work->fault, FAULT_internal, NULL));
    for (size_t i = 0; i < *count && good; i++) {
        struct proposal *one = &(*list)[i];
        one->proposal = pg_get_text(rows, (int)i, 0, work->arena);
        one->route = pg_get_text(rows, (int)i, 1, work->arena);
        one->about = pg_get_text(rows, (int)i, 2, work->arena);
        one->proposed_by = pg_get_text(rows, (int)i, 3, work->arena);
        one->approved_by = pg_get_text(rows, (int)i, 4, work->arena);
        one->proposed_at_ms = pg_get_integer(rows, (int)i, 5);
        one->lapses_at_ms = pg_get_integer(rows, (int)i, 6);
        one->approved_at_ms = pg_get_integer(rows, (int)i, 7);
        good = one->approved_by || fault_set(&work->fault, FAULT_internal, NULL);
    }
    PQclear(rows);
    return good;
}
