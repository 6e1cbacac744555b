/* How a replica learns of a new key: a lane of its own looks at SCHEMA.key_state twice a second, reads the keys anew
 * when it counted up, and tells when all threads of the process work by them. The same lane drives replacements
 * (rotation.h). No request ever waits for it. */
#ifndef CHASSIS_KEY_WATCH_H
#define CHASSIS_KEY_WATCH_H

#include "chassis/boot.h"

#define LANE_KEYS "keys"

/* After keyring_open, before threads: from now on this replica is waited for, and refuses to commit when it was out of
 * touch. */
MUST_USE bool key_watch_open(const struct service *service, struct pg *pg, struct fault *fault);
int key_watch_turn(struct work *work, const struct lane *lane);
void key_watch_close(void); /* nobody needs to wait for this replica any more */

#endif
