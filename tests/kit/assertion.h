/* Mynaportal's assertion of a portal pseudonym (マイナポータル仮名ID): compact JWS, ES256, header Shikaku-Assertion.
 * Good for one use and five minutes; `ath` binds it to one request body. */
#ifndef KIT_ASSERTION_H
#define KIT_ASSERTION_H

#include <stddef.h>
#include <time.h>
#include <openssl/evp.h>

/* Zero or NULL takes what is usual, so that {.pseudonym = …} is a right assertion. */
struct kit_assertion {
    const char *pseudonym;
    const char *issuer;     /* "mynaportal" */
    const char *audience;   /* "shikaku" */
    const char *id;         /* jti; 128 random bits */
    time_t issued, expires; /* now, issued + 300 */
    const void *body;       /* whose SHA-256 is `ath`; NULL: no ath */
    size_t body_size;
};

/* Malloc'ed, the caller's; NULL: no memory. The key is P-256. */
char *kit_assertion_make(EVP_PKEY *key, const struct kit_assertion *assertion);

#endif
