/* One test authority: a self-signed root with its key, that issues certificates (certificate.h) and lists of revoked
 * ones, in the JPKI profile (domain.md 2.1) under the test environment's policy, never the real one. */
#ifndef KIT_AUTHORITY_H
#define KIT_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "chassis/fault.h"

#define KIT_POLICY_TEST "1.2.392.200149.8.5.1.0.20"
#define KIT_POLICY_REAL "1.2.392.200149.8.5.1.1.20" /* only for tests of its refusal */

struct kit_authority {
    EVP_PKEY *key;
    X509 *root;
    /* The same in every certificate, so made once: certificatePolicies, keyUsage, issuerAltName, CRL place, key id. */
    X509_EXTENSION *policy, *key_usage, *issuer_name, *crl_place, *key_id;
};

EVP_PKEY *kit_rsa_key_new(void); /* RSA-2048, e=65537; NULL: no memory */

/* A root of its own with a new key; unit is the OU of its name. NULL: no memory. */
struct kit_authority *kit_authority_new(const char *unit);
/* From what was made before; both are taken, even on failure. */
struct kit_authority *kit_authority_take(EVP_PKEY *key, X509 *root);
void kit_authority_free(struct kit_authority *authority); /* NULL is nothing */

/* Write its root as PEM. */
MUST_USE bool kit_authority_root_save(const struct kit_authority *authority, const char *file);

/* A self-signed root named C=JP, O=organisation, OU=unit, valid for ten years. NULL: no memory. */
X509 *kit_root_make(EVP_PKEY *key, const char *organisation, const char *unit);
/* A certificate for another key under that root, e.g. of the card's signer or of a TLS client. NULL: no memory. */
X509 *kit_root_certify(EVP_PKEY *root_key, X509 *root, EVP_PKEY *key, const char *common_name, bool is_client);

/* Build an extension by OpenSSL's own notation. NULL: no memory or bad notation. */
X509_EXTENSION *kit_extension(X509 *issuer, int nid, const char *value);
/* certificatePolicies with this one policy and the CPS qualifier. NULL: no memory. */
X509_EXTENSION *kit_policy_extension(const char *policy, bool critical);
/* A random serial of 64 bits and the time from which and until when the certificate is valid. */
MUST_USE bool kit_certificate_date(X509 *certificate, time_t from, time_t until);

struct kit_crl {
    const char *const *serials; /* of the revoked, hexadecimal */
    size_t count;
    time_t this_update, next_update; /* next_update 0: left out */
    long number;
    bool is_delta; /* has a deltaCRLIndicator: it is no full list */
};
/* Signed CRL as DER: malloc'ed, the caller's; NULL: a serial is no number, or no memory. */
uint8_t *kit_crl_make(const struct kit_authority *authority, const struct kit_crl *crl, size_t *size);

/* Serial in lower-case hexadecimal: malloc'ed, the caller's. */
char *kit_certificate_serial(const X509 *certificate);

#endif
