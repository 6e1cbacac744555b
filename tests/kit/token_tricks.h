/* Tokens of a person that must be taken nowhere, made from one that is good: forged, stretched, or dressed up as
 * something that other systems take (`alg` tricks of RFC 8725). Made without the services' code. */
#ifndef KIT_TOKEN_TRICKS_H
#define KIT_TOKEN_TRICKS_H

#include <stddef.h>
#include <stdint.h>

#define TOKEN_TRICKS_MAX 64

struct token_trick {
    const char *name; /* static */
    char *token;
};

struct token_tricks {
    struct token_trick all[TOKEN_TRICKS_MAX];
    size_t count;
};

/* `good`: base64url(staff.Actor) "." base64url(signature); `public_key`: staff's, Ed25519, which everybody can know.
 * Aborts when a trick cannot be made. token_tricks_free afterwards. */
void token_tricks_make(struct token_tricks *tricks, const char *good, const uint8_t public_key[32]);
void token_tricks_free(struct token_tricks *tricks);

#endif
