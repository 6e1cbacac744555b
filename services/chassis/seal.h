/* The seal around every envelope, which tells who sent it: AES-256-GCM under
 *   HKDF-SHA256(X25519(own static key, peer's static key), salt = the sender's boot id, info = "shikaku
 * bus|from|to|kind") with a counter as nonce. Frame: magic 4, kind 1, sender's name length 1, name, boot id 16, counter
 * 8, ciphertext, tag 16; all before the ciphertext is associated data.
 *
 * Peers' public keys: SHIKAKU_KEYS/peers/NAME.pub, one hex key a line (two while one rotates). An agency's enrolment is
 * SHIKAKU_KEYS/peers/NAME.json {"key": hex, "manager": code, "routes": [...]}. A sender's file is looked at
 * again every second while it is heard: what an operator changes or removes takes effect without a restart. */
#ifndef CHASSIS_SEAL_H
#define CHASSIS_SEAL_H

#include "chassis/arena.h"
#include "chassis/fault.h"
#include "chassis/route.h"

enum seal_kind { SEAL_REQUEST = 'Q', SEAL_REPLY = 'R' };

struct sealer; /* one a thread */

struct seal_peer {
    char name[64];
    enum party party; /* PARTY_AGENCY for enrolled clients */
    char manager[32]; /* agencies only */
    char routes[512]; /* agencies only: " intake_submit intake_status " */
};

/* `name` is this process's own name; its secret is the keyring's KEY_BUS key. */
struct sealer *sealer_new(const char *name);
void sealer_free(struct sealer *sealer);

MUST_USE struct bytes seal_put(
    struct sealer *sealer, struct arena *arena, enum seal_kind kind, const char *to, const void *plain, size_t len);
/* Faults: malformed, peer_unknown, envelope_altered. `peer` is who sealed it. */
MUST_USE struct bytes seal_take(struct sealer *sealer, struct arena *arena, enum seal_kind kind, const void *frame,
    size_t len, struct seal_peer *peer, struct fault *fault);

#endif
