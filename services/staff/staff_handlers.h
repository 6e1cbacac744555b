/* What the routes of staff do, by subject; staff_messages.c is the table. */
#ifndef STAFF_HANDLERS_H
#define STAFF_HANDLERS_H

#include "chassis/work.h"
#include "staff/staff_store.h"
#include "staff/terminal_store.h"

#define ACCOUNT_MAX 63
#define PERSON_MAX 600
#define UUID_LEN 36

/* login_messages.c */
bool login_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome staff_login_act(struct work *work);
enum outcome renew_act(struct work *work);
/* The terminal, from the list, or from the operator's file at its first use. Own transactions. Faults:
 * terminal_not_listed, unavailable. */
MUST_USE bool terminal_take(struct work *work, const char *fingerprint, struct terminal *terminal);

/* session_messages.c */
enum outcome staff_logout_act(struct work *work);
enum outcome ended_act(struct work *work);
enum outcome sessions_act(struct work *work);
bool session_end_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome session_end_act(struct work *work);
bool logins_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome logins_act(struct work *work);

/* own_messages.c */
bool password_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome password_act(struct work *work);
enum outcome factor_enrol_act(struct work *work);
enum outcome factor_confirm_act(struct work *work);
enum outcome terms_accept_act(struct work *work);
enum outcome me_act(struct work *work);

/* account_messages.c */
bool account_apply_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome account_apply_act(struct work *work);
bool account_decide_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome account_decide_act(struct work *work);
bool account_end_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome account_end_act(struct work *work);
enum outcome account_reset_act(struct work *work);
bool add_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome add_act(struct work *work);

/* register_messages.c */
bool training_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome training_act(struct work *work);
bool policy_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome policy_act(struct work *work);
enum outcome applications_act(struct work *work);
enum outcome accounts_act(struct work *work);
enum outcome compare_act(struct work *work);

/* terminal_messages.c */
bool terminal_add_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome terminal_add_act(struct work *work);
bool terminal_end_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome terminal_end_act(struct work *work);
enum outcome terminals_act(struct work *work);

/* loan_messages.c */
bool loan_ask_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome loan_ask_act(struct work *work);
bool loan_decide_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome loan_decide_act(struct work *work);
bool loan_end_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome loan_end_act(struct work *work);
bool loans_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome loans_act(struct work *work);

/* rights_messages.c */
enum outcome rights_act(struct work *work);
enum outcome rights_status_act(struct work *work);
bool rights_review_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome rights_review_act(struct work *work);

/* "account:NAME", the reason in records of use of staff; in the arena, NULL when memory is out. */
char *account_reason(struct work *work, const char *account);
/* Has the person the right, by the rights table of this moment and not by the token alone? For routes of `session`. */
bool person_may(const struct work *work, enum right right);
/* Is it the person's own account, or have they the right? Faults: not_permitted. */
MUST_USE bool is_own_or_permitted(struct work *work, const char *account, enum right right);
/* May the person use the route's right, for this manager? Faults: not_permitted. */
MUST_USE bool is_permitted(struct work *work, const char *manager);
/* A day of the calendar, YYYY-MM-DD. "" only where `needed` is false. Faults: item_missing, item_invalid. */
MUST_USE bool day_check(const char *text, bool needed, const char *field, struct fault *fault);
bool manager_exists(const char *manager);
/* Less than 0: it is past, in Japan; 0: it is today. */
int day_beside_today(const char *day);
MUST_USE bool staff_text_check(const char *text, size_t max, bool needed, const char *field, struct fault *fault);

#endif
