/* A real PostgreSQL for store tests: the private cluster of deploy/cluster under build/…/store, started on first use
 * and shared by all test programs, and in it an empty database of the caller's own, migrated, dropped at the end. */
#ifndef KIT_STORE_H
#define KIT_STORE_H

#include "chassis/fault.h"

struct store {
    char name[64]; /* of the database */
    char service[32];
    char dsn[640];   /* libpq connection string of the service's role */
    char owner[640]; /* of shikaku_owner, who may do what an administrator may: for tests of tampering */
};

/* Start the cluster if need be and make a database with the schema of `service` (NULL: of every service that has
 * migrations, for tests across schemas; dsn is then the owner's). Exits the program with a message on failure: there is
 * no test without a store. Sets SHIKAKU_VAR and the settings that follow from it (SHIKAKU_RUN, SHIKAKU_KEYS,
 * SHIKAKU_DSN, SHIKAKU_BIN …) in the environment. Must be called before threads are started, from the root of the
 * checkout. */
void store_open(struct store *store, const char *service);

/* The connection string of another service's role in the same database. */
void store_dsn(const struct store *store, const char *service, char *dsn, size_t size);

/* Drop the database. Close your connections first; those that are left are ended. */
void store_close(struct store *store);

#endif
