/* One form of JOSE (RFC 7516 compact, ECDH-ES, P-256, A256GCM). cjose seals; opening is done here. The form is checked
 * before a key is touched: lengths of IV and tag are fixed, because a decoder that takes them from the message lets a
 * forger shorten the tag (the story of CVE-2023-37464). */
#include "chassis/jwe.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTS 5
#define HEADER_TEXT_MAX 8192
#define IV_CHARS 16  /* 12 bytes */
#define TAG_CHARS 22 /* 16 bytes */
#define POINT_BYTES 65
#define COORDINATE_BYTES 32

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* --- wiping what the library frees ------------------------------------------------------------------------------- */

static void wiping_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

static void *wiping_realloc(void *memory, size_t size)
{
    size_t had = memory ? malloc_usable_size(memory) : 0;
    void *fresh = malloc(size ? size : 1);
    if (!fresh)
        return NULL;
    if (memory)
        memcpy(fresh, memory, had < size ? had : size);
    wiping_free(memory);
    return fresh;
}

static pthread_once_t allocator_once = PTHREAD_ONCE_INIT;

/* jansson gets the same functions by this: what it had before came from malloc, so either way of freeing is right. */
static void allocator_set(void)
{
    cjose_set_alloc_funcs(malloc, wiping_realloc, wiping_free);
}

/* --- base64url ---------------------------------------------------------------------------------------------------- */

char *base64url_put(struct arena *arena, const void *bytes, size_t len)
{
    const uint8_t *in = bytes;
    char *text = arena_take(arena, (len + 2) / 3 * 4 + 1), *out = text;
    if (!text)
        return NULL;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
        *out++ = alphabet[bits >> 18 & 63];
        *out++ = alphabet[bits >> 12 & 63];
        if (left > 1)
            *out++ = alphabet[bits >> 6 & 63];
        if (left > 2)
            *out++ = alphabet[bits & 63];
    }
    *out = 0;
    return text;
}

/* From '-' to 'z': the value of each character; -1: it has none. */
static const int8_t values['z' - '-' + 1] = {62, -1, -1, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
    -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1,
    63, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51};

static int sextet(char c)
{
    return c >= '-' && c <= 'z' ? values[c - '-'] : -1;
}

