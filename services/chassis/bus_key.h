/* A service's static key on the bus (X25519). Its secret lies wrapped in KEYS/SERVICE/bus.wrapped, because a service
 * needs it before it has a database and portal has none; the public half lies in KEYS/peers/SERVICE.pub for everyone to
 * read. */
#ifndef CHASSIS_BUS_KEY_H
#define CHASSIS_BUS_KEY_H

#include "chassis/token.h"

/* Make the key unless it is there, and write the public half if that is missing. */
MUST_USE bool bus_key_make(struct token *token, const char *keys, const char *service);

/* Wrap it under the newest wrapping key of the token. */
MUST_USE bool bus_key_rewrap(struct token *token, const char *keys, const char *service);

/* The wrapped form. False when there is none: `deploy/keys` was not run. */
MUST_USE bool bus_key_read(const char *keys, const char *service, uint8_t wrapped[TOKEN_WRAPPED_BYTES]);

#endif
