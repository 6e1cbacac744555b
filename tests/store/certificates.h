/* The service of certificates on a database of the test's own, and requests to it. Included by one file of a program.
 */
#ifndef STORE_CERTIFICATES_H
#define STORE_CERTIFICATES_H

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "certificates.pb-c.h"
#include "certificates/certificate_cose.h"
#include "certificates/certificate_messages.h"
#include "certificates/certificate_publish.h"
#include "certificates/certificate_render.h"
#include "certificates/certificate_state.h"
#include "certificates/certificate_url.h"
#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/work_state.h"
#include "kit/staff_word.h"
#include "kit/store.h"
#include "staff.pb-c.h"

#define NAME "辻\U000E0100　味香"
#define NAME_HEX "e8bebbf3a08480e38080e591b3e9a699"
#define PUBLIC_URL "https://localhost:8443"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0, "sockets"},
};
static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_SIGN}, {"tokyo", KEY_DATA}, {"tokyo", KEY_ISSUE},
    {"mlit", KEY_DATA}, {"mlit", KEY_ISSUE}};
static const struct service service = {.name = "certificates", .schema_version = 3};

static struct store store;
static struct programmes *programmes;
static struct work *work;
static char keys_folder[] = "/tmp/shikaku-certificates-XXXXXX";

/* A key folder of our own, so that the signer of tokens here is not another test's; the PKCS#11 token is the shared
 * one. */
static void keys_folder_make(void)
{
    char path[256], target[512];
    ck_assert_ptr_nonnull(mkdtemp(keys_folder));
    snprintf(path, sizeof path, "%s/certificates", keys_folder);
    snprintf(target, sizeof target, "%s/certificates", getenv("SHIKAKU_KEYS"));
    ck_assert_int_eq(symlink(target, path), 0);
    snprintf(path, sizeof path, "%s/peers", keys_folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    setenv("SHIKAKU_KEYS", keys_folder, 1);
}

static void keys_folder_remove(void)
{
    static const char *const names[] = {"peers/staff.sign.pub", "peers/certificates.issue.jwks", "certificates"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", keys_folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/peers", keys_folder);
    rmdir(path);
    rmdir(keys_folder);
}

static void signer_publish(void)
{
    char path[256], text[65];
    uint8_t public_key[32];
    ck_assert(key_ed25519_public(keyring_newest("*", KEY_SIGN), public_key));
    hex_put(text, public_key, sizeof public_key);
    snprintf(path, sizeof path, "%s/peers/staff.sign.pub", keys_folder);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fprintf(out, "%s\n", text);
    fclose(out);
    staff_word_take();
}

static void setup(void)
{
    struct fault fault = {0};
    struct pg *pg;
    char problem[PROGRAMMES_PROBLEM_MAX] = "";
    store_open(&store, "certificates");
    keys_folder_make();
    setenv("SHIKAKU_DSN", store.dsn, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    exchange_store_open("certificates");
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("certificates", pg, wants, sizeof wants / sizeof *wants, &fault), "%s", fault.field);
    pg_close(pg);
    signer_publish();
    programmes = programmes_load("deploy/programmes", problem, sizeof problem);
    ck_assert_msg(programmes != NULL, "%s", problem);
    ck_assert(certificate_serve(programmes, PUBLIC_URL));
    work = work_new(&service);
    ck_assert_ptr_nonnull(work);
}

static void teardown(void)
{
    work_free(work);
    programmes_free(programmes);
    keyring_close();
    keys_folder_remove();
    store_close(&store);
}

/* Hand a request over as the bus does; the reply, unpacked, stays valid until the next call on this work. */
struct delivery {
    struct work *by;
    enum route route;
    const char *sender, *key, *token;
};

static enum outcome deliver(struct delivery delivery, const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    static _Thread_local uint8_t payload[32768], key_bytes[IDEMPOTENCY_KEY_BYTES];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    struct work *by = delivery.by;
    work_reset(by);
    memset(key_bytes, 0, sizeof key_bytes);
    memcpy(key_bytes, delivery.key, strlen(delivery.key));
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key_bytes, key_bytes};
    envelope.route = (char *)route_row(delivery.route)->name;
    envelope.actor_token = (char *)delivery.token;
    ck_assert_uint_le(protobuf_c_message_get_packed_size(message), sizeof payload);
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(message, payload), payload};
    envelope.correlation = "test";
    snprintf(by->state->peer.name, sizeof by->state->peer.name, "%s", delivery.sender);
    ProtobufCMessage *request = protobuf_c_message_unpack(
        route_row(delivery.route)->request, arena_allocator(by->arena), envelope.payload.len, envelope.payload.data);
    ck_assert_ptr_nonnull(request);
    work_take_request(by, delivery.route, &envelope, request);
    const struct message *row = NULL;
    for (size_t i = 0; i < certificate_message_count; i++)
        if (certificate_messages[i].route == delivery.route)
            row = &certificate_messages[i];
    ck_assert_ptr_nonnull(row);
    enum outcome outcome = row->check(request, &by->fault) ? row->act(by) : work_refuse(by);
    *reply = outcome == OUTCOME_DONE ? protobuf_c_message_unpack(route_row(delivery.route)->reply,
                                           arena_allocator(by->arena), by->state->reply.len, by->state->reply.data)
                                     : NULL;
    return outcome;
}

