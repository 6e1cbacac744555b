/* Who asks? Nobody gets past here by saying so: a client certificate that HAProxy verified, an assertion that
 * Mynaportal signed, a token that staff signed. */
#ifndef PORTAL_GATE_H
#define PORTAL_GATE_H

#include "chassis/work.h"
#include "portal/portal_exchange.h"

/* Read Mynaportal's fingerprints and assertion keys from the folder of keys, once, before threads. Faults: unavailable
 * with the file's name. */
MUST_USE bool gate_open(const char *folder, struct fault *fault);
void gate_close(void);

/* Hold the request against its route's `who` and `right` and fill in who asks. Faults: peer_unknown,
 * assertion_required, assertion_invalid, not_authenticated, not_permitted, terminal_not_listed, revocation_unknown;
 * unavailable when no more assertions can be remembered. */
MUST_USE bool gate_pass(struct exchange *exchange, struct arena *arena, struct fault *fault);

#endif
