/* Loans: rights that no role has, lent to an account for a time (AUTH-8). Nothing is deleted. */
#ifndef STAFF_LOAN_STORE_H
#define STAFF_LOAN_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "staff.pb-c.h"

/* All in the open transaction, but where it says so. */

/* False when memory is out or there is no key. */
MUST_USE bool loan_add(
    struct pg *pg, struct arena *arena, const Staff__LoanAskRequest *request, const char *loan, const char *account);

struct loan_row {
    const char *account, *right, *purpose, *programme, *state;
    const char *role; /* of the account now; "" where it has ended */
    int64_t minutes;
    int64_t until_ms; /* 0 where it was not lent */
    int64_t in_force; /* loans that the account has besides */
};
/* Its row and the account's locked. Faults: not_found. */
MUST_USE bool loan_read(struct pg *pg, struct arena *arena, const char *manager, const char *loan,
    struct loan_row *found, struct fault *fault);

/* until_ms 0: refused. The commit fails with state_conflict when it was decided meanwhile. */
void loan_decide(
    struct pg *pg, struct arena *arena, const Staff__LoanDecideRequest *decision, int64_t until_ms, const char *by);

/* Withdraw what runs of a manager, all or as chosen (NULL: any), and tell every service, as of ended sessions. */
struct loan_choice {
    const char *manager, *loan, *account;
};
void loans_end(
    struct pg *pg, struct arena *arena, const struct loan_choice *choice, const char *by, const char *reason);
/* Note those whose time is over; which they were. */
MUST_USE bool loans_run_out(
    struct pg *pg, struct arena *arena, const char *manager, char ***loans, size_t *count, struct fault *fault);

/* What runs of an account, at most ACTOR_LOANS_MAX. Own transaction. */
MUST_USE bool loans_in_force_read(struct pg *pg, struct arena *arena, const char *manager, const char *account,
    Staff__ActorLoan **loans, size_t *count, struct fault *fault);

/* Newest first, at most 500. */
MUST_USE bool loans_read(struct pg *pg, struct arena *arena, const Staff__LoansRequest *request,
    Staff__LoansReply *reply, struct fault *fault);

#endif
