/* A piece of work: one message handled, or one turn of a step thread, in straight-line C:
 *
 *   check     pure: does the request keep the rules?            (struct message.check)
 *   act       1. calls to other services, cryptography          work_call
 *             2. work_begin                                     asks the inbox
 *             3. SQL of the service's store                     pg_queue, pg_query on work->pg
 *             4. work_audit, work_outbox                        rows in the same transaction
 *             5. return work_commit(work, &reply.base)          one round trip; DONE only after the COMMIT tag, or
 *                                                               with the stored reply of the same request
 *
 * A refusal is `return work_refuse(work)` with work->fault set: whatever was begun is rolled back, and the refusal's
 * record of use is committed in a transaction of its own. No bus, HTTP or token call may stand between 2 and 5. */
#ifndef CHASSIS_WORK_H
#define CHASSIS_WORK_H

#include "chassis/actor.h"
#include "chassis/arena.h"
#include "chassis/bus.h"
#include "chassis/fault.h"
#include "chassis/pg.h"

struct work {
    struct arena *arena; /* reset after every message or turn */
    struct pg *pg;       /* NULL in a service without a schema */
    struct fault fault;
    const Bus__Envelope *envelope;   /* NULL in a step thread */
    const ProtobufCMessage *request; /* unpacked payload */
    const struct seal_peer *peer;    /* who sent it */
    const struct actor *actor;       /* NULL where the route checks no person's right */
    const char *correlation;         /* application id for logs; may be set by a step */
    struct work_state *state;        /* the chassis's own */
};

struct message {
    enum route route;
    bool (*check)(const ProtobufCMessage *request, struct fault *fault); /* NULL: nothing beyond the types */
    enum outcome (*act)(struct work *work);
};

/* Begin a transaction for `manager`, and ask the inbox whether the request was handled before; both go out with the
 * first statement, and cost no round trip of their own. False with a fault: `return work_end(work)`. A handler does not
 * see that a request is a replay: what it did is undone then, and work_commit or work_refuse answers with the stored
 * reply (DONE). So what a handler does beside SQL after work_commit must do no harm twice. A
 * step thread only begins. */
MUST_USE bool work_begin(struct work *work, const char *manager);
/* Go on for another manager in the same transaction: a lane records outcomes of several managers at once. */
void work_switch(struct work *work, const char *manager);
const char *work_manager(const struct work *work);                          /* for whom the transaction is; borrowed */
enum outcome work_commit(struct work *work, const ProtobufCMessage *reply); /* reply NULL in a step thread */
enum outcome work_end(struct work *work);
enum outcome work_refuse(struct work *work);
/* Refuse with this code and field. */
enum outcome work_refuse_with(struct work *work, enum fault_code code, const char *field);

/* What a person's request is about. */
struct affair {
    const char *manager;
    const char *programme; /* NULL: of no single one; row-level security shows those that are permitted */
    const char *body;      /* whose part it is in, "" where it is in no body's; NULL as above */
};
/* May the person behind the request use the route's right, for the purpose they name, on this? By the token and this
 * service's own rights table. Faults: not_permitted with what forbids it. A person's request commits only after it was
 * asked. Call it as soon as the affair is known; the first time before work_begin. */
MUST_USE bool work_permits(struct work *work, const struct affair *affair);
/* Take the person whose token came along, who uses `right`: dispatch does it for routes that name a right, the handler
 * where a route serves persons and others. Faults: as actor_verify and rights_permit. */
MUST_USE bool work_take_actor(struct work *work, enum right right);

/* Record a touch of a person's data, in the open transaction. */
struct touch {
    const char *act;     /* NULL: the route's name */
    const char *subject; /* pseudonym; "" where there is none yet */
    const char *reason;  /* application id or schedule */
    uint32_t count;      /* persons; 0 is taken as 1 */
    bool nobody;         /* it looked and found nobody */
    const char *name;    /* the person's, as it stands open here; compared with the actor's (likeness.h), never kept */
};
/* Where a handler of a request commits without any, the chassis records it by the request's own fields, unless
 * proto/acts.def says that the route touches nobody's data. Refusals are recorded by the chassis too. */
void work_audit(struct work *work, const struct touch *touch);

/* Put an event into the outbox, in the open transaction. `aggregate` keeps the order of events about one thing
 * (application id); `act` makes the idempotency key stable (e.g. the inquiry's id). Relayed by the chassis until
 * acknowledged. */
void work_outbox(
    struct work *work, enum route route, const char *aggregate, const char *act, const ProtobufCMessage *event);

/* Call another service with the person's token of the current request, if any. `act` is the stable name of the act from
 * which the key is derived (NULL for queries). Faults end in work->fault. */
MUST_USE bool work_call(
    struct work *work, enum route route, const char *act, const ProtobufCMessage *request, ProtobufCMessage **reply);

int64_t clock_ms(void);        /* Unix time */
void uuid_make(char text[37]); /* random, lower case */

/* Bytes <-> text. Lengths are the caller's to check; hex text is lower case with a NUL. */
void hex_put(char *text, const void *bytes, size_t len);
bool hex_take(void *bytes, size_t len, const char *text); /* exactly 2*len hex digits, else false */

#endif
