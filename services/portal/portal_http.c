#include "portal/portal_http.h"

#include "chassis/journal.h"
#include "chassis/meters.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADERS_MAX (16 * 1024)
#define BACKLOG 256
#define CLOSE_SECONDS 2
#define ALL_METHODS 0xffff
#define RETRY_AFTER_SECONDS "1"

struct http_front {
    struct http_spec spec;
    struct event_base *base;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct pool *pool;
    struct event *wake;
    int wake_fd;
    size_t unsent; /* requests taken in and not yet answered to the end */
    bool closing;
};

static const struct {
    enum evhttp_cmd_type type;
    const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},
    {EVHTTP_REQ_POST, "POST"},
    {EVHTTP_REQ_PUT, "PUT"},
    {EVHTTP_REQ_DELETE, "DELETE"},
};

static const struct {
    int status;
    const char *text, *reason;
} statuses[] = {
    {200, "200", "OK"},
    {201, "201", "Created"},
    {202, "202", "Accepted"},
    {204, "204", "No Content"},
    {400, "400", "Bad Request"},
    {401, "401", "Unauthorized"},
    {403, "403", "Forbidden"},
    {404, "404", "Not Found"},
    {405, "405", "Method Not Allowed"},
    {409, "409", "Conflict"},
    {413, "413", "Content Too Large"},
    {422, "422", "Unprocessable Content"},
    {500, "500", "Internal Server Error"},
    {503, "503", "Service Unavailable"},
    {504, "504", "Gateway Timeout"},
};

static const char *method_name(enum evhttp_cmd_type type)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].type == type)
            return methods[i].name;
    return "";
}

static size_t status_find(int status)
{
    size_t i = 0;
    while (i + 1 < sizeof statuses / sizeof *statuses && statuses[i].status != status)
        i++;
    return i;
}

/* --- answering --- */

static void one_less(struct http_front *front)
{
    if (--front->unsent == 0 && front->closing)
        event_base_loopbreak(front->base);
}

static void sent(struct evhttp_request *request, void *argument)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
    one_less(argument);
}

/* Between our handing over the answer and its last byte. */
static void left(struct evhttp_connection *connection, void *argument)
{
    one_less(argument);
}

static void headers_put(const struct http_front *front, struct exchange *exchange, struct evhttp_request *request)
{
    static const char *const always[][2] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action "
            "'none'"},
    };
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char allow[64];
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        evhttp_add_header(headers, always[i][0], always[i][1]);
    if (exchange->media_type)
        evhttp_add_header(headers, "Content-Type", exchange->media_type);
    if (exchange->status == 503 || exchange->status == 504)
        evhttp_add_header(headers, "Retry-After", RETRY_AFTER_SECONDS);
    if (exchange->status == 405) {
        const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
        const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
        http_route_methods(front->spec.routes, front->spec.route_count, path ? path : "", allow, sizeof allow);
        evhttp_add_header(headers, "Allow", allow);
    }
}

static void told(const struct exchange *exchange)
{
    size_t status = status_find(exchange->status);
    meter_add(METER_http_requests_total, statuses[status].text, 1);
    if (exchange->route && exchange->status < 400 && strcmp(exchange->route->method, "GET") == 0)
        return;
    journal(exchange->status >= 500 ? JOURNAL_WARNING : JOURNAL_INFO, exchange->application, "http",
        WORD("route", exchange->route ? exchange->route->name : "none"), NUMBER("status", exchange->status),
        NUMBER("ms", clock_ms() - exchange->received_ms));
}

/* Takes the exchange. */
static void answer_send(struct http_front *front, struct exchange *exchange)
{
    struct evhttp_request *request = exchange->request;
    struct evbuffer *body;
    if (!evhttp_request_get_connection(request)) {
        evhttp_request_free(request);
        one_less(front);
    } else {
        headers_put(front, exchange, request);
        evhttp_request_set_on_complete_cb(request, sent, front);
        evhttp_connection_set_closecb(evhttp_request_get_connection(request), left, front);
        body = evbuffer_new();
        if (body && exchange->answer_len)
            evbuffer_add(body, exchange->answer, exchange->answer_len);
        evhttp_send_reply(request, exchange->status, statuses[status_find(exchange->status)].reason, body);
        if (body)
            evbuffer_free(body);
    }
    told(exchange);
    exchange_free(exchange);
}

