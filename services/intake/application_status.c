#include "intake/application_status.h"

#include "intake/intake_setup.h"

#include <string.h>

#define SHOWN_MAX 200

/* The applicant reads why an application was sent back or rejected, not what staff noted among themselves. */
static bool reason_is_for_applicant(const char *state)
{
    return strcmp(state, state_name(STATE_returning)) == 0 || strcmp(state, state_name(STATE_rejecting)) == 0;
}

static bool history_show(
    struct work *work, const struct application *a, PGresult *answer, Intake__Application *shown, bool staff)
{
    struct history_row *rows;
    if (!history_take(work, a, answer, &rows, &shown->n_history))
        return false;
    shown->history = arena_take(work->arena, (shown->n_history + 1) * sizeof *shown->history);
    for (size_t i = 0; shown->history && i < shown->n_history; i++) {
        enum application_state state;
        Intake__Step *step = shown->history[i] = arena_take(work->arena, sizeof *step);
        if (!step)
            return fault_set(&work->fault, FAULT_too_large, NULL);
        intake__step__init(step);
        step->state = (char *)rows[i].state;
        step->japanese = (char *)(state_find(rows[i].state, &state) ? state_japanese(state) : "");
        step->at_ms = rows[i].at_ms;
        if (staff || reason_is_for_applicant(rows[i].state))
            step->reason = (char *)rows[i].reason;
    }
    return shown->history ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

static Intake__Application *application_fill(struct work *work, const struct application *a, bool staff)
{
    Intake__Application *shown = arena_take(work->arena, sizeof *shown);
    if (!shown)
        return NULL;
    intake__application__init(shown);
    shown->receipt = (char *)a->receipt;
    shown->application = (char *)a->application;
    shown->manager = (char *)a->manager;
    shown->programme = (char *)a->programme;
    shown->procedure = (char *)a->procedure;
    shown->state = (char *)state_name(a->state);
    shown->japanese = (char *)state_japanese(a->state);
    shown->waiting_for = (char *)state_waits_for(a->state);
    shown->registration_number = (char *)a->registration_number;
    shown->certificate = (char *)a->certificate;
    shown->fee = a->fee;
    shown->fee_state = (char *)a->fee_state;
    shown->pay_url = (char *)a->pay_url;
    if (staff) {
        shown->pseudonym = (char *)a->pseudonym;
        shown->body = (char *)a->body;
    }
    return shown;
}

bool applications_show(
    struct work *work, const struct application *list, size_t count, bool staff, Intake__Application **shown)
{
    PGresult **histories = arena_take(work->arena, count * sizeof(PGresult *) + 1);
    if (!histories)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    for (size_t i = 0; i < count; i++)
        history_ask(work, &list[i], &histories[i]);
    bool done = pg_await(work->pg, &work->fault);
    for (size_t i = 0; i < count; i++)
        if (!done || !(shown[i] = application_fill(work, &list[i], staff))) {
            PQclear(histories[i]);
            done = done && fault_set(&work->fault, FAULT_too_large, NULL);
        } else
            done = history_show(work, &list[i], histories[i], shown[i], staff);
    return done;
}

bool status_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__StatusRequest *request = (const Intake__StatusRequest *)message;
    return *request->portal_pseudonym ? true : fault_set(fault, FAULT_assertion_required, "portal_pseudonym");
}

/* Applications of one holder at one manager, or the one with the receipt. */
static bool manager_show(
    struct work *work, const char *manager, const Intake__StatusRequest *request, Intake__StatusReply *reply)
{
    struct application_id *ids;
    size_t count, wanted = 0, before = reply->n_applications;
    work_switch(work, manager);
    if (!directory_list(work, manager, request->portal_pseudonym, &ids, &count))
        return false;
    if (!count)
        return true;
    struct application *list = arena_take(work->arena, count * sizeof *list);
    if (!list)
        return fault_set(&work->fault, FAULT_too_large, NULL);
    if (applications_find(work, ids, count, list) != count)
        return false;
    for (size_t i = 0; i < count && before + wanted < SHOWN_MAX; i++)
        if (!*request->receipt || strcmp(request->receipt, list[i].receipt) == 0)
            list[wanted++] = list[i];
    for (size_t i = 0; i < wanted; i++)
        work_audit(work, &(struct touch){.subject = list[i].pseudonym, .reason = list[i].application});
    reply->n_applications += wanted;
    return applications_show(work, list, wanted, false, &reply->applications[before]);
}

/* May this peer see applications of this manager? An agency sees its own manager's alone. */
static bool peer_may_see(const struct work *work, const char *manager)
{
    return work->peer->party != PARTY_AGENCY || strcmp(work->peer->manager, manager) == 0;
}

enum outcome status_act(struct work *work)
{
    const Intake__StatusRequest *request = (const Intake__StatusRequest *)work->request;
    const struct programmes *programmes = intake_programmes();
    Intake__StatusReply reply = INTAKE__STATUS_REPLY__INIT;
    reply.applications = arena_take(work->arena, SHOWN_MAX * sizeof *reply.applications);
    if (!reply.applications || !work_begin(work, ""))
        return work_end(work);
    for (size_t i = 0; i < programmes_count(programmes); i++) {
        const char *manager = programmes_at(programmes, i)->manager;
        bool seen = !peer_may_see(work, manager);
        for (size_t before = 0; before < i && !seen; before++)
            seen = strcmp(programmes_at(programmes, before)->manager, manager) == 0;
        if (!seen && !manager_show(work, manager, request, &reply))
            return work_refuse(work);
    }
    if (*request->receipt && reply.n_applications == 0)
        return work_refuse_with(work, FAULT_not_found, "receipt");
    return work_commit(work, &reply.base);
}

bool pay_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__PayRequest *request = (const Intake__PayRequest *)message;
    if (!*request->portal_pseudonym)
        return fault_set(fault, FAULT_assertion_required, "portal_pseudonym");
    return *request->receipt ? true : fault_set(fault, FAULT_item_missing, "receipt");
}

enum outcome pay_act(struct work *work)
{
    const Intake__PayRequest *request = (const Intake__PayRequest *)work->request;
    Intake__PayReply reply = INTAKE__PAY_REPLY__INIT;
    const char *manager, *id;
    struct application_id *ids;
    size_t count, i = 0;
    struct application a;
    if (!work_begin(work, ""))
        return work_end(work);
    if (!directory_find(work, request->receipt, &manager, &id))
        return work_refuse(work);
    work_switch(work, manager);
    if (!directory_list(work, manager, request->portal_pseudonym, &ids, &count))
        return work_refuse(work);
    while (i < count && strcmp(ids[i].application, id) != 0)
        i++;
    if (i == count)
        return work_refuse_with(work, FAULT_not_found, "receipt");
    if (!application_find(work, id, &a))
        return work_refuse(work);
    if (a.state != STATE_fee || !*a.pay_url)
        return work_refuse_with(work, FAULT_state_conflict, "receipt");
    reply.pay_url = (char *)a.pay_url;
    reply.amount = a.fee;
    work_audit(work, &(struct touch){.subject = a.pseudonym, .reason = a.application});
    return work_commit(work, &reply.base);
}
