/* The life of an inquiry after it was accepted, in two lanes, so that the network can hang without holding up the other
 * way:
 *
 *   acquire   code_needed: vault seals {取得番号, number} to residence, residence hands it to the residence network
 *   network   the network has the code (202 until then), permits, takes the inquiry, has the answer (202 until then)
 *   forget    a set time after the end the inquiry is deleted (EXCH-10); its 情報提供等記録 stays
 *
 * A turn leases at most 16 inquiries of one manager, advances each by calls as far as it goes, and records all in one
 * transaction. A kill leaves the lease to run out and the turn to be done again: the network knows an inquiry by our
 * reference, residence an acquisition by its id. Nobody waits: "not yet" is a later due_at. */
#include "intermediate/gateway_steps.h"

#include <string.h>

#include "chassis/journal.h"
#include "chassis/settings.h"
#include "intake.pb-c.h"
#include "intermediate/acquisition_number.h"
#include "intermediate/gateway_turn.h"

#define TURN_MS 5000   /* after it no further inquiry of a turn is begun */
#define BEGUN_MS 15000 /* what is begun then ends within this, and the network's time-out */
#define POLL_FIRST_MS 60
#define POLL_LAST_MS 30000
#define RETRY_LAST_MS 60000
#define GATHER_MS 40
#define HOUR_MS (60 * 60 * 1000LL)

/* As short as it can be, because what a killed turn held waits for its lease; longer than any turn that lives. */
static int64_t lease_ms;
static int64_t tries, retry_first_ms, patience_ms, keep_ms;

void gateway_steps_open(void)
{
    lease_ms = TURN_MS + BEGUN_MS + setting_number("SHIKAKU_NETWORK_TIMEOUT_MS");
    tries = setting_number("SHIKAKU_NETWORK_TRIES");
    retry_first_ms = setting_number("SHIKAKU_NETWORK_RETRY_MS");
    patience_ms = setting_number("SHIKAKU_NETWORK_PATIENCE_HOURS") * HOUR_MS;
    keep_ms = setting_number("SHIKAKU_NETWORK_KEEP_HOURS") * HOUR_MS;
}

