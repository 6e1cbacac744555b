/* The messages that intake understands (proto/intake.proto). */
#ifndef INTAKE_APPLICATION_MESSAGES_H
#define INTAKE_APPLICATION_MESSAGES_H

#include "chassis/work.h"

#define APPLICATION_MESSAGES 17
extern const struct message application_messages[APPLICATION_MESSAGES];

#endif
