/* The list of terminals. Who may do what is chassis/rights.h. */
#ifndef STAFF_RIGHTS_H
#define STAFF_RIGHTS_H

#include "chassis/fault.h"

#define TERMINAL_FINGERPRINT_LEN 64 /* lower-case hex SHA-256 of the client certificate's DER */

struct terminal {
    char kind[32];
    char manager[32]; /* "*": of every manager */
};

/* Look a terminal up in the list, which is read anew each time, so that one struck off is out at once (AUTH-3).
 * Faults: terminal_not_listed; unavailable when the list cannot be read. */
MUST_USE bool terminal_find(const char *file, const char *fingerprint, struct terminal *terminal, struct fault *fault);
bool terminal_serves(const struct terminal *terminal, const char *manager);

#endif
