/* One cell of the authorisation matrix: a person of a role and manager uses a route on an entry of a programme, in a
 * state, through the real dispatch of the receiving service (store/house.h). Included by tests/store/matrix.c. */
#ifndef STORE_MATRIX_H
#define STORE_MATRIX_H

#include "store/house.h"

#include "certificates.pb-c.h"
#include "intake.pb-c.h"
#include "intake/application_state.h"
#include "intake/application_store.h"
#include "kit/form.h"
#include "residence.pb-c.h"
#include "residence/candidate_list.h"
#include "residence/inquiry_store.h"

#define PROGRAMMES_MAX 16
#define TERMINAL "1111111111111111111111111111111111111111111111111111111111111111"

enum whose {
    OWN,
    NAMED,
    CROSSED,
    WHOSE
}; /* NAMED: another manager's entry, named so; CROSSED: as if it were one's own */
static const char *const whose_texts[WHOSE] = {"own", "other, named", "other, as own"};

struct entry { /* what there is of a programme */
    const struct programme *programme;
    char applications[STATES][37], receipts[STATES][16];
    char inquiry[37], certificate[40];
    char *document;
    int64_t fee;
};
static struct entry entries[PROGRAMMES_MAX];
static size_t entry_count;

struct cell {
    const char *role;
    enum route route;
    const struct entry *entry;
    enum whose whose;
    enum application_state state;
    const char *purpose, *programmes, *body; /* of request and token; "" the usual, all, none */
    const Staff__ActorLoan *loan;            /* of the token; NULL: none */
    const char *account;                     /* NULL: sato */
};

struct verdict {
    bool permitted;       /* it was not for want of a right that it was refused */
    enum fault_code code; /* FAULT_NONE: done */
    char field[FAULT_FIELD_MAX];
};

static struct bus_caller *portal;
static struct arena *cell_arena;

/* --- what there is ------------------------------------------------------------------------------------------------ */

static inline void application_seed(struct entry *entry, enum application_state state, int number)
{
    struct work *work = house_room("intake")->work;
    struct application a = {0};
    const char *known;
    char digest[40];
    snprintf(entry->applications[state], 37, "%08x-0000-4000-8000-%012x", number, state + 1);
    snprintf(entry->receipts[state], 16, "A%04d-%05d", number, (int)state);
    snprintf(digest, sizeof digest, "%032d", number * 100 + (int)state);
    work_reset(work);
    a.manager = entry->programme->manager;
    a.application = entry->applications[state];
    a.receipt = entry->receipts[state];
    a.programme = entry->programme->code;
    a.procedure = "registration";
    a.channel = "online";
    a.body = "";
    a.manifest_sha256 = a.signer_sha256 = (struct bytes){(uint8_t *)digest, 32};
    a.document = (struct bytes){(uint8_t *)entry->document, strlen(entry->document)};
    a.signature = (struct bytes){(uint8_t *)"s", 1};
    a.portal_pseudonym = "portal-1";
    a.pseudonym = "PSEUDONYM-1";
    a.received_at_ms = clock_ms();
    a.fee = 100;
    a.state = state;
    ck_assert(person_fill(&a.person, "架空　花子", "東京都架空区1-1", "20000229", "2", &work->fault));
    ck_assert(work_begin(work, a.manager));
    ck_assert_msg(application_insert(work, &a, &known), "%s", fault_code_text(work->fault.code));
    ck_assert_int_eq(work_commit(work, NULL), OUTCOME_DONE);
}

