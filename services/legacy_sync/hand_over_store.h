/* The tables of legacy_sync. Queued statements show their failure at the next read or at the commit. */
#ifndef LEGACY_SYNC_HAND_OVER_STORE_H
#define LEGACY_SYNC_HAND_OVER_STORE_H

#include "chassis/pg.h"
#include "chassis/rotation.h"
#include "legacy_sync/hand_over_state.h"

/* Texts lie in the arena that was given. */
struct hand_over {
    const char *id, *manager, *programme, *application, *system, *pseudonym;
    enum hand_over_state state;
    struct bytes content; /* covered; {NULL, 0} once it was handed over */
};

struct task {
    const char *id, *manager;
    int attempt; /* from 1 */
};

/* In the manager's transaction. */
void hand_over_put(struct pg *pg, const struct hand_over *hand_over);
/* The id of an application's hand-over; NULL with fault FAULT_NONE where there is none. */
char *hand_over_of_application(
    struct pg *pg, struct arena *arena, const char *manager, const char *application, struct fault *fault);
/* Put the task's manager in force for the open transaction, then read its hand-over. False: it is not there
 * (FAULT_not_found), or a fault of the database. */
MUST_USE bool hand_over_load(
    struct pg *pg, struct arena *arena, const struct task *task, struct hand_over *hand_over, struct fault *fault);
/* Its task ends with it. A second finish of the same one fails the transaction with FAULT_state_conflict. */
void hand_over_finish(struct pg *pg, const struct hand_over *hand_over, const char *reference);
/* The state may be the same as before. It fails the transaction with FAULT_state_conflict where the hand-over is not in
 * the state that was loaded any more. */
void hand_over_postpone(
    struct pg *pg, const struct hand_over *hand_over, enum hand_over_state state, const char *reason, int64_t wait_ms);

/* Try again from the beginning: the state that HAND_OVER_AGAIN leads to, no tries counted, due at once. Does nothing to
 * one that was handed over. */
void hand_over_retry(struct pg *pg, const char *manager, const char *id);

/* Claim one task of a system that is due, for lease_ms. False with FAULT_NONE: nothing is due. */
MUST_USE bool task_lease(
    struct pg *pg, struct arena *arena, const char *system, int64_t lease_ms, struct task *task, struct fault *fault);

/* Claim a system's list of copies if it is due; `after` is the number of the last one read. */
MUST_USE bool reading_lease(struct pg *pg, const char *system, int64_t lease_ms, int64_t *after, struct fault *fault);
void reading_advance(struct pg *pg, const char *system, int64_t after, int64_t wait_ms);

/* The programme under which a person was handed over to a system; NULL with FAULT_NONE: never was. */
char *programme_of_pseudonym(struct pg *pg, struct arena *arena, const char *manager, const char *system,
    const char *pseudonym, struct fault *fault);
/* Note a copy. False with FAULT_NONE: it was noted before. */
MUST_USE bool given_back_put(struct pg *pg, const char *manager, const char *system, const char *copy,
    const char *pseudonym, bool known, struct fault *fault);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns hand_over_columns;

#endif
