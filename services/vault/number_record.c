#include "vault/number_record.h"

#include "chassis/jwe.h"
#include "chassis/seal_key.h"
#include "chassis/work.h"
#include "vault/card_signer.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define EF0001_BYTES (3 + MY_NUMBER_DIGITS)
#define SIGNED_BYTES (2 * SHA256_DIGEST_LENGTH)

static bool signature_right(X509 *certificate, struct bytes ef0003)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool right =
        key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_bits(key) >= 2048 && ctx &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerify(ctx, ef0003.data + SIGNED_BYTES, ef0003.len - SIGNED_BYTES, ef0003.data, SIGNED_BYTES) == 1;
    EVP_MD_CTX_free(ctx);
    return right;
}

/* EF 0003 is right in itself: signed by a card issuer that we pin. */
static bool card_signature_check(struct bytes ef0003, struct bytes ef0004, struct fault *fault)
{
    if (ef0003.len <= SIGNED_BYTES)
        return fault_set(fault, FAULT_card_signature, "ef0003");
    X509 *certificate = card_signer_find(ef0004);
    bool right = certificate && signature_right(certificate, ef0003);
    X509_free(certificate);
    return right ? true : fault_set(fault, FAULT_card_signature, "ef0003");
}

static bool file_take(
    struct arena *arena, const json_t *record, const char *name, struct bytes *file, struct fault *fault)
{
    const json_t *text = json_object_get(record, name);
    if (!json_is_string(text) || !base64url_take(arena, json_string_value(text), json_string_length(text), file))
        return fault_set(fault, FAULT_number_unsealable, name);
    return true;
}

static bool card_take(struct arena *arena, const json_t *record, const struct number_binding *binding,
    struct my_number *number, struct fault *fault)
{
    struct bytes ef0001, ef0003, ef0004;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (json_object_size(record) != 3 || !file_take(arena, record, "ef0001", &ef0001, fault) ||
        !file_take(arena, record, "ef0003", &ef0003, fault) || !file_take(arena, record, "ef0004", &ef0004, fault))
        return fault->code ? false : fault_set(fault, FAULT_number_unsealable, NULL);
    if (ef0001.len != EF0001_BYTES || memcmp(ef0001.data, "\xff\x10\x0c", 3) != 0)
        return fault_set(fault, FAULT_number_malformed, "number");
    if (!my_number_take(number, ef0001.data + 3, MY_NUMBER_DIGITS, fault) ||
        !card_signature_check(ef0003, ef0004, fault))
        return false;
    SHA256(ef0001.data, ef0001.len, digest);
    if (CRYPTO_memcmp(digest, ef0003.data, sizeof digest) != 0)
        return fault_set(fault, FAULT_card_hash, "number");
    if (!binding->four_items || CRYPTO_memcmp(binding->four_items, ef0003.data + sizeof digest, sizeof digest) != 0)
        return fault_set(fault, FAULT_card_person_differs, "ef0002");
    return true;
}

static bool paper_take(const json_t *record, struct my_number *number, struct fault *fault)
{
    const json_t *text = json_object_get(record, "number");
    if (json_object_size(record) != 1 || !json_is_string(text))
        return fault_set(fault, FAULT_number_unsealable, NULL);
    return my_number_take(number, json_string_value(text), json_string_length(text), fault);
}

static bool binding_check(const json_t *header, const struct number_binding *binding, struct fault *fault)
{
    char signer[65];
    hex_put(signer, binding->signer, 32);
    const char *const pairs[][2] = {
        {"application", binding->application}, {"manager", binding->manager}, {"signer", signer}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *bound = json_string_value(json_object_get(header, pairs[i][0]));
        if (!bound || strcmp(bound, pairs[i][1]) != 0)
            return fault_set(fault, FAULT_number_binding, pairs[i][0]);
    }
    return true;
}

static bool record_open(struct arena *arena, const char *sealed, const char *field, json_t **header,
    struct bytes *plain, struct fault *fault)
{
    *plain = (struct bytes){NULL, 0};
    const struct key *key = seal_key_of(sealed, "*", fault);
    if (!key && fault->code == FAULT_key_retired)
        return fault_set(fault, FAULT_key_retired, field);
    return key && jwe_open(arena, key, sealed, header, plain) ? true : fault_set(fault, FAULT_number_unsealable, field);
}

bool number_record_open(struct arena *arena, const char *sealed, const struct number_binding *binding,
    struct my_number *number, struct fault *fault)
{
    json_t *header = NULL, *record = NULL;
    struct bytes plain;
    bool opened = false;
    fault->code = FAULT_NONE;
    my_number_wipe(number);
    if (!record_open(arena, sealed, "sealed_number", &header, &plain, fault))
        return false;
    if (!binding_check(header, binding, fault))
        goto out;
    record = json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(record))
        fault_set(fault, FAULT_number_unsealable, "sealed_number");
    else
        opened =
            binding->four_items ? card_take(arena, record, binding, number, fault) : paper_take(record, number, fault);
out:
    json_decref(record);
    json_decref(header);
    OPENSSL_cleanse(plain.data, plain.len);
    if (!opened)
        my_number_wipe(number);
    return opened;
}

static bool batch_take(const json_t *record, struct number_batch *batch, struct fault *fault)
{
    const json_t *numbers = json_object_get(record, "numbers");
    size_t count = json_array_size(numbers);
    if (json_object_size(record) != 1 || !json_is_array(numbers))
        return fault_set(fault, FAULT_number_unsealable, "sealed_numbers");
    if (count < 1 || count > NUMBER_BATCH_MAX)
        return fault_set(fault, FAULT_item_invalid, "numbers");
    for (size_t i = 0; i < count; i++) {
        const json_t *text = json_array_get(numbers, i);
        struct fault own = {0};
        batch->results[i] = FAULT_NONE;
        if (!json_is_string(text))
            batch->results[i] = FAULT_number_malformed;
        else if (!my_number_take(&batch->numbers[i], json_string_value(text), json_string_length(text), &own))
            batch->results[i] = own.code;
    }
    batch->count = count;
    return true;
}

bool number_batch_open(struct arena *arena, const char *sealed, const struct number_binding *binding,
    struct number_batch *batch, struct fault *fault)
{
    json_t *header = NULL, *record = NULL;
    struct bytes plain;
    bool opened = false;
    batch->count = 0;
    if (!record_open(arena, sealed, "sealed_numbers", &header, &plain, fault))
        return false;
    if (!binding_check(header, binding, fault))
        goto out;
    record = json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL);
    opened = json_is_object(record) ? batch_take(record, batch, fault)
                                    : fault_set(fault, FAULT_number_unsealable, "sealed_numbers");
out:
    json_decref(record);
    json_decref(header);
    OPENSSL_cleanse(plain.data, plain.len);
    return opened;
}

void number_batch_wipe(struct number_batch *batch)
{
    OPENSSL_cleanse(batch->numbers, sizeof batch->numbers);
}
