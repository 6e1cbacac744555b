/* What changes an incident file: opening, a further scope, items, the steps of its reports. */
#include "audit/audit_answer.h"
#include "audit/audit_incident.h"
#include "audit/audit_incident_items.h"
#include "audit/audit_incident_store.h"
#include "chassis/form.h"
#include "chassis/settings.h"

#include <string.h>

#define DAY_MS 86400000LL
#define BY_HAND_MAX 500
#define CLOCKS_APART_MS 60000 /* of whoever says when it was, and ours */

struct asked { /* a scope; all empty: none */
    const char *account, *terminal;
    int64_t from_ms, until_ms;
    char *const *persons;
    size_t person_count;
};
#define ASKED(request)                                                                                                 \
    {                                                                                                                  \
        (request)->account, (request)->terminal, (request)->from_ms, (request)->until_ms, (request)->persons,          \
            (request)->n_persons                                                                                       \
    }

static bool is_asked(const struct asked *asked)
{
    return *asked->account || *asked->terminal || asked->person_count;
}

static bool asked_check(const struct asked *asked, struct fault *fault)
{
    if (asked->person_count) {
        if (*asked->account || *asked->terminal || asked->person_count > BY_HAND_MAX)
            return fault_set(fault, FAULT_item_invalid, "persons");
        for (size_t i = 0; i < asked->person_count; i++)
            if (!answer_id_check(asked->persons[i], true, "persons", fault))
                return false;
        return true;
    }
    if (!answer_id_check(asked->account, false, "account", fault) ||
        !answer_id_check(asked->terminal, false, "terminal", fault))
        return false;
    if (is_asked(asked) && (!asked->from_ms || !asked->until_ms))
        return fault_set(fault, FAULT_item_missing, asked->from_ms ? "until_ms" : "from_ms");
    return true;
}

static bool id_check(const char *incident, struct fault *fault)
{
    return form_is_uuid(incident) || fault_set(fault, FAULT_item_invalid, "incident");
}

/* A moment that has been; 0 is now. */
static bool moment_check(int64_t at_ms, const char *field, struct fault *fault)
{
    return (at_ms >= 0 && at_ms <= clock_ms() + CLOCKS_APART_MS) || fault_set(fault, FAULT_item_invalid, field);
}

static void clocks_set(struct incident *incident)
{
    const char *final = incident->unlawful ? "SHIKAKU_INCIDENT_FINAL_UNLAWFUL_DAYS" : "SHIKAKU_INCIDENT_FINAL_DAYS";
    incident->preliminary_due_ms = incident->known_at_ms + setting_number("SHIKAKU_INCIDENT_PRELIMINARY_DAYS") * DAY_MS;
    incident->final_due_ms = incident->known_at_ms + setting_number(final) * DAY_MS;
}

/* --- what every change writes ------------------------------------------------------------------------------------- */

static bool change_put(
    struct work *work, const char *manager, const struct incident *incident, const char *act, Audit__IncidentNote *note)
{
    note->by = (char *)work->actor->account;
    note->known_at_ms = incident->known_at_ms;
    note->unlawful = incident->unlawful;
    if (!change_add(work->pg, work->arena, manager, incident, act, note))
        return fault_set(&work->fault, FAULT_internal, NULL);
    work_audit(work, &(struct touch){.reason = incident->id, .nobody = true});
    return true;
}

/* Find what is asked as the log has it now. */
static bool scope_find(struct work *work, const char *manager, const struct asked *asked, struct exposures *all,
    Audit__IncidentScope *said)
{
    uint64_t length;
    if (!log_length(work->pg, &length, &work->fault))
        return false;
    const struct exposure_question question = {
        manager, asked->account, asked->terminal, asked->from_ms, asked->until_ms, length, length, 0};
    if (asked->person_count ? !exposures_list(asked->persons, asked->person_count, all)
                            : !exposures_find(work->pg, work->arena, &question, all, &work->fault))
        return work->fault.code == FAULT_NONE ? fault_set(&work->fault, FAULT_internal, NULL) : false;
    audit__incident_scope__init(said);
    said->account = (char *)asked->account;
    said->terminal = (char *)asked->terminal;
    said->from_ms = asked->from_ms;
    said->until_ms = asked->until_ms;
    said->frozen_at_ms = clock_ms();
    said->log_length = (int64_t)length;
    if (!(said->sum = arena_take(work->arena, sizeof *said->sum)))
        return fault_set(&work->fault, FAULT_internal, NULL);
    exposures_sum(all, said->sum);
    return true;
}

