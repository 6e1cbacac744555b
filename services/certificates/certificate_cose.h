/* The certificate (資格者証) as bytes: a COSE_Sign1 (RFC 9052), ES256, that anyone holding the manager's public key can
 * check off line. It proves the qualification, not the bearer.
 *
 *   18([ protected: {1 alg: -7 ES256, 4 kid: 8 bytes}, unprotected: {}, payload, signature: 64 bytes r||s ])
 *
 * The payload is one map of our own labels (no official ones are published), text in UTF-8 exactly as in the roll:
 *
 *    1 id                   16 bytes     of this certificate, not of the qualification (a reissue has another one)
 *    2 manager              text         code of the 資格管理者
 *    3 programme            text         code of the qualification programme
 *    4 registration number  text         登録番号
 *    5 name                 text         氏名, never normalised
 *    6 birth date           text         YYYYMMDD
 *    7 title                text         what the certificate is called, e.g. 調理師免許証
 *    8 issuer               text         in whose name it is issued
 *    9 issued at            unsigned     Unix time, seconds
 *   10 expires at           unsigned     Unix time, seconds; absent when it does not expire
 *   11 lines                text array   label, value, label, value … as printed
 *
 * Encoding is deterministic (RFC 8949 4.2.1) and decoding accepts nothing else: every accepted byte string is the only
 * one of its content, so nothing can be hidden in it. */
#ifndef CERTIFICATES_CERTIFICATE_COSE_H
#define CERTIFICATES_CERTIFICATE_COSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "chassis/fault.h"

/* A QR code of version 40, level L, holds 2,953 bytes; base64 makes 2,731 of 2,048; the rest is for the address. */
#define CERTIFICATE_BYTES_MAX 2048
#define CERTIFICATE_LINES_MAX 24
#define CERTIFICATE_KID_BYTES 8
#define CERTIFICATE_POINT_BYTES 65 /* uncompressed P-256 point */

struct certificate_line {
    const char *label, *value;
};

/* Texts are NUL-terminated, not empty (a value may be), free of control characters. Borrowed by the encoder; after a
 * decode they point into `pool`, so a decoded certificate must not be copied. */
struct certificate {
    uint8_t id[16];
    const char *manager, *programme, *registration_number, *name, *birth_date, *title, *issuer;
    int64_t issued_at;  /* 1 .. 2^53 */
    int64_t expires_at; /* 0: does not expire */
    struct certificate_line lines[CERTIFICATE_LINES_MAX];
    size_t line_count;
    uint8_t kid[CERTIFICATE_KID_BYTES]; /* set by decoding */
    char pool[CERTIFICATE_BYTES_MAX];
};

/* The name of a public key inside certificates: the first bytes of the SHA-256 of its point. */
MUST_USE bool certificate_kid(const uint8_t point[CERTIFICATE_POINT_BYTES], uint8_t kid[CERTIFICATE_KID_BYTES]);

/* Encode and sign with the P-256 scalar `secret`, whose public half is `point`. Faults: item_missing or item_invalid
 * naming the item, item_too_long when it does not fit CERTIFICATE_BYTES_MAX, internal. */
MUST_USE bool certificate_sign(const struct certificate *certificate, const uint8_t secret[32],
    const uint8_t point[CERTIFICATE_POINT_BYTES], uint8_t bytes[CERTIFICATE_BYTES_MAX], size_t *len,
    struct fault *fault);

/* Take apart, without judging the signature. False for anything that certificate_sign would not have written. Bounded:
 * no recursion, no allocation, any input. */
MUST_USE bool certificate_decode(const uint8_t *bytes, size_t len, struct certificate *certificate);

/* Is this the signature of the key `point`? False too for what does not decode. */
MUST_USE bool certificate_signature_check(
    const uint8_t *bytes, size_t len, const uint8_t point[CERTIFICATE_POINT_BYTES]);

#endif
