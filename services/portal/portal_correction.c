/* Staff: what happens to the ties of a person's number. A number is sealed in the terminal's browser; here it passes.
 */
#include "portal/portal_handlers.h"

#include "vault.pb-c.h"

#include <string.h>

#define REASON_MAX 64
#define SEALED_MAX (16 * 1024)
#define PSEUDONYM_MAX 19

/* SHA-256 of the certificate of the terminal, to which the number is bound. */
static bool signer_take(const struct exchange *x, struct work *work, ProtobufCBinaryData *signer)
{
    uint8_t *digest = arena_take(work->arena, 32);
    if (!digest || !hex_take(digest, 32, x->client))
        return fault_set(&work->fault, FAULT_terminal_not_listed, NULL);
    *signer = (ProtobufCBinaryData){32, digest};
    return true;
}

bool number_change_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"sealed_number", JSON_STRING, true, SEALED_MAX},
        {"reason", JSON_STRING, true, REASON_MAX},
    };
    Vault__ChangeNumberRequest request = VAULT__CHANGE_NUMBER_REQUEST__INIT;
    ProtobufCMessage *reply;
    const char *act = act_name(x, work);
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.pseudonym = x->part;
    request.reason = (char *)member_text(body, "reason");
    request.sealed_number = (char *)member_text(body, "sealed_number");
    bool done = act && signer_take(x, work, &request.signer) &&
                work_call(work, ROUTE_vault_change_number, act, &request.base, &reply);
    if (done)
        exchange_answer_json(x, 200, json_pack("{sb}", "changed", ((const Vault__ChangeNumberReply *)reply)->changed));
    json_decref(body);
    return done;
}

bool correction_open_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"kind", JSON_STRING, true, 8},
        {"pseudonym", JSON_STRING, true, PSEUDONYM_MAX},
        {"other", JSON_STRING, false, PSEUDONYM_MAX},
        {"other_in_force", JSON_TRUE, false, 0},
        {"sealed_number", JSON_STRING, false, SEALED_MAX},
        {"reason", JSON_STRING, true, REASON_MAX},
    };
    Vault__CorrectionAskRequest request = VAULT__CORRECTION_ASK_REQUEST__INIT;
    ProtobufCMessage *reply;
    const char *act = act_name(x, work);
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.kind = (char *)member_text(body, "kind");
    request.pseudonym = (char *)member_text(body, "pseudonym");
    request.other = (char *)member_text(body, "other");
    request.other_in_force = json_is_true(json_object_get(body, "other_in_force"));
    request.sealed_number = (char *)member_text(body, "sealed_number");
    request.reason = (char *)member_text(body, "reason");
    bool done = act && signer_take(x, work, &request.signer) &&
                work_call(work, ROUTE_vault_correction_ask, act, &request.base, &reply);
    if (done)
        exchange_answer_json(
            x, 201, json_pack("{ss}", "correction", ((const Vault__CorrectionAskReply *)reply)->correction));
    json_decref(body);
    return done;
}

bool correction_list_http(struct exchange *x, struct work *work)
{
    Vault__CorrectionsRequest request = VAULT__CORRECTIONS_REQUEST__INIT;
    ProtobufCMessage *message;
    request.manager = x->actor.manager;
    if (!work_call(work, ROUTE_vault_corrections, NULL, &request.base, &message))
        return false;
    const Vault__CorrectionsReply *reply = (const Vault__CorrectionsReply *)message;
    json_t *list = json_array();
    for (size_t i = 0; i < reply->n_corrections; i++) {
        const Vault__Correction *c = reply->corrections[i];
        json_array_append_new(
            list, json_pack("{ss ss ss ss sb ss ss ss ss}", "correction", c->correction, "kind", c->kind, "pseudonym",
                      c->pseudonym, "other", c->other, "other_in_force", c->other_in_force, "reason", c->reason,
                      "asked_by", c->asked_by, "asked_on", c->asked_on, "lapses_on", c->lapses_on));
    }
    exchange_answer_json(x, 200, json_pack("{so}", "corrections", list));
    return true;
}

bool correction_close_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"approve", JSON_TRUE, true, 0},
        {"reason", JSON_STRING, true, REASON_MAX},
    };
    Vault__CorrectionDecideRequest request = VAULT__CORRECTION_DECIDE_REQUEST__INIT;
    ProtobufCMessage *message;
    const char *act = act_name(x, work);
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.manager = x->actor.manager;
    request.correction = x->part;
    request.approve = json_is_true(json_object_get(body, "approve"));
    request.reason = (char *)member_text(body, "reason");
    bool done = act && work_call(work, ROUTE_vault_correction_decide, act, &request.base, &message);
    if (done) {
        const Vault__CorrectionDecideReply *reply = (const Vault__CorrectionDecideReply *)message;
        exchange_answer_json(x, 200, json_pack("{ss ss}", "pseudonym", reply->pseudonym, "other", reply->other));
    }
    json_decref(body);
    return done;
}
