/* A turn leases up to 16 applications that stand in the lane's states and are due (transaction 1), reads them (2), does
 * each one's step without any transaction, and records all outcomes together (3). If that fails, each is recorded
 * alone, so that one which moved meanwhile does not hold back the others. A crash between 1 and 3 loses what is left of
 * the lease and nothing else: every call is idempotent and is made again with the same key. */
#include "intake/application_steps.h"

#include "chassis/journal.h"
#include "intake/application_store.h"
#include "intake/attachment_messages.h"
#include "intake/intake_setup.h"
#include "intake/notice_wire.h"
#include "intake/payment_wire.h"

#include "certificates.pb-c.h"
#include "intermediate.pb-c.h"
#include "legacy_sync.pb-c.h"
#include "records.pb-c.h"
#include "residence.pb-c.h"
#include "vault.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define ASKED_AGAIN_MS (3600 * 1000) /* an answer comes as an event; the same question again has no second effect */
#define PAYMENT_LOOK_MIN_MS 500
#define PAYMENT_LOOK_MAX_MS 60000
#define TURN_MS 10000 /* no step begins later in a turn; one step's calls take 20 s at most, and a lease lasts 30 s */
#define GATHER_MS 40
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 30000

/* How a step ended. */
struct ending {
    enum { ENDED_DONE, ENDED_WAITS, ENDED_FAILED, ENDED_UNTRIED } how;
    int64_t wait_ms;
    struct fault fault;
    /* What became known, by the kind of step; NULL where there is nothing. */
    struct charge charge;
    const Records__RegisterReply *registered;
    const Certificates__IssueReply *issued;
};

typedef bool (*step_run)(struct work *, const struct application *, const struct programme *, struct ending *);

/* Asked once more after a person let it try again: another act, or the connector would only recall the old one. */
static const char *act_anew(struct work *work, const struct application *a)
{
    return arena_format(work->arena, "%s|%lld", a->application, (long long)a->asked_person);
}

static enum application_state following(const struct programme *programme, const struct application *a)
{
    return state_next(programme, state_numbered(programme, a->channel), a->state);
}

/* The steps */

static bool residence_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    Residence__InquireRequest request = RESIDENCE__INQUIRE_REQUEST__INIT;
    (void)programme;
    request.manager = (char *)a->manager;
    request.application = (char *)a->application;
    request.programme = (char *)a->programme;
    request.pseudonym = (char *)a->pseudonym;
    *ending = (struct ending){.how = ENDED_WAITS, .wait_ms = ASKED_AGAIN_MS};
    return work_call(work, ROUTE_residence_inquire, act_anew(work, a), &request.base, NULL);
}

static bool family_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    Vault__GatewayIdRequest who = VAULT__GATEWAY_ID_REQUEST__INIT;
    Intermediate__InquireRequest request = INTERMEDIATE__INQUIRE_REQUEST__INIT;
    ProtobufCMessage *reply;
    who.manager = (char *)a->manager;
    who.pseudonym = (char *)a->pseudonym;
    who.application = (char *)a->application;
    if (!work_call(work, ROUTE_vault_gateway_id, a->application, &who.base, &reply))
        return false;
    request.manager = (char *)a->manager;
    request.application = (char *)a->application;
    request.programme = (char *)a->programme;
    request.gateway_id = ((const Vault__GatewayIdReply *)reply)->gateway_id;
    request.affair = (char *)programme->family_affair;
    request.item = (char *)programme->family_item;
    *ending = (struct ending){.how = ENDED_WAITS, .wait_ms = ASKED_AGAIN_MS};
    return work_call(work, ROUTE_intermediate_inquire, act_anew(work, a), &request.base, NULL);
}

static int64_t grown(int64_t first, int64_t limit, int64_t attempt)
{
    for (int64_t i = 1; i < attempt && first < limit; i++)
        first *= 2;
    return first < limit ? first : limit;
}

/* The longer nobody has paid, the more rarely we look. */
static int64_t payment_look_ms(int64_t age_ms)
{
    int64_t wait = age_ms / 16;
    return wait < PAYMENT_LOOK_MIN_MS ? PAYMENT_LOOK_MIN_MS : wait > PAYMENT_LOOK_MAX_MS ? PAYMENT_LOOK_MAX_MS : wait;
}

static bool fee_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    const struct programme_procedure *procedure = programme_procedure_find(programme, a->procedure);
    if (!(procedure->payments & PROGRAMME_ONLINE)) {
        *ending = (struct ending){.how = ENDED_WAITS, .wait_ms = ASKED_AGAIN_MS};
        return true;
    }
    if (!(*a->charge ? charge_look(work, a->charge, &ending->charge)
                     : charge_make(work, a->receipt, a->fee, &ending->charge)))
        return false;
    ending->how = ending->charge.paid ? ENDED_DONE : ENDED_WAITS;
    ending->wait_ms = payment_look_ms(clock_ms() - a->received_at_ms);
    return true;
}

