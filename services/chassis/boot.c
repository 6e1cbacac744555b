#include "chassis/boot.h"

#include "audit.pb-c.h"
#include "chassis/admin.h"
#include "chassis/audit_outbox_store.h"
#include "chassis/bus_way.h"
#include "chassis/dispatch.h"
#include "chassis/door.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/key_watch.h"
#include "chassis/meters.h"
#include "chassis/rights.h"
#include "chassis/session_watch.h"
#include "chassis/step_threads.h"
#include "chassis/work_state.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define DATABASE_RETRY_MS 100

static char workers[4] = "4"; /* where a service does not say otherwise */

/* Settings that every service has. */
static const struct setting common_settings[] = {
    {"SHIKAKU_VAR", SETTING_TEXT, "var", 0, 0, "Folder of what the system makes while it runs."},
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "Folder of keys: own token, peers' public keys."},
    {"SHIKAKU_BUS", SETTING_TEXT, "var/run", 0, 0,
        "Folder of the bus's sockets, at most 80 bytes; or between hosts tls+tcp://HOST:PORT, * for the party's name."},
    {"SHIKAKU_BUS_ADDRESS", SETTING_TEXT, "0.0.0.0", 0, 0, "Between hosts: the address that the bus listens at."},
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "How to reach PostgreSQL (libpq), by the service's own role."},
    {"SHIKAKU_ADMIN_PORT", SETTING_NUMBER, NULL, 1, 65535, "Port of /healthz, /readyz, /metrics."},
    {"SHIKAKU_ADMIN_ADDRESS", SETTING_TEXT, "127.0.0.1", 0, 0,
        "Address of that port; 0.0.0.0 where probes and Prometheus come over a private network."},
    {"SHIKAKU_WORKERS", SETTING_NUMBER, workers, 1, 64, "Threads that handle requests of the bus."},
    {"SHIKAKU_RIGHTS", SETTING_TEXT, "deploy/rights/roles.json", 0, 0, "The rights table (deploy/rights/README.md)."},
    {"SHIKAKU_PROPOSAL_DAYS", SETTING_NUMBER, "14", 1, 365,
        "What waits for a second person lapses after so many days."},
    {"SHIKAKU_AUDIT_FIRST", SETTING_TEXT, "required", 0, 0,
        "required: begin when audit has answered once. off: without, for a service that is tried alone."},
    {"SHIKAKU_AUDIT_WAITING_MAX", SETTING_NUMBER, "100000", 1, 100000000,
        "Records of use that may wait for audit; past it no person's data leaves."},
    {"SHIKAKU_AUDIT_WAITING_SECONDS", SETTING_NUMBER, "3600", 1, 604800,
        "How long a record of use may wait for audit; past it no person's data leaves."},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "Folder of the programmes' definitions."},
};

static const struct service *running;
static struct event_base *base;

static const struct lane relay_lanes[] = {
    {LANE_OUTBOX, 1, outbox_relay, NULL, RELAY_BATCH, 40},
    {LANE_KEYS, 1, key_watch_turn},
    {LANE_AUDIT, 1, audit_relay, NULL, AUDIT_BATCH, 200},
};

/* audit takes its own records over by itself. */
static bool sends_records(const struct service *service)
{
    enum party self = 0;
    return service->schema_version && party_find(service->name, &self) && route_row(ROUTE_audit_append)->from & self;
}

static size_t relay_lane_count(const struct service *service)
{
    if (!service->schema_version)
        return 0;
    return sends_records(service) ? 3 : 2;
}

static bool watches_sessions(const struct service *service)
{
    enum party self = 0;
    return party_find(service->name, &self) && route_row(ROUTE_staff_ended)->from & self;
}

static void audit_bound(const struct service *service)
{
    if (sends_records(service))
        audit_outbox_bound(
            setting_number("SHIKAKU_AUDIT_WAITING_MAX"), setting_number("SHIKAKU_AUDIT_WAITING_SECONDS"));
}

