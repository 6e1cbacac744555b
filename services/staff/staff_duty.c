#include "staff/staff_duty.h"

#include <string.h>

#define DAY_MS (24 * 3600 * 1000LL)

unsigned duties_find(const struct account *account, int64_t now_ms, int64_t password_days)
{
    const bool due[DUTIES] = {
        [DUTY_PASSWORD] = account->must_change || account->password_set_at_ms + password_days * DAY_MS <= now_ms,
        [DUTY_SECOND_FACTOR] = strcmp(account->second_factor, "totp") == 0 && !account->factor_confirmed,
        [DUTY_TERMS] = !account->consented,
        [DUTY_TRAINING] = !account->trained,
    };
    unsigned duties = 0;
    for (int duty = 0; duty < DUTIES; duty++)
        duties |= due[duty] ? 1u << duty : 0;
    return duties;
}

const char *duty_name(enum duty duty)
{
    static const char *const names[DUTIES] = {
        [DUTY_PASSWORD] = "password",
        [DUTY_SECOND_FACTOR] = "second_factor",
        [DUTY_TERMS] = "terms",
        [DUTY_TRAINING] = "training",
    };
    return names[duty];
}
