/* An application in JSON, as proto/portal.openapi.yaml shows it. */
#include "portal/portal_handlers.h"

static json_t *history_json(Intake__Step *const *steps, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{ss ss sI ss}", "state", steps[i]->state, "japanese", steps[i]->japanese,
                                        "at_ms", (json_int_t)steps[i]->at_ms, "reason", steps[i]->reason));
    return list;
}

json_t *application_json(const Intake__Application *a, bool to_staff)
{
    json_t *json = json_pack("{ss ss ss ss ss ss ss so}", "receipt", a->receipt, "application", a->application,
        "manager", a->manager, "programme", a->programme, "procedure", a->procedure, "state", a->state, "japanese",
        a->japanese, "history", history_json(a->history, a->n_history));
    json_t *outcome =
        json_pack("{ss ss sI ss ss ss}", "registration_number", a->registration_number, "certificate", a->certificate,
            "fee", (json_int_t)a->fee, "fee_state", a->fee_state, "pay_url", a->pay_url, "waiting_for", a->waiting_for);
    bool whole = json_object_update(json, outcome) == 0;
    if (to_staff)
        whole = json_object_set_new(json, "pseudonym", json_string(a->pseudonym)) == 0 && whole;
    json_decref(outcome);
    if (whole)
        return json;
    json_decref(json);
    return NULL;
}

json_t *applications_json(Intake__Application *const *applications, size_t count, bool to_staff)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++)
        if (json_array_append_new(list, application_json(applications[i], to_staff)) != 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}
