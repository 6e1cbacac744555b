#include "kit/token_tricks.h"

#include "kit/base64.h"
#include "staff.pb-c.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MAX 4096
#define SIGNATURE_BYTES 64

struct part {
    uint8_t bytes[PART_MAX];
    size_t len;
};

static void must(int holds)
{
    if (!holds)
        abort();
}

static char *encoded(const void *bytes, size_t len)
{
    char *text = kit_base64url(bytes, len);
    must(text != NULL);
    return text;
}

static void decode(struct part *part, const char *text, size_t len)
{
    char whole[PART_MAX];
    size_t padded = (len + 3) / 4 * 4;
    must(padded < sizeof whole);
    memset(whole, '=', padded);
    for (size_t i = 0; i < len; i++)
        whole[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    int decoded = EVP_DecodeBlock(part->bytes, (const unsigned char *)whole, (int)padded);
    must(decoded >= 0);
    part->len = (size_t)decoded - (padded - len);
}

static void token_add(struct token_tricks *tricks, const char *name, char *token_taken)
{
    must(tricks->count < TOKEN_TRICKS_MAX && token_taken != NULL);
    tricks->all[tricks->count++] = (struct token_trick){name, token_taken};
}

static void text_add(struct token_tricks *tricks, const char *name, const char *one, const char *two, const char *three)
{
    char *text = NULL;
    must(asprintf(&text, "%s%s%s", one, two, three) >= 0);
    token_add(tricks, name, text);
}

static void parts_add(
    struct token_tricks *tricks, const char *name, const struct part *payload, const void *signature, size_t len)
{
    char *left = encoded(payload->bytes, payload->len), *right = encoded(signature, len);
    text_add(tricks, name, left, ".", right);
    free(left);
    free(right);
}

/* --- the signature ------------------------------------------------------------------------------------------------ */

/* RFC 8032 5.1: the order of the group, least byte first. Who adds it to S has another signature of the same content
 * wherever S is not held against it. */
static const uint8_t group_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};

