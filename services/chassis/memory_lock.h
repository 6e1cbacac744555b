/* Numbers pass through the memory of some services: it must not reach a swap device. */
#ifndef CHASSIS_MEMORY_LOCK_H
#define CHASSIS_MEMORY_LOCK_H

/* Lock all memory of the process, present and future, where the system lets us; says memory_not_locked in the journal
 * where it does not. */
void memory_lock(void);

#endif
