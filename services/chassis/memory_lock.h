/* Numbers pass through the memory of some services: it must not reach a swap device. */
#ifndef CHASSIS_MEMORY_LOCK_H
#define CHASSIS_MEMORY_LOCK_H

#include <stdbool.h>

/* Lock all memory of the process, present and future. False where the system does not let us. */
bool memory_lock(void);

#endif
