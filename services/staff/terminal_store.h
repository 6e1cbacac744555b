/* The list of terminals (AUTH-3): who put one on it, where it stands, who took it off. */
#ifndef TERMINAL_STORE_H
#define TERMINAL_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "staff.pb-c.h"

#define TERMINAL_FINGERPRINT_LEN 64 /* lower-case hex SHA-256 of the client certificate's DER */

struct terminal {
    const char *manager; /* "*": of every manager */
    const char *kind, *place;
    const char *account; /* only this one may log in there; "": any */
};

bool terminal_serves(const struct terminal *terminal, const char *manager);

/* Own transactions: the terminal, if it is listed. Faults: terminal_not_listed. */
MUST_USE bool terminal_find(
    struct pg *pg, struct arena *arena, const char *fingerprint, struct terminal *terminal, struct fault *fault);
/* Own transaction: was it on the list of this manager once and taken off? */
MUST_USE bool terminal_was_ended(
    struct pg *pg, const char *manager, const char *fingerprint, bool *ended, struct fault *fault);

/* In the open transaction of the terminal's manager. A second listing makes the commit fail as a duplicate; ending one
 * that is not listed is not_found. */
void terminal_add(struct pg *pg, const char *fingerprint, const struct terminal *terminal, const char *by);
void terminal_end(struct pg *pg, const char *manager, const char *fingerprint, const char *by, const char *reason);

/* Own transaction: the manager's, ended ones too, and those of every manager. */
MUST_USE bool terminals_read(
    struct pg *pg, struct arena *arena, const char *manager, Staff__TerminalsReply *reply, struct fault *fault);

#endif
