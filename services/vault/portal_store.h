/* vault.portal_tie: マイナポータル仮名ID <-> 資格仮名ID, at each manager under that manager's own keys. No number is in
 * it (NUM-3). */
#ifndef VAULT_PORTAL_STORE_H
#define VAULT_PORTAL_STORE_H

#include "chassis/work.h"
#include "vault/pseudonym.h"

#define PORTAL_PSEUDONYM_MAX 64
#define TABLE_PORTAL "vault.portal_tie.pair"
#define DOMAIN_PORTAL "vault.portal"

/* Tie, in a transaction of the manager. Faults: pseudonym_unknown; state_conflict where it stands for another person at
 * this manager. */
MUST_USE bool portal_tie_make(struct work *work, const char *portal_pseudonym, const char *pseudonym, bool *known);

/* The portal pseudonym within what is covered: what the token is of. */
bool portal_tie_value(struct bytes plain, struct bytes *value);

struct portal_person {
    char manager[32];
    char pseudonym[PSEUDONYM_LENGTH + 1];
};
/* For whom it stands, at all managers: one token each. In a transaction of manager "*"; afterwards it is another's. The
 * list lies in the arena. */
MUST_USE bool portal_tie_find(
    struct work *work, const char *portal_pseudonym, struct portal_person **persons, size_t *count);

#endif
