/* Planting histories of use into the log, looking through them, and holding what was found against what was planted.
 * Included by tests/store/findings.c. */
#ifndef STORE_FINDINGS_H
#define STORE_FINDINGS_H

#include "store/house.h"

#include "audit.pb-c.h"
#include "audit/analysis_rules.h"
#include "audit/analysis_steps.h"
#include "audit/analysis_store.h"
#include "audit/audit_store.h"
#include "audit/record_cover.h"
#include "chassis/merkle.h"
#include "staff.pb-c.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR_MS (3600 * 1000LL)
#define DAY_MS (24 * HOUR_MS)
#define MONDAY_MS 1767571200000LL /* 2026-01-05 00:00 UTC, 09:00 in Japan */
#define WEEKS 12
#define PLANTED_MAX 40000
#define BATCH 500
#define KILLS 15
#define NEVER INT64_MAX

static const char *const managers[] = {"tokyo", "saitama"};
#define MANAGERS (sizeof managers / sizeof *managers)

/* A record as it is planted, and for which rules it should be found. */
struct planted {
    const char *manager, *account, *act, *outcome, *likeness, *terminal, *service;
    char subject[40], reason[40];
    int64_t at_ms;
    uint32_t persons;
    int many;          /* persons that it names; 0: `subject` */
    const char *rules; /* ",off-hours,no-cause,"; "" where nothing is wrong */
};
static struct planted planted[PLANTED_MAX];
static size_t planted_count;
static struct arena *planting;
static struct work *audit;

/* --- planting ----------------------------------------------------------------------------------------------------- */

static inline struct planted *plant(const char *manager, const char *account, const char *act, int64_t at_ms)
{
    struct planted *one = &planted[planted_count++];
    ck_assert_uint_lt(planted_count, PLANTED_MAX);
    *one = (struct planted){.manager = manager,
        .account = account,
        .act = act,
        .outcome = "done",
        .likeness = "",
        .terminal = account ? account : "", /* everybody has their own */
        .service = "intake",
        .at_ms = at_ms,
        .persons = 1,
        .rules = ""};
    return one;
}

static inline struct planted *plant_of(
    const char *manager, const char *account, const char *act, int64_t at_ms, int application)
{
    struct planted *one = plant(manager, account, act, at_ms);
    snprintf(one->subject, sizeof one->subject, "person-%d", application);
    snprintf(one->reason, sizeof one->reason, "application-%d", application);
    return one;
}

/* The whole of an application on one day, as the services record it. */
static inline void application_plant(const char *manager, const char *account, int number, int64_t at_ms)
{
    plant_of(manager, NULL, "intake_submit", at_ms, number);
    plant_of(manager, NULL, "residence_inquire", at_ms + 2000, number)->service = "residence";
    plant_of(manager, NULL, "residence_answered", at_ms + 5000, number)->service = "residence";
    plant_of(manager, account, "intake_view", at_ms + 60000, number);
    plant_of(manager, account, "intake_attachment_view", at_ms + 70000, number);
    plant_of(manager, account, "intake_decide", at_ms + 90000, number);
    plant_of(manager, NULL, "notifying", at_ms + 95000, number);
}

static inline bool is_holiday(int64_t day)
{
    return day == 7 || day == 37 || day == 49 || day == 74; /* 1/12, 2/11, 2/23, 3/20 of 2026 */
}

/* Working days of three officers a manager; who logs in at nine and works on six applications. */
static inline void normal_plant(void)
{
    static const char *const officers[MANAGERS][3] = {{"sato", "suzuki", "tanaka"}, {"mori", "abe", "ota"}};
    int number = 1;
    for (int64_t day = 0; day < WEEKS * 7; day++)
        for (size_t m = 0; day % 7 < 5 && !is_holiday(day) && m < MANAGERS; m++)
            for (int officer = 0; officer < 3; officer++) {
                int64_t nine_ms = MONDAY_MS + day * DAY_MS;
                const char *account = officers[m][officer];
                plant(managers[m], account, "staff_login", nine_ms);
                plant(managers[m], account, "intake_list", nine_ms + 1000)->persons = 20;
                for (int i = 0; i < 2; i++)
                    application_plant(managers[m], account, number++, nine_ms + HOUR_MS + i * 20 * 60000);
            }
}

static inline char *subjects_of(int many)
{
    char *subjects = arena_take(planting, (size_t)many * 40), *at = subjects;
    for (int i = 0; i < many; i++)
        at += sprintf(at, "%sperson-%d-of-many-in-a-list", i ? " " : "", i);
    return subjects;
}

/* sato2 is another account of who has sato. */
static inline char *person_of(const char *account)
{
    char *person = arena_format(planting, "%.20s", account);
    person[strcspn(person, "0123456789")] = '\0';
    return person;
}

static inline void record_lay(struct audit_record *record, struct planted *one, size_t at)
{
    Audit__Event event = AUDIT__EVENT__INIT;
    event.service = (char *)one->service;
    event.at_ms = one->at_ms;
    event.who = (char *)(one->account ? one->account : "intake");
    event.role = one->account ? "reviewer" : "";
    event.person = one->account ? person_of(one->account) : "";
    event.terminal = (char *)one->terminal;
    event.act = (char *)one->act;
    event.manager = (char *)one->manager;
    event.subject = one->many ? subjects_of(one->many) : one->subject;
    event.reason = one->reason;
    event.outcome = (char *)one->outcome;
    event.count = one->persons;
    event.purpose = one->account ? "registration" : "";
    event.likeness = (char *)one->likeness;
    struct bytes packed = {NULL, audit__event__get_packed_size(&event)};
    packed.data = arena_take(planting, packed.len);
    ck_assert_ptr_nonnull(packed.data);
    audit__event__pack(&event, packed.data);
    *record = (struct audit_record){
        .appended_ms = (one->at_ms / DAY_MS + 1) * DAY_MS, .position = at, .sequence = at + 1, .service = "intake"};
    struct record_tokens tokens = {0};
    ck_assert(record_cover(planting, &tokens, "00000000-0000-0000-0000-000000000000", packed, record));
    record_tokens_fini(&tokens);
}

