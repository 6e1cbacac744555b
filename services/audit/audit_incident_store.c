#include "audit/audit_incident_store.h"

#include "chassis/cover.h"

#include <stdio.h>
#include <string.h>

#define PAGE_ARENA (256 * 1024)
#define AT(parameter) "to_timestamp(nullif(" parameter "::bigint, 0) / 1000.0)"
#define MS(column) "coalesce((extract(epoch FROM " column ") * 1000)::bigint, 0)"

/* --- files -------------------------------------------------------------------------------------------------------- */

static const char incident_add_sql[] =
    "INSERT INTO audit.incident (manager, incident, unlawful, known_at, preliminary_due, final_due, changes) "
    "VALUES ($1, $2::text::uuid, $3::boolean, " AT("$4") ", " AT("$5") ", " AT("$6") ", $7::integer)";

void incident_add(struct pg *pg, const char *manager, const struct incident *incident)
{
    pg_queue(pg, incident_add_sql,
        PG_VALUES(pg_text(manager), pg_text(incident->id), pg_integer(incident->unlawful),
            pg_integer(incident->known_at_ms), pg_integer(incident->preliminary_due_ms),
            pg_integer(incident->final_due_ms), pg_integer(incident->changes)));
}

#define INCIDENT_COLUMNS                                                                                               \
    "incident::text, state, unlawful, " MS("opened_at") ", " MS("known_at") ", " MS("preliminary_due") ", " MS(        \
        "final_due") ", " MS("preliminary_at") ", " MS("final_at") ", " MS("closed_at") ", changes "

static void incident_fill(const PGresult *rows, int row, struct incident *incident)
{
    snprintf(incident->id, sizeof incident->id, "%.36s", PQgetvalue(rows, row, 0));
    snprintf(incident->state, sizeof incident->state, "%.*s", PQgetlength(rows, row, 1), PQgetvalue(rows, row, 1));
    incident->unlawful = pg_get_bool(rows, row, 2);
    incident->opened_at_ms = pg_get_integer(rows, row, 3);
    incident->known_at_ms = pg_get_integer(rows, row, 4);
    incident->preliminary_due_ms = pg_get_integer(rows, row, 5);
    incident->final_due_ms = pg_get_integer(rows, row, 6);
    incident->preliminary_at_ms = pg_get_integer(rows, row, 7);
    incident->final_at_ms = pg_get_integer(rows, row, 8);
    incident->closed_at_ms = pg_get_integer(rows, row, 9);
    incident->changes = (int32_t)pg_get_integer(rows, row, 10);
}

static bool incident_give(PGresult *row, struct incident *incident, struct fault *fault)
{
    bool found = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_found, "incident"));
    if (found)
        incident_fill(row, 0, incident);
    PQclear(row);
    return found;
}

static const char incident_take_sql[] =
    "SELECT " INCIDENT_COLUMNS "FROM audit.incident WHERE manager = $1 AND incident = $2::text::uuid FOR UPDATE";

bool incident_take(struct pg *pg, const char *manager, const char *id, struct incident *incident, struct fault *fault)
{
    return incident_give(
        pg_query(pg, incident_take_sql, fault, PG_VALUES(pg_text(manager), pg_text(id))), incident, fault);
}

static const char incident_read_sql[] =
    "SELECT " INCIDENT_COLUMNS "FROM audit.incident WHERE manager = $1 AND incident = $2::text::uuid";

bool incident_read(struct pg *pg, const char *manager, const char *id, struct incident *incident, struct fault *fault)
{
    return incident_give(
        pg_query(pg, incident_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(id))), incident, fault);
}

static const char incident_put_sql[] =
    "UPDATE audit.incident SET state = $3, unlawful = $4::boolean, known_at = " AT("$5") ", preliminary_due = " AT(
        "$6") ", final_due = " AT("$7") ", preliminary_at = " AT("$8") ", final_at = " AT("$9") ", closed_at = " AT(
        "$10") ", changes = $11::integer WHERE manager = $1 AND incident = $2::text::uuid";

