/* One request to a service, sent as `operator`, with a key of its own. */
#ifndef OPERATOR_CALL_H
#define OPERATOR_CALL_H

#include "chassis/bus.h"

/* `act` names a command, so that sending it twice has one effect; NULL for queries. The reply lies in the arena. On
 * failure it has said why on stderr, in Japanese with the code. */
MUST_USE bool operator_call(
    struct arena *arena, enum route route, const char *act, const ProtobufCMessage *request, ProtobufCMessage **reply);

#endif
