#include "portal/portal_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define THREADS_MAX 64

struct list {
    struct exchange *first, **end;
};

struct pool {
    struct pool_spec spec;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct list waiting, answered;
    size_t waiting_count;
    bool closing;
    int started;
    struct thread {
        struct pool *pool;
        void *worker;
        pthread_t id;
    } threads[THREADS_MAX];
};

static void list_init(struct list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct list *list, struct exchange *exchange)
{
    exchange->next = NULL;
    *list->end = exchange;
    list->end = &exchange->next;
}

static struct exchange *list_take(struct list *list)
{
    struct exchange *first = list->first;
    if (first && !(list->first = first->next))
        list->end = &list->first;
    return first;
}

static struct exchange *waiting_take(struct pool *pool, bool *closing)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->waiting.first && !pool->closing)
        pthread_cond_wait(&pool->filled, &pool->lock);
    struct exchange *exchange = list_take(&pool->waiting);
    pool->waiting_count -= exchange != NULL;
    *closing = pool->closing;
    pthread_mutex_unlock(&pool->lock);
    return exchange;
}

static void *thread_run(void *argument)
{
    struct thread *thread = argument;
    struct pool *pool = thread->pool;
    struct exchange *exchange;
    bool closing;
    while ((exchange = waiting_take(pool, &closing))) {
        if (closing)
            exchange_refuse(exchange, &(struct fault){.code = FAULT_unavailable});
        else
            pool->spec.run(exchange, thread->worker);
        pthread_mutex_lock(&pool->lock);
        list_add(&pool->answered, exchange);
        pthread_mutex_unlock(&pool->lock);
        pool->spec.answered(pool->spec.argument);
    }
    return NULL;
}

static bool thread_start(struct pool *pool)
{
    struct thread *thread = &pool->threads[pool->started];
    sigset_t all, before;
    thread->pool = pool;
    if (!(thread->worker = pool->spec.worker_new()))
        return false;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread->id, NULL, thread_run, thread) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started)
        pool->spec.worker_free(thread->worker);
    pool->started += started;
    return started;
}

bool pool_open(struct pool **made, const struct pool_spec *spec)
{
    struct pool *pool = calloc(1, sizeof *pool);
    *made = pool;
    if (!pool)
        return false;
    pool->spec = *spec;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->filled, NULL);
    list_init(&pool->waiting);
    list_init(&pool->answered);
    for (int i = 0; i < spec->threads && i < THREADS_MAX; i++)
        if (!thread_start(pool)) {
            pool_close(pool);
            pool_free(pool);
            *made = NULL;
            return false;
        }
    return true;
}

bool pool_put(struct pool *pool, struct exchange *exchange)
{
    pthread_mutex_lock(&pool->lock);
    bool taken = !pool->closing && pool->waiting_count < pool->spec.queue_max;
    if (taken) {
        list_add(&pool->waiting, exchange);
        pool->waiting_count++;
        pthread_cond_signal(&pool->filled);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

struct exchange *pool_take(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct exchange *list = pool->answered.first;
    list_init(&pool->answered);
    pthread_mutex_unlock(&pool->lock);
    return list;
}

void pool_close(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->filled);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) {
        pthread_join(pool->threads[i].id, NULL);
        pool->spec.worker_free(pool->threads[i].worker);
    }
    pool->started = 0;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->filled);
    free(pool);
}
