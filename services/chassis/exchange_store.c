#include "chassis/exchange_store.h"

#include "chassis/audit_outbox_store.h"
#include "chassis/cover.h"
#include "chassis/door.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/second_person.h"
#include "chassis/step.h"
#include "chassis/work_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARKED_SECONDS 3600
#define SWEEP_MS 60000
#define ABSENT_MS 500
#define MEASURE_MS 5000

static char schema_name[32];

static char sql_inbox_find[160], sql_inbox_put[256], sql_inbox_sweep[256], sql_outbox_put[256], sql_outbox_lease[768],
    sql_outbox_done[96], sql_outbox_postpone[256], sql_outbox_count[96], sql_version[96];

/* Put the schema's name for each @. */
void exchange_sql_complete(char *text, size_t size, const char *sql)
{
    size_t used = 0;
    for (; *sql && used + sizeof schema_name < size; sql++)
        if (*sql == '@')
            used += (size_t)snprintf(text + used, size - used, "%s", schema_name);
        else
            text[used++] = *sql;
    text[used] = '\0';
    if (*sql)
        abort();
}

void exchange_store_open(const char *schema)
{
    snprintf(schema_name, sizeof schema_name, "%s", schema);
    audit_outbox_open(schema);
    proposals_open();
    exchange_sql_complete(sql_inbox_find, sizeof sql_inbox_find,
        "SELECT request_sha256, reply FROM @.inbox WHERE caller = $1 AND key = $2");
    exchange_sql_complete(sql_inbox_put, sizeof sql_inbox_put,
        "INSERT INTO @.inbox (caller, key, route, request_sha256, reply, expires_on) "
        "VALUES ($1, $2, $3, $4, $5, current_date + 8)");
    exchange_sql_complete(sql_inbox_sweep, sizeof sql_inbox_sweep,
        "DELETE FROM @.inbox WHERE (caller, key) IN (SELECT caller, key FROM @.inbox "
        "WHERE expires_on <= current_date LIMIT 5000)");
    exchange_sql_complete(sql_outbox_put, sizeof sql_outbox_put,
        "INSERT INTO @.outbox (recipient, route, idempotency_key, aggregate, payload) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (idempotency_key) DO NOTHING");
    /* ARRAY is evaluated once; IN could be evaluated for each row, and lease more than the limit. */
    exchange_sql_complete(sql_outbox_lease, sizeof sql_outbox_lease,
        "UPDATE @.outbox SET lease_until = clock_timestamp() + interval '30 s', attempt = attempt + 1 "
        "WHERE id = ANY (ARRAY(SELECT o.id FROM @.outbox o WHERE o.sent_at IS NULL AND o.due_at <= clock_timestamp() "
        "AND (o.lease_until IS NULL OR o.lease_until < clock_timestamp()) "
        "AND o.id = (SELECT min(f.id) FROM @.outbox f WHERE f.aggregate = o.aggregate AND f.sent_at IS NULL) "
        "ORDER BY o.due_at LIMIT $1::int FOR UPDATE SKIP LOCKED)) "
        "RETURNING id, route, idempotency_key, aggregate, payload, attempt");
    exchange_sql_complete(sql_outbox_done, sizeof sql_outbox_done, "DELETE FROM @.outbox WHERE id = $1::bigint");
    exchange_sql_complete(sql_outbox_postpone, sizeof sql_outbox_postpone,
        "UPDATE @.outbox SET lease_until = NULL, "
        "due_at = clock_timestamp() + $2::int * interval '1 ms' WHERE id = $1::bigint");
    exchange_sql_complete(
        sql_outbox_count, sizeof sql_outbox_count, "SELECT count(*) FROM @.outbox WHERE sent_at IS NULL");
    exchange_sql_complete(sql_version, sizeof sql_version, "SELECT version FROM @.schema_version");
}

bool schema_version_check(struct pg *pg, int version, struct fault *fault)
{
    PGresult *result = pg_query(pg, sql_version, fault, PG_NONE);
    if (!result)
        return false;
    bool right = PQntuples(result) == 1 && pg_get_integer(result, 0, 0) == version;
    PQclear(result);
    return right ? true : fault_set(fault, FAULT_unavailable, "schema_version");
}

void inbox_ask(struct pg *pg, const char *caller, const uint8_t key[IDEMPOTENCY_KEY_BYTES], PGresult **answer)
{
    pg_queue_asking(pg, sql_inbox_find, answer, PG_VALUES(pg_text(caller), pg_bytes(key, IDEMPOTENCY_KEY_BYTES)));
}

bool inbox_read(const PGresult *answer, uint8_t request_sha256[32], struct bytes *reply)
{
    if (PQntuples(answer) != 1 || PQgetlength(answer, 0, 0) != 32)
        return false;
    memcpy(request_sha256, PQgetvalue(answer, 0, 0), 32);
    *reply = pg_get_bytes(answer, 0, 1);
    return true;
}

