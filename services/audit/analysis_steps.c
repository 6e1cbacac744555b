#include "audit/analysis_steps.h"

#include "audit/analysis_store.h"
#include "audit/audit_log.h"
#include "audit/finding_store.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/programme_keys.h"
#include "chassis/settings.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOUCHES_AT_ONCE 1000
#define POSITIONS_AT_ONCE 500
#define LOOK_MS (60 * 1000) /* how often a rule's time is looked at, or as often as it runs */
#define TIDY_MS (60 * 1000) /* gauges and what is too old */
#define BUSY_LOOK_MS 200
#define BUSY_RECORDS_PER_SECOND 2000
#define DAY_MS (24 * 3600 * 1000LL)

/* What the reader of a finding is told first: of its first record. */
static char *detail_print(const struct finding_record *record, bool by_person)
{
    const Audit__Event *event = record->event;
    json_t *detail = event ? json_pack("{ss ss ss ss ss}", "account", event->who, "person", event->person, "role",
                                 event->role, "subject", by_person ? event->subject : "", "reason", event->reason)
                           : json_object();
    char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
    json_decref(detail);
    return text;
}

static bool finding_open(struct work *work, const struct finding_key *key, int64_t position, char finding[37])
{
    struct finding_record record;
    if (!log_record_read(work, key->manager, position, &record))
        return false;
    uuid_make(finding);
    char *detail = detail_print(&record, key->rule->by_person);
    bool put = detail && finding_put(work, key, finding, detail, strlen(detail));
    free(detail);
    if (!put)
        return fault_set(&work->fault, FAULT_internal, "detail");
    work_audit(work, &(struct touch){.act = "finding_opened",
                         .subject = key->rule->by_person && record.event ? record.event->subject : "",
                         .reason = finding});
    return true;
}

static struct finding_key key_of(const struct analysis_rule *rule, const char *manager, const PGresult *found, int row)
{
    return (struct finding_key){manager, rule, (uint64_t)pg_get_integer(found, row, 1),
        rule->by_person ? (uint64_t)pg_get_integer(found, row, 2) : 0};
}

/* Rows [from, to) are of one key. */
static bool finding_take(struct work *work, const struct finding_key *key, const PGresult *found, int from, int to)
{
    char finding[37], positions[POSITIONS_AT_ONCE * 21 + 3];
    if (!finding_open_find(work, key, finding) ||
        (!*finding && !finding_open(work, key, pg_get_integer(found, from, 0), finding)))
        return false;
    while (from < to) {
        int used = 0, until = to - from > POSITIONS_AT_ONCE ? from + POSITIONS_AT_ONCE : to;
        for (int row = from; row < until; row++)
            used += sprintf(positions + used, "%s%" PRId64, row == from ? "{" : ",", pg_get_integer(found, row, 0));
        strcpy(positions + used, "}");
        finding_touches_put(work, key->manager, finding, positions);
        from = until;
    }
    finding_sum_put(work, key->manager, finding);
    return true;
}

static bool found_take(struct work *work, const struct analysis_rule *rule, const char *manager, const PGresult *found)
{
    int count = PQntuples(found), from = 0;
    for (int row = 1; row <= count; row++) {
        struct finding_key key = key_of(rule, manager, found, from);
        struct finding_key next = row < count ? key_of(rule, manager, found, row) : (struct finding_key){0};
        if (row < count && next.account == key.account && next.subject == key.subject)
            continue;
        if (!finding_take(work, &key, found, from, row))
            return false;
        from = row;
    }
    return true;
}

/* Touches looked at, -1 with a fault. */
static int rule_run(struct work *work, const struct analysis_rule *rule, const char *manager, int64_t until_ms)
{
    int64_t position, upto, count;
    bool due;
    if (!analysis_take(work->pg, manager, rule, &position, &due, &work->fault))
        return -1;
    if (!due)
        return 0;
    if (!analysis_end_find(work->pg, manager, position, until_ms, TOUCHES_AT_ONCE, &upto, &count, &work->fault))
        return -1;
    PGresult *found = count ? analysis_run(work->pg, manager, rule, position, upto, &work->fault) : NULL;
    bool taken = !count || (found && found_take(work, rule, manager, found));
    PQclear(found);
    analysis_put(work->pg, manager, rule, upto, count < TOUCHES_AT_ONCE);
    return taken ? (int)count : -1;
}

int analysis_step(struct work *work, const struct analysis_rule *rule, const char *manager, int64_t until_ms)
{
    if (!work_begin(work, manager))
        return -1;
    int count = rule_run(work, rule, manager, until_ms);
    if (count >= 0 && work_commit(work, NULL) == OUTCOME_DONE)
        return count;
    pg_rollback(work->pg);
    journal(JOURNAL_WARNING, NULL, "analysis_failed", WORD("rule", rule->name), WORD("manager", manager),
        WORD("code", fault_code_text(work->fault.code)));
    return -1;
}

