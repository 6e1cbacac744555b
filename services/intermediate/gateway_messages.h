#ifndef INTERMEDIATE_GATEWAY_MESSAGES_H
#define INTERMEDIATE_GATEWAY_MESSAGES_H

#include "chassis/programme.h"
#include "chassis/work.h"

extern const struct message gateway_messages[];
extern const size_t gateway_message_count;

/* The programmes that are served; borrowed for good. Called once, before threads. */
void gateway_serve(const struct programmes *programmes);

#endif
