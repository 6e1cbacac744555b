#ifndef AUDIT_MESSAGES_H
#define AUDIT_MESSAGES_H

#include "chassis/step.h"
#include "chassis/work.h"

extern const struct message audit_messages[];
extern const size_t audit_message_count;

/* Take over the records of use of audit itself, which cannot be sent to audit. */
int own_records_turn(struct work *work, const struct lane *lane);

#endif
