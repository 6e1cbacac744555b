#include "chassis/bus.h"

#include "chassis/bus_way.h"
#include "chassis/meters.h"
#include "chassis/wire_scan.h"
#include "chassis/work.h"

#include <endian.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTIES 12
#define RESEND_MS 4000 /* below every deadline of routes.def that is worth a second try */
#define RECONNECT_MIN_MS 20
#define RECONNECT_MAX_MS 250
#define SEND_MS 5000
#define DRAIN_LOOK_MS 5 /* while stopping, workers are called off their waiting this often */

/* Calling */

static pthread_mutex_t dialing = PTHREAD_MUTEX_INITIALIZER;
static nng_socket sockets[PARTIES];
static bool dialed[PARTIES];

struct bus_caller {
    struct sealer *sealer;
    char self[64];
    nng_aio *aio;
    nng_ctx contexts[PARTIES];
    bool opened[PARTIES];
};

static int party_index(enum party party)
{
    return __builtin_ctz(party);
}

static bool socket_dial(enum party party, const char *self)
{
    int i = party_index(party);
    pthread_mutex_lock(&dialing);
    if (!dialed[i] && nng_req0_open(&sockets[i]) == 0) {
        nng_socket_set_ms(sockets[i], NNG_OPT_REQ_RESENDTIME, RESEND_MS);
        nng_socket_set_ms(sockets[i], NNG_OPT_SENDTIMEO, SEND_MS);
        nng_socket_set_ms(sockets[i], NNG_OPT_RECVTIMEO, SEND_MS);
        nng_socket_set_ms(sockets[i], NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
        nng_socket_set_ms(sockets[i], NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
        nng_socket_set_size(sockets[i], NNG_OPT_RECVMAXSZ, BUS_FRAME_MAX);
        dialed[i] = bus_way_dial(sockets[i], party, self);
        if (!dialed[i])
            nng_close(sockets[i]);
    }
    pthread_mutex_unlock(&dialing);
    return dialed[i];
}

struct bus_caller *bus_caller_new(const char *self)
{
    struct bus_caller *caller = calloc(1, sizeof *caller);
    if (!caller)
        return NULL;
    snprintf(caller->self, sizeof caller->self, "%s", self);
    caller->sealer = sealer_new(self);
    if (caller->sealer && nng_aio_alloc(&caller->aio, NULL, NULL) == 0)
        return caller;
    bus_caller_free(caller);
    return NULL;
}

void bus_caller_free(struct bus_caller *caller)
{
    if (!caller)
        return;
    for (int i = 0; i < PARTIES; i++)
        if (caller->opened[i])
            nng_ctx_close(caller->contexts[i]);
    if (caller->aio)
        nng_aio_free(caller->aio);
    sealer_free(caller->sealer);
    free(caller);
}

void bus_caller_cancel(struct bus_caller *caller)
{
    nng_aio_cancel(caller->aio);
}

/* Send a frame and wait for the answering one. nng repeats a request by itself, so the answer can belong to an earlier
 * delivery of the same bytes; that is the same answer. */
static nng_msg *exchange(struct bus_caller *caller, enum party to, struct bytes frame, int deadline_ms)
{
    int i = party_index(to);
    nng_msg *message;
    if (!socket_dial(to, caller->self))
        return NULL;
    if (!caller->opened[i] && nng_ctx_open(&caller->contexts[i], sockets[i]) != 0)
        return NULL;
    caller->opened[i] = true;
    if (nng_msg_alloc(&message, 0) != 0)
        return NULL;
    if (nng_msg_append(message, frame.data, frame.len) != 0) {
        nng_msg_free(message);
        return NULL;
    }
    int64_t until = clock_ms() + deadline_ms;
    nng_aio_set_timeout(caller->aio, deadline_ms);
    nng_aio_set_msg(caller->aio, message);
    nng_ctx_send(caller->contexts[i], caller->aio);
    nng_aio_wait(caller->aio);
    if (nng_aio_result(caller->aio) != 0) {
        nng_msg_free(nng_aio_get_msg(caller->aio));
        return NULL;
    }
    int64_t left = until - clock_ms();
    nng_aio_set_timeout(caller->aio, left > 1 ? (nng_duration)left : 1);
    nng_ctx_recv(caller->contexts[i], caller->aio);
    nng_aio_wait(caller->aio);
    return nng_aio_result(caller->aio) == 0 ? nng_aio_get_msg(caller->aio) : NULL;
}

static struct bytes request_pack(
    struct bus_caller *caller, struct arena *arena, const struct bus_request *request, uint8_t message_id[16])
{
    const struct route_row *row = route_row(request->route);
    const struct bytes nothing = {NULL, 0};
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    size_t len = protobuf_c_message_get_packed_size(request->message);
    uint8_t *payload = arena_take(arena, len + 1);
    if (!payload || len > BUS_PAYLOAD_MAX || RAND_bytes(message_id, 16) != 1)
        return nothing;
    protobuf_c_message_pack(request->message, payload);
    envelope.message_id = (ProtobufCBinaryData){16, message_id};
    if (request->key)
        envelope.idempotency_key = (ProtobufCBinaryData){IDEMPOTENCY_KEY_BYTES, (uint8_t *)request->key};
    envelope.route = (char *)row->name;
    envelope.sender = caller->self;
    envelope.recipient = (char *)party_name(row->to);
    envelope.sent_at_ms = clock_ms();
    envelope.deadline_ms = envelope.sent_at_ms + row->deadline_ms;
    if (request->actor_token)
        envelope.actor_token = (char *)request->actor_token;
    if (request->purpose)
        envelope.purpose = (char *)request->purpose;
    if (request->correlation)
        envelope.correlation = (char *)request->correlation;
    envelope.payload = (ProtobufCBinaryData){len, payload};
    size_t size = bus__envelope__get_packed_size(&envelope);
    uint8_t *plain = arena_take(arena, size);
    if (!plain)
        return nothing;
    bus__envelope__pack(&envelope, plain);
    return seal_put(caller->sealer, arena, SEAL_REQUEST, party_name(row->to), plain, size);
}

static bool reply_take(struct bus_caller *caller, struct arena *arena, const struct route_row *row, nng_msg *message,
    const uint8_t message_id[16], ProtobufCMessage **reply, struct fault *fault)
{
    struct seal_peer peer;
    struct bytes plain =
        seal_take(caller->sealer, arena, SEAL_REPLY, nng_msg_body(message), nng_msg_len(message), &peer, fault);
    if (!plain.data)
        return false;
    Bus__Envelope *envelope = wire_scan(&bus__envelope__descriptor, plain.data, plain.len)
                                  ? bus__envelope__unpack(arena_allocator(arena), plain.len, plain.data)
                                  : NULL;
    if (!envelope || peer.party != row->to || envelope->in_reply_to.len != 16 ||
        memcmp(envelope->in_reply_to.data, message_id, 16) != 0)
        return fault_set(fault, FAULT_envelope_altered, NULL);
    if (envelope->outcome != BUS__OUTCOME__DONE)
        return fault_set(fault, fault_code_parse(envelope->fault_code), envelope->fault_field);
    ProtobufCMessage *unpacked = wire_scan(row->reply, envelope->payload.data, envelope->payload.len)
                                     ? protobuf_c_message_unpack(row->reply, arena_allocator(arena),
                                           envelope->payload.len, envelope->payload.data)
                                     : NULL;
    if (!unpacked)
        return fault_set(fault, FAULT_malformed, "reply");
    if (reply)
        *reply = unpacked;
    return true;
}

bool bus_call(struct bus_caller *caller, struct arena *arena, const struct bus_request *request,
    ProtobufCMessage **reply, struct fault *fault)
{
    const struct route_row *row = route_row(request->route);
    uint8_t message_id[16];
    meter_add(METER_bus_calls_total, row->name, 1);
    struct bytes frame = request_pack(caller, arena, request, message_id);
    if (!frame.data) {
        meter_add(METER_bus_call_failures_total, row->name, 1);
        return fault_set(fault, FAULT_too_large, NULL);
    }
    int64_t asked_ms = clock_ms();
    meter_add(METER_bus_calls_open, "bus", 1);
    nng_msg *message = exchange(caller, row->to, frame, row->deadline_ms);
    meter_add(METER_bus_calls_open, "bus", -1);
    bus_way_told(row->to, message, clock_ms() - asked_ms >= RESEND_MS);
    bool done = message ? reply_take(caller, arena, row, message, message_id, reply, fault)
                        : fault_set(fault, FAULT_timed_out, NULL);
    if (message)
        nng_msg_free(message);
    if (!done)
        meter_add(METER_bus_call_failures_total, row->name, 1);
    return done;
}

static void digest_part(EVP_MD_CTX *digest, const char *part)
{
    uint64_t len = htobe64(strlen(part));
    EVP_DigestUpdate(digest, &len, sizeof len);
    EVP_DigestUpdate(digest, part, strlen(part));
}

void bus_key(uint8_t key[IDEMPOTENCY_KEY_BYTES], enum route route, ...)
{
    va_list parts;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    digest_part(digest, route_row(route)->name);
    va_start(parts, route);
    for (const char *part; (part = va_arg(parts, const char *));)
        digest_part(digest, part);
    va_end(parts);
    EVP_DigestFinal_ex(digest, key, NULL);
    EVP_MD_CTX_free(digest);
}

/* Listening */

struct bus_worker {
    struct bus_listener *listener;
    pthread_t thread;
    nng_ctx context;
    nng_aio *receiving, *aio; /* apart, so that calling off the one loses no answer */
    void *own;
};

struct bus_listener {
    nng_socket socket;
    bus_handler handle;
    void (*worker_free)(void *);
    atomic_bool draining;
    int threads;
    struct bus_worker workers[];
};

static void worker_answer(struct bus_worker *worker, struct bytes answer)
{
    nng_msg *message;
    if (!answer.data || nng_msg_alloc(&message, 0) != 0)
        return;
    if (nng_msg_append(message, answer.data, answer.len) != 0) {
        nng_msg_free(message);
        return;
    }
    nng_aio_set_timeout(worker->aio, SEND_MS);
    nng_aio_set_msg(worker->aio, message);
    nng_ctx_send(worker->context, worker->aio);
    nng_aio_wait(worker->aio);
    if (nng_aio_result(worker->aio) != 0)
        nng_msg_free(nng_aio_get_msg(worker->aio));
}

static void *worker_run(void *argument)
{
    struct bus_worker *worker = argument;
    while (!atomic_load(&worker->listener->draining)) {
        nng_ctx_recv(worker->context, worker->receiving);
        nng_aio_wait(worker->receiving);
        int result = nng_aio_result(worker->receiving);
        if (result == NNG_ECLOSED)
            break;
        if (result != 0)
            continue;
        nng_msg *message = nng_aio_get_msg(worker->receiving);
        struct bytes answer = worker->listener->handle(worker->own, nng_msg_body(message), nng_msg_len(message));
        nng_msg_free(message);
        worker_answer(worker, answer);
    }
    return NULL;
}

static bool socket_listen(struct bus_listener *listener, const char *self)
{
    if (nng_rep0_open(&listener->socket) != 0)
        return false;
    nng_socket_set_size(listener->socket, NNG_OPT_RECVMAXSZ, BUS_FRAME_MAX);
    nng_socket_set_ms(listener->socket, NNG_OPT_SENDTIMEO, SEND_MS);
    nng_socket_set_ms(listener->socket, NNG_OPT_RECVTIMEO, SEND_MS);
    return bus_way_listen(listener->socket, self);
}

/* nng wakes a millisecond early at every time-out and spins until it is over, so an idle worker waits without one. */
static void worker_join(struct bus_worker *worker)
{
    const struct timespec look = {0, DRAIN_LOOK_MS * 1000000L};
    while (pthread_tryjoin_np(worker->thread, NULL) != 0) {
        nng_aio_cancel(worker->receiving);
        nanosleep(&look, NULL);
    }
}

static void worker_close(struct bus_worker *worker)
{
    nng_ctx_close(worker->context);
    nng_aio_free(worker->receiving);
    nng_aio_free(worker->aio);
}

/* Let the first `running` workers finish, and give all up. */
static void listener_close(struct bus_listener *listener, int running)
{
    atomic_store(&listener->draining, true);
    for (int i = 0; i < listener->threads; i++) {
        struct bus_worker *worker = &listener->workers[i];
        if (i < running) {
            worker_join(worker);
            worker_close(worker);
        }
        if (worker->own)
            listener->worker_free(worker->own);
    }
    nng_close(listener->socket);
    free(listener);
}

static bool worker_start(struct bus_listener *listener, struct bus_worker *worker)
{
    if (nng_ctx_open(&worker->context, listener->socket) != 0)
        return false;
    if (nng_aio_alloc(&worker->aio, NULL, NULL) == 0 && nng_aio_alloc(&worker->receiving, NULL, NULL) == 0) {
        nng_aio_set_timeout(worker->receiving, NNG_DURATION_INFINITE);
        if (pthread_create(&worker->thread, NULL, worker_run, worker) == 0)
            return true;
    }
    worker_close(worker);
    return false;
}

bool bus_listen(struct bus_listener **out, const char *self, int threads, void *(*worker_new)(int index),
    bus_handler handle, void (*worker_free)(void *), struct fault *fault)
{
    struct bus_listener *listener = calloc(1, sizeof *listener + (size_t)threads * sizeof listener->workers[0]);
    const char *failed = NULL;
    int running = 0;
    if (!listener)
        return fault_set(fault, FAULT_internal, NULL);
    listener->handle = handle;
    listener->worker_free = worker_free;
    listener->threads = threads;
    for (int i = 0; i < threads && !failed; i++) {
        listener->workers[i].listener = listener;
        listener->workers[i].own = worker_new(i);
        failed = listener->workers[i].own ? NULL : "worker";
    }
    if (!failed && !socket_listen(listener, self))
        failed = "address";
    while (!failed && running < threads)
        if (worker_start(listener, &listener->workers[running]))
            running++;
        else
            failed = "thread";
    if (failed) {
        listener_close(listener, running);
        return fault_set(fault, FAULT_internal, failed);
    }
    *out = listener;
    return true;
}

/* The listener stays open until the last worker has answered: closing it would close the connections on which those
 * answers go. A request that nobody takes up any more is sent again by its sender when the connection ends. */
void bus_drain(struct bus_listener *listener)
{
    if (listener)
        listener_close(listener, listener->threads);
}