static void *handler_new(int index)
{
    (void)index;
    return work_new(running);
}

static struct bytes handler_run(void *worker, const void *frame, size_t len)
{
    meter_add(METER_bus_requests_open, "bus", 1);
    struct bytes answer = dispatch(worker, frame, len);
    meter_add(METER_bus_requests_open, "bus", -1);
    work_rest(worker);
    return answer;
}

static void handler_free(void *worker)
{
    work_free(worker);
}

/* No core dump may hold a person's data, and no other process of this user may read this one's memory. */
static bool rights_narrow(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

static bool settings_open(const struct service *service)
{
    if (service->workers)
        snprintf(workers, sizeof workers, "%d", service->workers);
    bool common = settings_read(common_settings, sizeof common_settings / sizeof *common_settings);
    bool own = settings_read(service->settings, service->setting_count);
    bool keys = keyring_settings_read(), rotation = rotation_settings_read();
    return common && own && keys && rotation && bus_way_check();
}

static atomic_bool told_to_stop;

static void early_stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&told_to_stop, true);
}

/* Services start in any order, the database among them: wait for it, and for its schema. NULL: told to stop. */
static struct pg *database_await(const struct service *service, struct fault *fault)
{
    struct pg *pg = NULL;
    const struct timespec pause = {0, DATABASE_RETRY_MS * 1000000L};
    for (bool told = false; !atomic_load(&told_to_stop); nanosleep(&pause, NULL)) {
        event_base_loop(base, EVLOOP_NONBLOCK); /* /healthz */
        if ((pg || pg_open(&pg, setting_text("SHIKAKU_DSN"), fault)) && pg_ensure(pg, fault) &&
            schema_version_check(pg, service->schema_version, fault))
            return pg;
        if (!told)
            journal(JOURNAL_WARNING, NULL, "waiting_for_database", WORD("field", fault->field));
        told = true;
    }
    pg_close(pg);
    return NULL;
}

/* A copy of the database that the witness contradicts must not be worked on: audit finds that at its own start and does
 * not answer (services/audit/README.md), so nobody begins before it has answered once. Later it may be away. False:
 * told to stop. */
static bool audit_await(const struct service *service)
{
    const struct timespec pause = {0, DATABASE_RETRY_MS * 1000000L};
    if (!sends_records(service))
        return true;
    if (strcmp(setting_text("SHIKAKU_AUDIT_FIRST"), "off") == 0) {
        journal(JOURNAL_WARNING, NULL, "audit_not_awaited", WORD("setting", "SHIKAKU_AUDIT_FIRST"));
        return true;
    }
    struct work *work = work_new(service);
    bool answered = false;
    for (bool told = false; work && !answered && !atomic_load(&told_to_stop);) {
        event_base_loop(base, EVLOOP_NONBLOCK); /* /healthz */
        Audit__AppendRequest nothing = AUDIT__APPEND_REQUEST__INIT;
        ProtobufCMessage *reply;
        answered = work_call(work, ROUTE_audit_append, NULL, &nothing.base, &reply);
        if (!answered && !told)
            journal(JOURNAL_WARNING, NULL, "waiting_for_audit", WORD("code", fault_code_text(work->fault.code)));
        told = true;
        work_reset(work);
        if (!answered)
            nanosleep(&pause, NULL);
    }
    work_free(work);
    return answered;
}

static bool keys_open(const struct service *service, struct pg *pg, struct fault *fault)
{
    const struct key_want *wants = NULL;
    size_t count = service->keys ? service->keys(&wants) : 0;
    if (service->keys && count == 0)
        return fault_set(fault, FAULT_internal, "SHIKAKU_PROGRAMMES");
    return keyring_open(service->name, pg, wants, count, fault) && (!pg || key_watch_open(service, pg, fault));
}

static void stop(evutil_socket_t signal_number, short events, void *argument)
{
    (void)signal_number;
    (void)events;
    (void)argument;
    event_base_loopexit(base, NULL);
}

