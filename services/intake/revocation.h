/* Which 署名用電子証明書 are revoked (失効): the current CRL of every pinned root, fetched by a thread of its own from
 * URL/ROOT.crl (ROOT: the name of the root's file) and read by any thread.
 *
 * A list counts while its root's key signed it, it is a full list (no critical extension), thisUpdate is past and
 * nextUpdate is not. A root without such a list is unavailable, which is never "valid" (domain.md 2.3). A list older
 * than the one that is held is not taken: who can serve an old list must not be able to bring a revoked certificate
 * back. */
#ifndef INTAKE_REVOCATION_H
#define INTAKE_REVOCATION_H

#include <stdint.h>
#include <time.h>
#include "intake/trust_roots.h"

#define REVOCATION_CRL_BYTES (8u << 20) /* 200,000 revoked certificates of 40 bytes */

enum revocation_answer {
    REVOCATION_GOOD,
    REVOCATION_REVOKED,
    REVOCATION_UNAVAILABLE,
};

struct revocation;

/* roots is borrowed and must live longer. Fetches nothing yet. NULL: no memory. */
struct revocation *revocation_new(const struct trust_roots *roots);

/* Start the thread that fetches from url ("http://127.0.0.1:8430/crl", kept by the caller; no slash at the end) at
 * once, then every `seconds`, and every second while a root has no list that counts. */
MUST_USE bool revocation_start(struct revocation *revocation, const char *url, const char *ca_file, int64_t seconds);
/* Ends the thread if it was started; waits for at most one fetch. No reader may be left. NULL is nothing. */
void revocation_free(struct revocation *revocation);

/* Take a list in DER for one of the roots, as the thread does with what it fetched. False if it does not count, is
 * older than the held one, or is for none of the roots; the held one then stays. */
MUST_USE bool revocation_take(struct revocation *revocation, const uint8_t *der, size_t size, time_t now);

/* Of a certificate that this root issued. */
enum revocation_answer revocation_find(
    struct revocation *revocation, const struct trust_root *root, X509 *certificate, time_t now);

/* Has every root a list that counts? For /readyz. */
bool revocation_is_available(struct revocation *revocation, time_t now);

#endif
