#include "chassis/rotation_store.h"

#include "chassis/statement.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16
#define HEAD_BYTES 16 /* key id and nonce: no two covers share them */
#define ARRAY_HEAD 20
#define BYTEA_OID 17
#define TID_TEXT 32

/* The chassis's own tables, in every schema. */
static const struct covered_column own_columns[] = {
    {"inbox", "reply", "inbox", "encode(t.key, 'hex')", true},
    {"outbox", "payload", "outbox", "encode(t.idempotency_key, 'hex')", true},
    {"audit_outbox", "digest", "", "''", true, COVER_PASSES}, /* audit_link.h */
};

static const struct key_columns *declared;
static bool declares;
static struct covered_column covered[COLUMNS_MAX];
static size_t covered_count;

/* --- statements: completed once, for schema and columns are known at start alone -------------------------------------
 */

static const char holder_tell_form[] =
    "INSERT INTO @.key_holder (instance, generation) VALUES ($1::uuid, $2::bigint) ON CONFLICT (instance) DO UPDATE "
    "SET generation = excluded.generation, seen_at = excluded.seen_at";
static const char holder_end_form[] =
    "DELETE FROM @.key_holder WHERE instance = $1::uuid OR seen_at < now() - interval '1 day'";
static const char holders_reached_form[] =
    "SELECT count(*) FROM @.key_holder WHERE generation < $1::bigint "
    "AND seen_at > clock_timestamp() - $2::bigint * interval '1 ms'";
static const char due_form[] =
    "SELECT rotation, manager, kind, phase, coalesce(old_key, 0), coalesce(new_key, 0), generation, place, rows_done, "
    "rows_total FROM @.rotation WHERE finished_at IS NULL AND due_at <= clock_timestamp() ORDER BY rotation LIMIT 1";
static const char lease_form[] =
    "UPDATE @.key_state SET driver = $1::uuid, driver_until = clock_timestamp() + $2::bigint * interval '1 ms' "
    "WHERE driver = $1::uuid OR driver_until < clock_timestamp()";
static const char hold_form[] =
    "UPDATE @.key_state SET driver_until = clock_timestamp() + $2::bigint * interval '1 ms' WHERE driver = $1::uuid";
static const char generation_next_form[] = "UPDATE @.key_state SET generation = generation + 1";
static const char key_set_form[] =
    "UPDATE @.data_key SET state = $2, wrapped = CASE WHEN $2 = 'retired' THEN ''::bytea ELSE wrapped END, "
    "retired_at = CASE WHEN $2 = 'retired' THEN now() END WHERE key_id = $1::integer";
static const char step_form[] =
    "UPDATE @.rotation SET phase = $2, place = '', due_at = now() + $3::bigint * interval '1 s', "
    "generation = (SELECT s.generation FROM @.key_state AS s), "
    "rows_done = CASE WHEN $2 = 'done' THEN rows_done ELSE 0 END, "
    "rows_total = CASE WHEN $2 = 'done' THEN rows_total ELSE 0 END, "
    "finished_at = CASE WHEN $2 IN ('done', 'refused') THEN now() END WHERE rotation = $1::bigint AND phase = $4 "
    "AND finished_at IS NULL";
static const char key_add_form[] =
    "WITH made AS (INSERT INTO @.data_key (manager, kind, wrapped, state) VALUES ($2, $3, $4, 'coming') "
    "RETURNING key_id) UPDATE @.rotation SET new_key = (SELECT made.key_id FROM made) WHERE rotation = $1::bigint";
static const char place_form[] =
    "UPDATE @.rotation SET place = $2, rows_done = $3::bigint, rows_total = $4::bigint, "
    "due_at = now() + $5::bigint * interval '1 s' WHERE rotation = $1::bigint AND finished_at IS NULL";
static const char keys_list_form[] =
    "SELECT key_id, kind, wrapped FROM @.data_key WHERE manager = $1 AND state <> 'retired' ORDER BY key_id";
static const char wrapped_form[] =
    "UPDATE @.data_key SET wrapped = $2 WHERE key_id = $1::integer AND state <> 'retired'";

static struct {
    char *holder_tell, *holder_end, *holders_reached, *due, *lease, *hold, *generation_next, *key_set, *step, *key_add,
        *place, *keys_list, *wrapped;
} sql;

/* What is to be changed: {wrong}. Row-level security hides the rows of other managers; where a table has none, all rows
 * are the service's own. */
