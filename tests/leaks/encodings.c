#include "leaks/encodings.h"

#include <endian.h>
#include <iconv.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 512
#define FORM_MAX (6 * VALUE_MAX)
#define DIGITS 12

const char *const planted_kind_names[PLANTED_KINDS] = {"number", "name", "address"};

const char *const encoding_names[ENCODINGS] = {"plain", "spaced", "hyphened", "full-width", "UTF-16LE", "Shift_JIS",
    "EUC-JP", "int64 LE", "int64 BE", "varint", "BCD", "numeric", "numeric wire", "escaped", "hex", "base64+0",
    "base64+1", "base64+2", "MD5", "SHA-1", "SHA-256", "MD5 hex", "SHA-1 hex", "SHA-256 hex"};

bool encoding_is_short(enum encoding encoding)
{
    return encoding == ENCODING_VARINT || encoding == ENCODING_BCD;
}

struct forms {
    encoding_take take;
    void *user;
};

static void give(const struct forms *forms, enum encoding encoding, const void *bytes, size_t len)
{
    forms->take(forms->user, encoding, bytes, len);
}

static void give_text(const struct forms *forms, enum encoding encoding, const char *text)
{
    give(forms, encoding, text, strlen(text));
}

static void converted_give(const struct forms *forms, enum encoding encoding, const char *charset, const char *text)
{
    char copy[VALUE_MAX], out[FORM_MAX], *from = copy, *to = out;
    size_t left = strlen(text), room = sizeof out;
    iconv_t converter = iconv_open(charset, "UTF-8");
    snprintf(copy, sizeof copy, "%s", text);
    if (converter != (iconv_t)-1 && iconv(converter, &from, &left, &to, &room) != (size_t)-1)
        give(forms, encoding, out, (size_t)(to - out));
    if (converter != (iconv_t)-1)
        iconv_close(converter);
}

static void charsets_give(const struct forms *forms, const char *text, const char *wide)
{
    converted_give(forms, ENCODING_UTF16LE, "UTF-16LE", text);
    if (wide != text)
        converted_give(forms, ENCODING_UTF16LE, "UTF-16LE", wide);
    converted_give(forms, ENCODING_SHIFT_JIS, "CP932", wide);
    converted_give(forms, ENCODING_EUC_JP, "EUC-JP", wide);
}

static void hex_give(const struct forms *forms, enum encoding encoding, const uint8_t *bytes, size_t len)
{
    static const char *const formats[] = {"%02x", "%02X"};
    char text[2 * VALUE_MAX + 1];
    for (size_t f = 0; f < 2; f++) {
        for (size_t i = 0; i < len && i < VALUE_MAX; i++)
            snprintf(text + 2 * i, 3, formats[f], bytes[i]);
        give(forms, encoding, text, 2 * len);
    }
}

/* The characters that depend on nothing but the value, when `skip` bytes stand before it in its group of three. */
static void base64_give(const struct forms *forms, const char *value, size_t skip)
{
    static const char *const ends[] = {"+/", "-_"};
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(value), first = (8 * skip + 5) / 6, past = 8 * (skip + len) / 6;
    char text[FORM_MAX];
    for (size_t e = 0; e < 2; e++) {
        for (size_t c = first; c < past; c++) {
            unsigned sextet = 0;
            for (size_t bit = 6 * c; bit < 6 * c + 6; bit++)
                sextet = sextet << 1 | ((unsigned char)value[bit / 8 - skip] >> (7 - bit % 8) & 1);
            text[c - first] = sextet < 62 ? common[sextet] : ends[e][sextet - 62];
        }
        give(forms, ENCODING_BASE64_0 + (enum encoding)skip, text, past - first);
    }
}

static void digests_give(const struct forms *forms, const void *bytes, size_t len)
{
    const EVP_MD *const digests[] = {EVP_md5(), EVP_sha1(), EVP_sha256()};
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size;
    for (unsigned i = 0; i < 3; i++) {
        if (EVP_Digest(bytes, len, digest, &size, digests[i], NULL) != 1)
            abort();
        give(forms, ENCODING_MD5 + i, digest, size);
        hex_give(forms, ENCODING_MD5_HEX + i, digest, size);
    }
}

static void full_width_put(const char *digits, char *out)
{
    for (; *digits; digits++, out += 3)
        snprintf(out, 4, "\xEF\xBC%c", '\x90' + (*digits - '0'));
}

