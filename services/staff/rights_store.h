/* The rights table (deploy/rights) as staff keeps it: when it was reviewed, and what is in force where. */
#ifndef STAFF_RIGHTS_STORE_H
#define STAFF_RIGHTS_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "staff.pb-c.h"

/* In the open transaction. */
void rights_review_put(struct pg *pg, const Staff__RightsReviewRequest *review, const char *by);

/* In the open transaction: the newest reviews of a manager, newest first, at most `limit`, added to `reviews`, which
 * has room; state and due_at_ms are not filled. False with a fault. */
MUST_USE bool rights_reviews_read(struct pg *pg, struct arena *arena, const char *manager, int limit,
    Staff__RightsReview **reviews, size_t *count, struct fault *fault);

/* What a service says is in force there. Own transaction; writes at most once a minute for each. */
MUST_USE bool rights_hear(struct pg *pg, const char *service, int32_t version, const char *sha256, struct fault *fault);
/* In the open transaction: what services said in the last RIGHTS_HEARD_MINUTES. */
#define RIGHTS_HEARD_MINUTES 3
MUST_USE bool rights_heard_read(struct pg *pg, struct arena *arena, Staff__RightsReply *reply, struct fault *fault);

#endif
