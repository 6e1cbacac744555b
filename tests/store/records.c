/* The rolls on a real PostgreSQL: what is written once stays once, numbers have no gaps, nobody reads what is not
 * theirs. Requests go to the service's own message table, as the bus would hand them over. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/work_state.h"
#include "kit/staff_word.h"
#include "kit/store.h"
#include "chassis/rights.h"
#include "export.pb-c.h"
#include "records.pb-c.h"
#include "records/roll_messages.h"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
};
static const struct key_want wants[] = {{"*", KEY_DATA}, {"tokyo", KEY_DATA}, {"tokyo", KEY_INDEX}, {"mlit", KEY_DATA},
    {"mlit", KEY_INDEX}, {"mhlw", KEY_DATA}, {"mhlw", KEY_INDEX}};
static const struct service service = {.name = "records", .schema_version = 3};

static struct store store;
static struct programmes *programmes;
static struct work *work;
static struct actor clerk; /* of tokyo, to whom the export of a roll is lent */
static char chorishi_items[2048], kaigishi_items[2048], ginou_items[2048];

static void items_of(const json_t *samples, const char *code, char *text, size_t size)
{
    char *dumped = json_dumps(json_object_get(samples, code), JSON_COMPACT);
    snprintf(text, size, "%s", dumped);
    free(dumped);
}

static void setup(void)
{
    struct fault fault = {0};
    struct pg *pg;
    char problem[PROGRAMMES_PROBLEM_MAX] = "";
    store_open(&store, "records");
    setenv("SHIKAKU_DSN", store.dsn, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    exchange_store_open("records");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("records", pg, wants, sizeof wants / sizeof *wants, &fault), "%s", fault.field);
    pg_close(pg);
    programmes = programmes_load("deploy/programmes", problem, sizeof problem);
    ck_assert_msg(programmes != NULL, "%s", problem);
    roll_serve(programmes);
    staff_word_take();
    ck_assert(rights_open("deploy/rights/roles.json", &fault));
    clerk = (struct actor){.account = "sato", .role = "reviewer", .manager = "tokyo", .rights = 1u << RIGHT_export};
    clerk.loans[clerk.loan_count++] =
        (struct loan){"0000000a-0000-4000-8000-00000000000a", RIGHT_export, "inspection", "", clock_ms() + 600000};
    work = work_new(&service);
    ck_assert_ptr_nonnull(work);
    json_t *samples = json_load_file("tests/unit/programme_items.json", 0, NULL);
    items_of(samples, "chorishi", chorishi_items, sizeof chorishi_items);
    items_of(samples, "kaigishi", kaigishi_items, sizeof kaigishi_items);
    items_of(samples, "ginou-kentei", ginou_items, sizeof ginou_items);
    json_decref(samples);
}

static void teardown(void)
{
    work_free(work);
    programmes_free(programmes);
    keyring_close();
    store_close(&store);
}

/* Hand a request over as the bus does; the reply, unpacked, stays valid until the next call on this work. */
static enum outcome send_as(struct work *by, enum route route, const char *sender, const char *key,
    const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    static _Thread_local uint8_t payload[16384];
    static _Thread_local uint8_t key_bytes[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    work_reset(by);
    memset(key_bytes, 0, sizeof key_bytes);
    memcpy(key_bytes, key, strlen(key));
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key_bytes, key_bytes};
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    envelope.correlation = "test";
    snprintf(by->state->peer.name, sizeof by->state->peer.name, "%s", sender);
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(by->arena), envelope.payload.len, envelope.payload.data);
    ck_assert_ptr_nonnull(request);
    work_take_request(by, route, &envelope, request);
    by->actor = route_row(route)->right == RIGHT_none ? NULL : &clerk;
    by->state->right = route_row(route)->right;
    snprintf(by->state->purpose, sizeof by->state->purpose, "%s", "inspection");
    const struct message *row = NULL;
    for (size_t i = 0; i < roll_message_count; i++)
        if (roll_messages[i].route == route)
            row = &roll_messages[i];
    enum outcome outcome = row->check(request, &by->fault) ? row->act(by) : work_refuse(by);
    *reply = outcome == OUTCOME_DONE ? protobuf_c_message_unpack(route_row(route)->reply, arena_allocator(by->arena),
                                           by->state->reply.len, by->state->reply.data)
                                     : NULL;
    return outcome;
}

