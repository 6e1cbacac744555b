/* Many persons in one message, with a result each: initial registration (初期登録, LINK-8) and asking whether
 * pseudonyms are known. */
#ifndef VAULT_NUMBER_BATCH_H
#define VAULT_NUMBER_BATCH_H

#include "chassis/work.h"

bool enrol_batch_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome enrol_batch_act(struct work *work);

bool resolve_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome resolve_act(struct work *work);

#endif