/* The change with its scope, if one was asked for, and the persons under it. */
static bool scope_put(struct work *work, const char *manager, struct incident *incident, const struct asked *asked,
    const char *act, Audit__IncidentNote *note, Audit__IncidentScope *said)
{
    struct exposures all = {0};
    if (!is_asked(asked))
        return change_put(work, manager, incident, act, note);
    bool put = scope_find(work, manager, asked, &all, said);
    if (put) {
        said->scope = incident->changes;
        note->scope = said;
        put = change_put(work, manager, incident, act, note) &&
              (scope_add(work->pg, manager, incident, &all) || fault_set(&work->fault, FAULT_internal, NULL));
    }
    exposures_free(&all);
    return put;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

bool incident_open_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentOpenRequest *request = (const Audit__IncidentOpenRequest *)message;
    const struct asked asked = ASKED(request);
    Audit__IncidentItems items;
    incident_items_take(message, &items);
    if (!*request->outline)
        return fault_set(fault, FAULT_item_missing, "outline");
    return question_check(request->reason, request->from_ms, request->until_ms, fault) &&
           moment_check(request->known_at_ms, "known_at_ms", fault) && incident_items_check(&items, fault) &&
           asked_check(&asked, fault);
}

enum outcome incident_open_act(struct work *work)
{
    const Audit__IncidentOpenRequest *request = (const Audit__IncidentOpenRequest *)work->request;
    const struct asked asked = ASKED(request);
    Audit__IncidentOpenReply reply = AUDIT__INCIDENT_OPEN_REPLY__INIT;
    Audit__IncidentNote note = AUDIT__INCIDENT_NOTE__INIT;
    Audit__IncidentScope scope = AUDIT__INCIDENT_SCOPE__INIT;
    Audit__IncidentItems items;
    struct incident incident = {.unlawful = request->unlawful, .changes = 1};
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    uuid_make(incident.id);
    incident.known_at_ms = request->known_at_ms ? request->known_at_ms : clock_ms();
    clocks_set(&incident);
    incident_add(work->pg, request->manager, &incident);
    incident_items_take(&request->base, &items);
    note.reason = request->reason;
    note.items = &items;
    if (!scope_put(work, request->manager, &incident, &asked, "open", &note, &scope))
        return work_refuse(work);
    reply.incident = incident.id;
    reply.preliminary_due_ms = incident.preliminary_due_ms;
    reply.final_due_ms = incident.final_due_ms;
    reply.sum = scope.sum;
    return work_commit(work, &reply.base);
}

/* --- changes ------------------------------------------------------------------------------------------------------ */

/* The file, to be changed: its row is locked and its next change has its number. */
static bool incident_hold(struct work *work, const char *manager, const char *id, struct incident *incident)
{
    if (!incident_take(work->pg, manager, id, incident, &work->fault))
        return false;
    if (strcmp(incident->state, "closed") == 0)
        return fault_set(&work->fault, FAULT_incident_state, "incident");
    incident->changes++;
    return true;
}

bool incident_scope_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentScopeRequest *request = (const Audit__IncidentScopeRequest *)message;
    const struct asked asked = ASKED(request);
    if (!is_asked(&asked))
        return fault_set(fault, FAULT_item_missing, "account");
    return id_check(request->incident, fault) &&
           question_check(request->reason, request->from_ms, request->until_ms, fault) && asked_check(&asked, fault);
}

enum outcome incident_scope_act(struct work *work)
{
    const Audit__IncidentScopeRequest *request = (const Audit__IncidentScopeRequest *)work->request;
    const struct asked asked = ASKED(request);
    Audit__IncidentScopeReply reply = AUDIT__INCIDENT_SCOPE_REPLY__INIT;
    Audit__IncidentNote note = AUDIT__INCIDENT_NOTE__INIT;
    Audit__IncidentScope scope = AUDIT__INCIDENT_SCOPE__INIT;
    struct incident incident;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    note.reason = request->reason;
    if (!incident_hold(work, request->manager, request->incident, &incident) ||
        !scope_put(work, request->manager, &incident, &asked, "scope", &note, &scope))
        return work_refuse(work);
    incident_put(work->pg, request->manager, &incident);
    reply.scope = incident.changes;
    reply.sum = scope.sum;
    return work_commit(work, &reply.base);
}

bool incident_change_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentChangeRequest *request = (const Audit__IncidentChangeRequest *)message;
    Audit__IncidentItems items;
    incident_items_take(message, &items);
    if (*request->unlawful && strcmp(request->unlawful, "yes") != 0 && strcmp(request->unlawful, "no") != 0)
        return fault_set(fault, FAULT_item_invalid, "unlawful");
    if (!incident_items_given(&items) && !*request->unlawful && !request->known_at_ms)
        return fault_set(fault, FAULT_item_missing, "outline");
    return id_check(request->incident, fault) && question_check(request->reason, 0, 0, fault) &&
           moment_check(request->known_at_ms, "known_at_ms", fault) && incident_items_check(&items, fault);
}

