/* Decoding walks the one shape that a certificate has, encodes what it read again and compares: whatever is longer than
 * needed, out of order, doubled, unknown or left over shows as a difference, without a rule for each. */
#include "certificates/certificate_cose.h"
#include "certificates/certificate_key.h"

#include <cbor.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <unicode/utf8.h>

enum {
    COSE_SIGN1_TAG = 18,
    COSE_ALG = 1,
    COSE_KID = 4,
    COSE_ES256 = -7,
    SIGNATURE_BYTES = 64,
    ISSUED_AT = 9,
    EXPIRES_AT = 10,
    LINES = 11
};
#define TIME_MAX ((int64_t)1 << 53)

/* The texts of the payload, labels 2 to 8. */
static const struct text_item {
    uint8_t label;
    const char *name; /* for faults */
    size_t offset;
} text_items[] = {
    {2, "manager", offsetof(struct certificate, manager)},
    {3, "programme", offsetof(struct certificate, programme)},
    {4, "registration_number", offsetof(struct certificate, registration_number)},
    {5, "name", offsetof(struct certificate, name)},
    {6, "birth_date", offsetof(struct certificate, birth_date)},
    {7, "title", offsetof(struct certificate, title)},
    {8, "issuer", offsetof(struct certificate, issuer)},
};
#define TEXT_ITEMS (sizeof text_items / sizeof text_items[0])

static const char *text_get(const struct certificate *certificate, const struct text_item *item)
{
    return *(const char *const *)((const char *)certificate + item->offset);
}

static void text_set(struct certificate *certificate, const struct text_item *item, const char *text)
{
    *(const char **)((char *)certificate + item->offset) = text;
}

/* What a reader may be shown: valid UTF-8 without control characters, so that nothing can move or hide print. */
static bool text_check(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, len, c);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
            (c >= 0x2066 && c <= 0x2069))
            return false;
    }
    return true;
}

static bool date_check(const char *date)
{
    return strlen(date) == 8 && strspn(date, "0123456789") == 8;
}

/* Writing, into a bounded buffer; past its end `full` stays set and nothing more is written. */
struct writer {
    uint8_t *data;
    size_t len, size;
    bool full;
};

static void put_done(struct writer *w, size_t wrote)
{
    w->full |= wrote == 0;
    w->len += wrote;
}

#define PUT(w, encode, ...)                                                                                            \
    put_done((w), (w)->full ? 0 : encode(__VA_ARGS__, (w)->data + (w)->len, (w)->size - (w)->len))

static void put_raw(struct writer *w, const void *data, size_t len)
{
    if (w->full || len > w->size - w->len) {
        w->full = true;
        return;
    }
    memcpy(w->data + w->len, data, len);
    w->len += len;
}

static void put_bytes(struct writer *w, const void *data, size_t len)
{
    PUT(w, cbor_encode_bytestring_start, len);
    put_raw(w, data, len);
}

static void put_text(struct writer *w, const char *text)
{
    size_t len = strlen(text);
    PUT(w, cbor_encode_string_start, len);
    put_raw(w, text, len);
}

static void put_payload(struct writer *w, const struct certificate *certificate)
{
    PUT(w, cbor_encode_map_start, TEXT_ITEMS + 3 + (certificate->expires_at ? 1 : 0));
    PUT(w, cbor_encode_uint, 1);
    put_bytes(w, certificate->id, sizeof certificate->id);
    for (size_t i = 0; i < TEXT_ITEMS; i++) {
        PUT(w, cbor_encode_uint, text_items[i].label);
        put_text(w, text_get(certificate, &text_items[i]));
    }
    PUT(w, cbor_encode_uint, ISSUED_AT);
    PUT(w, cbor_encode_uint, (uint64_t)certificate->issued_at);
    if (certificate->expires_at) {
        PUT(w, cbor_encode_uint, EXPIRES_AT);
        PUT(w, cbor_encode_uint, (uint64_t)certificate->expires_at);
    }
    PUT(w, cbor_encode_uint, LINES);
    PUT(w, cbor_encode_array_start, certificate->line_count * 2);
    for (size_t i = 0; i < certificate->line_count; i++) {
        put_text(w, certificate->lines[i].label);
        put_text(w, certificate->lines[i].value);
    }
}

static void put_protected(struct writer *w, const uint8_t kid[CERTIFICATE_KID_BYTES])
{
    PUT(w, cbor_encode_map_start, 2);
    PUT(w, cbor_encode_uint, COSE_ALG);
    PUT(w, cbor_encode_negint, (uint64_t)(-1 - COSE_ES256));
    PUT(w, cbor_encode_uint, COSE_KID);
    put_bytes(w, kid, CERTIFICATE_KID_BYTES);
}

