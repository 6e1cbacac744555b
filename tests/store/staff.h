/* What the tests of staff share: the service on a real PostgreSQL. Requests go to its own message table, as the bus
 * would hand them over. */
#ifndef STORE_STAFF_H
#define STORE_STAFF_H

#include <check.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/rights.h"
#include "chassis/work_state.h"
#include "kit/staff_word.h"
#include "kit/store.h"
#include "staff.pb-c.h"
#include "staff/session_store.h"
#include "staff/staff_messages.h"
#include "staff/staff_password.h"
#include "staff/staff_setup.h"
#include "staff/staff_store.h"
#include "staff/staff_token.h"

#define NUMBER_TERMINAL "1111111111111111111111111111111111111111111111111111111111111111"
#define RESIDENCE_TERMINAL "2222222222222222222222222222222222222222222222222222222222222222"
#define SAITAMA_TERMINAL "3333333333333333333333333333333333333333333333333333333333333333"
#define OFFICE_TERMINAL "5555555555555555555555555555555555555555555555555555555555555555"
#define STRANGER "4444444444444444444444444444444444444444444444444444444444444444"
#define PASSWORD "Kakuu-no-Aikotoba-1"
#define PERSON "架空　職員"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "programmes"},
};
static const struct service service = {.name = "staff", .schema_version = 8};

static struct store store;
static struct work *work;
static char keys_folder[] = "/tmp/shikaku-staff-XXXXXX";

static inline void file_put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", keys_folder, name);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static const char terminals[] =
    "[{\"fingerprint\":\"" NUMBER_TERMINAL
    "\",\"kind\":\"number\",\"manager\":\"*\"},"
    "{\"fingerprint\":\"" RESIDENCE_TERMINAL
    "\",\"kind\":\"residence\",\"manager\":\"*\"},"
    "{\"fingerprint\":\"" OFFICE_TERMINAL
    "\",\"kind\":\"administration\",\"manager\":\"*\"},"
    "{\"fingerprint\":\"" SAITAMA_TERMINAL "\",\"kind\":\"number\",\"manager\":\"saitama\"}]";

/* A key folder of our own; the PKCS#11 token in it is the shared one. */
static inline void keys_folder_make(void)
{
    char path[256], target[512];
    ck_assert_ptr_nonnull(mkdtemp(keys_folder));
    snprintf(path, sizeof path, "%s/staff", keys_folder);
    snprintf(target, sizeof target, "%s/staff", getenv("SHIKAKU_KEYS"));
    ck_assert_int_eq(symlink(target, path), 0);
    setenv("SHIKAKU_KEYS", keys_folder, 1);
    file_put("terminals.json", terminals);
}

static inline void setup(void)
{
    struct fault fault = {0};
    static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_SIGN}, {"tokyo", KEY_DATA}, {"tokyo", KEY_INDEX},
        {"saitama", KEY_DATA}, {"saitama", KEY_INDEX}};
    const struct key_want *all;
    struct pg *pg;
    store_open(&store, "staff");
    keys_folder_make();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    setenv("SHIKAKU_ARGON2_KIB", "1024", 0);
    setenv("SHIKAKU_ARGON2_PASSES", "1", 0);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    ck_assert(settings_read(staff_settings, STAFF_SETTINGS));
    ck_assert_uint_gt(staff_keys_wanted(&all), 0); /* the test makes do with fewer keys */
    exchange_store_open("staff");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("staff", pg, wants, sizeof wants / sizeof *wants, &fault), "%s", fault.field);
    pg_close(pg);
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    ck_assert(password_open(&fault));
    ck_assert(token_key_publish(keys_folder, &fault));
    work = work_new(&service);
    ck_assert_ptr_nonnull(work);
    staff_word_take();
}

static inline void teardown(void)
{
    static const char *const names[] = {"peers/staff.sign.pub", "terminals.json", "staff"};
    char path[256];
    work_free(work);
    keyring_close();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", keys_folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/peers", keys_folder);
    rmdir(path);
    rmdir(keys_folder);
    store_close(&store);
}

/* Hand a request over as the bus does; the reply stays valid until the next call on this work. */
static inline enum outcome deliver(struct work *by, enum route route, const struct actor *actor,
    const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    static _Thread_local uint8_t payload[4096], key[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    work_reset(by);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)rand();
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key, key};
    envelope.route = (char *)route_row(route)->name;
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof payload);
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    strcpy(by->state->peer.name, "portal");
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(route)->request, arena_allocator(by->arena), envelope.payload.len, envelope.payload.data);
    work_take_request(by, route, &envelope, request);
    if (actor) {
        by->state->actor = *actor;
        by->actor = &by->state->actor;
    }
    const struct message *row = NULL;
    for (size_t i = 0; i < staff_message_count; i++)
        if (staff_messages[i].route == route)
            row = &staff_messages[i];
    ck_assert_ptr_nonnull(row);
    enum outcome outcome = !row->check || row->check(request, &by->fault) ? row->act(by) : work_refuse(by);
    if (reply)
        *reply = outcome == OUTCOME_DONE ? protobuf_c_message_unpack(route_row(route)->reply,
                                               arena_allocator(by->arena), by->state->reply.len, by->state->reply.data)
                                         : NULL;
    return outcome;
}

