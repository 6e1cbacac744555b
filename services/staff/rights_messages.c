/* The rights table: what is in force where, and its reviews (AUTH-5). */
#include "staff/rights_review.h"

#include "staff/rights_store.h"
#include "staff/staff_handlers.h"
#include "staff/staff_setup.h"

#include <string.h>

#define REASON_MAX 600
#define REVIEWS_MAX 100

static bool rights_show(struct work *work, const char *manager, Staff__RightsReply *reply)
{
    const char *const *managers = &manager;
    size_t count = *manager ? 1 : staff_managers(&managers);
    struct rights_edition edition;
    rights_edition(&edition);
    reply->version = (int32_t)edition.version;
    reply->sha256 = arena_text(work->arena, edition.sha256, strlen(edition.sha256));
    reply->review_every_days = (int32_t)edition.review_days;
    reply->reviews = arena_take(work->arena, (count + REVIEWS_MAX + 1) * sizeof *reply->reviews);
    if (!reply->sha256 || !reply->reviews)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        work_switch(work, managers[i]);
        if (rights_are_reviewed_for(managers[i]) &&
            !rights_reviews_take(work, managers[i], count == 1 ? REVIEWS_MAX : 1, reply))
            return false;
    }
    return rights_heard_read(work->pg, work->arena, reply, &work->fault);
}

static enum outcome rights_answer(struct work *work, const char *manager)
{
    Staff__RightsReply reply = STAFF__RIGHTS_REPLY__INIT;
    if (!work_begin(work, manager))
        return work_end(work);
    if (!rights_show(work, manager, &reply))
        return work_refuse(work);
    work_switch(work, manager);
    work_audit(work, &(struct touch){.reason = "rights_table", .nobody = true});
    return work_commit(work, &reply.base);
}

enum outcome rights_act(struct work *work)
{
    const Staff__RightsRequest *request = (const Staff__RightsRequest *)work->request;
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    return rights_answer(work, request->manager);
}

enum outcome rights_status_act(struct work *work)
{
    return rights_answer(work, ((const Staff__RightsStatusRequest *)work->request)->manager);
}

bool rights_review_check(const ProtobufCMessage *message, struct fault *fault)
{
    return staff_text_check(((const Staff__RightsReviewRequest *)message)->reason, REASON_MAX, true, "reason", fault);
}

/* Who reviewed another table than the one in force has to look again. */
enum outcome rights_review_act(struct work *work)
{
    const Staff__RightsReviewRequest *request = (const Staff__RightsReviewRequest *)work->request;
    Staff__RightsReviewReply reply = STAFF__RIGHTS_REVIEW_REPLY__INIT;
    struct rights_edition edition;
    rights_edition(&edition);
    char *reason = arena_format(work->arena, "rights_table:%u:%.16s", edition.version, edition.sha256);
    if (!is_permitted(work, request->manager))
        return work_refuse(work);
    if (request->version != (int32_t)edition.version)
        return work_refuse_with(work, FAULT_state_conflict, "version");
    if (strcmp(request->sha256, edition.sha256) != 0)
        return work_refuse_with(work, FAULT_state_conflict, "sha256");
    if (!reason)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, request->manager))
        return work_end(work);
    rights_review_put(work->pg, request, work->actor->account);
    work_audit(work, &(struct touch){.reason = reason, .nobody = true});
    return work_commit(work, &reply.base);
}
