/* Notices (お知らせ) to the applicant at Mynaportal, by portal pseudonym. A notice says that something is there to be
 * seen and where, never what: no personal data is in it (S0: オンライン通知機能 handles no specific personal
 * information). */
#ifndef INTAKE_NOTICE_WIRE_H
#define INTAKE_NOTICE_WIRE_H

#include "chassis/work.h"
#include "intake/application_store.h"

/* Send the notice of an outcome ("completed", "returned", "rejected"); the same one twice is one. */
MUST_USE bool notice_send(struct work *work, const struct application *application, const char *kind);

#endif
