/* Making the token that names a person on every route that the person triggers (chassis/actor.h reads it). */
#ifndef STAFF_TOKEN_H
#define STAFF_TOKEN_H

#include "chassis/actor.h"
#include "chassis/arena.h"
#include "chassis/cover.h"
#include "chassis/fault.h"
#include "chassis/likeness.h"
#include "staff.pb-c.h"

/* Sign with the newest KEY_SIGN key. In the arena; NULL when there is no key, memory is out, or the token is longer
 * than ACTOR_TOKEN_MAX. */
MUST_USE char *token_issue(struct arena *arena, const Staff__Actor *actor);

/* The key under which tags of names are compared: of staff's own index key. False when there is none. */
/* A person of the register, by the name as it is written there, blanks or not: a token of the register's own, by which
 * it finds the person's other accounts, or one that tells services that two accounts are one person's. */
enum person_token_kind { PERSON_REGISTER, PERSON_TOLD };
MUST_USE bool person_token(
    const char *manager, enum person_token_kind kind, const char *person, uint8_t token[INDEX_TOKEN_BYTES]);
/* The latter as text; "" where it cannot be made. */
void person_print(const char *manager, const char *person, char text[ACTOR_PERSON_MAX + 1]);

MUST_USE bool name_key_make(uint8_t key[LIKENESS_KEY_BYTES]);

/* Write the public key, in hex, to FOLDER/peers/staff.sign.pub, whole or not at all. Faults: unavailable. */
MUST_USE bool token_key_publish(const char *folder, struct fault *fault);

#endif
