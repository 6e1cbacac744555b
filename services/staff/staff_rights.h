/* Who may do what, from where: deploy/rights/roles.json (権限対応表) and the list of terminals. */
#ifndef STAFF_RIGHTS_H
#define STAFF_RIGHTS_H

#include "chassis/fault.h"
#include "chassis/route.h"

#define TERMINAL_FINGERPRINT_LEN 64 /* lower-case hex SHA-256 of the client certificate's DER */

/* Read roles and kinds of terminals, once, before threads. Faults: unavailable or malformed, with the place. */
MUST_USE bool rights_open(const char *file, struct fault *fault);

bool role_exists(const char *role);

struct terminal {
    char kind[32];
    char manager[32]; /* "*": of every manager */
};

/* Look a terminal up in the list, which is read anew each time, so that one struck off is out at once (AUTH-3).
 * Faults: terminal_not_listed; unavailable when the list cannot be read. */
MUST_USE bool terminal_find(const char *file, const char *fingerprint, struct terminal *terminal, struct fault *fault);
bool terminal_serves(const struct terminal *terminal, const char *manager);

/* Rights of a role at a kind of terminal: what both give, and `session`. A set, a bit per enum right. */
unsigned rights_find(const char *role, const char *kind);

#endif
