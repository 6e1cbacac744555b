/* The life of an inquiry after it was accepted:
 *
 *   lease      due rows of one manager, at most 16, in a transaction of its own
 *   release    their numbers from the vault, one call, opened in memory that is wiped
 *   ask        one fixed-format file to the network, bounded in time
 *   record     answers go out as events, and what was answered leaves the queue, in one transaction
 *
 * A kill at any point leaves the lease to run out and the turn to be done again: asking has no effect at the network,
 * and an event has the inquiry's id as its key. What fails is tried again later and later; after the set number of
 * tries the answer is "unavailable", and a person is asked. */
#include "residence/inquiry_steps.h"

#include <stdio.h>
#include <string.h>

#include "chassis/jwe.h"
#include "chassis/journal.h"
#include "chassis/seal_key.h"
#include "chassis/settings.h"
#include "intake.pb-c.h"
#include "residence/candidate_list.h"
#include "residence/inquiry_store.h"
#include "residence/juki_network.h"
#include "residence/number_release.h"

#define RELEASE_MS 15000 /* the vault's deadline, with room */
#define RETRY_LAST_MS 60000
#define GATHER_MS 40
#define RESULT_REFUSED "refused"
#define RESULT_UNAVAILABLE "unavailable"

/* As short as it can be, because what a killed turn held waits for its lease; longer than any turn that lives. */
static int64_t lease_ms;
static int64_t tries, retry_first_ms, list_ms;

void inquiry_steps_open(void)
{
    lease_ms = RELEASE_MS + setting_number("SHIKAKU_JUKI_TIMEOUT_MS");
    tries = setting_number("SHIKAKU_RESIDENCE_TRIES");
    retry_first_ms = setting_number("SHIKAKU_RESIDENCE_RETRY_MS");
    list_ms = setting_number("SHIKAKU_RESIDENCE_LIST_MINUTES") * 60 * 1000;
}

/* One leased inquiry on its way through a turn. */
struct turn_item {
    const char *number;              /* NULL: asked by the items */
    struct person person;            /* items asked by */
    const struct result_line *lines; /* the network's answer; NULL: none */
    size_t line_count;
    bool refused; /* the vault has no number for it */
};

