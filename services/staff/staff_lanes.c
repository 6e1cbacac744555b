#include "staff/staff_lanes.h"

#include "chassis/session_watch.h"
#include "staff/account_store.h"
#include "staff/loan_store.h"
#include "staff/rights_review.h"
#include "staff/rights_store.h"
#include "staff/session_store.h"
#include "staff/staff_setup.h"

#define SWEEP_MS 30000

/* What is past its last day ends with its sessions (AUTH-6). */
static bool run_out(struct work *work, const char *manager)
{
    char **accounts;
    size_t count;
    work_switch(work, manager);
    if (!accounts_run_out(work->pg, work->arena, manager, &accounts, &count, &work->fault))
        return false;
    for (size_t i = 0; i < count; i++) {
        loans_end(work->pg, work->arena, &(struct loan_choice){.manager = manager, .account = accounts[i]}, "staff",
            "account");
        sessions_end(
            work->pg, &(struct session_choice){.manager = manager, .account = accounts[i]}, "staff", "account");
        work_audit(work, &(struct touch){.act = "staff_account_end",
                             .reason = arena_format(work->arena, "account:%s", accounts[i])});
    }
    return true;
}

/* A loan that ran out gives nothing since then; here that is noted (AUTH-8). */
static bool loans_note(struct work *work, const char *manager)
{
    char **loans;
    size_t count;
    if (!loans_run_out(work->pg, work->arena, manager, &loans, &count, &work->fault))
        return false;
    for (size_t i = 0; i < count; i++)
        work_audit(work,
            &(struct touch){
                .act = "staff_loan_end", .reason = arena_format(work->arena, "loan:%s", loans[i]), .nobody = true});
    return true;
}

static bool sweep(struct work *work)
{
    const char *const *managers;
    size_t count = staff_managers(&managers);
    if (!work_begin(work, ""))
        return false;
    ended_sweep(work->pg);
    for (size_t i = 0; i < count; i++)
        if (!run_out(work, managers[i]) || !loans_note(work, managers[i]))
            return false;
    return work_commit(work, NULL) == OUTCOME_DONE;
}

/* staff hears of ended sessions from its own table, as every other service hears from staff. */
static int sessions_turn(struct work *work, const struct lane *lane)
{
    static int64_t swept_at_ms; /* one thread */
    Staff__EndedReply reply = STAFF__ENDED_REPLY__INIT;
    struct rights_edition edition;
    int64_t asked_at_ms = clock_up_ms();
    (void)lane;
    if (!ended_read(work->pg, work->arena, session_watch_since(), &reply, &work->fault))
        return 0;
    session_watch_take(&reply, asked_at_ms);
    if (asked_at_ms - swept_at_ms >= SWEEP_MS && sweep(work)) {
        swept_at_ms = asked_at_ms;
        rights_edition(&edition);
        if (rights_hear(work->pg, "staff", (int32_t)edition.version, edition.sha256, &work->fault))
            rights_reviews_watch(work);
    }
    return reply.more;
}

const struct lane staff_lanes[] = {{LANE_SESSIONS, 1, sessions_turn, NULL, 0, 0}};
const size_t staff_lane_count = sizeof staff_lanes / sizeof *staff_lanes;
