/* While keys are replaced, replicas agree step by step: a step begins only when every thread of every replica works by
 * the keys of the step before it. Here is a process's part: which keys each of its threads works by, and that it
 * commits nothing when it was out of touch for so long that the others went on without it (a stopped machine that wakes
 * up). */
#ifndef CHASSIS_KEY_GUARD_H
#define CHASSIS_KEY_GUARD_H

#include "chassis/fault.h"

#include <stdint.h>

/* One of each thread that works. NULL when there are too many. */
struct key_guard;
struct key_guard *key_guard_new(void);
void key_guard_free(struct key_guard *guard);

/* Between the two the thread works by the keys that were in the ring at the earliest when it entered. */
void key_guard_enter(struct key_guard *guard);
void key_guard_leave(struct key_guard *guard);

/* May what was begun be committed, or refused for good? */
MUST_USE bool key_guard_holds(const struct key_guard *guard);

/* For key_watch.h alone: the ring is at this generation; does any thread work by an older one still; the state of keys
 * was seen at this time (CLOCK_MONOTONIC, ms, taken before the look); from now on a look is due every `fence_ms`. */
void key_guard_publish(int64_t generation);
MUST_USE bool key_guard_quiet(int64_t generation);
void key_guard_looked(int64_t at_ms);
void key_guard_watch(int64_t fence_ms);

#endif
