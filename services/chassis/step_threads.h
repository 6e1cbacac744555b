/* Starting and stopping all lanes of a service; for boot alone. */
#ifndef CHASSIS_STEP_THREADS_H
#define CHASSIS_STEP_THREADS_H

#include "chassis/boot.h"

MUST_USE bool steps_start(
    const struct service *service, const struct lane *const *tables, const size_t *counts, size_t table_count);
void steps_stop(void); /* finishes the turns that run */

#endif
