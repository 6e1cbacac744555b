/* What can be asked of a vault about a person, a line each, for tests of its store. Requests are sealed and keyed as
 * real ones; `key` NULL stands for an act of its own. Included after store/vault.h. */
#ifndef TESTS_STORE_VAULT_ACTS_H
#define TESTS_STORE_VAULT_ACTS_H

#include "chassis/jwe.h"
#include "store/vault.h"

#define SCHEDULE "initial-2026-05"
#define TERMINAL_SIGNER "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"

static uint8_t terminal_bytes[32];

/* SHA-256 of the terminal's certificate, in which the numbers below are typed. */
static inline ProtobufCBinaryData signer_of_terminal(void)
{
    memset(terminal_bytes, 0xA5, sizeof terminal_bytes);
    return (ProtobufCBinaryData){sizeof terminal_bytes, terminal_bytes};
}

/* Malloc'ed. */
static inline char *sealed_for(const char *application, const char *manager, const char *number)
{
    return kit_seal_paper(sealer, &(struct kit_binding){application, manager, TERMINAL_SIGNER}, number);
}

static inline const char *key_or_fresh(const char *key)
{
    static _Thread_local char fresh[37];
    if (key)
        return key;
    uuid_make(fresh);
    return fresh;
}

/* Typed in by a clerk of the manager. */
static inline enum outcome act_change(
    const char *key, const char *manager, const char *pseudonym, const char *number, bool *changed)
{
    static struct actor counter = {.account = "counter1", .role = "counter", .rights = 1u << RIGHT_number_change};
    Vault__ChangeNumberRequest request = VAULT__CHANGE_NUMBER_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct actor *before = acting;
    snprintf(counter.manager, sizeof counter.manager, "%s", manager);
    acting = &counter;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.reason = "case-3";
    request.signer = signer_of_terminal();
    request.sealed_number = sealed_for("case-3", manager, number);
    enum outcome outcome = deliver(work, ROUTE_vault_change_number, "portal", key_or_fresh(key), &request.base, &reply);
    *changed = outcome == OUTCOME_DONE && ((Vault__ChangeNumberReply *)reply)->changed;
    free(request.sealed_number);
    acting = before;
    return outcome;
}

static inline enum outcome act_issue(const char *key, const char *manager, char pseudonym[PSEUDONYM_LENGTH + 1])
{
    Vault__IssueRequest request = VAULT__ISSUE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.application = APPLICATION;
    enum outcome outcome = deliver(work, ROUTE_vault_issue, "intake", key_or_fresh(key), &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        snprintf(pseudonym, PSEUDONYM_LENGTH + 1, "%s", ((Vault__IssueReply *)reply)->pseudonym);
    return outcome;
}

/* To residence; the content, opened with its key, malloc'ed (NULL: nothing was sealed). */
static inline enum outcome act_release(
    const char *key, const char *manager, const char *const *pseudonyms, size_t count, char **plain)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = (char **)pseudonyms;
    request.n_pseudonyms = count;
    enum outcome outcome = deliver(work, ROUTE_vault_release, "residence", key_or_fresh(key), &request.base, &reply);
    *plain = outcome == OUTCOME_DONE ? kit_sealed_open(residence, ((Vault__ReleaseReply *)reply)->sealed) : NULL;
    return outcome;
}