static bool signals_attach(void)
{
    struct event *terminate = evsignal_new(base, SIGTERM, stop, NULL),
                 *interrupt = evsignal_new(base, SIGINT, stop, NULL);
    return terminate && interrupt && evsignal_add(terminate, NULL) == 0 && evsignal_add(interrupt, NULL) == 0;
}

static bool threads_start(const struct service *service, struct bus_listener **listener, struct fault *fault)
{
    const struct lane *const tables[] = {service->lanes, relay_lanes};
    const size_t counts[] = {service->lane_count, relay_lane_count(service)};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started =
        steps_start(service, tables, counts, 2) && (!watches_sessions(service) || session_watch_start(service->name)) &&
        (!service->message_count || bus_listen(listener, service->name, (int)setting_number("SHIKAKU_WORKERS"),
                                        handler_new, handler_run, handler_free, fault));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static int failed(const char *what, const struct fault *fault)
{
    journal(JOURNAL_ERROR, NULL, "start_failed", WORD("step", what), WORD("code", fault_code_text(fault->code)),
        WORD("field", fault->field));
    return fault->code == FAULT_audit_disagrees ? EXIT_OPERATOR : 1;
}

static int stopped(const struct service *service)
{
    if (service->end)
        service->end();
    journal(JOURNAL_INFO, NULL, "stopped");
    return 0;
}

static int serve(const struct service *service)
{
    struct fault fault = {0};
    struct bus_listener *listener = NULL;
    struct admin *admin = NULL;
    struct pg *pg = NULL;
    if (!rights_open(setting_text("SHIKAKU_RIGHTS"), &fault))
        return failed("rights", &fault);
    evthread_use_pthreads();
    base = event_base_new();
    if (!base)
        return failed("event_loop", &fault);
    if (!admin_open(
            &admin, base, setting_text("SHIKAKU_ADMIN_ADDRESS"), (int)setting_number("SHIKAKU_ADMIN_PORT"), &fault))
        return failed("admin_port", &fault);
    if (service->schema_version) {
        exchange_store_open(service->name);
        audit_bound(service);
        if (!(pg = database_await(service, &fault)))
            return stopped(service);
    }
    bool keyed = keys_open(service, pg, &fault);
    pg_close(pg);
    if (!keyed)
        return failed("keys", &fault);
    if (service->prepare && !service->prepare(&fault))
        return failed("prepare", &fault);
    if (!audit_await(service))
        return stopped(service);
    if (!signals_attach())
        return failed("event_loop", &fault);
    if (!threads_start(service, &listener, &fault))
        return failed("threads", &fault);
    if (service->attach && !service->attach(base, &fault))
        return failed("attach", &fault);
    admin_set_ready(admin, true);
    journal(JOURNAL_INFO, NULL, "ready");
    if (!atomic_load(&told_to_stop)) /* before the loop heard signals */
        event_base_dispatch(base);
    journal(JOURNAL_INFO, NULL, "stopping");
    admin_set_ready(admin, false);
    if (service->drain)
        service->drain();
    bus_drain(listener);
    session_watch_stop();
    door_close(service);
    steps_stop();
    admin_close(admin);
    key_watch_close();
    keyring_close();
    return stopped(service);
}

int service_run(const struct service *service, int argc, char **argv)
{
    running = service;
    journal_open(service->name);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, early_stop);
    signal(SIGINT, early_stop);
    bool right = settings_open(service);
    if (argc == 2 && strcmp(argv[1], "--settings") == 0) {
        settings_print();
        return 0;
    }
    if (!right)
        return 1;
    if (argc == 2 && strcmp(argv[1], "--ready") == 0)
        return admin_is_ready((int)setting_number("SHIKAKU_ADMIN_PORT")) ? 0 : 1;
    if (!rights_narrow()) {
        journal(JOURNAL_ERROR, NULL, "limits_refused");
        return 1;
    }
    return serve(service);
}