void incident_put(struct pg *pg, const char *manager, const struct incident *incident)
{
    pg_queue_exactly(pg, incident_put_sql, 1, FAULT_internal,
        PG_VALUES(pg_text(manager), pg_text(incident->id), pg_text(incident->state), pg_integer(incident->unlawful),
            pg_integer(incident->known_at_ms), pg_integer(incident->preliminary_due_ms),
            pg_integer(incident->final_due_ms), pg_integer(incident->preliminary_at_ms),
            pg_integer(incident->final_at_ms), pg_integer(incident->closed_at_ms), pg_integer(incident->changes)));
}

static const char incidents_read_sql[] =
    "SELECT " INCIDENT_COLUMNS
    "FROM audit.incident WHERE manager = $1 AND ($2 = '' OR state = $2) "
    "ORDER BY audit.incident.state = 'closed', known_at DESC, audit.incident.incident LIMIT 200";

bool incidents_read(struct pg *pg, struct arena *arena, const char *manager, const char *state,
    struct incident **incidents, size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, incidents_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(state)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *incidents = arena_take(arena, (*count + 1) * sizeof **incidents);
    bool read = rows && (*incidents || fault_set(fault, FAULT_internal, NULL));
    for (size_t i = 0; read && i < *count; i++)
        incident_fill(rows, (int)i, &(*incidents)[i]);
    PQclear(rows);
    return read;
}

static const char incidents_running_list_sql[] = "SELECT incident::text, state, " MS("preliminary_due") ", " MS(
    "final_due") " FROM audit.incident WHERE state <> 'closed' ORDER BY known_at LIMIT 10000";

PGresult *incidents_running_list(struct pg *pg, struct fault *fault)
{
    return pg_query(pg, incidents_running_list_sql, fault, PG_NONE);
}

/* --- changes ------------------------------------------------------------------------------------------------------ */

static struct bytes message_cover(
    struct arena *arena, const char *table, const char *manager, const char *row, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *plain = arena_take(arena, len + 1);
    if (!plain || !row)
        return (struct bytes){NULL, 0};
    protobuf_c_message_pack(message, plain);
    return cover_put(arena, (struct cover_place){table, manager, row}, plain, len);
}

static ProtobufCMessage *message_uncover(struct arena *arena, const char *table, const char *manager, const char *row,
    const ProtobufCMessageDescriptor *shape, struct bytes covered)
{
    if (!row)
        return NULL;
    struct bytes plain = cover_take(arena, (struct cover_place){table, manager, row}, covered.data, covered.len);
    return plain.data ? protobuf_c_message_unpack(shape, arena_allocator(arena), plain.len, plain.data) : NULL;
}

static const char change_add_sql[] =
    "INSERT INTO audit.incident_change (manager, incident, number, act, content) "
    "VALUES ($1, $2::text::uuid, $3::integer, $4, $5)";

bool change_add(struct pg *pg, struct arena *arena, const char *manager, const struct incident *incident,
    const char *act, const Audit__IncidentNote *note)
{
    struct bytes content = message_cover(arena, "audit.incident_change", manager,
        arena_format(arena, "%s/%d", incident->id, incident->changes), &note->base);
    if (!content.data)
        return false;
    pg_queue(pg, change_add_sql,
        PG_VALUES(pg_text(manager), pg_text(incident->id), pg_integer(incident->changes), pg_text(act),
            pg_bytes(content.data, content.len)));
    return true;
}

static const char changes_read_sql[] =
    "SELECT number, " MS("made_at") ", act, content FROM audit.incident_change "
                                    "WHERE manager = $1 AND incident = $2::text::uuid ORDER BY number";

