/* Looking at incident files, and their clocks. */
#include "audit/audit_answer.h"
#include "audit/audit_incident.h"
#include "audit/audit_incident_items.h"
#include "audit/audit_incident_store.h"
#include "chassis/form.h"
#include "chassis/journal.h"
#include "chassis/meters.h"

#include <string.h>

#define DAY_MS 86400000LL
#define TURN_MS 60000

static const struct {
    const char *state, *japanese;
} states[] = {
    {"open", "調査中(速報前)"},
    {"preliminary", "速報済み"},
    {"final", "確報済み"},
    {"closed", "終了"},
};
#define STATES_OF_FILES (sizeof states / sizeof *states)

static const char *state_japanese(const char *state)
{
    for (size_t i = 0; i < STATES_OF_FILES; i++)
        if (strcmp(states[i].state, state) == 0)
            return states[i].japanese;
    return NULL;
}

static bool waits_for_preliminary(const char *state)
{
    return strcmp(state, "open") == 0;
}

static bool waits_for_final(const char *state)
{
    return strcmp(state, "open") == 0 || strcmp(state, "preliminary") == 0;
}

/* Points into `incident`. */
static void incident_say(struct incident *incident, Audit__Incident *said)
{
    int64_t now = clock_ms();
    audit__incident__init(said);
    said->incident = incident->id;
    said->state = incident->state;
    said->japanese = (char *)state_japanese(incident->state);
    said->unlawful = incident->unlawful;
    said->opened_at_ms = incident->opened_at_ms;
    said->known_at_ms = incident->known_at_ms;
    said->preliminary_due_ms = incident->preliminary_due_ms;
    said->final_due_ms = incident->final_due_ms;
    said->preliminary_at_ms = incident->preliminary_at_ms;
    said->final_at_ms = incident->final_at_ms;
    said->closed_at_ms = incident->closed_at_ms;
    said->preliminary_overdue = waits_for_preliminary(incident->state) && now > incident->preliminary_due_ms;
    said->final_overdue = waits_for_final(incident->state) && now > incident->final_due_ms;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

bool incidents_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentsRequest *request = (const Audit__IncidentsRequest *)message;
    return !*request->state || state_japanese(request->state) || fault_set(fault, FAULT_item_invalid, "state");
}

static bool incidents_fill(struct work *work, const Audit__IncidentsRequest *request, Audit__IncidentsReply *reply)
{
    struct incident *incidents;
    size_t count;
    if (!incidents_read(work->pg, work->arena, request->manager, request->state, &incidents, &count, &work->fault))
        return false;
    Audit__Incident *said = arena_take(work->arena, (count + 1) * sizeof *said);
    reply->incidents = arena_take(work->arena, (count + 1) * sizeof *reply->incidents);
    if (!said || !reply->incidents)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        incident_say(&incidents[i], &said[i]);
        reply->incidents[reply->n_incidents++] = &said[i];
    }
    return true;
}

enum outcome incidents_act(struct work *work)
{
    const Audit__IncidentsRequest *request = (const Audit__IncidentsRequest *)work->request;
    Audit__IncidentsReply reply = AUDIT__INCIDENTS_REPLY__INIT;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!incidents_fill(work, request, &reply))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = "incidents", .nobody = true});
    return work_commit(work, &reply.base);
}

/* --- one file ----------------------------------------------------------------------------------------------------- */

bool incident_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentRequest *request = (const Audit__IncidentRequest *)message;
    return form_is_uuid(request->incident) || fault_set(fault, FAULT_item_invalid, "incident");
}

static bool items_say(struct work *work, const Audit__IncidentItems *items, Audit__IncidentReply *reply)
{
    Audit__IncidentItem *said = arena_take(work->arena, INCIDENT_ITEMS * sizeof *said);
    reply->items = arena_take(work->arena, INCIDENT_ITEMS * sizeof *reply->items);
    if (!said || !reply->items)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (int item = 0; item < INCIDENT_ITEMS; item++) {
        audit__incident_item__init(&said[item]);
        said[item].key = (char *)incident_item_key(item);
        said[item].label = (char *)incident_item_label(item);
        said[item].text = (char *)incident_item(items, item);
        reply->items[reply->n_items++] = &said[item];
    }
    return true;
}

static bool change_say(struct work *work, const struct change *change, Audit__IncidentChange *said)
{
    audit__incident_change__init(said);
    said->number = change->number;
    said->at_ms = change->at_ms;
    said->act = (char *)change->act;
    said->changed = arena_take(work->arena, INCIDENT_ITEMS * sizeof *said->changed);
    if (!said->changed)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (!change->note)
        return true;
    said->by = change->note->by;
    said->reason = change->note->reason;
    said->known_at_ms = change->note->known_at_ms;
    said->unlawful = change->note->unlawful;
    for (int item = 0; change->note->items && item < INCIDENT_ITEMS; item++)
        if (*incident_item(change->note->items, item))
            said->changed[said->n_changed++] = (char *)incident_item_key(item);
    return true;
}

