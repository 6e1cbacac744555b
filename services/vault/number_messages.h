/* The messages that the vault understands (proto/vault.proto). */
#ifndef VAULT_NUMBER_MESSAGES_H
#define VAULT_NUMBER_MESSAGES_H

#include "chassis/work.h"

#define NUMBER_MESSAGES 17
extern const struct message number_messages[NUMBER_MESSAGES];

/* Checks that several messages share. Faults: item_missing, item_too_long; not_found for a manager of no programme,
 * which has no keys here. */
MUST_USE bool text_check(const char *text, size_t max, const char *field, struct fault *fault);
MUST_USE bool manager_check(const char *manager, struct fault *fault);

#endif
