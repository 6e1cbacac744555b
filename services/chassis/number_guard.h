/* The last look before something leaves for an existing system, or in a table that a person carries out: does it hold
 * what may be an individual number (個人番号)? Nothing but the sealed number ever may (S0: 項目35 個人番号 is never
 * handed over). */
#ifndef CHASSIS_NUMBER_GUARD_H
#define CHASSIS_NUMBER_GUARD_H

#include <jansson.h>
#include <stdbool.h>

/* True when the text has exactly twelve digits in a row, ASCII or full-width, whose check digit fits (番号法施行令8条,
 * 総務省令85号5条). Not the end of a UUID, as pseudonyms of Mynaportal are. */
bool number_guard_text(const char *text);

/* The same for every string, key and integer of a JSON value, however deep (jansson bounds the depth at 2048). */
bool number_guard_json(const json_t *value);

#endif
