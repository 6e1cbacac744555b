/* Staff: logging in and out, and applications on paper. */
#include "chassis/session_watch.h"
#include "portal/portal_handlers.h"

#include "intake.pb-c.h"
#include "staff.pb-c.h"

#include <openssl/sha.h>
#include <string.h>

#define DOCUMENT_MAX (64 * 1024)
#define SEALED_MAX (16 * 1024)
#define TEXT_MAX (192 * 1024) /* base64_take holds what it decodes to against its limit */

const char *act_name(const struct exchange *x, struct work *work)
{
    char fresh[37];
    if (x->idempotency_key)
        return arena_format(work->arena, "key:%s:%s", x->actor.account, x->idempotency_key);
    uuid_make(fresh);
    return arena_format(work->arena, "once:%s", fresh);
}

static json_t *texts_json(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

bool login_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"account", JSON_STRING, true, 63},
        {"password", JSON_STRING, true, 128},
        {"code", JSON_STRING, false, 8},
    };
    Staff__LoginRequest request = STAFF__LOGIN_REQUEST__INIT;
    ProtobufCMessage *message;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    request.account = (char *)member_text(body, "account");
    request.password = (char *)member_text(body, "password");
    request.code = (char *)member_text(body, "code");
    request.terminal = x->client;
    bool done = work_call(work, ROUTE_staff_login, NULL, &request.base, &message);
    json_decref(body);
    if (!done)
        return false;
    const Staff__LoginReply *reply = (const Staff__LoginReply *)message;
    exchange_answer_json(x, 201,
        json_pack("{ss sI ss so so sI}", "token", reply->token, "expires_at_ms", (json_int_t)reply->expires_at_ms,
            "manager", reply->manager, "rights", texts_json(reply->rights, reply->n_rights), "must",
            texts_json(reply->must, reply->n_must), "lives_until_ms", (json_int_t)reply->lives_until_ms));
    return true;
}

bool logout_http(struct exchange *x, struct work *work)
{
    Staff__LogoutRequest request = STAFF__LOGOUT_REQUEST__INIT;
    ProtobufCMessage *reply;
    if (!work_call(work, ROUTE_staff_logout, x->actor.session, &request.base, &reply))
        return false;
    session_ended(x->actor.session, x->actor.expires_at_ms);
    exchange_answer(x, 204, NULL, "", 0);
    return true;
}

static void receipt_answer(struct exchange *x, const Intake__SubmitReply *reply)
{
    if (strlen(reply->application) < sizeof x->application)
        strcpy(x->application, reply->application);
    exchange_answer_json(x, reply->known_already ? 200 : 201,
        json_pack("{ss ss}", "receipt", reply->receipt, "application", reply->application));
}

static const char *paper_act_name(const struct exchange *x, struct work *work)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    SHA256((const uint8_t *)x->body, x->body_len, digest);
    hex_put(hex, digest, sizeof digest);
    return arena_format(work->arena, "paper:%s:%s", x->actor.session, hex);
}

bool paper_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"document", JSON_STRING, true, TEXT_MAX},
        {"sealed_number", JSON_STRING, false, SEALED_MAX},
        {"identity_check", JSON_STRING, true, 16},
    };
    Intake__PaperRequest request = INTAKE__PAPER_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct bytes document;
    const char *act = paper_act_name(x, work);
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    bool done = act && base64_take(work->arena, member_text(body, "document"), "document", DOCUMENT_MAX, &document,
                           &work->fault);
    if (done) {
        request.manager = x->actor.manager;
        request.document = (ProtobufCBinaryData){document.len, document.data};
        request.sealed_number = (char *)member_text(body, "sealed_number");
        request.identity_check = (char *)member_text(body, "identity_check");
        request.terminal = x->client;
        done = work_call(work, ROUTE_intake_paper, act, &request.base, &reply);
    }
    if (done)
        receipt_answer(x, (const Intake__SubmitReply *)reply);
    json_decref(body);
    return done;
}
