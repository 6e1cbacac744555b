#include "chassis/form.h"

#include <string.h>
#include <time.h>

bool form_is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '-' ? text[i] != '-' : !strchr("0123456789abcdef", text[i]))
            return false;
    return true;
}

bool form_is_day(const char *text)
{
    struct tm day = {0};
    const char *rest = strlen(text) == strlen("2026-01-31") ? strptime(text, "%Y-%m-%d", &day) : NULL;
    if (!rest || *rest)
        return false;
    int month = day.tm_mon, number = day.tm_mday;
    timegm(&day); /* the 31st of a short month becomes another one */
    return day.tm_mon == month && day.tm_mday == number;
}
