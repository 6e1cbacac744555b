#include "chassis/key_watch.h"

#include "chassis/journal.h"
#include "chassis/key_guard.h"
#include "chassis/keyring.h"
#include "chassis/keyring_store.h"
#include "chassis/rotation.h"
#include "chassis/rotation_store.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"

#include <time.h>

#define LOOK_MS 500

static const struct service *watched;
static char instance[37];
static int64_t looked_at_ms, told;

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool keys_read(struct pg *pg, struct fault *fault)
{
    if (!keyring_reload(pg, fault))
        return false;
    key_guard_publish(keyring_generation());
    return !watched->publish || watched->publish(fault);
}

static bool reached_tell(struct pg *pg, struct fault *fault)
{
    if (key_guard_quiet(keyring_generation()))
        told = keyring_generation();
    return key_holder_tell(pg, instance, told, fault);
}

/* Being there is told first: whoever replaces keys waits for us from then on, and what we read is not passed by. */
static bool look(struct pg *pg, struct fault *fault)
{
    int64_t from = monotonic_ms(), generation;
    if (!reached_tell(pg, fault) || !keyring_store_generation(pg, &generation, fault))
        return false;
    if (generation != keyring_generation() && (!keys_read(pg, fault) || !reached_tell(pg, fault)))
        return false;
    key_guard_looked(from);
    looked_at_ms = from;
    return true;
}

bool key_watch_open(const struct service *service, struct pg *pg, struct fault *fault)
{
    watched = service;
    uuid_make(instance);
    told = 0;
    if (!rotation_open(service->name, service->columns) || !key_holder_tell(pg, instance, told, fault))
        return fault_set(fault, FAULT_internal, "keys");
    key_guard_watch(setting_number("SHIKAKU_KEY_LEASE_MS") * 2 / 3);
    return keys_read(pg, fault) && look(pg, fault);
}

/* The thread's own work begins anew after a look, for it would be the one that is waited for. */
int key_watch_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    if (monotonic_ms() - looked_at_ms >= LOOK_MS) {
        key_guard_leave(work->state->guard);
        if (!look(work->pg, &work->fault))
            journal(JOURNAL_WARNING, NULL, "keys_not_looked_at", WORD("code", fault_code_text(work->fault.code)),
                WORD("field", work->fault.field));
        key_guard_enter(work->state->guard);
        work->fault.code = FAULT_NONE;
    }
    return rotation_turn(work, instance);
}

void key_watch_close(void)
{
    struct fault fault;
    struct pg *pg = NULL;
    if (watched && pg_open(&pg, setting_text("SHIKAKU_DSN"), &fault))
        (void)!key_holder_end(pg, instance, &fault);
    pg_close(pg);
    watched = NULL;
}
