#include "shikakuctl/log_store.h"

#include <endian.h>
#include <string.h>

#define DELETED_MARK 0x02
#define ARRAY_HEAD_BYTES 20 /* a bigint[] in binary; an empty one has 12 */
#define ARRAY_ITEM_BYTES 12

static const char log_open_sql[] = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ";

bool log_open(struct pg *pg, struct fault *fault)
{
    PGresult *set = pg_query(pg, log_open_sql, fault, PG_NONE);
    PQclear(set);
    if (!set)
        return false;
    pg_begin(pg, "*");
    return true;
}

void log_close(struct pg *pg)
{
    pg_rollback(pg);
}

static const char log_list_sql[] =
    "SELECT position, appended_ms, service, uuid_send(instance), worker, sequence, kind, manager, act, outcome, "
    "tokens, "
    "event, NULL::bytea AS leaf, 0::bigint AS deletion FROM audit.log WHERE position >= $1::bigint "
    "UNION ALL SELECT position, 0, '', NULL, 0, 0, '', '', '', '', NULL, NULL, leaf, deletion FROM audit.leaf "
    "WHERE position >= $1::bigint ORDER BY position LIMIT $2::int";

PGresult *log_list(struct pg *pg, uint64_t position, int limit, struct fault *fault)
{
    return pg_query(pg, log_list_sql, fault, PG_VALUES(pg_integer((int64_t)position), pg_integer(limit)));
}

static struct bytes deleted_put(const PGresult *rows, int row, struct arena *arena)
{
    struct bytes leaf = pg_get_bytes(rows, row, 12), put = {arena_take(arena, 17 + leaf.len), 17 + leaf.len};
    uint64_t position = htobe64((uint64_t)pg_get_integer(rows, row, 0)),
             deletion = htobe64((uint64_t)pg_get_integer(rows, row, 13));
    if (!put.data)
        return put;
    put.data[0] = DELETED_MARK;
    memcpy(put.data + 1, &position, 8);
    memcpy(put.data + 9, &deletion, 8);
    memcpy(put.data + 17, leaf.data, leaf.len);
    return put;
}

static bool tokens_take(const PGresult *rows, int row, struct arena *arena, struct audit_record *record)
{
    struct bytes array = pg_get_bytes(rows, row, 10);
    record->token_count = array.len < ARRAY_HEAD_BYTES ? 0 : (array.len - ARRAY_HEAD_BYTES) / ARRAY_ITEM_BYTES;
    uint64_t *tokens = arena_take(arena, (record->token_count + 1) * sizeof *tokens);
    for (size_t i = 0; tokens && i < record->token_count; i++) {
        memcpy(&tokens[i], array.data + ARRAY_HEAD_BYTES + i * ARRAY_ITEM_BYTES + 4, 8);
        tokens[i] = be64toh(tokens[i]);
    }
    record->tokens = tokens;
    return tokens != NULL;
}

struct bytes log_entry(const PGresult *rows, int row, struct arena *arena)
{
    struct audit_record record = {
        .position = (uint64_t)pg_get_integer(rows, row, 0),
        .appended_ms = pg_get_integer(rows, row, 1),
        .service = pg_get_text(rows, row, 2, arena),
        .worker = (uint32_t)pg_get_integer(rows, row, 4),
        .sequence = (uint64_t)pg_get_integer(rows, row, 5),
        .kind = pg_get_text(rows, row, 6, arena),
        .manager = pg_get_text(rows, row, 7, arena),
        .act = pg_get_text(rows, row, 8, arena),
        .outcome = pg_get_text(rows, row, 9, arena),
        .event = pg_get_bytes(rows, row, 11),
    };
    if (!pg_is_null(rows, row, 12))
        return deleted_put(rows, row, arena);
    struct bytes instance = pg_get_bytes(rows, row, 3);
    if (instance.len == sizeof record.instance)
        memcpy(record.instance, instance.data, sizeof record.instance);
    return record.outcome && tokens_take(rows, row, arena, &record) ? audit_record_put(arena, &record)
                                                                    : (struct bytes){NULL, 0};
}

static const char leaves_list_sql[] =
    "SELECT leaf FROM (SELECT position, leaf FROM audit.log WHERE position >= $1::bigint AND position < $2::bigint "
    "UNION ALL SELECT position, leaf FROM audit.leaf WHERE position >= $1::bigint AND position < $2::bigint) AS leaves "
    "ORDER BY position LIMIT $3::int";

PGresult *leaves_list(struct pg *pg, uint64_t from, uint64_t to, int limit, struct fault *fault)
{
    return pg_query(
        pg, leaves_list_sql, fault, PG_VALUES(pg_integer((int64_t)from), pg_integer((int64_t)to), pg_integer(limit)));
}

static const char head_of_size_sql[] =
    "SELECT size, root, signed_at_ms, public_key, signature FROM audit.head "
    "WHERE $1::bigint = 0 OR size = $1::bigint ORDER BY id DESC LIMIT 1";

bool head_of_size(struct pg *pg, uint64_t size, struct audit_head *head, struct fault *fault)
{
    PGresult *row = pg_query(pg, head_of_size_sql, fault, PG_VALUES(pg_integer((int64_t)size)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1;
    if (found) {
        head->size = (uint64_t)pg_get_integer(row, 0, 0);
        memcpy(head->root, pg_get_bytes(row, 0, 1).data, sizeof head->root);
        head->signed_at_ms = pg_get_integer(row, 0, 2);
        memcpy(head->public_key, pg_get_bytes(row, 0, 3).data, sizeof head->public_key);
        memcpy(head->signature, pg_get_bytes(row, 0, 4).data, sizeof head->signature);
    }
    PQclear(row);
    return found ? true : fault_set(fault, FAULT_not_found, "head");
}
