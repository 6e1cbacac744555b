#include "chassis/audit_outbox_store.h"

#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/work_state.h"

#include "audit.pb-c.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ROW_BYTES 160 /* sequence, two links, and a chain's own fields */
#define MEASURE_MS 5000
#define MEASURE_FAILING_MS 500
#define STUCK_MAX 32
#define STUCK_MS 60000

static char schema_name[32];
static char sql_put[256], sql_list[352], sql_done[160], sql_measure[192];

static struct {
    int64_t records_max, age_max_ms; /* 0: no bound */
    _Atomic int64_t records, oldest_ms, measured_ms;
} waiting;

void audit_outbox_open(const char *schema)
{
    snprintf(schema_name, sizeof schema_name, "%s", schema);
    exchange_sql_complete(sql_put, sizeof sql_put,
        "INSERT INTO @.audit_outbox (instance, worker, sequence, previous, digest, event) "
        "VALUES ($1::uuid, $2::int, $3::bigint, $4, $5, $6)");
    exchange_sql_complete(sql_list, sizeof sql_list,
        "SELECT instance::text, worker, sequence, previous, digest, event FROM @.audit_outbox "
        "WHERE NOT (instance::text || '/' || worker = ANY ($2::text[])) "
        "ORDER BY instance, worker, sequence LIMIT $1::int");
    exchange_sql_complete(sql_done, sizeof sql_done,
        "DELETE FROM @.audit_outbox WHERE instance = $1::uuid AND worker = $2::int "
        "AND sequence <= $3::bigint");
    exchange_sql_complete(sql_measure, sizeof sql_measure,
        "SELECT count(*), coalesce(extract(epoch FROM min(created_at)) * 1000, 0)::bigint FROM @.audit_outbox");
}

/* The bound */

void audit_outbox_bound(int64_t records, int64_t seconds)
{
    waiting.records_max = records;
    waiting.age_max_ms = seconds * 1000;
}

void audit_outbox_added(int64_t records)
{
    atomic_fetch_add(&waiting.records, records);
}

bool audit_outbox_full(void)
{
    int64_t oldest_ms = atomic_load(&waiting.oldest_ms);
    return waiting.records_max && (atomic_load(&waiting.records) >= waiting.records_max ||
                                      (oldest_ms && clock_ms() - oldest_ms > waiting.age_max_ms));
}

/* Other replicas add to the same table, so what is counted here is set right now and then. */
static void measure(struct work *work, int64_t every_ms)
{
    if (clock_ms() - atomic_load(&waiting.measured_ms) < every_ms)
        return;
    PGresult *measured = pg_query(work->pg, sql_measure, &work->fault, PG_NONE);
    if (measured) {
        atomic_store(&waiting.measured_ms, clock_ms());
        atomic_store(&waiting.records, pg_get_integer(measured, 0, 0));
        atomic_store(&waiting.oldest_ms, pg_get_integer(measured, 0, 1));
        meter_set(METER_audit_outbox_waiting, schema_name, pg_get_integer(measured, 0, 0));
        meter_set(METER_audit_full, schema_name, audit_outbox_full());
    }
    PQclear(measured);
}

/* The relay */

void audit_outbox_put(struct pg *pg, const char *instance, int worker, uint64_t sequence,
    const uint8_t previous[AUDIT_LINK_BYTES], const uint8_t link[AUDIT_LINK_BYTES], struct bytes event)
{
    pg_queue(pg, sql_put,
        PG_VALUES(pg_text(instance), pg_integer(worker), pg_integer((int64_t)sequence),
            pg_bytes(previous, AUDIT_LINK_BYTES), pg_bytes(link, AUDIT_LINK_BYTES), pg_bytes(event.data, event.len)));
}

/* Chains that stand still, as the elements of a PostgreSQL array. The relay has one thread. */
static struct {
    char names[STUCK_MAX][56];
    int count;
    int64_t since_ms;
} stuck;

static void stuck_note(const char *instance, uint32_t worker)
{
    if (stuck.count == STUCK_MAX)
        return;
    if (!stuck.count)
        stuck.since_ms = clock_ms();
    snprintf(stuck.names[stuck.count++], sizeof stuck.names[0], "%s/%u", instance, worker);
}

static const char *stuck_print(char text[STUCK_MAX * 58 + 3])
{
    char *at = text;
    if (stuck.count && clock_ms() - stuck.since_ms > STUCK_MS)
        stuck.count = 0;
    at += sprintf(at, "{");
    for (int i = 0; i < stuck.count; i++)
        at += sprintf(at, "%s%s", i ? "," : "", stuck.names[i]);
    sprintf(at, "}");
    return text;
}

/* As many rows as one message may carry; a record that lists a thousand people is some 20 KB. */
static size_t rows_that_fit(const PGresult *rows)
{
    size_t count = 0, bytes = 0;
    while (count < (size_t)PQntuples(rows)) {
        bytes += (size_t)PQgetlength(rows, (int)count, 5) + ROW_BYTES;
        if (bytes > BUS_PAYLOAD_MAX && count)
            break;
        count++;
    }
    return count;
}

static bool own_check(const PGresult *rows, int row)
{
    struct bytes previous = pg_get_bytes(rows, row, 3), link = pg_get_bytes(rows, row, 4);
    return previous.len == AUDIT_LINK_BYTES && link.len == AUDIT_LINK_BYTES &&
           audit_link_check(
               previous.data, (uint64_t)pg_get_integer(rows, row, 2), pg_get_bytes(rows, row, 5), link.data);
}