static void answer_refuse(struct http_front *front, struct exchange *exchange, enum fault_code code, const char *field)
{
    struct fault fault = {0};
    fault_set(&fault, code, field);
    exchange_refuse(exchange, &fault);
    answer_send(front, exchange);
}

static void answers_send(struct http_front *front)
{
    for (struct exchange *next, *exchange = pool_take(front->pool); exchange; exchange = next) {
        next = exchange->next;
        answer_send(front, exchange);
    }
}

static void woken(evutil_socket_t fd, short events, void *argument)
{
    struct http_front *front = argument;
    uint64_t count;
    if (read(front->wake_fd, &count, sizeof count) > 0)
        answers_send(front);
}

/* On a worker's thread. */
static void loop_wake(void *argument)
{
    const struct http_front *front = argument;
    const uint64_t one = 1;
    ssize_t written = write(front->wake_fd, &one, sizeof one);
    (void)written;
}

/* --- taking in --- */

/* Headers that decide something must not be given twice: who reads the first and who reads the last would differ. */
static bool headers_single(const struct evkeyvalq *headers)
{
    static const char *const single[] = {"Content-Length", "Transfer-Encoding", "Authorization", "Shikaku-Assertion",
        "Idempotency-Key", "Shikaku-Purpose", "X-Shikaku-Client", "X-Shikaku-Client-Verified"};
    bool length = evhttp_find_header(headers, "Content-Length"),
         coding = evhttp_find_header(headers, "Transfer-Encoding");
    if (length && coding)
        return false;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        const struct evkeyval *header;
        int count = 0;
        TAILQ_FOREACH(header, headers, next)
        count += strcasecmp(header->key, single[i]) == 0;
        if (count > 1)
            return false;
    }
    return true;
}

static bool header_copy(const struct evkeyvalq *headers, const char *name, char **copy)
{
    const char *value = evhttp_find_header(headers, name);
    *copy = value ? strdup(value) : NULL;
    return !value || *copy;
}

/* HAProxy strips both headers from what comes in and sets them from a certificate that it verified. */
static void client_take(struct exchange *exchange, const struct evkeyvalq *headers)
{
    const char *verified = evhttp_find_header(headers, "X-Shikaku-Client-Verified");
    const char *client = evhttp_find_header(headers, "X-Shikaku-Client");
    if (verified && client && strcmp(verified, "yes") == 0 && strlen(client) == HTTP_CLIENT_LEN &&
        strspn(client, "0123456789abcdef") == HTTP_CLIENT_LEN)
        strcpy(exchange->client, client);
}

static bool body_copy(struct exchange *exchange, struct evbuffer *from)
{
    exchange->body_len = evbuffer_get_length(from);
    exchange->body = malloc(exchange->body_len + 1);
    if (!exchange->body)
        return false;
    exchange->body[exchange->body_len] = '\0';
    return evbuffer_remove(from, exchange->body, exchange->body_len) >= 0;
}

static bool all_copy(struct exchange *exchange, struct evhttp_request *request, const char *query)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    client_take(exchange, headers);
    exchange->query = strdup(query ? query : "");
    return exchange->query && header_copy(headers, "Authorization", &exchange->authorization) &&
           header_copy(headers, "Shikaku-Assertion", &exchange->assertion) &&
           header_copy(headers, "Idempotency-Key", &exchange->idempotency_key) &&
           header_copy(headers, "Shikaku-Purpose", &exchange->purpose) &&
           body_copy(exchange, evhttp_request_get_input_buffer(request));
}

/* Everything that can be said without a worker. */
static bool request_check(
    struct http_front *front, struct evhttp_request *request, struct exchange *exchange, struct fault *fault)
{
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
    const char *coding = evhttp_find_header(headers, "Transfer-Encoding");
    if (!headers_single(headers) || (coding && strcasecmp(coding, "chunked") != 0))
        return fault_set(fault, FAULT_malformed, "headers");
    exchange->route = http_route_find(front->spec.routes, front->spec.route_count,
        method_name(evhttp_request_get_command(request)), path ? path : "", exchange->part, fault);
    if (!exchange->route)
        return false;
    if (evbuffer_get_length(evhttp_request_get_input_buffer(request)) > exchange->route->body_max)
        return fault_set(fault, FAULT_too_large, "body");
    if (!all_copy(exchange, request, evhttp_uri_get_query(uri)))
        return fault_set(fault, FAULT_unavailable, NULL);
    if (exchange->idempotency_key && !is_word(exchange->idempotency_key, HTTP_PART_MAX))
        return fault_set(fault, FAULT_malformed, "Idempotency-Key");
    if (exchange->purpose && !is_word(exchange->purpose, HTTP_PART_MAX))
        return fault_set(fault, FAULT_malformed, "Shikaku-Purpose");
    return true;
}

