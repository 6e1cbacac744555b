/* What the vault's process may ask of the kernel once it has started: the calls of its work and no others. After
 * OpenSMTPD's manner of a process that holds keys: it starts no program, opens no listening socket, looks into no other
 * process. */
#ifndef VAULT_SANDBOX_H
#define VAULT_SANDBOX_H

#include "chassis/fault.h"

struct event_base;

/* Install the filter for all threads, as SHIKAKU_VAULT_SANDBOX says. `required`: false with fault unavailable where it
 * cannot be had, and the vault does not start. `off`: says so in the journal. After everything was started. */
MUST_USE bool sandbox_enter(struct event_base *base, struct fault *fault);

/* Is the setting's value one of the two? */
MUST_USE bool sandbox_setting_check(struct fault *fault);

#endif
