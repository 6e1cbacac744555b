/* Recording what passes through a unix socket: a listener in front of the real one that hands on every byte both ways
 * and keeps a copy. What passed in one connection and one direction stays together in the record. */
#ifndef LEAKS_RELAY_H
#define LEAKS_RELAY_H

#include "chassis/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct relay;
/* Listen at `path` from now on, hand on to `behind`, append to the file `record`. NULL after saying why. */
struct relay *relay_start(const char *path, const char *behind, const char *record);
/* Close all connections, wait until what passed is in the record; frees. False if a byte was not recorded. */
MUST_USE bool relay_stop(struct relay *relay);

#endif
