#include "vault/number_messages.h"

#include "chassis/second_person.h"
#include "chassis/jwe.h"
#include "vault/correction_messages.h"
#include "vault/number_batch.h"
#include "vault/number_record.h"
#include "vault/number_store.h"
#include "vault/person_messages.h"
#include "vault/recipients.h"

#include "vault.pb-c.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELEASE_MAX 1000
#define RELEASE_ROW_BYTES 96 /* {"pseudonym":"19 characters","number":"12 digits"}, and a comma */

bool text_check(const char *text, size_t max, const char *field, struct fault *fault)
{
    if (!*text)
        return fault_set(fault, FAULT_item_missing, field);
    return strlen(text) <= max ? true : fault_set(fault, FAULT_item_too_long, field);
}

bool manager_check(const char *manager, struct fault *fault)
{
    return text_check(manager, 31, "manager", fault) &&
           (keyring_newest(manager, KEY_INDEX) ? true : fault_set(fault, FAULT_not_found, "manager"));
}

/* Keys */

static enum outcome keys_act(struct work *work)
{
    Vault__KeysReply reply = VAULT__KEYS_REPLY__INIT;
    const struct key *key = keyring_newest("*", KEY_SEAL);
    char *kid = arena_format(work->arena, "vault-%u", key ? key->id : 0);
    char *jwk = key && kid ? jwk_public_text(work->arena, key, kid) : NULL;
    reply.jwks = jwk ? arena_format(work->arena, "{\"keys\":[%s]}", jwk) : NULL;
    return reply.jwks ? work_commit(work, &reply.base) : work_refuse_with(work, FAULT_internal, NULL);
}

/* Enrolment */

static bool enrol_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__EnrolRequest *request = (const Vault__EnrolRequest *)message;
    if (request->signer.len != 32)
        return fault_set(fault, FAULT_malformed, "signer");
    if (request->paper ? request->four_items.len != 0 : request->four_items.len != 32)
        return fault_set(fault, FAULT_malformed, "four_items");
    return manager_check(request->manager, fault) && text_check(request->application, 36, "application", fault) &&
           text_check(request->sealed_number, 16 * 1024, "sealed_number", fault);
}

static enum outcome enrol_act(struct work *work)
{
    const Vault__EnrolRequest *request = (const Vault__EnrolRequest *)work->request;
    Vault__EnrolReply reply = VAULT__ENROL_REPLY__INIT;
    const struct number_binding binding = {
        request->application, request->manager, request->signer.data, request->paper ? NULL : request->four_items.data};
    struct my_number number;
    char pseudonym[PSEUDONYM_LENGTH + 1];
    bool known = false;
    if (!number_record_open(work->arena, request->sealed_number, &binding, &number, &work->fault))
        return work_refuse(work);
    if (!work_begin(work, request->manager)) {
        my_number_wipe(&number);
        return work_end(work);
    }
    bool tied = tie_make(work, &number, pseudonym, &known);
    my_number_wipe(&number);
    if (!tied)
        return work_refuse(work);
    reply.pseudonym = pseudonym;
    reply.known_already = known;
    reply.four_items_sha256 = request->four_items;
    work_audit(work, &(struct touch){.subject = pseudonym, .reason = request->application});
    return work_commit(work, &reply.base);
}

/* The gateway */

static bool gateway_id_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__GatewayIdRequest *request = (const Vault__GatewayIdRequest *)message;
    return manager_check(request->manager, fault) &&
           text_check(request->pseudonym, PSEUDONYM_LENGTH, "pseudonym", fault) &&
           text_check(request->application, 36, "application", fault);
}

static enum outcome gateway_id_act(struct work *work)
{
    const Vault__GatewayIdRequest *request = (const Vault__GatewayIdRequest *)work->request;
    Vault__GatewayIdReply reply = VAULT__GATEWAY_ID_REPLY__INIT;
    const char *pseudonym = request->pseudonym;
    struct my_number number;
    char gateway_id[37];
    if (!work_begin(work, request->manager))
        return work_end(work);
    bool made = tie_number(work, pseudonym, &number) && gateway_tie_make(work, &number, gateway_id);
    my_number_wipe(&number);
    if (!made)
        return work_refuse(work);
    reply.gateway_id = gateway_id;
    work_audit(work, &(struct touch){.subject = pseudonym, .reason = request->application});
    return work_commit(work, &reply.base);
}

