/* The messages that certificates handles: issue, verify, show, set_status (proto/certificates.proto). */
#ifndef CERTIFICATES_CERTIFICATE_MESSAGES_H
#define CERTIFICATES_CERTIFICATE_MESSAGES_H

#include "chassis/programme.h"
#include "chassis/work.h"

extern const struct message certificate_messages[];
extern const size_t certificate_message_count;

/* Before any message: the programmes, and the public address (https://HOST) at which codes are verified. Both are
 * borrowed for good. False if the address is too long for a QR code. */
MUST_USE bool certificate_serve(const struct programmes *served, const char *public_url);

#endif