bool changes_read(struct pg *pg, struct arena *arena, const char *manager, const char *id, struct change **changes,
    size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, changes_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(id)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *changes = arena_take(arena, (*count + 1) * sizeof **changes);
    bool read = rows && (*changes || fault_set(fault, FAULT_too_large, NULL));
    for (size_t i = 0; read && i < *count; i++) {
        struct change *change = &(*changes)[i];
        change->number = (int32_t)pg_get_integer(rows, (int)i, 0);
        change->at_ms = pg_get_integer(rows, (int)i, 1);
        change->act = pg_get_text(rows, (int)i, 2, arena);
        change->note = (const Audit__IncidentNote *)message_uncover(arena, "audit.incident_change", manager,
            arena_format(arena, "%s/%d", id, change->number), &audit__incident_note__descriptor,
            pg_get_bytes(rows, (int)i, 3));
        read = change->act || fault_set(fault, FAULT_too_large, NULL);
    }
    PQclear(rows);
    return read;
}

/* --- scopes ------------------------------------------------------------------------------------------------------- */

static const char page_add_sql[] =
    "INSERT INTO audit.incident_page (manager, incident, scope, page, content) "
    "VALUES ($1, $2::text::uuid, $3::integer, $4::integer, $5)";

static bool page_add(struct pg *pg, struct arena *arena, const char *manager, const struct incident *incident,
    int32_t page, const struct exposure *rows, size_t count)
{
    Audit__IncidentPage said = AUDIT__INCIDENT_PAGE__INIT;
    Audit__Exposure exposures[INCIDENT_PAGE], *list[INCIDENT_PAGE];
    for (size_t i = 0; i < count; i++) {
        if (!exposure_put(arena, &rows[i], &exposures[i]))
            return false;
        list[i] = &exposures[i];
    }
    said.exposures = list;
    said.n_exposures = count;
    struct bytes content = message_cover(arena, "audit.incident_page", manager,
        arena_format(arena, "%s/%d/%d", incident->id, incident->changes, page), &said.base);
    if (!content.data)
        return false;
    pg_queue(pg, page_add_sql,
        PG_VALUES(pg_text(manager), pg_text(incident->id), pg_integer(incident->changes), pg_integer(page),
            pg_bytes(content.data, content.len)));
    return true;
}

/* A scope of nobody has one page. */
bool scope_add(struct pg *pg, const char *manager, const struct incident *incident, const struct exposures *exposures)
{
    struct arena *arena = arena_new(PAGE_ARENA);
    bool added = arena != NULL;
    size_t from = 0;
    for (int32_t page = 1; added && (page == 1 || from < exposures->count); page++, from += INCIDENT_PAGE) {
        size_t left = exposures->count - from;
        arena_reset(arena);
        added = page_add(
            pg, arena, manager, incident, page, exposures->rows + from, left < INCIDENT_PAGE ? left : INCIDENT_PAGE);
    }
    arena_free(arena);
    return added;
}

static const char scope_page_read_sql[] =
    "SELECT content, (SELECT max(p.page) FROM audit.incident_page AS p WHERE p.manager = $1 "
    "AND p.incident = $2::text::uuid AND p.scope = $3::integer) FROM audit.incident_page "
    "WHERE manager = $1 AND incident = $2::text::uuid AND scope = $3::integer AND page = $4::integer";

bool scope_page_read(struct pg *pg, struct arena *arena, const char *manager, const char *id, int32_t scope,
    int32_t page, Audit__IncidentPage **persons, int32_t *pages, struct fault *fault)
{
    PGresult *row = pg_query(
        pg, scope_page_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(id), pg_integer(scope), pg_integer(page)));
    bool read = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_found, "scope"));
    if (read) {
        struct bytes covered = pg_get_bytes(row, 0, 0);
        *pages = (int32_t)pg_get_integer(row, 0, 1);
        *persons = (Audit__IncidentPage *)message_uncover(arena, "audit.incident_page", manager,
            arena_format(arena, "%s/%d/%d", id, scope, page), &audit__incident_page__descriptor, covered);
        read = *persons || fault_set(fault, cover_refusal(covered.data, covered.len), "scope");
    }
    PQclear(row);
    return read;
}
