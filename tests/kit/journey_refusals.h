/* What must be refused, as data: each case sends something that is wrong in one way and says how it was answered. The
 * demo shows them, tests/flow/refusals proves them. */
#ifndef KIT_JOURNEY_REFUSALS_H
#define KIT_JOURNEY_REFUSALS_H

#include "kit/journey.h"

struct refusal {
    const char *name;        /* "wrong check digit" */
    const char *japanese;    /* 検査用数字の誤り */
    enum fault_code code;    /* FAULT_NONE: taken as what was received before */
    const char *requirement; /* whose rule it is */
    enum kit_flaw flaw;
    void (*run)(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip);
};
extern const struct refusal refusals[];
extern const size_t refusal_count;

struct refusal_outcome {
    int http;
    char code[48], field[64], message[512];
    /* what is not as it must be, in a few words; "" when all is */
    char wrong[128];
};

/* Play a case with people of its own, then look: status, code and message are those of errors.def, the applicant has no
 * application more than before, and nothing of the person is repeated in the answer. */
void refusal_play(struct journey *journey, const struct refusal *refusal, struct refusal_outcome *outcome);

#endif
