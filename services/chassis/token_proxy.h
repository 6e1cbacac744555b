/* The service's side of the key helper (services/keyhelper): a process of its own that alone logs in to the token. It
 * is started before threads and before any filter of system calls, and waits as long as the service runs, because keys
 * are made and replaced later too. One thread at a time. */
#ifndef CHASSIS_TOKEN_PROXY_H
#define CHASSIS_TOKEN_PROXY_H

#include "chassis/key_request.h"
#include "chassis/keyring.h"

MUST_USE bool token_proxy_start(const char *service);
void token_proxy_stop(void);

/* Fill a request; false when the manager's name is none. */
MUST_USE bool key_request_fill(
    struct key_request *request, enum key_request_kind what, const void *manager, size_t len, enum key_kind kind);

/* Ask and wait, 20 s at most. TOKEN_FAILED also when the helper is gone. The caller wipes the reply. */
MUST_USE enum token_result token_proxy_ask(const struct key_request *request, struct key_reply *reply);

/* Let it log out, so that others can use the token. Call when no more requests follow at once. */
void token_proxy_rest(void);

#endif
