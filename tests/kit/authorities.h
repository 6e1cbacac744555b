/* All authorities and keys of the synthetic world, in one folder as PEM:
 *
 *   jpki-root        認証局 of the 署名用電子証明書
 *   other-root       an authority that nobody pinned; it bears the same name as jpki-root, as a forger's would
 *   card-root, card-sign   the root that the vault pins, and the key that signs cards (EF 0003) with its certificate
 *                    (EF 0004)
 *   client-root, mynaportal-client, terminal-client, stranger-client   TLS client certificates: of Mynaportal, of the
 *                    listed counter terminal, and of a terminal that nobody listed
 *   mynaportal-assertion   the key by which Mynaportal signs assertions of the portal pseudonym (P-256)
 *   applicants       RSA keys that applicants share: making one takes longer than a hundred applications
 *   jpki-roots/, card-roots/   folders with jpki-root.pem and card-root.pem alone, for intake and vault to pin
 *
 * NAME.pem is a certificate, NAME.key a private key (0600), mynaportal-assertion.pub a public one; applicants.key
 * holds them all. */
#ifndef KIT_AUTHORITIES_H
#define KIT_AUTHORITIES_H

#include "kit/authority.h"

#define KIT_APPLICANT_KEYS 4

struct kit_authorities {
    struct kit_authority *jpki, *other;
    EVP_PKEY *card_key;
    X509 *card_root, *card_certificate;
    uint8_t *card_der; /* of card_certificate: EF 0004 */
    size_t card_der_size;
    EVP_PKEY *assertion_key;
    EVP_PKEY *applicants[KIT_APPLICANT_KEYS];
};

/* Make in this folder (0700, made if missing) what is not there yet; what is there stays. Safe when several programs do
 * it at once. False after saying why on stderr. */
MUST_USE bool kit_authorities_make(const char *folder);

/* Read the folder into memory; no file is touched afterwards. NULL after saying why on stderr. */
struct kit_authorities *kit_authorities_load(const char *folder);
void kit_authorities_free(struct kit_authorities *authorities); /* NULL is nothing */

#endif
