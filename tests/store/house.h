/* The whole house in one process: every service's own messages on a real database with all schemas, reached through the
 * real dispatch with sealed letters; what a service asks of another goes the same way at once. Keys are those of
 * kit/ring.h; this file stands in the place of chassis/bus.c, as that one does for chassis/keyring.c. Included by one
 * file of a program. */
#ifndef STORE_HOUSE_H
#define STORE_HOUSE_H

#include "audit/audit_messages.h"
#include "certificates/certificate_messages.h"
#include "chassis/audit_outbox_store.h"
#include "chassis/boot.h"
#include "chassis/dispatch.h"
#include "chassis/exchange_store.h"
#include "chassis/jwe.h"
#include "chassis/programme_keys.h"
#include "chassis/rights.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"
#include "intake/application_messages.h"
#include "intermediate/gateway_messages.h"
#include "kit/ring.h"
#include "kit/staff_word.h"
#include "kit/store.h"
#include "legacy_sync/hand_over_messages.h"
#include "records/roll_messages.h"
#include "residence/inquiry_messages.h"
#include "staff/staff_messages.h"
#include "staff/staff_setup.h"
#include "vault/number_messages.h"

#include <check.h>
#include <openssl/rand.h>
#include <stdarg.h>

struct room {
    struct service service;
    struct work *work;
};

#define ROOM(called, table, count)                                                                                     \
    {                                                                                                                  \
        .service = {.name = called, .messages = table, .message_count = count }                                        \
    }
static struct room rooms[] = {
    ROOM("intake", application_messages, APPLICATION_MESSAGES),
    ROOM("vault", number_messages, NUMBER_MESSAGES),
    ROOM("residence", inquiry_messages, 0),
    ROOM("intermediate", gateway_messages, 0),
    ROOM("records", roll_messages, 0),
    ROOM("certificates", certificate_messages, 0),
    ROOM("legacy_sync", hand_over_messages, 0),
    ROOM("staff", staff_messages, 0),
    ROOM("audit", audit_messages, 0),
};
#define ROOMS (sizeof rooms / sizeof *rooms)

static struct store house_store;
static char house_folder[64];
static PGconn *house_owner;
static const char *house_service = ""; /* whose turn it is */

static const struct setting house_settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, "sockets"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "programmes"},
    {"SHIKAKU_PUBLIC_URL", SETTING_TEXT, "https://shikaku.example", 0, 0, "url"},
    {"SHIKAKU_OFFICERS_NAMED", SETTING_TEXT, "", 0, 0, "managers"},
    {"SHIKAKU_INCIDENT_PRELIMINARY_DAYS", SETTING_NUMBER, "3", 1, 60, "days"},
    {"SHIKAKU_INCIDENT_FINAL_DAYS", SETTING_NUMBER, "30", 1, 365, "days"},
    {"SHIKAKU_INCIDENT_FINAL_UNLAWFUL_DAYS", SETTING_NUMBER, "60", 1, 365, "days"},
    {"SHIKAKU_PROPOSAL_DAYS", SETTING_NUMBER, "14", 1, 365, "days"},
    {"SHIKAKU_CORRECTION_DAYS", SETTING_NUMBER, "14", 1, 365, "days"},
};

static inline void house_do(const char *manager, const char *sql)
{
    char pin[128];
    snprintf(pin, sizeof pin, "SET shikaku.manager = '%s'", manager);
    PQclear(PQexec(house_owner, pin));
    PGresult *result = PQexec(house_owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, "%s: %s",
        sql, PQresultErrorMessage(result));
    PQclear(result);
}

/* From now on keys and SQL texts are those of this service; returns whose they were. */
static inline const char *house_turn(const char *service)
{
    const char *before = house_service;
    house_service = service;
    ring_as(service);
    if (*service && strcmp(service, "portal") != 0 && strcmp(service, "operator") != 0) {
        exchange_store_open(service);
        audit_outbox_open(service);
    }
    return before;
}

static inline struct room *house_room(const char *service)
{
    for (size_t i = 0; i < ROOMS; i++)
        if (strcmp(rooms[i].service.name, service) == 0)
            return &rooms[i];
    return NULL;
}

/* --- in the place of the bus -------------------------------------------------------------------------------------- */

struct bus_caller {
    char self[64];
    struct sealer *sealer;
};

struct bus_caller *bus_caller_new(const char *self)
{
    struct bus_caller *caller = calloc(1, sizeof *caller);
    ck_assert_ptr_nonnull(caller);
    snprintf(caller->self, sizeof caller->self, "%s", self);
    caller->sealer = sealer_new(self);
    return caller;
}

void bus_caller_free(struct bus_caller *caller)
{
    if (caller)
        sealer_free(caller->sealer);
    free(caller);
}

void bus_caller_cancel(struct bus_caller *caller)
{
    (void)caller;
}

bool bus_listen(struct bus_listener **listener, const char *self, int threads, void *(*worker_new)(int index),
    bus_handler handle, void (*worker_free)(void *), struct fault *fault)
{
    (void)listener, (void)self, (void)threads, (void)worker_new, (void)handle, (void)worker_free;
    return fault_set(fault, FAULT_unavailable, "bus");
}

void bus_drain(struct bus_listener *listener)
{
    (void)listener;
}

void bus_key(uint8_t key[IDEMPOTENCY_KEY_BYTES], enum route route, ...)
{
    va_list parts;
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", route_row(route)->name);
    va_start(parts, route);
    for (const char *part; (part = va_arg(parts, const char *)) && used < sizeof text;)
        used += (size_t)snprintf(text + used, sizeof text - used, "|%zu|%s", strlen(part), part);
    va_end(parts);
    SHA256((const uint8_t *)text, strlen(text), key);
}

