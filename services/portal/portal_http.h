/* The HTTP front, behind HAProxy: on a unix socket, or between hosts on a port of TLS. evhttp is touched by the loop
 * thread alone.
 *
 * The life of a request: evhttp reads it whole, within its limits (read_take) -> an exchange with copies of all that
 * matters -> the pool's queue, or 503 -> a worker fills the answer -> the loop is woken and sends it.
 *
 * A client that leaves: while a request is read, evhttp drops it and we never hear of it. While a worker has it, evhttp
 * does not read, so nothing happens: the leaving shows when the answer is written, and evhttp then drops connection and
 * request together. If the connection went before (evhttp takes it off the request), the request is ours to free. */
#ifndef PORTAL_HTTP_H
#define PORTAL_HTTP_H

#include "portal/portal_pool.h"
#include "portal/portal_routes.h"

#include <event2/bufferevent.h>
#include <event2/event.h>

struct http_front;

struct http_spec {
    const char *socket; /* path, at most 107 bytes; 0600 */
    int port;           /* not 0: listen there instead, at every address, each connection made by `connection_new` */
    struct bufferevent *(*connection_new)(struct event_base *base, void *nothing);
    const struct http_route *routes;
    size_t route_count;
    int read_seconds;      /* a client that sends nothing for so long is dropped */
    struct pool_spec pool; /* `answered` and `argument` are the front's own */
};

/* Faults: unavailable with "socket" or "workers". */
MUST_USE bool http_open(
    struct http_front **front, struct event_base *base, const struct http_spec *spec, struct fault *fault);
/* After the loop has ended: take nothing new, answer what is there, free all. Runs the loop itself for at most 2 s. */
void http_close(struct http_front *front);

#endif
