#include "records/roll_store.h"

static const struct covered_column covered_columns[] = {
    {"entry", "registration_number", "records.entry.registration_number", "t.entry::text"},
    {"version", "fields", "records.version.fields", "t.entry::text || '/' || t.version"},
    {"version", "differing", "records.version.differing", "t.entry::text || '/' || t.version"},
};

const struct key_columns roll_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static struct bytes bytes_kept(struct work *work, const PGresult *result, int row, int column)
{
    struct bytes bytes = pg_get_bytes(result, row, column);
    return arena_copy(work->arena, bytes.data, bytes.len);
}

/* Columns as the three statements below list them. */
static void entry_get(struct work *work, const PGresult *result, int row, struct roll_entry *entry)
{
    entry->entry = pg_get_text(result, row, 0, work->arena);
    entry->programme = pg_get_text(result, row, 1, work->arena);
    entry->pseudonym = pg_get_text(result, row, 2, work->arena);
    entry->state = pg_get_text(result, row, 3, work->arena);
    entry->version = (uint32_t)pg_get_integer(result, row, 4);
    entry->number = bytes_kept(work, result, row, 5);
    entry->fields = bytes_kept(work, result, row, 6);
}

/* One statement, so that a replay past the inbox takes no number and the counter is locked for one round trip less. */
static const char serial_take_sql[] =
    "WITH known AS ("
    "SELECT e.entry, e.programme, e.pseudonym, e.state, e.registration_number FROM records.entry e "
    "WHERE e.manager = $1 AND e.application = $4::uuid), "
    "counted AS (INSERT INTO records.counter AS c (manager, programme, series, last) "
    "SELECT $1, $2, $3, 1 WHERE NOT EXISTS (SELECT FROM known) "
    "ON CONFLICT (manager, programme, series) DO UPDATE SET last = c.last + 1 RETURNING c.last) "
    "SELECT k.entry::text, k.programme, k.pseudonym, k.state, v.version, k.registration_number, v.fields, "
    "(SELECT t.last FROM counted t) FROM (VALUES (1)) AS one (row) LEFT JOIN known k ON true "
    "LEFT JOIN records.version v ON v.manager = $1 AND v.entry = k.entry AND v.version = 1";

bool roll_serial_take(struct work *work, const char *manager, const char *programme, const char *series,
    const char *application, bool *found, struct roll_entry *entry, int64_t *serial)
{
    PGresult *result = pg_query(work->pg, serial_take_sql, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(programme), pg_text(series), pg_text(application)));
    if (result == NULL)
        return false;
    *found = !pg_is_null(result, 0, 0);
    if (*found)
        entry_get(work, result, 0, entry);
    else
        *serial = pg_get_integer(result, 0, 7);
    PQclear(result);
    return true;
}

static const char entry_put_sql[] =
    "INSERT INTO records.entry (manager, entry, programme, application, pseudonym, state, version, "
    "registration_number, number_token, person_token, body) "
    "VALUES ($1, $2::uuid, $3, $4::uuid, $5, 'valid', 1, $6, $7, $8, $9)";

void roll_entry_put(struct work *work, const struct roll_new *entry)
{
    pg_queue(work->pg, entry_put_sql,
        PG_VALUES(pg_text(entry->manager), pg_text(entry->entry), pg_text(entry->programme),
            pg_text(entry->application), pg_text(entry->pseudonym), pg_bytes(entry->number.data, entry->number.len),
            pg_bytes(entry->number_token, INDEX_TOKEN_BYTES), pg_bytes(entry->person_token, INDEX_TOKEN_BYTES),
            pg_text(entry->body)));
}

static const char version_put_sql[] =
    "INSERT INTO records.version (manager, entry, version, reason, reference, actor, fields, differing) "
    "VALUES ($1, $2::uuid, $3::int, $4, $5, $6, $7, $8)";

void roll_version_put(struct work *work, const struct roll_version *version)
{
    struct pg_value differing =
        version->differing.data == NULL ? pg_text(NULL) : pg_bytes(version->differing.data, version->differing.len);
    pg_queue(work->pg, version_put_sql,
        PG_VALUES(pg_text(version->manager), pg_text(version->entry), pg_integer(version->version),
            pg_text(version->reason), pg_text(version->reference), pg_text(version->actor),
            pg_bytes(version->fields.data, version->fields.len), differing));
}

static const char version_move_sql[] =
    "UPDATE records.entry SET version = $3::int WHERE manager = $1 AND entry = $2::uuid AND version = $3::int - 1";

