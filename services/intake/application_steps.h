/* What moves an application on when nobody asks: one lane a peer, so that a hanging peer slows nothing but itself. */
#ifndef INTAKE_APPLICATION_STEPS_H
#define INTAKE_APPLICATION_STEPS_H

#include "chassis/step.h"
#include "intake/application_state.h"

#define APPLICATION_LANES 8
extern struct lane application_lanes[APPLICATION_LANES];

void application_lanes_set_threads(int threads);

/* After the COMMIT that moved an application there: wake the lane that takes it on, if one does. */
void application_wake(enum application_state state);

#endif
