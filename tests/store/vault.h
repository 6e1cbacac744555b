/* A vault on a real PostgreSQL for the tests of its store. Requests go to the service's own message table, as the bus
 * would hand them over. Each program includes this once. */
#ifndef TESTS_STORE_VAULT_H
#define TESTS_STORE_VAULT_H

#include <check.h>
#include <jansson.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/rights.h"
#include "chassis/work_state.h"
#include "kit/sealed_number.h"
#include "kit/store.h"
#include "vault.pb-c.h"
#include "vault/number_messages.h"
#include "vault/pseudonym.h"
#include "vault/vault_setup.h"

#define SEED 20260503u
#define APPLICATION "5c0d3d4a-3a51-4f0e-8f0e-0d3f6a1b2c3d"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "programmes"},
};
static const struct service service = {.name = "vault", .schema_version = 4};

static struct store store;
static struct work *work;
static struct kit_authorities *authorities;
static struct kit_sealer *sealer, *residence; /* to the vault; the residence connector's own key */
static char shared_keys[512];                 /* where the roles' passwords lie */
static char keys_folder[] = "/tmp/shikaku-vault-XXXXXX";

/* --- a vault ------------------------------------------------------------------------------------------------------ */

static bool own_token; /* for tests that destroy what is in it */

/* A token of the test's own, in its own key folder. */
static inline void token_of_its_own(void)
{
    char path[256], command[1024];
    snprintf(path, sizeof path, "%s/peers", keys_folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    setenv("SHIKAKU_KEYS", keys_folder, 1);
    snprintf(command, sizeof command, "%.900s/shikaku-keyhelper --make vault", getenv("SHIKAKU_BIN"));
    ck_assert_int_eq(system(command), 0);
}

/* A key folder of the test's own, so that its recipients are not another's; the PKCS#11 token is the shared one. */
static inline void keys_folder_make(void)
{
    char path[256], target[512];
    snprintf(shared_keys, sizeof shared_keys, "%s", getenv("SHIKAKU_KEYS"));
    ck_assert_ptr_nonnull(mkdtemp(keys_folder));
    snprintf(path, sizeof path, "%s/vault", keys_folder);
    snprintf(target, sizeof target, "%.500s/vault", shared_keys);
    if (own_token)
        token_of_its_own();
    else
        ck_assert_int_eq(symlink(target, path), 0);
    snprintf(path, sizeof path, "%s/recipients", keys_folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    setenv("SHIKAKU_KEYS", keys_folder, 1);
    setenv("SHIKAKU_CARD_ROOTS", "build/kit/card-roots", 1);
}

static inline void keys_folder_remove(void)
{
    static const char *const names[] = {"recipients/residence.jwk", "vault"};
    char path[256];
    if (own_token) {
        snprintf(path, sizeof path, "rm -rf -- '%s'", keys_folder);
        ck_assert_int_eq(system(path), 0);
        return;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", keys_folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/recipients", keys_folder);
    rmdir(path);
    rmdir(keys_folder);
}

static inline void residence_publish(void)
{
    char path[256];
    residence = kit_sealer_random("1");
    char *text = kit_sealer_jwks(residence);
    json_t *set = json_loads(text, 0, NULL);
    snprintf(path, sizeof path, "%s/recipients/residence.jwk", keys_folder);
    ck_assert_int_eq(json_dump_file(json_array_get(json_object_get(set, "keys"), 0), path, 0), 0);
    json_decref(set);
    free(text);
}

static struct actor *acting; /* who is behind the next request; the dispatcher has checked the token by then */

/* Hand a request over as the bus does; the reply, unpacked, stays valid until the next call on this work. */
static inline enum outcome deliver(struct work *by, enum route route, const char *sender, const char *key,
    const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    static _Thread_local uint8_t payload[64 * 1024], key_bytes[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    work_reset(by);
    memset(key_bytes, 0, sizeof key_bytes);
    memcpy(key_bytes, key, strnlen(key, sizeof key_bytes));
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key_bytes, key_bytes};
    envelope.route = (char *)route_row(route)->name;
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof payload);
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    envelope.correlation = APPLICATION;
    snprintf(by->state->peer.name, sizeof by->state->peer.name, "%s", sender);
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(by->arena), envelope.payload.len, envelope.payload.data);
    ck_assert_ptr_nonnull(request);
    work_take_request(by, route, &envelope, request);
    by->actor = acting;
    const struct message *row = NULL;
    for (size_t i = 0; i < NUMBER_MESSAGES; i++)
        if (number_messages[i].route == route)
            row = &number_messages[i];
    ck_assert_ptr_nonnull(row);
    enum outcome outcome = !row->check || row->check(request, &by->fault) ? row->act(by) : work_refuse(by);
    *reply = outcome == OUTCOME_DONE ? protobuf_c_message_unpack(route_row(route)->reply, arena_allocator(by->arena),
                                           by->state->reply.len, by->state->reply.data)
                                     : NULL;
    return outcome;
}

