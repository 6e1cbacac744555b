/* Signing heads of the log and laying them down with the witness, a file outside the database that another user owns.
 */
#ifndef AUDIT_SIGN_H
#define AUDIT_SIGN_H

#include "chassis/merkle.h"
#include "chassis/step.h"

/* Sign at least this often, and at the latest after so many events. */
#define AUDIT_SIGN_MS 1000       /* while there are new events */
#define AUDIT_SIGN_IDLE_MS 60000 /* also when there are none: silence is a sign of its own */
#define AUDIT_SIGN_EVENTS 1000

/* Write the public key to KEYS/peers/audit.sign.pub, beside those of earlier keys, which still vouch for old heads. */
MUST_USE bool sign_key_publish(const char *keys, struct fault *fault);

/* Sign a head of what the log is now. The witness has it before the database does: what it attests is committed
 * already, and a head that only the database has would prove nothing. Two replicas may sign the same; both are true. */
MUST_USE bool head_lay_down(struct pg *pg, const struct merkle *tree);

int head_sign_turn(struct work *work, const struct lane *lane);

#endif
