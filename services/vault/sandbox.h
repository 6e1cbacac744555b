/* The walls around the vault's process, raised while it starts and before any message. After OpenSMTPD's manner of a
 * process that holds keys. As SHIKAKU_VAULT_SANDBOX says:
 *
 *   required          start with all of them, or not at all
 *   required,-WALL…   these are tried; where one cannot be had the journal says wall_missing and the vault starts
 *   off               none, which the journal says; for a developer's debugger
 *
 *   user     an account of its own: not root, its key folder closed to others, and those of other services to it
 *   memory   all memory locked, so that none reaches a swap device
 *   files    a read-only view of the file system but for its sockets (Landlock), and no program started from it
 *   calls    a filter of system calls for all threads (seccomp): those of its work and no others; no program is
 * started, no socket listens anew, no other process is looked into
 *
 * That no core is written and nobody looks into the memory is chassis/boot.h's, for every service, and not set off.
 * What may be reached by network is for the network namespace: seccomp cannot judge addresses. */
#ifndef VAULT_SANDBOX_H
#define VAULT_SANDBOX_H

#include "chassis/fault.h"

struct event_base;

/* user, memory, files: before any thread was started, for they hold for threads that come. False with fault unavailable
 * where a wall that is required cannot be had, item_invalid where the setting is none of the above. */
MUST_USE bool sandbox_prepare(struct fault *fault);

/* calls: after everything was started. */
MUST_USE bool sandbox_enter(struct event_base *base, struct fault *fault);

#endif
