/* Whatever comes off the bus: frames, envelopes, requests of every route. The first byte of an input says what the rest
 * is. All of it goes through chassis/dispatch and the checks of the services themselves; what passes them stops there.
 */
#include "audit/audit_messages.h"
#include "certificates/certificate_messages.h"
#include "chassis/boot.h"
#include "chassis/dispatch.h"
#include "chassis/journal.h"
#include "chassis/settings.h"
#include "chassis/wire_scan.h"
#include "chassis/work_state.h"
#include "intake/application_messages.h"
#include "intake/intake_setup.h"
#include "intermediate/gateway_messages.h"
#include "kit/ring.h"
#include "kit/staff_word.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_messages.h"
#include "records/roll_messages.h"
#include "residence/inquiry_messages.h"
#include "staff/staff_messages.h"
#include "staff/staff_setup.h"
#include "vault/number_messages.h"

enum mode {
    FRAME,    /* a frame */
    ENVELOPE, /* an envelope, rightly sealed by portal */
    REQUEST,  /* which route (one byte), the request in a right envelope of a right sender */
    ACTOR,    /* the token of a person, on a route that needs one */
    MODES
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, "keys"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "programmes"},
};
static struct message messages[ROUTES];
static struct service services[ROUTES]; /* of each route, with that one message */
static struct work *works[ROUTES];
static struct sealer *sealers[12]; /* of each party */
static struct arena *arena;

static enum outcome act(struct work *work)
{
    return work_commit(work, NULL);
}

static void table_take(const struct message *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct message *message = &messages[table[i].route];
        struct service *service = &services[table[i].route];
        *message = (struct message){table[i].route, table[i].check, act};
        *service = (struct service){
            .name = party_name(route_row(table[i].route)->to), .messages = message, .message_count = 1};
        ring_as(service->name);
        works[table[i].route] = work_new(service);
        if (!works[table[i].route])
            abort();
    }
}

static void sealers_make(void)
{
    for (int i = 0; i < 12; i++) {
        const char *name = party_name(1u << i);
        ring_as(name);
        ring_publish(name);
        sealers[i] = sealer_new(name);
        if (!sealers[i])
            abort();
    }
}

/* Some checks know the programmes. */
static void programmes_serve(void)
{
    char problem[PROGRAMMES_PROBLEM_MAX];
    const struct key_want *wants;
    const struct programmes *programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    if (!programmes || !certificate_serve(programmes, "https://localhost:8443"))
        abort();
    roll_serve(programmes);
    inquiries_serve(programmes);
    gateway_serve(programmes);
    if (intake_keys(&wants) == 0)
        abort();
}

static char folder[64];

static void world_remove(void)
{
    ring_folder_remove(folder);
}

static void world_make(void)
{
    char hex[65];
    uint8_t half[32];
    ring_folder_make(folder);
    atexit(world_remove);
    ring_as("staff");
    if (!settings_read(settings, 2) || !settings_read(staff_settings, STAFF_SETTINGS) ||
        !key_ed25519_public(keyring_newest("*", KEY_SIGN), half))
        abort();
    hex_put(hex, half, sizeof half);
    ring_file_write("staff.sign.pub", hex);
    staff_word_take();
    arena = arena_new(4 << 20);
    sealers_make();
    programmes_serve();
    table_take(audit_messages, audit_message_count);
    table_take(certificate_messages, certificate_message_count);
    table_take(application_messages, APPLICATION_MESSAGES);
    table_take(gateway_messages, gateway_message_count);
    table_take(hand_over_messages, hand_over_message_count);
    table_take(roll_messages, roll_message_count);
    table_take(inquiry_messages, inquiry_message_count);
    table_take(staff_messages, staff_message_count);
    table_take(number_messages, NUMBER_MESSAGES);
}

/* A party that may send the route, by its number. */
static int sender_of(enum route route)
{
    return __builtin_ctz(route_row(route)->from);
}

static void seal_and_dispatch(enum route route, int sender, const void *plain, size_t len)
{
    struct bytes frame = seal_put(sealers[sender], arena, SEAL_REQUEST, services[route].name, plain, len);
    if (frame.data)
        (void)dispatch(works[route], frame.data, frame.len);
}

static void envelope_send(enum route route, const uint8_t *payload, size_t size, const char *token)
{
    static uint8_t id[16], key[32];
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    envelope.message_id = (ProtobufCBinaryData){sizeof id, id};
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key, key};
    envelope.route = (char *)route_row(route)->name;
    envelope.sender = (char *)party_name(1u << sender_of(route));
    envelope.recipient = (char *)services[route].name;
    envelope.sent_at_ms = clock_ms();
    envelope.deadline_ms = envelope.sent_at_ms + 5000;
    envelope.actor_token = (char *)token;
    envelope.payload = (ProtobufCBinaryData){size, (uint8_t *)payload};
    size_t len = bus__envelope__get_packed_size(&envelope);
    uint8_t *plain = arena_take(arena, len);
    if (!plain)
        return;
    bus__envelope__pack(&envelope, plain);
    seal_and_dispatch(route, sender_of(route), plain, len);
}

/* A route that needs a person would stop here for want of a token, so its request goes to its check directly. */
static void request_send(const uint8_t *data, size_t size)
{
    enum route route = size ? data[0] % ROUTES : 0;
    struct fault fault = {0};
    if (!works[route] || !size)
        return;
    if (route_row(route)->right == RIGHT_none) {
        envelope_send(route, data + 1, size - 1, "");
        return;
    }
    const ProtobufCMessageDescriptor *descriptor = route_row(route)->request;
    if (!wire_scan(descriptor, data + 1, size - 1))
        return;
    ProtobufCMessage *request = protobuf_c_message_unpack(descriptor, arena_allocator(arena), size - 1, data + 1);
    if (request && messages[route].check && !messages[route].check(request, &fault) && fault.code == FAULT_NONE)
        abort(); /* a refusal gives its reason */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!arena)
        world_make();
    if (size == 0 || size > BUS_FRAME_MAX)
        return 0;
    arena_reset(arena);
    switch ((enum mode)(data[0] % MODES)) {
    case FRAME:
        (void)dispatch(works[ROUTE_intake_submit], data + 1, size - 1);
        break;
    case ENVELOPE:
        seal_and_dispatch(ROUTE_intake_submit, 0, data + 1, size - 1);
        break;
    case REQUEST:
        request_send(data + 1, size - 1);
        break;
    default:
        envelope_send(ROUTE_intake_decide, (const uint8_t *)"", 0, arena_text(arena, data + 1, size - 1));
    }
    return 0;
}
