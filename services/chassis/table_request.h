/* What all services ask of a request for a table that a person carries out (export.proto). */
#ifndef CHASSIS_TABLE_REQUEST_H
#define CHASSIS_TABLE_REQUEST_H

#include "chassis/fault.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* An Export__TableRequest: a programme, days that there are, the place that a piece before ended with. Faults:
 * item_missing, item_invalid, by the field. */
bool table_request_check(const ProtobufCMessage *message, struct fault *fault);

#endif
