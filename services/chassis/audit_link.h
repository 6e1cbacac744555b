/* The links of a worker's chain of records of use while they wait in the service's own schema. Each is an HMAC-SHA256
 * under the service's own data key over the link before, the number and the event: who can write that schema but does
 * not have the key can neither make a record, nor change one, nor take one out of the middle without it being seen when
 * the relay comes by. A link tells nothing about its event. */
#ifndef CHASSIS_AUDIT_LINK_H
#define CHASSIS_AUDIT_LINK_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <stdint.h>

#define AUDIT_LINK_BYTES 32

/* `previous`: zeroes for the first of a chain. False when there is no key. */
MUST_USE bool audit_link_make(
    const uint8_t previous[AUDIT_LINK_BYTES], uint64_t sequence, struct bytes event, uint8_t link[AUDIT_LINK_BYTES]);
/* Also under an earlier key that is still in the keyring. */
MUST_USE bool audit_link_check(const uint8_t previous[AUDIT_LINK_BYTES], uint64_t sequence, struct bytes event,
    const uint8_t link[AUDIT_LINK_BYTES]);

#endif
