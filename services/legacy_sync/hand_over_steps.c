/* The life of a hand-over after it was accepted:
 *
 *   A  claim      its task is leased (queue tables know no manager), then the manager is put in force and it is read
 *   B  release    the vault seals the number to the recipient, once: the same act gets the same bytes again
 *   C  deliver    the existing system, or the workbook, takes it under the hand-over's id
 *   D  record     state, event to intake and record of use in one transaction
 *
 * A kill between C and D, or a lease that ran out, repeats B and C; both are idempotent by the hand-over's id. D
 * happens once: the second one finds the state changed and is rolled back. */
#include "legacy_sync/hand_over_steps.h"

#include "chassis/cover.h"
#include "chassis/journal.h"
#include "chassis/settings.h"
#include "intake.pb-c.h"
#include "legacy_sync/hand_over_store.h"
#include "legacy_sync/hand_over_wire.h"
#include "legacy_sync/workbook_export.h"
#include "records.pb-c.h"
#include "vault.pb-c.h"

#include <string.h>

#define LEASE_SPARE_MS 12000 /* beside the call outside: the vault's deadline, and the transactions */
#define WAIT_FIRST_MS 200
#define WAIT_MAX_MS 5000
#define WAIT_PERSON_MS 30000
#define COPIES_AT_ONCE 100

static int64_t lease_ms(void)
{
    return setting_number("SHIKAKU_LEGACY_WAIT_MS") + LEASE_SPARE_MS;
}

/* --- A: claim --------------------------------------------------------------------------------------------------- */

static bool claim(struct work *work, const struct existing_system *system, struct task *task, struct hand_over *h)
{
    if (!work_begin(work, "")) {
        return false;
    }
    if (!task_lease(work->pg, work->arena, system->name, lease_ms(), task, &work->fault) ||
        !hand_over_load(work->pg, work->arena, task, h, &work->fault)) {
        pg_rollback(work->pg);
        return false;
    }
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static LegacySync__HandOverRequest *entry_open(struct work *work, const struct hand_over *h)
{
    struct cover_place place = {"legacy_sync.hand_over", h->manager, h->id};
    struct bytes plain = cover_take(work->arena, place, h->content.data, h->content.len);
    return plain.data ? legacy_sync__hand_over_request__unpack(arena_allocator(work->arena), plain.len, plain.data)
                      : NULL;
}

/* --- B: release ------------------------------------------------------------------------------------------------- */

/* The number, sealed to the system; NULL with the delivery filled where there is none to be had. */
static const char *release(
    struct work *work, const struct existing_system *system, const struct hand_over *h, struct delivery *delivery)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    char *pseudonyms[] = {(char *)h->pseudonym};
    request.manager = (char *)h->manager;
    request.recipient = (char *)system->recipient;
    request.purpose = "legacy_sync";
    request.reason = (char *)h->application;
    request.n_pseudonyms = 1;
    request.pseudonyms = pseudonyms;
    if (work_call(work, ROUTE_vault_release, h->id, &request.base, &reply)) {
        return ((Vault__ReleaseReply *)reply)->sealed;
    }
    delivery->cause = fault_outcome(work->fault.code) == OUTCOME_REJECT ? HAND_OVER_REFUSED : HAND_OVER_NOT_NOW;
    delivery->reason = work->fault.code;
    return NULL;
}

/* --- C: deliver ------------------------------------------------------------------------------------------------- */

static void deliver(
    struct work *work, const struct existing_system *system, const struct hand_over *h, struct delivery *delivery)
{
    const struct programme *programme = programme_find(programmes_in_use(), h->programme);
    const LegacySync__HandOverRequest *entry = entry_open(work, h);
    const char *sealed = NULL;
    *delivery = (struct delivery){.cause = HAND_OVER_REFUSED, .reason = FAULT_internal};
    if (!programme || !entry) {
        return;
    }
    if (system->recipient && programme->legacy_number && !(sealed = release(work, system, h, delivery))) {
        return;
    }
    if (system->path) {
        hand_over_send(work->arena, system, h->id, entry, sealed, delivery);
    } else {
        workbook_export(work->arena, programme, h->id, entry, sealed, delivery);
    }
}

/* --- D: record -------------------------------------------------------------------------------------------------- */

static int64_t wait_ms(enum hand_over_state state, int attempt)
{
    int64_t wait = WAIT_FIRST_MS << (attempt < 8 ? attempt - 1 : 7);
    return state == HAND_OVER_ASKING_PERSON ? WAIT_PERSON_MS : wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}

/* `result` "" where the system has it; `act` tells events about one hand-over apart. */
static void intake_tell(
    struct work *work, const struct hand_over *h, const char *reference, const char *result, const char *act)
{
    Intake__HandedOver event = INTAKE__HANDED_OVER__INIT;
    event.manager = (char *)h->manager;
    event.application = (char *)h->application;
    event.system = (char *)h->system;
    event.reference = (char *)reference;
    event.result = (char *)result;
    work_outbox(work, ROUTE_intake_handed_over, h->application, act, &event.base);
}

/* A person can be asked more than once about a hand-over; each time is an event of its own. */
static void person_ask(struct work *work, const struct hand_over *h, enum hand_over_cause cause)
{
    char act[37];
    uuid_make(act);
    intake_tell(work, h, "", cause == HAND_OVER_REFUSED ? "refused" : "unavailable", act);
}

