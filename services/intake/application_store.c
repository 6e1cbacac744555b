#include "intake/application_store.h"

#include "chassis/cover.h"
#include "chassis/journal.h"
#include "chassis/second_person.h"

#include "person.pb-c.h"

#include <stdlib.h>
#include <string.h>

static const struct covered_column covered_columns[] = {
    {"application", "document", "intake.application.document", "t.application"},
    {"application", "signature", "intake.application.signature", "t.application"},
    {"application", "portal_pseudonym", "intake.application.portal_pseudonym", "t.application"},
    {"application", "person", "intake.application.person", "t.application"},
    {"application", "confirmed", "intake.application.confirmed", "t.application"},
    {"application", "domicile", "intake.application.domicile", "t.application"},
    {"application", "fields", "intake.application.fields", "t.application"},
    {"history", "reason", "intake.history.reason", "t.application"},
    {"attachment", "content", "intake.attachment.content", "t.application || '|' || t.number || '|' || t.piece"},
    PROPOSAL_COLUMNS,
    {"piece", "content", "intake.piece.content", "encode(t.sha256, 'hex')", true},
};

const struct key_columns application_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static struct cover_place place_of(const struct application *application, const char *column)
{
    return (struct cover_place){column, application->manager, application->application};
}

#define PLACE(application, column) place_of(application, "intake.application." column)

static struct pg_value covered(struct work *work, struct cover_place place, const void *plain, size_t len)
{
    struct bytes bytes = cover_put(work->arena, place, plain, len);
    if (!bytes.data)
        pg_fail(work->pg, FAULT_internal);
    return pg_bytes(bytes.data, bytes.len);
}

static struct pg_value person_covered(struct work *work, struct cover_place place, const struct person *person)
{
    Person__FourItems items = PERSON__FOUR_ITEMS__INIT;
    char sex[2] = {person->sex, 0};
    items.name = (char *)person->name;
    items.address = (char *)person->address;
    items.birth_date = (char *)person->birth_date;
    items.sex = sex;
    size_t len = person__four_items__get_packed_size(&items);
    uint8_t *packed = arena_take(work->arena, len + 1);
    if (!packed) {
        pg_fail(work->pg, FAULT_internal);
        return pg_text(NULL);
    }
    person__four_items__pack(&items, packed);
    return covered(work, place, packed, len);
}

static bool person_open(struct work *work, struct cover_place place, struct bytes covered, struct person *person)
{
    memset(person, 0, sizeof *person);
    if (!covered.data)
        return true;
    struct bytes plain = cover_take(work->arena, place, covered.data, covered.len);
    Person__FourItems *items =
        plain.data ? person__four_items__unpack(arena_allocator(work->arena), plain.len, plain.data) : NULL;
    if (!items)
        return fault_set(&work->fault, FAULT_internal, "person");
    return person_fill(person, items->name, items->address, items->birth_date, items->sex, &work->fault);
}

/* Receipt */

static const char sql_insert[] =
    "INSERT INTO intake.application (manager, application, receipt, programme, procedure, channel, manifest_sha256, "
    "signer_sha256, document, signature, portal_pseudonym, person, pseudonym, received_at, fee, fee_state, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, to_timestamp($14::bigint / 1000.0), $15::bigint, "
    "$16, $17) "
    "ON CONFLICT DO NOTHING RETURNING receipt";

static PGresult *insert_run(struct work *work, const struct application *a)
{
    return pg_query(work->pg, sql_insert, &work->fault,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(a->receipt), pg_text(a->programme),
            pg_text(a->procedure), pg_text(a->channel), pg_bytes(a->manifest_sha256.data, a->manifest_sha256.len),
            pg_bytes(a->signer_sha256.data, a->signer_sha256.len),
            covered(work, PLACE(a, "document"), a->document.data, a->document.len),
            covered(work, PLACE(a, "signature"), a->signature.data, a->signature.len),
            covered(work, PLACE(a, "portal_pseudonym"), a->portal_pseudonym, strlen(a->portal_pseudonym)),
            person_covered(work, PLACE(a, "person"), &a->person), pg_text(a->pseudonym), pg_integer(a->received_at_ms),
            pg_integer(a->fee), pg_text(a->fee ? "due" : "none"), pg_text(a->body)));
}