static const char remaining_form[] =
    "SELECT count(*) FROM @.{table} AS t WHERE {mine} AND {wrong} AND $2::bytea IS NOT NULL";
static const char blocks_form[] =
    "SELECT pg_catalog.pg_relation_size('@.{table}') / current_setting('block_size')::bigint";
static const char page_form[] =
    "SELECT page.at, page.row, page.cover, page.void FROM (SELECT raw.*, sum(octet_length(raw.cover)) "
    "OVER (ROWS UNBOUNDED PRECEDING) AS bytes FROM (SELECT t.ctid::text AS at, ({row})::text AS row, "
    "t.{source} AS cover, ({void}) AS void FROM @.{table} AS t WHERE {mine} AND t.ctid >= $3::tid AND "
    "t.ctid < $4::tid AND {wrong} AND $2::bytea IS NOT NULL LIMIT 500) AS raw) AS page "
    "WHERE page.bytes <= 2097152 OR page.bytes = octet_length(page.cover)";
/* What somebody holds is left for the next pass: whoever waits for us, we wait for nobody. */
static const char put_form[] =
    "UPDATE @.{table} AS t SET {column} = n.fresh FROM (SELECT u.ctid AS at, asked.fresh FROM "
    "unnest($1::tid[], $2::bytea[], $3::bytea[]) AS asked (at, head, fresh) JOIN @.{table} AS u ON u.ctid = asked.at "
    "AND substring(u.{source} FROM 1 FOR 16) = asked.head FOR UPDATE OF u SKIP LOCKED) AS n WHERE t.ctid = n.at";
static const char switch_form[] =
    "UPDATE @.{table} AS t SET {token} = t.{column}, {column} = NULL, {key} = $4::integer WHERE t.ctid = ANY (ARRAY("
    "SELECT u.ctid FROM @.{table} AS u WHERE u.manager = $1 AND u.ctid >= $2::tid AND u.ctid < $3::tid AND "
    "u.{column} IS NOT NULL LIMIT 500 FOR UPDATE SKIP LOCKED))";

enum walk_form { REMAINING, BLOCKS, PAGE, PUT, WALK_FORMS };
static char *walk_sql[WALKS][COLUMNS_MAX][WALK_FORMS];

static bool single_make(const char *schema)
{
    const struct statement_word words[] = {{"@", schema}};
    const struct {
        char **statement;
        const char *form;
    } singles[] = {{&sql.holder_tell, holder_tell_form}, {&sql.holder_end, holder_end_form},
        {&sql.holders_reached, holders_reached_form}, {&sql.due, due_form}, {&sql.lease, lease_form},
        {&sql.hold, hold_form}, {&sql.generation_next, generation_next_form}, {&sql.key_set, key_set_form},
        {&sql.step, step_form}, {&sql.key_add, key_add_form}, {&sql.place, place_form},
        {&sql.keys_list, keys_list_form}, {&sql.wrapped, wrapped_form}};
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        free(*singles[i].statement);
        if (!(*singles[i].statement = statement_make(singles[i].form, words, 1)))
            return false;
    }
    return true;
}

static bool walk_make(const char *schema, enum walk walk, size_t column)
{
    static const char *const wrong[WALKS] = {
        "substring(t.{column} FROM 1 FOR 4) <> $2::bytea", "t.{column} IS NULL", "t.{column} IS NOT NULL"};
    const struct index_column *index = walk == WALK_COVER ? NULL : &declared->indexed[column];
    const struct covered_column *from = index ? &index->from : &covered[column];
    const struct statement_word words[] = {{"@", schema}, {"{wrong}", ""}, {"{table}", from->table},
        {"{column}", index ? index->next : from->column}, {"{source}", from->column}, {"{row}", from->row},
        {"{mine}", from->own ? "$1 = '*'" : "t.manager = $1"},
        {"{void}", index && index->void_when ? index->void_when : "false"}, {"{token}", index ? index->token : ""},
        {"{key}", index ? index->key : ""}};
    const size_t count = sizeof words / sizeof *words;
    const char *const forms[WALK_FORMS] = {
        remaining_form, blocks_form, page_form, walk == WALK_SWITCH ? switch_form : put_form};
    char *condition = statement_make(wrong[walk], words, count);
    bool all = condition != NULL;
    for (int i = 0; i < WALK_FORMS && all; i++) {
        struct statement_word filled[sizeof words / sizeof *words];
        memcpy(filled, words, sizeof words);
        filled[1].text = condition;
        free(walk_sql[walk][column][i]);
        walk_sql[walk][column][i] = statement_make(forms[i], filled, count);
        all = walk_sql[walk][column][i] != NULL;
    }
    free(condition);
    return all;
}

