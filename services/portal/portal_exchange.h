/* One HTTP request and its answer. It is owned by one thread at a time: the loop thread takes it in, a worker fills the
 * answer, the loop thread sends it. Everything in it is a copy; nothing points into evhttp but `request`, which the
 * loop thread alone may touch. */
#ifndef PORTAL_EXCHANGE_H
#define PORTAL_EXCHANGE_H

#include "chassis/actor.h"
#include "chassis/arena.h"
#include "chassis/fault.h"

#include <jansson.h>
#include <stdint.h>

#define HTTP_PART_MAX 64
#define HTTP_CLIENT_LEN 64 /* lower-case hex SHA-256 of a client certificate's DER */

struct http_route;

struct exchange {
    const struct http_route *route;
    char part[HTTP_PART_MAX + 1];     /* what stood at {…} of the path */
    char client[HTTP_CLIENT_LEN + 1]; /* the verified client certificate, "" where there is none */
    char *query;                      /* raw, after the `?`; "" where there is none */
    char *authorization, *assertion;  /* headers; NULL where there is none */
    char *idempotency_key;
    char *purpose; /* Shikaku-Purpose; NULL: the usual one of the right */
    char *body;    /* with a NUL behind */
    size_t body_len;
    int64_t received_ms;

    /* Who asks, as the gate found out. */
    char portal_pseudonym[HTTP_PART_MAX + 1]; /* マイナポータル仮名ID of the holder; "" for others */
    char assertion_id[HTTP_PART_MAX + 1];     /* its jti */
    struct actor actor;                       /* account "" for others than staff */
    char application[37];                     /* for the journal */

    /* The answer. */
    int status;
    const char *media_type; /* static */
    char *answer;
    size_t answer_len;

    void *request;
    struct exchange *next;
};

struct exchange *exchange_new(void);           /* NULL when memory is out */
void exchange_free(struct exchange *exchange); /* wipes; NULL is nothing */

/* Answering; a later answer replaces an earlier one. JSON is taken; NULL (out of memory) answers 500. */
void exchange_answer_json(struct exchange *exchange, int status, json_t *json_take);
void exchange_answer(struct exchange *exchange, int status, const char *media_type, const void *bytes, size_t len);
/* {"code","field","message"} with the fault's HTTP status. */
void exchange_refuse(struct exchange *exchange, const struct fault *fault);

/* A parameter of the query, percent-decoded, in the arena; `+` stays. NULL: not given. Given twice, badly encoded, with
 * a NUL or no UTF-8: malformed. */
MUST_USE bool exchange_query(
    const struct exchange *exchange, struct arena *arena, const char *name, const char **value, struct fault *fault);

/* A member that a body may have. */
struct member {
    const char *name;
    json_type type; /* JSON_TRUE stands for both truth values */
    bool required;
    size_t max; /* bytes of a string */
};

/* The body as a JSON object of these members and no other (APPLY-5). The caller's, json_decref it. Faults: malformed
 * (no JSON, a member twice), item_unknown, item_missing, item_invalid, item_too_long. */
MUST_USE json_t *exchange_json(
    const struct exchange *exchange, const struct member *members, size_t count, struct fault *fault);
const char *member_text(const json_t *object, const char *name); /* borrowed; "" where there is none */

/* Standard base64 with padding (RFC 4648 section 4) of at most `max` bytes. Faults: malformed or too_large with `name`.
 */
MUST_USE bool base64_take(
    struct arena *arena, const char *text, const char *name, size_t max, struct bytes *bytes, struct fault *fault);

/* A word of A-Z a-z 0-9 . _ - of 1 to `max` bytes? */
bool is_word(const char *text, size_t max);

#endif