static bool registration_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    Records__RegisterRequest request = RECORDS__REGISTER_REQUEST__INIT;
    Person__FourItems person = PERSON__FOUR_ITEMS__INIT;
    ProtobufCMessage *reply;
    const struct person *confirmed = *a->confirmed.name ? &a->confirmed : &a->person;
    char sex[2] = {confirmed->sex, 0};
    json_t *document = json_loadb((const char *)a->document.data, a->document.len, 0, NULL);
    char *items = json_dumps(json_object_get(document, "items"), JSON_COMPACT);
    (void)programme;
    person.name = (char *)confirmed->name;
    person.address = (char *)confirmed->address;
    person.birth_date = (char *)confirmed->birth_date;
    person.sex = sex;
    request.manager = (char *)a->manager;
    request.programme = (char *)a->programme;
    request.application = (char *)a->application;
    request.pseudonym = (char *)a->pseudonym;
    request.portal_pseudonym = (char *)a->portal_pseudonym;
    request.person = &person;
    request.domicile = (char *)a->domicile;
    request.receipt = (char *)a->receipt;
    request.received_at_ms = a->received_at_ms;
    if (items)
        request.items = (ProtobufCBinaryData){strlen(items), (uint8_t *)items};
    bool registered = items && work_call(work, ROUTE_records_register, a->application, &request.base, &reply);
    if (registered)
        *ending = (struct ending){.how = ENDED_DONE, .registered = (const Records__RegisterReply *)reply};
    free(items);
    json_decref(document);
    return registered;
}

static bool certificate_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    Certificates__IssueRequest request = CERTIFICATES__ISSUE_REQUEST__INIT;
    ProtobufCMessage *reply;
    const struct person *confirmed = *a->confirmed.name ? &a->confirmed : &a->person;
    (void)programme;
    request.manager = (char *)a->manager;
    request.programme = (char *)a->programme;
    request.body = (char *)a->body;
    request.application = (char *)a->application;
    request.entry = (char *)a->entry;
    request.version = a->version;
    request.pseudonym = (char *)a->pseudonym;
    request.portal_pseudonym = (char *)a->portal_pseudonym;
    request.registration_number = (char *)a->registration_number;
    request.fields = (ProtobufCBinaryData){a->fields.len, a->fields.data};
    request.name = (char *)confirmed->name;
    request.birth_date = (char *)confirmed->birth_date;
    if (!work_call(work, ROUTE_certificates_issue, a->application, &request.base, &reply))
        return false;
    *ending = (struct ending){.how = ENDED_DONE, .issued = (const Certificates__IssueReply *)reply};
    return true;
}

static bool legacy_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    LegacySync__HandOverRequest request = LEGACY_SYNC__HAND_OVER_REQUEST__INIT;
    (void)programme;
    request.manager = (char *)a->manager;
    request.programme = (char *)a->programme;
    request.application = (char *)a->application;
    request.pseudonym = (char *)a->pseudonym;
    request.entry = (char *)a->entry;
    request.registration_number = (char *)a->registration_number;
    request.fields = (ProtobufCBinaryData){a->fields.len, a->fields.data};
    *ending = (struct ending){.how = ENDED_WAITS, .wait_ms = ASKED_AGAIN_MS};
    return work_call(work, ROUTE_legacy_sync_hand_over, act_anew(work, a), &request.base, NULL);
}

static bool notice_ask(
    struct work *work, const struct application *a, const struct programme *programme, struct ending *ending)
{
    *ending = (struct ending){.how = ENDED_DONE};
    /* On paper there is no portal pseudonym; the outcome goes by post, outside this system. */
    if (!*a->portal_pseudonym)
        return true;
    return notice_send(work, a, state_name(following(programme, a)));
}

/* The turn */

struct lane_detail {
    const char *states; /* a PostgreSQL array */
    step_run run;
};

#define DETAIL(states, run) (&(const struct lane_detail){states, run})

static int application_turn(struct work *work, const struct lane *lane);

struct lane application_lanes[APPLICATION_LANES] = {
    {"residence", 1, application_turn, DETAIL("{residence}", residence_ask), LEASE_MAX, GATHER_MS},
    {"family", 1, application_turn, DETAIL("{family}", family_ask), LEASE_MAX, GATHER_MS},
    {"fee", 1, application_turn, DETAIL("{fee}", fee_ask), LEASE_MAX, GATHER_MS},
    {"registering", 1, application_turn, DETAIL("{registering}", registration_ask), LEASE_MAX, GATHER_MS},
    {"certifying", 1, application_turn, DETAIL("{certifying}", certificate_ask), LEASE_MAX, GATHER_MS},
    {"handing_over", 1, application_turn, DETAIL("{handing_over}", legacy_ask), LEASE_MAX, GATHER_MS},
    {"notifying", 1, application_turn, DETAIL("{notifying,returning,rejecting}", notice_ask), LEASE_MAX, GATHER_MS},
    {"pieces", 1, pieces_turn, NULL, 0, 0},
};

void application_wake(enum application_state state)
{
    for (size_t i = 0; i < APPLICATION_LANES; i++) {
        const struct lane_detail *detail = application_lanes[i].detail;
        if (detail && strstr(detail->states, state_name(state)))
            step_wake(application_lanes[i].name);
    }
}

