#include "certificates/certificate_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char digits[] = "0123456789abcdef";

/* Japan has one time zone and no summer time. */
void certificate_day_print(int64_t seconds, char text[CERTIFICATE_DAY_MAX])
{
    time_t shifted = (time_t)seconds + 9 * 3600;
    struct tm day = {0};
    gmtime_r(&shifted, &day);
    snprintf(text, CERTIFICATE_DAY_MAX, "%d年%d月%d日", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void certificate_id_print(const uint8_t id[16], char text[CERTIFICATE_ID_MAX])
{
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (hyphen_before(i))
            text[at++] = '-';
        text[at++] = digits[id[i] >> 4];
        text[at++] = digits[id[i] & 15];
    }
    text[at] = 0;
}

bool certificate_id_parse(const char *text, uint8_t id[16])
{
    size_t at = 0;
    if (strlen(text) != CERTIFICATE_ID_MAX - 1)
        return false;
    for (size_t i = 0; i < 16; i++) {
        if (hyphen_before(i) && text[at++] != '-')
            return false;
        const char *high = strchr(digits, text[at]), *low = strchr(digits, text[at + 1]);
        if (!high || !low)
            return false;
        id[i] = (uint8_t)((high - digits) << 4 | (low - digits));
        at += 2;
    }
    return true;
}
