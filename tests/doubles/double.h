/* A stand-in of an outside system: an HTTP server on 127.0.0.1 with one event loop and a ledger.
 *
 * The ledger is the stand-in's whole memory. A handler checks what it was sent, then calls double_record(); the
 * row is written to the ledger file first and then given to the stand-in's own `apply`, which changes what is in
 * memory. At start the file is read back through the same `apply`, so a killed stand-in remembers what it took.
 * Tests count rows of the ledger, never what a service believes it sent.
 *
 * Every stand-in also answers:
 *   GET  /healthz                 200 once it serves
 *   GET  /ledger[?key=K][&kind=K] {"rows":[{"n":1,"at":ms,"key":…,"kind":…,"body":…}]}
 *   POST /control                 {"mode":M,"ms":n,"times":n,"path":prefix}: how requests under prefix (all without
 *                                 it) behave from now on, `times` of them or until changed. M is
 *                                   answer  as usual (and forgets the rule for that prefix; all rules without one)
 *                                   refuse  422, no effect         fail  500, no effect
 *                                   delay   as usual after ms      hang  no effect, no answer, connection kept
 *                                   lose    the effect, then the connection is closed without an answer
 *   GET  /control                 the rules in force
 *
 * Options are `--name value` on the command line or DOUBLE_NAME in the environment; all stand-ins know
 *   --port N       0 (the default) lets the system choose      --port-file F   written when ready: the port
 *   --state DIR    ledger and keys; default var/doubles/NAME
 */
#ifndef DOUBLES_DOUBLE_H
#define DOUBLES_DOUBLE_H

#include <stddef.h>
#include <jansson.h>
#include "chassis/fault.h"

#define DOUBLE_PARTS 4
#define DOUBLE_BODY_MAX (24u << 20) /* an application with ten 2 MiB attachments, less its base64 */
#define DOUBLE_ID_SIZE 33

struct event_base;
struct double_server; /* the running stand-in */

/* One request. Borrowed by the handler until it answers; it must answer once, at once or later. */
struct double_exchange {
    struct double_server *server;
    void *state; /* the stand-in's own */
    const char *method;
    const char *path;               /* decoded, without the query */
    const char *part[DOUBLE_PARTS]; /* what stood at each `*` of the route, in order */
    const unsigned char *body;
    size_t body_size;
    json_t *json; /* the body where it is a JSON object or array, else NULL; borrowed */
};

typedef void (*double_handler)(struct double_exchange *x);

/* `*` in a path stands for one whole segment, as in POST /charges/{*}/refund (without the braces). */
struct double_route {
    const char *method;
    const char *path;
    double_handler handle;
};

struct double_spec {
    const char *name; /* "payment" */
    const struct double_route *routes;
    size_t route_count;
    void *state;
    /* Called once before the ledger is read: options, keys. False (after saying why on stderr) ends the process. */
    bool (*start)(struct double_server *server, void *state);
    /* Change what is in memory by one row. Must not fail and must depend on the row alone. */
    void (*apply)(void *state, const char *kind, const char *key, json_t *body);
    void (*stop)(void *state);
};

/* The stand-in's main: serve until SIGTERM or SIGINT; the exit status. */
int double_run(const struct double_spec *spec, int argc, char **argv);

/* Append {kind, key, body} to the ledger, then apply it. body is taken. Survives SIGKILL of the stand-in (not loss of
 * power: stand-ins do not fsync). A ledger that cannot be written ends the process. */
void double_record(struct double_server *server, const char *kind, const char *key, json_t *body_take);

/* Answer and free the exchange. body may be NULL for none; it is taken. */
void double_answer(struct double_exchange *x, int status, json_t *body_take);
void double_answer_bytes(struct double_exchange *x, int status, const char *media_type, const void *data, size_t size);
/* {"code": code, "field": field or ""} with a 4xx or 5xx status. */
void double_refuse(struct double_exchange *x, int status, const char *code, const char *field);

const char *double_query(const struct double_exchange *x, const char *name);  /* NULL if absent; borrowed */
const char *double_header(const struct double_exchange *x, const char *name); /* NULL if absent; borrowed */
/* A string member of the JSON body, or NULL if it is absent, no string or empty; borrowed. */
const char *double_text(const struct double_exchange *x, const char *name);

const char *double_option(const struct double_server *server, const char *name, const char *otherwise); /* borrowed */
const char *double_state_folder(const struct double_server *server); /* exists, 0700 */
struct event_base *double_base(struct double_server *server);
void double_id_make(char out[DOUBLE_ID_SIZE]); /* 128 random bits in hex */
/* Run act(arg) once after ms milliseconds on the loop. */
void double_after(struct double_server *server, unsigned ms, void (*act)(void *arg), void *arg);

/* A call from the stand-in to another system, on the loop, without blocking it. Files may be NULL. */
struct double_call {
    const char *method;
    const char *url;
    const char *media_type;
    const void *body;
    size_t body_size;
    const char *const *headers; /* "Name: value", NULL at the end; may be NULL */
    const char *ca_file, *certificate_file, *key_file;
    unsigned timeout_ms;
    /* status 0: no answer came. answer is borrowed and may not be JSON. */
    void (*done)(void *arg, int status, const char *answer, size_t size);
    void *arg;
};
/* Everything in call is copied before it returns; done is called later, exactly once. */
void double_call_start(struct double_server *server, const struct double_call *call);

#endif
