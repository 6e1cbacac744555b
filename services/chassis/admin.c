#include "chassis/admin.h"

#include "chassis/meters.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>

#define BODY_MAX 1024
#define HEADERS_MAX 4096
#define TIMEOUT_SECONDS 5

struct admin {
    struct evhttp *http;
    bool ready;
};

static void answer(struct evhttp_request *request, int status, const char *type, const char *text)
{
    struct evbuffer *body = evbuffer_new();
    if (body)
        evbuffer_add_printf(body, "%s", text);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
    evhttp_send_reply(request, status, NULL, body);
    if (body)
        evbuffer_free(body);
}

static void healthz(struct evhttp_request *request, void *argument)
{
    (void)argument;
    answer(request, 200, "text/plain", "ok\n");
}

static void readyz(struct evhttp_request *request, void *argument)
{
    struct admin *admin = argument;
    answer(request, admin->ready ? 200 : 503, "text/plain", admin->ready ? "ready\n" : "not ready\n");
}

static void metrics(struct evhttp_request *request, void *argument)
{
    (void)argument;
    char *text = meters_print();
    answer(request, text ? 200 : 500, "text/plain; version=0.0.4", text ? text : "");
    free(text);
}

bool admin_open(struct admin **out, struct event_base *base, int port, struct fault *fault)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return fault_set(fault, FAULT_internal, NULL);
    admin->http = evhttp_new(base);
    if (!admin->http || evhttp_bind_socket(admin->http, "127.0.0.1", (unsigned short)port) != 0) {
        admin_close(admin);
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_ADMIN_PORT");
    }
    evhttp_set_max_body_size(admin->http, BODY_MAX);
    evhttp_set_max_headers_size(admin->http, HEADERS_MAX);
    evhttp_set_timeout(admin->http, TIMEOUT_SECONDS);
    evhttp_set_allowed_methods(admin->http, EVHTTP_REQ_GET);
    evhttp_set_cb(admin->http, "/healthz", healthz, admin);
    evhttp_set_cb(admin->http, "/readyz", readyz, admin);
    evhttp_set_cb(admin->http, "/metrics", metrics, admin);
    *out = admin;
    return true;
}

void admin_set_ready(struct admin *admin, bool ready)
{
    admin->ready = ready;
}

void admin_close(struct admin *admin)
{
    if (!admin)
        return;
    if (admin->http)
        evhttp_free(admin->http);
    free(admin);
}
