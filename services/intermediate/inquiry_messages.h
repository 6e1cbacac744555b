#ifndef INTERMEDIATE_INQUIRY_MESSAGES_H
#define INTERMEDIATE_INQUIRY_MESSAGES_H

#include "chassis/programme.h"
#include "chassis/work.h"

extern const struct message inquiry_messages[];
extern const size_t inquiry_message_count;

/* The programmes that are served; borrowed for good. Called once, before threads. */
void inquiries_serve(const struct programmes *programmes);

#endif
