/* What analyses know of the log (migrations/audit/deploy/findings.sql). Functions that end in _put queue into the
 * transaction that the caller began for the manager; the others wait for their answer. */
#ifndef ANALYSIS_STORE_H
#define ANALYSIS_STORE_H

#include "audit/analysis_rules.h"
#include "chassis/pg.h"

extern const struct analysis_test analysis_tests[];
extern const size_t analysis_test_count;

/* Walking. In a transaction of manager "*": how far the log was walked; *free is false when another replica walks. */
struct log_walk {
    int64_t position, appended_ms;
};
MUST_USE bool log_walk_take(struct pg *pg, struct log_walk *walk, bool *free, struct fault *fault);
void log_walk_put(struct pg *pg, const struct log_walk *walk);
/* The records behind it, in order, at most `limit`: position, appended_ms, service, instance, worker, sequence,
 * manager, act, outcome, event. The caller's, PQclear it. */
MUST_USE PGresult *log_walk_list(struct pg *pg, const struct log_walk *walk, int limit, struct fault *fault);

/* Of one record and one person; 0 stands for nobody and nothing. */
struct touch_row {
    const char *manager, *act, *outcome, *role, *programme, *purpose, *likeness;
    int64_t position, at_ms, appended_ms;
    uint64_t subject, account, terminal, reason;
    uint32_t persons;
};
void touch_put(struct pg *pg, const struct touch_row *touch);
/* A record says that the cause began or ended then. */
void cause_put(struct pg *pg, const struct touch_row *touch, bool opens);
/* What is older than `before_ms` goes; causes, when they ended before. */
void touches_drop_put(struct pg *pg, const char *manager, int64_t before_ms);

/* How far a rule is at a manager, held for the open transaction; *due is false when it ran within `every_ms`, or
 * another replica runs it. */
MUST_USE bool analysis_take(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t *position,
    bool *due, struct fault *fault);
/* Where the next touches end that were appended until then, at most `limit`; *count: how many they are. */
MUST_USE bool analysis_end_find(struct pg *pg, const char *manager, int64_t after, int64_t until_ms, int limit,
    int64_t *upto, int64_t *count, struct fault *fault);
/* What the rule finds in the touches after `after` up to `upto`: position, account, subject of the records behind it,
 * each account's together and in it each subject's. The caller's, PQclear it. */
MUST_USE PGresult *analysis_run(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t after,
    int64_t upto, struct fault *fault);
/* It is there; `ran`: nothing is left to do until it is due again. */
void analysis_put(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t position, bool ran);

#endif