static const char *uuid_of(char kind, int number)
{
    static _Thread_local char texts[8][37];
    static _Thread_local int next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "0000000%c-0000-4000-8000-%012x", kind, (unsigned)number);
    return text;
}
#define APPLICATION(n) (char *)uuid_of('a', n)
#define ENTRY(n) (char *)uuid_of('e', n)

static const char fields[] = "{\"roll\":{\"name\":\"" NAME
                             "\",\"birth_date\":\"20000229\","
                             "\"domicile_prefecture\":\"奈良県\",\"licence_number\":\"第000001号\"}}";

static Certificates__IssueRequest issue_of(int number)
{
    Certificates__IssueRequest request = CERTIFICATES__ISSUE_REQUEST__INIT;
    request.manager = "tokyo";
    request.programme = "chorishi";
    request.application = APPLICATION(number);
    request.entry = ENTRY(number);
    request.version = 1;
    request.pseudonym = "PSEUDONYM-1";
    request.portal_pseudonym = "portal-1";
    request.registration_number = "第000001号";
    request.fields = (ProtobufCBinaryData){sizeof fields - 1, (uint8_t *)fields};
    request.name = NAME;
    request.birth_date = "20000229";
    return request;
}

struct issued {
    char certificate[40], url[CERTIFICATE_URL_MAX];
};

static enum outcome issue_by(
    struct work *by, const char *key, const Certificates__IssueRequest *request, struct issued *issued)
{
    ProtobufCMessage *reply;
    enum outcome outcome =
        deliver((struct delivery){by, ROUTE_certificates_issue, "intake", key, ""}, &request->base, &reply);
    if (outcome == OUTCOME_DONE) {
        const Certificates__IssueReply *given = (const Certificates__IssueReply *)reply;
        snprintf(issued->certificate, sizeof issued->certificate, "%s", given->certificate);
        snprintf(issued->url, sizeof issued->url, "%s", given->qr_url);
    }
    return outcome;
}

