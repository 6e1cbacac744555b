#include "certificates/certificate_store.h"

#include <string.h>

static const struct covered_column covered_columns[] = {
    {"certificate", "code", "certificates.certificate.code", "t.certificate::text"},
    {"certificate", "holder", "certificates.certificate.holder", "t.certificate::text"},
    {"status_change", "reason", "certificates.status_change.reason", "t.change::text"},
};

const struct key_columns certificate_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static const char key_put_sql[] =
    "INSERT INTO certificates.issuing_key (manager, kid, point) VALUES ($1, $2, $3) "
    "ON CONFLICT (manager, kid) DO NOTHING";

void issuing_key_put(struct work *work, const char *manager, const uint8_t kid[CERTIFICATE_KID_BYTES],
    const uint8_t point[CERTIFICATE_POINT_BYTES])
{
    pg_queue(work->pg, key_put_sql,
        PG_VALUES(pg_text(manager), pg_bytes(kid, CERTIFICATE_KID_BYTES), pg_bytes(point, CERTIFICATE_POINT_BYTES)));
}

static const char key_read_sql[] = "SELECT k.point FROM certificates.issuing_key k WHERE k.manager = $1 AND k.kid = $2";

bool issuing_key_read(struct work *work, const char *manager, const uint8_t kid[CERTIFICATE_KID_BYTES],
    uint8_t point[CERTIFICATE_POINT_BYTES], bool *found)
{
    PGresult *result = pg_query(
        work->pg, key_read_sql, &work->fault, PG_VALUES(pg_text(manager), pg_bytes(kid, CERTIFICATE_KID_BYTES)));
    if (!result)
        return false;
    struct bytes stored = PQntuples(result) == 1 ? pg_get_bytes(result, 0, 0) : (struct bytes){NULL, 0};
    *found = stored.len == CERTIFICATE_POINT_BYTES;
    if (*found)
        memcpy(point, stored.data, stored.len);
    PQclear(result);
    return true;
}

static const char put_sql[] =
    "INSERT INTO certificates.certificate (manager, certificate, programme, application, entry, version, pseudonym, "
    "kid, status, code, holder, issued_at, body) "
    "VALUES ($1, $2::uuid, $3, $4::uuid, $5::uuid, $6::int, $7, $8, 'valid', $9, $10, to_timestamp($11::bigint), $12) "
    "ON CONFLICT (manager, entry, version) DO NOTHING RETURNING 1";

static const char retire_sql[] =
    "UPDATE certificates.certificate SET status = 'reissued' "
    "WHERE manager = $1 AND entry = $2::uuid AND version < $3::int AND status = 'valid'";

bool certificate_put(struct work *work, const struct certificate_row *row, bool *stands)
{
    PGresult *result = pg_query(work->pg, put_sql, &work->fault,
        PG_VALUES(pg_text(row->manager), pg_text(row->certificate), pg_text(row->programme), pg_text(row->application),
            pg_text(row->entry), pg_integer(row->version), pg_text(row->pseudonym),
            pg_bytes(row->kid, CERTIFICATE_KID_BYTES), pg_bytes(row->code.data, row->code.len),
            pg_bytes(row->holder.data, row->holder.len), pg_integer(row->issued_at), pg_text(row->body)));
    if (!result)
        return false;
    *stands = PQntuples(result) == 1;
    PQclear(result);
    if (*stands)
        pg_queue(work->pg, retire_sql, PG_VALUES(pg_text(row->manager), pg_text(row->entry), pg_integer(row->version)));
    return true;
}

#define COLUMNS                                                                                                        \
    "SELECT c.manager, c.certificate::text, c.programme, c.application::text, c.entry::text, c.version, c.pseudonym, " \
    "c.kid, c.status, c.code, c.holder, extract(epoch FROM c.issued_at)::bigint, coalesce(s.standing, 'valid') "       \
    "FROM certificates.certificate c "                                                                                 \
    "LEFT JOIN certificates.standing s ON s.manager = c.manager AND s.entry = c.entry "

static struct bytes bytes_get(struct work *work, const PGresult *result, int column)
{
    struct bytes borrowed = pg_get_bytes(result, 0, column);
    return arena_copy(work->arena, borrowed.data, borrowed.len);
}