static inline Bus__Envelope house_envelope(
    struct arena *arena, const struct bus_caller *caller, const struct bus_request *request, uint8_t message_id[16])
{
    const struct route_row *row = route_row(request->route);
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    size_t len = protobuf_c_message_get_packed_size(request->message);
    uint8_t *payload = arena_take(arena, len + 1);
    ck_assert(payload && RAND_bytes(message_id, 16) == 1);
    protobuf_c_message_pack(request->message, payload);
    envelope.message_id = (ProtobufCBinaryData){16, message_id};
    if (request->key)
        envelope.idempotency_key = (ProtobufCBinaryData){IDEMPOTENCY_KEY_BYTES, (uint8_t *)request->key};
    envelope.route = (char *)row->name;
    envelope.sender = (char *)caller->self;
    envelope.recipient = (char *)party_name(row->to);
    envelope.sent_at_ms = clock_ms();
    envelope.deadline_ms = envelope.sent_at_ms + row->deadline_ms;
    envelope.actor_token = (char *)(request->actor_token ? request->actor_token : "");
    envelope.purpose = (char *)(request->purpose ? request->purpose : "");
    envelope.correlation = (char *)(request->correlation ? request->correlation : "");
    envelope.payload = (ProtobufCBinaryData){len, payload};
    return envelope;
}

bool bus_call(struct bus_caller *caller, struct arena *arena, const struct bus_request *request,
    ProtobufCMessage **reply, struct fault *fault)
{
    uint8_t message_id[16];
    struct seal_peer peer;
    const struct route_row *row = route_row(request->route);
    struct room *room = house_room(party_name(row->to));
    Bus__Envelope envelope = house_envelope(arena, caller, request, message_id);
    size_t size = bus__envelope__get_packed_size(&envelope);
    uint8_t *plain = arena_take(arena, size);
    ck_assert(plain && room);
    bus__envelope__pack(&envelope, plain);
    struct bytes frame = seal_put(caller->sealer, arena, SEAL_REQUEST, room->service.name, plain, size);
    const char *before = house_turn(room->service.name);
    struct bytes answer = dispatch(room->work, frame.data, frame.len);
    house_turn(before);
    struct bytes opened = seal_take(caller->sealer, arena, SEAL_REPLY, answer.data, answer.len, &peer, fault);
    if (!opened.data)
        return false;
    Bus__Envelope *said = bus__envelope__unpack(arena_allocator(arena), opened.len, opened.data);
    ck_assert_ptr_nonnull(said);
    if (said->outcome != BUS__OUTCOME__DONE)
        return fault_set(fault, fault_code_parse(said->fault_code), said->fault_field);
    ProtobufCMessage *unpacked =
        protobuf_c_message_unpack(row->reply, arena_allocator(arena), said->payload.len, said->payload.data);
    if (reply)
        *reply = unpacked;
    return unpacked || fault_set(fault, FAULT_malformed, "reply");
}

/* --- opening and closing ------------------------------------------------------------------------------------------ */

static inline void house_rooms_fill(void)
{
    const size_t counts[] = {APPLICATION_MESSAGES, NUMBER_MESSAGES, inquiry_message_count, gateway_message_count,
        roll_message_count, certificate_message_count, hand_over_message_count, staff_message_count,
        audit_message_count};
    for (size_t i = 0; i < ROOMS; i++)
        rooms[i].service.message_count = counts[i];
}

static inline void house_key_of_staff(void)
{
    char hex[65];
    uint8_t half[32];
    ring_as("staff");
    ck_assert(key_ed25519_public(keyring_newest("*", KEY_SIGN), half));
    hex_put(hex, half, 32);
    ring_file_write("staff.sign.pub", hex);
}

static inline void house_open(void)
{
    static const char *const others[] = {"portal", "operator"};
    static char dsn[ROOMS][640];
    struct fault fault = {0};
    const struct key_want *wants; /* ring.h has every key: asked for to open the programmes */
    store_open(&house_store, NULL);
    for (size_t i = 0; i < ROOMS; i++) /* before SHIKAKU_KEYS is another folder */
        store_dsn(&house_store, rooms[i].service.name, dsn[i], sizeof dsn[i]);
    ring_folder_make(house_folder);
    setenv("SHIKAKU_BUS", house_folder, 1);
    ck_assert(settings_read(house_settings, sizeof house_settings / sizeof *house_settings));
    house_rooms_fill();
    for (size_t i = 0; i < ROOMS; i++)
        ring_publish(rooms[i].service.name);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ring_publish(others[i]);
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    for (size_t i = 0; i < ROOMS; i++) {
        house_turn(rooms[i].service.name);
        rooms[i].work = work_new(&rooms[i].service); /* without a schema: each has a connection of its own role */
        ck_assert(rooms[i].work && pg_open(&rooms[i].work->pg, dsn[i], &fault));
        rooms[i].service.schema_version = 1;
    }
    ck_assert(staff_keys_wanted(&wants) > 0 && settings_read(staff_settings, STAFF_SETTINGS));
    inquiries_serve(programmes_in_use());
    roll_serve(programmes_in_use());
    gateway_serve(programmes_in_use());
    ck_assert(certificate_serve(programmes_in_use(), setting_text("SHIKAKU_PUBLIC_URL")));
    house_key_of_staff();
    house_turn("portal");
    staff_word_take();
    house_owner = PQconnectdb(house_store.owner);
}

static inline void house_close(void)
{
    for (size_t i = 0; i < ROOMS; i++) {
        house_turn(rooms[i].service.name);
        work_free(rooms[i].work);
        rooms[i].work = NULL;
        rooms[i].service.schema_version = 0;
    }
    PQfinish(house_owner);
    ring_folder_remove(house_folder);
    store_close(&house_store);
}

#endif
