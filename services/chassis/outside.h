/* HTTP to a system outside the house. One libcurl easy handle a thread and peer, kept open between calls; every wait is
 * bounded: connecting, the whole call, the size of the answer. No redirect is followed, no proxy taken from the
 * environment, no other protocol than http and https spoken. Must not be called inside a transaction (tests/rules). */
#ifndef CHASSIS_OUTSIDE_H
#define CHASSIS_OUTSIDE_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <jansson.h>

/* Whom we call. Static: its address is its identity; filled before threads start, never changed after. */
struct outside_peer {
    const char *name;                        /* for logs: "juki" */
    const char *base_url;                    /* "http://127.0.0.1:8421", no slash at the end */
    int connect_ms;                          /* 0: 2000 */
    int total_ms;                            /* the whole call; 0: 10000 */
    size_t answer_max;                       /* bytes; 0: 1 MiB */
    const char *ca_file;                     /* https only; NULL: the system's */
    const char *certificate_file, *key_file; /* client certificate; NULL: none */
};

struct outside_answer {
    int status;        /* HTTP status, whatever it is */
    struct bytes body; /* in the arena, with a NUL behind it */
};

struct outside_request {
    const char *method;     /* "GET", "POST", "PUT" … */
    const char *path;       /* "/inquiries", encoded already */
    const char *media_type; /* of the body; NULL where there is none */
    const void *body;
    size_t len;
    const char *const *headers; /* further ones, "Name: value", ended by NULL; may be NULL */
};

/* True when an answer came, of any status. Faults: unavailable (no connection, broken, TLS), timed_out, too_large;
 * field is the peer's name. On false the peer may or may not have acted. */
MUST_USE bool outside_call(const struct outside_peer *peer, struct arena *arena, const struct outside_request *request,
    struct outside_answer *answer, struct fault *fault);

/* The same with JSON both ways. `body` is borrowed; NULL sends none. `reply` becomes the parsed answer, the caller's to
 * json_decref, or NULL where the answer is empty or not JSON; that is for the caller to judge by `status`. */
MUST_USE bool outside_json(const struct outside_peer *peer, struct arena *arena, const char *method, const char *path,
    const json_t *body, int *status, json_t **reply, struct fault *fault);

#endif
