#include "intermediate/gateway_turn.h"

#include <string.h>

#include "chassis/keyring.h"
#include "intermediate/network.h"
#include "residence.pb-c.h"
#include "vault.pb-c.h"

static void fail(struct gateway_turn *turn)
{
    turn->failed = true;
}

/* A change that the table does not have is a mistake of ours: it shows as a failed try, with state_conflict. */
static bool set(struct work *work, struct gateway_turn *turn, enum inquiry_state to)
{
    turn->failed = !gateway_state_set(&turn->inquiry->state, to, &work->fault);
    return !turn->failed;
}

static void finish(struct work *work, struct gateway_turn *turn, enum inquiry_state to, const char *outcome)
{
    if (set(work, turn, to))
        turn->inquiry->outcome = outcome;
}

/* --- by vault and residence --------------------------------------------------------------------------------------- */

static bool number_seal(struct work *work, const struct inquiry *inquiry, const char **sealed)
{
    Vault__AcquisitionRequest request = VAULT__ACQUISITION_REQUEST__INIT;
    ProtobufCMessage *reply;
    char *act = arena_format(work->arena, "%s %s", inquiry->acquisition, inquiry->id);
    request.manager = (char *)inquiry->manager;
    request.gateway_id = (char *)inquiry->gateway_id;
    request.acquisition_number = (char *)inquiry->acquisition_number;
    request.application = (char *)inquiry->application;
    if (!act || !work_call(work, ROUTE_vault_acquisition, act, &request.base, &reply))
        return false;
    *sealed = ((const Vault__AcquisitionReply *)reply)->sealed;
    return true;
}

static bool number_pass(struct work *work, const struct inquiry *inquiry, const char *sealed)
{
    Residence__AcquireRequest request = RESIDENCE__ACQUIRE_REQUEST__INIT;
    ProtobufCMessage *reply;
    /* What the vault seals anew differs; residence tells by the acquisition's id that it is the same. */
    char *act = arena_format(work->arena, "%s %s %d", inquiry->acquisition, inquiry->id, inquiry->attempt);
    request.manager = (char *)inquiry->manager;
    request.acquisition = (char *)inquiry->acquisition;
    request.sealed = (char *)sealed;
    return act && work_call(work, ROUTE_residence_acquire, act, &request.base, &reply);
}

void gateway_acquire(struct work *work, struct gateway_turn *turn)
{
    struct inquiry *inquiry = turn->inquiry;
    const char *sealed;
    if (inquiry->code) {
        (void)set(work, turn, INQUIRY_CODE_HAD);
        return;
    }
    turn->acquisition_lost = !inquiry->acquisition_number;
    if (turn->acquisition_lost)
        return;
    if (!number_seal(work, inquiry, &sealed)) {
        if (fault_outcome(work->fault.code) == OUTCOME_REJECT)
            finish(work, turn, INQUIRY_REFUSED, "refused");
        else
            fail(turn);
        return;
    }
    if (number_pass(work, inquiry, sealed))
        (void)set(work, turn, INQUIRY_CODE_REQUESTED);
    else
        fail(turn);
}

/* --- at the network ----------------------------------------------------------------------------------------------- */

static struct network_inquiry network_form(const struct inquiry *inquiry)
{
    return (struct network_inquiry){.inquirer = inquiry->manager,
        .provider = inquiry->provider,
        .affair = inquiry->affair,
        .item = inquiry->item,
        .code = inquiry->code,
        .permit = inquiry->permit,
        .reference = inquiry->id};
}

static void code_get(struct work *work, struct gateway_turn *turn)
{
    struct inquiry *inquiry = turn->inquiry;
    if (inquiry->code) {
        (void)set(work, turn, INQUIRY_CODE_HAD);
        return;
    }
    if (!inquiry->acquisition_number) {
        (void)set(work, turn, INQUIRY_CODE_NEEDED);
        return;
    }
    switch (network_code_get(work, inquiry->manager, inquiry->acquisition_number, &inquiry->code)) {
    case NETWORK_GIVEN:
        turn->code_new = set(work, turn, INQUIRY_CODE_HAD);
        break;
    case NETWORK_NOT_YET:
        turn->not_yet = true;
        break;
    case NETWORK_NOBODY:
        finish(work, turn, INQUIRY_ANSWERED, "none");
        break;
    default:
        fail(turn);
    }
}

static void permit_get(struct work *work, struct gateway_turn *turn)
{
    struct network_inquiry form = network_form(turn->inquiry);
    switch (network_permit_get(work, &form, &turn->inquiry->permit)) {
    case NETWORK_GIVEN:
        (void)set(work, turn, INQUIRY_PERMITTED);
        break;
    case NETWORK_REFUSED:
        finish(work, turn, INQUIRY_REFUSED, "refused");
        break;
    default:
        fail(turn);
    }
}

static void inquire(struct work *work, struct gateway_turn *turn)
{
    struct inquiry *inquiry = turn->inquiry;
    struct network_inquiry form = network_form(inquiry);
    const struct key *key = keyring_newest(inquiry->manager, KEY_SEAL);
    switch (network_inquire(work, &form, key, &inquiry->processing_number)) {
    case NETWORK_GIVEN:
        inquiry->asked_at_ms = clock_ms();
        turn->not_yet = set(work, turn, INQUIRY_ASKED);
        break;
    case NETWORK_REFUSED: /* counted as a failure, so that it does not go round for ever */
        if (set(work, turn, INQUIRY_CODE_HAD))
            fail(turn);
        fault_set(&work->fault, FAULT_permit_refused, "ipn");
        break;
    default:
        fail(turn);
    }
}

static void provision_get(struct work *work, struct gateway_turn *turn)
{
    struct network_provision provision = {.domicile = ""};
    switch (network_provision_get(work, turn->inquiry->processing_number, turn->inquiry->manager, &provision)) {
    case NETWORK_GIVEN:
        finish(work, turn, INQUIRY_ANSWERED, provision.result);
        turn->domicile = provision.domicile;
        turn->provided_at_ms = provision.provided_at_ms;
        break;
    case NETWORK_NOT_YET:
        turn->not_yet = true;
        break;
    default:
        fail(turn);
    }
}

void gateway_advance(struct work *work, struct gateway_turn *turn)
{
    static void (*const steps[INQUIRY_STATES])(struct work *, struct gateway_turn *) = {
        [INQUIRY_CODE_REQUESTED] = code_get,
        [INQUIRY_CODE_HAD] = permit_get,
        [INQUIRY_PERMITTED] = inquire,
        [INQUIRY_ASKED] = provision_get,
    };
    while (!turn->failed && !turn->not_yet && steps[turn->inquiry->state])
        steps[turn->inquiry->state](work, turn);
}