static int64_t doubled(int64_t first, int times, int64_t last)
{
    for (int i = 0; i < times && first < last; i++)
        first *= 2;
    return first < last ? first : last;
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

static void answered_send(struct work *work, const struct gateway_turn *turn)
{
    const struct inquiry *inquiry = turn->inquiry;
    Intake__FamilyAnswered event = INTAKE__FAMILY_ANSWERED__INIT;
    event.manager = (char *)inquiry->manager;
    event.application = (char *)inquiry->application;
    event.inquiry = (char *)inquiry->id;
    event.result = (char *)inquiry->outcome;
    event.domicile = (char *)(turn->domicile ? turn->domicile : "");
    work_outbox(work, ROUTE_intake_family_answered, inquiry->application, inquiry->id, &event.base);
}

/* Whether the tries or the patience for this state are used up; counts this turn. */
static bool used_up(struct gateway_turn *turn)
{
    struct inquiry *inquiry = turn->inquiry;
    bool same = inquiry->state == turn->from;
    inquiry->failures = (same ? inquiry->failures : 0) + (turn->failed ? 1 : 0);
    inquiry->polls = (same ? inquiry->polls : 0) + (turn->not_yet ? 1 : 0);
    return inquiry->failures >= tries || (same && turn->not_yet && clock_ms() - inquiry->state_since_ms > patience_ms);
}

static void finish_record(struct work *work, const struct gateway_turn *turn)
{
    const struct inquiry *inquiry = turn->inquiry;
    bool at_network = inquiry->asked_at_ms > 0 || turn->from >= INQUIRY_CODE_HAD || turn->code_new;
    answered_send(work, turn);
    if (at_network)
        exchange_record_put(work, inquiry, turn->provided_at_ms);
    if (!inquiry->code)
        acquisition_remove_put(work, inquiry); /* of no use any more */
    work_audit(
        work, &(struct touch){
                  .act = "intermediate_answered", .subject = inquiry->gateway_id, .reason = inquiry->application});
    gateway_move_put(work, inquiry, LANE_FORGET, keep_ms);
}

static bool acquisition_make(struct work *work, const struct inquiry *inquiry)
{
    char number[ACQUISITION_NUMBER_SIZE], id[37];
    acquisition_number_make(number);
    uuid_make(id);
    bool kept = acquisition_put(work, inquiry->manager, inquiry->gateway_id, id, number);
    explicit_bzero(number, sizeof number);
    return kept;
}

static int64_t due_in(const struct gateway_turn *turn)
{
    const struct inquiry *inquiry = turn->inquiry;
    if (turn->failed)
        return doubled(retry_first_ms, inquiry->failures - 1, RETRY_LAST_MS);
    bool waits = turn->not_yet || inquiry->state == INQUIRY_CODE_REQUESTED;
    return waits ? doubled(POLL_FIRST_MS, inquiry->polls, POLL_LAST_MS) : 0;
}

static const char *lane_of(const struct inquiry *inquiry)
{
    return inquiry->state == INQUIRY_CODE_NEEDED ? LANE_ACQUIRE : LANE_NETWORK;
}

static bool turn_record(struct work *work, struct gateway_turn *turn)
{
    struct inquiry *inquiry = turn->inquiry;
    if (!gateway_state_is_final(inquiry->state) && used_up(turn)) {
        if (!gateway_state_set(&inquiry->state, INQUIRY_FAILED, &work->fault))
            return false;
        inquiry->outcome = "unavailable";
    }
    if (turn->code_new && !code_put(work, inquiry))
        return false;
    if (turn->acquisition_lost && !acquisition_make(work, inquiry))
        return false;
    if (inquiry->state != turn->from && !gateway_state_put(work, inquiry, turn->from))
        return false;
    if (gateway_state_is_final(inquiry->state))
        finish_record(work, turn);
    else {
        gateway_move_put(work, inquiry, lane_of(inquiry), due_in(turn));
        work_audit(
            work, &(struct touch){
                      .act = "intermediate_tried", .subject = inquiry->gateway_id, .reason = inquiry->application});
    }
    return true;
}

static void turns_record(struct work *work, struct gateway_turn *turns, int count, const struct lane *lane)
{
    bool recorded = work_begin(work, turns[0].inquiry->manager);
    for (int i = 0; recorded && i < count; i++)
        recorded = turn_record(work, &turns[i]);
    if (recorded ? work_commit(work, NULL) != OUTCOME_DONE : (work_refuse(work), true))
        journal(JOURNAL_WARNING, NULL, "turn_not_recorded", WORD("lane", lane->name),
            WORD("code", fault_code_text(work->fault.code)));
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

/* Waiting for the others would only cost a time-out each. What fails at once says nothing about the others: an error
 * that the network answered to one inquiry is no failed try of another. */
static bool hangs(const struct fault *fault)
{
    return fault->code == FAULT_timed_out;
}

static int inquiries_turn(struct work *work, const struct lane *lane)
{
    void (*const advance)(struct work *, struct gateway_turn *) =
        strcmp(lane->name, LANE_ACQUIRE) == 0 ? gateway_acquire : gateway_advance;
    struct inquiry leased[INQUIRY_LEASE_MAX];
    struct gateway_turn turns[INQUIRY_LEASE_MAX];
    int count = gateway_lease(work, lane->name, INQUIRY_LEASE_MAX, lease_ms, leased);
    if (count == 0)
        return 0;
    int64_t started = clock_ms();
    pg_begin(work->pg, leased[0].manager);
    bool read = gateway_inquiries_read(work, leased, count), down = false;
    pg_rollback(work->pg);
    if (!read) {
        journal(JOURNAL_ERROR, NULL, "inquiries_unreadable", WORD("lane", lane->name),
            WORD("code", fault_code_text(work->fault.code)));
        return count; /* the lease runs out, and they come again */
    }
    for (int i = 0; i < count; i++) {
        turns[i] = (struct gateway_turn){.inquiry = &leased[i], .from = leased[i].state, .failed = down};
        work->correlation = leased[i].application;
        if (down || clock_ms() - started > TURN_MS)
            continue; /* one time-out a turn is enough; a slow network gets what is left in the next turn */
        advance(work, &turns[i]);
        down = turns[i].failed && hangs(&work->fault);
        if (turns[i].failed)
            journal(JOURNAL_WARNING, work->correlation, "inquiry_failed", WORD("lane", lane->name),
                WORD("state", gateway_state_text(leased[i].state)), WORD("code", fault_code_text(work->fault.code)),
                WORD("field", work->fault.field), NUMBER("failures", leased[i].failures + 1));
    }
    turns_record(work, turns, count, lane);
    for (int i = 0; i < count; i++)
        if (!gateway_state_is_final(leased[i].state))
            step_wake_in(lane_of(&leased[i]), due_in(&turns[i]));
    return count;
}

static int forget_turn(struct work *work, const struct lane *lane)
{
    struct inquiry leased[INQUIRY_LEASE_MAX];
    int count = gateway_lease(work, lane->name, INQUIRY_LEASE_MAX, lease_ms, leased);
    if (count == 0 || !work_begin(work, leased[0].manager))
        return 0;
    for (int i = 0; i < count; i++) {
        gateway_inquiry_remove_put(work, &leased[i]);
        gateway_queue_remove_put(work, &leased[i]);
        work_audit(work, &(struct touch){.act = "intermediate_result_deleted", .reason = leased[i].id});
    }
    return work_commit(work, NULL) == OUTCOME_DONE ? count : 0;
}

const struct lane gateway_lanes[] = {
    {LANE_ACQUIRE, 2, inquiries_turn, NULL, INQUIRY_LEASE_MAX, GATHER_MS},
    {LANE_NETWORK, 2, inquiries_turn, NULL, INQUIRY_LEASE_MAX, GATHER_MS},
    {LANE_FORGET, 1, forget_turn, NULL},
};
const size_t gateway_lane_count = sizeof gateway_lanes / sizeof *gateway_lanes;