bool rotation_store_open(const char *schema, const struct key_columns *columns)
{
    static const struct key_columns none;
    declared = columns ? columns : &none;
    declares = columns != NULL;
    covered_count = declared->covered_count + sizeof own_columns / sizeof *own_columns;
    if (covered_count > COLUMNS_MAX || declared->indexed_count > COLUMNS_MAX || !single_make(schema))
        return false;
    if (declared->covered_count)
        memcpy(covered, declared->covered, declared->covered_count * sizeof *covered);
    memcpy(covered + declared->covered_count, own_columns, sizeof own_columns);
    bool made = true;
    for (size_t i = 0; i < covered_count && made; i++)
        made = walk_make(schema, WALK_COVER, i);
    for (size_t i = 0; i < declared->indexed_count && made; i++)
        made = walk_make(schema, WALK_FILL, i) && walk_make(schema, WALK_SWITCH, i);
    return made;
}

bool rotation_declared(const char *kind)
{
    if (strcmp(kind, "index") == 0)
        return declared->indexed_count > 0;
    return declares || strcmp(kind, "data") != 0;
}

/* --- who is there ---------------------------------------------------------------------------------------------------
 */

static bool execute(
    struct pg *pg, const char *statement, int64_t *rows, struct fault *fault, const struct pg_value *values, int count)
{
    PGresult *result = pg_query(pg, statement, fault, values, count);
    if (result && rows)
        *rows = atoll(PQcmdTuples(result));
    PQclear(result);
    return result != NULL;
}

bool key_holder_tell(struct pg *pg, const char *instance, int64_t generation, struct fault *fault)
{
    return execute(pg, sql.holder_tell, NULL, fault, PG_VALUES(pg_text(instance), pg_integer(generation)));
}

bool key_holder_end(struct pg *pg, const char *instance, struct fault *fault)
{
    return execute(pg, sql.holder_end, NULL, fault, PG_VALUES(pg_text(instance)));
}

bool key_holders_reached(struct pg *pg, int64_t generation, int64_t lease_ms, bool *reached, struct fault *fault)
{
    PGresult *row = pg_query(pg, sql.holders_reached, fault, PG_VALUES(pg_integer(generation), pg_integer(lease_ms)));
    *reached = row && pg_get_integer(row, 0, 0) == 0;
    PQclear(row);
    return row != NULL;
}

/* --- what is to be done ---------------------------------------------------------------------------------------------
 */

bool rotation_due(struct pg *pg, struct rotation *rotation, struct fault *fault)
{
    PGresult *row = pg_query(pg, sql.due, fault, PG_NONE);
    bool due = row && PQntuples(row) == 1;
    memset(rotation, 0, sizeof *rotation);
    if (due) {
        rotation->id = pg_get_integer(row, 0, 0);
        snprintf(rotation->manager, sizeof rotation->manager, "%s", PQgetvalue(row, 0, 1));
        snprintf(rotation->kind, sizeof rotation->kind, "%s", PQgetvalue(row, 0, 2));
        snprintf(rotation->phase, sizeof rotation->phase, "%s", PQgetvalue(row, 0, 3));
        rotation->old_key = (uint32_t)pg_get_integer(row, 0, 4);
        rotation->new_key = (uint32_t)pg_get_integer(row, 0, 5);
        rotation->generation = pg_get_integer(row, 0, 6);
        if (sscanf(PQgetvalue(row, 0, 7), "%zu %" SCNd64 " %" SCNd64, &rotation->column, &rotation->block,
                &rotation->changed) != 3)
            rotation->block = -1; /* not begun */
        rotation->rows_done = pg_get_integer(row, 0, 8);
        rotation->rows_total = pg_get_integer(row, 0, 9);
    }
    PQclear(row);
    return due;
}

bool rotation_lease(struct pg *pg, const char *instance, int64_t lease_ms, bool *leased, struct fault *fault)
{
    int64_t rows = 0;
    bool asked = execute(pg, sql.lease, &rows, fault, PG_VALUES(pg_text(instance), pg_integer(lease_ms)));
    *leased = rows == 1;
    return asked;
}

