/* Getting numbers from the vault, which alone keeps them. What is got lives in the arena of this turn, which is wiped.
 */
#ifndef RESIDENCE_NUMBER_RELEASE_H
#define RESIDENCE_NUMBER_RELEASE_H

#include "chassis/keyring.h"
#include "residence/inquiry_store.h"

/* The numbers of `count` inquiries of one manager, by one release in the name of `reason` (application id, or the
 * batch's id). numbers[i] is 12 digits in the arena, or NULL where the vault knows none. `act` makes the release
 * idempotent. False with the vault's fault or that of the bus, or number_unsealable. */
MUST_USE bool numbers_release(struct work *work, const struct inquiry *inquiries, int count, const char *reason,
    const char *act, const char **numbers);

/* Our key that something sealed to us names by its kid (may be NULL); the newest where it names none of ours. */
const struct key *number_seal_key(const char *kid);

#endif
