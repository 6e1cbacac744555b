#include "chassis/step.h"

#include "chassis/audit_outbox_store.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/step_threads.h"
#include "chassis/work_state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS 250
#define LANES_MAX 24

struct running_lane {
    const struct lane *lane;
    pthread_mutex_t mutex;
    pthread_cond_t woken, stopped;
    unsigned wakes; /* counts, so that a wake between a turn and the wait is not lost */
    int waiting;    /* threads that a wake wakes; the others are at work or gather */
    int64_t due_ms; /* of step_wake_in, by the monotonic clock; 0: none */
};

struct step_thread {
    pthread_t thread;
    struct running_lane *lane;
    struct work *work;
};

static struct running_lane lanes[LANES_MAX];
static size_t lane_count;
static struct step_thread *threads;
static size_t thread_count;
static atomic_bool stopping;

static struct running_lane *lane_find(const char *name)
{
    for (size_t i = 0; i < lane_count; i++)
        if (strcmp(lanes[i].lane->name, name) == 0)
            return &lanes[i];
    return NULL;
}

void step_wake(const char *name)
{
    struct running_lane *lane = lane_find(name);
    if (!lane)
        return;
    pthread_mutex_lock(&lane->mutex);
    lane->wakes++;
    if (lane->waiting)
        pthread_cond_signal(&lane->woken);
    pthread_mutex_unlock(&lane->mutex);
}

static struct timespec clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

static struct timespec later(struct timespec from, int ms)
{
    from.tv_nsec += ms * 1000000L;
    from.tv_sec += from.tv_nsec / 1000000000L;
    from.tv_nsec %= 1000000000L;
    return from;
}

static int64_t ms_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void step_wake_in(const char *name, int64_t ms)
{
    struct running_lane *lane = lane_find(name);
    if (!lane || ms >= POLL_MS)
        return;
    int64_t due_ms = ms_of(clock_now()) + ms + 1;
    pthread_mutex_lock(&lane->mutex);
    if (!lane->due_ms || due_ms < lane->due_ms) {
        lane->due_ms = due_ms;
        pthread_cond_broadcast(&lane->woken); /* they wait anew, until then */
    }
    pthread_mutex_unlock(&lane->mutex);
}

/* Until a wake since `seen`, the time that was asked for, or the next poll. */
static void lane_wait(struct running_lane *lane, unsigned seen)
{
    struct timespec begun = clock_now();
    pthread_mutex_lock(&lane->mutex);
    lane->waiting++;
    while (lane->wakes == seen && !atomic_load(&stopping)) {
        int64_t now_ms = ms_of(clock_now()), poll_ms = ms_of(begun) + POLL_MS;
        bool due = lane->due_ms && now_ms >= lane->due_ms;
        if (due)
            lane->due_ms = 0;
        if (due || now_ms >= poll_ms)
            break;
        int64_t until_ms = lane->due_ms && lane->due_ms < poll_ms ? lane->due_ms : poll_ms;
        struct timespec until = later(begun, (int)(until_ms - ms_of(begun)));
        pthread_cond_timedwait(&lane->woken, &lane->mutex, &until);
    }
    lane->waiting--;
    pthread_mutex_unlock(&lane->mutex);
}

static void lane_gather(struct running_lane *lane, struct timespec begun)
{
    struct timespec until = later(begun, lane->lane->gather_ms);
    pthread_mutex_lock(&lane->mutex);
    while (!atomic_load(&stopping))
        if (pthread_cond_timedwait(&lane->stopped, &lane->mutex, &until) != 0)
            break;
    pthread_mutex_unlock(&lane->mutex);
}

static void *step_run(void *argument)
{
    struct step_thread *self = argument;
    struct running_lane *lane = self->lane;
    while (!atomic_load(&stopping)) {
        pthread_mutex_lock(&lane->mutex);
        unsigned seen = lane->wakes;
        pthread_mutex_unlock(&lane->mutex);
        work_reset(self->work);
        struct timespec begun = clock_now();
        int worked = 0;
        bool may = strcmp(lane->lane->name, LANE_AUDIT) == 0 || !audit_outbox_full();
        if (may && pg_ensure(self->work->pg, &self->work->fault))
            worked = lane->lane->turn(self->work, lane->lane);
        work_rest(self->work);
        if (worked > 0) {
            meter_add(METER_lane_turns_total, lane->lane->name, 1);
            meter_add(METER_lane_items_total, lane->lane->name, worked);
            if (worked < lane->lane->full)
                lane_gather(lane, begun);
        } else
            lane_wait(lane, seen);
    }
    return NULL;
}

static bool lane_start(const struct service *service, const struct lane *row)
{
    struct running_lane *lane = &lanes[lane_count];
    pthread_condattr_t attributes;
    if (lane_count == LANES_MAX)
        return false;
    lane->lane = row;
    pthread_mutex_init(&lane->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->woken, &attributes);
    pthread_cond_init(&lane->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    lane_count++;
    for (int i = 0; i < row->threads; i++) {
        struct step_thread *thread = &threads[thread_count++];
        thread->lane = lane;
        thread->work = work_new(service);
        if (!thread->work)
            return false;
    }
    return true;
}

bool steps_start(
    const struct service *service, const struct lane *const *tables, const size_t *counts, size_t table_count)
{
    size_t total = 0;
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < counts[t]; i++)
            total += (size_t)tables[t][i].threads;
    threads = calloc(total ? total : 1, sizeof *threads);
    if (!threads)
        return false;
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < counts[t]; i++)
            if (!lane_start(service, &tables[t][i]))
                return false;
    for (size_t i = 0; i < thread_count; i++)
        if (pthread_create(&threads[i].thread, NULL, step_run, &threads[i]) != 0)
            return false;
    return true;
}

void steps_stop(void)
{
    atomic_store(&stopping, true);
    for (size_t i = 0; i < lane_count; i++) {
        pthread_mutex_lock(&lanes[i].mutex);
        pthread_cond_broadcast(&lanes[i].woken);
        pthread_cond_broadcast(&lanes[i].stopped);
        pthread_mutex_unlock(&lanes[i].mutex);
    }
    for (size_t i = 0; i < thread_count; i++) {
        pthread_join(threads[i].thread, NULL);
        work_free(threads[i].work);
    }
    free(threads);
    threads = NULL;
    thread_count = 0;
}