static inline void set_up(void)
{
    struct fault fault = {0};
    const struct key_want *wants;
    struct pg *pg;
    ProtobufCMessage *reply;
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    store_open(&store, "vault");
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    keys_folder_make();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    ck_assert(settings_read(vault_settings, VAULT_SETTINGS));
    exchange_store_open("vault");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    size_t count = vault_keys_wanted(&wants);
    ck_assert_msg(keyring_open("vault", pg, wants, count, &fault), "%s", fault.field);
    pg_close(pg);
    ck_assert_msg(vault_prepare(&fault), "%s", fault.field);
    residence_publish();
    authorities = kit_authorities_load("build/kit");
    work = work_new(&service);
    ck_assert(authorities && work);
    ck_assert_int_eq(deliver(work, ROUTE_vault_keys, "portal", "", &keys.base, &reply), OUTCOME_DONE);
    sealer = kit_sealer_new(((Vault__KeysReply *)reply)->jwks);
    ck_assert_ptr_nonnull(sealer);
}

static inline void tear_down(void)
{
    work_free(work);
    kit_sealer_free(sealer);
    kit_sealer_free(residence);
    kit_authorities_free(authorities);
    keyring_close();
    keys_folder_remove();
    store_close(&store);
}

/* Rows counted in the rows of one manager, by the vault's own role. */
static inline int count_as(const char *manager, const char *sql)
{
    struct fault fault = {0};
    ck_assert(pg_ensure(work->pg, &fault));
    pg_begin(work->pg, manager);
    PGresult *rows = pg_query(work->pg, sql, &fault, PG_NONE);
    ck_assert_msg(rows != NULL, "%s", sql);
    int value = (int)pg_get_integer(rows, 0, 0);
    PQclear(rows);
    pg_rollback(work->pg);
    return value;
}

static inline int ties(const char *manager)
{
    return count_as(manager, "SELECT count(*) FROM vault.tie");
}

/* Records of use with this outcome ("done" or a fault's code). */
static inline int events(const char *outcome)
{
    struct fault fault = {0};
    pg_begin(work->pg, "");
    static const char text[] = "SELECT count(*) FROM vault.audit_outbox WHERE position($1::bytea IN event) > 0";
    PGresult *rows = pg_query(work->pg, text, &fault, PG_VALUES(pg_bytes(outcome, strlen(outcome))));
    ck_assert_ptr_nonnull(rows);
    int value = (int)pg_get_integer(rows, 0, 0);
    PQclear(rows);
    pg_rollback(work->pg);
    return value;
}

/* As an administrator of the database could. */
static inline void tamper(const char *sql)
{
    PGconn *owner = PQconnectdb(store.owner);
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s",
        PQerrorMessage(owner));
    PQclear(result);
    PQfinish(owner);
}