struct part {
    const uint8_t *data;
    size_t len;
};

struct parts {
    struct part protected, payload, signature;
};

static void put_envelope(struct writer *w, const struct parts *parts)
{
    PUT(w, cbor_encode_tag, COSE_SIGN1_TAG);
    PUT(w, cbor_encode_array_start, 4);
    put_bytes(w, parts->protected.data, parts->protected.len);
    PUT(w, cbor_encode_map_start, 0);
    put_bytes(w, parts->payload.data, parts->payload.len);
    put_bytes(w, parts->signature.data, parts->signature.len);
}

/* SHA-256 of the Sig_structure, RFC 9052 4.4. */
static bool digest_make(const struct parts *parts, uint8_t digest[SHA256_DIGEST_LENGTH])
{
    uint8_t data[CERTIFICATE_BYTES_MAX + 64];
    struct writer w = {data, 0, sizeof data, false};
    PUT(&w, cbor_encode_array_start, 4);
    put_text(&w, "Signature1");
    put_bytes(&w, parts->protected.data, parts->protected.len);
    put_bytes(&w, "", 0);
    put_bytes(&w, parts->payload.data, parts->payload.len);
    if (!w.full)
        SHA256(data, w.len, digest);
    OPENSSL_cleanse(data, sizeof data);
    return !w.full;
}

bool certificate_kid(const uint8_t point[CERTIFICATE_POINT_BYTES], uint8_t kid[CERTIFICATE_KID_BYTES])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (!SHA256(point, CERTIFICATE_POINT_BYTES, digest))
        return false;
    memcpy(kid, digest, CERTIFICATE_KID_BYTES);
    return true;
}

static bool content_check(const struct certificate *certificate, struct fault *fault)
{
    for (size_t i = 0; i < TEXT_ITEMS; i++) {
        const char *text = text_get(certificate, &text_items[i]);
        if (!text || !*text)
            return fault_set(fault, FAULT_item_missing, text_items[i].name);
        if (!text_check(text, strlen(text)))
            return fault_set(fault, FAULT_item_invalid, text_items[i].name);
    }
    if (!date_check(certificate->birth_date))
        return fault_set(fault, FAULT_item_invalid, "birth_date");
    if (certificate->issued_at <= 0 || certificate->issued_at > TIME_MAX)
        return fault_set(fault, FAULT_item_invalid, "issued_at");
    if (certificate->expires_at &&
        (certificate->expires_at <= certificate->issued_at || certificate->expires_at > TIME_MAX))
        return fault_set(fault, FAULT_item_invalid, "expires_at");
    if (certificate->line_count > CERTIFICATE_LINES_MAX)
        return fault_set(fault, FAULT_item_too_long, "lines");
    for (size_t i = 0; i < certificate->line_count; i++) {
        const struct certificate_line *line = &certificate->lines[i];
        if (!line->label || !*line->label || !line->value)
            return fault_set(fault, FAULT_item_missing, "lines");
        if (!text_check(line->label, strlen(line->label)) || !text_check(line->value, strlen(line->value)))
            return fault_set(fault, FAULT_item_invalid, "lines");
    }
    return true;
}

bool certificate_sign(const struct certificate *certificate, const uint8_t secret[32],
    const uint8_t point[CERTIFICATE_POINT_BYTES], uint8_t bytes[CERTIFICATE_BYTES_MAX], size_t *len,
    struct fault *fault)
{
    uint8_t kid[CERTIFICATE_KID_BYTES], header[32], body[CERTIFICATE_BYTES_MAX], digest[SHA256_DIGEST_LENGTH];
    uint8_t signature[SIGNATURE_BYTES];
    struct writer protected = {header, 0, sizeof header, false}, payload = {body, 0, sizeof body, false};
    struct writer out = {bytes, 0, CERTIFICATE_BYTES_MAX, false};
    bool ok = false;

    if (!content_check(certificate, fault))
        return false;
    put_payload(&payload, certificate);
    if (payload.full) {
        fault_set(fault, FAULT_item_too_long, "lines");
        goto out;
    }
    if (!certificate_kid(point, kid)) {
        fault_set(fault, FAULT_internal, NULL);
        goto out;
    }
    put_protected(&protected, kid);
    struct parts parts = {{header, protected.len}, {body, payload.len}, {signature, sizeof signature}};
    if (!digest_make(&parts, digest) || !certificate_key_sign(secret, point, digest, signature)) {
        fault_set(fault, FAULT_internal, NULL);
        goto out;
    }
    put_envelope(&out, &parts);
    *len = out.len;
    ok = !out.full || fault_set(fault, FAULT_item_too_long, "lines");
out:
    OPENSSL_cleanse(body, sizeof body);
    return ok;
}