static const char sql_known[] =
    "SELECT receipt FROM intake.application WHERE manager = $1 AND manifest_sha256 = $2 AND signer_sha256 = $3";

static bool known_find(struct work *work, const struct application *a, const char **known)
{
    PGresult *result = pg_query(work->pg, sql_known, &work->fault,
        PG_VALUES(pg_text(a->manager), pg_bytes(a->manifest_sha256.data, a->manifest_sha256.len),
            pg_bytes(a->signer_sha256.data, a->signer_sha256.len)));
    if (!result)
        return false;
    *known = PQntuples(result) ? pg_get_text(result, 0, 0, work->arena) : NULL;
    PQclear(result);
    return *known ? true : fault_set(&work->fault, FAULT_key_reused, "application");
}

static const char sql_queue_insert[] =
    "INSERT INTO intake.queue (application, manager, state, resume, due_at) VALUES ($1, $2, $3, $4, clock_timestamp())";
static const char sql_directory_insert[] =
    "INSERT INTO intake.directory (receipt, application, manager, portal_token) VALUES ($1, $2, $3, $4)";
static const char sql_history_insert[] =
    "INSERT INTO intake.history (manager, application, state, who, code, reason) "
    "VALUES ($1, $2, $3, $4, $5, $6)";

static void history_put(
    struct work *work, const struct application *a, enum application_state state, const char *code, const char *reason)
{
    const char *who = work->actor ? work->actor->account : work->peer ? work->peer->name : "intake";
    struct pg_value text =
        reason && *reason ? covered(work, (struct cover_place){"intake.history.reason", a->manager, a->application},
                                reason, strlen(reason))
                          : pg_text(NULL);
    pg_queue(work->pg, sql_history_insert,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(state_name(state)), pg_text(who),
            pg_text(code ? code : ""), text));
}

static bool portal_token_make(
    struct work *work, const char *manager, const char *portal_pseudonym, uint8_t token[INDEX_TOKEN_BYTES])
{
    return index_token(manager, "intake.portal_pseudonym", portal_pseudonym, strlen(portal_pseudonym), token)
               ? true
               : fault_set(&work->fault, FAULT_internal, "index_key");
}

bool application_insert(struct work *work, const struct application *a, const char **known)
{
    uint8_t token[INDEX_TOKEN_BYTES];
    *known = NULL;
    if (!portal_token_make(work, a->manager, a->portal_pseudonym, token))
        return false;
    PGresult *result = insert_run(work, a);
    if (!result)
        return false;
    bool inserted = PQntuples(result) == 1;
    PQclear(result);
    if (!inserted)
        return known_find(work, a, known);
    pg_queue(work->pg, sql_queue_insert,
        PG_VALUES(pg_text(a->application), pg_text(a->manager), pg_text(state_name(a->state)),
            pg_text(a->state == STATE_person ? state_name(a->resume) : "")));
    pg_queue(work->pg, sql_directory_insert,
        PG_VALUES(pg_text(a->receipt), pg_text(a->application), pg_text(a->manager), pg_bytes(token, sizeof token)));
    history_put(work, a, a->state, a->state == STATE_person ? "portal_of_another" : "received", NULL);
    return true;
}

/* Reading */

static const char sql_find[] =
    "SELECT a.receipt, a.programme, a.procedure, a.channel, a.document, a.portal_pseudonym, a.pseudonym, a.person, "
    "a.confirmed, (extract(epoch FROM a.received_at) * 1000)::bigint, a.comparison, a.residence_result, "
    "a.family_result, "
    "a.domicile, a.fee, a.fee_state, a.charge, a.pay_url, a.entry, a.version, a.registration_number, a.fields, "
    "a.certificate, q.state, q.resume, q.attempt, (SELECT count(*) FROM intake.history h WHERE h.manager = $1 "
    "AND h.application = $2 AND h.state = 'person'), a.body "
    "FROM intake.application a JOIN intake.queue q USING (manager, application) WHERE a.manager = $1 AND a.application "
    "= $2";

