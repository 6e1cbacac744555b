/* The states of a hand-over, and the only place that says which follows which.
 *
 *   waiting        accepted; goes to the existing system as soon as it answers
 *   asking_person  refused, or tried too often: a person is asked. It is still tried, seldom, so that what was only an
 *                  outage ends by itself
 *   handed_over    taken by the existing system, once; nothing follows */
#ifndef LEGACY_SYNC_HAND_OVER_STATE_H
#define LEGACY_SYNC_HAND_OVER_STATE_H

#include "chassis/fault.h"

enum hand_over_state { HAND_OVER_WAITING, HAND_OVER_ASKING_PERSON, HAND_OVER_HANDED_OVER, HAND_OVER_STATES };

enum hand_over_cause {
    HAND_OVER_TAKEN,     /* the system took it */
    HAND_OVER_NOT_NOW,   /* no answer, or one that says later */
    HAND_OVER_TRIED_OUT, /* the same, and the set number of tries is over */
    HAND_OVER_REFUSED,   /* the system, or a rule of ours, says never */
    HAND_OVER_AGAIN,     /* a person lets it try again */
    HAND_OVER_CAUSES,
};

const char *hand_over_state_text(enum hand_over_state state); /* static; as in the database */
bool hand_over_state_find(const char *text, enum hand_over_state *state);

/* The state that follows. False where nothing may follow: a loud failure, never a guess. */
MUST_USE bool hand_over_state_next(enum hand_over_state from, enum hand_over_cause cause, enum hand_over_state *to);

/* The table as a diagram (Mermaid), a line a transition: for the README and its test. Malloc'ed, the caller's. */
char *hand_over_state_diagram(void);

#endif
