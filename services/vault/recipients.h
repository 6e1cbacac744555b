/* To whom a number may leave: the table deploy/rights/recipients.json {recipient, caller on the bus, purpose, managers,
 * legal basis}. Read once; a release that no row allows is refused. */
#ifndef VAULT_RECIPIENTS_H
#define VAULT_RECIPIENTS_H

#include "chassis/arena.h"
#include "chassis/fault.h"

MUST_USE bool recipients_load(const char *path, struct fault *fault);

/* Fault: recipient_not_entitled. */
MUST_USE bool recipient_check(
    const char *recipient, const char *caller, const char *purpose, const char *manager, struct fault *fault);

/* Seal to the recipient's own public key, KEYS/recipients/NAME.jwk; the compact JWE in the arena. Faults: unavailable
 * while the recipient has published no key. */
MUST_USE char *recipient_seal(
    struct arena *arena, const char *recipient, const void *plain, size_t len, struct fault *fault);

#endif
