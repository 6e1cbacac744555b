/* Worker threads behind a bounded queue. The loop thread puts exchanges in and takes answered ones out; in between a
 * worker owns them. */
#ifndef PORTAL_POOL_H
#define PORTAL_POOL_H

#include "portal/portal_exchange.h"

struct pool;

struct pool_spec {
    int threads;
    size_t queue_max;          /* exchanges that wait for a worker */
    void *(*worker_new)(void); /* on the opening thread; NULL: pool_open fails */
    void (*run)(struct exchange *exchange, void *worker);
    void (*worker_free)(void *worker);
    void (*answered)(void *argument); /* on a worker's thread, after an answer was left: wake the loop */
    void *argument;
};

MUST_USE bool pool_open(struct pool **pool, const struct pool_spec *spec);
/* Takes the exchange, unless the queue is full or closing: then false, and it stays the caller's. */
MUST_USE bool pool_put(struct pool *pool, struct exchange *exchange);
/* All answered exchanges as a list over `next`, oldest first; the caller's. NULL: none. */
struct exchange *pool_take(struct pool *pool);
/* Refuse what waits (503), let what runs end, join the threads. Then pool_take once more, then pool_free. */
void pool_close(struct pool *pool);
void pool_free(struct pool *pool); /* NULL is nothing */

#endif