void rotation_hold(struct pg *pg, const char *instance, int64_t lease_ms)
{
    pg_queue_exactly(pg, sql.hold, 1, FAULT_unavailable, PG_VALUES(pg_text(instance), pg_integer(lease_ms)));
}

static void key_set(struct pg *pg, uint32_t key, const char *state)
{
    if (state)
        pg_queue_exactly(pg, sql.key_set, 1, FAULT_internal, PG_VALUES(pg_integer(key), pg_text(state)));
}

/* The old key first: at most one of a kind is in force at any time. */
void rotation_step_put(struct pg *pg, const struct rotation *rotation, const struct rotation_step *step)
{
    pg_queue_exactly(pg, sql.generation_next, 1, FAULT_internal, PG_NONE);
    key_set(pg, rotation->old_key, step->old_state);
    key_set(pg, rotation->new_key, step->new_state);
    pg_queue_exactly(pg, sql.step, 1, FAULT_state_conflict,
        PG_VALUES(pg_integer(rotation->id), pg_text(step->phase), pg_integer(step->due_s), pg_text(rotation->phase)));
}

void rotation_key_put(
    struct pg *pg, const struct rotation *rotation, const char *phase, const void *wrapped, size_t len)
{
    pg_queue_exactly(pg, sql.key_add, 1, FAULT_internal,
        PG_VALUES(
            pg_integer(rotation->id), pg_text(rotation->manager), pg_text(rotation->kind), pg_bytes(wrapped, len)));
    rotation_step_put(pg, rotation, &(struct rotation_step){.phase = phase});
}

void rotation_place_put(struct pg *pg, const struct rotation *rotation, int64_t wait_s)
{
    char place[64];
    snprintf(place, sizeof place, "%zu %" PRId64 " %" PRId64, rotation->column, rotation->block, rotation->changed);
    pg_queue_exactly(pg, sql.place, 1, FAULT_state_conflict,
        PG_VALUES(pg_integer(rotation->id), pg_text(place), pg_integer(rotation->rows_done),
            pg_integer(rotation->rows_total), pg_integer(wait_s)));
}

PGresult *rotation_keys_list(struct pg *pg, const char *manager, struct fault *fault)
{
    return pg_query(pg, sql.keys_list, fault, PG_VALUES(pg_text(manager)));
}

void rotation_wrapped_put(struct pg *pg, int64_t key, const void *wrapped, size_t len)
{
    pg_queue(pg, sql.wrapped, PG_VALUES(pg_integer(key), pg_bytes(wrapped, len)));
}

/* --- walks ----------------------------------------------------------------------------------------------------------
 */

static bool is_own(const char *manager)
{
    return strcmp(manager, "*") == 0;
}

static const struct covered_column *covered_nth(size_t nth, const char *manager, size_t *place)
{
    for (*place = 0; *place < covered_count; (*place)++)
        if (covered[*place].own == is_own(manager) && nth-- == 0)
            return &covered[*place];
    return NULL;
}

const struct covered_column *walk_covered(size_t column, const char *manager)
{
    size_t place;
    return covered_nth(column, manager, &place);
}

const struct index_column *walk_indexed(size_t column)
{
    return &declared->indexed[column];
}

size_t walk_columns(enum walk walk, const char *manager)
{
    size_t count = 0;
    if (walk != WALK_COVER)
        return declared->indexed_count;
    while (walk_covered(count, manager))
        count++;
    return count;
}

static size_t place_of(enum walk walk, size_t column, const char *manager)
{
    size_t place = column;
    if (walk == WALK_COVER)
        (void)covered_nth(column, manager, &place);
    return place;
}

static struct pg_value key_head(const struct rotation *rotation, uint32_t *head)
{
    *head = htobe32(rotation->new_key);
    return pg_bytes(head, sizeof *head);
}

static const char patience_sql[] = "SET LOCAL statement_timeout = '30min'";

bool walk_remaining(struct work *work, enum walk walk, const struct rotation *rotation, size_t column, int64_t *rows)
{
    uint32_t head;
    pg_queue(work->pg, patience_sql, PG_NONE);
    PGresult *row = pg_query(work->pg, walk_sql[walk][place_of(walk, column, rotation->manager)][REMAINING],
        &work->fault, PG_VALUES(pg_text(rotation->manager), key_head(rotation, &head)));
    if (row)
        *rows = pg_get_integer(row, 0, 0);
    PQclear(row);
    return row != NULL;
}

