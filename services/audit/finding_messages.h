/* Looking at findings and closing them: persons with the right `findings`, of their manager alone. */
#ifndef FINDING_MESSAGES_H
#define FINDING_MESSAGES_H

#include "chassis/work.h"

bool findings_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome findings_act(struct work *work);
bool finding_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome finding_act(struct work *work);
bool finding_close_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome finding_close_act(struct work *work);

#endif
