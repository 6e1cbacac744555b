/* The certificate in the address that its QR code holds: BASE?c=CODE, the form of the Digital Agency's
 * 国家資格等オンライン verification page (https://HOST/w/?c=…). CODE is base64url without padding. */
#ifndef CERTIFICATES_CERTIFICATE_URL_H
#define CERTIFICATES_CERTIFICATE_URL_H

#include <stddef.h>
#include "certificates/certificate_cose.h"

#define CERTIFICATE_BASE_MAX 160 /* https://HOST/w/ */
#define CERTIFICATE_URL_MAX (CERTIFICATE_BASE_MAX + 3 + (CERTIFICATE_BYTES_MAX * 4 + 2) / 3 + 1)

/* Base64url without padding; room for (len * 4 + 2) / 3 + 1. */
void certificate_code_print(const uint8_t *bytes, size_t len, char *code);

/* False if base is too long. */
MUST_USE bool certificate_url_print(const char *base, const uint8_t *bytes, size_t len, char url[CERTIFICATE_URL_MAX]);

/* The bytes of a code. Readers and mail programs rewrite addresses, so besides base64url it may be standard base64,
 * padded or not, with '+' turned into a space. False for any other character, a wrong length, or bits left over. */
MUST_USE bool certificate_code_parse(const char *code, uint8_t bytes[CERTIFICATE_BYTES_MAX], size_t *len);

/* The code in an address; NULL if it has none. Borrowed. */
const char *certificate_url_code(const char *url);

#endif
