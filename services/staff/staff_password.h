/* Passwords: Argon2id (RFC 9106), its cost from the settings, one computation at a time so that many logins cost time
 * and not memory. */
#ifndef STAFF_PASSWORD_H
#define STAFF_PASSWORD_H

#include "chassis/fault.h"

#define PASSWORD_ENCODED_MAX 160
#define PASSWORD_MAX 128 /* bytes */
#define PASSWORD_FIRST_SIZE 24

/* Once, before threads: reads the words that guessers try first, and makes the password of nobody, against which
 * unknown accounts are checked. Faults: unavailable or malformed with SHIKAKU_KNOWN_PASSWORDS. */
MUST_USE bool password_open(struct fault *fault);

/* Long and mixed enough, as the settings say (AUTH-2), and not what a guesser tries first: words of the list, also
 * written with digits and signs for letters, in a row or with digits and signs around them, or the account's own name.
 * Faults: password_weak, password_known, each with field password. */
MUST_USE bool password_policy_check(const char *password, const char *account, struct fault *fault);

/* False when memory is out. */
MUST_USE bool password_encode(const char *password, char encoded[PASSWORD_ENCODED_MAX]);
/* encoded NULL: there is no such account; takes as long and is false. */
MUST_USE bool password_matches(const char *password, const char *encoded);
/* A random one to hand over, which keeps the policy, and its encoding. */
MUST_USE bool password_first(char password[PASSWORD_FIRST_SIZE], char encoded[PASSWORD_ENCODED_MAX]);

#endif
