#include "audit/audit_store.h"

#include <stdio.h>
#include <string.h>

#define LIST_ROWS 2000
#define LIST_ARENA_BYTES (1024 * 1024)

/* Any number will do that nobody else locks: "audit" in ASCII. */
static const char sequencer_lock_sql[] = "SELECT pg_catalog.pg_advisory_xact_lock(418581342580)";
static const char sequencer_read_sql[] = "SELECT size, subtrees FROM audit.sequencer";

bool sequencer_read(struct pg *pg, struct merkle *tree, struct fault *fault)
{
    PGresult *row = pg_query(pg, sequencer_read_sql, fault, PG_NONE);
    if (!row)
        return false;
    struct bytes subtrees = pg_get_bytes(row, 0, 1);
    bool right =
        PQntuples(row) == 1 && merkle_init(tree, (uint64_t)pg_get_integer(row, 0, 0), subtrees.data, subtrees.len);
    PQclear(row);
    return right ? true : fault_set(fault, FAULT_internal, "sequencer");
}

/* Two statements, for the second must not see the log as it was before the lock was had. */
bool sequencer_take(struct pg *pg, struct merkle *tree, struct fault *fault)
{
    pg_queue(pg, sequencer_lock_sql, PG_NONE);
    return sequencer_read(pg, tree, fault);
}

static const char sequencer_put_sql[] = "UPDATE audit.sequencer SET size = $1::bigint, subtrees = $2";

void sequencer_put(struct pg *pg, const struct merkle *tree)
{
    pg_queue_exactly(pg, sequencer_put_sql, 1, FAULT_internal,
        PG_VALUES(pg_integer((int64_t)tree->size), pg_bytes(tree->subtrees, (size_t)tree->count * MERKLE_HASH_BYTES)));
}

static const char chain_read_sql[] =
    "SELECT sequence, digest FROM audit.chain WHERE service = $1 AND instance = $2::uuid AND worker = $3::int";

bool chain_read(struct pg *pg, const char *service, const char *instance, uint32_t worker, struct chain_end *end,
    struct fault *fault)
{
    PGresult *row =
        pg_query(pg, chain_read_sql, fault, PG_VALUES(pg_text(service), pg_text(instance), pg_integer(worker)));
    if (!row)
        return false;
    memset(end, 0, sizeof *end);
    if (PQntuples(row) == 1) {
        end->sequence = (uint64_t)pg_get_integer(row, 0, 0);
        memcpy(end->digest, pg_get_bytes(row, 0, 1).data, sizeof end->digest);
    }
    PQclear(row);
    return true;
}

static const char chain_put_sql[] =
    "INSERT INTO audit.chain (service, instance, worker, sequence, digest) "
    "VALUES ($1, $2::uuid, $3::int, $4::bigint, $5) "
    "ON CONFLICT (service, instance, worker) DO UPDATE SET sequence = excluded.sequence, digest = excluded.digest";

void chain_put(struct pg *pg, const char *service, const char *instance, uint32_t worker, const struct chain_end *end)
{
    pg_queue(pg, chain_put_sql,
        PG_VALUES(pg_text(service), pg_text(instance), pg_integer(worker), pg_integer((int64_t)end->sequence),
            pg_bytes(end->digest, sizeof end->digest)));
}

/* All records in one statement: arrays in text form, for a statement a record is ten times as slow. */
static const char log_put_sql[] =
    "INSERT INTO audit.log (position, service, instance, worker, sequence, previous, digest, event) "
    "SELECT $1::bigint + n - 1, service, instance, worker, sequence, previous, digest, event "
    "FROM ROWS FROM (unnest($2::text[]), unnest($3::uuid[]), unnest($4::int[]), unnest($5::bigint[]), "
    "unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bytea[])) WITH ORDINALITY "
    "AS r(service, instance, worker, sequence, previous, digest, event, n)";

enum { SERVICE, INSTANCE, WORKER, SEQUENCE, PREVIOUS, DIGEST, EVENT, COLUMNS };

static char *hex_append(char *at, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    at = stpcpy(at, "\"\\\\x");
    for (size_t i = 0; i < bytes.len; i++) {
        *at++ = digits[bytes.data[i] >> 4];
        *at++ = digits[bytes.data[i] & 15];
    }
    return stpcpy(at, "\"");
}

static char *element_append(char *at, int column, const struct audit_record *record)
{
    switch (column) {
    case SERVICE:
        return stpcpy(at, record->service);
    case INSTANCE:
        return stpcpy(at, record->instance);
    case WORKER:
        return at + sprintf(at, "%u", record->worker);
    case SEQUENCE:
        return at + sprintf(at, "%llu", (unsigned long long)record->sequence);
    case PREVIOUS:
        return hex_append(at, record->previous);
    case DIGEST:
        return hex_append(at, record->digest);
    default:
        return hex_append(at, record->event);
    }
}

static char *array_make(struct arena *arena, int column, const struct audit_record *records, size_t count)
{
    size_t room = 3;
    for (size_t i = 0; i < count; i++)
        room += 64 + strlen(records[i].service) + (column == EVENT ? 2 * records[i].event.len : 2 * AUDIT_DIGEST_BYTES);
    char *array = arena_take(arena, room), *at = array;
    if (!array)
        return NULL;
    *at++ = '{';
    for (size_t i = 0; i < count; i++) {
        if (i)
            *at++ = ',';
        at = element_append(at, column, &records[i]);
    }
    stpcpy(at, "}");
    return array;
}

