#include "legacy_sync/password.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/crypto.h>

static bool letters_fit(const char *text, int *classes)
{
    bool upper = false, lower = false, digit = false, sign = false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x21 || *c > 0x7E) {
            return false;
        }
        upper |= *c >= 'A' && *c <= 'Z';
        lower |= *c >= 'a' && *c <= 'z';
        digit |= *c >= '0' && *c <= '9';
        sign |= !isalnum(*c);
    }
    *classes = upper + lower + digit + sign;
    return true;
}

static bool alive(const char *set_on, int64_t now)
{
    struct tm day = {0};
    const char *end = strptime(set_on, "%Y-%m-%d", &day);
    if (!end || *end) {
        return false;
    }
    int64_t since = timegm(&day);
    return since <= now && now - since < (int64_t)PASSWORD_LIFE_DAYS * 86400;
}

const char *password_fault(const struct password *password, int64_t now)
{
    size_t length = strnlen(password->text, sizeof password->text);
    int classes = 0;
    if (length < PASSWORD_LENGTH_MIN || length > PASSWORD_LENGTH_MAX) {
        return "length";
    }
    if (!letters_fit(password->text, &classes)) {
        return "letters";
    }
    if (classes < PASSWORD_CLASSES_MIN) {
        return "mix";
    }
    return alive(password->set_on, now) ? NULL : "life";
}

/* jansson keeps its own copy of the text; it is overwritten before it is freed. */
static void text_forget(json_t *text)
{
    OPENSSL_cleanse((char *)json_string_value(text), json_string_length(text));
}

bool password_read(struct password *password, const char *path)
{
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *text = json_object_get(file, "password");
    const char *set_on = json_string_value(json_object_get(file, "set_on"));
    bool fits = json_is_string(text) && set_on && strlen(set_on) < sizeof password->set_on;
    memset(password, 0, sizeof *password);
    if (fits) {
        /* A text that is too long stays too long, for password_fault to say so. */
        snprintf(password->text, sizeof password->text, "%s", json_string_value(text));
        snprintf(password->set_on, sizeof password->set_on, "%s", set_on);
    }
    if (json_is_string(text)) {
        text_forget(text);
    }
    json_decref(file);
    return fits;
}

void password_wipe(struct password *password)
{
    OPENSSL_cleanse(password, sizeof *password);
}
