/* Every HTTP route of the house, as one table: what proto/portal.openapi.yaml says in prose and a test holds it to. */
#ifndef PORTAL_ROUTES_H
#define PORTAL_ROUTES_H

#include "chassis/work.h"
#include "portal/portal_exchange.h"

/* Who may ask; a set. */
enum http_who {
    WHO_ANYONE = 1 << 0,
    WHO_MYNAPORTAL = 1 << 1, /* Mynaportal's client certificate */
    WHO_HOLDER = 1 << 2,     /* the same with a person's assertion */
    WHO_TERMINAL = 1 << 3,   /* some client certificate: staff decides whether it is listed */
    WHO_STAFF = 1 << 4,      /* a token with the route's right, at the terminal it was given for */
};

struct http_route {
    const char *name;          /* for journal and tests */
    const char *method, *path; /* `{…}` stands for one segment of A-Z a-z 0-9 . _ - */
    unsigned who;
    enum right right;
    size_t body_max; /* bytes; 0: no body */
    /* Fill the answer, or return false with work->fault set. On a worker's thread. */
    bool (*act)(struct exchange *exchange, struct work *work);
};

extern const struct http_route http_routes[];
extern const size_t http_route_count;

#define HTTP_BODY_MAX (512 * 1024) /* held in memory for any request; what a route takes is less */

/* Find the route; fills `part`. Faults: not_found, method_not_allowed. `path` is raw: nothing is decoded, since no path
 * of ours needs it. */
MUST_USE const struct http_route *http_route_find(const struct http_route *routes, size_t count, const char *method,
    const char *path, char part[HTTP_PART_MAX + 1], struct fault *fault);
/* "GET, POST": the methods of a path, for Allow. Empty text where the path is unknown. */
void http_route_methods(const struct http_route *routes, size_t count, const char *path, char *text, size_t size);

#endif