enum outcome incident_change_act(struct work *work)
{
    const Audit__IncidentChangeRequest *request = (const Audit__IncidentChangeRequest *)work->request;
    Audit__IncidentChangeReply reply = AUDIT__INCIDENT_CHANGE_REPLY__INIT;
    Audit__IncidentNote note = AUDIT__INCIDENT_NOTE__INIT;
    Audit__IncidentItems items;
    struct incident incident;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!incident_hold(work, request->manager, request->incident, &incident))
        return work_refuse(work);
    if (*request->unlawful)
        incident.unlawful = strcmp(request->unlawful, "yes") == 0;
    if (request->known_at_ms)
        incident.known_at_ms = request->known_at_ms;
    if (*request->unlawful || request->known_at_ms)
        clocks_set(&incident);
    incident_items_take(&request->base, &items);
    note.reason = request->reason;
    note.items = &items;
    if (!change_put(work, request->manager, &incident, "change", &note))
        return work_refuse(work);
    incident_put(work->pg, request->manager, &incident);
    reply.preliminary_due_ms = incident.preliminary_due_ms;
    reply.final_due_ms = incident.final_due_ms;
    return work_commit(work, &reply.base);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *from, *to;
} steps[] = {
    {"open", "preliminary"},
    {"preliminary", "final"},
    {"final", "closed"},
    {"open", "closed"},
    {"preliminary", "closed"},
};
#define STEPS (sizeof steps / sizeof *steps)

bool incident_step_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__IncidentStepRequest *request = (const Audit__IncidentStepRequest *)message;
    bool known = false;
    for (size_t i = 0; i < STEPS; i++)
        known |= strcmp(steps[i].to, request->to) == 0;
    if (!known)
        return fault_set(fault, FAULT_item_invalid, "to");
    return id_check(request->incident, fault) && question_check(request->reason, 0, 0, fault) &&
           moment_check(request->at_ms, "at_ms", fault);
}

/* A final report has all nine items. */
static bool items_are_whole(struct work *work, const char *manager, const char *id)
{
    struct change *changes;
    size_t count;
    Audit__IncidentItems items = AUDIT__INCIDENT_ITEMS__INIT;
    if (!changes_read(work->pg, work->arena, manager, id, &changes, &count, &work->fault))
        return false;
    for (size_t i = 0; i < count; i++)
        incident_items_merge(&items, changes[i].note ? changes[i].note->items : NULL);
    for (int item = 0; item < INCIDENT_ITEMS; item++)
        if (!*incident_item(&items, item))
            return fault_set(&work->fault, FAULT_item_missing, incident_item_key(item));
    return true;
}

static bool step_take(struct work *work, const Audit__IncidentStepRequest *request, struct incident *incident)
{
    bool leads = false;
    int64_t at_ms = request->at_ms ? request->at_ms : clock_ms();
    for (size_t i = 0; i < STEPS; i++)
        leads |= strcmp(steps[i].from, incident->state) == 0 && strcmp(steps[i].to, request->to) == 0;
    if (!leads)
        return fault_set(&work->fault, FAULT_incident_state, "to");
    if (at_ms < incident->known_at_ms || at_ms < incident->preliminary_at_ms || at_ms < incident->final_at_ms)
        return fault_set(&work->fault, FAULT_item_invalid, "at_ms");
    if (strcmp(request->to, "preliminary") == 0)
        incident->preliminary_at_ms = at_ms;
    else if (strcmp(request->to, "final") == 0)
        incident->final_at_ms = at_ms;
    else
        incident->closed_at_ms = at_ms;
    strcpy(incident->state, request->to);
    return strcmp(request->to, "final") != 0 || items_are_whole(work, request->manager, request->incident);
}

enum outcome incident_step_act(struct work *work)
{
    const Audit__IncidentStepRequest *request = (const Audit__IncidentStepRequest *)work->request;
    Audit__IncidentStepReply reply = AUDIT__INCIDENT_STEP_REPLY__INIT;
    Audit__IncidentNote note = AUDIT__INCIDENT_NOTE__INIT;
    struct incident incident;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    note.reason = request->reason;
    if (!incident_hold(work, request->manager, request->incident, &incident) || !step_take(work, request, &incident) ||
        !change_put(work, request->manager, &incident, request->to, &note))
        return work_refuse(work);
    incident_put(work->pg, request->manager, &incident);
    reply.state = incident.state;
    return work_commit(work, &reply.base);
}
