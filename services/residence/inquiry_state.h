/* Where an inquiry stands. Its table says all that can happen; a test holds it against the CHECK constraint in SQL. */
#ifndef RESIDENCE_INQUIRY_STATE_H
#define RESIDENCE_INQUIRY_STATE_H

#include <stdio.h>
#include "chassis/fault.h"

enum inquiry_state {
    INQUIRY_WAITING,  /* accepted and durable; the network has not answered yet */
    INQUIRY_ANSWERED, /* the network answered, and who asked was told */
    INQUIRY_FAILED,   /* no answer to be had: a person is asked */
    INQUIRY_STATES,
};

/* The only way to change a state. False, with state_conflict, for a change that the table does not have. */
MUST_USE bool inquiry_state_set(enum inquiry_state *state, enum inquiry_state to, struct fault *fault);

const char *inquiry_state_text(enum inquiry_state state); /* "waiting"; static */
/* INQUIRY_STATES for an unknown word. */
enum inquiry_state inquiry_state_parse(const char *text);
void inquiry_state_print(FILE *out); /* the table as a Mermaid diagram */

#endif
