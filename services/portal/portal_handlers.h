/* What the routes do: translate HTTP into a message of the bus and its reply back. No rule of an application is here.
 */
#ifndef PORTAL_HANDLERS_H
#define PORTAL_HANDLERS_H

#include "chassis/work.h"
#include "intake.pb-c.h"
#include "portal/portal_exchange.h"

/* applicants, portal_applicant.c */
bool vault_keys_http(struct exchange *x, struct work *work);
bool attachment_http(struct exchange *x, struct work *work);
bool submit_http(struct exchange *x, struct work *work);
bool status_list_http(struct exchange *x, struct work *work);
bool status_http(struct exchange *x, struct work *work);
bool payment_http(struct exchange *x, struct work *work);

/* certificates, portal_certificate.c */
bool certificate_http(struct exchange *x, struct work *work);
bool verify_http(struct exchange *x, struct work *work);
bool page_http(struct exchange *x, struct work *work);

/* staff, portal_staff.c and portal_review.c */
bool login_http(struct exchange *x, struct work *work);
bool logout_http(struct exchange *x, struct work *work);
bool paper_http(struct exchange *x, struct work *work);
bool list_http(struct exchange *x, struct work *work);
bool export_http(struct exchange *x, struct work *work); /* portal_export.c */
bool view_http(struct exchange *x, struct work *work);
bool attachment_view_http(struct exchange *x, struct work *work);
bool decide_http(struct exchange *x, struct work *work);
bool fee_receipt_http(struct exchange *x, struct work *work);
bool residence_inquire_http(struct exchange *x, struct work *work);
bool residence_inquiry_http(struct exchange *x, struct work *work);
bool residence_result_http(struct exchange *x, struct work *work);

/* staff, portal_correction.c */
bool number_change_http(struct exchange *x, struct work *work);
bool correction_open_http(struct exchange *x, struct work *work);
bool correction_list_http(struct exchange *x, struct work *work);
bool correction_close_http(struct exchange *x, struct work *work);

/* accounts, sessions, terminals; portal_account.c */
bool account_http(struct exchange *x, struct work *work);
/* A message as JSON: fields by their names; bytes are left out. NULL when memory is out. */
json_t *message_json(const ProtobufCMessage *message);

/* acts that wait for a second person, portal_proposal.c */
bool proposal_list_http(struct exchange *x, struct work *work);
bool proposal_view_http(struct exchange *x, struct work *work);
bool proposal_close_http(struct exchange *x, struct work *work);

/* An application as JSON; the pseudonym (資格仮名ID) to staff only (NUM-3). NULL when memory is out. */
json_t *application_json(const Intake__Application *application, bool to_staff);
json_t *applications_json(Intake__Application *const *applications, size_t count, bool to_staff);

/* The name of a person's act, from which the bus derives its idempotency key: the client's Idempotency-Key, or a new
 * one for this request, so that the same words said twice on purpose are two acts. NULL when memory is out. */
const char *act_name(const struct exchange *x, struct work *work);

#endif
