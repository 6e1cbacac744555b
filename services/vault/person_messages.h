/* What happens to a person's ties after enrolment: a changed number, a correction under two people's approval, portal
 * pseudonyms; the end of a manager's use. */
#ifndef VAULT_PERSON_MESSAGES_H
#define VAULT_PERSON_MESSAGES_H

#include "chassis/work.h"

bool issue_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome issue_act(struct work *work);
bool change_number_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome change_number_act(struct work *work);

bool correction_ask_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome correction_ask_act(struct work *work);
bool correction_decide_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome correction_decide_act(struct work *work);

bool portal_tie_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome portal_tie_act(struct work *work);
bool portal_persons_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome portal_persons_act(struct work *work);

bool manager_end_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome manager_end_act(struct work *work);

#endif