void application_lanes_set_threads(int threads)
{
    for (size_t i = 0; i < APPLICATION_LANES; i++)
        application_lanes[i].threads = threads;
}

static void step_do(
    struct work *work, const struct lane_detail *detail, const struct application *a, struct ending *ending)
{
    const struct programme *programme = programme_find(intake_programmes(), a->programme);
    memset(ending, 0, sizeof *ending);
    work->correlation = a->application;
    work->fault.code = FAULT_NONE;
    bool done =
        programme ? detail->run(work, a, programme, ending) : fault_set(&work->fault, FAULT_programme_unknown, NULL);
    if (!done) {
        ending->how = ENDED_FAILED;
        ending->fault = work->fault;
        journal(JOURNAL_WARNING, a->application, "step_failed", WORD("state", state_name(a->state)),
            WORD("code", fault_code_text(work->fault.code)), WORD("field", work->fault.field),
            NUMBER("attempt", a->attempt));
    }
}

static void failure_record(struct work *work, const struct application *a, const struct ending *ending)
{
    bool hopeless =
        fault_outcome(ending->fault.code) == OUTCOME_REJECT || a->attempt >= setting_number("SHIKAKU_TRIES");
    bool telling = a->state == STATE_returning || a->state == STATE_rejecting;
    if (hopeless && !telling)
        application_move(work, a,
            &(struct move){.to = STATE_person, .resume = a->state, .code = fault_code_text(ending->fault.code)});
    else
        application_postpone(work, a, grown(RETRY_MIN_MS, RETRY_MAX_MS, a->attempt));
}

static void ending_record(struct work *work, const struct application *a, const struct ending *ending)
{
    const struct programme *programme = programme_find(intake_programmes(), a->programme);
    work_switch(work, a->manager);
    if (ending->how == ENDED_FAILED) {
        failure_record(work, a, ending);
        return;
    }
    if (ending->how == ENDED_UNTRIED) {
        application_put_back(work, a);
        return;
    }
    if (ending->charge.id && !*a->charge)
        application_set_charge(work, a, ending->charge.id, ending->charge.pay_url);
    if (ending->how == ENDED_WAITS) {
        application_wait(work, a, ending->wait_ms);
        return;
    }
    if (ending->charge.id)
        application_set_paid(work, a, "online", a->fee, ending->charge.id);
    if (ending->registered)
        application_set_entry(work, a, ending->registered->entry, ending->registered->version,
            ending->registered->registration_number,
            (struct bytes){ending->registered->fields.data, ending->registered->fields.len});
    if (ending->issued)
        application_set_certificate(work, a, ending->issued->certificate);
    application_move(work, a, &(struct move){.to = following(programme, a), .code = "done"});
    work_audit(work, &(struct touch){.act = state_name(a->state), .subject = a->pseudonym, .reason = a->application});
}

static bool endings_record(
    struct work *work, const struct application *list, const struct ending *endings, size_t count)
{
    if (!count || !work_begin(work, list[0].manager))
        return count == 0;
    for (size_t i = 0; i < count; i++)
        ending_record(work, &list[i], &endings[i]);
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static size_t leased_read(
    struct work *work, const struct application_id *leased, size_t count, struct application *list)
{
    if (!count || !work_begin(work, leased[0].manager))
        return 0;
    size_t read = applications_find(work, leased, count, list);
    for (size_t i = 0; i < read; i++) {
        const struct application *a = &list[i];
        work_switch(work, a->manager);
        work_audit(
            work, &(struct touch){.act = "application_opened", .subject = a->pseudonym, .reason = a->application});
    }
    return work_commit(work, NULL) == OUTCOME_DONE ? read : 0;
}

static int application_turn(struct work *work, const struct lane *lane)
{
    struct application_id leased[LEASE_MAX];
    struct application *list = arena_take(work->arena, LEASE_MAX * sizeof *list);
    struct ending *endings = arena_take(work->arena, LEASE_MAX * sizeof *endings);
    const struct lane_detail *detail = lane->detail;
    if (!list || !endings)
        return 0;
    size_t leases = queue_lease(work, detail->states, leased), count = leased_read(work, leased, leases, list);
    int64_t until = clock_ms() + TURN_MS;
    for (size_t i = 0; i < count; i++)
        if (clock_ms() < until)
            step_do(work, detail, &list[i], &endings[i]);
        else
            endings[i] = (struct ending){.how = ENDED_UNTRIED};
    if (count && !endings_record(work, list, endings, count))
        for (size_t i = 0; i < count; i++)
            if (!endings_record(work, &list[i], &endings[i], 1))
                journal(JOURNAL_WARNING, list[i].application, "outcome_not_recorded",
                    WORD("state", state_name(list[i].state)));
    for (size_t i = 0; i < count; i++)
        if (endings[i].how == ENDED_DONE)
            step_wake(state_name(following(programme_find(intake_programmes(), list[i].programme), &list[i])));
    return (int)leases;
}
