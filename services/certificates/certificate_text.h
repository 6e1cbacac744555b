/* Values of a certificate as text: its day as people read it, its id as a UUID. */
#ifndef CERTIFICATES_CERTIFICATE_TEXT_H
#define CERTIFICATES_CERTIFICATE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "chassis/fault.h"

#define CERTIFICATE_DAY_MAX 64
#define CERTIFICATE_ID_MAX 37

/* 2026年4月1日, in Japan. */
void certificate_day_print(int64_t seconds, char text[CERTIFICATE_DAY_MAX]);

/* Lower-case UUID. */
void certificate_id_print(const uint8_t id[16], char text[CERTIFICATE_ID_MAX]);
/* False for anything but a lower-case UUID. */
MUST_USE bool certificate_id_parse(const char *text, uint8_t id[16]);

#endif
