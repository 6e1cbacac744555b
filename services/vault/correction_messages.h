/* Corrections that wait for a decision: the list, and what happens to one that nobody decides. */
#ifndef VAULT_CORRECTION_MESSAGES_H
#define VAULT_CORRECTION_MESSAGES_H

#include "chassis/step.h"

bool corrections_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome corrections_act(struct work *work);

/* Ends what was asked for more than SHIKAKU_CORRECTION_DAYS ago, at every manager, each with its record of use. */
int corrections_sweep(struct work *work, const struct lane *lane);

/* The same as a lane: when it is due. */
int corrections_turn(struct work *work, const struct lane *lane);

#endif
