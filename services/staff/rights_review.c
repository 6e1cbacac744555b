#include "staff/rights_review.h"

#include "chassis/journal.h"
#include "chassis/meters.h"
#include "staff/rights_store.h"
#include "staff/staff_setup.h"

#include <string.h>

#define DAY_MS (24 * 3600 * 1000LL)

bool rights_review_judge(Staff__RightsReview *newest, const struct rights_edition *edition, int64_t now_ms)
{
    newest->due_at_ms = 0;
    if (!newest->reviewed_at_ms)
        newest->state = "never";
    else if (newest->version != (int32_t)edition->version || strcmp(newest->sha256, edition->sha256) != 0)
        newest->state = "changed";
    else {
        newest->due_at_ms = newest->reviewed_at_ms + edition->review_days * DAY_MS;
        newest->state = newest->due_at_ms > now_ms ? "reviewed" : "overdue";
    }
    return strcmp(newest->state, "reviewed") == 0;
}

bool rights_reviews_take(struct work *work, const char *manager, int limit, Staff__RightsReply *reply)
{
    struct rights_edition edition;
    size_t first = reply->n_reviews;
    rights_edition(&edition);
    if (!rights_reviews_read(work->pg, work->arena, manager, limit, reply->reviews, &reply->n_reviews, &work->fault))
        return false;
    if (reply->n_reviews == first) {
        Staff__RightsReview *none = arena_take(work->arena, sizeof *none);
        if (!none)
            return fault_set(&work->fault, FAULT_internal, NULL);
        staff__rights_review__init(none);
        none->manager = (char *)manager;
        reply->reviews[reply->n_reviews++] = none;
    }
    rights_review_judge(reply->reviews[first], &edition, clock_ms());
    for (size_t i = first + 1; i < reply->n_reviews; i++)
        reply->reviews[i]->state = "past";
    return true;
}

bool rights_are_reviewed_for(const char *manager)
{
    return strcmp(manager, STAFF_PLATFORM) != 0;
}

static bool newest_find(struct work *work, const char *manager, Staff__RightsReply *reply)
{
    reply->n_reviews = 0;
    work_switch(work, manager);
    return rights_reviews_take(work, manager, 1, reply);
}

void rights_reviews_watch(struct work *work)
{
    static int64_t told_at_ms; /* one thread */
    Staff__RightsReview *newest;
    Staff__RightsReply reply = {.reviews = &newest};
    const char *const *managers;
    size_t count = staff_managers(&managers);
    int64_t now = clock_ms();
    bool tell = now - told_at_ms >= DAY_MS;
    if (!work_begin(work, ""))
        return;
    for (size_t i = 0; i < count; i++) {
        if (!rights_are_reviewed_for(managers[i]) || !newest_find(work, managers[i], &reply))
            continue;
        bool due = strcmp(newest->state, "reviewed") != 0;
        meter_set(METER_rights_review_overdue, managers[i], due);
        if (due && tell)
            journal(JOURNAL_WARNING, NULL, "rights_review_overdue", WORD("manager", managers[i]),
                WORD("state", newest->state));
    }
    pg_rollback(work->pg);
    if (tell)
        told_at_ms = now;
}