static void integers_give(const struct forms *forms, const char *digits)
{
    uint64_t value = strtoull(digits, NULL, 10), little = htole64(value), big = htobe64(value);
    uint8_t bytes[16];
    give(forms, ENCODING_INT64_LE, &little, sizeof little);
    give(forms, ENCODING_INT64_BE, &big, sizeof big);
    hex_give(forms, ENCODING_HEX, (const uint8_t *)&big, sizeof big);
    size_t len = 0;
    for (uint64_t rest = value; rest || !len; rest >>= 7)
        bytes[len++] = (uint8_t)((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
    give(forms, ENCODING_VARINT, bytes, len);
    for (size_t i = 0; i < DIGITS / 2; i++)
        bytes[i] = (uint8_t)((digits[2 * i] - '0') << 4 | (digits[2 * i + 1] - '0'));
    give(forms, ENCODING_BCD, bytes, DIGITS / 2);
}

/* Groups of four digits; groups of zeros at the end are left out. On disk little-endian behind a short header (0x8000,
 * weight 2), or a long one; on the wire big-endian behind count, weight, sign and scale. */
static void numeric_give(const struct forms *forms, const char *digits)
{
    uint16_t groups[3], disk[5], wire[7];
    size_t count = 3;
    for (size_t i = 0; i < 3; i++) {
        char group[5];
        snprintf(group, sizeof group, "%.4s", digits + 4 * i);
        groups[i] = (uint16_t)strtoul(group, NULL, 10);
    }
    while (count && !groups[count - 1])
        count--;
    if (count < 3)
        return; /* too short to tell from chance; one number in 10,000 */
    disk[0] = htole16(0x8002);
    for (size_t i = 0; i < count; i++)
        disk[1 + i] = htole16(groups[i]);
    give(forms, ENCODING_NUMERIC, disk, 2 * (1 + count));
    memmove(disk + 2, disk + 1, 2 * count);
    disk[0] = 0;
    disk[1] = htole16(2);
    give(forms, ENCODING_NUMERIC, disk, 2 * (2 + count));
    const uint16_t head[] = {(uint16_t)count, 2, 0, 0};
    for (size_t i = 0; i < 4; i++)
        wire[i] = htobe16(head[i]);
    for (size_t i = 0; i < count; i++)
        wire[4 + i] = htobe16(groups[i]);
    give(forms, ENCODING_NUMERIC_WIRE, wire, 2 * (4 + count));
}

static void number_give(const struct forms *forms, const char *digits)
{
    char text[64], wide[3 * DIGITS + 1];
    uint8_t record[3 + DIGITS] = {0xFF, 0x10, DIGITS}; /* EF 0001, domain.md 2.4 */
    full_width_put(digits, wide);
    give_text(forms, ENCODING_FULL_WIDTH, wide);
    snprintf(text, sizeof text, "%.4s %.4s %.4s", digits, digits + 4, digits + 8);
    give_text(forms, ENCODING_SPACED, text);
    snprintf(text, sizeof text, "%.4s-%.4s-%.4s", digits, digits + 4, digits + 8);
    give_text(forms, ENCODING_HYPHENED, text);
    charsets_give(forms, digits, wide);
    integers_give(forms, digits);
    numeric_give(forms, digits);
    memcpy(record + 3, digits, DIGITS);
    digests_give(forms, record, sizeof record);
}

static void escapes_give(const struct forms *forms, const char *text)
{
    static const char *const json[] = {"\\u%04x", "\\u%04X"}, *const url[] = {"%%%02x", "%%%02X"};
    uint8_t wide[FORM_MAX];
    char copy[VALUE_MAX], out[FORM_MAX], *from = copy, *to = (char *)wide;
    size_t left = strlen(text), room = sizeof wide, len;
    snprintf(copy, sizeof copy, "%s", text);
    iconv_t converter = iconv_open("UTF-16BE", "UTF-8");
    if (converter == (iconv_t)-1 || iconv(converter, &from, &left, &to, &room) == (size_t)-1)
        abort();
    iconv_close(converter);
    for (size_t f = 0; f < 2; f++) {
        len = 0;
        for (const uint8_t *at = wide; at < (const uint8_t *)to; at += 2)
            len += (size_t)snprintf(out + len, sizeof out - len, json[f], at[0] << 8 | at[1]);
        give(forms, ENCODING_ESCAPED, out, len);
        len = 0;
        for (const char *at = text; *at; at++)
            len += (size_t)snprintf(out + len, sizeof out - len, url[f], (unsigned char)*at);
        give(forms, ENCODING_ESCAPED, out, len);
    }
}

/* As a name is written: 姓 U+3000 名. */
static void text_give(const struct forms *forms, const char *text)
{
    char joined[VALUE_MAX], spaced[VALUE_MAX];
    const char *space = strstr(text, "\u3000");
    charsets_give(forms, text, text);
    escapes_give(forms, text);
    if (!space)
        return;
    snprintf(spaced, sizeof spaced, "%.*s %s", (int)(space - text), text, space + 3);
    give_text(forms, ENCODING_SPACED, spaced);
    snprintf(joined, sizeof joined, "%.*s%s", (int)(space - text), text, space + 3);
    give_text(forms, ENCODING_HYPHENED, joined);
}

void encodings_make(enum planted_kind kind, const char *value, encoding_take take, void *user)
{
    const struct forms forms = {take, user};
    size_t len = strlen(value);
    if (len >= VALUE_MAX / 2 || (kind == PLANTED_NUMBER && (len != DIGITS || strspn(value, "0123456789") != DIGITS)))
        abort();
    give(&forms, ENCODING_PLAIN, value, len);
    if (kind == PLANTED_NUMBER)
        number_give(&forms, value);
    else
        text_give(&forms, value);
    hex_give(&forms, ENCODING_HEX, (const uint8_t *)value, len);
    for (size_t skip = 0; skip < 3; skip++)
        base64_give(&forms, value, skip);
    digests_give(&forms, value, len);
}

struct adding {
    struct needles *needles;
    struct needle needle;
};

static void add(void *user, enum encoding encoding, const void *bytes, size_t len)
{
    struct adding *adding = user;
    adding->needle.encoding = (uint8_t)encoding;
    (void)needles_add(adding->needles, adding->needle, bytes, len);
}

void encodings_add(struct needles *needles, uint32_t person, enum planted_kind kind, const char *value)
{
    struct adding adding = {needles, {.person = person, .kind = (uint8_t)kind}};
    encodings_make(kind, value, add, &adding);
}