static bool acquisition_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__AcquisitionRequest *request = (const Vault__AcquisitionRequest *)message;
    return manager_check(request->manager, fault) && text_check(request->gateway_id, 36, "gateway_id", fault) &&
           text_check(request->acquisition_number, 64, "acquisition_number", fault) &&
           text_check(request->application, 36, "application", fault);
}

/* {取得番号, number}, sealed to residence: who carries it learns neither. */
static enum outcome acquisition_act(struct work *work)
{
    const Vault__AcquisitionRequest *request = (const Vault__AcquisitionRequest *)work->request;
    Vault__AcquisitionReply reply = VAULT__ACQUISITION_REPLY__INIT;
    struct my_number number;
    if (!recipient_check("residence", work->peer->name, "code_acquisition", request->manager, &work->fault))
        return work_refuse(work);
    if (strspn(request->acquisition_number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") !=
        strlen(request->acquisition_number))
        return work_refuse_with(work, FAULT_item_invalid, "acquisition_number");
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!gateway_tie_number(work, request->gateway_id, &number))
        return work_refuse(work);
    char *plain = arena_format(work->arena, "{\"acquisition_number\":\"%s\",\"number\":\"%.*s\"}",
        request->acquisition_number, MY_NUMBER_DIGITS, number.digits);
    my_number_wipe(&number);
    if (!plain)
        return work_refuse_with(work, FAULT_internal, NULL);
    reply.sealed = recipient_seal(work->arena, "residence", plain, strlen(plain), &work->fault);
    OPENSSL_cleanse(plain, strlen(plain));
    if (!reply.sealed)
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = request->gateway_id, .reason = request->application});
    return work_commit(work, &reply.base);
}

/* Release */

static bool release_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__ReleaseRequest *request = (const Vault__ReleaseRequest *)message;
    if (request->n_pseudonyms < 1 || request->n_pseudonyms > RELEASE_MAX)
        return fault_set(fault, FAULT_item_invalid, "pseudonyms");
    return manager_check(request->manager, fault) && text_check(request->recipient, 31, "recipient", fault) &&
           text_check(request->purpose, 31, "purpose", fault) && text_check(request->reason, 64, "reason", fault);
}

/* What a release is made of; what is unknown is left out of the seal and of the record. */
struct release {
    const Vault__ReleaseRequest *request;
    struct my_number *numbers;
    bool *known;
    size_t count;
};

static struct bytes release_print(struct work *work, const struct release *release)
{
    const Vault__ReleaseRequest *request = release->request;
    struct bytes plain = {arena_take(work->arena, request->n_pseudonyms * RELEASE_ROW_BYTES + 32), 0};
    const char *comma = "";
    if (!plain.data)
        return plain;
    char *at = (char *)plain.data + sprintf((char *)plain.data, "{\"numbers\":[");
    for (size_t i = 0; i < request->n_pseudonyms; i++) {
        if (!release->known[i])
            continue;
        at += sprintf(at, "%s{\"pseudonym\":\"%s\",\"number\":\"%.*s\"}", comma, request->pseudonyms[i],
            MY_NUMBER_DIGITS, release->numbers[i].digits);
        comma = ",";
    }
    at += sprintf(at, "]}");
    plain.len = (size_t)(at - (char *)plain.data);
    return plain;
}

static bool release_read(struct work *work, struct release *release)
{
    const Vault__ReleaseRequest *request = release->request;
    size_t count = request->n_pseudonyms;
    release->numbers = arena_take(work->arena, count * sizeof *release->numbers);
    release->known = arena_take(work->arena, count * sizeof *release->known);
    if (!release->numbers || !release->known)
        return fault_set(&work->fault, FAULT_internal, NULL);
    memset(release->known, true, count * sizeof *release->known);
    if (!tie_numbers(work, (const char *const *)request->pseudonyms, count, release->numbers,
            request->each ? release->known : NULL))
        return false;
    for (size_t i = 0; i < count; i++)
        release->count += release->known[i];
    return true;
}

