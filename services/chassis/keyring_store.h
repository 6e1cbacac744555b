/* SCHEMA.data_key of the service's own schema (migrations/chassis). */
#ifndef CHASSIS_KEYRING_STORE_H
#define CHASSIS_KEYRING_STORE_H

#include "chassis/pg.h"

/* Fix the schema. Once a process, before the others; false for a name that is none of a schema. */
MUST_USE bool keyring_store_open(const char *schema);

/* What the keys' states are counted by: read before the keys, it is never newer than they are. */
MUST_USE bool keyring_store_generation(struct pg *pg, int64_t *generation, struct fault *fault);

/* key_id, manager, kind, wrapped, state of every key, oldest first. The caller's, PQclear it. */
MUST_USE PGresult *keyring_store_list(struct pg *pg, struct fault *fault);

/* Add a key unless one of this manager and kind is in force already; either is true. Durable on return. */
MUST_USE bool keyring_store_add(
    struct pg *pg, const char *manager, const char *kind, const void *wrapped, size_t len, struct fault *fault);

/* Retire what is in force of this manager and kind, so that another can be added. */
MUST_USE bool keyring_store_retire(struct pg *pg, const char *manager, const char *kind, struct fault *fault);

#endif