static inline void inquiry_seed(struct entry *entry)
{
    static const struct person_text people[] = {{"架空　花子", "東京都架空区1-1", "20000229", "2"}};
    struct work *work = house_room("residence")->work;
    struct inquiry inquiry = {.instant = true,
        .application = entry->applications[STATE_residence_terminal],
        .programme = entry->programme->code,
        .pseudonym = "",
        .account = "seed",
        .body = "",
        .outcome = "one"};
    work_reset(work);
    uuid_make(inquiry.id);
    snprintf(entry->inquiry, sizeof entry->inquiry, "%s", inquiry.id);
    snprintf(inquiry.manager, sizeof inquiry.manager, "%s", entry->programme->manager);
    struct bytes list = candidate_list_put(work->arena, people, 1);
    ck_assert(work_begin(work, inquiry.manager));
    inquiry_put(work, &inquiry);
    inquiry.state = INQUIRY_ANSWERED;
    inquiry_finish_put(work, &inquiry, "");
    ck_assert(passing_put(work, inquiry.manager, inquiry.id, "list", list.data, list.len));
    ck_assert_int_eq(work_commit(work, NULL), OUTCOME_DONE);
}

static inline void certificate_seed(struct entry *entry, int number)
{
    Certificates__IssueRequest request = CERTIFICATES__ISSUE_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct fault fault = {0};
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    char id[37];
    snprintf(id, sizeof id, "0000000e-0000-4000-8000-%012x", number);
    request.manager = (char *)entry->programme->manager;
    request.programme = (char *)entry->programme->code;
    request.application = entry->applications[0];
    request.entry = id;
    request.version = 1;
    request.pseudonym = "PSEUDONYM-1";
    request.portal_pseudonym = "portal-1";
    request.registration_number = "第000001号";
    request.fields = (ProtobufCBinaryData){2, (uint8_t *)"{}"};
    request.name = "架空　花子";
    request.birth_date = "20000229";
    house_turn("intake");
    struct bus_caller *caller = bus_caller_new("intake");
    bus_key(key, ROUTE_certificates_issue, id, NULL);
    bool issued = bus_call(caller, cell_arena,
        &(struct bus_request){.route = ROUTE_certificates_issue, .key = key, .message = &request.base}, &reply, &fault);
    ck_assert_msg(issued, "%s: %s %s", entry->programme->code, fault_code_text(fault.code), fault.field);
    snprintf(
        entry->certificate, sizeof entry->certificate, "%s", ((const Certificates__IssueReply *)reply)->certificate);
    bus_caller_free(caller);
    house_turn("portal");
}

static inline char *document_make(const struct programme *programme)
{
    struct kit_person person;
    char id[37];
    uuid_make(id);
    kit_person_make(&person, 20260101, 1);
    json_t *document = json_pack("{ss ss ss ss so}", "application", id, "programme", programme->code, "procedure",
        "registration", "manager", programme->manager, "items",
        kit_form_fill(programme_procedure_find(programme, "registration"), &person));
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    return text;
}

static inline void matrix_open(void)
{
    house_open();
    cell_arena = arena_new(8 << 20);
    house_turn("portal");
    portal = bus_caller_new("portal");
    for (size_t i = 0; i < programmes_count(programmes_in_use()); i++) {
        struct entry *entry = &entries[entry_count++];
        entry->programme = programmes_at(programmes_in_use(), i);
        entry->document = document_make(entry->programme);
        entry->fee = 100;
        house_turn("intake");
        for (enum application_state state = 0; state < STATES; state++)
            application_seed(entry, state, (int)i);
        house_turn("residence");
        inquiry_seed(entry);
        certificate_seed(entry, (int)i);
        arena_reset(cell_arena);
    }
    house_turn("portal");
    /* A lost commit of these loses nothing here, and thousands of refusals need not wait for the disk. */
    for (size_t i = 0; i < ROOMS; i++) {
        char sql[96];
        snprintf(sql, sizeof sql, "ALTER TABLE %s.audit_outbox SET UNLOGGED", rooms[i].service.name);
        house_do("", sql);
        snprintf(sql, sizeof sql, "ALTER TABLE %s.inbox SET UNLOGGED", rooms[i].service.name);
        house_do("", sql);
    }
}