static inline int by_time(const void *one, const void *other)
{
    const struct planted *a = one, *b = other;
    return a->at_ms < b->at_ms ? -1 : a->at_ms > b->at_ms;
}

/* Lay what was planted from `from` on into the log, in the order of time: record i is at position i. A day's records
 * were appended at its end. */
static inline void history_lay(size_t from)
{
    struct audit_record *records = calloc(BATCH, sizeof *records);
    uint8_t(*leaves)[MERKLE_HASH_BYTES] = calloc(BATCH, sizeof *leaves);
    qsort(planted + from, planted_count - from, sizeof *planted, by_time);
    house_turn("audit");
    for (size_t at = from; at < planted_count;) {
        size_t count = 0;
        do
            record_lay(&records[count], &planted[at + count], at + count);
        while (++count < BATCH && at + count < planted_count &&
               planted[at + count].at_ms / DAY_MS == planted[at].at_ms / DAY_MS);
        pg_begin(audit->pg, "");
        ck_assert(log_put(audit->pg, planting, "00000000-0000-0000-0000-000000000000", records,
            (const uint8_t(*)[MERKLE_HASH_BYTES])leaves, count));
        ck_assert_msg(pg_commit(audit->pg, &audit->fault), "%s", fault_code_text(audit->fault.code));
        arena_reset(planting);
        at += count;
    }
    free(records);
    free(leaves);
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static inline void analyse_with(struct work *work, int64_t until_ms)
{
    const struct analysis_rule *rules;
    size_t count = analysis_rules(&rules);
    int done;
    while (work_reset(work), (done = analysis_walk(work)) > 0)
        ;
    ck_assert_int_eq(done, 0);
    for (size_t i = 0; i < count; i++)
        for (size_t m = 0; m < MANAGERS; m++)
            while (work_reset(work), (done = analysis_step(work, &rules[i], managers[m], until_ms)) != 0)
                ck_assert_msg(done > 0, "%s: %s", rules[i].name, fault_code_text(work->fault.code));
}

/* Every rule is due. */
static inline void due(void)
{
    for (size_t m = 0; m < MANAGERS; m++)
        house_do(managers[m], "UPDATE audit.analysis SET ran_at = NULL");
}

static inline void analyse(void)
{
    house_turn("audit");
    due();
    analyse_with(audit, NEVER);
}

static inline long number_of(const char *manager, const char *sql)
{
    char pin[128];
    snprintf(pin, sizeof pin, "SET shikaku.manager = '%s'", manager);
    PQclear(PQexec(house_owner, pin));
    PGresult *row = PQexec(house_owner, sql);
    ck_assert_msg(PQresultStatus(row) == PGRES_TUPLES_OK, "%s: %s", sql, PQresultErrorMessage(row));
    long number = PQntuples(row) ? atol(PQgetvalue(row, 0, 0)) : -1;
    PQclear(row);
    return number;
}

static inline bool is_found(const char *manager, const char *rule, size_t position)
{
    char sql[300];
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM audit.finding f JOIN audit.finding_touch b USING (manager, finding) "
        "WHERE f.manager = '%s' AND f.rule = '%s' AND b.position = %zu",
        manager, rule, position);
    return number_of(manager, sql) == 1;
}

static inline bool is_planted_for(const struct planted *one, const char *rule)
{
    char name[ANALYSIS_NAME_MAX + 2];
    snprintf(name, sizeof name, ",%.31s,", rule);
    return strstr(one->rules, name) != NULL;
}

/* Each rule has found exactly what was planted for it. Returns how many records that are. */
static inline size_t found_compare(void)
{
    const struct analysis_rule *rules;
    size_t count = analysis_rules(&rules), found = 0;
    for (size_t i = 0; i < count; i++) {
        long wanted[MANAGERS] = {0};
        for (size_t at = 0; at < planted_count; at++)
            if (is_planted_for(&planted[at], rules[i].name)) {
                wanted[strcmp(planted[at].manager, managers[0]) != 0]++;
                ck_assert_msg(is_found(planted[at].manager, rules[i].name, at), "%s: record %zu (%s, %s) not found",
                    rules[i].name, at, planted[at].act, planted[at].account ? planted[at].account : "service");
            }
        for (size_t m = 0; m < MANAGERS; m++) {
            char sql[300];
            snprintf(sql, sizeof sql,
                "SELECT count(*) FROM audit.finding f JOIN audit.finding_touch b USING (manager, finding) "
                "WHERE f.manager = '%s' AND f.rule = '%s'",
                managers[m], rules[i].name);
            long had = number_of(managers[m], sql);
            ck_assert_msg(had == wanted[m], "%s at %s: %ld records found, %ld planted", rules[i].name, managers[m], had,
                wanted[m]);
            found += (size_t)had;
        }
    }
    return found;
}

static inline long findings_at(const char *manager)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM audit.finding WHERE manager = '%s'", manager);
    return number_of(manager, sql);
}

#endif