static struct bytes open_column(struct work *work, const PGresult *row, int column, struct cover_place place)
{
    struct bytes stored = pg_get_bytes(row, 0, column);
    if (!stored.data)
        return (struct bytes){NULL, 0};
    struct bytes plain = cover_take(work->arena, place, stored.data, stored.len);
    if (!plain.data)
        fault_set(&work->fault, FAULT_internal, "cover");
    return plain;
}

static const char *open_text(struct work *work, const PGresult *row, int column, struct cover_place place)
{
    struct bytes plain = open_column(work, row, column, place);
    return plain.data ? arena_text(work->arena, plain.data, plain.len) : "";
}

static bool row_read(struct work *work, const PGresult *row, struct application *a)
{
    int c = 0;
    a->receipt = pg_get_text(row, 0, c++, work->arena);
    a->programme = pg_get_text(row, 0, c++, work->arena);
    a->procedure = pg_get_text(row, 0, c++, work->arena);
    a->channel = pg_get_text(row, 0, c++, work->arena);
    a->document = open_column(work, row, c++, PLACE(a, "document"));
    a->portal_pseudonym = open_text(work, row, c++, PLACE(a, "portal_pseudonym"));
    a->pseudonym = pg_get_text(row, 0, c++, work->arena);
    if (!person_open(work, PLACE(a, "person"), pg_get_bytes(row, 0, c++), &a->person) ||
        !person_open(work, PLACE(a, "confirmed"), pg_get_bytes(row, 0, c++), &a->confirmed))
        return false;
    a->received_at_ms = pg_get_integer(row, 0, c++);
    a->comparison = pg_get_text(row, 0, c++, work->arena);
    a->residence_result = pg_get_text(row, 0, c++, work->arena);
    a->family_result = pg_get_text(row, 0, c++, work->arena);
    a->domicile = open_text(work, row, c++, PLACE(a, "domicile"));
    a->fee = pg_get_integer(row, 0, c++);
    a->fee_state = pg_get_text(row, 0, c++, work->arena);
    a->charge = pg_get_text(row, 0, c++, work->arena);
    a->pay_url = pg_get_text(row, 0, c++, work->arena);
    a->entry = pg_get_text(row, 0, c++, work->arena);
    a->version = (uint32_t)pg_get_integer(row, 0, c++);
    a->registration_number = pg_get_text(row, 0, c++, work->arena);
    a->fields = open_column(work, row, c++, PLACE(a, "fields"));
    a->certificate = pg_get_text(row, 0, c++, work->arena);
    char *state = pg_get_text(row, 0, c++, work->arena), *resume = pg_get_text(row, 0, c++, work->arena);
    a->attempt = pg_get_integer(row, 0, c++);
    a->asked_person = pg_get_integer(row, 0, c++);
    a->body = pg_get_text(row, 0, c++, work->arena);
    a->resume = STATE_person;
    if (*resume && !state_find(resume, &a->resume))
        return fault_set(&work->fault, FAULT_internal, "resume");
    return state_find(state, &a->state) && work->fault.code == FAULT_NONE
               ? true
               : fault_set(&work->fault, FAULT_internal, "state");
}

static void application_ask(struct work *work, const struct application_id *id, PGresult **answer)
{
    pg_queue_asking(work->pg, sql_find, answer, PG_VALUES(pg_text(id->manager), pg_text(id->application)));
}

/* Takes `answer` over. */
static bool application_take(
    struct work *work, const struct application_id *id, PGresult *answer, struct application *a)
{
    memset(a, 0, sizeof *a);
    work->fault.code = FAULT_NONE;
    a->manager = arena_text(work->arena, id->manager, strlen(id->manager));
    a->application = arena_text(work->arena, id->application, strlen(id->application));
    bool taken = false;
    if (!a->manager || !a->application || !answer)
        fault_set(&work->fault, FAULT_unavailable, NULL);
    else
        taken =
            PQntuples(answer) == 1 ? row_read(work, answer, a) : fault_set(&work->fault, FAULT_not_found, "receipt");
    PQclear(answer);
    return taken;
}

