/* Attachments (添付書類): their pieces as they come, and as who reviews sees them. */
#ifndef INTAKE_ATTACHMENT_MESSAGES_H
#define INTAKE_ATTACHMENT_MESSAGES_H

#include "chassis/step.h"
#include "chassis/work.h"

bool attachment_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome attachment_act(struct work *work);

enum outcome attachment_view_act(struct work *work);

/* What is kept and served of a media type that an applicant named: itself if a reviewer's browser can show it safely,
 * else application/octet-stream. Static. */
const char *attachment_media_type(const char *named);

/* The lane that takes away pieces that no application named (SHIKAKU_PIECE_SECONDS). */
int pieces_turn(struct work *work, const struct lane *lane);

#endif
