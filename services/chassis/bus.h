/* The bus: nng REQ/REP. This file alone opens sockets; it sets every time-out and size limit before they start. */
#ifndef CHASSIS_BUS_H
#define CHASSIS_BUS_H

#include "chassis/seal.h"
#include "envelope.pb-c.h"

#define BUS_FRAME_MAX (512 * 1024) /* 256 KiB of payload, sealed, and the envelope around it, with room */
#define BUS_PAYLOAD_MAX (256 * 1024)
#define IDEMPOTENCY_KEY_BYTES 32

/* Calling. One caller a thread; sockets to a peer are shared by the process. */
struct bus_caller;

struct bus_caller *bus_caller_new(const char *self);
void bus_caller_free(struct bus_caller *caller);
void bus_caller_cancel(struct bus_caller *caller); /* from another thread: the call that runs fails now */

struct bus_request {
    enum route route;
    const uint8_t *key;                /* IDEMPOTENCY_KEY_BYTES; NULL for queries */
    const char *actor_token, *purpose; /* the person on whose behalf; NULL: nobody, the usual one */
    const char *correlation;
    const ProtobufCMessage *message;
};

/* Send, wait until the route's deadline, unpack the reply into the arena. True when the outcome is DONE; otherwise
 * `fault` holds the peer's code, or unavailable / timed_out. Must not be called inside a transaction (tests/rules). */
MUST_USE bool bus_call(struct bus_caller *caller, struct arena *arena, const struct bus_request *request,
    ProtobufCMessage **reply, struct fault *fault);

/* Derive the idempotency key of an act from its parts: SHA-256 over route and length-prefixed parts; NULL ends the
 * list. */
void bus_key(uint8_t key[IDEMPOTENCY_KEY_BYTES], enum route route, ...) __attribute__((sentinel));

/* Listening: `threads` workers, each calling `handle` with a frame; the handler answers with a frame in the arena
 * (data NULL: no answer is sent). */
typedef struct bytes (*bus_handler)(void *worker, const void *frame, size_t len);
struct bus_listener;
MUST_USE bool bus_listen(struct bus_listener **listener, const char *self, int threads, void *(*worker_new)(int index),
    bus_handler handle, void (*worker_free)(void *), struct fault *fault);
void bus_drain(struct bus_listener *listener); /* take up nothing new, finish and answer what runs, close; frees */

#endif