bool base64url_take(struct arena *arena, const char *text, size_t len, struct bytes *bytes)
{
    uint32_t bits = 0;
    size_t have = 0;
    *bytes = (struct bytes){0};
    uint8_t *out = len % 4 == 1 ? NULL : arena_take(arena, len / 4 * 3 + 4);
    if (!out)
        return false;
    for (size_t i = 0; i < len; i++) {
        int six = sextet(text[i]);
        if (six < 0)
            return false;
        bits = bits << 6 | (uint32_t)six;
        if (i % 4) /* every character but the first of four completes a byte */
            out[have++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    /* Bits that belong to no byte must be zero: one value has one text. */
    if ((len % 4 == 2 && (bits & 15)) || (len % 4 == 3 && (bits & 3)))
        return false;
    out[have] = 0;
    *bytes = (struct bytes){out, have};
    return true;
}

/* --- the one form ---------------------------------------------------------------------------------------------------
 */

static bool parts_cut(const char *text, size_t length[PARTS])
{
    const char *at = text;
    if (strnlen(text, JWE_TEXT_MAX + 1) > JWE_TEXT_MAX)
        return false;
    for (int i = 0; i < PARTS; i++) {
        length[i] = strcspn(at, ".");
        at += length[i];
        if (*at != (i < PARTS - 1 ? '.' : 0))
            return false;
        at += i < PARTS - 1;
    }
    return length[0] > 0 && length[0] <= HEADER_TEXT_MAX && length[1] == 0 && length[2] == IV_CHARS &&
           length[4] == TAG_CHARS;
}

static bool member_is(const json_t *object, const char *name, const char *wanted)
{
    const char *is = json_string_value(json_object_get(object, name));
    return is && strcmp(is, wanted) == 0;
}

static bool header_allowed(const json_t *header)
{
    const json_t *epk = json_object_get(header, "epk");
    return member_is(header, "alg", "ECDH-ES") && member_is(header, "enc", "A256GCM") && member_is(epk, "kty", "EC") &&
           member_is(epk, "crv", "P-256") && !json_object_get(header, "zip") && !json_object_get(header, "crit");
}

json_t *jwe_header_read(const char *text)
{
    size_t length[PARTS];
    struct bytes plain;
    json_t *header = NULL;
    pthread_once(&allocator_once, allocator_set);
    struct arena *arena = text && parts_cut(text, length) ? arena_new(HEADER_TEXT_MAX + 64) : NULL;
    if (arena && base64url_take(arena, text, length[0], &plain))
        header = json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL);
    arena_free(arena);
    if (header && header_allowed(header))
        return header;
    json_decref(header);
    return NULL;
}

/* --- sealing --------------------------------------------------------------------------------------------------------
 */

static bool recipient_allowed(const cjose_jwk_t *jwk)
{
    cjose_err err;
    return jwk && cjose_jwk_get_kty(jwk, &err) == CJOSE_JWK_KTY_EC &&
           cjose_jwk_EC_get_curve(jwk, &err) == CJOSE_JWK_EC_P_256;
}

static json_t *header_build(const char *header_json, const char *kid)
{
    json_t *header = header_json ? json_loads(header_json, JSON_REJECT_DUPLICATES, NULL) : json_object();
    bool fits = json_is_object(header);
    const char *name;
    json_t *value;
    if (fits) {
        json_object_foreach(header, name, value) fits = fits && json_is_string(value);
    }
    fits = fits && json_object_set_new(header, "alg", json_string("ECDH-ES")) == 0 &&
           json_object_set_new(header, "enc", json_string("A256GCM")) == 0 &&
           (!kid || json_object_set_new(header, "kid", json_string(kid)) == 0);
    if (fits)
        return header;
    json_decref(header);
    return NULL;
}

char *jwe_seal(struct arena *arena, const char *public_jwk, const char *header_json, const void *plain, size_t len)
{
    cjose_err err;
    char *text = NULL, *compact = NULL;
    cjose_jwe_t *jwe = NULL;
    json_t *header = NULL;
    pthread_once(&allocator_once, allocator_set);
    cjose_jwk_t *jwk = cjose_jwk_import(public_jwk, strlen(public_jwk), &err);
    if (!recipient_allowed(jwk))
        goto out;
    header = header_build(header_json, cjose_jwk_get_kid(jwk, &err));
    jwe = header ? cjose_jwe_encrypt(jwk, header, plain, len, &err) : NULL;
    compact = jwe ? cjose_jwe_export(jwe, &err) : NULL;
    text = compact ? arena_text(arena, compact, strlen(compact)) : NULL;
out:
    wiping_free(compact);
    cjose_jwe_release(jwe);
    json_decref(header);
    cjose_jwk_release(jwk);
    return text;
}

/* --- opening: by OpenSSL, since cjose 0.6.2 loses memory at every decryption and does not wipe the agreed secret
 * ------- */

static EC_GROUP *curve; /* only read after curve_set */
static pthread_once_t curve_once = PTHREAD_ONCE_INIT;

static void curve_set(void)
{
    curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    if (!curve)
        abort();
}

static BIGNUM *coordinate_take(struct arena *arena, const json_t *epk, const char *name)
{
    struct bytes bytes;
    const char *text = json_string_value(json_object_get(epk, name));
    if (!text || !base64url_take(arena, text, strlen(text), &bytes) || bytes.len != COORDINATE_BYTES)
        return NULL;
    return BN_bin2bn(bytes.data, COORDINATE_BYTES, NULL);
}

/* ECDH: the x coordinate of scalar times point. A point off the curve is refused by EC_POINT_set_affine_coordinates;
 * the curve has cofactor 1, so every point on it is a right one. */
static bool secret_agree(struct arena *arena, const struct key *key, const json_t *epk, uint8_t secret[KEY_BYTES])
{
    pthread_once(&curve_once, curve_set);
    BIGNUM *x = coordinate_take(arena, epk, "x"), *y = coordinate_take(arena, epk, "y");
    BIGNUM *scalar = BN_bin2bn(key->secret, KEY_BYTES, NULL), *shared = BN_new();
    EC_POINT *peer = EC_POINT_new(curve), *product = EC_POINT_new(curve);
    BN_CTX *context = BN_CTX_secure_new();
    bool agreed = x && y && scalar && shared && peer && product && context &&
                  EC_POINT_set_affine_coordinates(curve, peer, x, y, context) == 1;
    if (agreed) {
        BN_set_flags(scalar, BN_FLG_CONSTTIME);
        agreed = EC_POINT_mul(curve, product, NULL, peer, scalar, context) == 1 &&
                 EC_POINT_get_affine_coordinates(curve, product, shared, NULL, context) == 1 &&
                 BN_bn2binpad(shared, secret, KEY_BYTES) == KEY_BYTES;
    }
    BN_CTX_free(context);
    EC_POINT_clear_free(product);
    EC_POINT_free(peer);
    BN_clear_free(shared);
    BN_clear_free(scalar);
    BN_free(y);
    BN_free(x);
    return agreed;
}

static bool digest_add_sized(EVP_MD_CTX *digest, const void *bytes, size_t len)
{
    uint8_t size[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    return EVP_DigestUpdate(digest, size, sizeof size) && EVP_DigestUpdate(digest, bytes, len);
}

/* Concat KDF of RFC 7518 section 4.6.2: one round of SHA-256 gives the 256 bits that A256GCM asks for. */
static bool key_derive(
    const uint8_t secret[KEY_BYTES], struct bytes apu, struct bytes apv, uint8_t content_key[KEY_BYTES])
{
    static const uint8_t counter[4] = {0, 0, 0, 1}, bits[4] = {0, 0, 1, 0};
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool derived = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) &&
                   EVP_DigestUpdate(digest, counter, sizeof counter) && EVP_DigestUpdate(digest, secret, KEY_BYTES) &&
                   digest_add_sized(digest, "A256GCM", 7) && digest_add_sized(digest, apu.data, apu.len) &&
                   digest_add_sized(digest, apv.data, apv.len) && EVP_DigestUpdate(digest, bits, sizeof bits) &&
                   EVP_DigestFinal_ex(digest, content_key, NULL);
    EVP_MD_CTX_free(digest);
    return derived;
}

static bool party_take(struct arena *arena, const json_t *header, const char *name, struct bytes *party)
{
    const json_t *value = json_object_get(header, name);
    const char *text = value ? json_string_value(value) : "";
    return text && base64url_take(arena, text, strlen(text), party);
}

struct sealed {
    const char *protected_text;
    size_t protected_len;
    struct bytes iv, content, tag;
};

static bool sealed_cut(struct arena *arena, const char *text, struct sealed *sealed)
{
    size_t length[PARTS];
    if (!parts_cut(text, length))
        return false;
    const char *iv = text + length[0] + 2, *content = iv + length[2] + 1, *tag = content + length[3] + 1;
    *sealed = (struct sealed){.protected_text = text, .protected_len = length[0]};
    return base64url_take(arena, iv, length[2], &sealed->iv) && base64url_take(arena, tag, length[4], &sealed->tag) &&
           base64url_take(arena, content, length[3], &sealed->content);
}

static bool content_open(
    struct arena *arena, const uint8_t content_key[KEY_BYTES], const struct sealed *sealed, struct bytes *plain)
{
    int len = 0, rest = 0;
    uint8_t *out = arena_take(arena, sealed->content.len + 1);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool opened =
        out && cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, content_key, sealed->iv.data) &&
        EVP_DecryptUpdate(cipher, NULL, &len, (const uint8_t *)sealed->protected_text, (int)sealed->protected_len) &&
        EVP_DecryptUpdate(cipher, out, &len, sealed->content.data, (int)sealed->content.len) &&
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, (int)sealed->tag.len, sealed->tag.data) &&
        EVP_DecryptFinal_ex(cipher, out + len, &rest) > 0;
    EVP_CIPHER_CTX_free(cipher);
    if (opened) {
        out[len + rest] = 0;
        *plain = (struct bytes){out, (size_t)(len + rest)};
    } else if (out) {
        explicit_bzero(out, sealed->content.len);
    }
    return opened;
}