static inline void matrix_close(void)
{
    for (size_t i = 0; i < entry_count; i++)
        free(entries[i].document);
    entry_count = 0;
    house_turn("portal");
    bus_caller_free(portal);
    arena_free(cell_arena);
    house_close();
}

/* --- a cell ------------------------------------------------------------------------------------------------------- */

/* A token that says every right: what a service lets through is then by its own table alone. */
static inline char *token_of(const struct cell *cell, const char *manager)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    struct rights_edition edition;
    char *rights[RIGHTS], *programmes[] = {(char *)cell->programmes};
    uint8_t packed[1024], signature[64];
    rights_edition(&edition);
    for (int right = 1; right < RIGHTS; right++)
        rights[actor.n_rights++] = (char *)right_name(right);
    actor.rights = rights;
    Staff__ActorLoan *loans[] = {(Staff__ActorLoan *)cell->loan};
    actor.loans = loans;
    actor.n_loans = cell->loan ? 1 : 0;
    actor.account = (char *)(cell->account ? cell->account : "sato");
    actor.role = (char *)cell->role;
    actor.manager = (char *)manager;
    actor.programmes = programmes;
    actor.n_programmes = *cell->programmes ? 1 : 0;
    actor.body = (char *)cell->body;
    actor.terminal = TERMINAL;
    actor.session = "00000000-0000-4000-8000-000000000001";
    actor.expires_at_ms = clock_ms() + 60000;
    actor.rights_version = edition.version;
    const char *before = house_turn("staff");
    const struct key key = *keyring_newest("*", KEY_SIGN);
    house_turn(before);
    size_t size = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(&key, packed, size, signature));
    return arena_format(
        cell_arena, "%s.%s", base64url_put(cell_arena, packed, size), base64url_put(cell_arena, signature, 64));
}

/* How it is paid at the counter. */
static inline const char *method_of(const struct programme *programme)
{
    return programme_procedure_find(programme, "registration")->payments & PROGRAMME_CASH ? "cash" : "stamps";
}

/* What a field of a request is given, by its name. NULL: left as it is. */
static inline const char *field_text(const struct cell *cell, const char *manager, const char *name)
{
    const struct entry *entry = cell->entry;
    const struct {
        const char *name, *value;
    } values[] = {
        {"manager", manager},
        {"programme", entry->programme->code},
        {"receipt", entry->receipts[cell->state]},
        {"application", entry->applications[cell->state]},
        {"inquiry", entry->inquiry},
        {"certificate", entry->certificate},
        {"key", "number"},
        {"pseudonym", "PSEUDONYM-1"},
        {"decision", "accept"},
        {"method", method_of(entry->programme)},
        {"reason", "case-1"},
        {"identity_check", "card"},
        {"terminal", TERMINAL},
        {"format", "lines"},
        {"kind", "join"},
        {"other", "PSEUDONYM-2"},
        {"correction", "0000000c-0000-4000-8000-000000000001"},
        {"sealed_number", entry->programme->number_on_paper ? "no.jwe" : ""},
        {"entry", entry->applications[0]},
        {"account", "sato"},
        {"finding", "0000000f-0000-4000-8000-000000000001"},
        {"incident", "0000000a-0000-4000-8000-000000000001"},
        {"outline", "架空の事案"},
        {"second_factor", "none"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].name, name) == 0)
            return values[i].value;
    return NULL;
}

