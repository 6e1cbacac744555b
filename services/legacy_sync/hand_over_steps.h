/* The lanes: one a system that takes, one a system that gives back, so that one that hangs slows nothing but itself. */
#ifndef LEGACY_SYNC_HAND_OVER_STEPS_H
#define LEGACY_SYNC_HAND_OVER_STEPS_H

#include "chassis/step.h"

/* The table; called before threads are started. The lane of a system bears its name. */
size_t hand_over_lanes(const struct lane **lanes);

#endif
