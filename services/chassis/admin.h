/* The admin port: /healthz (the process turns, though it may wait for its database), /readyz (it can serve: started,
 * not stopping, its database reached), /metrics (Prometheus text; no value of a person). */
#ifndef CHASSIS_ADMIN_H
#define CHASSIS_ADMIN_H

#include "chassis/fault.h"

#include <event2/event.h>

struct admin;

MUST_USE bool admin_open(
    struct admin **admin, struct event_base *base, const char *address, int port, struct fault *fault);
void admin_set_ready(struct admin *admin, bool ready);
void admin_close(struct admin *admin);

/* Ask the service of this machine (container) whether it is ready; for health checks where there is no other client. */
bool admin_is_ready(int port);

#endif
