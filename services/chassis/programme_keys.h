/* The programmes that a service works with, and the keys that follow from them. A service's `keys` (boot.h) is one call
 * of programme_keys_want; after it programmes_in_use is there for the whole life of the process. */
#ifndef CHASSIS_PROGRAMME_KEYS_H
#define CHASSIS_PROGRAMME_KEYS_H

#include "chassis/keyring.h"
#include "chassis/programme.h"

#define KEY_SET(kind)                                                                                                  \
    (1u << (kind)) /* a set of enum key_kind, joined with |; KEY_BUS is never wanted, it lies in a file */

/* Load SHIKAKU_PROGRAMMES, once before threads. NULL when a definition cannot be read or breaks a rule: file, key and
 * rule were then written to standard error. */
const struct programmes *programmes_open(void);
const struct programmes *programmes_in_use(void); /* what programmes_open gave */

/* Open the programmes and list the keys of the kinds `own` for the service itself ("*") and of the kinds `each` for
 * every manager of a programme. The list lasts as long as the process. 0: the programmes cannot be had, or there are
 * too many managers. */
size_t programme_keys_want(unsigned own, unsigned each, const struct key_want **wants);

#endif
