#include "chassis/key_guard.h"

#include <stdatomic.h>
#include <time.h>

#define GUARDS_MAX 256
#define IDLE (-1)

struct key_guard {
    atomic_bool used;
    _Atomic int64_t generation; /* IDLE outside of work */
    int64_t lapses;             /* of the owner alone */
};

static struct key_guard guards[GUARDS_MAX];
static _Atomic int64_t published, looked_at_ms, lapses, fence;

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct key_guard *key_guard_new(void)
{
    for (size_t i = 0; i < GUARDS_MAX; i++)
        if (!atomic_exchange(&guards[i].used, true)) {
            atomic_store(&guards[i].generation, IDLE);
            return &guards[i];
        }
    return NULL;
}

void key_guard_free(struct key_guard *guard)
{
    if (!guard)
        return;
    atomic_store(&guard->generation, IDLE);
    atomic_store(&guard->used, false);
}

/* A change between reading and storing could be missed by who asks whether all is quiet: look again. */
void key_guard_enter(struct key_guard *guard)
{
    guard->lapses = atomic_load(&lapses);
    do
        atomic_store(&guard->generation, atomic_load(&published));
    while (atomic_load(&guard->generation) != atomic_load(&published));
}

void key_guard_leave(struct key_guard *guard)
{
    atomic_store(&guard->generation, IDLE);
}

bool key_guard_holds(const struct key_guard *guard)
{
    int64_t limit = atomic_load(&fence);
    return !limit || (guard->lapses == atomic_load(&lapses) && monotonic_ms() - atomic_load(&looked_at_ms) <= limit);
}

void key_guard_publish(int64_t generation)
{
    atomic_store(&published, generation);
}

bool key_guard_quiet(int64_t generation)
{
    for (size_t i = 0; i < GUARDS_MAX; i++) {
        int64_t by = atomic_load(&guards[i].generation);
        if (atomic_load(&guards[i].used) && by != IDLE && by < generation)
            return false;
    }
    return true;
}

/* What began before a lapse may rest on keys that are no longer in force: it is not committed even though we are back.
 */
void key_guard_looked(int64_t at_ms)
{
    int64_t limit = atomic_load(&fence);
    if (limit && at_ms - atomic_load(&looked_at_ms) > limit)
        atomic_fetch_add(&lapses, 1);
    atomic_store(&looked_at_ms, at_ms);
}

void key_guard_watch(int64_t fence_ms)
{
    atomic_store(&looked_at_ms, monotonic_ms());
    atomic_store(&fence, fence_ms);
}
