/* An agency as its operator enrols it: `shikakuctl peer add` with a key of its own, against the running stack. */
#ifndef KIT_ENROLMENT_H
#define KIT_ENROLMENT_H

#include "kit/agency.h"

#include <protobuf-c/protobuf-c.h>

/* Enrol NAME for this manager and these routes ("intake_status intake_submit"); the client that holds its key. NULL:
 * shikakuctl refused, or the settings of a stack are not in the environment. */
struct agency *enrolled_agency_new(const char *name, const char *manager, const char *routes);

/* As agency_call, with `message` packed as the payload. */
void agency_send(
    struct agency *agency, struct agency_request request, const ProtobufCMessage *message, struct agency_reply *reply);

/* The key of an act, as proto/README.md asks for: the same at every attempt. */
void agency_act_key(const char *act, uint8_t key[32]);

#endif