static int64_t retry_delay(int attempt)
{
    int64_t delay = retry_first_ms;
    for (int i = 1; i < attempt && delay < RETRY_LAST_MS; i++)
        delay *= 2;
    return delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

/* One number unknown to the vault must not hold up the fifteen others: a refused batch is asked for one by one. */
static bool numbers_get(struct work *work, struct inquiry *leased, int count, struct turn_item *items)
{
    const char *numbers[INQUIRY_LEASE_MAX] = {0};
    char act[37];
    uuid_make(act);
    bool released = numbers_release(work, leased, count, count == 1 ? leased[0].application : act, act, numbers);
    if (!released && fault_outcome(work->fault.code) != OUTCOME_REJECT)
        return false;
    for (int i = 0; i < count; i++) {
        bool had = released;
        if (!released && count > 1) {
            uuid_make(act);
            had = numbers_release(work, &leased[i], 1, leased[i].application, act, &numbers[i]);
            if (!had && fault_outcome(work->fault.code) != OUTCOME_REJECT)
                return false;
        }
        items[i].number = had ? numbers[i] : NULL;
        items[i].refused = !items[i].number;
    }
    return true;
}

static int records_fill(
    const struct inquiry *leased, int count, const struct turn_item *items, struct inquiry_record *records)
{
    int filled = 0;
    for (int i = 0; i < count; i++) {
        if (items[i].refused)
            continue;
        struct inquiry_record *record = &records[filled++];
        *record =
            (struct inquiry_record){.number = items[i].number, .person = leased[i].by_items ? &items[i].person : NULL};
        memcpy(record->reference, leased[i].id, sizeof record->reference);
        snprintf(record->affair, sizeof record->affair, "%.16s", leased[i].programme);
    }
    return filled;
}

static void lines_share_out(
    const struct inquiry *leased, int count, struct turn_item *items, const struct result_file *results)
{
    for (int i = 0; i < count; i++)
        for (size_t n = 0; n < results->count; n++)
            if (strcmp(results->lines[n].reference, leased[i].id) == 0) {
                items[i].lines = items[i].lines ? items[i].lines : &results->lines[n];
                items[i].line_count++;
            }
}

static bool file_ask(
    struct work *work, const struct inquiry *leased, int count, struct turn_item *items, struct inquiry_file *file)
{
    struct inquiry_record records[INQUIRY_LEASE_MAX];
    struct result_file results;
    file->records = records;
    file->count = (size_t)records_fill(leased, count, items, records);
    snprintf(file->body, sizeof file->body, "%.16s", leased[0].manager);
    bool asked = file->count == 0 || juki_inquire(work, file, &results);
    if (asked && file->count > 0)
        lines_share_out(leased, count, items, &results);
    file->records = NULL;
    return asked;
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

static void answered_send(struct work *work, const struct inquiry *inquiry, const struct result_line *line)
{
    Intake__ResidenceAnswered event = INTAKE__RESIDENCE_ANSWERED__INIT;
    Person__FourItems items = PERSON__FOUR_ITEMS__INIT;
    char sex[2] = {0};
    event.manager = (char *)inquiry->manager;
    event.application = (char *)inquiry->application;
    event.inquiry = (char *)inquiry->id;
    event.result = (char *)inquiry->outcome;
    if (line && line->has_person && line->result != RESULT_SEVERAL) {
        sex[0] = line->person.sex;
        items.name = (char *)line->person.name;
        items.address = (char *)line->person.address;
        items.birth_date = (char *)line->person.birth_date;
        items.sex = sex;
        event.person = &items;
    }
    work_outbox(work, ROUTE_intake_residence_answered, inquiry->application, inquiry->id, &event.base);
}

static bool list_keep(struct work *work, const struct inquiry *inquiry, const struct turn_item *item)
{
    static const char *const sexes[] = {"1", "2", "3"};
    struct person_text people[INQUIRY_CANDIDATES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < item->line_count && count < INQUIRY_CANDIDATES_MAX; i++) {
        const struct person *person = &item->lines[i].person;
        if (item->lines[i].has_person)
            people[count++] =
                (struct person_text){person->name, person->address, person->birth_date, sexes[(person->sex - '1') % 3]};
    }
    struct bytes list = candidate_list_put(work->arena, people, count);
    return list.data ? passing_put(work, inquiry->manager, inquiry->id, "list", list.data, list.len)
                     : fault_set(&work->fault, FAULT_internal, NULL);
}

/* What becomes of this item: its outcome's word, or NULL for "try again later". */
static const char *outcome_of(const struct inquiry *inquiry, const struct turn_item *item)
{
    if (item->refused)
        return RESULT_REFUSED;
    if (item->lines && item->lines->result != RESULT_LATER)
        return inquiry_result_text(item->lines->result);
    return inquiry->attempt >= tries ? RESULT_UNAVAILABLE : NULL;
}

static bool finish_record(
    struct work *work, struct inquiry *inquiry, const struct turn_item *item, const char *outcome, const char *file)
{
    bool answered = item->lines && item->lines->result != RESULT_LATER && !item->refused;
    if (!inquiry_state_set(&inquiry->state, answered ? INQUIRY_ANSWERED : INQUIRY_FAILED, &work->fault))
        return false;
    inquiry->outcome = outcome;
    inquiry_finish_put(work, inquiry, answered ? file : "");
    work_audit(work, &(struct touch){.act = inquiry->instant ? "residence_instant_answered" : "residence_answered",
                         .subject = inquiry->pseudonym,
                         .reason = inquiry->application,
                         .count = item->line_count > 1 ? (uint32_t)item->line_count : 1});
    if (!inquiry->instant) {
        answered_send(work, inquiry, item->lines);
        inquiry_remove_put(work, inquiry);
        return true;
    }
    passing_remove_put(work, inquiry->manager, inquiry->id, "asked");
    inquiry_move_put(work, inquiry, LANE_FORGET, list_ms);
    return list_keep(work, inquiry, item);
}

static void turn_record(struct work *work, struct inquiry *leased, int count, const struct turn_item *items,
    const struct lane *lane, const char *file)
{
    if (!work_begin(work, leased[0].manager))
        return;
    for (int i = 0; i < count; i++) {
        const char *outcome = outcome_of(&leased[i], &items[i]);
        if (!outcome) {
            inquiry_move_put(work, &leased[i], lane->name, retry_delay(leased[i].attempt));
            work_audit(
                work, &(struct touch){
                          .act = "residence_tried", .subject = leased[i].pseudonym, .reason = leased[i].application});
        } else if (!finish_record(work, &leased[i], &items[i], outcome, file)) {
            (void)work_refuse(work);
            return;
        }
    }
    if (work_commit(work, NULL) != OUTCOME_DONE)
        journal(JOURNAL_WARNING, NULL, "turn_not_recorded", WORD("lane", lane->name),
            WORD("code", fault_code_text(work->fault.code)));
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

static bool leased_read(struct work *work, struct inquiry *leased, int count, struct turn_item *items)
{
    struct bytes asked;
    struct person_text *text;
    size_t people = 0;
    pg_begin(work->pg, leased[0].manager);
    bool read = inquiries_read(work, leased, count);
    for (int i = 0; read && i < count; i++) {
        if (!leased[i].by_items)
            continue;
        read = passing_read(work, leased[i].manager, leased[i].id, "asked", &asked) && asked.data &&
               candidate_list_take(work->arena, asked, &text, &people) && people == 1 &&
               person_fill(&items[i].person, text->name, text->address, text->birth_date, text->sex, &work->fault);
    }
    pg_rollback(work->pg);
    return read;
}

/* All numbers first, in one release; then one file. */
static int inquire_turn(struct work *work, const struct lane *lane)
{
    struct inquiry leased[INQUIRY_LEASE_MAX];
    struct inquiry_file file = {.form = lane->detail ? INQUIRY_TERMINAL : INQUIRY_BATCH};
    int count = inquiry_lease(work, lane->name, lane->detail ? 1 : INQUIRY_LEASE_MAX, lease_ms, leased);
    struct turn_item *items = count > 0 ? arena_take(work->arena, (size_t)count * sizeof *items) : NULL;
    if (!items)
        return 0;
    memset(items, 0, (size_t)count * sizeof *items);
    if (!leased_read(work, leased, count, items)) {
        journal(JOURNAL_ERROR, NULL, "inquiries_unreadable", WORD("lane", lane->name),
            WORD("code", fault_code_text(work->fault.code)));
        return count; /* the lease runs out, and they come again */
    }
    work->correlation = leased[0].application;
    bool by_items = leased[0].by_items; /* only at the terminal, which asks one by one */
    if (!((by_items || numbers_get(work, leased, count, items)) && file_ask(work, leased, count, items, &file)))
        journal(JOURNAL_WARNING, work->correlation, "inquiry_failed", WORD("lane", lane->name),
            WORD("code", fault_code_text(work->fault.code)), WORD("field", work->fault.field),
            NUMBER("attempt", leased[0].attempt));
    turn_record(work, leased, count, items, lane, file.reference);
    return count;
}

/* 取得番号 and number: opened, passed on, forgotten. NULL where it cannot be opened: that will never change. */
static json_t *acquisition_open(struct work *work, const struct inquiry *leased)
{
    struct bytes sealed, plain;
    bool read = passing_read(work, leased->manager, leased->id, "acquisition", &sealed);
    const char *text = read && sealed.data ? arena_text(work->arena, sealed.data, sealed.len) : NULL;
    const struct key *key = text ? seal_key_of(text, "*", &work->fault) : NULL;
    bool opened = key && jwe_open(work->arena, key, text, NULL, &plain);
    json_t *acquisition = opened ? json_loadb((const char *)plain.data, plain.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (acquisition)
        json_object_set_new(acquisition, "body", json_string(leased->manager));
    return acquisition;
}

static void acquisitions_record(struct work *work, const struct inquiry *leased, int count, bool passed)
{
    if (!work_begin(work, leased[0].manager))
        return;
    for (int i = 0; i < count; i++) {
        if (!passed && leased[i].attempt < tries) {
            inquiry_move_put(work, &leased[i], LANE_ACQUIRE, retry_delay(leased[i].attempt));
            work_audit(work, &(struct touch){.act = "residence_acquisition_tried", .reason = leased[i].id});
            continue;
        }
        passing_remove_put(work, leased[i].manager, leased[i].id, "acquisition");
        inquiry_remove_put(work, &leased[i]);
        work_audit(
            work, &(struct touch){.act = passed ? "residence_acquisition_passed" : "residence_acquisition_failed",
                      .reason = leased[i].id});
    }
    if (work_commit(work, NULL) != OUTCOME_DONE)
        journal(JOURNAL_WARNING, NULL, "turn_not_recorded", WORD("lane", LANE_ACQUIRE),
            WORD("code", fault_code_text(work->fault.code)));
}

static int acquire_turn(struct work *work, const struct lane *lane)
{
    struct inquiry leased[INQUIRY_LEASE_MAX];
    int count = inquiry_lease(work, lane->name, INQUIRY_LEASE_MAX, lease_ms, leased);
    if (count == 0)
        return 0;
    json_t *acquisitions = json_array();
    pg_begin(work->pg, leased[0].manager);
    for (int i = 0; i < count; i++) {
        json_t *acquisition = acquisition_open(work, &leased[i]);
        if (acquisition)
            json_array_append_new(acquisitions, acquisition);
        else
            journal(JOURNAL_ERROR, NULL, "acquisition_unreadable", WORD("acquisition", leased[i].id));
    }
    pg_rollback(work->pg);
    bool passed = json_array_size(acquisitions) == 0 || juki_acquire(work, acquisitions);
    json_decref(acquisitions);
    if (!passed)
        journal(JOURNAL_WARNING, NULL, "acquisition_failed", WORD("code", fault_code_text(work->fault.code)),
            NUMBER("attempt", leased[0].attempt));
    acquisitions_record(work, leased, count, passed);
    return count;
}

/* Lists whose minutes are over. */
static int forget_turn(struct work *work, const struct lane *lane)
{
    struct inquiry leased[INQUIRY_LEASE_MAX];
    int count = inquiry_lease(work, lane->name, INQUIRY_LEASE_MAX, lease_ms, leased);
    if (count == 0 || !work_begin(work, leased[0].manager))
        return 0;
    for (int i = 0; i < count; i++) {
        passing_remove_put(work, leased[i].manager, leased[i].id, "list");
        inquiry_remove_put(work, &leased[i]);
        work_audit(work, &(struct touch){.act = "residence_list_deleted", .reason = leased[i].id});
    }
    return work_commit(work, NULL) == OUTCOME_DONE ? count : 0;
}

static const bool one_by_one = true;

const struct lane inquiry_lanes[] = {
    {LANE_BATCH, 2, inquire_turn, NULL, INQUIRY_LEASE_MAX, GATHER_MS},
    {LANE_INSTANT, 1, inquire_turn, &one_by_one},
    {LANE_ACQUIRE, 1, acquire_turn, NULL, INQUIRY_LEASE_MAX, GATHER_MS},
    {LANE_FORGET, 1, forget_turn, NULL},
};
const size_t inquiry_lane_count = sizeof inquiry_lanes / sizeof *inquiry_lanes;
