#include "audit/audit_store.h"

#include "audit/log_columns.h"
#include "chassis/second_person.h"

#include <string.h>

#define LIST_ROWS 2000

static const struct covered_column covered_columns[] = {
    {"log", "event", "audit.log", "''", false, COVER_KEPT},
    {"log", "event", "audit.log", "''", true, COVER_KEPT}, /* what is of no manager is under the service's own key */
    {"finding", "detail", "audit.finding", "t.finding::text", false, COVER_ANEW},
    {"finding", "closing", "audit.finding", "t.finding::text || '/closing'", false, COVER_ANEW},
    {"incident_change", "content", "audit.incident_change", "t.incident::text || '/' || t.number", false, COVER_ANEW},
    PROPOSAL_COLUMNS,
    {"incident_page", "content", "audit.incident_page", "t.incident::text || '/' || t.scope || '/' || t.page", false,
        COVER_ANEW},
};

const struct key_columns audit_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

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

/* All records of a chain in one statement: for a statement a record is ten times as slow. */
static const char log_put_sql[] =
    "INSERT INTO audit.log (position, appended_ms, service, instance, worker, sequence, kind, manager, act, outcome, "
    "tokens, event, leaf) "
    "SELECT $1::bigint + n - 1, $2::bigint, $3, $4::uuid, $5::int, $6::bigint + n - 1, kind, manager, act, outcome, "
    "tokens::bigint[], event, leaf "
    "FROM ROWS FROM (unnest($7::text[]), unnest($8::text[]), unnest($9::text[]), unnest($10::text[]), "
    "unnest($11::text[]), unnest($12::bytea[]), unnest($13::bytea[])) WITH ORDINALITY "
    "AS r(kind, manager, act, outcome, tokens, event, leaf, n)";

bool log_put(struct pg *pg, struct arena *arena, const char *instance, const struct audit_record *records,
    const uint8_t (*leaves)[MERKLE_HASH_BYTES], size_t count)
{
    struct bytes columns[LOG_COLUMNS];
    const struct audit_record *first = records;
    for (int column = 0; column < LOG_COLUMNS; column++)
        if (!log_column_put(arena, column, records, leaves, count, &columns[column]))
            return false;
#define COLUMN(number) pg_bytes(columns[number].data, columns[number].len)
    pg_queue_exactly(pg, log_put_sql, (int64_t)count, FAULT_internal,
        PG_VALUES(pg_integer((int64_t)first->position), pg_integer(first->appended_ms), pg_text(first->service),
            pg_text(instance), pg_integer(first->worker), pg_integer((int64_t)first->sequence), COLUMN(0), COLUMN(1),
            COLUMN(2), COLUMN(3), COLUMN(4), COLUMN(5), COLUMN(6)));
#undef COLUMN
    return true;
}

static const char leaves_list_sql[] =
    "SELECT leaf FROM (SELECT position, leaf FROM audit.log WHERE position >= $1::bigint AND position < $2::bigint "
    "UNION ALL SELECT position, leaf FROM audit.leaf WHERE position >= $1::bigint AND position < $2::bigint) AS leaves "
    "ORDER BY position LIMIT $3::int";

bool log_tree(struct pg *pg, uint64_t size, struct merkle *tree, struct fault *fault)
{
    int count = 1;
    bool read = true;
    pg_begin(pg, "*");
    while (read && count && tree->size < size) {
        PGresult *rows = pg_query(pg, leaves_list_sql, fault,
            PG_VALUES(pg_integer((int64_t)tree->size), pg_integer((int64_t)size), pg_integer(LIST_ROWS)));
        read = rows != NULL;
        count = rows ? PQntuples(rows) : 0;
        for (int row = 0; row < count; row++)
            merkle_add(tree, pg_get_bytes(rows, row, 0).data);
        PQclear(rows);
    }
    pg_rollback(pg);
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