/* The first row into the arena, and clear. */
static bool row_get(struct work *work, PGresult *result, struct certificate_row *row, bool *found)
{
    *found = PQntuples(result) == 1;
    if (!*found) {
        PQclear(result);
        return true;
    }
    const char **const texts[] = {&row->manager, &row->certificate, &row->programme, &row->application, &row->entry};
    bool ok = true;
    for (int i = 0; i < 5; i++)
        ok &= (*texts[i] = pg_get_text(result, 0, i, work->arena)) != NULL;
    row->version = (uint32_t)pg_get_integer(result, 0, 5);
    ok &= (row->pseudonym = pg_get_text(result, 0, 6, work->arena)) != NULL;
    struct bytes kid = pg_get_bytes(result, 0, 7);
    ok &= kid.len == sizeof row->kid;
    if (ok)
        memcpy(row->kid, kid.data, kid.len);
    const char *status = pg_get_text(result, 0, 8, work->arena), *standing = pg_get_text(result, 0, 12, work->arena);
    row->reissued = !status || strcmp(status, "valid") != 0;
    row->code = bytes_get(work, result, 9);
    row->holder = bytes_get(work, result, 10);
    row->issued_at = pg_get_integer(result, 0, 11);
    ok &= row->code.data && row->holder.data && standing && standing_parse(standing, &row->standing);
    PQclear(result);
    return ok || fault_set(&work->fault, FAULT_internal, "certificate");
}

static const char read_sql[] = COLUMNS "WHERE c.manager = $1 AND c.certificate = $2::uuid";

bool certificate_read(
    struct work *work, const char *manager, const char *certificate, struct certificate_row *row, bool *found)
{
    PGresult *result = pg_query(work->pg, read_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(certificate)));
    return result && row_get(work, result, row, found);
}

static const char read_of_entry_sql[] = COLUMNS "WHERE c.manager = $1 AND c.entry = $2::uuid AND c.version = $3::int";

bool certificate_read_of_entry(struct work *work, const char *manager, const char *entry, uint32_t version,
    struct certificate_row *row, bool *found)
{
    PGresult *result = pg_query(
        work->pg, read_of_entry_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(entry), pg_integer(version)));
    return result && row_get(work, result, row, found);
}

static const char standing_first_sql[] =
    "INSERT INTO certificates.standing (manager, entry, standing) VALUES ($1, $2::uuid, 'valid') "
    "ON CONFLICT (manager, entry) DO NOTHING";
static const char standing_lock_sql[] =
    "SELECT s.standing FROM certificates.standing s WHERE s.manager = $1 AND s.entry = $2::uuid FOR UPDATE";

bool standing_lock(struct work *work, const char *manager, const char *entry, enum standing *standing)
{
    pg_queue(work->pg, standing_first_sql, PG_VALUES(pg_text(manager), pg_text(entry)));
    PGresult *result = pg_query(work->pg, standing_lock_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(entry)));
    if (!result)
        return false;
    const char *text = PQntuples(result) == 1 ? pg_get_text(result, 0, 0, work->arena) : NULL;
    PQclear(result);
    return (text && standing_parse(text, standing)) || fault_set(&work->fault, FAULT_internal, "standing");
}

static const char standing_put_sql[] =
    "UPDATE certificates.standing SET standing = $3, changed_at = now() WHERE manager = $1 AND entry = $2::uuid";

void standing_put(struct work *work, const char *manager, const char *entry, enum standing standing)
{
    pg_queue_exactly(work->pg, standing_put_sql, 1, FAULT_internal,
        PG_VALUES(pg_text(manager), pg_text(entry), pg_text(standing_text(standing))));
}

static const char count_sql[] =
    "SELECT count(*)::int FROM certificates.certificate c "
    "WHERE c.manager = $1 AND c.entry = $2::uuid AND c.status = 'valid'";

bool certificate_count(struct work *work, const char *manager, const char *entry, uint32_t *count)
{
    PGresult *result = pg_query(work->pg, count_sql, &work->fault, PG_VALUES(pg_text(manager), pg_text(entry)));
    if (!result)
        return false;
    *count = (uint32_t)pg_get_integer(result, 0, 0);
    PQclear(result);
    return true;
}

static const char reissue_sql[] =
    "UPDATE certificates.certificate SET status = 'reissued' "
    "WHERE manager = $1 AND entry = $2::uuid AND status = 'valid'";

void certificate_reissue(struct work *work, const char *manager, const char *entry)
{
    pg_queue(work->pg, reissue_sql, PG_VALUES(pg_text(manager), pg_text(entry)));
}

static const char change_put_sql[] =
    "INSERT INTO certificates.status_change (manager, entry, change, status, reason, caller) "
    "VALUES ($1, $2::uuid, $3::uuid, $4, $5, $6)";

void status_change_put(struct work *work, const struct status_change *change)
{
    pg_queue(work->pg, change_put_sql,
        PG_VALUES(pg_text(change->manager), pg_text(change->entry), pg_text(change->change), pg_text(change->status),
            pg_bytes(change->reason.data, change->reason.len), pg_text(change->caller)));
}
