/* An applicant (申請者): a synthetic person with a key, a certificate and a card. */
#ifndef KIT_APPLICANT_H
#define KIT_APPLICANT_H

#include "kit/authorities.h"
#include "kit/card.h"
#include "kit/certificate.h"
#include "kit/people.h"

struct kit_applicant {
    struct kit_person person;
    EVP_PKEY *key; /* borrowed from the authorities' pool */
    X509 *certificate;
    uint8_t signer[32];  /* SHA-256 of the certificate */
    char signer_hex[65]; /* the same, lower case */
    struct kit_card card;
};

/* Make the person of (seed, index) an applicant, with a certificate of this authority (authorities->jpki for a right
 * one) that has these flaws of enum kit_leaf_flaw. Each call issues a new certificate. Costs two RSA signatures. False:
 * no memory. */
MUST_USE bool kit_applicant_init(struct kit_applicant *applicant, const struct kit_authorities *authorities,
    const struct kit_authority *authority, uint64_t seed, uint32_t index, unsigned flaws);
void kit_applicant_fini(struct kit_applicant *applicant);

/* CMS SignedData over content: DER, attached, one signer, signed attributes. Two calls with different signed_at (0:
 * now) wrap the same content anew. Malloc'ed, the caller's; NULL: no memory. */
uint8_t *kit_applicant_sign(
    const struct kit_applicant *applicant, const void *content, size_t content_size, time_t signed_at, size_t *size);

#endif