void roll_version_move(struct work *work, const char *manager, const char *entry, uint32_t next)
{
    pg_queue_exactly(work->pg, version_move_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(manager), pg_text(entry), pg_integer(next)));
}

static const char entry_read_sql[] =
    "SELECT e.entry::text, e.programme, e.pseudonym, e.state, v.version, e.registration_number, v.fields "
    "FROM records.entry e JOIN records.version v "
    "ON v.manager = e.manager AND v.entry = e.entry AND v.version = e.version "
    "WHERE e.manager = $1 AND e.entry = $2::uuid";

bool roll_entry_read(struct work *work, const char *manager, const char *entry, struct roll_entry *found)
{
    PGresult *result = pg_query(work->pg, entry_read_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(entry)));
    if (result == NULL)
        return false;
    bool one = PQntuples(result) == 1;
    if (one)
        entry_get(work, result, 0, found);
    PQclear(result);
    return one || fault_set(&work->fault, FAULT_not_found, "entry");
}

/* By id, so that the next piece goes on where this one ended, whatever comes in meanwhile. */
static const char page_sql[] =
    "SELECT e.entry::text, e.programme, e.pseudonym, e.state, v.version, e.registration_number, v.fields, e.body, "
    "to_char(e.created_at AT TIME ZONE 'Asia/Tokyo', 'YYYY-MM-DD') FROM records.entry e JOIN records.version v "
    "ON v.manager = e.manager AND v.entry = e.entry AND v.version = e.version "
    "WHERE e.manager = $1 AND e.programme = $2 "
    "AND ($3 = '' OR e.created_at >= nullif($3, '')::date::timestamp AT TIME ZONE 'Asia/Tokyo') "
    "AND ($4 = '' OR e.created_at < (nullif($4, '')::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo') "
    "AND ($5 = '' OR e.entry > nullif($5, '')::uuid) ORDER BY e.entry LIMIT $6::int";

bool roll_page_read(struct work *work, const char *manager, const char *programme, const char *from, const char *to,
    const char *after, uint32_t limit, struct roll_row **rows, size_t *count)
{
    PGresult *result = pg_query(work->pg, page_sql, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(programme), pg_text(from), pg_text(to), pg_text(after), pg_integer(limit)));
    *count = result ? (size_t)PQntuples(result) : 0;
    *rows = arena_take(work->arena, (*count + 1) * sizeof **rows);
    bool good = result && (*rows || fault_set(&work->fault, FAULT_too_large, NULL));
    for (size_t i = 0; i < *count && good; i++) {
        entry_get(work, result, (int)i, &(*rows)[i].entry);
        (*rows)[i].body = pg_get_text(result, (int)i, 7, work->arena);
        (*rows)[i].registered_on = pg_get_text(result, (int)i, 8, work->arena);
        good = (*rows)[i].registered_on || fault_set(&work->fault, FAULT_too_large, NULL);
    }
    PQclear(result);
    return good;
}

static const char entry_lock_sql[] =
    "SELECT e.entry::text FROM records.entry e "
    "WHERE e.manager = $1 AND e.programme = $2 AND e.pseudonym = $3 AND ($4::bytea IS NULL OR e.number_token = $4) "
    "ORDER BY e.created_at DESC, e.entry LIMIT 1 FOR UPDATE";

bool roll_entry_lock(struct work *work, const char *manager, const char *programme, const char *pseudonym,
    const uint8_t *number_token, char **entry)
{
    struct pg_value token = number_token == NULL ? pg_text(NULL) : pg_bytes(number_token, INDEX_TOKEN_BYTES);
    PGresult *result = pg_query(work->pg, entry_lock_sql, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(programme), pg_text(pseudonym), token));
    if (result == NULL)
        return false;
    bool one = PQntuples(result) == 1;
    *entry = one ? pg_get_text(result, 0, 0, work->arena) : NULL;
    PQclear(result);
    return one || fault_set(&work->fault, FAULT_pseudonym_unknown, "pseudonym");
}

static const char copy_find_sql[] =
    "SELECT coalesce(max(v.version), 0)::int FROM records.version v "
    "WHERE v.manager = $1 AND v.entry = $2::uuid AND v.reason = 'copy' AND v.reference = $3";

bool roll_copy_find(struct work *work, const char *manager, const char *entry, const char *copy, uint32_t *version)
{
    PGresult *result =
        pg_query(work->pg, copy_find_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(entry), pg_text(copy)));
    if (result == NULL)
        return false;
    *version = (uint32_t)pg_get_integer(result, 0, 0);
    PQclear(result);
    return true;
}
