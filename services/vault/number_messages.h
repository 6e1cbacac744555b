/* The messages that the vault understands (proto/vault.proto). */
#ifndef VAULT_NUMBER_MESSAGES_H
#define VAULT_NUMBER_MESSAGES_H

#include "chassis/work.h"

#define NUMBER_MESSAGES 5
extern const struct message number_messages[NUMBER_MESSAGES];

#endif
