/* What one value of a programme must look like, by its type. */
#ifndef CHASSIS_PROGRAMME_VALUE_H
#define CHASSIS_PROGRAMME_VALUE_H

#include "chassis/programme.h"

/* The word of a definition ("text", "kana", …). False for another word. */
bool programme_type_parse(const char *word, enum programme_type *type);

/* FAULT_NONE, item_too_long (more than max code points) or item_invalid. value is UTF-8, length in bytes; "" is valid.
 */
enum fault_code programme_value_check(enum programme_type type, size_t max, const struct programme_choice *choices,
    size_t choice_count, const char *value, size_t length);

/* A date of the calendar as YYYYMMDD, NUL-terminated. */
bool programme_date_is_real(const char *text);

#endif