bool log_put(struct pg *pg, struct arena *arena, uint64_t position, const struct audit_record *records, size_t count)
{
    char *arrays[COLUMNS];
    for (int column = 0; column < COLUMNS; column++)
        if (!(arrays[column] = array_make(arena, column, records, count)))
            return false;
    pg_queue_exactly(pg, log_put_sql, (int64_t)count, FAULT_internal,
        PG_VALUES(pg_integer((int64_t)position), pg_text(arrays[SERVICE]), pg_text(arrays[INSTANCE]),
            pg_text(arrays[WORKER]), pg_text(arrays[SEQUENCE]), pg_text(arrays[PREVIOUS]), pg_text(arrays[DIGEST]),
            pg_text(arrays[EVENT])));
    return true;
}

static const char log_list_sql[] =
    "SELECT service, instance::text, worker, sequence, previous, digest, event FROM audit.log "
    "WHERE position >= $1::bigint AND position < $2::bigint ORDER BY position LIMIT $3::int";

static bool leaf_add(const PGresult *rows, int row, struct arena *arena, struct merkle *tree)
{
    uint8_t leaf[AUDIT_DIGEST_BYTES];
    struct audit_record record = {pg_get_text(rows, row, SERVICE, arena), pg_get_text(rows, row, INSTANCE, arena),
        (uint32_t)pg_get_integer(rows, row, WORKER), (uint64_t)pg_get_integer(rows, row, SEQUENCE),
        pg_get_bytes(rows, row, PREVIOUS), pg_get_bytes(rows, row, DIGEST), pg_get_bytes(rows, row, EVENT)};
    if (!record.service || !record.instance || !audit_leaf(&record, leaf))
        return false;
    merkle_add(tree, leaf);
    return true;
}

bool log_tree(struct pg *pg, uint64_t size, struct merkle *tree, struct fault *fault)
{
    struct arena *arena = arena_new(LIST_ARENA_BYTES);
    int count = arena ? 1 : 0;
    bool read = arena != NULL || fault_set(fault, FAULT_internal, NULL);
    while (read && count && tree->size < size) {
        PGresult *rows = pg_query(pg, log_list_sql, fault,
            PG_VALUES(pg_integer((int64_t)tree->size), pg_integer((int64_t)size), pg_integer(LIST_ROWS)));
        read = rows != NULL;
        count = rows ? PQntuples(rows) : 0;
        for (int row = 0; read && row < count; row++)
            read = leaf_add(rows, row, arena, tree) || fault_set(fault, FAULT_internal, NULL);
        PQclear(rows);
        arena_reset(arena);
    }
    arena_free(arena);
    return read;
}

static const char head_read_sql[] =
    "SELECT size, root, signed_at_ms, public_key, signature FROM audit.head ORDER BY id DESC LIMIT 1";

bool head_read(struct pg *pg, struct audit_head *head, struct fault *fault)
{
    PGresult *row = pg_query(pg, head_read_sql, fault, PG_NONE);
    if (!row)
        return false;
    memset(head, 0, sizeof *head);
    if (PQntuples(row) == 1) {
        head->size = (uint64_t)pg_get_integer(row, 0, 0);
        memcpy(head->root, pg_get_bytes(row, 0, 1).data, sizeof head->root);
        head->signed_at_ms = pg_get_integer(row, 0, 2);
        memcpy(head->public_key, pg_get_bytes(row, 0, 3).data, sizeof head->public_key);
        memcpy(head->signature, pg_get_bytes(row, 0, 4).data, sizeof head->signature);
    }
    PQclear(row);
    return true;
}

static const char head_find_sql[] =
    "SELECT EXISTS (SELECT 1 FROM (SELECT h.size, h.root FROM audit.head h ORDER BY h.id DESC LIMIT 100) newest "
    "WHERE newest.size = $1::bigint AND newest.root = $2)";

bool head_find(struct pg *pg, uint64_t size, const uint8_t root[MERKLE_HASH_BYTES], bool *found, struct fault *fault)
{
    PGresult *row =
        pg_query(pg, head_find_sql, fault, PG_VALUES(pg_integer((int64_t)size), pg_bytes(root, MERKLE_HASH_BYTES)));
    *found = row && pg_get_bool(row, 0, 0);
    PQclear(row);
    return row != NULL;
}

static const char head_put_sql[] =
    "INSERT INTO audit.head (size, root, signed_at_ms, public_key, signature) "
    "VALUES ($1::bigint, $2, $3::bigint, $4, $5)";

bool head_put(struct pg *pg, const struct audit_head *head, struct fault *fault)
{
    pg_begin(pg, "");
    pg_queue(pg, head_put_sql,
        PG_VALUES(pg_integer((int64_t)head->size), pg_bytes(head->root, sizeof head->root),
            pg_integer(head->signed_at_ms), pg_bytes(head->public_key, sizeof head->public_key),
            pg_bytes(head->signature, sizeof head->signature)));
    return pg_commit(pg, fault);
}

static const char own_records_list_sql[] =
    "SELECT instance::text, worker, sequence, previous, digest, event FROM audit.audit_outbox "
    "ORDER BY instance, worker, sequence LIMIT $1::int";

PGresult *own_records_list(struct pg *pg, int limit, struct fault *fault)
{
    return pg_query(pg, own_records_list_sql, fault, PG_VALUES(pg_integer(limit)));
}

static const char own_records_drop_sql[] =
    "DELETE FROM audit.audit_outbox WHERE instance = $1::uuid AND worker = $2::int AND sequence <= $3::bigint";

void own_records_drop(struct pg *pg, const char *instance, uint32_t worker, uint64_t through)
{
    pg_queue(pg, own_records_drop_sql, PG_VALUES(pg_text(instance), pg_integer(worker), pg_integer((int64_t)through)));
}
