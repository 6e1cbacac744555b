#ifndef STAFF_MESSAGES_H
#define STAFF_MESSAGES_H

#include "chassis/work.h"

extern const struct message staff_messages[];
extern const size_t staff_message_count;

#endif
