/* Where an application stands. One table says which step may follow which and why; a move that is not in it is a loud
 * failure. The only setter in the database is application_move (application_store.h). */
#ifndef INTAKE_APPLICATION_STATE_H
#define INTAKE_APPLICATION_STATE_H

#include "chassis/programme.h"

enum application_state {
#define STATE(name, japanese, waits_for) STATE_##name,
#include "intake/application_state.def"
#undef STATE
    STATES
};

const char *state_name(enum application_state state);
const char *state_japanese(enum application_state state);
const char *state_waits_for(enum application_state state);
bool state_find(const char *name, enum application_state *state);

/* May an application go from one to the other? */
bool state_may_follow(enum application_state from, enum application_state to);

/* Does an application that came by this channel have a number? On paper a programme may take none (NUM-9). */
bool state_numbered(const struct programme *programme, const char *channel);

/* The first state of a new application of this programme, and the one that follows when `state` is done well. Only
 * states of the main way, residence to notifying, have one. Without a number an operator asks for the person by the
 * four items, and the family register, which is asked for by the number alone, is not asked: the document shows it. */
enum application_state state_first(const struct programme *programme, bool numbered);
enum application_state state_next(const struct programme *programme, bool numbered, enum application_state state);

/* The diagram, as Mermaid text, for README and test. */
void state_diagram_print(void);

#endif
