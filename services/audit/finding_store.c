#include "audit/finding_store.h"

#include "audit/record_cover.h"
#include "chassis/cover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cover_place detail_place(const char *manager, const char *finding)
{
    return (struct cover_place){"audit.finding", manager, finding};
}

static struct cover_place closing_place(struct arena *arena, const char *manager, const char *finding)
{
    return (struct cover_place){"audit.finding", manager, arena_format(arena, "%s/closing", finding)};
}

static const char finding_open_find_sql[] =
    "SELECT finding::text FROM audit.finding WHERE manager = $1 AND rule = $2 AND account = $3::bigint "
    "AND subject = $4::bigint AND state = 'open' FOR UPDATE";

bool finding_open_find(struct work *work, const struct finding_key *key, char finding[37])
{
    PGresult *row = pg_query(work->pg, finding_open_find_sql, &work->fault,
        PG_VALUES(pg_text(key->manager), pg_text(key->rule->name), pg_integer((int64_t)key->account),
            pg_integer((int64_t)key->subject)));
    if (!row)
        return false;
    snprintf(finding, 37, "%s", PQntuples(row) ? PQgetvalue(row, 0, 0) : "");
    PQclear(row);
    return true;
}

static const char finding_put_sql[] =
    "INSERT INTO audit.finding (manager, finding, rule, account, subject, due_at, detail) "
    "VALUES ($1, $2::uuid, $3, $4::bigint, $5::bigint, now() + $6::int * interval '1 day', $7)";

bool finding_put(struct work *work, const struct finding_key *key, const char *finding, const void *detail, size_t len)
{
    struct bytes covered = cover_put(work->arena, detail_place(key->manager, finding), detail, len);
    if (!covered.data)
        return fault_set(&work->fault, FAULT_internal, "detail");
    pg_queue(work->pg, finding_put_sql,
        PG_VALUES(pg_text(key->manager), pg_text(finding), pg_text(key->rule->name), pg_integer((int64_t)key->account),
            pg_integer((int64_t)key->subject), pg_integer(key->rule->close_within_days),
            pg_bytes(covered.data, covered.len)));
    return true;
}

static const char finding_touches_put_sql[] =
    "INSERT INTO audit.finding_touch (manager, finding, position) "
    "SELECT $1, $2::uuid, unnest($3::bigint[]) ON CONFLICT DO NOTHING";

void finding_touches_put(struct work *work, const char *manager, const char *finding, const char *positions)
{
    pg_queue(work->pg, finding_touches_put_sql, PG_VALUES(pg_text(manager), pg_text(finding), pg_text(positions)));
}

/* Touches go sooner than findings: what they said once stays. */
static const char finding_sum_put_sql[] =
    "UPDATE audit.finding SET touches = s.records, last_position = s.last_position, "
    "first_ms = least(audit.finding.first_ms, s.first_ms), last_ms = greatest(audit.finding.last_ms, s.last_ms) "
    "FROM (SELECT count(DISTINCT b.position) AS records, max(b.position) AS last_position, min(t.at_ms) AS first_ms, "
    "max(t.at_ms) AS last_ms FROM audit.finding_touch b LEFT JOIN audit.touch t ON t.manager = b.manager "
    "AND t.position = b.position WHERE b.manager = $1 AND b.finding = $2::uuid) s "
    "WHERE audit.finding.manager = $1 AND audit.finding.finding = $2::uuid";

void finding_sum_put(struct work *work, const char *manager, const char *finding)
{
    pg_queue_exactly(work->pg, finding_sum_put_sql, 1, FAULT_internal, PG_VALUES(pg_text(manager), pg_text(finding)));
}

#define COLUMNS                                                                                                        \
    "finding::text, rule, state, account, detail, closing, (extract(epoch FROM opened_at) * 1000)::bigint, "           \
    "(extract(epoch FROM due_at) * 1000)::bigint, (extract(epoch FROM closed_at) * 1000)::bigint, first_ms, last_ms, " \
    "touches, state = 'open' AND due_at < now() "

