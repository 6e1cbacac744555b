/* The payment service (オンライン決済), modelled on such services: a charge, made once for an application, and its
 * state. No specific personal information goes there: receipt number and amount only. */
#ifndef INTAKE_PAYMENT_WIRE_H
#define INTAKE_PAYMENT_WIRE_H

#include "chassis/work.h"

struct charge {
    const char *id, *pay_url; /* in the arena */
    bool paid;
};

/* Make the charge, or find the one that was made for this receipt. Faults: unavailable, timed_out (again), internal. */
MUST_USE bool charge_make(struct work *work, const char *receipt, int64_t yen, struct charge *charge);
MUST_USE bool charge_look(struct work *work, const char *id, struct charge *charge);

#endif