static inline ProtobufCMessage *request_make(const struct cell *cell, const char *manager)
{
    const ProtobufCMessageDescriptor *descriptor = route_row(cell->route)->request;
    ProtobufCMessage *request = arena_take(cell_arena, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, request);
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char *at = (char *)request + field->offset;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            continue;
        const char *text = field->type == PROTOBUF_C_TYPE_STRING ? field_text(cell, manager, field->name) : NULL;
        if (text)
            *(const char **)at = text;
        if (strcmp(field->name, "amount") == 0)
            *(int64_t *)at = cell->entry->fee;
        if (strcmp(field->name, "from_ms") == 0)
            *(int64_t *)at = 1;
        if (strcmp(field->name, "until_ms") == 0)
            *(int64_t *)at = 2;
        if (strcmp(field->name, "scope") == 0)
            *(int32_t *)at = 1;
        if (strcmp(field->name, "document") == 0)
            *(ProtobufCBinaryData *)at =
                (ProtobufCBinaryData){strlen(cell->entry->document), (uint8_t *)cell->entry->document};
        if (strcmp(field->name, "signer") == 0)
            *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){32, (uint8_t *)TERMINAL};
    }
    return request;
}

/* Is what was refused refused for want of a right? What row-level security does not show is not found. */
static inline bool is_for_rights(const struct fault *fault)
{
    switch (fault->code) {
    case FAULT_not_permitted:
    case FAULT_not_authenticated:
    case FAULT_route_not_allowed:
        return true;
    case FAULT_not_found:
        return strcmp(fault->field, "receipt") == 0 || strcmp(fault->field, "certificate") == 0 ||
               strcmp(fault->field, "inquiry") == 0;
    default:
        return false;
    }
}

static inline bool list_shows(const ProtobufCMessage *reply, const struct entry *entry, enum application_state state)
{
    const Intake__ListReply *list = (const Intake__ListReply *)reply;
    for (size_t i = 0; i < list->n_applications; i++)
        if (strcmp(list->applications[i]->receipt, entry->receipts[state]) == 0)
            return true;
    return false;
}

static inline const char *other_manager(const char *manager)
{
    return strcmp(manager, "nara") == 0 ? "tokyo" : "nara";
}

/* What a command did is undone, so that the next cell finds what this one found. */
static inline void cell_undo(const struct cell *cell)
{
    char sql[400];
    snprintf(sql, sizeof sql, "UPDATE intake.queue SET state = '%s', resume = '' WHERE application = '%s'",
        state_name(cell->state), cell->entry->applications[cell->state]);
    house_do(cell->entry->programme->manager, sql);
    snprintf(sql, sizeof sql,
        "UPDATE intake.application SET fee_state = 'due', residence_result = '' WHERE application = '%s'",
        cell->entry->applications[cell->state]);
    house_do(cell->entry->programme->manager, sql);
    snprintf(sql, sizeof sql, "DELETE FROM intake.fee_entry WHERE application = '%s'",
        cell->entry->applications[cell->state]);
    house_do(cell->entry->programme->manager, sql);
}

static inline struct verdict cell_run(const struct cell *cell)
{
    const char *of_entry = cell->entry->programme->manager;
    const char *of_person = cell->whose == OWN ? of_entry : other_manager(of_entry);
    const char *named = cell->whose == CROSSED ? of_person : of_entry;
    struct verdict verdict = {.permitted = true};
    struct fault fault = {0};
    ProtobufCMessage *reply = NULL;
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    arena_reset(cell_arena);
    ck_assert_int_eq(RAND_bytes(key, sizeof key), 1);
    const struct bus_request request = {.route = cell->route,
        .key = route_needs_key(cell->route) ? key : NULL,
        .actor_token = token_of(cell, of_person),
        .purpose = cell->purpose,
        .message = request_make(cell, named)};
    if (!bus_call(portal, cell_arena, &request, &reply, &fault)) {
        verdict.code = fault.code;
        snprintf(verdict.field, sizeof verdict.field, "%s", fault.field);
        verdict.permitted = !is_for_rights(&fault);
    } else if (cell->route == ROUTE_intake_list)
        verdict.permitted = list_shows(reply, cell->entry, STATE_review);
    else if (route_row(cell->route)->kind == ROUTE_COMMAND && route_row(cell->route)->to == PARTY_INTAKE)
        cell_undo(cell);
    return verdict;
}

#endif
