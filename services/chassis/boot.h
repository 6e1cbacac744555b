/* Start-up and stop of a service, as a checklist of narrowing rights:
 *   settings, limits (no core, not dumpable), schema version, keys, own preparation, admin port, audit's first answer,
 *   own threads, bus, SIGTERM.
 * The main thread runs libevent: signals and the admin port (/healthz, /readyz, /metrics) on 127.0.0.1. */
#ifndef CHASSIS_BOOT_H
#define CHASSIS_BOOT_H

#include "chassis/keyring.h"
#include "chassis/rotation.h"
#include "chassis/settings.h"
#include "chassis/step.h"
#include "chassis/work.h"

#include <event2/event.h>

struct service {
    const char *name;   /* "vault"; schema, role and bus address follow from it */
    int schema_version; /* of migrations/NAME; 0: no schema */
    const struct setting *settings;
    size_t setting_count;
    /* Keys to make sure of; called after settings were read (programme_keys.h). May be NULL. 0: it cannot start. */
    size_t (*keys)(const struct key_want **wants);
    const struct key_columns *columns; /* what lies under its keys, for replacing them; NULL: the chassis's own alone */
    /* Publish the public halves of keys: at start, and whenever keys were replaced, by the lane that reads them. May be
     * NULL. */
    bool (*publish)(struct fault *fault);
    /* Own preparation, before threads start: load programmes, publish public keys. May be NULL. */
    bool (*prepare)(struct fault *fault);
    const struct message *messages;
    size_t message_count;
    int workers; /* unless set otherwise; 0: 4. As many commits go to the disk together as there are workers */
    const struct lane *lanes;
    size_t lane_count;
    /* Own events on the main loop (portal's HTTP). May be NULL. */
    bool (*attach)(struct event_base *base, struct fault *fault);
    void (*drain)(void); /* at SIGTERM, before the bus drains. May be NULL */
    /* What `prepare` began, threads of its own above all, ends: after the last handler and lane, or before `prepare`
     * where the service is stopped while it waits. May be NULL. */
    void (*end)(void);
};

/* Exit status of a start that was refused for what only an operator can settle: starting again does not help. */
#define EXIT_OPERATOR 3

/* Run the service until SIGTERM or SIGINT. Returns the exit status: 0 after a clean stop, 1 or EXIT_OPERATOR when it
 * could not start. `service --settings` prints its
 * settings, `service --ready` asks the one that runs here (0: ready). */
int service_run(const struct service *service, int argc, char **argv);

/* A work of the caller's own thread (portal's workers, tests): own arena, connection (if the service has a schema) and
 * bus caller. */
struct work *work_new(const struct service *service);
void work_free(struct work *work);
void work_reset(struct work *work);

#endif