/* A full piece of one rule at one manager is a turn; the next turn goes on. */
static int rules_run(struct work *work, int64_t until_ms)
{
    static int64_t look_at_ms[ANALYSIS_RULES_MAX];
    const struct analysis_rule *rules;
    const char *const *managers;
    size_t count = analysis_rules(&rules), manager_count = programmes_managers(programmes_in_use(), &managers);
    for (size_t i = 0; i < count; i++) {
        if (clock_ms() < look_at_ms[i])
            continue;
        for (size_t j = 0; j < manager_count; j++) {
            int done = analysis_rule_is_for(&rules[i], managers[j])
                           ? analysis_step(work, &rules[i], managers[j], until_ms)
                           : 0;
            if (done >= TOUCHES_AT_ONCE)
                return done;
        }
        look_at_ms[i] = clock_ms() + (rules[i].every_ms < LOOK_MS ? rules[i].every_ms : LOOK_MS);
    }
    return 0;
}

static void manager_tidy(struct work *work, const char *manager)
{
    int64_t dropped = -1;
    if (work_begin(work, manager)) {
        touches_drop_put(work->pg, manager, clock_ms() - setting_number("SHIKAKU_ANALYSIS_KEEP_DAYS") * DAY_MS);
        dropped = findings_drop(work, manager, setting_number("SHIKAKU_KEEP_FINDINGS_MONTHS"));
    }
    if (dropped > 0)
        work_audit(work, &(struct touch){.act = "findings_deleted", .count = (uint32_t)dropped});
    if (dropped < 0 || work_commit(work, NULL) != OUTCOME_DONE)
        pg_rollback(work->pg);
}

static void gauges_set(struct work *work)
{
    const struct analysis_rule *rules;
    const char *const *managers;
    size_t count = analysis_rules(&rules), manager_count = programmes_managers(programmes_in_use(), &managers);
    for (size_t i = 0; i < count; i++) {
        int64_t open = 0, overdue = 0, one_open = 0, one_overdue = 0;
        bool counted = true;
        pg_begin(work->pg, "");
        for (size_t j = 0; j < manager_count && counted; j++) {
            pg_set_manager(work->pg, managers[j]);
            counted = findings_count(work, managers[j], rules[i].name, &one_open, &one_overdue);
            open += one_open;
            overdue += one_overdue;
        }
        pg_rollback(work->pg);
        if (!counted)
            return;
        meter_set(METER_findings_open, rules[i].name, open);
        meter_set(METER_findings_overdue, rules[i].name, overdue);
    }
}

static void tidy(struct work *work)
{
    static int64_t tidy_at_ms;
    const char *const *managers;
    if (clock_ms() < tidy_at_ms)
        return;
    size_t count = programmes_managers(programmes_in_use(), &managers);
    for (size_t i = 0; i < count; i++)
        manager_tidy(work, managers[i]);
    gauges_set(work);
    tidy_at_ms = clock_ms() + TIDY_MS;
}

/* Records come first: while many come the log is not walked, which takes as much of the machine as taking them over.
 * Rules look at what was appended SHIKAKU_ANALYSIS_SETTLE_SECONDS ago, so half of that may pass without any of them
 * seeing less; then it is walked whatever comes. */
static bool records_come_first(void)
{
    static uint64_t taken_before;
    static int64_t looked_ms, resting_ms;
    static bool busy;
    int64_t now_ms = clock_ms(), passed_ms = now_ms - looked_ms;
    if (passed_ms >= BUSY_LOOK_MS) {
        uint64_t taken = log_taken();
        busy = looked_ms && (int64_t)(taken - taken_before) * 1000 / passed_ms >= BUSY_RECORDS_PER_SECOND;
        taken_before = taken;
        looked_ms = now_ms;
    }
    if (!busy || !resting_ms)
        resting_ms = now_ms;
    return busy && now_ms - resting_ms < setting_number("SHIKAKU_ANALYSIS_SETTLE_SECONDS") * 1000 / 2;
}

int analysis_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    int64_t began_ms = clock_ms();
    if (records_come_first())
        return 0;
    int walked = pg_ensure(work->pg, &work->fault) ? analysis_walk(work) : -1;
    if (walked != 0)
        return walked > 0 ? walked : 0;
    int done = rules_run(work, began_ms - setting_number("SHIKAKU_ANALYSIS_SETTLE_SECONDS") * 1000);
    if (done == 0)
        tidy(work);
    return done;
}
