/* The applicant's electronic signature (電子署名) over the manifest of an application: CMS SignedData (RFC 5652) in
 * DER, attached content, one signer, RSA-2048 with PKCS#1 v1.5 and SHA-256, signed attributes, and the signer's
 * 署名用電子証明書 as the only certificate; nothing else is accepted. The certificate must be of the JPKI profile
 * (domain.md 2.1): 公的個人認証法 (平成14年法律第153号) 3条, and who verifies does so under its 17条.
 *
 * "Cryptographically right" (application_signature_verify) and "currently valid" (application_signature_check_validity)
 * are two results: the first never changes and is kept with the application, the second is asked at a time. */
#ifndef INTAKE_APPLICATION_SIGNATURE_H
#define INTAKE_APPLICATION_SIGNATURE_H

#include <stdint.h>
#include <time.h>
#include "chassis/person_match.h"
#include "intake/revocation.h"
#include "intake/trust_roots.h"

#define APPLICATION_SIGNATURE_MAX (160u * 1024) /* a manifest of 128 KiB, certificate, signature */

struct application_signature {
    uint8_t *manifest; /* the signed bytes; owned, freed by application_signature_fini */
    size_t manifest_size;
    uint8_t signer[32];    /* SHA-256 of the signer's certificate in DER */
    struct person person;  /* the four items of the certificate, as they stand in it */
    bool name_substituted; /* the certificate says that characters of the name were replaced (代替文字) */
    bool address_substituted;
    X509 *certificate;             /* owned */
    const struct trust_root *root; /* that issued it; borrowed from the roots */
};

/* Is it cryptographically right: form, signature, chain to a pinned root, profile? policy is the OID that
 * certificatePolicies must have. No side effects; safe from any thread. On true the caller must call
 * application_signature_fini. Faults: too_large, signature_invalid, certificate_untrusted, certificate_profile; the
 * field is "signature", or the item of the certificate ("certificate.name") where the profile is broken there. */
MUST_USE bool application_signature_verify(struct application_signature *signature, const struct trust_roots *roots,
    const char *policy, const void *cms, size_t size, struct fault *fault);

/* Is its certificate valid at `now` and not revoked? Faults: certificate_expired (before or after its validity period),
 * certificate_revoked, revocation_unavailable (ask again later; never take it for valid). */
MUST_USE bool application_signature_check_validity(
    const struct application_signature *signature, struct revocation *revocation, time_t now, struct fault *fault);

void application_signature_fini(struct application_signature *signature); /* safe on a zeroed one */

#endif
