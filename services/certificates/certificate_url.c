#include "certificates/certificate_url.h"

#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void certificate_code_print(const uint8_t *bytes, size_t len, char *code)
{
    size_t at = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group =
            (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        for (size_t k = 0; k < (left > 2 ? 4 : left + 1); k++)
            code[at++] = letters[group >> (18 - 6 * k) & 63];
    }
    code[at] = 0;
}

bool certificate_url_print(const char *base, const uint8_t *bytes, size_t len, char url[CERTIFICATE_URL_MAX])
{
    size_t at = strlen(base);
    if (at > CERTIFICATE_BASE_MAX || len > CERTIFICATE_BYTES_MAX)
        return false;
    memcpy(url, base, at);
    memcpy(url + at, "?c=", 3);
    certificate_code_print(bytes, len, url + at + 3);
    return true;
}

static int letter_value(char letter)
{
    if (letter == '+' || letter == ' ')
        return 62;
    if (letter == '/')
        return 63;
    const char *found = letter ? strchr(letters, letter) : NULL;
    return found ? (int)(found - letters) : -1;
}

bool certificate_code_parse(const char *code, uint8_t bytes[CERTIFICATE_BYTES_MAX], size_t *len)
{
    size_t count = strlen(code), padding = 0, out = 0;
    uint32_t bits = 0;
    while (padding < 2 && count > 0 && code[count - 1] == '=') {
        count--;
        padding++;
    }
    if (count == 0 || count % 4 == 1 || (padding && (count + padding) % 4) || count * 3 / 4 > CERTIFICATE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        int value = letter_value(code[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        if (i % 4)
            bytes[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *len = out;
    return (count % 4 != 2 || (bits & 15) == 0) && (count % 4 != 3 || (bits & 3) == 0);
}

const char *certificate_url_code(const char *url)
{
    const char *mark = strstr(url, "?c=");
    return mark ? mark + 3 : NULL;
}
