/* Work that no request drives. A lane is a set of threads with a cap, one lane a peer, so that a hanging peer slows
 * nothing but itself. A thread calls `turn` again and again; it leases what is due (FOR UPDATE SKIP LOCKED) in a short
 * transaction, does its calls, records the outcome in a second one, and returns how many items it worked on. At 0 it
 * sleeps until step_wake, the time of step_wake_in, or 250 ms. */
#ifndef CHASSIS_STEP_H
#define CHASSIS_STEP_H

#include "chassis/work.h"

struct lane {
    const char *name;
    int threads;
    int (*turn)(struct work *work, const struct lane *lane);
    const void *detail; /* the service's own */
    /* Under load many small turns cost more than a few full ones: after a turn of fewer items than `full`, a thread
     * gathers until `gather_ms` after that turn began. What comes after a quiet time is taken at once. 0: never. */
    int full, gather_ms;
};

/* Wake the threads of a lane (by name) after a COMMIT that made work for it. Cheap; may be called from any thread. */
void step_wake(const char *lane);
/* As step_wake, in `ms`: for what becomes due then. The earliest of several counts, the poll finds the others. */
void step_wake_in(const char *lane, int64_t ms);

#endif
