#include "staff/totp.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>

#define MAC_BYTES 20
#define MARGIN 4
#define RUN_MAX 24 /* "M177,177h177v1h-177z" */

bool totp_code(const uint8_t *key, size_t key_len, uint64_t step, int digits, char code[TOTP_CODE_MAX + 1])
{
    static const uint32_t moduli[] = {1000000, 10000000, 100000000};
    uint64_t moving = htobe64(step);
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!HMAC(EVP_sha1(), key, (int)key_len, (const uint8_t *)&moving, sizeof moving, mac, &len) || len != MAC_BYTES)
        return false;
    /* Dynamic truncation, RFC 4226 section 5.3. */
    const uint8_t *at = mac + (mac[MAC_BYTES - 1] & 15);
    uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
    snprintf(code, TOTP_CODE_MAX + 1, "%0*u", digits, number % moduli[digits - TOTP_DIGITS]);
    OPENSSL_cleanse(mac, sizeof mac);
    return true;
}

int64_t totp_step_find(const uint8_t key[TOTP_KEY_BYTES], const char *code, int64_t now_ms, int64_t used)
{
    int64_t now = now_ms / 1000 / TOTP_STEP_SECONDS, found = 0;
    char expected[TOTP_CODE_MAX + 1];
    if (strlen(code) != TOTP_DIGITS)
        return 0;
    for (int64_t step = now - 1; step <= now + 1; step++)
        if (step > used && totp_code(key, TOTP_KEY_BYTES, (uint64_t)step, TOTP_DIGITS, expected) &&
            CRYPTO_memcmp(expected, code, TOTP_DIGITS) == 0)
            found = step;
    return found;
}

static void base32_put(char *text, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    for (size_t bit = 0; bit < len * 8; bit += 5) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < len ? bytes[bit / 8 + 1] : 0);
        *text++ = digits[pair >> (11 - bit % 8) & 31];
    }
    *text = '\0';
}

char *totp_address(struct arena *arena, const char *issuer, const char *account, const uint8_t key[TOTP_KEY_BYTES])
{
    char secret[TOTP_KEY_BYTES * 8 / 5 + 2];
    base32_put(secret, key, TOTP_KEY_BYTES);
    char *address = arena_format(arena, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
        issuer, account, secret, issuer, TOTP_DIGITS, TOTP_STEP_SECONDS);
    OPENSSL_cleanse(secret, sizeof secret);
    return address;
}

char *qr_picture(struct arena *arena, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
    if (!code)
        return NULL;
    int width = code->width, whole = width + 2 * MARGIN;
    size_t size = (size_t)(width * width) * RUN_MAX + 256, used = 0;
    char *picture = arena_take(arena, size);
    if (picture)
        used = (size_t)snprintf(picture, size,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\"><path fill=\"#fff\" d=\"M0,0h%dv%dH0z\"/>"
            "<path d=\"",
            whole, whole, whole, whole);
    for (int y = 0; picture && y < width; y++)
        for (int x = 0, run = 0; x < width; x += run ? run : 1) {
            for (run = 0; x + run < width && code->data[y * width + x + run] & 1; run++)
                ;
            if (run)
                used +=
                    (size_t)snprintf(picture + used, size - used, "M%d,%dh%dv1h-%dz", x + MARGIN, y + MARGIN, run, run);
        }
    if (picture)
        snprintf(picture + used, size - used, "\"/></svg>");
    QRcode_free(code);
    return picture;
}