/* Reading: one CBOR head at a time by libcbor's stream decoder; what the grammar does not await ends it. */
enum token_kind { TOKEN_OTHER, TOKEN_UNSIGNED, TOKEN_NEGATIVE, TOKEN_BYTES, TOKEN_TEXT, TOKEN_ARRAY, TOKEN_MAP };

struct token {
    enum token_kind kind;
    uint64_t number; /* the value, or how many items follow */
    struct part part;
};

static void token_number(void *context, enum token_kind kind, uint64_t number)
{
    *(struct token *)context = (struct token){.kind = kind, .number = number};
}
static void token_uint8(void *context, uint8_t value)
{
    token_number(context, TOKEN_UNSIGNED, value);
}
static void token_uint16(void *context, uint16_t value)
{
    token_number(context, TOKEN_UNSIGNED, value);
}
static void token_uint32(void *context, uint32_t value)
{
    token_number(context, TOKEN_UNSIGNED, value);
}
static void token_uint64(void *context, uint64_t value)
{
    token_number(context, TOKEN_UNSIGNED, value);
}
static void token_negint8(void *context, uint8_t value)
{
    token_number(context, TOKEN_NEGATIVE, value);
}
static void token_array(void *context, size_t count)
{
    token_number(context, TOKEN_ARRAY, count);
}
static void token_map(void *context, size_t count)
{
    token_number(context, TOKEN_MAP, count);
}
static void token_bytes(void *context, cbor_data data, size_t len)
{
    *(struct token *)context = (struct token){.kind = TOKEN_BYTES, .part = {data, len}};
}
static void token_text(void *context, cbor_data data, size_t len)
{
    *(struct token *)context = (struct token){.kind = TOKEN_TEXT, .part = {data, len}};
}

static bool token_take(struct part *in, enum token_kind kind, struct token *token)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.uint8 = token_uint8;
    callbacks.uint16 = token_uint16;
    callbacks.uint32 = token_uint32;
    callbacks.uint64 = token_uint64;
    callbacks.negint8 = token_negint8;
    callbacks.array_start = token_array;
    callbacks.map_start = token_map;
    callbacks.byte_string = token_bytes;
    callbacks.string = token_text;
    *token = (struct token){0};
    struct cbor_decoder_result result = cbor_stream_decode(in->data, in->len, &callbacks, token);
    if (result.status != CBOR_DECODER_FINISHED || token->kind != kind || result.read > in->len)
        return false;
    in->data += result.read;
    in->len -= result.read;
    return true;
}

static bool number_take(struct part *in, enum token_kind kind, uint64_t expected)
{
    struct token token;
    return token_take(in, kind, &token) && token.number == expected;
}

static bool part_take(struct part *in, struct part *part)
{
    struct token token;
    if (!token_take(in, TOKEN_BYTES, &token))
        return false;
    *part = token.part;
    return true;
}

static bool time_take(struct part *in, int64_t *time)
{
    struct token token;
    if (!token_take(in, TOKEN_UNSIGNED, &token) || token.number > (uint64_t)TIME_MAX)
        return false;
    *time = (int64_t)token.number;
    return true;
}

struct pool {
    char *next;
    size_t left;
};

/* A NUL inside the text is caught when it is encoded again. */
static const char *text_take(struct part *in, struct pool *pool)
{
    struct token token;
    if (!token_take(in, TOKEN_TEXT, &token) || token.part.len >= pool->left)
        return NULL;
    char *text = memcpy(pool->next, token.part.data, token.part.len);
    text[token.part.len] = 0;
    pool->next += token.part.len + 1;
    pool->left -= token.part.len + 1;
    return text;
}

static bool lines_take(struct part *in, struct pool *pool, struct certificate *certificate)
{
    struct token token;
    if (!number_take(in, TOKEN_UNSIGNED, LINES) || !token_take(in, TOKEN_ARRAY, &token) || token.number % 2 ||
        token.number > 2 * CERTIFICATE_LINES_MAX)
        return false;
    certificate->line_count = token.number / 2;
    for (size_t i = 0; i < certificate->line_count; i++) {
        certificate->lines[i].label = text_take(in, pool);
        certificate->lines[i].value = certificate->lines[i].label ? text_take(in, pool) : NULL;
        if (!certificate->lines[i].value)
            return false;
    }
    return true;
}

