/* What applicants do through Mynaportal. */
#include "portal/portal_handlers.h"

#include "intake.pb-c.h"
#include "vault.pb-c.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX (64 * 1024)
#define SIGNATURE_MAX (48 * 1024)
#define SEALED_MAX (16 * 1024)
#define TEXT_MAX (192 * 1024) /* base64_take holds what it decodes to against its limit */
#define KEYS_FRESH_MS 5000    /* and no longer: SHIKAKU_KEY_OVERLAP_S may be short after a leak */
#define KEYS_STALE_MS 3600000 /* a key lives far longer: better an old answer than none while the vault is away */

/* --- the vault's public keys --- */

static struct {
    pthread_mutex_t lock;
    char *jwks;
    int64_t read_ms;
} key_cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool keys_answer(struct exchange *x, int64_t not_before_ms)
{
    pthread_mutex_lock(&key_cache.lock);
    bool had = key_cache.jwks && key_cache.read_ms >= not_before_ms;
    if (had)
        exchange_answer(x, 200, "application/json", key_cache.jwks, strlen(key_cache.jwks));
    pthread_mutex_unlock(&key_cache.lock);
    return had;
}

static void keys_keep(const char *jwks)
{
    char *copy = strdup(jwks);
    pthread_mutex_lock(&key_cache.lock);
    if (copy) {
        free(key_cache.jwks);
        key_cache.jwks = copy;
        key_cache.read_ms = clock_ms();
    }
    pthread_mutex_unlock(&key_cache.lock);
}

bool vault_keys_http(struct exchange *x, struct work *work)
{
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    if (keys_answer(x, clock_ms() - KEYS_FRESH_MS))
        return true;
    if (!work_call(work, ROUTE_vault_keys, NULL, &request.base, &reply))
        return keys_answer(x, clock_ms() - KEYS_STALE_MS);
    keys_keep(((Vault__KeysReply *)reply)->jwks);
    return keys_answer(x, 0) || fault_set(&work->fault, FAULT_internal, NULL);
}

/* --- attachments --- */

bool attachment_http(struct exchange *x, struct work *work)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char text[2 * SHA256_DIGEST_LENGTH + 1];
    Intake__AttachmentRequest request = INTAKE__ATTACHMENT_REQUEST__INIT;
    ProtobufCMessage *reply;
    const char *act = act_name(x, work);
    if (x->body_len == 0)
        return fault_set(&work->fault, FAULT_malformed, "body");
    SHA256((const uint8_t *)x->body, x->body_len, digest);
    hex_put(text, digest, sizeof digest);
    if (strcmp(text, x->part) != 0)
        return fault_set(&work->fault, FAULT_attachment_altered, "sha256");
    request.piece.data = (uint8_t *)x->body;
    request.piece.len = x->body_len;
    if (!act)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (!work_call(work, ROUTE_intake_attachment, act, &request.base, &reply))
        return false;
    exchange_answer_json(x, 201, json_pack("{ss}", "sha256", text));
    return true;
}

/* --- applications --- */

static bool submit_fill(struct exchange *x, struct work *work, const json_t *body, Intake__SubmitRequest *request)
{
    struct bytes document, signature;
    if (!base64_take(work->arena, member_text(body, "document"), "document", DOCUMENT_MAX, &document, &work->fault) ||
        !base64_take(work->arena, member_text(body, "signature"), "signature", SIGNATURE_MAX, &signature, &work->fault))
        return false;
    request->document = (ProtobufCBinaryData){document.len, document.data};
    request->signature = (ProtobufCBinaryData){signature.len, signature.data};
    request->sealed_number = (char *)member_text(body, "sealed_number");
    request->portal_pseudonym = x->portal_pseudonym;
    return true;
}

static void receipt_answer(struct exchange *x, const Intake__SubmitReply *reply)
{
    if (strlen(reply->application) < sizeof x->application)
        strcpy(x->application, reply->application);
    exchange_answer_json(x, reply->known_already ? 200 : 201,
        json_pack("{ss ss}", "receipt", reply->receipt, "application", reply->application));
}

/* The act is the body under this assertion: what the bus repeats is done once, and an applicant who sends the same
 * again under a new assertion is told by intake that it is known. */
bool submit_http(struct exchange *x, struct work *work)
{
    static const struct member members[] = {
        {"document", JSON_STRING, true, TEXT_MAX},
        {"signature", JSON_STRING, true, TEXT_MAX},
        {"sealed_number", JSON_STRING, true, SEALED_MAX},
    };
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    Intake__SubmitRequest request = INTAKE__SUBMIT_REQUEST__INIT;
    ProtobufCMessage *reply;
    json_t *body = exchange_json(x, members, sizeof members / sizeof *members, &work->fault);
    if (!body)
        return false;
    SHA256((const uint8_t *)x->body, x->body_len, digest);
    hex_put(hex, digest, sizeof digest);
    const char *act = arena_format(work->arena, "%s:%s", hex, x->assertion_id);
    bool done =
        act && submit_fill(x, work, body, &request) && work_call(work, ROUTE_intake_submit, act, &request.base, &reply);
    if (done)
        receipt_answer(x, (const Intake__SubmitReply *)reply);
    json_decref(body);
    return done;
}

static Intake__StatusReply *status_ask(struct exchange *x, struct work *work, const char *receipt)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.portal_pseudonym = x->portal_pseudonym;
    request.receipt = (char *)receipt;
    if (!work_call(work, ROUTE_intake_status, NULL, &request.base, &reply))
        return NULL;
    return (Intake__StatusReply *)reply;
}

bool status_list_http(struct exchange *x, struct work *work)
{
    const Intake__StatusReply *reply = status_ask(x, work, "");
    if (!reply)
        return false;
    exchange_answer_json(x, 200,
        json_pack("{so}", "applications", applications_json(reply->applications, reply->n_applications, false)));
    return true;
}

bool status_http(struct exchange *x, struct work *work)
{
    const Intake__StatusReply *reply = status_ask(x, work, x->part);
    if (!reply)
        return false;
    if (reply->n_applications != 1)
        return fault_set(&work->fault, FAULT_not_found, "receipt");
    exchange_answer_json(x, 200, application_json(reply->applications[0], false));
    return true;
}

bool payment_http(struct exchange *x, struct work *work)
{
    Intake__PayRequest request = INTAKE__PAY_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.portal_pseudonym = x->portal_pseudonym;
    request.receipt = x->part;
    if (!work_call(work, ROUTE_intake_pay, NULL, &request.base, &reply))
        return false;
    const Intake__PayReply *pay = (const Intake__PayReply *)reply;
    exchange_answer_json(x, 200, json_pack("{ss sI}", "pay_url", pay->pay_url, "amount", (json_int_t)pay->amount));
    return true;
}
