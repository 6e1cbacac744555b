/* The managers' public issuing keys for everybody who checks certificates off line: a JWKS (RFC 7517), one P-256 key a
 * manager and generation, kid as in the certificates (hex). */
#ifndef CERTIFICATES_CERTIFICATE_PUBLISH_H
#define CERTIFICATES_CERTIFICATE_PUBLISH_H

#include "chassis/fault.h"

/* Bring FOLDER/peers/certificates.issue.jwks up to the keyring's newest keys of these managers. Keys that are in the
 * file stay: certificates outlive the keys that signed them. Faults: internal, unavailable. */
MUST_USE bool certificate_keys_publish(
    const char *folder, const char *const *managers, size_t count, struct fault *fault);

#endif
