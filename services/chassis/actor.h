/* The person behind a request: a token that staff signed with Ed25519, minutes long, verified by every service that
 * checks a person's right. Text form: base64url(staff.Actor) "." base64url(signature). */
#ifndef CHASSIS_ACTOR_H
#define CHASSIS_ACTOR_H

#include "chassis/fault.h"
#include "chassis/likeness.h"
#include "chassis/route.h"

#include <stdint.h>

#define ACTOR_TOKEN_MAX 2048

#define ACTOR_LOANS_MAX 4

/* A right that was lent for a time (AUTH-8), by id, for one purpose. */
struct loan {
    char id[40];
    enum right right;
    char purpose[32];
    char programme[32]; /* "": all that the person has otherwise */
    int64_t until_ms;
};

#define ACTOR_PERSON_MAX 32

struct actor {
    char account[64];
    char role[32];
    char manager[32];
    char terminal[65];
    char session[40];
    char body[32];           /* sees this body's part of a programme alone (ORG-1); "": all parts */
    uint32_t rights_version; /* of the table by which `rights` were given */
    unsigned rights;         /* bit per enum right */
    char programmes[256];    /* ",chorishi,hoikushi,"; "" is all of the manager's */
    int64_t expires_at_ms;
    struct loan
        loans[ACTOR_LOANS_MAX]; /* their rights are in `rights` too; rights_permit looks whether they still run */
    size_t loan_count;
    struct likeness_tags tags;         /* of the person's name */
    char person[ACTOR_PERSON_MAX + 1]; /* the same for all accounts of one person at the manager; "": not told */
};

/* Faults: not_authenticated (forged, expired, of a session that ended), revocation_unknown. The public key is read once
 * from SHIKAKU_KEYS/peers/staff.sign.pub (hex). */
MUST_USE bool actor_verify(const char *token, int64_t now_ms, struct actor *actor, struct fault *fault);
bool actor_has(const struct actor *actor, enum right right);

#endif
