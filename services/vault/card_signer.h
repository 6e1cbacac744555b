/* Who may sign cards (EF 0004): certificates under the roots that are pinned. */
#ifndef VAULT_CARD_SIGNER_H
#define VAULT_CARD_SIGNER_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <openssl/x509.h>

/* Pin the roots (*.pem) of this folder, in place of those before. False with a fault where there is none. */
MUST_USE bool card_roots_load(const char *folder, struct fault *fault);

/* The card signer's certificate in DER, if it is to be trusted now: the caller's, X509_free it. NULL if not. All cards
 * of an issuer bear the same certificate, so the last few are kept; what is kept is verified anew every minute. May be
 * called from any thread. */
X509 *card_signer_find(struct bytes der);

#endif