static char *application_of(int number)
{
    static _Thread_local char text[37];
    snprintf(text, sizeof text, "00000000-0000-4000-8000-%012x", number);
    return text;
}

struct wish {
    const char *manager, *programme, *items;
    int application;
    const char *key;
};

static Records__RegisterReply *register_by(struct work *by, struct wish wish)
{
    Records__RegisterRequest request = RECORDS__REGISTER_REQUEST__INIT;
    Person__FourItems person = PERSON__FOUR_ITEMS__INIT;
    char pseudonym[64], key[33];
    ProtobufCMessage *reply;
    snprintf(pseudonym, sizeof pseudonym, "PSEUDONYM-%d", wish.application);
    snprintf(key, sizeof key, "register %d", wish.application);
    person.name = "辻\U000E0100　味香";
    person.address = "東京都千代田区架空町1-2-3";
    person.birth_date = "20000229";
    person.sex = "2";
    request.manager = (char *)wish.manager;
    request.programme = (char *)wish.programme;
    request.application = application_of(wish.application);
    request.pseudonym = pseudonym;
    request.portal_pseudonym = "portal-1";
    request.person = &person;
    request.items = (ProtobufCBinaryData){strlen(wish.items), (uint8_t *)wish.items};
    request.domicile = "奈良県奈良市架空町1";
    request.receipt = "R-1";
    request.received_at_ms = 1775000000000; /* 2026-04-01 in Japan */
    send_as(by, ROUTE_records_register, "intake", wish.key == NULL ? key : wish.key, &request.base, &reply);
    return (Records__RegisterReply *)reply;
}

static Records__RegisterReply *register_chorishi(int application)
{
    return register_by(work, (struct wish){"tokyo", "chorishi", chorishi_items, application, NULL});
}

static json_t *fields_of(ProtobufCBinaryData fields)
{
    json_t *json = json_loadb((const char *)fields.data, fields.len, 0, NULL);
    ck_assert_ptr_nonnull(json);
    return json;
}

static const char *value_of(const json_t *fields, const char *key)
{
    const char *value = json_string_value(json_object_get(json_object_get(fields, "roll"), key));
    return value == NULL ? "" : value;
}

/* As the owner, whom row-level security spares only because it is asked to here. */
static int64_t count_as(const char *dsn, const char *manager, const char *sql)
{
    struct pg *pg;
    struct fault fault = {0};
    ck_assert(pg_open(&pg, dsn, &fault));
    pg_begin(pg, manager);
    PGresult *rows = pg_query(pg, sql, &fault, PG_NONE);
    int64_t count = rows == NULL ? -1 : pg_get_integer(rows, 0, 0);
    PQclear(rows);
    pg_rollback(pg);
    pg_close(pg);
    return count;
}

static int64_t count(const char *sql)
{
    return count_as(store.dsn, "tokyo", sql);
}

/* ROLL-1, ROLL-8 */
START_TEST(an_application_becomes_an_entry)
{
    Records__RegisterReply *reply = register_chorishi(1);
    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(reply->registration_number, "第000001号");
    ck_assert_uint_eq(reply->version, 1);
    json_t *fields = fields_of(reply->fields);
    ck_assert_str_eq(value_of(fields, "name"), "辻\U000E0100　味香");
    ck_assert_str_eq(value_of(fields, "licence_number"), "第000001号");
    ck_assert_str_eq(value_of(fields, "domicile_prefecture"), "奈良県");
    ck_assert_str_eq(value_of(fields, "received_on"), "20260401");
    ck_assert_str_eq(value_of(fields, "pseudonym"), "PSEUDONYM-1");
    ck_assert_ptr_null(json_object_get(json_object_get(fields, "roll"), "number")); /* NUM-1 */
    json_decref(fields);
    ck_assert_int_eq(count("SELECT count(*) FROM records.audit_outbox"), 1); /* LOG-1 */
}
END_TEST