static struct issued issue(const char *key, Certificates__IssueRequest request)
{
    struct issued issued;
    enum outcome outcome = issue_by(work, key, &request, &issued);
    ck_assert_msg(outcome == OUTCOME_DONE, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    return issued;
}

static Certificates__VerifyReply *verify(const char *code)
{
    Certificates__VerifyRequest request = CERTIFICATES__VERIFY_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.code = (char *)code;
    ck_assert_int_eq(
        deliver((struct delivery){work, ROUTE_certificates_verify, "portal", "", ""}, &request.base, &reply),
        OUTCOME_DONE);
    return (Certificates__VerifyReply *)reply;
}

static void expect_verdict(const struct issued *issued, const char *reason)
{
    Certificates__VerifyReply *reply = verify(certificate_url_code(issued->url));
    ck_assert_str_eq(reply->reason, reason);
    ck_assert_int_eq(reply->valid, reason[0] == 0);
}

static const char *shown(Certificates__Shown **lines, size_t count, const char *label)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(lines[i]->label, label) == 0)
            return lines[i]->value;
    return "";
}

static enum outcome set_status(const char *key, const char *entry, const char *status, uint32_t *count)
{
    Certificates__SetStatusRequest request = CERTIFICATES__SET_STATUS_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = "tokyo";
    request.entry = (char *)entry;
    request.status = (char *)status;
    request.reason = "架空の処分";
    enum outcome outcome =
        deliver((struct delivery){work, ROUTE_certificates_set_status, "records", key, ""}, &request.base, &reply);
    *count = outcome == OUTCOME_DONE ? ((Certificates__SetStatusReply *)reply)->count : 0;
    return outcome;
}

static void expect_status(const char *key, const char *entry, const char *status, uint32_t expected)
{
    uint32_t count;
    ck_assert_msg(set_status(key, entry, status, &count) == OUTCOME_DONE, "%s", fault_code_text(work->fault.code));
    ck_assert_uint_eq(count, expected);
}

static enum outcome show(const char *token, const char *manager, const char *certificate, const char *portal,
    const char *format, Certificates__ShowReply **reply)
{
    Certificates__ShowRequest request = CERTIFICATES__SHOW_REQUEST__INIT;
    ProtobufCMessage *given;
    request.manager = (char *)manager;
    request.certificate = (char *)certificate;
    request.portal_pseudonym = (char *)portal;
    request.format = (char *)format;
    enum outcome outcome =
        deliver((struct delivery){work, ROUTE_certificates_show, "portal", "", token}, &request.base, &given);
    *reply = (Certificates__ShowReply *)given;
    return outcome;
}

static void expect_fault(enum outcome outcome, enum fault_code code, const char *field)
{
    ck_assert_int_eq(outcome, OUTCOME_REJECT);
    ck_assert_str_eq(fault_code_text(work->fault.code), fault_code_text(code));
    ck_assert_str_eq(work->fault.field, field);
}

static const char *token_of(const char *manager, const char *right)
{
    static char token[ACTOR_TOKEN_MAX];
    Staff__Actor actor = STAFF__ACTOR__INIT;
    uint8_t packed[512], signature[64];
    actor.account = "staff-1";
    actor.role = "reviewer";
    actor.manager = (char *)manager;
    actor.rights = (char *[]){(char *)right};
    actor.n_rights = 1;
    actor.terminal = "00";
    actor.session = "00000000-0000-4000-8000-000000000001";
    actor.expires_at_ms = clock_ms() + 60000;
    size_t len = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(keyring_newest("*", KEY_SIGN), packed, len, signature));
    certificate_code_print(packed, len, token);
    strcat(token, ".");
    certificate_code_print(signature, sizeof signature, token + strlen(token));
    return token;
}

static int64_t count_as(const char *manager, const char *sql)
{
    struct pg *pg;
    struct fault fault = {0};
    ck_assert(pg_open(&pg, store.dsn, &fault));
    pg_begin(pg, manager);
    PGresult *rows = pg_query(pg, sql, &fault, PG_NONE);
    int64_t count = rows ? pg_get_integer(rows, 0, 0) : -1;
    PQclear(rows);
    pg_rollback(pg);
    pg_close(pg);
    return count;
}

static int64_t count(const char *sql)
{
    return count_as("tokyo", sql);
}

#endif
