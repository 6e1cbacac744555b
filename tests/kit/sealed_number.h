/* Sealing a 個人番号 for the vault, as Mynaportal or the counter terminal's browser does: JWE compact, ECDH-ES with
 * P-256, A256GCM; the protected header binds it to application, manager and signer. */
#ifndef KIT_SEALED_NUMBER_H
#define KIT_SEALED_NUMBER_H

#include "kit/card.h"

struct kit_sealer;

/* From the vault's JSON Web Key Set (/.well-known/vault-keys): its first P-256 key. NULL if there is none. May be used
 * by one thread at a time. */
struct kit_sealer *kit_sealer_new(const char *jwks);
/* A key of its own, for tests: nobody else can open what is sealed to it. */
struct kit_sealer *kit_sealer_random(const char *kid);
void kit_sealer_free(struct kit_sealer *sealer); /* NULL is nothing */

/* To whom the sealed number is bound. */
struct kit_binding {
    const char *application, *manager;
    const char *signer; /* hex SHA-256 of the signer's certificate, or of the terminal's for a paper application */
};

/* Compact text: malloc'ed, the caller's; NULL: no memory. */
char *kit_seal_card(const struct kit_sealer *sealer, const struct kit_binding *binding, const struct kit_card *card);
/* Any plaintext, e.g. a batch of numbers. */
char *kit_seal_text(const struct kit_sealer *sealer, const struct kit_binding *binding, const char *plain);
char *kit_seal_paper(const struct kit_sealer *sealer, const struct kit_binding *binding, const char *number);

/* The plaintext, for tests, with a sealer that has the private key: malloc'ed with a NUL behind; NULL if it cannot be
 * opened. */
char *kit_sealed_open(const struct kit_sealer *sealer, const char *sealed);
/* The public key set of a sealer: malloc'ed. */
char *kit_sealer_jwks(const struct kit_sealer *sealer);

#endif
