#include "intake/payment_wire.h"

#include "intake/intake_setup.h"

#include <string.h>

/* An answer that is not one: 5xx will pass, anything else is for a person. */
static bool answer_check(struct work *work, int status)
{
    if (status == 200 || status == 201)
        return true;
    return fault_set(
        &work->fault, status >= 500 || status == 429 ? FAULT_unavailable : FAULT_state_conflict, "payment");
}

static bool charge_read(struct work *work, const json_t *answer, struct charge *charge)
{
    const char *id = json_string_value(json_object_get(answer, "charge"));
    const char *pay_url = json_string_value(json_object_get(answer, "pay_url"));
    const char *state = json_string_value(json_object_get(answer, "state"));
    if (!id || !state)
        return fault_set(&work->fault, FAULT_unavailable, "payment");
    charge->id = arena_text(work->arena, id, strlen(id));
    charge->pay_url = pay_url ? arena_text(work->arena, pay_url, strlen(pay_url)) : "";
    charge->paid = strcmp(state, "paid") == 0;
    return true;
}

bool charge_make(struct work *work, const char *receipt, int64_t yen, struct charge *charge)
{
    json_t *body =
        json_pack("{s:s, s:I, s:s}", "idempotency_key", receipt, "amount", (json_int_t)yen, "receipt", receipt);
    json_t *answer = NULL;
    int status = 0;
    bool made = body &&
                outside_json(&intake_payment, work->arena, "POST", "/charges", body, &status, &answer, &work->fault) &&
                answer_check(work, status) && charge_read(work, answer, charge);
    json_decref(answer);
    json_decref(body);
    return made;
}

bool charge_look(struct work *work, const char *id, struct charge *charge)
{
    json_t *answer = NULL;
    int status = 0;
    const char *path = arena_format(work->arena, "/charges/%s", id);
    bool seen = path && outside_json(&intake_payment, work->arena, "GET", path, NULL, &status, &answer, &work->fault) &&
                answer_check(work, status) && charge_read(work, answer, charge);
    json_decref(answer);
    return seen;
}
