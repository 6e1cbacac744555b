/* Known histories of records of use, several managers', accounts', terminals' and persons' interleaved, and questions
 * to them as the bus hands them over. The same names stand for others under each manager. */
#ifndef STORE_ANSWERS_H
#define STORE_ANSWERS_H

#include "audit/audit_exposure.h"
#include "audit/audit_messages.h"
#include "chassis/exchange_store.h"
#include "chassis/rights.h"
#include "chassis/work_state.h"
#include "kit/staff_word.h"
#include "store/audit.h"

#define WORKERS 16
#define BATCH 10
#define PERSONS 12
#define STORY_MAX 1600
#define STEP_MS 1000

/* One record as the story has it; its place in the story is its order in the log. */
struct told {
    const char *manager, *account, *role, *terminal, *service, *act, *outcome, *reason;
    char subject[256];
    uint32_t count;
    int64_t at_ms;
};

static const struct setting answer_settings[] = {
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
    {"SHIKAKU_OFFICERS_NAMED", SETTING_TEXT, "", 0, 0, "managers"},
    {"SHIKAKU_INCIDENT_PRELIMINARY_DAYS", SETTING_NUMBER, "3", 1, 60, "days"},
    {"SHIKAKU_INCIDENT_FINAL_DAYS", SETTING_NUMBER, "30", 1, 365, "days"},
    {"SHIKAKU_INCIDENT_FINAL_UNLAWFUL_DAYS", SETTING_NUMBER, "60", 1, 365, "days"},
};
#define ANSWER_SETTINGS (sizeof answer_settings / sizeof *answer_settings)
static const struct service audit_service = {.name = "audit", .schema_version = 5};

static struct told story[STORY_MAX];
static size_t story_length;
static struct worker workers[WORKERS];
static size_t batches;
static int64_t begun_ms;
static struct work *work;
static unsigned dice;

static inline unsigned roll(unsigned sides)
{
    dice = dice * 1103515245u + 12345u;
    return (dice >> 16) % sides;
}

static const char *const managers[] = {"tokyo", "saitama"};
static const char *const accounts[] = {"sato", "suzuki", "takahashi"};
static const char *const terminals[] = {"terminal-1", "terminal-2"};

static inline const char *person(unsigned number)
{
    static char names[4][24];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "KAKU-%04u", number);
    return name;
}

static inline const char *application(unsigned number)
{
    static char names[PERSONS][37];
    snprintf(names[number], 37, "0000000%x-0000-4000-8000-00000000000a", number);
    return names[number];
}

/* --- making a story ----------------------------------------------------------------------------------------------- */

static inline struct told *tell(const char *manager, const char *act, const char *subject, const char *reason)
{
    struct told *told = &story[story_length];
    ck_assert_uint_lt(story_length, STORY_MAX);
    *told = (struct told){.manager = manager,
        .account = "intake",
        .role = "",
        .terminal = "",
        .service = "intake",
        .act = act,
        .outcome = "done",
        .reason = reason,
        .count = 1,
        .at_ms = begun_ms + (int64_t)story_length * STEP_MS};
    snprintf(told->subject, sizeof told->subject, "%s", subject);
    story_length++;
    return told;
}

static inline struct told *tell_by(
    const char *manager, const char *account, const char *act, const char *subject, const char *reason)
{
    struct told *told = tell(manager, act, subject, reason);
    told->account = account;
    told->role = "reviewer";
    told->terminal = terminals[roll(2)];
    return told;
}

/* Something that happens in an office: looked at, decided, printed, listed, refused, or done by the system itself. */
static inline void tell_something(void)
{
    static const char *const acts[] = {"intake_view", "intake_decide", "certificates_print", "intake_attachment_view",
        "residence_instant", "staff_login"};
    const char *manager = managers[roll(2)], *account = accounts[roll(3)];
    unsigned who = roll(PERSONS), kind = roll(10);
    struct told *told;
    if (kind == 0) { /* a list: three persons, one of them by the application alone */
        told = tell_by(manager, account, "intake_list", "", "");
        snprintf(told->subject, sizeof told->subject, "%s %s %s", person(who), person((who + 5) % PERSONS),
            application((who + 3) % PERSONS));
        told->count = 3;
    } else if (kind == 1) { /* before the pseudonym was given */
        tell_by(manager, account, "intake_view", "", application(who));
    } else if (kind == 2) {
        tell(manager, "residence", person(who), application(who));
    } else if (kind == 3) {
        told = tell(manager, "vault_release", person(who), application(who));
        told->service = "vault";
    } else if (kind == 4) {
        told = tell_by(manager, account, "intake_decide", "", application(who));
        told->outcome = "not_permitted";
    } else {
        const char *act = acts[roll(6)];
        bool login = strcmp(act, "staff_login") == 0;
        tell_by(manager, account, act, login ? "" : person(who), login ? "account:login" : application(who));
    }
}