static bool row_take(struct work *work, const char *manager, const PGresult *rows, int at, struct finding_row *row)
{
    struct bytes detail = pg_get_bytes(rows, at, 4), closing = pg_get_bytes(rows, at, 5);
    *row = (struct finding_row){.rule = pg_get_text(rows, at, 1, work->arena),
        .state = pg_get_text(rows, at, 2, work->arena),
        .account = (uint64_t)pg_get_integer(rows, at, 3),
        .opened_at_ms = pg_get_integer(rows, at, 6),
        .due_at_ms = pg_get_integer(rows, at, 7),
        .closed_at_ms = pg_get_integer(rows, at, 8),
        .first_ms = pg_get_integer(rows, at, 9),
        .last_ms = pg_get_integer(rows, at, 10),
        .touches = pg_get_integer(rows, at, 11),
        .overdue = pg_get_bool(rows, at, 12)};
    snprintf(row->finding, sizeof row->finding, "%s", PQgetvalue(rows, at, 0));
    row->detail = cover_take(work->arena, detail_place(manager, row->finding), detail.data, detail.len);
    if (closing.data)
        row->closing =
            cover_take(work->arena, closing_place(work->arena, manager, row->finding), closing.data, closing.len);
    if (!row->detail.data || (closing.data && !row->closing.data))
        return fault_set(&work->fault, cover_refusal(detail.data, detail.len), "finding");
    return row->rule && row->state ? true : fault_set(&work->fault, FAULT_internal, NULL);
}

static const char findings_list_sql[] =
    "SELECT " COLUMNS
    "FROM audit.finding f WHERE f.manager = $1 AND ($2::text = '' OR f.state = $2) "
    "AND ($3::text = '' OR f.rule = $3) AND (NOT $4::boolean OR (f.state = 'open' AND f.due_at < now())) "
    "AND ($5::text = '' OR (f.opened_at, f.finding) < (SELECT a.opened_at, a.finding FROM audit.finding a "
    "WHERE a.manager = $1 AND a.finding = nullif($5, '')::uuid)) ORDER BY f.opened_at DESC, f.finding DESC "
    "LIMIT $6::int";

bool findings_list(struct work *work, const struct finding_wanted *wanted, struct finding_row **rows, size_t *count)
{
    PGresult *list = pg_query(work->pg, findings_list_sql, &work->fault,
        PG_VALUES(pg_text(wanted->manager), pg_text(wanted->state), pg_text(wanted->rule), pg_integer(wanted->overdue),
            pg_text(wanted->after), pg_integer(wanted->limit)));
    if (!list)
        return false;
    *count = (size_t)PQntuples(list);
    *rows = arena_take(work->arena, (*count + 1) * sizeof **rows);
    bool taken = *rows ? true : fault_set(&work->fault, FAULT_too_large, NULL);
    for (size_t i = 0; i < *count && taken; i++)
        taken = row_take(work, wanted->manager, list, (int)i, &(*rows)[i]);
    PQclear(list);
    return taken;
}

static const char finding_read_sql[] = "SELECT " COLUMNS "FROM audit.finding WHERE manager = $1 AND finding = $2::uuid";
static const char finding_hold_sql[] =
    "SELECT " COLUMNS "FROM audit.finding WHERE manager = $1 AND finding = $2::uuid FOR UPDATE";

bool finding_read(struct work *work, const char *manager, const char *finding, bool hold, struct finding_row *row)
{
    PGresult *found = pg_query(work->pg, hold ? finding_hold_sql : finding_read_sql, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(finding)));
    if (!found)
        return false;
    bool taken = PQntuples(found) == 1 ? row_take(work, manager, found, 0, row)
                                       : fault_set(&work->fault, FAULT_not_found, "finding");
    PQclear(found);
    return taken;
}

static const char finding_close_put_sql[] =
    "UPDATE audit.finding SET state = 'closed', closed_at = now(), closing = $3 "
    "WHERE manager = $1 AND finding = $2::uuid AND state = 'open'";

bool finding_close_put(struct work *work, const char *manager, const char *finding, const void *closing, size_t len)
{
    struct bytes covered = cover_put(work->arena, closing_place(work->arena, manager, finding), closing, len);
    if (!covered.data)
        return fault_set(&work->fault, FAULT_internal, "closing");
    pg_queue_exactly(work->pg, finding_close_put_sql, 1, FAULT_finding_closed,
        PG_VALUES(pg_text(manager), pg_text(finding), pg_bytes(covered.data, covered.len)));
    return true;
}

