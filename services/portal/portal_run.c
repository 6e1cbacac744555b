#include "portal/portal_run.h"

#include "chassis/boot.h"
#include "portal/portal_gate.h"
#include "portal/portal_routes.h"

#include <string.h>

/* The bus takes a person's token from the envelope of the request that is worked on; over HTTP it stands in a header.
 */
void exchange_run(struct exchange *exchange, void *worker)
{
    static const char scheme[] = "Bearer ";
    struct work *work = worker;
    Bus__Envelope envelope = BUS__ENVELOPE__INIT;
    bool done = gate_pass(exchange, work->arena, &work->fault);
    if (done && *exchange->actor.account) {
        envelope.actor_token = exchange->authorization + sizeof scheme - 1;
        envelope.purpose = exchange->purpose ? exchange->purpose : "";
        work->envelope = &envelope;
    }
    if (!done || !exchange->route->act(exchange, work))
        exchange_refuse(exchange, &work->fault);
    work_reset(work);
}