static inline void expect_fault(enum outcome outcome, enum fault_code code, const char *field)
{
    ck_assert_int_ne(outcome, OUTCOME_DONE);
    ck_assert_str_eq(fault_code_text(work->fault.code), fault_code_text(code));
    ck_assert_str_eq(work->fault.field, field);
    ck_assert_ptr_null(work->state->reply.data);
}

/* --- requests ------------------------------------------------------------------------------------------------------
 */

/* One enrolment: what was sealed, and what the command says. */
struct enrolment {
    struct kit_card card;
    char application[37], signer[65];
    const char *manager;
    char *sealed;
    uint8_t signer_bytes[32], four_items[32];
    Vault__EnrolRequest request;
};

static inline void enrolment_begin(struct enrolment *e, const char *manager)
{
    memset(e, 0, sizeof *e);
    uuid_make(e->application);
    memset(e->signer_bytes, 0xA5, 32);
    hex_put(e->signer, e->signer_bytes, 32);
    e->manager = manager;
}

static inline void enrolment_end(struct enrolment *e)
{
    e->request = (Vault__EnrolRequest)VAULT__ENROL_REQUEST__INIT;
    e->request.manager = (char *)e->manager;
    e->request.application = e->application;
    e->request.signer = (ProtobufCBinaryData){32, e->signer_bytes};
    e->request.sealed_number = e->sealed;
    ck_assert_ptr_nonnull(e->sealed);
}

static inline void enrolment_by_card(struct enrolment *e, const struct kit_person *person, const char *manager)
{
    enrolment_begin(e, manager);
    ck_assert(kit_card_make(&e->card, authorities, person));
    SHA256(e->card.ef0002, e->card.ef0002_size, e->four_items);
    e->sealed = kit_seal_card(sealer, &(struct kit_binding){e->application, manager, e->signer}, &e->card);
    enrolment_end(e);
    e->request.four_items = (ProtobufCBinaryData){32, e->four_items};
}

static inline void enrolment_by_paper(struct enrolment *e, const char *number, const char *manager)
{
    enrolment_begin(e, manager);
    e->sealed = kit_seal_paper(sealer, &(struct kit_binding){e->application, manager, e->signer}, number);
    enrolment_end(e);
    e->request.paper = true;
}

struct enrolled {
    char pseudonym[PSEUDONYM_LENGTH + 1];
    bool known;
};

static inline enum outcome enrol(struct work *by, const char *key, const struct enrolment *e, struct enrolled *enrolled)
{
    ProtobufCMessage *reply;
    enum outcome outcome = deliver(by, ROUTE_vault_enrol, "intake", key, &e->request.base, &reply);
    if (outcome == OUTCOME_DONE) {
        const Vault__EnrolReply *given = (const Vault__EnrolReply *)reply;
        snprintf(enrolled->pseudonym, sizeof enrolled->pseudonym, "%s", given->pseudonym);
        enrolled->known = given->known_already;
        ck_assert_uint_eq(given->four_items_sha256.len, e->request.four_items.len);
        if (given->four_items_sha256.len)
            ck_assert_mem_eq(given->four_items_sha256.data, e->four_items, 32);
    }
    return outcome;
}

/* Each its own application, so its own key. */
static inline struct enrolled enrol_card(const struct kit_person *person, const char *manager)
{
    struct enrolment e;
    struct enrolled enrolled;
    enrolment_by_card(&e, person, manager);
    enum outcome outcome = enrol(work, e.application, &e, &enrolled);
    ck_assert_msg(outcome == OUTCOME_DONE, "%s", fault_code_text(work->fault.code));
    free(e.sealed);
    return enrolled;
}

static inline struct enrolled enrol_paper(const char *number, const char *manager)
{
    struct enrolment e;
    struct enrolled enrolled;
    enrolment_by_paper(&e, number, manager);
    ck_assert_int_eq(enrol(work, e.application, &e, &enrolled), OUTCOME_DONE);
    free(e.sealed);
    return enrolled;
}

#endif