static bool payload_take(struct part in, struct certificate *certificate)
{
    struct pool pool = {certificate->pool, sizeof certificate->pool};
    struct token map;
    struct part id;

    if (!token_take(&in, TOKEN_MAP, &map) || !number_take(&in, TOKEN_UNSIGNED, 1) || !part_take(&in, &id) ||
        id.len != sizeof certificate->id)
        return false;
    memcpy(certificate->id, id.data, id.len);
    for (size_t i = 0; i < TEXT_ITEMS; i++) {
        const char *text = number_take(&in, TOKEN_UNSIGNED, text_items[i].label) ? text_take(&in, &pool) : NULL;
        if (!text)
            return false;
        text_set(certificate, &text_items[i], text);
    }
    if (!number_take(&in, TOKEN_UNSIGNED, ISSUED_AT) || !time_take(&in, &certificate->issued_at))
        return false;
    certificate->expires_at = 0;
    if (map.number == TEXT_ITEMS + 4 &&
        (!number_take(&in, TOKEN_UNSIGNED, EXPIRES_AT) || !time_take(&in, &certificate->expires_at)))
        return false;
    return lines_take(&in, &pool, certificate);
}

static bool protected_take(struct part in, uint8_t kid[CERTIFICATE_KID_BYTES])
{
    struct part part;
    if (!number_take(&in, TOKEN_MAP, 2) || !number_take(&in, TOKEN_UNSIGNED, COSE_ALG) ||
        !number_take(&in, TOKEN_NEGATIVE, (uint64_t)(-1 - COSE_ES256)) || !number_take(&in, TOKEN_UNSIGNED, COSE_KID) ||
        !part_take(&in, &part) || part.len != CERTIFICATE_KID_BYTES)
        return false;
    memcpy(kid, part.data, part.len);
    return true;
}

/* libcbor 0.8 refuses tags that it has no meaning for, so the one byte of ours is read here. */
static bool envelope_take(const uint8_t *bytes, size_t len, struct parts *parts)
{
    if (len == 0 || len > CERTIFICATE_BYTES_MAX || bytes[0] != (0xc0 | COSE_SIGN1_TAG))
        return false;
    struct part in = {bytes + 1, len - 1};
    return number_take(&in, TOKEN_ARRAY, 4) && part_take(&in, &parts->protected) && number_take(&in, TOKEN_MAP, 0) &&
           part_take(&in, &parts->payload) && part_take(&in, &parts->signature) &&
           parts->signature.len == SIGNATURE_BYTES;
}

/* Does the content, encoded again, give these very bytes? */
static bool same_again(
    const struct certificate *certificate, const struct part *signature, const uint8_t *bytes, size_t len)
{
    uint8_t header[32], body[CERTIFICATE_BYTES_MAX], again[CERTIFICATE_BYTES_MAX];
    struct writer protected = {header, 0, sizeof header, false}, payload = {body, 0, sizeof body, false};
    struct writer out = {again, 0, sizeof again, false};
    put_protected(&protected, certificate->kid);
    put_payload(&payload, certificate);
    struct parts parts = {{header, protected.len}, {body, payload.len}, *signature};
    put_envelope(&out, &parts);
    return !payload.full && !out.full && out.len == len && memcmp(again, bytes, len) == 0;
}

bool certificate_decode(const uint8_t *bytes, size_t len, struct certificate *certificate)
{
    struct parts parts;
    struct fault fault;
    memset(certificate, 0, sizeof *certificate);
    return envelope_take(bytes, len, &parts) && protected_take(parts.protected, certificate->kid) &&
           payload_take(parts.payload, certificate) && content_check(certificate, &fault) &&
           same_again(certificate, &parts.signature, bytes, len);
}

bool certificate_signature_check(const uint8_t *bytes, size_t len, const uint8_t point[CERTIFICATE_POINT_BYTES])
{
    struct certificate certificate;
    struct parts parts;
    uint8_t kid[CERTIFICATE_KID_BYTES], digest[SHA256_DIGEST_LENGTH];
    return certificate_decode(bytes, len, &certificate) && envelope_take(bytes, len, &parts) &&
           certificate_kid(point, kid) && memcmp(kid, certificate.kid, sizeof kid) == 0 &&
           digest_make(&parts, digest) && certificate_key_check(point, digest, parts.signature.data);
}