static void record(
    struct work *work, const struct task *task, const struct hand_over *h, const struct delivery *delivery)
{
    enum hand_over_cause cause = delivery->cause;
    enum hand_over_state next;
    if (cause == HAND_OVER_NOT_NOW && task->attempt >= setting_number("SHIKAKU_LEGACY_TRIES")) {
        cause = HAND_OVER_TRIED_OUT;
    }
    if (!hand_over_state_next(h->state, cause, &next)) {
        journal(JOURNAL_ERROR, h->application, "hand_over_stray", WORD("state", hand_over_state_text(h->state)));
        return;
    }
    if (!work_begin(work, h->manager)) {
        return;
    }
    if (next == HAND_OVER_HANDED_OVER) {
        hand_over_finish(work->pg, h, delivery->reference);
        intake_tell(work, h, delivery->reference, "", h->id);
    } else {
        hand_over_postpone(work->pg, h, next, fault_code_text(delivery->reason), wait_ms(next, task->attempt));
        if (next == HAND_OVER_ASKING_PERSON && h->state != next) {
            person_ask(work, h, cause);
        }
    }
    work_audit(work, &(struct touch){.act = next == HAND_OVER_HANDED_OVER ? "hand_over" : "hand_over_tried",
                         .subject = h->pseudonym,
                         .reason = h->application});
    if (work_commit(work, NULL) != OUTCOME_DONE) {
        return;
    }
    journal(next == HAND_OVER_ASKING_PERSON ? JOURNAL_ERROR : JOURNAL_INFO, h->application, "hand_over",
        WORD("system", h->system), WORD("state", hand_over_state_text(next)),
        WORD("reason", next == HAND_OVER_HANDED_OVER ? "" : fault_code_text(delivery->reason)),
        NUMBER("attempt", task->attempt));
}

static int hand_over_turn(struct work *work, const struct lane *lane)
{
    const struct existing_system *system = lane->detail;
    struct hand_over h;
    struct task task;
    struct delivery delivery;
    if (!claim(work, system, &task, &h)) {
        return 0;
    }
    work->correlation = h.application;
    deliver(work, system, &h, &delivery);
    record(work, &task, &h, &delivery);
    return 1;
}

/* --- what comes back -------------------------------------------------------------------------------------------- */

static void records_tell(struct work *work, const char *manager, const char *programme, const struct copy *copy)
{
    Records__TakeCopyRequest event = RECORDS__TAKE_COPY_REQUEST__INIT;
    event.manager = (char *)manager;
    event.programme = (char *)programme;
    event.pseudonym = (char *)copy->pseudonym;
    event.copy = (char *)copy->copy;
    event.fields.data = (uint8_t *)copy->fields;
    event.fields.len = strlen(copy->fields);
    work_outbox(work, ROUTE_records_take_copy, copy->pseudonym, copy->copy, &event.base);
}

/* Take one copy: noted once, told to records once, and the reading moved past it, in one transaction. */
static bool copy_take(
    struct work *work, const struct existing_system *system, const char *manager, const struct copy *copy)
{
    if (!work_begin(work, manager)) {
        return false;
    }
    char *programme =
        programme_of_pseudonym(work->pg, work->arena, manager, system->name, copy->pseudonym, &work->fault);
    if (!programme && work->fault.code != FAULT_NONE) {
        return pg_rollback(work->pg), false;
    }
    bool fresh =
        given_back_put(work->pg, manager, system->name, copy->copy, copy->pseudonym, programme != NULL, &work->fault);
    if (!fresh && work->fault.code != FAULT_NONE) {
        return pg_rollback(work->pg), false;
    }
    if (fresh && programme) {
        records_tell(work, manager, programme, copy);
        work_audit(work, &(struct touch){.act = "copy_taken", .subject = copy->pseudonym, .reason = copy->copy});
    } else if (fresh) {
        journal(
            JOURNAL_ERROR, NULL, "copy_of_unknown_pseudonym", WORD("system", system->name), WORD("copy", copy->copy));
    }
    reading_advance(work->pg, system->name, copy->number, 0);
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static bool reading_end(struct work *work, const struct existing_system *system, int64_t after, bool more)
{
    if (!work_begin(work, "")) {
        return false;
    }
    reading_advance(work->pg, system->name, after, more ? 0 : setting_number("SHIKAKU_LEGACY_COPIES_MS"));
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static bool reading_claim(struct work *work, const struct existing_system *system, int64_t *after)
{
    if (!work_begin(work, "")) {
        return false;
    }
    if (!reading_lease(work->pg, system->name, lease_ms(), after, &work->fault)) {
        return pg_rollback(work->pg), false;
    }
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static int copies_turn(struct work *work, const struct lane *lane)
{
    const struct existing_system *system = lane->detail;
    const char *manager = existing_system_manager(system);
    struct copy copies[COPIES_AT_ONCE];
    size_t count = 0, taken = 0;
    int64_t after;
    if (!manager || !reading_claim(work, system, &after)) {
        return 0;
    }
    if (!copies_read(work->arena, system, after, copies, COPIES_AT_ONCE, &count, &work->fault)) {
        journal(JOURNAL_WARNING, NULL, "copies_unread", WORD("system", system->name),
            WORD("code", fault_code_text(work->fault.code)));
    }
    while (taken < count && copy_take(work, system, manager, &copies[taken])) {
        after = copies[taken++].number;
    }
    bool ended = reading_end(work, system, after, taken == COPIES_AT_ONCE);
    return ended ? (int)taken : 0;
}

/* --- the table -------------------------------------------------------------------------------------------------- */

#define CAP 2 /* threads a system */

size_t hand_over_lanes(const struct lane **lanes)
{
    static struct lane table[2 * EXISTING_SYSTEMS];
    size_t count = 0;
    for (size_t i = 0; i < EXISTING_SYSTEMS; i++) {
        const struct existing_system *system = existing_system_at(i);
        table[count++] = (struct lane){system->name, CAP, hand_over_turn, system};
        if (system->copies) {
            table[count++] = (struct lane){system->copies_lane, 1, copies_turn, system};
        }
    }
    *lanes = table;
    return count;
}
