/* The forms in which a planted value would lie about if it leaked. */
#ifndef LEAKS_ENCODINGS_H
#define LEAKS_ENCODINGS_H

#include "leaks/needles.h"

enum planted_kind {
    PLANTED_NUMBER,  /* 個人番号, 12 digits */
    PLANTED_NAME,    /* 氏名, and its reading */
    PLANTED_ADDRESS, /* 住所, and 本籍 */
    PLANTED_KINDS,
};
extern const char *const planted_kind_names[PLANTED_KINDS];

enum encoding {
    ENCODING_PLAIN,      /* ASCII digits; UTF-8 */
    ENCODING_SPACED,     /* 9999 0000 0000; a name with one ASCII space */
    ENCODING_HYPHENED,   /* 9999-0000-0000; a name or address without its space */
    ENCODING_FULL_WIDTH, /* numbers only, UTF-8 */
    ENCODING_UTF16LE,
    ENCODING_SHIFT_JIS, /* CP932; numbers in full width */
    ENCODING_EUC_JP,    /* likewise */
    ENCODING_INT64_LE,  /* also PostgreSQL's bigint on disk */
    ENCODING_INT64_BE,  /* also PostgreSQL's bigint on the wire */
    ENCODING_VARINT,    /* protobuf */
    ENCODING_BCD,       /* packed, without a sign */
    ENCODING_NUMERIC,   /* PostgreSQL's, on disk */
    ENCODING_NUMERIC_WIRE,
    ENCODING_ESCAPED,  /* texts only: \u of JSON and % of URLs */
    ENCODING_HEX,      /* of the plain bytes and of int64 */
    ENCODING_BASE64_0, /* by where the value begins in a group of three bytes; both alphabets */
    ENCODING_BASE64_1,
    ENCODING_BASE64_2,
    ENCODING_MD5, /* unkeyed digests of the plain bytes, and SHA-256 of a card's EF 0001 */
    ENCODING_SHA1,
    ENCODING_SHA256,
    ENCODING_MD5_HEX,
    ENCODING_SHA1_HEX,
    ENCODING_SHA256_HEX,
    ENCODINGS,
};
extern const char *const encoding_names[ENCODINGS];

/* Some forms are so short that random bytes show one now and then: 6 bytes. */
bool encoding_is_short(enum encoding encoding);

/* Give every form of the value to `take`. A form that the value does not have (a character outside JIS X 0208) is left
 * out. */
typedef void (*encoding_take)(void *user, enum encoding encoding, const void *bytes, size_t len);
void encodings_make(enum planted_kind kind, const char *value, encoding_take take, void *user);
/* The same, into a set of needles. */
void encodings_add(struct needles *needles, uint32_t person, enum planted_kind kind, const char *value);

#endif
