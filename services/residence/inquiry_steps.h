#ifndef RESIDENCE_INQUIRY_STEPS_H
#define RESIDENCE_INQUIRY_STEPS_H

#include "chassis/step.h"

extern const struct lane inquiry_lanes[];
extern const size_t inquiry_lane_count;

/* Read the settings of the lanes; called once, before threads. */
void inquiry_steps_open(void);

#endif
