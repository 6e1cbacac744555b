/* Which of our own seal keys a JWE is to be opened with: the one that its header names (`kid`: the key's id, also
 * behind a word and a hyphen, as published). While a key is being replaced two are accepted (rotation.h). */
#ifndef CHASSIS_SEAL_KEY_H
#define CHASSIS_SEAL_KEY_H

#include "chassis/keyring.h"

/* NULL with a fault: key_retired where the key named is not accepted any more or never was ours; malformed where the
 * text is no JWE that we read (jwe.h) or names no key of our form. A header without `kid` means the key in force. */
MUST_USE const struct key *seal_key_of(const char *sealed, const char *manager, struct fault *fault);

#endif
