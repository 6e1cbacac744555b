/* A service's keys as its schema has them (migrations/chassis/rotation.sql), read and asked for as the service's role.
 */
#ifndef SHIKAKUCTL_KEYS_STORE_H
#define SHIKAKUCTL_KEYS_STORE_H

#include "chassis/pg.h"

/* For one service at a time; false for a name that is none of a schema. */
MUST_USE bool keys_store_open(const char *service);

/* Ask for the replacement of a key: of `manager`, or of all that have one of this kind where it is NULL. `asked`: of
 * how many; those that are being replaced already are not counted. */
MUST_USE bool rotation_ask(struct pg *pg, const char *kind, const char *manager, int64_t *asked, struct fault *fault);

/* manager, kind, key_id, state, made on, retired on ("" if not), oldest first. The caller's, PQclear it. */
MUST_USE PGresult *keys_list(struct pg *pg, struct fault *fault);
/* manager, kind, phase, rows_done, rows_total, started at, of those that are not done, or were refused today. The
 * caller's, PQclear it. */
MUST_USE PGresult *rotations_list(struct pg *pg, struct fault *fault);

#endif
