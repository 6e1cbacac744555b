/* What a person must do before the rights of the account can be used; until then a session is good for that alone. */
#ifndef STAFF_DUTY_H
#define STAFF_DUTY_H

#include "staff/staff_store.h"

enum duty { DUTY_PASSWORD, DUTY_SECOND_FACTOR, DUTY_TERMS, DUTY_TRAINING, DUTIES };

/* A set, a bit per enum duty. Pure. `password_days`: the longest validity of a password. */
unsigned duties_find(const struct account *account, int64_t now_ms, int64_t password_days);
const char *duty_name(enum duty duty); /* "password", "second_factor", "terms", "training" */

#endif
