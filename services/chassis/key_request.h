/* What a service and its key helper say to each other over their socketpair (SOCK_SEQPACKET, one struct a packet). The
 * helper serves until the service closes its end. It logs in to the token at the first request, holds the token's lock
 * (token.h) until KEY_REQUEST_REST, and keeps neither PIN nor secret between requests. */
#ifndef CHASSIS_KEY_REQUEST_H
#define CHASSIS_KEY_REQUEST_H

#include "chassis/token.h"

#define KEY_HELPER_FD 3 /* the helper's end */

enum key_request_kind {
    KEY_REQUEST_UNWRAP = 1, /* the secret */
    KEY_REQUEST_GENERATE,   /* a new key: its wrapped form alone */
    KEY_REQUEST_REWRAP,     /* the same key under the newest wrapping key: its wrapped form alone */
    KEY_REQUEST_RENEW,      /* make a wrapping key numbered `version`, unless there is one */
    KEY_REQUEST_REWRAP_BUS, /* the service's key on the bus, in its file */
    KEY_REQUEST_DROP,       /* destroy the wrapping keys numbered below `version` */
    KEY_REQUEST_REST,       /* log out */
};

struct key_request {
    uint32_t what;
    uint32_t wrapped_len; /* UNWRAP and REWRAP */
    uint32_t version;     /* RENEW and DROP */
    char manager[TOKEN_MANAGER_MAX + 1];
    char kind[8];
    uint8_t wrapped[TOKEN_WRAPPED_BYTES];
};

struct key_reply {
    uint32_t result;                    /* enum token_result; anything but TOKEN_OK has nothing else */
    uint8_t secret[TOKEN_SECRET_BYTES]; /* UNWRAP */
    uint8_t wrapped[TOKEN_WRAPPED_BYTES];
};

#endif