bool jwe_open(struct arena *arena, const struct key *key, const char *text, json_t **header, struct bytes *plain)
{
    uint8_t secret[KEY_BYTES] = {0}, content_key[KEY_BYTES] = {0};
    struct sealed sealed;
    struct bytes apu, apv;
    json_t *seen = key && text ? jwe_header_read(text) : NULL;
    *plain = (struct bytes){0};
    if (header)
        *header = NULL;
    bool opened = seen && sealed_cut(arena, text, &sealed) && party_take(arena, seen, "apu", &apu) &&
                  party_take(arena, seen, "apv", &apv) &&
                  secret_agree(arena, key, json_object_get(seen, "epk"), secret) &&
                  key_derive(secret, apu, apv, content_key) && content_open(arena, content_key, &sealed, plain);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(content_key, sizeof content_key);
    if (opened && header)
        *header = json_incref(seen);
    json_decref(seen);
    return opened;
}

/* --- our own public keys --------------------------------------------------------------------------------------------
 */

char *jwk_public_text(struct arena *arena, const struct key *key, const char *kid)
{
    uint8_t point[POINT_BYTES];
    if (!key_p256_public(key, point))
        return NULL;
    char *x = base64url_put(arena, point + 1, COORDINATE_BYTES);
    char *y = base64url_put(arena, point + 1 + COORDINATE_BYTES, COORDINATE_BYTES);
    json_t *jwk = json_pack("{ss ss ss ss ss* ss ss}", "kty", "EC", "crv", "P-256", "use", "enc", "alg", "ECDH-ES",
        "kid", kid, "x", x ? x : "", "y", y ? y : "");
    char *dumped = x && y && jwk ? json_dumps(jwk, JSON_COMPACT) : NULL;
    char *text = dumped ? arena_text(arena, dumped, strlen(dumped)) : NULL;
    free(dumped);
    json_decref(jwk);
    return text;
}

static bool file_write_whole(const char *path, const char *text)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.%ld", path, (long)getpid()) >= (int)sizeof aside)
        return false;
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text);
    bool done = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        done = close(fd) == 0 && done;
    return done && rename(aside, path) == 0;
}

bool jwk_publish(const char *folder, const char *name, const struct key *key, struct fault *fault)
{
    char path[PATH_MAX], kid[24];
    struct arena *arena = key ? arena_new(16 * 1024) : NULL;
    snprintf(kid, sizeof kid, "%u", key ? key->id : 0);
    char *text = arena ? jwk_public_text(arena, key, kid) : NULL;
    bool fits = snprintf(path, sizeof path, "%s/recipients/%s.jwk", folder, name) < (int)sizeof path;
    bool done = false;
    if (text && fits) {
        char *slash = strrchr(path, '/');
        *slash = 0;
        bool stands = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        done = stands && file_write_whole(path, text);
    }
    arena_free(arena);
    return done || fault_set(fault, FAULT_unavailable, "recipients");
}
