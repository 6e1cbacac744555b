/* What is said to an existing system, and what it says back (JSON; formats of our own, see tests/doubles/legacy.c). */
#ifndef LEGACY_SYNC_HAND_OVER_WIRE_H
#define LEGACY_SYNC_HAND_OVER_WIRE_H

#include "chassis/arena.h"
#include "legacy_sync.pb-c.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_state.h"

#define REFERENCE_MAX 128

/* What came of one try. */
struct delivery {
    enum hand_over_cause cause; /* TAKEN, NOT_NOW or REFUSED */
    char reference[REFERENCE_MAX + 1];
    enum fault_code reason; /* of NOT_NOW and REFUSED */
};

/* Give the entry to the system, under the hand-over's id as idempotency key. sealed_number NULL: it gets none. What may
 * be a number in the open is refused here (FAULT_number_not_allowed) before anything is sent. */
void hand_over_send(struct arena *arena, const struct existing_system *system, const char *hand_over,
    const LegacySync__HandOverRequest *entry, const char *sealed_number, struct delivery *delivery);

struct copy {
    int64_t number; /* in the system's list */
    const char *copy, *pseudonym;
    const char *fields; /* JSON text */
};

/* The copies after `after`, at most `max`, in the arena. False: no answer (fault), or not in the agreed form
 * (malformed). */
MUST_USE bool copies_read(struct arena *arena, const struct existing_system *system, int64_t after, struct copy *copies,
    size_t max, size_t *count, struct fault *fault);

#endif