bool application_find(struct work *work, const char *application, struct application *a)
{
    const struct application_id id = {application, work_manager(work)};
    PGresult *answer;
    application_ask(work, &id, &answer);
    if (pg_await(work->pg, &work->fault))
        return application_take(work, &id, answer, a);
    PQclear(answer);
    return false;
}

size_t applications_find(
    struct work *work, const struct application_id *wanted, size_t count, struct application *found)
{
    size_t read = 0;
    PGresult **answers = arena_take(work->arena, count * sizeof(PGresult *) + 1);
    if (!answers)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wanted[i].manager, work_manager(work)) != 0)
            work_switch(work, wanted[i].manager);
        application_ask(work, &wanted[i], &answers[i]);
    }
    bool heard = pg_await(work->pg, &work->fault); /* an answer that did not come is NULL */
    for (size_t i = 0; i < count; i++)
        if (application_take(work, &wanted[i], answers[i], &found[read]) && heard)
            read++;
        else
            journal(JOURNAL_ERROR, wanted[i].application, "application_unreadable",
                WORD("code", fault_code_text(work->fault.code)));
    return read;
}

static const char sql_directory_find[] = "SELECT manager, application FROM intake.directory WHERE receipt = $1";

bool directory_find(struct work *work, const char *receipt, const char **manager, const char **application)
{
    PGresult *row = pg_query(work->pg, sql_directory_find, &work->fault, PG_VALUES(pg_text(receipt)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1;
    if (found) {
        *manager = pg_get_text(row, 0, 0, work->arena);
        *application = pg_get_text(row, 0, 1, work->arena);
    }
    PQclear(row);
    return found ? true : fault_set(&work->fault, FAULT_not_found, "receipt");
}

static bool ids_read(struct work *work, const char *manager, PGresult *rows, struct application_id **ids, size_t *count)
{
    if (!rows)
        return false;
    *count = (size_t)PQntuples(rows);
    *ids = arena_take(work->arena, (*count + 1) * sizeof **ids);
    for (size_t i = 0; *ids && i < *count; i++)
        (*ids)[i] = (struct application_id){pg_get_text(rows, (int)i, 0, work->arena), manager};
    PQclear(rows);
    return *ids ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

static const char sql_directory_list[] =
    "SELECT application FROM intake.directory WHERE portal_token = $1 AND manager = $2 ORDER BY receipt LIMIT 200";

bool directory_list(struct work *work, const char *manager, const char *portal_pseudonym,
    struct application_id **applications, size_t *count)
{
    uint8_t token[INDEX_TOKEN_BYTES];
    if (!portal_token_make(work, manager, portal_pseudonym, token))
        return false;
    PGresult *rows = pg_query(
        work->pg, sql_directory_list, &work->fault, PG_VALUES(pg_bytes(token, sizeof token), pg_text(manager)));
    return ids_read(work, manager, rows, applications, count);
}

static const char sql_list[] =
    "SELECT q.application FROM intake.queue q JOIN intake.application a USING (manager, application) "
    "WHERE q.manager = $1 AND ($2 = '' AND q.state NOT IN ('completed', 'returned', 'rejected') OR q.state = $2) "
    "ORDER BY q.due_at LIMIT $3::int";

bool application_list(struct work *work, const char *manager, const char *state, uint32_t limit,
    struct application_id **applications, size_t *count)
{
    PGresult *rows =
        pg_query(work->pg, sql_list, &work->fault, PG_VALUES(pg_text(manager), pg_text(state), pg_integer(limit)));
    return ids_read(work, manager, rows, applications, count);
}

/* By id, so that the next piece goes on where this one ended, whatever comes in meanwhile. */
static const char sql_export[] =
    "SELECT a.application FROM intake.application a WHERE a.manager = $1 AND a.programme = $2 "
    "AND ($3 = '' OR a.received_at >= nullif($3, '')::date::timestamp AT TIME ZONE 'Asia/Tokyo') "
    "AND ($4 = '' OR a.received_at < (nullif($4, '')::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo') "
    "AND a.application > $5 ORDER BY a.application LIMIT $6::int";

bool application_export_list(struct work *work, const char *manager, const char *programme, const char *from,
    const char *to, const char *after, uint32_t limit, struct application_id **applications, size_t *count)
{
    PGresult *rows = pg_query(work->pg, sql_export, &work->fault,
        PG_VALUES(pg_text(manager), pg_text(programme), pg_text(from), pg_text(to), pg_text(after), pg_integer(limit)));
    return ids_read(work, manager, rows, applications, count);
}

static const char sql_history[] =
    "SELECT state, code, reason, (extract(epoch FROM at) * 1000)::bigint FROM intake.history "
    "WHERE manager = $1 AND application = $2 ORDER BY position LIMIT 200";

void history_ask(struct work *work, const struct application *a, PGresult **answer)
{
    pg_queue_asking(work->pg, sql_history, answer, PG_VALUES(pg_text(a->manager), pg_text(a->application)));
}

bool history_take(
    struct work *work, const struct application *a, PGresult *result, struct history_row **rows, size_t *count)
{
    if (!result)
        return fault_set(&work->fault, FAULT_unavailable, NULL);
    *count = (size_t)PQntuples(result);
    *rows = arena_take(work->arena, (*count + 1) * sizeof **rows);
    for (int i = 0; *rows && i < (int)*count; i++) {
        struct bytes stored = pg_get_bytes(result, i, 2);
        struct bytes reason =
            stored.data
                ? cover_take(work->arena, (struct cover_place){"intake.history.reason", a->manager, a->application},
                      stored.data, stored.len)
                : (struct bytes){NULL, 0};
        (*rows)[i] =
            (struct history_row){pg_get_text(result, i, 0, work->arena), pg_get_text(result, i, 1, work->arena),
                reason.data ? arena_text(work->arena, reason.data, reason.len) : "", pg_get_integer(result, i, 3)};
    }
    PQclear(result);
    return *rows ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

/* Lanes */

/* ARRAY is evaluated once; IN could be evaluated for each row, and lease more than the limit. */
static const char sql_lease[] =
    "UPDATE intake.queue SET lease_until = clock_timestamp() + interval '30 s', attempt = attempt + 1 "
    "WHERE ctid = ANY (ARRAY(SELECT ctid FROM intake.queue WHERE state = ANY ($1::text[]) "
    "AND due_at <= clock_timestamp() AND (lease_until IS NULL OR lease_until < clock_timestamp()) "
    "ORDER BY due_at LIMIT $2::int FOR UPDATE SKIP LOCKED)) RETURNING application, manager";

size_t queue_lease(struct work *work, const char *states, struct application_id leased[LEASE_MAX])
{
    PGresult *rows = pg_query(work->pg, sql_lease, &work->fault, PG_VALUES(pg_text(states), pg_integer(LEASE_MAX)));
    size_t count = rows ? (size_t)PQntuples(rows) : 0;
    for (size_t i = 0; i < count; i++)
        leased[i] = (struct application_id){
            pg_get_text(rows, (int)i, 0, work->arena), pg_get_text(rows, (int)i, 1, work->arena)};
    PQclear(rows);
    return count;
}

static const char sql_move[] =
    "UPDATE intake.queue SET state = $3, resume = $4, due_at = clock_timestamp(), lease_until = NULL, attempt = 0 "
    "WHERE application = $1 AND state = $2 AND manager = $5";

void application_move(struct work *work, const struct application *a, const struct move *move)
{
    if (!state_may_follow(a->state, move->to)) {
        journal(JOURNAL_ERROR, a->application, "move_not_in_table", WORD("from", state_name(a->state)),
            WORD("to", state_name(move->to)));
        abort();
    }
    pg_queue_exactly(work->pg, sql_move, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(a->application), pg_text(state_name(a->state)), pg_text(state_name(move->to)),
            pg_text(move->to == STATE_person ? state_name(move->resume) : ""), pg_text(a->manager)));
    history_put(work, a, move->to, move->code, move->reason);
}

static const char sql_postpone[] =
    "UPDATE intake.queue SET due_at = clock_timestamp() + $3::bigint * interval '1 ms', lease_until = NULL "
    "WHERE application = $1 AND state = $2 AND manager = $4";

void application_postpone(struct work *work, const struct application *a, int64_t ms)
{
    pg_queue(work->pg, sql_postpone,
        PG_VALUES(pg_text(a->application), pg_text(state_name(a->state)), pg_integer(ms), pg_text(a->manager)));
}

static const char sql_wait[] =
    "UPDATE intake.queue SET due_at = clock_timestamp() + $3::bigint * interval '1 ms', lease_until = NULL, attempt = "
    "0 "
    "WHERE application = $1 AND state = $2 AND manager = $4";

void application_wait(struct work *work, const struct application *a, int64_t ms)
{
    pg_queue(work->pg, sql_wait,
        PG_VALUES(pg_text(a->application), pg_text(state_name(a->state)), pg_integer(ms), pg_text(a->manager)));
}

static const char sql_put_back[] =
    "UPDATE intake.queue SET due_at = clock_timestamp(), lease_until = NULL, attempt = greatest(attempt - 1, 0) "
    "WHERE application = $1 AND state = $2 AND manager = $3";

void application_put_back(struct work *work, const struct application *a)
{
    pg_queue(
        work->pg, sql_put_back, PG_VALUES(pg_text(a->application), pg_text(state_name(a->state)), pg_text(a->manager)));
}

/* What became known */

static const char sql_set_residence[] =
    "UPDATE intake.application SET residence_result = $3, comparison = $4, "
    "confirmed = $5 WHERE manager = $1 AND application = $2";

void application_set_residence(struct work *work, const struct application *a, const char *result,
    const char *comparison, const struct person *confirmed)
{
    pg_queue_exactly(work->pg, sql_set_residence, 1, FAULT_not_found,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(result), pg_text(comparison),
            confirmed ? person_covered(work, PLACE(a, "confirmed"), confirmed) : pg_text(NULL)));
}

static const char sql_set_family[] =
    "UPDATE intake.application SET family_result = $3, domicile = $4 WHERE manager = $1 AND application = $2";

void application_set_family(struct work *work, const struct application *a, const char *result, const char *domicile)
{
    pg_queue_exactly(work->pg, sql_set_family, 1, FAULT_not_found,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(result),
            covered(work, PLACE(a, "domicile"), domicile, strlen(domicile))));
}

static const char sql_set_charge[] =
    "UPDATE intake.application SET charge = $3, pay_url = $4 WHERE manager = $1 AND application = $2";

void application_set_charge(struct work *work, const struct application *a, const char *charge, const char *pay_url)
{
    pg_queue(work->pg, sql_set_charge,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(charge), pg_text(pay_url)));
}

