#ifndef INTERMEDIATE_GATEWAY_STEPS_H
#define INTERMEDIATE_GATEWAY_STEPS_H

#include "chassis/step.h"

extern const struct lane gateway_lanes[];
extern const size_t gateway_lane_count;

/* Read the settings of the lanes; called once, before threads. */
void gateway_steps_open(void);

#endif
