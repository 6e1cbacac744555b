/* What a work keeps for the chassis; services do not look inside. */
#ifndef CHASSIS_WORK_STATE_H
#define CHASSIS_WORK_STATE_H

#include "chassis/boot.h"
#include "chassis/key_guard.h"
#include "chassis/rights.h"
#include "chassis/work.h"

/* The chain of this worker's records of use (design.md, Rights and records of use). */
struct record_chain {
    char instance[37];
    int worker;
    uint64_t sequence;
    uint8_t digest[32];
};

struct work_state {
    const struct service *service;
    struct bus_caller *caller;
    struct sealer *sealer; /* of the listener's side */
    struct key_guard *guard;
    struct record_chain committed, pending;
    struct seal_peer peer;
    struct actor actor;
    enum route route;
    enum right right;              /* that the person uses; RIGHT_none: nobody's right is asked for */
    char purpose[RIGHTS_NAME_MAX]; /* for which they use it */
    char loan[48];                 /* "loan:ID" by which they have it; "" where it is not lent */
    bool two_persons;              /* the right needs a second person for what was asked last */
    bool proposing;                /* and there was none: the refusal keeps a proposal */
    char approving[37];            /* the proposal that the person approves; "" */
    bool permitted;                /* work_permits said yes */
    char programme[32];            /* of what; "": of no single one */
    char body[32];                 /* in whose part that is; "": in nobody's */
    char manager[32];
    uint8_t request_sha256[32];
    struct bytes reply; /* packed payload of the answer */
    bool answered;      /* reply is valid, outcome DONE */
    bool outbox_filled, audit_filled;
    PGresult *earlier; /* what the inbox says of this request; NULL until it was heard */
};

/* The message or turn is over: no key is in use until work_reset. */
void work_rest(struct work *work);

/* Set up the chassis's part of a handler's work for one request. */
void work_take_request(
    struct work *work, enum route route, const Bus__Envelope *envelope, const ProtobufCMessage *request);

/* Note for whom a request is, as its own field `manager` says, so that a refusal before work_begin is recorded there
 * too. */
void work_take_manager(struct work *work, const ProtobufCMessage *request);

/* Records of use that the chassis makes by itself (work_record.c): of a request whose handler said nothing, and of one
 * that is refused. */
void record_what_was_not_said(struct work *work);
void record_refusal(struct work *work, enum fault_code code);
void record_refused(struct work *work, const struct touch *touch, enum fault_code code); /* in the open transaction */

/* The chassis's own lanes. */
#define LANE_OUTBOX "outbox"
#define LANE_AUDIT "audit_relay"

#endif