static inline const Staff__LoginReply *login_with(
    struct work *by, const char *account, const char *password, const char *code, const char *terminal)
{
    Staff__LoginRequest request = STAFF__LOGIN_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.account = (char *)account;
    request.password = (char *)password;
    request.code = (char *)code;
    request.terminal = (char *)terminal;
    deliver(by, ROUTE_staff_login, NULL, &request.base, &reply);
    return (const Staff__LoginReply *)reply;
}

static inline const Staff__LoginReply *login(const char *account, const char *password, const char *terminal)
{
    return login_with(work, account, password, "", terminal);
}

static inline void assert_code(enum fault_code code)
{
    ck_assert_str_eq(fault_code_text(work->fault.code), fault_code_text(code));
}

static inline void assert_refused(const Staff__LoginReply *reply, enum fault_code code)
{
    ck_assert_ptr_null(reply);
    assert_code(code);
}

/* A value as the owner sees it when he pins the manager. */
static inline long count_of(const char *manager, const char *sql)
{
    char pin[128];
    PGconn *db = PQconnectdb(store.owner);
    snprintf(pin, sizeof pin, "SET shikaku.manager = '%s'", manager);
    PQclear(PQexec(db, pin));
    PGresult *result = PQexec(db, sql);
    ck_assert_msg(PQntuples(result) == 1, "%s", PQerrorMessage(db));
    long count = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    PQfinish(db);
    return count;
}

static inline struct actor actor_of(const Staff__LoginReply *reply)
{
    struct actor actor;
    struct fault fault = {0};
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(actor_verify(reply->token, clock_ms(), &actor, &fault), "%s", fault_code_text(fault.code));
    return actor;
}

/* A person with every right, as a token would say it. */
static inline struct actor person_of(const char *account, const char *manager)
{
    struct actor actor = {.rights = UINT32_MAX, .expires_at_ms = clock_ms() + 60000};
    strcpy(actor.role, strcmp(manager, RIGHTS_PLATFORM) == 0 ? "platform_operator" : "administrator");
    snprintf(actor.account, sizeof actor.account, "%s", account);
    snprintf(actor.manager, sizeof actor.manager, "%s", manager);
    strcpy(actor.terminal, NUMBER_TERMINAL);
    strcpy(actor.session, "00000000-0000-4000-8000-000000000000");
    return actor;
}

static inline Staff__AccountApplyRequest apply_request(const char *account, const char *role, const char *manager)
{
    static char *programmes[] = {"chorishi", "hoikushi"};
    Staff__AccountApplyRequest request = STAFF__ACCOUNT_APPLY_REQUEST__INIT;
    request.manager = (char *)manager;
    request.kind = "issue";
    request.account = (char *)account;
    request.person = PERSON;
    request.category = "staff";
    request.role = (char *)role;
    request.programmes = programmes;
    request.n_programmes = strcmp(manager, "tokyo") == 0 ? 2 : 0;
    request.need = "審査事務";
    request.until = "2099-03-31";
    return request;
}

/* The id of the application; "" where it was refused. */
static inline void apply(const Staff__AccountApplyRequest *request, const char *by, char application[37])
{
    struct actor applicant = person_of(by, request->manager);
    ProtobufCMessage *reply;
    application[0] = '\0';
    if (deliver(work, ROUTE_staff_account_apply, &applicant, &request->base, &reply) == OUTCOME_DONE)
        strcpy(application, ((const Staff__AccountApplyReply *)reply)->application);
}

static inline const Staff__AccountDecideReply *decide(
    const char *manager, const char *application, const char *by, bool approve)
{
    Staff__AccountDecideRequest request = STAFF__ACCOUNT_DECIDE_REQUEST__INIT;
    struct actor decider = person_of(by, manager);
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.application = (char *)application;
    request.approve = approve;
    request.reason = approve ? "" : "必要性が認められない";
    deliver(work, ROUTE_staff_account_decide, &decider, &request.base, &reply);
    return (const Staff__AccountDecideReply *)reply;
}

static inline enum outcome password_change(const struct actor *actor, const char *old, const char *fresh)
{
    Staff__PasswordRequest request = STAFF__PASSWORD_REQUEST__INIT;
    request.old = (char *)old;
    request.new_ = (char *)fresh;
    return deliver(work, ROUTE_staff_password, actor, &request.base, NULL);
}

/* An account as it is after its first login: applied for, approved by another, its first password changed. */
static inline void account_make(const char *account, const char *role, const char *manager)
{
    char application[37], first[64];
    Staff__AccountApplyRequest request = apply_request(account, role, manager);
    char person[128];
    snprintf(person, sizeof person, PERSON "(%s)", account);
    request.person = person;
    apply(&request, "admin-1", application);
    ck_assert_msg(*application, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    const Staff__AccountDecideReply *decided = decide(manager, application, "admin-2", true);
    ck_assert_msg(decided != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    strcpy(first, decided->first_password);
    struct actor actor = person_of(account, manager);
    ck_assert_msg(password_change(&actor, first, PASSWORD) == OUTCOME_DONE, "%s", fault_code_text(work->fault.code));
}

#endif