bool walk_blocks(struct work *work, enum walk walk, const struct rotation *rotation, int64_t *blocks)
{
    PGresult *row = pg_query(
        work->pg, walk_sql[walk][place_of(walk, rotation->column, rotation->manager)][BLOCKS], &work->fault, PG_NONE);
    if (row)
        *blocks = pg_get_integer(row, 0, 0);
    PQclear(row);
    return row != NULL;
}

static char *tid_print(char text[TID_TEXT], int64_t block)
{
    snprintf(text, TID_TEXT, "(%" PRId64 ",0)", block);
    return text;
}

PGresult *walk_page(struct work *work, enum walk walk, const struct rotation *rotation, int64_t from, int64_t to)
{
    char first[TID_TEXT], last[TID_TEXT];
    uint32_t head;
    return pg_query(work->pg, walk_sql[walk][place_of(walk, rotation->column, rotation->manager)][PAGE], &work->fault,
        PG_VALUES(pg_text(rotation->manager), key_head(rotation, &head), pg_text(tid_print(first, from)),
            pg_text(tid_print(last, to))));
}

/* {"(0,1)","(0,2)"} */
static struct pg_value tids_print(struct work *work, const PGresult *page, const struct bytes *fresh)
{
    char *text = arena_take(work->arena, (size_t)PQntuples(page) * (TID_TEXT + 3) + 3), *at = text;
    if (!text)
        return pg_text(NULL);
    *at++ = '{';
    for (int row = 0; row < PQntuples(page); row++)
        if (fresh[row].data)
            at += sprintf(at, "%s\"%s\"", at == text + 1 ? "" : ",", PQgetvalue(page, row, 0));
    *at++ = '}';
    *at = '\0';
    return pg_text(text);
}

static uint8_t *integer_put(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

/* PostgreSQL's binary form of bytea[]: dimensions, nulls, type, length, lower bound; then each with its length. */
static struct pg_value bytes_print(
    struct work *work, const struct bytes *values, const struct bytes *fresh, size_t count)
{
    size_t size = ARRAY_HEAD;
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (fresh[i].data) {
            size += 4 + values[i].len;
            used++;
        }
    uint8_t *array = arena_take(work->arena, size), *at = array;
    if (!array)
        return pg_text(NULL);
    const uint32_t head[] = {1, 0, BYTEA_OID, used, 1};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        at = integer_put(at, head[i]);
    for (size_t i = 0; i < count; i++) {
        if (!fresh[i].data)
            continue;
        at = integer_put(at, (uint32_t)values[i].len);
        memcpy(at, values[i].data, values[i].len);
        at += values[i].len;
    }
    return pg_bytes(array, size);
}

bool walk_put(struct work *work, enum walk walk, const struct rotation *rotation, const PGresult *page,
    const struct bytes *fresh, int64_t *put)
{
    size_t count = (size_t)PQntuples(page), some = 0;
    struct bytes *heads = arena_take(work->arena, count * sizeof *heads + 1);
    *put = 0;
    if (!heads)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        heads[i] = pg_get_bytes(page, (int)i, 2);
        heads[i].len = heads[i].len < HEAD_BYTES ? heads[i].len : HEAD_BYTES;
        some += fresh[i].data != NULL;
    }
    if (!some)
        return true;
    struct pg_value tids = tids_print(work, page, fresh), head = bytes_print(work, heads, fresh, count),
                    value = bytes_print(work, fresh, fresh, count);
    if (!tids.data || !head.data || !value.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    return execute(work->pg, walk_sql[walk][place_of(walk, rotation->column, rotation->manager)][PUT], put,
        &work->fault, PG_VALUES(tids, head, value));
}

bool walk_switch(struct work *work, const struct rotation *rotation, int64_t from, int64_t to, int64_t *changed)
{
    char first[TID_TEXT], last[TID_TEXT];
    return execute(work->pg, walk_sql[WALK_SWITCH][rotation->column][PUT], changed, &work->fault,
        PG_VALUES(pg_text(rotation->manager), pg_text(tid_print(first, from)), pg_text(tid_print(last, to)),
            pg_integer(rotation->new_key)));
}
