/* Applications for accounts (申請書) and the register (記録簿). */
#ifndef ACCOUNT_STORE_H
#define ACCOUNT_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "staff.pb-c.h"
#include "staff/staff_store.h"

/* In the open transaction: an application. False when memory is out or there is no key. */
MUST_USE bool application_add(
    struct pg *pg, struct arena *arena, const char *manager, const Staff__AccountApplication *application);
/* In the open transaction, its row locked. Faults: not_found. */
MUST_USE bool application_read(struct pg *pg, struct arena *arena, const char *manager, const char *application,
    Staff__AccountApplication *found, struct fault *fault);
/* In the open transaction: "approved" or "refused"; by another person than applied, or the commit fails. */
void application_decide(
    struct pg *pg, const char *manager, const char *application, const char *state, const char *by, const char *reason);
MUST_USE bool applications_read(struct pg *pg, struct arena *arena, const char *manager,
    const Staff__ApplicationsRequest *request, Staff__ApplicationsReply *reply, struct fault *fault);

/* In the open transaction: has this person an open account of the manager's for one of these programmes, or, as an
 * administrator or operator, another one of that kind? Two who ask at the same time wait for each other. */
MUST_USE bool account_of_person(struct pg *pg, const struct account *account, bool *exists, struct fault *fault);
/* In the open transaction: how many administrators the manager has. Who asks at the same time waits. */
MUST_USE bool administrators_count(struct pg *pg, const char *manager, int64_t *count, struct fault *fault);

/* In the open transaction: what an approved application of kind change or extend says. The commit fails with
 * account_ended where the account has ended. False when memory is out or there is no key. */
MUST_USE bool account_change(struct pg *pg, struct arena *arena, const struct account *account);
void account_extend(struct pg *pg, const struct account *account);
/* In the open transaction. reason: left, moved, not_needed, misuse. The commit fails with account_ended. */
void account_end(struct pg *pg, const char *manager, const char *account, const char *by, const char *reason);
/* In the open transaction: close what is past its last day; which those were. */
MUST_USE bool accounts_run_out(
    struct pg *pg, struct arena *arena, const char *manager, char ***accounts, size_t *count, struct fault *fault);

MUST_USE bool accounts_read(struct pg *pg, struct arena *arena, const char *manager,
    const Staff__AccountsRequest *request, Staff__AccountsReply *reply, struct fault *fault);

/* In the open transaction. */
void policy_put(struct pg *pg, const Staff__PolicyRequest *policy, const char *by);
void training_put(struct pg *pg, const Staff__TrainingRequest *training, const char *by);
void consent_put(struct pg *pg, const char *manager, const char *account, const char *terms);

/* In the open transaction: every difference between applications, register and rights in force (AUTH-4). */
MUST_USE bool differences_read(
    struct pg *pg, struct arena *arena, const char *manager, Staff__CompareReply *reply, struct fault *fault);

#endif