static void order_add(uint8_t scalar[32])
{
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += scalar[i] + group_order[i];
        scalar[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static size_t signed_by(const char *algorithm, const struct part *payload, uint8_t signature[256])
{
    size_t len = 256;
    bool curve = strcmp(algorithm, "P-256") == 0;
    EVP_PKEY *key = curve ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, algorithm);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(key && context && EVP_DigestSignInit(context, NULL, curve ? EVP_sha256() : NULL, NULL, key) == 1 &&
         EVP_DigestSign(context, signature, &len, payload->bytes, payload->len) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return len;
}

static void signatures_try(struct token_tricks *tricks, const struct part *payload, const uint8_t *signature)
{
    uint8_t other[256];
    char *left = encoded(payload->bytes, payload->len);
    text_add(tricks, "no signature", left, ".", "");
    text_add(tricks, "content alone", left, "", "");
    free(left);
    memset(other, 0, sizeof other);
    parts_add(tricks, "zeroes for a signature", payload, other, SIGNATURE_BYTES);
    other[0] = 1;
    parts_add(tricks, "the neutral point and zero", payload, other, SIGNATURE_BYTES);
    memcpy(other, signature, SIGNATURE_BYTES);
    order_add(other + 32);
    parts_add(tricks, "S past the order", payload, other, SIGNATURE_BYTES);
    memcpy(other, signature, SIGNATURE_BYTES);
    other[SIGNATURE_BYTES] = 0;
    parts_add(tricks, "a byte more", payload, other, SIGNATURE_BYTES + 1);
    parts_add(tricks, "a byte less", payload, signature, SIGNATURE_BYTES - 1);
    parts_add(tricks, "another's Ed25519 key", payload, other, signed_by("ED25519", payload, other));
    parts_add(tricks, "another curve, Ed448", payload, other, signed_by("ED448", payload, other));
    parts_add(tricks, "another curve, P-256", payload, other, signed_by("P-256", payload, other));
    memset(other, 0xff, sizeof other);
    signed_by("P-256", payload, other);
    parts_add(tricks, "another curve, cut to 64 bytes", payload, other, SIGNATURE_BYTES);
}

/* The public key as the secret of a MAC: raw, as in the file, as its PEM would be. */
static void macs_try(struct token_tricks *tricks, const struct part *payload, const uint8_t public_key[32])
{
    uint8_t mac[64];
    char hex[66];
    unsigned len;
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", public_key[i]);
    must(HMAC(EVP_sha512(), public_key, 32, payload->bytes, payload->len, mac, &len) && len == 64);
    parts_add(tricks, "HS512 with the public key", payload, mac, len);
    must(HMAC(EVP_sha512(), hex, 64, payload->bytes, payload->len, mac, &len) != NULL);
    parts_add(tricks, "HS512 with the public key's text", payload, mac, len);
    must(HMAC(EVP_sha256(), public_key, 32, payload->bytes, payload->len, mac, &len) && len == 32);
    parts_add(tricks, "HS256 with the public key", payload, mac, len);
}

/* --- the content -------------------------------------------------------------------------------------------------- */

static void content_add(
    struct token_tricks *tricks, const char *name, const Staff__Actor *actor, const uint8_t *signature)
{
    struct part payload;
    must(staff__actor__get_packed_size(actor) <= sizeof payload.bytes);
    payload.len = staff__actor__pack(actor, payload.bytes);
    parts_add(tricks, name, &payload, signature, SIGNATURE_BYTES);
}

static void contents_try(struct token_tricks *tricks, const struct part *payload, const uint8_t *signature)
{
    static char *rights[] = {"session", "view", "review", "paper_enter", "account_decide", "account_apply"};
    struct part doubled = {.len = 2 * payload->len};
    Staff__Actor *said = staff__actor__unpack(NULL, payload->len, payload->bytes), changed;
    must(said && doubled.len + 2 <= PART_MAX);
    changed = *said, changed.rights = rights, changed.n_rights = sizeof rights / sizeof *rights;
    content_add(tricks, "more rights", &changed, signature);
    changed = *said, changed.expires_at_ms += 3600000;
    content_add(tricks, "longer life", &changed, signature);
    changed = *said, changed.terminal = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    content_add(tricks, "another terminal", &changed, signature);
    changed = *said, changed.session = "00000000-0000-4000-8000-00000000beef";
    content_add(tricks, "another session", &changed, signature);
    changed = *said, changed.account = "somebody-else", changed.role = "administrator";
    content_add(tricks, "another person", &changed, signature);
    changed = *said, changed.manager = "elsewhere";
    content_add(tricks, "another manager", &changed, signature);
    memcpy(doubled.bytes, payload->bytes, payload->len);
    memcpy(doubled.bytes + payload->len, payload->bytes, payload->len);
    parts_add(tricks, "every member twice", &doubled, signature, SIGNATURE_BYTES);
    doubled.len = payload->len + 2;
    memcpy(doubled.bytes + payload->len, "\xf8\x01", 2); /* member 31, which there is not */
    parts_add(tricks, "a member more", &doubled, signature, SIGNATURE_BYTES);
    doubled.len = 0;
    parts_add(tricks, "nothing", &doubled, signature, SIGNATURE_BYTES);
    staff__actor__free_unpacked(said, NULL);
}

/* --- the text ----------------------------------------------------------------------------------------------------- */

static void texts_try(struct token_tricks *tricks, const char *good)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t last = strlen(good) - 1;
    char *other = strdup(good);
    must(other != NULL);
    text_add(tricks, "three parts", good, strchr(good, '.'), "");
    text_add(tricks, "padded", good, "==", "");
    text_add(tricks, "a blank behind", good, " ", "x");
    text_add(tricks, "a dot behind", good, ".", "");
    text_add(tricks, "a dot before", ".", good, "");
    text_add(tricks, "dots alone", ".", ".", "");
    text_add(tricks, "twice with a comma", good, ", ", good);
    other[last] = alphabet[(strchr(alphabet, good[last]) - alphabet) | 1]; /* a bit that belongs to no byte */
    token_add(tricks, "the same bytes in another text", other);
}

/* --- as a JSON Web Token ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name, *header;
} headers[] = {
    {"JWT, alg none", "{\"alg\":\"none\"}"},
    {"JWT, alg None", "{\"alg\":\"None\"}"},
    {"JWT, alg NONE", "{\"alg\":\"NONE\"}"},
    {"JWT, alg nOnE", "{\"alg\":\"nOnE\"}"},
    {"JWT, alg empty", "{\"alg\":\"\"}"},
    {"JWT, alg null", "{\"alg\":null}"},
    {"JWT, alg missing", "{\"typ\":\"JWT\"}"},
    {"JWT, alg HS256", "{\"alg\":\"HS256\"}"},
    {"JWT, alg hs256", "{\"alg\":\"hs256\"}"},
    {"JWT, alg EdDSA", "{\"alg\":\"EdDSA\"}"},
    {"JWT, alg twice, none first", "{\"alg\":\"none\",\"alg\":\"EdDSA\"}"},
    {"JWT, alg twice, none last", "{\"alg\":\"EdDSA\",\"alg\":\"none\"}"},
    {"JWT, not to be understood", "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}"},
};

static void jwt_add(struct token_tricks *tricks, size_t at, const char *claims, const uint8_t public_key[32])
{
    uint8_t mac[64];
    unsigned len = 0;
    char *left = encoded(headers[at].header, strlen(headers[at].header)), *signing = NULL;
    must(asprintf(&signing, "%s.%s", left, claims) >= 0 &&
         HMAC(EVP_sha256(), public_key, 32, (uint8_t *)signing, strlen(signing), mac, &len));
    bool unsigned_one = strcasestr(headers[at].header, "none") != NULL;
    char *right = encoded(mac, unsigned_one ? 0 : len);
    text_add(tricks, headers[at].name, signing, ".", right);
    free(left);
    free(signing);
    free(right);
}

void token_tricks_make(struct token_tricks *tricks, const char *good, const uint8_t public_key[32])
{
    static const char claims[] = "{\"account\":\"hanako\",\"role\":\"counter\",\"rights\":[\"view\",\"session\"]}";
    struct part payload, signature;
    const char *dot = strchr(good, '.');
    must(dot != NULL);
    decode(&payload, good, (size_t)(dot - good));
    decode(&signature, dot + 1, strlen(dot + 1));
    must(signature.len == SIGNATURE_BYTES);
    tricks->count = 0;
    signatures_try(tricks, &payload, signature.bytes);
    macs_try(tricks, &payload, public_key);
    contents_try(tricks, &payload, signature.bytes);
    texts_try(tricks, good);
    char *middle = encoded(claims, strlen(claims)), *own = encoded(payload.bytes, payload.len);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        jwt_add(tricks, i, i % 2 ? middle : own, public_key);
    free(middle);
    free(own);
}

void token_tricks_free(struct token_tricks *tricks)
{
    for (size_t i = 0; i < tricks->count; i++)
        free(tricks->all[i].token);
    tricks->count = 0;
}
