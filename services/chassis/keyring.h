/* Keys of a service in locked memory. All are 32 random bytes: an AES-256 data key (`data`), an index key (`index`), or
 * the secret of an asymmetric key (`issue`: P-256 scalar of a manager's certificates; `seal`: P-256 scalar that opens
 * what is sealed to the service; `sign`: Ed25519 seed; `bus`: X25519). They lie wrapped in SCHEMA.data_key, under a
 * wrapping key per manager in the service's PKCS#11 token, and are unwrapped by a helper process (services/keyhelper),
 * the only one that ever logs in to the token. manager "*" is the service itself (inbox, outbox, its own asymmetric
 * keys). Keys are replaced while the service runs (rotation.h): what each is for just now is read anew as a whole, so
 * that no thread ever sees half a change. */
#ifndef CHASSIS_KEYRING_H
#define CHASSIS_KEYRING_H

#include "chassis/fault.h"
#include "chassis/pg.h"

#include <stdint.h>

#define KEY_BYTES 32

enum key_kind { KEY_DATA, KEY_INDEX, KEY_ISSUE, KEY_SEAL, KEY_SIGN, KEY_BUS };

/* What a key is for, as data_key.state says; see migrations/chassis/rotation.sql. */
enum key_state { KEY_COMING, KEY_CARRIED, KEY_FOUND, KEY_IN_FORCE, KEY_LEAVING, KEY_RETIRED };

struct key_want {
    const char *manager;
    enum key_kind kind;
};

struct key {
    uint32_t id; /* data_key.key_id; 0 for the bus key, which lies in a file */
    char manager[32];
    enum key_kind kind;
    uint8_t secret[KEY_BYTES];
};

/* keyring_open does it too; before, so that a wrong one ends the start, and to tell of them. */
MUST_USE bool keyring_settings_read(void);

/* Unwrap every key of `service` and make those of `wants` that do not exist yet (several replicas may do so at once:
 * one wins). Not those of a manager that ended (its rows are there, empty or with no wrapping key in the token, e.g.
 * after a restore): it is told in the journal (manager_ended) and stays without, unless SHIKAKU_MANAGERS_ANEW names it.
 * pg may be NULL for a service without a schema (portal): then only the bus key is had. Called once, before threads
 * and before any filter of system calls. */
MUST_USE bool keyring_open(
    const char *service, struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault);
void keyring_close(void); /* wipes */

/* Read the keys anew: new ones are unwrapped, retired ones wiped. One thread only, outside of transactions. */
MUST_USE bool keyring_reload(struct pg *pg, struct fault *fault);
/* What data_key was at when it was read last (key_state.generation). */
int64_t keyring_generation(void);

/* The key in force; NULL if there is none. Borrowed, valid until keyring_close. */
const struct key *keyring_newest(const char *manager, enum key_kind kind);
/* The key that is coming to take its place, or has just left it; NULL in quiet times. To be published beside it, so
 * that what either signs is believed. */
const struct key *keyring_beside(const char *manager, enum key_kind kind);
/* A key by its id, as stored in a row; NULL when unknown or retired. */
const struct key *keyring_by_id(uint32_t id);

/* The index keys of a manager just now. In quiet times `other` is NULL. While they are replaced a row carries two
 * tokens, both UNIQUE: under `token` and, unless that is NULL, under `next`; and it is looked up under `token` and,
 * unless that is NULL, under `other`. */
struct key_index {
    const struct key *token, *next, *other;
};
MUST_USE bool keyring_index(const char *manager, struct key_index *index); /* false: the manager has no key */

/* The end of a manager (ERASE-2): wipe its keys from this process. Who uses one at that instant reads or writes nothing
 * that could be read again. */
void keyring_forget(const char *manager);

const char *key_kind_text(enum key_kind kind); /* "data", "index", "issue", "seal", "sign", "bus" */

/* Public halves; out sizes 32, 65 (uncompressed point) bytes. */
MUST_USE bool key_x25519_public(const struct key *key, uint8_t out[32]);
MUST_USE bool key_p256_public(const struct key *key, uint8_t out[65]);
MUST_USE bool key_ed25519_public(const struct key *key, uint8_t out[32]);

/* Sign with a key of kind `sign` (Ed25519). */
MUST_USE bool key_sign(const struct key *key, const void *data, size_t len, uint8_t signature[64]);
MUST_USE bool key_signature_check(
    const uint8_t public_key[32], const void *data, size_t len, const uint8_t signature[64]);

#endif
