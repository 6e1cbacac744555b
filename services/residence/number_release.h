/* Getting numbers from the vault, which alone keeps them. What is got lives in the arena of this turn, which is wiped.
 */
#ifndef RESIDENCE_NUMBER_RELEASE_H
#define RESIDENCE_NUMBER_RELEASE_H

#include "chassis/keyring.h"
#include "residence/inquiry_store.h"

/* The numbers of `count` inquiries of one manager, by one release in the name of `reason` (application id, or the
 * batch's id). numbers[i] is 12 digits in the arena, or NULL where the vault knows none. `act` makes the release
 * idempotent. False with the vault's fault or that of the bus, number_unsealable, or key_retired. */
MUST_USE bool numbers_release(struct work *work, const struct inquiry *inquiries, int count, const char *reason,
    const char *act, const char **numbers);

#endif
