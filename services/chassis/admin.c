#include "chassis/admin.h"

#include "chassis/meters.h"
#include "chassis/pg.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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
    bool ready = admin->ready && pg_is_reached();
    answer(request, ready ? 200 : 503, "text/plain", ready ? "ready\n" : "not ready\n");
}

static void metrics(struct evhttp_request *request, void *argument)
{
    (void)argument;
    char *text = meters_print();
    answer(request, text ? 200 : 500, "text/plain; version=0.0.4", text ? text : "");
    free(text);
}

bool admin_open(struct admin **out, struct event_base *base, const char *address, int port, struct fault *fault)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return fault_set(fault, FAULT_internal, NULL);
    admin->http = evhttp_new(base);
    if (!admin->http || evhttp_bind_socket(admin->http, address, (unsigned short)port) != 0) {
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

bool admin_is_ready(int port)
{
    static const char question[] = "GET /readyz HTTP/1.0\r\n\r\n", right[] = "HTTP/1.0 200";
    const struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {TIMEOUT_SECONDS, 0};
    char said[sizeof right] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool came = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
                connect(fd, (const struct sockaddr *)&here, sizeof here) == 0 &&
                send(fd, question, sizeof question - 1, MSG_NOSIGNAL) == (ssize_t)sizeof question - 1 &&
                recv(fd, said, sizeof said - 1, MSG_WAITALL) == (ssize_t)sizeof said - 1;
    if (fd >= 0)
        close(fd);
    return came && strcmp(said, right) == 0;
}
