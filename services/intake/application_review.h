/* What staff do with an application: look, decide, take a fee at the counter. */
#ifndef INTAKE_APPLICATION_REVIEW_H
#define INTAKE_APPLICATION_REVIEW_H

#include "chassis/work.h"
#include "intake/application_store.h"

/* Begin for the manager of the person who asks and read the application of the receipt. False: answer with *outcome. */
MUST_USE bool review_begin(
    struct work *work, const char *manager, const char *receipt, struct application *a, enum outcome *outcome);

bool list_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome list_act(struct work *work);
enum outcome view_act(struct work *work);
bool decide_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome decide_act(struct work *work);
bool fee_receipt_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome fee_receipt_act(struct work *work);
enum outcome residence_result_act(struct work *work);

#endif
