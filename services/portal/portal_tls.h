/* Between hosts the front door (HAProxy) comes by TLS 1.3. Both show a certificate of SHIKAKU_KEYS/peers/bus-ca.pem:
 * the portal SHIKAKU_KEYS/portal/bus.pem, the door one of the DNS name "door"; anybody else's handshake fails
 * (STORE-2). A certificate that was renewed serves the connections made from then on. For the loop's thread alone. */
#ifndef PORTAL_TLS_H
#define PORTAL_TLS_H

#include "chassis/fault.h"

#include <event2/bufferevent.h>

/* Fault: unavailable with "certificate". */
MUST_USE bool tls_open(struct fault *fault);
void tls_close(void);

/* For evhttp_set_bevcb. NULL: memory is out. */
struct bufferevent *tls_connection_new(struct event_base *base, void *unused);

#endif
