#include "portal/portal_assertion.h"

#include "chassis/jwe.h"
#include "chassis/work.h"
#include "portal/portal_exchange.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 4
#define PARTS 3
#define SIGNATURE_BYTES 64

struct assertion_keys {
    size_t count;
    EVP_PKEY *keys[KEYS_MAX];
};

static bool is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t len;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
}

struct assertion_keys *assertion_keys_read(const char *file)
{
    struct assertion_keys *keys = calloc(1, sizeof *keys);
    FILE *in = keys ? fopen(file, "re") : NULL;
    bool good = in != NULL;
    EVP_PKEY *key;
    while (good && keys->count < KEYS_MAX && (key = PEM_read_PUBKEY(in, NULL, NULL, NULL))) {
        keys->keys[keys->count++] = key;
        good = is_p256(key);
    }
    if (in)
        fclose(in);
    if (good && keys->count)
        return keys;
    assertion_keys_free(keys);
    return NULL;
}

void assertion_keys_free(struct assertion_keys *keys)
{
    for (size_t i = 0; keys && i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i]);
    free(keys);
}

static bool parts_cut(const char *text, const char *part[PARTS], size_t len[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        part[i] = text;
        len[i] = strcspn(text, ".");
        text += len[i];
        if (len[i] == 0 || (i < PARTS - 1) != (*text == '.'))
            return false;
        text += *text == '.';
    }
    return true;
}

static json_t *part_read(struct arena *arena, const char *text, size_t len)
{
    struct bytes bytes;
    if (!base64url_take(arena, text, len, &bytes))
        return NULL;
    return json_loadb((const char *)bytes.data, bytes.len, JSON_REJECT_DUPLICATES, NULL);
}

/* alg decides nothing here, it only has to be the one there is; a member that could change the meaning is refused. */
static bool header_allowed(const json_t *header)
{
    size_t known = 1 + (json_object_get(header, "typ") != NULL) + (json_object_get(header, "kid") != NULL);
    return strcmp(member_text(header, "alg"), "ES256") == 0 && json_object_size(header) == known;
}

static bool signature_matches(EVP_PKEY *key, const void *text, size_t len, const unsigned char *der, size_t der_len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, der, der_len, text, len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static bool signature_check(const struct assertion_keys *keys, struct arena *arena, const char *text, size_t len,
    const char *signature, size_t signature_len)
{
    struct bytes raw;
    unsigned char *der = NULL;
    bool good = false;
    if (!base64url_take(arena, signature, signature_len, &raw) || raw.len != SIGNATURE_BYTES)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.data, 32, NULL), *s = BN_bin2bn(raw.data + 32, 32, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(pair);
        return false;
    }
    int der_len = i2d_ECDSA_SIG(pair, &der);
    for (size_t i = 0; der_len > 0 && i < keys->count && !good; i++)
        good = signature_matches(keys->keys[i], text, len, der, (size_t)der_len);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

static bool body_named(const json_t *claims, const void *body, size_t len, bool *named)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char text[2 * SHA256_DIGEST_LENGTH + 1];
    *named = json_object_get(claims, "ath") != NULL;
    if (!*named)
        return len == 0;
    SHA256(body ? body : (const void *)"", len, digest);
    hex_put(text, digest, sizeof digest);
    return strcmp(member_text(claims, "ath"), text) == 0;
}

static bool claims_check(const json_t *claims, const void *body, size_t body_len, int64_t now, struct assertion *said)
{
    const char *subject = member_text(claims, "sub"), *id = member_text(claims, "jti");
    const json_t *issued = json_object_get(claims, "iat"), *expires = json_object_get(claims, "exp");
    if (!json_is_object(claims) || strcmp(member_text(claims, "iss"), "mynaportal") != 0 ||
        strcmp(member_text(claims, "aud"), "shikaku") != 0 || !json_is_integer(issued) || !json_is_integer(expires))
        return false;
    int64_t from = json_integer_value(issued), to = json_integer_value(expires);
    if (from < 0 || from > now + ASSERTION_SKEW_SECONDS || to <= now || to - from > ASSERTION_SECONDS_MAX)
        return false;
    if (!is_word(subject, ASSERTION_ID_MAX) || !is_word(id, ASSERTION_ID_MAX) || strlen(id) < ASSERTION_ID_MIN)
        return false;
    strcpy(said->subject, subject);
    strcpy(said->id, id);
    said->expires_at = to;
    return body_named(claims, body, body_len, &said->names_body);
}

bool assertion_check(const struct assertion_keys *keys, struct arena *arena, const char *text, const void *body,
    size_t body_len, int64_t now, struct assertion *assertion, struct fault *fault)
{
    const char *part[PARTS];
    size_t len[PARTS];
    if (!parts_cut(text, part, len))
        return fault_set(fault, FAULT_assertion_required, "Shikaku-Assertion");
    json_t *header = part_read(arena, part[0], len[0]), *claims = NULL;
    bool good = header_allowed(header) &&
                signature_check(keys, arena, text, (size_t)(part[2] - 1 - text), part[2], len[2]) &&
                (claims = part_read(arena, part[1], len[1])) && claims_check(claims, body, body_len, now, assertion);
    json_decref(header);
    json_decref(claims);
    return good || fault_set(fault, FAULT_assertion_invalid, "Shikaku-Assertion");
}