/* Pitfall 1: a repeated message, and the same application after the inbox has forgotten it, get the entry that is there
 */
START_TEST(an_application_becomes_one_entry)
{
    char entry[37], number[64];
    Records__RegisterReply *reply = register_chorishi(1);
    snprintf(entry, sizeof entry, "%s", reply->entry);
    snprintf(number, sizeof number, "%s", reply->registration_number);
    uint8_t first[8192];
    size_t length = work->state->reply.len;
    memcpy(first, work->state->reply.data, length);
    ck_assert_ptr_nonnull(register_chorishi(1));
    ck_assert_uint_eq(work->state->reply.len, length);
    ck_assert_mem_eq(work->state->reply.data, first, length);
    reply = register_by(work, (struct wish){"tokyo", "chorishi", chorishi_items, 1, "another key"});
    ck_assert_str_eq(reply->entry, entry);
    ck_assert_str_eq(reply->registration_number, number);
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry"), 1);
    ck_assert_int_eq(count("SELECT count(*) FROM records.version"), 1);
    ck_assert_int_eq(count("SELECT last FROM records.counter"), 1);
    ck_assert_str_eq(register_chorishi(2)->registration_number, "第000002号");
    /* the same key with other content is refused */
    ck_assert_ptr_null(register_by(work, (struct wish){"tokyo", "chorishi", chorishi_items, 3, "register 2"}));
    ck_assert_int_eq(work->fault.code, FAULT_key_reused);
}
END_TEST

#define THREADS 4
#define EACH 20

static void *register_many(void *argument)
{
    int from = *(int *)argument;
    struct work *own = work_new(&service);
    for (int i = 0; i < EACH; i++) {
        Records__RegisterReply *reply =
            register_by(own, (struct wish){"tokyo", "chorishi", chorishi_items, from + i, NULL});
        ck_assert_ptr_nonnull(reply);
        reply = register_by(own, (struct wish){"tokyo", "chorishi", "{\"name\":\"x\"}", from + 1000 + i, NULL});
        ck_assert_ptr_null(reply);
    }
    work_free(own);
    return NULL;
}

