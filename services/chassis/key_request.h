/* What a service and its key helper say to each other over their socketpair (SOCK_SEQPACKET, one struct a packet). The
 * helper serves until the service closes its end. */
#ifndef CHASSIS_KEY_REQUEST_H
#define CHASSIS_KEY_REQUEST_H

#include "chassis/token.h"

#define KEY_HELPER_FD 3 /* the helper's end */

enum key_request_kind { KEY_REQUEST_UNWRAP = 1, KEY_REQUEST_GENERATE = 2 };

struct key_request {
    uint32_t what;
    uint32_t wrapped_len; /* KEY_REQUEST_UNWRAP only */
    char manager[TOKEN_MANAGER_MAX + 1];
    char kind[8];
    uint8_t wrapped[TOKEN_WRAPPED_BYTES];
};

struct key_reply {
    uint32_t result; /* enum token_result; anything but TOKEN_OK has no secret */
    uint8_t secret[TOKEN_SECRET_BYTES];
    uint8_t wrapped[TOKEN_WRAPPED_BYTES]; /* KEY_REQUEST_GENERATE only */
};

#endif
