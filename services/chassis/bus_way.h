/* The way from a party's name to connections. SHIKAKU_BUS tells which:
 *
 *   a folder                      on one host: NAME.bus in it, a unix socket
 *   tls+tcp://HOST:PORT           between hosts; `*` in HOST stands for the party's name with '-' for '_'. Each name is
 *                                 resolved anew every 5 s; every address of it gets a dialer of its own, for nng alone
 *                                 dials only the first.
 *
 * Between hosts both sides show a certificate of SHIKAKU_KEYS/peers/bus-ca.pem: SHIKAKU_KEYS/SELF/bus.pem (certificate
 * and key), whose DNS name must be the party's. It keeps strangers out; who the sender is the seal proves
 * (chassis/seal.h). A certificate that was renewed serves the connections made from then on; no other is touched.
 *
 * A connection can die without a word (a host that is gone, a cut between networks, a process that hangs), and nng's
 * dialer sometimes gives up for good when its peer dies while they connect. A dialer whose peer answers nothing for
 * 5 s, while others of the same name do or calls wait in vain, is replaced, in the folder too. */
#ifndef CHASSIS_BUS_WAY_H
#define CHASSIS_BUS_WAY_H

#include "chassis/fault.h"
#include "chassis/route.h"

#include <nng/nng.h>

/* What SHIKAKU_BUS says is neither a folder nor such an address: false, and the journal names the rule. */
MUST_USE bool bus_way_check(void);

/* Dial `to`, without waiting. `self` is the caller's own name. Once for each party. */
MUST_USE bool bus_way_dial(nng_socket socket, enum party to, const char *self);
/* Listen as `self`. Between hosts it is tried, before it is true, that a client without certificate is refused. */
MUST_USE bool bus_way_listen(nng_socket socket, const char *self);

/* What became of a call to `to`: `reply` came, or none did (NULL); late: not before nng had asked again. */
void bus_way_told(enum party to, const nng_msg *reply, bool late);

/* For bus_way.c. Up to `max` addresses of `host`, as nng writes them ("127.0.0.2", "[::1]"); each
 * once, sorted. 0: it has none now. */
#define WAY_ADDRESS_BYTES 48
size_t way_resolve(const char *host, char (*addresses)[WAY_ADDRESS_BYTES], size_t max);

/* Shut the connections to this port whose client has not even begun a handshake, for nng waits for ever and each holds
 * a descriptor: at leisure those of 3 s and more, otherwise only when half of all descriptors are taken, and then those
 * of 250 ms. Returns how many. */
size_t way_silent_cut(int port, bool at_leisure);

#endif
