/* The mixed load: everyone planted applies, by all programmes, channels and outcomes; and every refusal. */
#ifndef LEAKS_LOAD_H
#define LEAKS_LOAD_H

#include "kit/journey.h"
#include "leaks/needles.h"

#include <stddef.h>

struct load {
    struct journey *shared;
    uint32_t first;
    size_t people; /* who apply; those of the refusals come behind them */
};

/* How many people of the seed take part in all, so that they can be planted before. */
size_t load_people(size_t people);
/* Make needles of every value of everyone, and of what the refusals spoil. */
void load_plant(const struct load *load, struct needles *needles);
/* Play it. False after saying which application or refusal did not go as it must. */
MUST_USE bool load_run(const struct load *load);

#endif
