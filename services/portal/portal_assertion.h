/* Mynaportal's word on who the applicant is: compact JWS (RFC 7515), ES256 and nothing else, minutes long, for us
 * alone. Mynaportal authenticates the person by card and password (APPLY-12); a bare portal pseudonym proves nothing.
 */
#ifndef PORTAL_ASSERTION_H
#define PORTAL_ASSERTION_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <stdint.h>

#define ASSERTION_SECONDS_MAX 300
#define ASSERTION_SKEW_SECONDS 60 /* how far Mynaportal's clock may be ahead of ours */
#define ASSERTION_ID_MIN 16
#define ASSERTION_ID_MAX 64

struct assertion {
    char subject[ASSERTION_ID_MAX + 1]; /* マイナポータル仮名ID */
    char id[ASSERTION_ID_MAX + 1];      /* jti */
    int64_t expires_at;                 /* Unix seconds */
    bool names_body;                    /* `ath` was there and was right */
};

struct assertion_keys; /* one or, while one rotates, several */

/* Public keys (P-256) of a PEM file. NULL: it cannot be read or holds another kind of key. */
struct assertion_keys *assertion_keys_read(const char *file);
void assertion_keys_free(struct assertion_keys *keys); /* NULL is nothing */

/* Pure: is it right, at `now`, for this body? That it is used once is the caller's to see to. Faults:
 * assertion_required (it is no JWS at all), assertion_invalid. */
MUST_USE bool assertion_check(const struct assertion_keys *keys, struct arena *arena, const char *text,
    const void *body, size_t body_len, int64_t now, struct assertion *assertion, struct fault *fault);

#endif
