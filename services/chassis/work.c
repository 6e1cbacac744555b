#include "chassis/work.h"

#include "chassis/audit_outbox_store.h"
#include "chassis/cover.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/second_person.h"
#include "chassis/step.h"
#include "chassis/work_state.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void uuid_make(char text[37])
{
    uint8_t raw[16];
    char hex[33];
    RAND_bytes(raw, sizeof raw);
    raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
    raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
    hex_put(hex, raw, sizeof raw);
    snprintf(text, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void hex_put(char *text, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * len] = '\0';
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool hex_take(void *bytes, size_t len, const char *text)
{
    uint8_t *at = bytes;
    if (strlen(text) != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        at[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Calling */

bool work_call(
    struct work *work, enum route route, const char *act, const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    struct bus_request request = {.route = route, .correlation = work->correlation, .message = message};
    if (work->pg && pg_in_transaction(work->pg)) {
        journal(JOURNAL_ERROR, work->correlation, "call_inside_transaction", WORD("route", route_row(route)->name));
        return fault_set(&work->fault, FAULT_internal, NULL);
    }
    if (route_needs_key(route) && work->pg && !second_person_lets_act(work))
        return false;
    if (route_needs_key(route)) {
        bus_key(key, route, act, NULL);
        request.key = key;
    }
    /* portal, which has no schema, speaks for the person on every route: some let a holder or staff ask. */
    if (work->envelope && (route_row(route)->right != RIGHT_none || !work->pg)) {
        request.actor_token = work->envelope->actor_token;
        request.purpose = work->envelope->purpose;
    }
    return bus_call(work->state->caller, work->arena, &request, reply, &work->fault);
}

/* The person behind a request */

static bool purpose_take(struct work_state *state, const char *purpose, struct fault *fault)
{
    if (*purpose && !rights_purpose_exists(purpose))
        return fault_set(fault, FAULT_not_permitted, "purpose");
    snprintf(state->purpose, sizeof state->purpose, "%s", *purpose ? purpose : rights_usual_purpose(state->right));
    return true;
}

bool work_take_actor(struct work *work, enum right right)
{
    struct work_state *state = work->state;
    if (!actor_verify(work->envelope->actor_token, clock_ms(), &state->actor, &work->fault))
        return false;
    work->actor = &state->actor;
    state->right = right;
    if (!purpose_take(state, work->envelope->purpose, &work->fault) ||
        !rights_permit(work->actor, right, state->purpose, NULL, &work->fault))
        return false;
    const struct loan *loan = rights_loan(work->actor, right, state->purpose);
    if (loan)
        snprintf(state->loan, sizeof state->loan, "loan:%s", loan->id);
    return true;
}

bool work_permits(struct work *work, const struct affair *affair)
{
    struct work_state *state = work->state;
    state->permitted = false;
    if (!work->actor)
        return fault_set(&work->fault, FAULT_not_permitted, NULL);
    if (strcmp(work->actor->manager, affair->manager) != 0)
        return fault_set(&work->fault, FAULT_not_permitted, "manager");
    if (!rights_permit(work->actor, state->right, state->purpose, affair->programme, &work->fault))
        return false;
    if (*work->actor->body && affair->body && strcmp(work->actor->body, affair->body) != 0)
        return fault_set(&work->fault, FAULT_not_permitted, "body");
    snprintf(state->programme, sizeof state->programme, "%s", affair->programme ? affair->programme : "");
    snprintf(state->body, sizeof state->body, "%s", affair->body ? affair->body : "");
    state->permitted = true;
    state->two_persons = rights_need_two(work->actor, state->right, state->purpose, affair->programme);
    return true;
}

/* What the person may see is pinned for row-level security as well. */
static void person_pin(struct work *work)
{
    char programmes[RIGHTS_PROGRAMMES_MAX];
    struct work_state *state = work->state;
    if (!work->actor || state->right == RIGHT_none || state->right == RIGHT_session)
        return;
    rights_programmes(work->actor, state->right, state->purpose, programmes);
    if (*programmes || *work->actor->body)
        pg_narrow(work->pg, programmes, work->actor->body);
}

/* A handler that forgot to ask must not be taken to have been permitted. */
static bool person_was_permitted(const struct work *work)
{
    const struct work_state *state = work->state;
    return !work->actor || state->right == RIGHT_none || state->right == RIGHT_session || state->permitted;
}

/* Transactions */

static void chain_restart(struct work_state *state)
{
    uuid_make(state->committed.instance);
    state->committed.sequence = 0;
    memset(state->committed.digest, 0, sizeof state->committed.digest);
    state->pending = state->committed;
}

static void chain_advance(struct work_state *state)
{
    audit_outbox_added((int64_t)(state->pending.sequence - state->committed.sequence));
    state->committed = state->pending;
}

static struct cover_place inbox_place(struct work *work, char row[2 * IDEMPOTENCY_KEY_BYTES + 1])
{
    hex_put(row, work->envelope->idempotency_key.data, IDEMPOTENCY_KEY_BYTES);
    return (struct cover_place){"inbox", "*", row};
}

static void inbox_forget(struct work_state *state)
{
    PQclear(state->earlier);
    state->earlier = NULL;
}

/* True when a stored reply to this request was found, or a fault is set: there is nothing more to do. False also while
 * the inbox was not heard. */
static bool replay_found(struct work *work)
{
    struct work_state *state = work->state;
    uint8_t stored_sha256[32];
    struct bytes covered;
    char row[2 * IDEMPOTENCY_KEY_BYTES + 1];
    bool found = state->earlier && inbox_read(state->earlier, stored_sha256, &covered);
    if (found && memcmp(stored_sha256, state->request_sha256, 32) != 0)
        fault_set(&work->fault, FAULT_key_reused, NULL);
    else if (found) {
        state->reply = cover_take(work->arena, inbox_place(work, row), covered.data, covered.len);
        state->answered = state->reply.data != NULL;
        if (!state->answered)
            fault_set(&work->fault, FAULT_internal, NULL);
    }
    inbox_forget(state);
    return found;
}

static bool has_key(const struct work *work)
{
    return work->envelope && route_needs_key(work->state->route);
}

bool work_begin(struct work *work, const char *manager)
{
    struct work_state *state = work->state;
    work->fault.code = FAULT_NONE;
    if (manager != state->manager) /* of whom it is already: work_refuse begins anew */
        snprintf(state->manager, sizeof state->manager, "%s", manager);
    if (!pg_ensure(work->pg, &work->fault))
        return false;
    state->pending = state->committed;
    state->outbox_filled = state->audit_filled = false;
    inbox_forget(state);
    pg_begin(work->pg, manager);
    person_pin(work);
    if (has_key(work))
        inbox_ask(work->pg, work->peer->name, work->envelope->idempotency_key.data, &state->earlier);
    return true;
}

void work_switch(struct work *work, const char *manager)
{
    snprintf(work->state->manager, sizeof work->state->manager, "%s", manager);
    pg_set_manager(work->pg, manager);
}

const char *work_manager(const struct work *work)
{
    return work->state->manager;
}

static bool reply_keep(struct work *work, const ProtobufCMessage *reply)
{
    struct work_state *state = work->state;
    char row[2 * IDEMPOTENCY_KEY_BYTES + 1];
    state->reply.len = protobuf_c_message_get_packed_size(reply);
    state->reply.data = arena_take(work->arena, state->reply.len + 1);
    if (!state->reply.data)
        return false;
    protobuf_c_message_pack(reply, state->reply.data);
    if (!has_key(work))
        return true;
    struct bytes covered = cover_put(work->arena, inbox_place(work, row), state->reply.data, state->reply.len);
    if (!covered.data)
        return false;
    inbox_put(work->pg, work->peer->name, work->envelope->idempotency_key.data, route_row(state->route)->name,
        state->request_sha256, covered);
    return true;
}

static void wake_relays(const struct work_state *state)
{
    if (state->outbox_filled)
        step_wake(LANE_OUTBOX);
    if (state->audit_filled)
        step_wake(LANE_AUDIT);
}

enum outcome work_commit(struct work *work, const ProtobufCMessage *reply)
{
    struct work_state *state = work->state;
    bool in_database = work->pg && pg_in_transaction(work->pg);
    if (!person_was_permitted(work)) {
        journal(JOURNAL_ERROR, work->correlation, "person_not_asked", WORD("route", route_row(state->route)->name));
        return work_refuse_with(work, FAULT_internal, NULL);
    }
    if (replay_found(work)) {
        pg_rollback(work->pg);
        return work_end(work);
    }
    if (in_database && has_key(work) && (state->two_persons || *state->approving) && !second_person_agrees(work))
        return work_refuse(work);
    if (in_database && reply)
        record_what_was_not_said(work);
    if (reply && *state->approving && !(reply = proposal_answer(work, reply)))
        return work_refuse_with(work, FAULT_internal, NULL);
    if (reply ? !reply_keep(work, reply) : has_key(work)) /* a command commits once, with its reply */
        return work_refuse_with(work, FAULT_internal, NULL);
    if (in_database && !key_guard_holds(state->guard))
        return work_refuse_with(work, FAULT_unavailable, "keys");
    if (!in_database || pg_commit(work->pg, &work->fault)) {
        inbox_forget(state);
        if (in_database)
            chain_advance(state);
        state->answered = reply != NULL;
        wake_relays(state);
        return OUTCOME_DONE;
    }
    state->reply.data = NULL;
    if (!pg_was_duplicate(work->pg)) /* it cannot be known whether the commit took place */
        chain_restart(state);
    return work_refuse(work);
}

enum outcome work_end(struct work *work)
{
    return work->state->answered ? OUTCOME_DONE : work_refuse(work);
}

enum outcome work_refuse_with(struct work *work, enum fault_code code, const char *field)
{
    fault_set(&work->fault, code, field);
    return work_refuse(work);
}

/* Handled at the same time, perhaps, by another worker, which won: look again. */
static bool replay_won(struct work *work)
{
    struct fault refused = work->fault;
    if (!has_key(work) || !work_begin(work, work->state->manager))
        return false;
    pg_rollback(work->pg); /* which hears the inbox */
    if (replay_found(work))
        return true;
    work->fault = refused;
    return false;
}

/* Out of touch, we may have looked under a key that the others have left, or not know the one that they have taken. */
static bool refused_out_of_touch(const struct work *work)
{
    return work->pg && fault_outcome(work->fault.code) == OUTCOME_REJECT &&
           (pg_in_transaction(work->pg) || work->fault.code == FAULT_key_retired) &&
           !key_guard_holds(work->state->guard);
}

enum outcome work_refuse(struct work *work)
{
    struct work_state *state = work->state;
    if (refused_out_of_touch(work))
        fault_set(&work->fault, FAULT_unavailable, "keys");
    /* What the handler refuses may be what another worker did between the inbox's answer and the handler's look. */
    bool may_have_lost =
        work->pg && (pg_was_duplicate(work->pg) ||
                        (pg_in_transaction(work->pg) && fault_outcome(work->fault.code) == OUTCOME_REJECT));
    if (work->pg)
        pg_rollback(work->pg);
    if ((replay_found(work) || (may_have_lost && replay_won(work))) && state->answered)
        return OUTCOME_DONE;
    if (work->fault.code == FAULT_NONE) /* a handler that refuses and does not say why must not be taken to agree */
        fault_set(&work->fault, FAULT_internal, NULL);
    struct fault refused = work->fault;
    state->answered = false;
    if (work->pg) {
        state->pending = state->committed;
        if (work->envelope && fault_outcome(refused.code) == OUTCOME_REJECT && pg_ensure(work->pg, &work->fault)) {
            pg_begin(work->pg, state->manager);
            record_refusal(work, refused.code);
            if (state->proposing)
                proposal_keep(work);
            if (pg_commit(work->pg, &work->fault)) {
                chain_advance(state);
                step_wake(LANE_AUDIT);
            } else
                chain_restart(state);
        }
    }
    work->fault = refused;
    return fault_outcome(refused.code);
}

void work_outbox(
    struct work *work, enum route route, const char *aggregate, const char *act, const ProtobufCMessage *event)
{
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    char row[2 * IDEMPOTENCY_KEY_BYTES + 1];
    bus_key(key, route, act, NULL);
    hex_put(row, key, sizeof key);
    size_t len = protobuf_c_message_get_packed_size(event);
    uint8_t *plain = arena_take(work->arena, len + 1);
    struct bytes covered = {NULL, 0};
    if (plain) {
        protobuf_c_message_pack(event, plain);
        covered = cover_put(work->arena, (struct cover_place){"outbox", "*", row}, plain, len);
    }
    if (!covered.data) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    outbox_put(work->pg, route, key, aggregate, covered);
    work->state->outbox_filled = true;
}

/* Making */

static void request_digest(struct work *work)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    EVP_DigestUpdate(digest, work->envelope->route, strlen(work->envelope->route) + 1);
    EVP_DigestUpdate(digest, work->envelope->payload.data, work->envelope->payload.len);
    EVP_DigestFinal_ex(digest, work->state->request_sha256, NULL);
    EVP_MD_CTX_free(digest);
}

void work_take_manager(struct work *work, const ProtobufCMessage *request)
{
    struct work_state *state = work->state;
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "manager");
    if (!field || field->type != PROTOBUF_C_TYPE_STRING)
        return;
    const char *manager = *(char *const *)((const char *)request + field->offset);
    if (manager && strlen(manager) < sizeof state->manager)
        snprintf(state->manager, sizeof state->manager, "%s", manager);
}

void work_take_request(
    struct work *work, enum route route, const Bus__Envelope *envelope, const ProtobufCMessage *request)
{
    struct work_state *state = work->state;
    work->envelope = envelope;
    work->request = request;
    work->peer = &state->peer;
    work->correlation = envelope->correlation;
    state->route = route;
    state->answered = false;
    state->reply = (struct bytes){NULL, 0};
    state->manager[0] = '\0';
    state->purpose[0] = '\0';
    state->loan[0] = '\0';
    state->two_persons = state->proposing = false;
    state->approving[0] = state->programme[0] = state->body[0] = '\0';
    state->right = route_row(route)->right;
    state->permitted = false;
    state->programme[0] = '\0';
    state->outbox_filled = state->audit_filled = false;
    if (route_needs_key(route))
        request_digest(work);
    if (request)
        work_take_manager(work, request);
}

#define ARENA_LIMIT (8 * 1024 * 1024)

static _Atomic int workers_made;

struct work *work_new(const struct service *service)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work)
        return NULL;
    struct work_state *state = work->state = calloc(1, sizeof *state);
    work->arena = arena_new(ARENA_LIMIT);
    if (!state || !work->arena)
        goto fail;
    state->service = service;
    chain_restart(state);
    state->committed.worker = state->pending.worker = workers_made++;
    state->guard = key_guard_new();
    state->caller = bus_caller_new(service->name);
    state->sealer = sealer_new(service->name);
    if (!state->guard || !state->caller || !state->sealer)
        goto fail;
    if (service->schema_version && !(work->pg = pg_new(setting_text("SHIKAKU_DSN"))))
        goto fail;
    return work;
fail:
    work_free(work);
    return NULL;
}

void work_free(struct work *work)
{
    if (!work)
        return;
    if (work->state) {
        bus_caller_free(work->state->caller);
        sealer_free(work->state->sealer);
        inbox_forget(work->state);
        key_guard_free(work->state->guard);
        free(work->state);
    }
    pg_close(work->pg);
    arena_free(work->arena);
    free(work);
}

void work_rest(struct work *work)
{
    key_guard_leave(work->state->guard);
}

void work_reset(struct work *work)
{
    if (work->pg && pg_in_transaction(work->pg))
        pg_rollback(work->pg);
    inbox_forget(work->state);
    arena_reset(work->arena);
    key_guard_enter(work->state->guard);
    work->envelope = NULL;
    work->request = NULL;
    work->peer = NULL;
    work->actor = NULL;
    work->correlation = NULL;
    work->fault.code = FAULT_NONE;
    work->state->answered = false;
    work->state->right = RIGHT_none;
    work->state->permitted = false;
}
