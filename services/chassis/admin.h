/* The admin port: /healthz (the process turns), /readyz (it can serve), /metrics (Prometheus text). On 127.0.0.1 only.
 */
#ifndef CHASSIS_ADMIN_H
#define CHASSIS_ADMIN_H

#include "chassis/fault.h"

#include <event2/event.h>

struct admin;

MUST_USE bool admin_open(struct admin **admin, struct event_base *base, int port, struct fault *fault);
void admin_set_ready(struct admin *admin, bool ready);
void admin_close(struct admin *admin);

#endif