static bool changes_say(struct work *work, const Audit__IncidentRequest *request, Audit__IncidentReply *reply)
{
    struct change *changes;
    size_t count;
    Audit__IncidentItems items = AUDIT__INCIDENT_ITEMS__INIT;
    if (!changes_read(work->pg, work->arena, request->manager, request->incident, &changes, &count, &work->fault))
        return false;
    Audit__IncidentChange *said = arena_take(work->arena, (count + 1) * sizeof *said);
    reply->changes = arena_take(work->arena, (count + 1) * sizeof *reply->changes);
    reply->scopes = arena_take(work->arena, (count + 1) * sizeof *reply->scopes);
    if (!said || !reply->changes || !reply->scopes)
        return fault_set(&work->fault, FAULT_internal, NULL);
    reply->readable = true;
    for (size_t i = 0; i < count; i++) {
        const Audit__IncidentNote *note = changes[i].note;
        if (!change_say(work, &changes[i], &said[i]))
            return false;
        reply->changes[reply->n_changes++] = &said[i];
        reply->readable = reply->readable && note;
        incident_items_merge(&items, note ? note->items : NULL);
        if (note && note->scope)
            reply->scopes[reply->n_scopes++] = note->scope;
    }
    return items_say(work, &items, reply);
}

enum outcome incident_act(struct work *work)
{
    const Audit__IncidentRequest *request = (const Audit__IncidentRequest *)work->request;
    Audit__IncidentReply reply = AUDIT__INCIDENT_REPLY__INIT;
    Audit__Incident said;
    struct incident incident;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!incident_read(work->pg, request->manager, request->incident, &incident, &work->fault) ||
        !changes_say(work, request, &reply))
        return work_refuse(work);
    incident_say(&incident, &said);
    reply.incident = &said;
    work_audit(work, &(struct touch){.reason = request->incident, .nobody = true});
    return work_commit(work, &reply.base);
}

/* --- its persons -------------------------------------------------------------------------------------------------- */

bool incident_persons_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentPersonsRequest *request = (const Audit__IncidentPersonsRequest *)message;
    if (!form_is_uuid(request->incident))
        return fault_set(fault, FAULT_item_invalid, "incident");
    if (request->scope < 1)
        return fault_set(fault, FAULT_item_invalid, "scope");
    return request->page >= 0 || fault_set(fault, FAULT_item_invalid, "page");
}

enum outcome incident_persons_act(struct work *work)
{
    const Audit__IncidentPersonsRequest *request = (const Audit__IncidentPersonsRequest *)work->request;
    Audit__IncidentPersonsReply reply = AUDIT__INCIDENT_PERSONS_REPLY__INIT;
    Audit__IncidentPage *page;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!scope_page_read(work->pg, work->arena, request->manager, request->incident, request->scope,
            request->page ? request->page : 1, &page, &reply.pages, &work->fault))
        return work_refuse(work);
    const char **persons = arena_take(work->arena, (page->n_exposures + 1) * sizeof *persons);
    if (!persons)
        return work_refuse_with(work, FAULT_internal, NULL);
    for (size_t i = 0; i < page->n_exposures; i++)
        persons[i] = page->exposures[i]->person;
    reply.exposures = page->exposures;
    reply.n_exposures = page->n_exposures;
    answer_record(work, persons, page->n_exposures, request->incident, (uint32_t)page->n_exposures);
    return work_commit(work, &reply.base);
}

/* --- the clocks --------------------------------------------------------------------------------------------------- */

/* Overdue now: counted, and told when it came since the turn before, or when all are told. */
static int clock_look(const char *incident, const char *report, int64_t due_ms, int64_t since_ms, int64_t now)
{
    if (due_ms >= now)
        return 0;
    if (due_ms >= since_ms)
        journal(JOURNAL_WARNING, NULL, "incident_report_overdue", WORD("incident", incident), WORD("report", report),
            NUMBER("hours", (now - due_ms) / 3600000));
    return 1;
}

static bool clocks_look(struct work *work, int64_t since_ms, int64_t now)
{
    int64_t counts[STATES_OF_FILES] = {0}, preliminary = 0, final = 0;
    pg_begin(work->pg, "*");
    PGresult *rows = incidents_running_list(work->pg, &work->fault);
    pg_rollback(work->pg);
    for (int row = 0; rows && row < PQntuples(rows); row++) {
        char *id = pg_get_text(rows, row, 0, work->arena), *state = pg_get_text(rows, row, 1, work->arena);
        if (!id || !state)
            break;
        for (size_t i = 0; i < STATES_OF_FILES; i++)
            counts[i] += strcmp(states[i].state, state) == 0;
        if (waits_for_preliminary(state))
            preliminary += clock_look(id, "preliminary", pg_get_integer(rows, row, 2), since_ms, now);
        if (waits_for_final(state))
            final += clock_look(id, "final", pg_get_integer(rows, row, 3), since_ms, now);
    }
    for (size_t i = 0; rows && i + 1 < STATES_OF_FILES; i++)
        meter_set(METER_audit_incidents, states[i].state, counts[i]);
    if (rows) {
        meter_set(METER_audit_incidents_overdue, "preliminary", preliminary);
        meter_set(METER_audit_incidents_overdue, "final", final);
    }
    PQclear(rows);
    return rows != NULL;
}

int incident_clock_turn(struct work *work, const struct lane *lane)
{
    static int64_t looked_at_ms, told_at_ms; /* one thread */
    (void)lane;
    int64_t now = clock_ms();
    bool all = now - told_at_ms >= DAY_MS;
    if (now - looked_at_ms < TURN_MS || !pg_ensure(work->pg, &work->fault) ||
        !clocks_look(work, all ? 0 : looked_at_ms, now))
        return 0;
    looked_at_ms = now;
    if (all)
        told_at_ms = now;
    return 0;
}
