/* The profile of the 署名用電子証明書 (domain.md 2.1): what a signer's certificate must and must not be, and the four
 * items (基本4情報) that it certifies. Says nothing about who issued it or whether it is valid. */
#ifndef INTAKE_JPKI_PROFILE_H
#define INTAKE_JPKI_PROFILE_H

#include <openssl/x509.h>
#include "chassis/person_match.h"

struct jpki_items {
    struct person person;
    bool name_substituted, address_substituted; /* some characters are 代替文字 */
};

/* Version 3, RSA-2048 with exponent 65537, issued with SHA-256; keyUsage critical and exactly digitalSignature and
 * nonRepudiation; no CA; certificatePolicies critical and exactly `policy`; no critical extension that is not known
 * here; four items in subjectAltName, each once. Fault: certificate_profile with "certificate." and what is wrong, e.g.
 * "certificate.key_usage". */
MUST_USE bool jpki_profile_check(X509 *certificate, const char *policy, struct jpki_items *items, struct fault *fault);

#endif
