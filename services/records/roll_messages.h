/* What records answers to: one row a route of proto/routes.def. */
#ifndef RECORDS_ROLL_MESSAGES_H
#define RECORDS_ROLL_MESSAGES_H

#include "chassis/programme.h"
#include "chassis/work.h"

extern const struct message roll_messages[];
extern const size_t roll_message_count;

/* The definitions to serve; borrowed, to be given before the first message and kept until the last. */
void roll_serve(const struct programmes *programmes);

#endif