/* ROLL-1: many at once, refused ones among them: every number once and none left out */
START_TEST(numbers_have_no_gaps)
{
    pthread_t threads[THREADS];
    int from[THREADS];
    for (int i = 0; i < THREADS; i++) {
        from[i] = 1 + i * EACH;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, register_many, &from[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry"), THREADS * EACH);
    ck_assert_int_eq(count("SELECT count(DISTINCT number_token) FROM records.entry"), THREADS * EACH);
    ck_assert_int_eq(count("SELECT last FROM records.counter"), THREADS * EACH);
    ck_assert_int_eq(count("SELECT count(*) FROM records.version"), THREADS * EACH);
}
END_TEST

/* A transaction that fails after the number was taken gives the number back. */
START_TEST(a_lost_transaction_leaves_no_gap)
{
    struct pg *owner;
    struct fault fault = {0};
    ck_assert_ptr_nonnull(register_chorishi(1));
    ck_assert(pg_open(&owner, store.owner, &fault));
    PQclear(pg_query(
        owner, "ALTER TABLE records.version ADD CONSTRAINT broken CHECK (reference = '') NOT VALID", &fault, PG_NONE));
    ck_assert_ptr_null(register_chorishi(2));
    PQclear(pg_query(owner, "ALTER TABLE records.version DROP CONSTRAINT broken", &fault, PG_NONE));
    pg_close(owner);
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry"), 1);
    Records__RegisterReply *reply = register_chorishi(2);
    ck_assert_ptr_nonnull(reply);
    ck_assert_str_eq(reply->registration_number, "第000002号");
}
END_TEST

/* ROLL-10: another programme, another pattern and series */
START_TEST(programmes_count_apart)
{
    ck_assert_ptr_nonnull(register_chorishi(1));
    ck_assert_str_eq(
        register_by(work, (struct wish){"mlit", "kaigishi", kaigishi_items, 2, NULL})->registration_number, "00000001");
    ck_assert_str_eq(
        register_by(work, (struct wish){"mhlw", "ginou-kentei", ginou_items, 3, NULL})->registration_number,
        "2026-0000001");
}
END_TEST

/* APPLY-5, ROLL-6: what breaks a rule is refused, recorded, and leaves nothing */
START_TEST(what_breaks_a_rule_leaves_nothing)
{
    const struct {
        struct wish wish;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {{"nara", "chorishi", chorishi_items, 1, NULL}, FAULT_not_permitted, "manager"},
        {{"tokyo", "astronaut", chorishi_items, 1, NULL}, FAULT_programme_unknown, "programme"},
        {{"tokyo", "chorishi", "{\"name\":\"架空\"}", 1, NULL}, FAULT_item_missing, "kana"},
        {{"tokyo", "chorishi", "{\"hobby\":\"釣り\"}", 1, NULL}, FAULT_item_unknown, "hobby"},
        {{"tokyo", "chorishi", "{\"name\":", 1, NULL}, FAULT_malformed, "items"},
        {{"tokyo", "chorishi", "{\"name\":\"a\",\"name\":\"b\"}", 1, NULL}, FAULT_malformed, "items"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_ptr_null(register_by(work, rows[i].wish));
        ck_assert_msg(work->fault.code == rows[i].code && strcmp(work->fault.field, rows[i].field) == 0,
            "row %zu: %s %s", i, fault_code_text(work->fault.code), work->fault.field);
    }
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry"), 0);
    ck_assert_int_eq(count("SELECT count(*) FROM records.counter"), 0);
    ck_assert_int_eq(count("SELECT count(*) FROM records.audit_outbox"), sizeof rows / sizeof rows[0]);
}
END_TEST

static bool copy_take(const char *pseudonym, const char *id, const char *fields, uint32_t *version)
{
    Records__TakeCopyRequest request = RECORDS__TAKE_COPY_REQUEST__INIT;
    ProtobufCMessage *reply;
    char key[33];
    static int attempt;
    snprintf(key, sizeof key, "copy %d", attempt++); /* never a replay of the inbox: the copy's own id must do */
    request.manager = "mlit";
    request.programme = "kaigishi";
    request.pseudonym = (char *)pseudonym;
    request.copy = (char *)id;
    request.fields = (ProtobufCBinaryData){strlen(fields), (uint8_t *)fields};
    send_as(work, ROUTE_records_take_copy, "legacy_sync", key, &request.base, &reply);
    *version = reply == NULL ? 0 : ((Records__TakeCopyReply *)reply)->version;
    return reply != NULL;
}

static bool entry_read(const char *manager, const char *entry, json_t **fields, uint32_t *version)
{
    Records__EntryRequest request = RECORDS__ENTRY_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.entry = (char *)entry;
    if (send_as(work, ROUTE_records_entry, "intake", "", &request.base, &reply) != OUTCOME_DONE)
        return false;
    *fields = fields_of(((Records__EntryReply *)reply)->fields);
    *version = ((Records__EntryReply *)reply)->version;
    return true;
}

/* LINK-1, ROLL-2: a copy is a new version, once; the old one stays; a difference is kept for a person */
START_TEST(a_copy_is_a_new_version)
{
    char entry[37];
    uint32_t version;
    json_t *fields;
    Records__RegisterReply *reply = register_by(work, (struct wish){"mlit", "kaigishi", kaigishi_items, 1, NULL});
    snprintf(entry, sizeof entry, "%s", reply->entry);
    ck_assert_ptr_nonnull(register_by(work, (struct wish){"mlit", "kaigishi", kaigishi_items, 2, NULL}));
    const char *copy = "{\"issued_on\":\"20260402\",\"licence_number\":\"00000001\",\"family_name\":\"別人\"}";
    ck_assert(copy_take("PSEUDONYM-1", "C-1", copy, &version));
    ck_assert_uint_eq(version, 2);
    ck_assert(copy_take("PSEUDONYM-1", "C-1", copy, &version));
    ck_assert_uint_eq(version, 2);
    ck_assert(copy_take("PSEUDONYM-1", "C-2", "{\"remarks_1\":\"見本\"}", &version));
    ck_assert_uint_eq(version, 3);
    ck_assert(entry_read("mlit", entry, &fields, &version));
    ck_assert_uint_eq(version, 3);
    ck_assert_str_eq(value_of(fields, "issued_on"), "20260402");
    ck_assert_str_eq(value_of(fields, "remarks_1"), "見本");
    ck_assert_str_eq(value_of(fields, "family_name"), "辻\U000E0100");
    json_decref(fields);
    ck_assert_int_eq(count_as(store.dsn, "mlit", "SELECT count(*) FROM records.version"), 4);
    ck_assert_int_eq(
        count_as(store.dsn, "mlit", "SELECT count(*) FROM records.version WHERE differing IS NOT NULL"), 1);
}
END_TEST

START_TEST(a_copy_that_fits_nobody_is_refused)
{
    uint32_t version;
    ck_assert_ptr_nonnull(register_by(work, (struct wish){"mlit", "kaigishi", kaigishi_items, 1, NULL}));
    ck_assert(!copy_take("PSEUDONYM-9", "C-1", "{\"issued_on\":\"20260402\"}", &version));
    ck_assert_int_eq(work->fault.code, FAULT_pseudonym_unknown);
    ck_assert(!copy_take("PSEUDONYM-1", "C-1", "{\"licence_number\":\"00000007\"}", &version));
    ck_assert_int_eq(work->fault.code, FAULT_pseudonym_unknown);
    ck_assert(!copy_take("PSEUDONYM-1", "C-1", "{\"number\":\"999900000006\"}", &version));
    ck_assert_int_eq(work->fault.code, FAULT_item_unknown);
    ck_assert_int_eq(count_as(store.dsn, "mlit", "SELECT count(*) FROM records.version"), 1);
}
END_TEST

/* NUM-8, STORE-1, ROLL-6: a copy of the tables shows no value; a role sees its manager's rows only and deletes none */
START_TEST(rows_are_covered_and_kept_apart)
{
    char entry[37];
    uint32_t version;
    json_t *fields;
    snprintf(entry, sizeof entry, "%s", register_chorishi(1)->entry);
    static const char *const texts[] = {"辻", "味香", "20000229", "架空町", "第000001号", "奈良県"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char sql[512];
        snprintf(sql, sizeof sql,
            "SELECT count(*) FROM (SELECT e::text AS row FROM records.entry e UNION ALL SELECT v::text FROM "
            "records.version v UNION ALL SELECT i::text FROM records.inbox i) AS t WHERE row LIKE '%%%s%%' OR row LIKE "
            "'%%' || encode(convert_to('%s', 'UTF8'), 'hex') || '%%'",
            texts[i], texts[i]);
        ck_assert_int_eq(count(sql), 0);
    }
    ck_assert_int_eq(count("SELECT count(*) FROM records.entry"), 1);
    ck_assert_int_eq(count_as(store.dsn, "mlit", "SELECT count(*) FROM records.entry"), 0);
    ck_assert_int_eq(count_as(store.dsn, "", "SELECT count(*) FROM records.version"), 0);
    ck_assert_int_eq(count("WITH gone AS (DELETE FROM records.version RETURNING 1) SELECT count(*) FROM gone"), -1);
    ck_assert_int_eq(count("WITH gone AS (DELETE FROM records.entry RETURNING 1) SELECT count(*) FROM gone"), -1);
    ck_assert_int_eq(
        count("WITH other AS (UPDATE records.version SET reason = 'copy' RETURNING 1) SELECT count(*) FROM other"), -1);
    ck_assert(!entry_read("mlit", entry, &fields, &version));
    ck_assert_int_eq(work->fault.code, FAULT_not_found);
}
END_TEST

/* NUM-3, LINK-1: the portal pseudonym is in the entries of those rolls alone whose list has it (S0 no. 36, S3 head), so
 * that nothing else is handed on, and lies covered there */
START_TEST(a_portal_pseudonym_is_where_it_is_listed)
{
    const struct {
        struct wish wish;
        bool listed;
    } rolls[] = {
        {{"mlit", "kaigishi", kaigishi_items, 1, NULL}, true},
        {{"mhlw", "ginou-kentei", ginou_items, 2, NULL}, true},
        {{"tokyo", "chorishi", chorishi_items, 3, NULL}, false},
    };
    for (size_t i = 0; i < sizeof rolls / sizeof *rolls; i++) {
        Records__RegisterReply *reply = register_by(work, rolls[i].wish);
        ck_assert_ptr_nonnull(reply);
        char *handed_on = strndup((const char *)reply->fields.data, reply->fields.len);
        ck_assert_msg((strstr(handed_on, "portal-1") != NULL) == rolls[i].listed, "%s", rolls[i].wish.programme);
        free(handed_on);
        ck_assert_int_eq(count_as(store.dsn, rolls[i].wish.manager, "SELECT count(*) FROM records.version"), 1);
        ck_assert_int_eq(
            count_as(store.dsn, rolls[i].wish.manager,
                "SELECT count(*) FROM (SELECT e::text AS row FROM records.entry e UNION ALL SELECT v::text "
                "FROM records.version v UNION ALL SELECT i::text FROM records.inbox i) AS t WHERE "
                "position('portal-1' IN row) > 0 OR position(encode('portal-1', 'hex') IN row) > 0"),
            0);
    }
}
END_TEST

/* STORE-1: a row put in another row's place is not read */
START_TEST(a_row_in_another_place_is_not_read)
{
    struct pg *owner;
    struct fault fault = {0};
    char first[37];
    uint32_t version;
    json_t *fields;
    snprintf(first, sizeof first, "%s", register_chorishi(1)->entry);
    ck_assert_ptr_nonnull(register_chorishi(2));
    ck_assert(entry_read("tokyo", first, &fields, &version));
    json_decref(fields);
    ck_assert(pg_open(&owner, store.owner, &fault));
    pg_begin(owner, "tokyo");
    PQclear(pg_query(owner,
        "UPDATE records.version v SET fields = o.fields FROM records.version o WHERE o.entry <> v.entry", &fault,
        PG_NONE));
    ck_assert(pg_commit(owner, &fault));
    pg_close(owner);
    ck_assert(!entry_read("tokyo", first, &fields, &version));
    ck_assert_int_eq(work->fault.code, FAULT_internal);
}
END_TEST

static Export__TableReply *carry_out(const char *manager, const char *programme, const char *from, const char *after)
{
    Export__TableRequest request = EXPORT__TABLE_REQUEST__INIT;
    ProtobufCMessage *reply;
    static char kept[64];
    snprintf(kept, sizeof kept, "%s", after);
    request.manager = (char *)manager;
    request.programme = (char *)programme;
    request.from = (char *)from;
    request.after = kept;
    send_as(work, ROUTE_records_export, "portal", "", &request.base, &reply);
    return (Export__TableReply *)reply;
}

static bool shows(const Export__TableReply *reply, const char *text)
{
    return memmem(reply->rows.data, reply->rows.len, text, strlen(text)) != NULL;
}

/* AUTH-8, ROLL-6, ORG-1: the roll as a table, piece by piece, without number and pseudonyms; each entry recorded, and
 * how many; of the person's own manager, programmes and part alone */
START_TEST(a_roll_is_carried_out)
{
    const int entries = 53;
    char next[64];
    for (int i = 1; i <= entries; i++)
        ck_assert_ptr_nonnull(register_chorishi(i));
    ck_assert_ptr_nonnull(register_by(work, (struct wish){"mlit", "kaigishi", kaigishi_items, 900, NULL}));
    const int64_t recorded = count("SELECT count(*) FROM records.audit_outbox");
    const Export__TableReply *piece = carry_out("tokyo", "chorishi", "", "");
    ck_assert_msg(piece != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    ck_assert_int_eq(piece->count, 50);
    ck_assert_mem_eq(piece->rows.data, "\"登録番号\",\"状態\"", strlen("\"登録番号\",\"状態\""));
    ck_assert(shows(piece, "辻\U000E0100　味香") && shows(piece, "\"有効\",\"1\""));
    ck_assert(!shows(piece, "PSEUDONYM-") && !shows(piece, "portal-1"));
    snprintf(next, sizeof next, "%s", piece->next);
    piece = carry_out("tokyo", "chorishi", "", next);
    ck_assert_int_eq(piece->count, entries - 50);
    ck_assert_str_eq(piece->next, "");
    ck_assert(!shows(piece, "登録番号"));
    ck_assert_int_eq(count("SELECT count(*) FROM records.audit_outbox"), recorded + entries + 2);
    ck_assert_int_eq(count("SELECT count(*) FROM records.audit_outbox WHERE position('entry_exported'::bytea IN event) "
                           "> 0 AND position('PSEUDONYM-53'::bytea IN event) > 0"),
        1);
    piece = carry_out("tokyo", "chorishi", "2999-01-01", "");
    ck_assert_int_eq(piece->count, 0);
    ck_assert_ptr_null(carry_out("tokyo", "chorishi", "2026-02-30", ""));
    ck_assert_int_eq(work->fault.code, FAULT_item_invalid);
    ck_assert_ptr_null(carry_out("tokyo", "kaigishi", "", ""));
    ck_assert_str_eq(work->fault.field, "manager");
    ck_assert_ptr_null(carry_out("mlit", "kaigishi", "", ""));
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    snprintf(clerk.body, sizeof clerk.body, "another-part");
    piece = carry_out("tokyo", "chorishi", "", "");
    ck_assert_int_eq(piece->count, 0);
    clerk.loans[0].until_ms = clock_ms() - 1;
    ck_assert_ptr_null(carry_out("tokyo", "chorishi", "", ""));
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *tests = tcase_create("rolls");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, an_application_becomes_an_entry);
    tcase_add_test(tests, an_application_becomes_one_entry);
    tcase_add_test(tests, numbers_have_no_gaps);
    tcase_add_test(tests, a_lost_transaction_leaves_no_gap);
    tcase_add_test(tests, programmes_count_apart);
    tcase_add_test(tests, what_breaks_a_rule_leaves_nothing);
    tcase_add_test(tests, a_copy_is_a_new_version);
    tcase_add_test(tests, a_copy_that_fits_nobody_is_refused);
    tcase_add_test(tests, rows_are_covered_and_kept_apart);
    tcase_add_test(tests, a_portal_pseudonym_is_where_it_is_listed);
    tcase_add_test(tests, a_roll_is_carried_out);
    tcase_add_test(tests, a_row_in_another_place_is_not_read);
    Suite *suite = suite_create("records");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