void inbox_put(struct pg *pg, const char *caller, const uint8_t key[IDEMPOTENCY_KEY_BYTES], const char *route,
    const uint8_t request_sha256[32], struct bytes reply)
{
    pg_queue(pg, sql_inbox_put,
        PG_VALUES(pg_text(caller), pg_bytes(key, IDEMPOTENCY_KEY_BYTES), pg_text(route), pg_bytes(request_sha256, 32),
            pg_bytes(reply.data, reply.len)));
}

/* What the relay does now and then when there is nothing to relay. Rows go thousands at a time, so that no lock is held
 * long. */
static void chores_do(struct work *work)
{
    static _Atomic int64_t swept_at_ms, measured_at_ms;
    door_record(work, false);
    if (clock_ms() - swept_at_ms >= SWEEP_MS) {
        swept_at_ms = clock_ms();
        PQclear(pg_query(work->pg, sql_inbox_sweep, &work->fault, PG_NONE));
    }
    if (clock_ms() - measured_at_ms >= MEASURE_MS) {
        measured_at_ms = clock_ms();
        PGresult *counted = pg_query(work->pg, sql_outbox_count, &work->fault, PG_NONE);
        if (counted)
            meter_set(METER_outbox_waiting, schema_name, pg_get_integer(counted, 0, 0));
        PQclear(counted);
    }
}

void outbox_put(struct pg *pg, enum route route, const uint8_t key[IDEMPOTENCY_KEY_BYTES], const char *aggregate,
    struct bytes payload)
{
    pg_queue(pg, sql_outbox_put,
        PG_VALUES(pg_text(party_name(route_row(route)->to)), pg_text(route_row(route)->name),
            pg_bytes(key, IDEMPOTENCY_KEY_BYTES), pg_text(aggregate), pg_bytes(payload.data, payload.len)));
}

/* Send one leased event; how long to wait before the next try, in ms, or 0 when it was acknowledged. Who did not answer
 * once in this batch (`absent`) is not waited for again. */
static int event_send(struct work *work, const PGresult *events, int row, unsigned *absent)
{
    enum route route;
    char *name = pg_get_text(events, row, 1, work->arena), *aggregate = pg_get_text(events, row, 3, work->arena);
    struct bytes key = pg_get_bytes(events, row, 2), covered = pg_get_bytes(events, row, 4);
    int64_t attempt = pg_get_integer(events, row, 5);
    char place[2 * IDEMPOTENCY_KEY_BYTES + 1];
    hex_put(place, key.data, key.len);
    struct bytes plain = cover_take(work->arena, (struct cover_place){"outbox", "*", place}, covered.data, covered.len);
    ProtobufCMessage *event = NULL;
    if (plain.data && route_find(name, &route))
        event =
            protobuf_c_message_unpack(route_row(route)->request, arena_allocator(work->arena), plain.len, plain.data);
    if (!event) {
        journal(JOURNAL_ERROR, aggregate, "event_unreadable", WORD("route", name));
        return PARKED_SECONDS * 1000;
    }
    if (*absent & route_row(route)->to)
        return ABSENT_MS;
    struct bus_request request = {.route = route, .key = key.data, .correlation = aggregate, .message = event};
    if (bus_call(work->state->caller, work->arena, &request, NULL, &work->fault))
        return 0;
    if (work->fault.code == FAULT_timed_out)
        *absent |= route_row(route)->to;
    bool parked = fault_outcome(work->fault.code) == OUTCOME_REJECT;
    journal(parked ? JOURNAL_ERROR : JOURNAL_WARNING, aggregate, "event_not_taken", WORD("route", name),
        WORD("code", fault_code_text(work->fault.code)), NUMBER("attempt", attempt));
    return parked ? PARKED_SECONDS * 1000 : attempt < 7 ? 100 << attempt : 10000;
}

int outbox_relay(struct work *work, const struct lane *lane)
{
    (void)lane;
    PGresult *events = pg_query(work->pg, sql_outbox_lease, &work->fault, PG_VALUES(pg_integer(RELAY_BATCH)));
    int count = events ? PQntuples(events) : 0;
    int waits[RELAY_BATCH];
    unsigned absent = 0;
    if (count == 0)
        chores_do(work);
    for (int i = 0; i < count; i++)
        waits[i] = event_send(work, events, i, &absent);
    if (count && work_begin(work, "")) {
        for (int i = 0; i < count; i++) {
            struct pg_value id = pg_integer(pg_get_integer(events, i, 0));
            if (waits[i])
                pg_queue(work->pg, sql_outbox_postpone, PG_VALUES(id, pg_integer(waits[i])));
            else
                pg_queue(work->pg, sql_outbox_done, PG_VALUES(id));
        }
        work_commit(work, NULL);
    }
    PQclear(events);
    return count;
}
