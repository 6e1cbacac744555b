#include "chassis/number_guard.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>

#define DIGITS 12

static bool check_digit_fits(const int digit[DIGITS])
{
    int sum = 0;
    for (int n = 1; n < DIGITS; n++) { /* the n-th digit from the right of the first eleven */
        sum += digit[DIGITS - 1 - n] * (n <= 6 ? n + 1 : n - 5);
    }
    int rest = sum % 11;
    return digit[DIGITS - 1] == (rest <= 1 ? 0 : 11 - rest);
}

/* The digit at `text`, -1 where there is none; `size` is how far to go on. U+FF10 to U+FF19 are EF BC 90 to EF BC 99.
 */
static int digit_take(const unsigned char *text, size_t *size)
{
    *size = 1;
    if (text[0] >= '0' && text[0] <= '9') {
        return text[0] - '0';
    }
    if (text[0] == 0xEF && text[1] == 0xBC && text[2] >= 0x90 && text[2] <= 0x99) {
        *size = 3;
        return text[2] - 0x90;
    }
    return -1;
}

/* The end of a UUID is twelve hex digits: one of 280 has none but decimal ones, and of these one of eleven would fit.
 */
static bool ends_uuid(const char *text, const char *end)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-";
    const char *begin = end - DIGITS - (sizeof form - 1);
    if (end - text < DIGITS + (ptrdiff_t)sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '-' ? begin[i] != '-' : !isxdigit((unsigned char)begin[i]))
            return false;
    return true;
}

bool number_guard_text(const char *text)
{
    int digit[DIGITS];
    size_t run = 0, size;
    for (const unsigned char *at = (const unsigned char *)text;; at += size) {
        int value = digit_take(at, &size);
        if (value >= 0) {
            if (run < DIGITS) {
                digit[run] = value;
            }
            run++;
            continue;
        }
        if (run == DIGITS && check_digit_fits(digit) && !ends_uuid(text, (const char *)at)) {
            return true;
        }
        if (!*at) {
            return false;
        }
        run = 0;
    }
}

bool number_guard_json(const json_t *value)
{
    char integer[24];
    const char *key;
    json_t *member, *object = (json_t *)value; /* jansson's iterators take no const */
    size_t i;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return number_guard_text(json_string_value(value));
    case JSON_INTEGER:
        snprintf(integer, sizeof integer, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return number_guard_text(integer);
    case JSON_OBJECT:
        json_object_foreach(object, key, member)
        {
            if (number_guard_text(key) || number_guard_json(member)) {
                return true;
            }
        }
        return false;
    case JSON_ARRAY:
        json_array_foreach(object, i, member)
        {
            if (number_guard_json(member)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}