#define RECORD "l.position, l.service, l.instance::text, l.worker, l.sequence, l.outcome, l.event "

static bool record_take(
    struct work *work, const char *manager, const PGresult *rows, int row, struct finding_record *record)
{
    char *service = pg_get_text(rows, row, 1, work->arena), *instance = pg_get_text(rows, row, 2, work->arena);
    *record = (struct finding_record){pg_get_integer(rows, row, 0), pg_get_text(rows, row, 5, work->arena), NULL};
    if (!service || !instance || !record->outcome)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    record->event = record_uncover(work->arena, manager, service, instance, (uint32_t)pg_get_integer(rows, row, 3),
        (uint64_t)pg_get_integer(rows, row, 4), pg_get_bytes(rows, row, 6));
    return true;
}

#define RECORDS_BYTES (128 * 1024) /* a reply holds twice as much */

static const char finding_records_list_sql[] =
    "SELECT " RECORD
    "FROM audit.finding_touch b JOIN audit.log l ON l.manager = b.manager AND l.position = b.position "
    "WHERE b.manager = $1 AND b.finding = $2::uuid AND b.position > $3::bigint ORDER BY b.position LIMIT $4::int";

bool finding_records_list(struct work *work, const char *manager, const char *finding, int64_t after, int limit,
    struct finding_record **records, size_t *count)
{
    PGresult *rows = pg_query(work->pg, finding_records_list_sql, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(finding), pg_integer(after), pg_integer(limit)));
    if (!rows)
        return false;
    size_t found = (size_t)PQntuples(rows);
    *records = arena_take(work->arena, (found + 1) * sizeof **records);
    *count = 0;
    bool taken = *records ? true : fault_set(&work->fault, FAULT_too_large, NULL);
    size_t bytes = 0;
    for (size_t i = 0; i < found && taken && bytes < RECORDS_BYTES; i++) {
        bytes += (size_t)PQgetlength(rows, (int)i, 6);
        taken = record_take(work, manager, rows, (int)i, &(*records)[*count]);
        *count += taken && (*records)[*count].event;
    }
    PQclear(rows);
    return taken;
}

static const char log_record_read_sql[] =
    "SELECT " RECORD "FROM audit.log l WHERE l.manager = $1 AND l.position = $2::bigint";

bool log_record_read(struct work *work, const char *manager, int64_t position, struct finding_record *record)
{
    PGresult *row =
        pg_query(work->pg, log_record_read_sql, &work->fault, PG_VALUES(pg_text(manager), pg_integer(position)));
    *record = (struct finding_record){position, "", NULL};
    bool read = row && (PQntuples(row) == 0 || record_take(work, manager, row, 0, record));
    PQclear(row);
    return read;
}

static const char findings_count_sql[] =
    "SELECT count(*), count(*) FILTER (WHERE due_at < now()) FROM audit.finding "
    "WHERE manager = $1 AND rule = $2 AND state = 'open'";

bool findings_count(struct work *work, const char *manager, const char *rule, int64_t *open, int64_t *overdue)
{
    PGresult *row = pg_query(work->pg, findings_count_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(rule)));
    if (!row)
        return false;
    *open = pg_get_integer(row, 0, 0);
    *overdue = pg_get_integer(row, 0, 1);
    PQclear(row);
    return true;
}

static const char findings_drop_sql[] =
    "WITH old AS (SELECT finding FROM audit.finding WHERE manager = $1 AND state = 'closed' "
    "AND closed_at < now() - $2::int * interval '1 month' ORDER BY closed_at LIMIT 100), "
    "behind AS (DELETE FROM audit.finding_touch WHERE manager = $1 AND finding IN (SELECT finding FROM old)) "
    "DELETE FROM audit.finding WHERE manager = $1 AND finding IN (SELECT finding FROM old)";

int64_t findings_drop(struct work *work, const char *manager, int64_t months)
{
    PGresult *done =
        pg_query(work->pg, findings_drop_sql, &work->fault, PG_VALUES(pg_text(manager), pg_integer(months)));
    int64_t dropped = done ? strtoll(PQcmdTuples(done), NULL, 10) : -1;
    PQclear(done);
    return dropped;
}
