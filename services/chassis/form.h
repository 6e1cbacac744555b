/* Forms of text that requests of many services hold. */
#ifndef CHASSIS_FORM_H
#define CHASSIS_FORM_H

#include <stdbool.h>

/* A UUID as uuid_make (work.h) writes it: lower case. */
bool form_is_uuid(const char *text);
/* A day that there is, as YYYY-MM-DD. */
bool form_is_day(const char *text);

#endif
