/* Records whose time is over are deleted, a kind's month at a time. Their leaves stay, and a record of the deletion in
 * the log, signed by audit, counts them and has their digest: so nobody can pass off another deletion as this one, and
 * every proof goes on to hold (services/audit_verify/README.md). */
#ifndef RETENTION_H
#define RETENTION_H

#include "chassis/step.h"

/* Delete one month of `kind` that is older than `keep` months. True when there was one. */
MUST_USE bool retention_end(struct work *work, const char *kind, int64_t keep);

/* Lane: makes the months to come, and ends those that are past. */
int retention_turn(struct work *work, const struct lane *lane);

#endif
