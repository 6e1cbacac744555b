/* Covering what lies in the database: AES-256-GCM under the manager's data key, bound to table, key id, manager and row
 * id, so that a row cannot be read without the key nor be put in another row's place. And index tokens: HMAC-SHA256
 * under the manager's index key, the only way in which a personal value can be searched for. */
#ifndef CHASSIS_COVER_H
#define CHASSIS_COVER_H

#include "chassis/arena.h"
#include "chassis/fault.h"
#include "chassis/keyring.h"

#define INDEX_TOKEN_BYTES 32

struct cover_place {
    const char *table;   /* "intake.application" */
    const char *manager; /* "*" for the service's own rows */
    const char *row;     /* the row's id */
};

/* Result: 4 bytes key id, 12 nonce, ciphertext, 16 tag; in the arena. data NULL on failure (no key, or memory out). */
MUST_USE struct bytes cover_put(struct arena *arena, struct cover_place place, const void *plain, size_t len);
/* data NULL when the key is gone or the bytes were altered or belong elsewhere. */
MUST_USE struct bytes cover_take(struct arena *arena, struct cover_place place, const void *covered, size_t len);

/* Why cover_take refused: key_retired where the key is unknown or destroyed, else internal. */
enum fault_code cover_refusal(const void *covered, size_t len);

/* domain keeps tokens of different fields apart: "vault.number". */
MUST_USE bool index_token(
    const char *manager, const char *domain, const void *plain, size_t len, uint8_t token[INDEX_TOKEN_BYTES]);
MUST_USE bool index_token_by(const struct key *key, const char *domain, const void *plain, size_t len,
    uint8_t token[INDEX_TOKEN_BYTES]); /* key may be NULL: false */

/* For many tokens of one field: what they are made with is derived once, which is most of the work of one. Holds a key:
 * kept no longer than a request lasts. NULL when there is no key, or memory is out. */
struct index_field;
struct index_field *index_field_new(const char *manager, const char *domain);
void index_field_free(struct index_field *field); /* wipes; NULL is let be */
MUST_USE bool index_field_token(
    struct index_field *field, const void *plain, size_t len, uint8_t token[INDEX_TOKEN_BYTES]);

#endif
