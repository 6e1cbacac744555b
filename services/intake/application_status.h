/* What an applicant, an agency and staff see of an application. */
#ifndef INTAKE_APPLICATION_STATUS_H
#define INTAKE_APPLICATION_STATUS_H

#include "chassis/work.h"
#include "intake/application_store.h"

#include "intake.pb-c.h"

bool status_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome status_act(struct work *work);
bool pay_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome pay_act(struct work *work);

/* The application as a message, in the arena; NULL with a fault. `staff`: with the pseudonym. Reads the history. */
Intake__Application *application_show(struct work *work, const struct application *application, bool staff);

#endif
