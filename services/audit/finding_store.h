/* Findings: cases that analyses open and a person closes (migrations/audit/deploy/findings.sql). In a transaction of
 * the manager. Functions that end in _put queue; the others wait for their answer. Texts lie in the work's arena. */
#ifndef FINDING_STORE_H
#define FINDING_STORE_H

#include "audit.pb-c.h"
#include "audit/analysis_rules.h"
#include "chassis/work.h"

/* Whose touches, and of whom: keyed tokens; 0 is nobody. */
struct finding_key {
    const char *manager;
    const struct analysis_rule *rule;
    uint64_t account, subject;
};

/* The open finding of this key, held for the transaction; "" where there is none. */
MUST_USE bool finding_open_find(struct work *work, const struct finding_key *key, char finding[37]);
/* A new one. `detail` is covered here. False when memory is out or there is no key. */
MUST_USE bool finding_put(
    struct work *work, const struct finding_key *key, const char *finding, const void *detail, size_t len);
/* These records (a PostgreSQL array of positions) are behind it. */
void finding_touches_put(struct work *work, const char *manager, const char *finding, const char *positions);
void finding_sum_put(struct work *work, const char *manager, const char *finding);

struct finding_row {
    char finding[37];
    const char *rule, *state;
    uint64_t account;
    struct bytes detail, closing; /* open; closing.data NULL while nobody closed it */
    int64_t opened_at_ms, due_at_ms, closed_at_ms, first_ms, last_ms, touches;
    bool overdue;
};

/* Newest first, after the one named ("": from the newest). What is NULL or "" does not narrow. */
struct finding_wanted {
    const char *manager, *state, *rule, *after;
    bool overdue;
    int limit;
};
MUST_USE bool findings_list(
    struct work *work, const struct finding_wanted *wanted, struct finding_row **rows, size_t *count);
/* Faults: not_found. `hold`: until the transaction ends. */
MUST_USE bool finding_read(
    struct work *work, const char *manager, const char *finding, bool hold, struct finding_row *row);
MUST_USE bool finding_close_put(
    struct work *work, const char *manager, const char *finding, const void *closing, size_t len);

/* The records behind a finding, of positions after `after`, in order, as they stand in the log; those that nobody can
 * read any more are left out. Fewer than `limit` where they are long. */
struct finding_record {
    int64_t position;
    const char *outcome;
    const Audit__Event *event;
};
MUST_USE bool finding_records_list(struct work *work, const char *manager, const char *finding, int64_t after,
    int limit, struct finding_record **records, size_t *count);
/* One record of the log; event NULL where nobody can read it. */
MUST_USE bool log_record_read(struct work *work, const char *manager, int64_t position, struct finding_record *record);

/* Open ones of a rule, and how many of them are past their day. */
MUST_USE bool findings_count(struct work *work, const char *manager, const char *rule, int64_t *open, int64_t *overdue);
/* The ids of closed ones that are older than so many months, at most 100, deleted with what is behind them. Returns how
 * many; -1 with a fault. */
MUST_USE int64_t findings_drop(struct work *work, const char *manager, int64_t months);

#endif