static const char sql_fee_entry[] =
    "INSERT INTO intake.fee_entry (manager, application, kind, method, amount, reference) "
    "VALUES ($1, $2, 'received', $3, $4::bigint, $5)";
static const char sql_set_paid[] =
    "UPDATE intake.application SET fee_state = 'paid' WHERE manager = $1 AND application = $2 AND fee_state = 'due'";

void application_set_paid(
    struct work *work, const struct application *a, const char *method, int64_t amount, const char *reference)
{
    pg_queue(work->pg, sql_fee_entry,
        PG_VALUES(
            pg_text(a->manager), pg_text(a->application), pg_text(method), pg_integer(amount), pg_text(reference)));
    pg_queue_exactly(
        work->pg, sql_set_paid, 1, FAULT_state_conflict, PG_VALUES(pg_text(a->manager), pg_text(a->application)));
}

static const char sql_set_entry[] =
    "UPDATE intake.application SET entry = $3, version = $4::int, registration_number = $5, fields = $6 "
    "WHERE manager = $1 AND application = $2";

void application_set_entry(struct work *work, const struct application *a, const char *entry, uint32_t version,
    const char *registration_number, struct bytes fields)
{
    pg_queue(work->pg, sql_set_entry,
        PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(entry), pg_integer(version),
            pg_text(registration_number), covered(work, PLACE(a, "fields"), fields.data, fields.len)));
}

static const char sql_set_certificate[] =
    "UPDATE intake.application SET certificate = $3 WHERE manager = $1 AND application = $2";

void application_set_certificate(struct work *work, const struct application *a, const char *certificate)
{
    pg_queue(
        work->pg, sql_set_certificate, PG_VALUES(pg_text(a->manager), pg_text(a->application), pg_text(certificate)));
}
