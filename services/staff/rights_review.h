/* Is the rights table reviewed as it has to be (AUTH-5)? */
#ifndef STAFF_RIGHTS_REVIEW_H
#define STAFF_RIGHTS_REVIEW_H

#include "chassis/rights.h"
#include "chassis/work.h"
#include "staff.pb-c.h"

/* State of the newest review against the table in force: "reviewed"; "overdue" after the table's review_every_days;
 * "changed": another table is in force than was reviewed; "never" where there is none (all fields empty). Fills in
 * state and due_at_ms (0: at once). True: nothing is due. */
bool rights_review_judge(Staff__RightsReview *newest, const struct rights_edition *edition, int64_t now_ms);

/* In the open transaction, for the manager: append its reviews to reply->reviews, which has room for `limit`, newest
 * first, the newest judged; where there is none, one that says so. */
MUST_USE bool rights_reviews_take(struct work *work, const char *manager, int limit, Staff__RightsReply *reply);
/* Operators of the platform have no roll, and no right that a review is about. */
bool rights_are_reviewed_for(const char *manager);

/* A turn of staff's lane: shows by meter and, once a day, by journal for which managers a review is due. Own
 * transaction. */
void rights_reviews_watch(struct work *work);

#endif
