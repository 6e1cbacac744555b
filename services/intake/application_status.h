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

/* Applications as messages, in the arena; false with a fault. `staff`: with the pseudonym. Reads the histories, all in
 * one round trip. */
MUST_USE bool applications_show(
    struct work *work, const struct application *applications, size_t count, bool staff, Intake__Application **shown);

#endif
