/* cjose does the JOSE; this file narrows it to one form (RFC 7516 compact, ECDH-ES, P-256, A256GCM) and wipes what it
 * frees. The form is checked before cjose sees the text: lengths of IV and tag are fixed here, because a decoder that
 * takes them from the message lets a forger shorten the tag (the story of CVE-2023-37464). */
#include "chassis/jwe.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
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

static int sextet(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
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

/* --- opening --------------------------------------------------------------------------------------------------------
 */

static cjose_jwk_t *private_jwk(const struct key *key)
{
    cjose_err err;
    uint8_t scalar[KEY_BYTES];
    memcpy(scalar, key->secret, sizeof scalar);
    cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_P_256, .d = scalar, .dlen = sizeof scalar};
    cjose_jwk_t *jwk = cjose_jwk_create_EC_spec(&spec, &err);
    explicit_bzero(scalar, sizeof scalar);
    return jwk;
}

bool jwe_open(struct arena *arena, const struct key *key, const char *text, json_t **header, struct bytes *plain)
{
    cjose_err err;
    size_t len = 0;
    uint8_t *content = NULL;
    cjose_jwe_t *jwe = NULL;
    cjose_jwk_t *jwk = NULL;
    bool opened = false;
    json_t *seen = key && text ? jwe_header_read(text) : NULL;
    *plain = (struct bytes){0};
    if (header)
        *header = NULL;
    if (!seen)
        goto out;
    jwk = private_jwk(key);
    jwe = jwk ? cjose_jwe_import(text, strlen(text), &err) : NULL;
    content = jwe ? cjose_jwe_decrypt(jwe, jwk, &len, &err) : NULL;
    if (content)
        *plain = (struct bytes){(uint8_t *)arena_text(arena, content, len), len};
    opened = plain->data != NULL;
    if (opened && header)
        *header = json_incref(seen);
out:
    wiping_free(content);
    cjose_jwe_release(jwe);
    cjose_jwk_release(jwk);
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
