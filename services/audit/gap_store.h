/* SQL of gaps in workers' chains (migrations/audit/deploy/gaps.sql). */
#ifndef GAP_STORE_H
#define GAP_STORE_H

#include "audit/audit_store.h"

struct gap {
    const char *service, *instance, *reason;
    uint32_t worker;
    uint64_t after, resume; /* what lies between is missing */
    uint8_t digest[AUDIT_LINK_BYTES];
    int64_t found_at_ms, released_at_ms; /* 0: the chain stands still */
};

/* In the open transaction. *is_new: it was not known yet. */
MUST_USE bool gap_put(struct pg *pg, const struct gap *gap, bool *is_new, struct fault *fault);
/* Where the chain stands still now, held until the transaction ends; not_found where it does not. Service, instance and
 * worker are given. */
MUST_USE bool gap_hold(struct pg *pg, struct gap *gap, struct fault *fault);
void gap_release_put(struct pg *pg, const struct gap *gap, const char *reason);
/* Those that stand still, and all that were released, the newest first, at most `limit`. Texts in the arena. */
MUST_USE bool gaps_list(
    struct pg *pg, struct arena *arena, int limit, struct gap **gaps, size_t *count, struct fault *fault);

#endif
