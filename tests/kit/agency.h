/* An agency's own client of the bus, written from proto/ alone: nng, OpenSSL and the generated messages, nothing of the
 * services. It can also break the contract on purpose, for the tests that must see it refused. */
#ifndef KIT_AGENCY_H
#define KIT_AGENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agency;

/* A new X25519 key pair. False: no randomness. */
bool agency_key_make(uint8_t secret[32], uint8_t public_key[32]);

/* A client that calls itself `name`. `bus` is the folder of the bus's sockets, `peers` that of the services' public
 * keys. NULL: a file is missing or memory is out. */
struct agency *agency_new(const char *name, const uint8_t secret[32], const char *bus, const char *peers);
void agency_free(struct agency *agency);

enum agency_flaw {
    AGENCY_RIGHT,
    AGENCY_ALTERED,      /* a byte of the ciphertext is changed on the way */
    AGENCY_WRONG_SENDER, /* the envelope names another sender than the seal proves */
    AGENCY_EXPIRED,      /* past its deadline when it is sent */
    AGENCY_LATE_REPLAY,  /* the very bytes of the last request, once more */
};

struct agency_request {
    const char *to, *route;
    const uint8_t *key; /* 32 bytes; NULL for queries */
    const void *payload;
    size_t payload_len;
    const char *actor_token; /* NULL: none */
    int deadline_ms;         /* 0: 10000 */
    enum agency_flaw flaw;
};

struct agency_reply {
    bool answered; /* false: no answer before the deadline */
    int outcome;   /* as enum Bus__Outcome */
    char fault_code[64], fault_field[96];
    uint8_t *payload; /* owned; freed by agency_reply_fini */
    size_t payload_len;
};

void agency_call(struct agency *agency, const struct agency_request *request, struct agency_reply *reply);
void agency_reply_fini(struct agency_reply *reply);

#endif