static inline struct bytes told_pack(const struct told *told)
{
    Audit__Event event = event_of(told->account, told->act, told->subject, told->reason);
    event.service = (char *)told->service;
    event.manager = (char *)told->manager;
    event.role = (char *)told->role;
    event.terminal = (char *)told->terminal;
    event.outcome = (char *)told->outcome;
    event.purpose = *told->role ? "registration" : "";
    event.count = told->count;
    event.at_ms = told->at_ms;
    return event_pack(&event);
}

/* Put a batch of one service's records into the log. */
static inline void batch_log(const char *service, struct worker *worker, size_t from, size_t end)
{
    struct fault fault = {0};
    size_t before = worker->count;
    for (size_t i = from; i < end; i++)
        event_link(worker, told_pack(&story[i]));
    struct audit_chain chain = {
        worker->instance, worker->number, worker->sent + before, worker->count - before, 0, false};
    pg_begin(pg, "");
    ck_assert(log_append(pg, arena, service, &chain, 1, &fault) && !chain.broken);
    ck_assert(pg_commit(pg, &fault));
}

/* The log holds the story from `from` on, in its order. A worker is of one service: chains are by service. */
static inline void story_log(size_t from)
{
    while (from < story_length) {
        size_t end = from + 1;
        const char *service = story[from].service;
        while (end < story_length && end - from < BATCH && strcmp(story[end].service, service) == 0)
            end++;
        bool vault = strcmp(service, "vault") == 0;
        batch_log(service, vault ? &workers[WORKERS - 1] : &workers[batches++ % (WORKERS - 1)], from, end);
        from = end;
    }
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static inline struct actor asker_of(const char *manager, const char *role)
{
    struct actor actor = {.rights = UINT32_MAX, .expires_at_ms = clock_ms() + 60000};
    snprintf(actor.role, sizeof actor.role, "%s", role);
    strcpy(actor.account, "inoue");
    snprintf(actor.manager, sizeof actor.manager, "%s", manager);
    strcpy(actor.terminal, "terminal-9");
    strcpy(actor.session, "00000000-0000-4000-8000-000000000000");
    return actor;
}

/* Hand a request over as the bus does; the reply stays valid until the next call. NULL: refused, work->fault says why.
 */
static inline const ProtobufCMessage *ask_as(
    const struct actor *actor, enum route route, const ProtobufCMessage *message, const char *purpose)
{
    static uint8_t payload[128 * 1024], key[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    const struct message *row = NULL;
    work_reset(work);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)rand();
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key, key};
    envelope.route = (char *)route_row(route)->name;
    envelope.purpose = (char *)purpose;
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof payload);
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    strcpy(work->state->peer.name, "portal");
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(work->arena), envelope.payload.len, envelope.payload.data);
    work_take_request(work, route, &envelope, request);
    work->state->actor = *actor;
    work->actor = &work->state->actor;
    snprintf(work->state->purpose, sizeof work->state->purpose, "%s",
        *purpose ? purpose : rights_usual_purpose(route_row(route)->right));
    for (size_t i = 0; i < audit_message_count; i++)
        if (audit_messages[i].route == route)
            row = &audit_messages[i];
    ck_assert_ptr_nonnull(row);
    enum outcome outcome = !row->check || row->check(request, &work->fault) ? row->act(work) : work_refuse(work);
    if (outcome != OUTCOME_DONE)
        return NULL;
    return protobuf_c_message_unpack(
        route_row(route)->reply, arena_allocator(work->arena), work->state->reply.len, work->state->reply.data);
}

static inline const ProtobufCMessage *ask(const char *manager, enum route route, const ProtobufCMessage *message)
{
    struct actor actor = asker_of(manager, "disclosure");
    return ask_as(&actor, route, message, "");
}

/* What audit recorded of itself goes into the log, as its lane does it. */
static inline void own_records_log(void)
{
    static const struct lane lane;
    work_reset(work);
    while (own_records_turn(work, &lane) > 0)
        work_reset(work);
    work_reset(work);
}

static inline void answers_setup(void)
{
    struct fault fault = {0};
    setup();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    ck_assert(settings_read(settings, 1));
    ck_assert(settings_read(answer_settings, ANSWER_SETTINGS));
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    exchange_store_open("audit");
    work = work_new(&audit_service);
    ck_assert_ptr_nonnull(work);
    staff_word_take();
    story_length = batches = 0;
    dice = 20261121;
    begun_ms = clock_ms() - 10LL * 86400 * 1000;
    for (uint32_t i = 0; i < WORKERS; i++) {
        worker_init(&workers[i], i);
        snprintf(workers[i].instance, sizeof workers[i].instance, "0a0b0c0d-0000-4000-8000-%012x", i);
    }
}

static inline void answers_teardown(void)
{
    work_free(work);
    teardown();
}

#endif