static inline enum outcome act_gateway_id(const char *key, const char *manager, const char *pseudonym, char id[37])
{
    Vault__GatewayIdRequest request = VAULT__GATEWAY_ID_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.application = APPLICATION;
    enum outcome outcome = deliver(work, ROUTE_vault_gateway_id, "intake", key_or_fresh(key), &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        snprintf(id, 37, "%s", ((Vault__GatewayIdReply *)reply)->gateway_id);
    return outcome;
}

static inline enum outcome act_acquire(
    const char *key, const char *manager, const char *id, const char *code, char **sealed)
{
    Vault__AcquisitionRequest request = VAULT__ACQUISITION_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.gateway_id = (char *)id;
    request.acquisition_number = (char *)code;
    request.application = APPLICATION;
    enum outcome outcome =
        deliver(work, ROUTE_vault_acquisition, "intermediate", key_or_fresh(key), &request.base, &reply);
    *sealed = outcome == OUTCOME_DONE ? ((Vault__AcquisitionReply *)reply)->sealed : NULL;
    return outcome;
}

/* Split: `number` is the other person's. Join: `other` ends, and its number is the one in force if `other_in_force`. */
struct asked {
    const char *manager, *pseudonym, *number, *other;
    bool other_in_force;
    const char *reason; /* NULL: "case-1" */
};

static inline enum outcome act_ask(const char *key, const struct asked *asked, char id[37])
{
    Vault__CorrectionAskRequest request = VAULT__CORRECTION_ASK_REQUEST__INIT;
    ProtobufCMessage *reply;
    const char *reason = asked->reason ? asked->reason : "case-1";
    char *sealed = asked->number ? sealed_for(reason, asked->manager, asked->number) : NULL;
    request.manager = (char *)asked->manager;
    request.kind = asked->number ? "split" : "join";
    request.pseudonym = (char *)asked->pseudonym;
    request.other = (char *)(asked->other ? asked->other : "");
    request.other_in_force = asked->other_in_force;
    request.signer = signer_of_terminal();
    request.sealed_number = sealed ? sealed : "";
    request.reason = (char *)reason;
    enum outcome outcome =
        deliver(work, ROUTE_vault_correction_ask, "portal", key_or_fresh(key), &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        snprintf(id, 37, "%s", ((Vault__CorrectionAskReply *)reply)->correction);
    free(sealed);
    return outcome;
}

static inline enum outcome act_decide(
    const char *key, const char *manager, const char *id, bool approve, char other[PSEUDONYM_LENGTH + 1])
{
    Vault__CorrectionDecideRequest request = VAULT__CORRECTION_DECIDE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.correction = (char *)id;
    request.approve = approve;
    request.reason = "case-1";
    enum outcome outcome =
        deliver(work, ROUTE_vault_correction_decide, "portal", key_or_fresh(key), &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        snprintf(other, PSEUDONYM_LENGTH + 1, "%s", ((Vault__CorrectionDecideReply *)reply)->other);
    return outcome;
}

static inline enum outcome act_portal_tie(
    const char *key, const char *manager, const char *pseudonym, const char *portal)
{
    Vault__PortalTieRequest request = VAULT__PORTAL_TIE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.portal_pseudonym = (char *)portal;
    request.application = APPLICATION;
    return deliver(work, ROUTE_vault_portal_tie, "intake", key_or_fresh(key), &request.base, &reply);
}

static inline enum outcome act_resolve(
    const char *manager, const char *const *pseudonyms, size_t count, const Vault__ResolveReply **reply)
{
    Vault__ResolveRequest request = VAULT__RESOLVE_REQUEST__INIT;
    ProtobufCMessage *given;
    request.manager = (char *)manager;
    request.reason = APPLICATION;
    request.pseudonyms = (char **)pseudonyms;
    request.n_pseudonyms = count;
    enum outcome outcome = deliver(work, ROUTE_vault_resolve, "records", "", &request.base, &given);
    *reply = (const Vault__ResolveReply *)given;
    return outcome;
}

/* Many numbers in one seal, as the system that holds a roll makes it for `schedule` at `manager`. `numbers` is taken.
 */
struct batch {
    struct arena *arena;
    uint8_t signer[32];
    Vault__EnrolBatchRequest request;
};

static inline void batch_seal(struct batch *batch, const char *manager, const char *schedule, json_t *numbers)
{
    char signer[65], header[256];
    ProtobufCMessage *reply;
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    batch->arena = arena_new(1024 * 1024);
    memset(batch->signer, 0x5A, 32);
    hex_put(signer, batch->signer, 32);
    snprintf(header, sizeof header, "{\"application\":\"%s\",\"manager\":\"%s\",\"signer\":\"%s\"}", schedule, manager,
        signer);
    ck_assert_int_eq(deliver(work, ROUTE_vault_keys, "portal", "", &keys.base, &reply), OUTCOME_DONE);
    json_t *set = json_loads(((Vault__KeysReply *)reply)->jwks, 0, NULL);
    char *jwk = json_dumps(json_array_get(json_object_get(set, "keys"), 0), 0);
    json_t *content = json_pack("{s:o}", "numbers", numbers);
    char *plain = json_dumps(content, JSON_COMPACT);
    batch->request = (Vault__EnrolBatchRequest)VAULT__ENROL_BATCH_REQUEST__INIT;
    batch->request.manager = (char *)manager;
    batch->request.schedule = SCHEDULE;
    batch->request.signer = (ProtobufCBinaryData){32, batch->signer};
    batch->request.sealed_numbers = jwe_seal(batch->arena, jwk, header, plain, strlen(plain));
    ck_assert_ptr_nonnull(batch->request.sealed_numbers);
    free(plain);
    free(jwk);
    json_decref(content);
    json_decref(set);
}

static inline enum outcome batch_enrol(
    struct work *by, const char *key, const struct batch *batch, Vault__EnrolBatchReply **reply)
{
    ProtobufCMessage *given;
    enum outcome outcome = deliver(by, ROUTE_vault_enrol_batch, "records", key, &batch->request.base, &given);
    *reply = (Vault__EnrolBatchReply *)given;
    return outcome;
}

#endif
