/* What guessers try first. */
#ifndef PASSWORD_GUESS_H
#define PASSWORD_GUESS_H

#include "chassis/fault.h"

/* Once, before threads. Words of a-z, one a line; lines with # are for people. Faults: unavailable, malformed. */
MUST_USE bool guesses_open(const char *file, struct fault *fault);
bool password_is_guess(const char *password, const char *account);

#endif
