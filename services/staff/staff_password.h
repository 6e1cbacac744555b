/* Passwords: Argon2id (RFC 9106), its cost from the settings, one computation at a time so that many logins cost time
 * and not memory. */
#ifndef STAFF_PASSWORD_H
#define STAFF_PASSWORD_H

#include "chassis/fault.h"

#define PASSWORD_ENCODED_MAX 160
#define PASSWORD_MAX 128 /* bytes */

/* Pure: long and mixed enough (AUTH-2)? Faults: password_weak. */
MUST_USE bool password_policy_check(const char *password, struct fault *fault);

/* Once, before threads: makes the password of nobody, against which unknown accounts are checked. */
MUST_USE bool password_open(struct fault *fault);

/* False when memory is out. */
MUST_USE bool password_encode(const char *password, char encoded[PASSWORD_ENCODED_MAX]);
/* encoded NULL: there is no such account; takes as long and is false. */
MUST_USE bool password_matches(const char *password, const char *encoded);

#endif
