/* vault.unnumbered: pseudonyms of persons whose number was not given. Inside a transaction that the caller began for
 * the manager. */
#ifndef VAULT_UNNUMBERED_STORE_H
#define VAULT_UNNUMBERED_STORE_H

#include "chassis/work.h"
#include "vault/pseudonym.h"

/* A new pseudonym, tied to nothing. */
MUST_USE bool unnumbered_issue(struct work *work, char pseudonym[PSEUDONYM_LENGTH + 1]);

/* Is this such a pseudonym, still? Held against others until the transaction's end. */
MUST_USE bool unnumbered_hold(struct work *work, const char *pseudonym, bool *is);

/* Its number became known: queued. */
void unnumbered_end(struct work *work, const char *pseudonym);

#endif
