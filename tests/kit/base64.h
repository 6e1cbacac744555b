/* Base64 as applicants' software writes it: standard with padding (RFC 4648 section 4) in JSON, base64url without
 * padding (section 5) in JOSE. The kit has its own, so that a mistake of the services' is not made twice. */
#ifndef KIT_BASE64_H
#define KIT_BASE64_H

#include <stddef.h>

/* Malloc'ed, NUL-terminated, the caller's; NULL when memory is out. */
char *kit_base64(const void *bytes, size_t size);
char *kit_base64url(const void *bytes, size_t size);

#endif
