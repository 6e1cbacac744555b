/* What staff do with an application: look, decide, take a fee at the counter. */
#ifndef INTAKE_APPLICATION_REVIEW_H
#define INTAKE_APPLICATION_REVIEW_H

#include "chassis/work.h"

bool list_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome list_act(struct work *work);
enum outcome view_act(struct work *work);
bool decide_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome decide_act(struct work *work);
bool fee_receipt_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome fee_receipt_act(struct work *work);
enum outcome residence_result_act(struct work *work);

#endif
