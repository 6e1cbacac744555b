/* ES256 (RFC 7518 3.4) over a digest, with a P-256 key given as raw bytes, as the keyring and COSE have them. */
#ifndef CERTIFICATES_CERTIFICATE_KEY_H
#define CERTIFICATES_CERTIFICATE_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include "chassis/fault.h"

/* secret: scalar, big endian; point: its uncompressed public half; signature: r||s. */
MUST_USE bool certificate_key_sign(
    const uint8_t secret[32], const uint8_t point[65], const uint8_t digest[32], uint8_t signature[64]);
MUST_USE bool certificate_key_check(const uint8_t point[65], const uint8_t digest[32], const uint8_t signature[64]);

#endif
