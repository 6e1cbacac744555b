/* portal is the door: HTTP from Mynaportal, listed terminals, holders and verifiers becomes messages of the bus. It
 * keeps nothing. */
#include "chassis/boot.h"
#include "portal/portal_gate.h"
#include "portal/portal_http.h"
#include "portal/portal_run.h"
#include "portal/portal_tls.h"

#include <stdio.h>

static const struct setting settings[] = {
    {"SHIKAKU_PORTAL_SOCKET", SETTING_TEXT, "", 0, 0,
        "Unix socket for HAProxy, at most 107 bytes; empty: portal.sock in the folder SHIKAKU_BUS."},
    {"SHIKAKU_PORTAL_PORT", SETTING_NUMBER, "0", 0, 65535,
        "Between hosts: port of TLS for the front door, whose certificate names it 'door'; 0: the unix socket."},
    {"SHIKAKU_HTTP_WORKERS", SETTING_NUMBER, "16", 1, 64, "Threads that answer HTTP requests."},
    {"SHIKAKU_HTTP_QUEUE", SETTING_NUMBER, "256", 1, 4096, "Requests that may wait for a thread; more are told 503."},
    {"SHIKAKU_HTTP_READ_SECONDS", SETTING_NUMBER, "15", 1, 300, "A connection that sends nothing so long is closed."},
};

static struct http_front *front;

static bool prepare(struct fault *fault)
{
    return gate_open(setting_text("SHIKAKU_KEYS"), fault);
}

static bool attach(struct event_base *base, struct fault *fault);

static void drain(void)
{
    http_close(front);
    tls_close();
    gate_close();
}

static const struct service service = {
    .name = "portal",
    .settings = settings,
    .setting_count = sizeof settings / sizeof *settings,
    .prepare = prepare,
    .attach = attach,
    .drain = drain,
};

static void *worker_new(void)
{
    return work_new(&service);
}

static void worker_free(void *worker)
{
    work_free(worker);
}

static bool attach(struct event_base *base, struct fault *fault)
{
    static char socket[128];
    const char *given = setting_text("SHIKAKU_PORTAL_SOCKET");
    int port = (int)setting_number("SHIKAKU_PORTAL_PORT");
    int len = *given ? snprintf(socket, sizeof socket, "%s", given)
                     : snprintf(socket, sizeof socket, "%s/portal.sock", setting_text("SHIKAKU_BUS"));
    if (len < 0 || (size_t)len >= sizeof socket)
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_PORTAL_SOCKET");
    if (port && !tls_open(fault))
        return false;
    struct http_spec spec = {
        .socket = socket,
        .port = port,
        .connection_new = port ? tls_connection_new : NULL,
        .routes = http_routes,
        .route_count = http_route_count,
        .read_seconds = (int)setting_number("SHIKAKU_HTTP_READ_SECONDS"),
        .pool = {.threads = (int)setting_number("SHIKAKU_HTTP_WORKERS"),
            .queue_max = (size_t)setting_number("SHIKAKU_HTTP_QUEUE"),
            .worker_new = worker_new,
            .run = exchange_run,
            .worker_free = worker_free},
    };
    return http_open(&front, base, &spec, fault);
}

int main(int argc, char **argv)
{
    return service_run(&service, argc, argv);
}
