/* A service's PKCS#11 token: the wrapping keys that never leave it. Only the key helper uses this, never a
 * service: a software token opens and locks files at every operation, a hardware token's client opens sockets. A
 * wrapping key is an AES-256 object labelled "wrap/MANAGER" with a version as its id, sensitive and not extractable;
 * the newest wraps. Destroying all of them destroys all of the manager's rows. What is wrapped is 32 bytes, AES-GCM,
 * bound to service, manager and kind. */
#ifndef CHASSIS_TOKEN_H
#define CHASSIS_TOKEN_H

#include "chassis/fault.h"

#include <stddef.h>
#include <stdint.h>

#define TOKEN_SECRET_BYTES 32
#define TOKEN_WRAPPED_BYTES (1 + 12 + TOKEN_SECRET_BYTES + 16) /* form, nonce, ciphertext, tag */
#define TOKEN_MANAGER_MAX 31

struct token;

enum token_result {
    TOKEN_OK,
    TOKEN_GONE,   /* there is no wrapping key of this manager (any more) */
    TOKEN_FAILED, /* altered, of another place, or the token does not answer */
};

/* Make the token of `service` with a random PIN under KEYS/SERVICE, unless it is there. `module` is the PKCS#11
 * library. Only for tokens made of files; a hardware token is made with its maker's tool, and its PIN written to
 * KEYS/SERVICE/pin. */
MUST_USE bool token_make(const char *module, const char *keys, const char *service);

/* Log in with the PIN of KEYS/SERVICE/pin. One at a time for each service, across processes: the second waits. */
MUST_USE bool token_open(struct token **token, const char *module, const char *keys, const char *service);
void token_close(struct token *token);

/* 32 random bytes of the token's generator, and their wrapped form. The wrapping key is made if it is missing. */
MUST_USE enum token_result token_generate(struct token *token, const char *manager, const char *kind,
    uint8_t secret[TOKEN_SECRET_BYTES], uint8_t wrapped[TOKEN_WRAPPED_BYTES]);
MUST_USE enum token_result token_unwrap(struct token *token, const char *manager, const char *kind,
    const uint8_t *wrapped, size_t len, uint8_t secret[TOKEN_SECRET_BYTES]);

/* The same secret under the newest wrapping key. */
MUST_USE enum token_result token_rewrap(struct token *token, const char *manager, const char *kind,
    const uint8_t *wrapped, size_t len, uint8_t anew[TOKEN_WRAPPED_BYTES]);

/* Make a wrapping key of this version unless there is one as new. */
MUST_USE bool token_renew(struct token *token, const char *manager, uint32_t version);
/* Destroy those older than `version`; false, and nothing is destroyed, where there is none as new. */
MUST_USE bool token_drop(struct token *token, const char *manager, uint32_t version);

/* Destroy the wrapping keys of a manager. True also if there was none. */
MUST_USE bool token_erase(struct token *token, const char *manager);

#endif
