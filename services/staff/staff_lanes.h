/* What staff does by itself. */
#ifndef STAFF_LANES_H
#define STAFF_LANES_H

#include "chassis/step.h"

#define LANE_SESSIONS "sessions"

extern const struct lane staff_lanes[];
extern const size_t staff_lane_count;

#endif
