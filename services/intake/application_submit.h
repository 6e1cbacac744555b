/* Receipt of an application: signed and on line (portal, an agency), or on paper, typed in at a listed terminal. */
#ifndef INTAKE_APPLICATION_SUBMIT_H
#define INTAKE_APPLICATION_SUBMIT_H

#include "chassis/work.h"

bool submit_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome submit_act(struct work *work);

bool paper_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome paper_act(struct work *work);

#endif
