#include "chassis/programme_value.h"

#include <string.h>
#include <unicode/utf8.h>

bool programme_type_parse(const char *word, enum programme_type *type)
{
    static const char *const words[] = {
        [PROGRAMME_TEXT] = "text",
        [PROGRAMME_KANA] = "kana",
        [PROGRAMME_DATE] = "date",
        [PROGRAMME_INTEGER] = "integer",
        [PROGRAMME_CODE] = "code",
        [PROGRAMME_FLAG] = "flag",
        [PROGRAMME_CHOICE] = "choice",
        [PROGRAMME_POSTAL_CODE] = "postal_code",
        [PROGRAMME_PHONE] = "phone",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) {
            *type = (enum programme_type)i;
            return true;
        }
    }
    return false;
}

static bool is_digit(UChar32 c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(UChar32 c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_kana(UChar32 c)
{
    return (c >= 0x3041 && c <= 0x3096) || (c >= 0x3099 && c <= 0x309E) || (c >= 0x30A1 && c <= 0x30FE) ||
           (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xFF65 && c <= 0xFF9F) || c == 0x3000 || c == ' ';
}

/* Neither controls, nor characters that reorder or hide what stands around them, nor what is no character. Private use
 * is refused too: such a 外字 means something else on every machine. */
static bool is_plain(UChar32 c)
{
    bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
    bool hidden = (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
                  c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
    bool private_use = (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000;
    bool none = (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
    return !control && !hidden && !private_use && !none;
}

static bool fits(enum programme_type type, UChar32 c)
{
    switch (type) {
    case PROGRAMME_KANA:
        return is_kana(c);
    case PROGRAMME_DATE:
    case PROGRAMME_INTEGER:
    case PROGRAMME_POSTAL_CODE:
        return is_digit(c);
    case PROGRAMME_CODE:
        return is_digit(c) || is_letter(c) || c == '-';
    case PROGRAMME_FLAG:
        return c == '0' || c == '1';
    case PROGRAMME_PHONE:
        return is_digit(c) || c == '-' || c == '+';
    case PROGRAMME_TEXT:
    case PROGRAMME_CHOICE:
        break;
    }
    return is_plain(c);
}

bool programme_date_is_real(const char *text)
{
    int n[8];
    for (int i = 0; i < 8; i++) {
        if (!is_digit((unsigned char)text[i]))
            return false;
        n[i] = text[i] - '0';
    }
    if (text[8] != 0)
        return false;
    int year = n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3], month = n[4] * 10 + n[5], day = n[6] * 10 + n[7];
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1850 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

enum fault_code programme_value_check(enum programme_type type, size_t max, const struct programme_choice *choices,
    size_t choice_count, const char *value, size_t length)
{
    if (length == 0)
        return FAULT_NONE;
    if (length > max * 4)
        return FAULT_item_too_long;
    bool shaped = true;
    size_t points = 0;
    for (size_t at = 0; at < length; points++) {
        UChar32 c;
        U8_NEXT(value, at, length, c);
        shaped = shaped && c >= 0 && fits(type, c);
    }
    if (points > max)
        return FAULT_item_too_long;
    if (!shaped || (type == PROGRAMME_DATE && !programme_date_is_real(value)) ||
        (type == PROGRAMME_POSTAL_CODE && points != 7))
        return FAULT_item_invalid;
    if (type != PROGRAMME_CHOICE)
        return FAULT_NONE;
    for (size_t i = 0; i < choice_count; i++)
        if (strcmp(choices[i].value, value) == 0)
            return FAULT_NONE;
    return FAULT_item_invalid;
}
