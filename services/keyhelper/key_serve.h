/* What the key helper does for its service: answers requests on descriptor 3 (chassis/key_request.h) until that is
 * closed. */
#ifndef KEYHELPER_KEY_SERVE_H
#define KEYHELPER_KEY_SERVE_H

#include "chassis/token.h"

/* Where the service's token is. */
struct token_place {
    const char *module, *keys, *service;
};

/* Log in unless `token` is; the journal says why not. */
MUST_USE bool token_have(struct token **token, const struct token_place *place);
void token_rest(struct token **token);

MUST_USE bool key_serve(const struct token_place *place);

#endif
