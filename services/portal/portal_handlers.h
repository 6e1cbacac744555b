/* What the routes do: translate HTTP into a message of the bus and its reply back. No rule of an application is here.
 */
#ifndef PORTAL_HANDLERS_H
#define PORTAL_HANDLERS_H

#include "chassis/work.h"
#include "intake.pb-c.h"
#include "portal/portal_exchange.h"

/* applicants, portal_applicant.c */
bool vault_keys_act(struct exchange *x, struct work *work);
bool attachment_act(struct exchange *x, struct work *work);
bool submit_act(struct exchange *x, struct work *work);
bool status_list_act(struct exchange *x, struct work *work);
bool status_act(struct exchange *x, struct work *work);
bool payment_act(struct exchange *x, struct work *work);

/* certificates, portal_certificate.c */
bool certificate_act(struct exchange *x, struct work *work);
bool verify_act(struct exchange *x, struct work *work);
bool page_act(struct exchange *x, struct work *work);

/* staff, portal_staff.c and portal_review.c */
bool login_act(struct exchange *x, struct work *work);
bool logout_act(struct exchange *x, struct work *work);
bool paper_act(struct exchange *x, struct work *work);
bool list_act(struct exchange *x, struct work *work);
bool export_act(struct exchange *x, struct work *work); /* portal_export.c */
bool view_act(struct exchange *x, struct work *work);
bool attachment_view_act(struct exchange *x, struct work *work);
bool decide_act(struct exchange *x, struct work *work);
bool fee_receipt_act(struct exchange *x, struct work *work);
bool residence_inquire_act(struct exchange *x, struct work *work);
bool residence_inquiry_act(struct exchange *x, struct work *work);
bool residence_result_act(struct exchange *x, struct work *work);

/* staff, portal_correction.c */
bool number_change_act(struct exchange *x, struct work *work);
bool correction_open_act(struct exchange *x, struct work *work);
bool correction_list_act(struct exchange *x, struct work *work);
bool correction_close_act(struct exchange *x, struct work *work);

/* accounts, sessions, terminals; portal_account.c */
bool account_act(struct exchange *x, struct work *work);
/* A message as JSON: fields by their names; bytes are left out. NULL when memory is out. */
json_t *message_json(const ProtobufCMessage *message);

/* acts that wait for a second person, portal_proposal.c */
bool proposal_list_act(struct exchange *x, struct work *work);
bool proposal_view_act(struct exchange *x, struct work *work);
bool proposal_close_act(struct exchange *x, struct work *work);

/* An application as JSON; the pseudonym (資格仮名ID) to staff only (NUM-3). NULL when memory is out. */
json_t *application_json(const Intake__Application *application, bool to_staff);
json_t *applications_json(Intake__Application *const *applications, size_t count, bool to_staff);

/* The name of a person's act, from which the bus derives its idempotency key: the client's Idempotency-Key, or a new
 * one for this request, so that the same words said twice on purpose are two acts. NULL when memory is out. */
const char *act_name(const struct exchange *x, struct work *work);

#endif
