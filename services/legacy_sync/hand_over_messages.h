/* What other services may send to legacy_sync. */
#ifndef LEGACY_SYNC_HAND_OVER_MESSAGES_H
#define LEGACY_SYNC_HAND_OVER_MESSAGES_H

#include "chassis/work.h"

extern const struct message hand_over_messages[];
extern const size_t hand_over_message_count;

/* Exposed for tests. */
bool hand_over_check(const ProtobufCMessage *message, struct fault *fault);

#endif
