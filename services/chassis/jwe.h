/* Sealing to one recipient: JWE compact (RFC 7516), alg ECDH-ES with P-256, enc A256GCM, and nothing else: every other
 * algorithm, a compressed or a multi-part form is refused before a key is touched. Secrets met on the way are wiped
 * when they are freed; what a caller gets lies in its arena, which wipes itself. Safe from any thread. */
#ifndef CHASSIS_JWE_H
#define CHASSIS_JWE_H

#include "chassis/arena.h"
#include "chassis/fault.h"
#include "chassis/keyring.h"

#include <jansson.h>

#define JWE_TEXT_MAX (256 * 1024)

/* Seal `plain` to the P-256 public key of `public_jwk` (JSON text; its "kid", if any, goes into the protected header).
 * `header_json`: a JSON object of string members to be protected besides alg, enc, kid and epk, or NULL.
 * The compact text in the arena; NULL when the JWK or the header is no good or memory is out. */
MUST_USE char *jwe_seal(
    struct arena *arena, const char *public_jwk, const char *header_json, const void *plain, size_t len);

/* The protected header of a compact JWE, not yet proven true, e.g. to choose the key by its "kid". NULL: not of the
 * form above. The caller's, json_decref it. */
MUST_USE json_t *jwe_header_read(const char *text);

/* Open with a key whose secret is a P-256 scalar (KEY_SEAL, or a key made for one answer). `header` may be NULL; else
 * it becomes the protected header, proven true, the caller's to json_decref. `plain` lies in the arena with a NUL
 * behind it. False when it was not sealed to this key, was altered, or is not of the form above; then nothing was
 * handed out. */
MUST_USE bool jwe_open(
    struct arena *arena, const struct key *key, const char *text, json_t **header, struct bytes *plain);

/* Public JWK of such a key: {"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":kid,"x":…,"y":…}; kid NULL:
 * none. NULL when memory is out. */
MUST_USE char *jwk_public_text(struct arena *arena, const struct key *key, const char *kid);

/* Publish the public JWK of `key` as SHIKAKU_KEYS/recipients/NAME.jwk, whole or not at all (written aside, then
 * renamed). The folder is made if missing. Fault: unavailable with field "recipients". */
MUST_USE bool jwk_publish(const char *folder, const char *name, const struct key *key, struct fault *fault);

/* base64url without padding (RFC 4648 section 5). NULL / false: memory out, or not of the alphabet. */
MUST_USE char *base64url_put(struct arena *arena, const void *bytes, size_t len);
MUST_USE bool base64url_take(struct arena *arena, const char *text, size_t len, struct bytes *bytes);

#endif