static Audit__Chain *chain_begin(Audit__Chain *chain, char *instance, uint32_t worker, Audit__Link **links)
{
    audit__chain__init(chain);
    chain->instance = instance;
    chain->worker = worker;
    chain->links = links;
    return chain;
}

static void link_fill(Audit__Link *link, const PGresult *rows, int row)
{
    struct bytes previous = pg_get_bytes(rows, row, 3), digest = pg_get_bytes(rows, row, 4),
                 event = pg_get_bytes(rows, row, 5);
    audit__link__init(link);
    link->sequence = (uint64_t)pg_get_integer(rows, row, 2);
    link->previous = (ProtobufCBinaryData){previous.len, previous.data};
    link->digest = (ProtobufCBinaryData){digest.len, digest.data};
    link->event = (ProtobufCBinaryData){event.len, event.data};
}

static void chain_stop(const Audit__Chain *chain, uint64_t sequence)
{
    stuck_note(chain->instance, chain->worker);
    meter_add(METER_audit_chain_breaks_total, schema_name, 1);
    journal(JOURNAL_ERROR, NULL, "record_of_use_forged", WORD("instance", chain->instance),
        NUMBER("worker", chain->worker), NUMBER("sequence", (int64_t)sequence));
}

/* Group the rows, which come ordered, into chains, each up to its first row that is not this service's own. */
static Audit__AppendRequest *append_request_make(struct work *work, const PGresult *rows, size_t count)
{
    struct arena *arena = work->arena;
    Audit__AppendRequest *request = arena_take(arena, sizeof *request);
    Audit__Chain *chains = arena_take(arena, count * sizeof *chains), *chain = NULL, **list;
    Audit__Link **links = arena_take(arena, count * sizeof *links), *link = arena_take(arena, count * sizeof *link);
    bool stopped = false;
    list = arena_take(arena, count * sizeof *list);
    if (!request || !chains || !list || !links || !link)
        return NULL;
    audit__append_request__init(request);
    request->chains = list;
    for (size_t i = 0; i < count; i++) {
        char *instance = pg_get_text(rows, (int)i, 0, arena);
        uint32_t worker = (uint32_t)pg_get_integer(rows, (int)i, 1);
        if (!instance)
            return NULL;
        if (!chain || strcmp(chain->instance, instance) != 0 || chain->worker != worker) {
            chain = chain_begin(&chains[i], instance, worker, &links[i]);
            stopped = false;
        }
        if (!stopped && !own_check(rows, (int)i)) {
            stopped = true;
            chain_stop(chain, (uint64_t)pg_get_integer(rows, (int)i, 2));
        }
        if (stopped)
            continue;
        link_fill(&link[i], rows, (int)i);
        links[i] = &link[i];
        if (chain->n_links++ == 0)
            list[request->n_chains++] = chain;
    }
    return request;
}

/* What audit did not take of a chain, it refuses until a person has looked. */
static void refused_note(const Audit__AppendRequest *request, const Audit__AppendReply *reply)
{
    for (size_t i = 0; i < request->n_chains; i++) {
        const Audit__Chain *chain = request->chains[i];
        uint64_t through = 0;
        for (size_t j = 0; reply && j < reply->n_through; j++)
            if (strcmp(reply->through[j]->instance, chain->instance) == 0 && reply->through[j]->worker == chain->worker)
                through = reply->through[j]->sequence;
        if (through < chain->links[chain->n_links - 1]->sequence)
            stuck_note(chain->instance, chain->worker);
    }
}

/* Returns how many rows went. */
static int64_t taken_drop(struct work *work, const Audit__AppendReply *reply, size_t sent)
{
    if (!work_begin(work, ""))
        return 0;
    for (size_t i = 0; i < reply->n_through; i++)
        pg_queue(work->pg, sql_done,
            PG_VALUES(pg_text(reply->through[i]->instance), pg_integer(reply->through[i]->worker),
                pg_integer((int64_t)reply->through[i]->sequence)));
    return work_commit(work, NULL) == OUTCOME_DONE ? (int64_t)sent : 0;
}

int audit_relay(struct work *work, const struct lane *lane)
{
    (void)lane;
    char excepted[STUCK_MAX * 58 + 3];
    ProtobufCMessage *answer = NULL;
    PGresult *rows =
        pg_query(work->pg, sql_list, &work->fault, PG_VALUES(pg_integer(AUDIT_BATCH), pg_text(stuck_print(excepted))));
    size_t count = rows ? rows_that_fit(rows) : 0, sent = 0;
    int64_t relayed = 0;
    Audit__AppendRequest *request = count ? append_request_make(work, rows, count) : NULL;
    for (size_t i = 0; request && i < request->n_chains; i++)
        sent += request->chains[i]->n_links;
    if (sent && work_call(work, ROUTE_audit_append, NULL, &request->base, &answer)) {
        refused_note(request, (const Audit__AppendReply *)answer);
        relayed = taken_drop(work, (const Audit__AppendReply *)answer, sent);
    } else if (sent) {
        if (work->fault.code == FAULT_audit_gap)
            refused_note(request, NULL);
        journal(JOURNAL_WARNING, NULL, "audit_not_reached", WORD("code", fault_code_text(work->fault.code)));
    }
    PQclear(rows);
    atomic_fetch_sub(&waiting.records, relayed);
    if (relayed == (int64_t)count && count < AUDIT_BATCH && !stuck.count)
        atomic_store(&waiting.oldest_ms, 0);
    measure(work, relayed == (int64_t)count && !audit_outbox_full() ? MEASURE_MS : MEASURE_FAILING_MS);
    return (int)relayed;
}