/* "" where there is nothing to seal; NULL with a fault. */
static char *release_seal(struct work *work, struct release *release)
{
    char *sealed = NULL;
    if (!release_read(work, release))
        return NULL;
    struct bytes plain = release_print(work, release);
    if (plain.data)
        sealed = release->count
                     ? recipient_seal(work->arena, release->request->recipient, plain.data, plain.len, &work->fault)
                     : "";
    OPENSSL_cleanse(release->numbers, release->request->n_pseudonyms * sizeof *release->numbers);
    if (plain.data)
        OPENSSL_cleanse(plain.data, plain.len);
    return sealed;
}

/* One event that lists every person, committed before the answer leaves. */
static bool release_record(struct work *work, const struct release *release)
{
    const Vault__ReleaseRequest *request = release->request;
    char *subjects = arena_take(work->arena, request->n_pseudonyms * (PSEUDONYM_LENGTH + 1) + 1), *at = subjects;
    if (!subjects)
        return fault_set(&work->fault, FAULT_internal, NULL);
    *at = '\0';
    for (size_t i = 0; i < request->n_pseudonyms; i++)
        if (release->known[i])
            at += sprintf(at, "%s%s", at == subjects ? "" : " ", request->pseudonyms[i]);
    work_audit(
        work, &(struct touch){.subject = subjects, .reason = request->reason, .count = (uint32_t)release->count});
    return true;
}

static bool release_tell(struct work *work, const struct release *release, Vault__ReleaseReply *reply)
{
    size_t count = release->request->n_pseudonyms;
    reply->count = (uint32_t)release->count;
    if (!release->request->each)
        return true;
    reply->results = arena_take(work->arena, count * sizeof *reply->results);
    if (!reply->results)
        return fault_set(&work->fault, FAULT_internal, NULL);
    reply->n_results = count;
    for (size_t i = 0; i < count; i++)
        reply->results[i] = (char *)(release->known[i] ? "" : fault_code_text(FAULT_pseudonym_unknown));
    return true;
}

static enum outcome release_act(struct work *work)
{
    const Vault__ReleaseRequest *request = (const Vault__ReleaseRequest *)work->request;
    Vault__ReleaseReply reply = VAULT__RELEASE_REPLY__INIT;
    struct release release = {.request = request};
    if (!recipient_check(request->recipient, work->peer->name, request->purpose, request->manager, &work->fault))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    reply.sealed = release_seal(work, &release);
    if (!reply.sealed || !release_record(work, &release) || !release_tell(work, &release, &reply))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}

const struct message number_messages[NUMBER_MESSAGES] = {
    PROPOSAL_MESSAGES(vault),
    {ROUTE_vault_keys, NULL, keys_act},
    {ROUTE_vault_enrol, enrol_check, enrol_act},
    {ROUTE_vault_gateway_id, gateway_id_check, gateway_id_act},
    {ROUTE_vault_acquisition, acquisition_check, acquisition_act},
    {ROUTE_vault_release, release_check, release_act},
    {ROUTE_vault_enrol_batch, enrol_batch_check, enrol_batch_act},
    {ROUTE_vault_resolve, resolve_check, resolve_act},
    {ROUTE_vault_change_number, change_number_check, change_number_act},
    {ROUTE_vault_issue, issue_check, issue_act},
    {ROUTE_vault_corrections, corrections_check, corrections_act},
    {ROUTE_vault_correction_ask, correction_ask_check, correction_ask_act},
    {ROUTE_vault_correction_decide, correction_decide_check, correction_decide_act},
    {ROUTE_vault_portal_tie, portal_tie_check, portal_tie_act},
    {ROUTE_vault_portal_persons, portal_persons_check, portal_persons_act},
    {ROUTE_vault_manager_end, manager_end_check, manager_end_act},
};