static void request_take(struct evhttp_request *request, void *argument)
{
    struct http_front *front = argument;
    struct fault fault = {0};
    struct exchange *exchange = exchange_new();
    if (!exchange) {
        evhttp_send_error(request, 503, NULL);
        return;
    }
    exchange->request = request;
    exchange->received_ms = clock_ms();
    front->unsent++;
    if (!request_check(front, request, exchange, &fault)) {
        answer_refuse(front, exchange, fault.code, fault.field);
    } else if (!pool_put(front->pool, exchange)) {
        meter_add(METER_http_queue_full_total, "http", 1);
        answer_refuse(front, exchange, FAULT_unavailable, NULL);
    }
}

/* --- life --- */

static bool listener_bind(struct http_front *front, struct evconnlistener *listener)
{
    front->bound = listener ? evhttp_bind_listener(front->http, listener) : NULL;
    if (listener && !front->bound)
        evconnlistener_free(listener);
    return front->bound != NULL;
}

static bool port_listen(struct http_front *front, int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    evhttp_set_bevcb(front->http, front->spec.connection_new, NULL);
    return listener_bind(front, evconnlistener_new_bind(front->base, NULL, NULL,
                                    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
                                    (const struct sockaddr *)&address, sizeof address));
}

static bool socket_listen(struct http_front *front, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return false;
    mode_t before = umask(0177);
    struct evconnlistener *listener = evconnlistener_new_bind(front->base, NULL, NULL,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, (struct sockaddr *)&address, sizeof address);
    umask(before);
    return listener_bind(front, listener);
}

static bool http_start(struct http_front *front)
{
    front->http = evhttp_new(front->base);
    if (!front->http)
        return false;
    evhttp_set_max_headers_size(front->http, HEADERS_MAX);
    evhttp_set_max_body_size(front->http, HTTP_BODY_MAX);
    evhttp_set_flags(front->http, EVHTTP_SERVER_LINGERING_CLOSE); /* what is too long is read to its end, not kept */
    evhttp_set_timeout(front->http, front->spec.read_seconds);
    evhttp_set_allowed_methods(front->http, ALL_METHODS);
    evhttp_set_gencb(front->http, request_take, front);
    return front->spec.port ? port_listen(front, front->spec.port) : socket_listen(front, front->spec.socket);
}

static void front_free(struct http_front *front)
{
    if (front->http)
        evhttp_free(front->http);
    if (front->wake)
        event_free(front->wake);
    if (front->wake_fd >= 0)
        close(front->wake_fd);
    pool_free(front->pool);
    free(front);
}

bool http_open(struct http_front **made, struct event_base *base, const struct http_spec *spec, struct fault *fault)
{
    struct http_front *front = *made = calloc(1, sizeof *front);
    if (!front)
        return fault_set(fault, FAULT_internal, NULL);
    front->spec = *spec;
    front->base = base;
    front->spec.pool.answered = loop_wake;
    front->spec.pool.argument = front;
    front->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    front->wake = event_new(base, front->wake_fd, EV_READ | EV_PERSIST, woken, front);
    const char *failed = "workers";
    if (front->wake_fd >= 0 && front->wake && event_add(front->wake, NULL) == 0 &&
        pool_open(&front->pool, &front->spec.pool)) {
        if (http_start(front))
            return true;
        pool_close(front->pool);
        failed = "socket";
    }
    front_free(front);
    *made = NULL;
    return fault_set(fault, FAULT_unavailable, failed);
}

void http_close(struct http_front *front)
{
    const struct timeval limit = {CLOSE_SECONDS, 0};
    if (!front)
        return;
    front->closing = true;
    evhttp_del_accept_socket(front->http, front->bound);
    if (!front->spec.port)
        unlink(front->spec.socket);
    pool_close(front->pool);
    answers_send(front);
    if (front->unsent) {
        event_base_loopexit(front->base, &limit);
        event_base_dispatch(front->base);
    }
    front_free(front);
}
