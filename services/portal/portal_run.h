/* One request, on a worker's thread: gate, then the route's act, then the answer or the refusal. */
#ifndef PORTAL_RUN_H
#define PORTAL_RUN_H

#include "portal/portal_exchange.h"

/* `worker` is the thread's struct work. */
void exchange_run(struct exchange *exchange, void *worker);

#endif
