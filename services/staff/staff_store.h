/* An account as a login needs it: the row of the register (記録簿), what its manager asks for, and failures. */
#ifndef STAFF_STORE_H
#define STAFF_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "chassis/rotation.h"

#define STAFF_LOCK_AFTER 5 /* failures in a row; from then on each doubles the wait, from 2 s to 15 minutes */
#define STAFF_LOCK_ELSEWHERE_AFTER 10 /* the same, for all terminals together that the account is new at */

struct account {
    const char *account, *manager;
    const char *person, *need, *password; /* password: Argon2id, encoded */
    const char *category, *employer;
    const char *role, *programmes; /* programmes: ",chorishi,"; "" is all of the manager's */
    const char *body;              /* sees this body's part of a programme alone (ORG-1); "": all parts */
    const char *until;             /* YYYY-MM-DD, its last day in Japan; "" without end */
    const char *application;       /* the approved one in force; "" for none */
    const uint8_t *person_token;   /* INDEX_TOKEN_BYTES */

    /* account_read alone */
    bool open;   /* not ended, nor past its last day */
    bool locked; /* at the terminal that was named */
    bool must_change;
    int64_t password_set_at_ms, previous_login_at_ms;
    struct bytes factor; /* key of the second factor; data NULL: none */
    bool factor_confirmed;
    int64_t factor_step;
    const char *second_factor, *terms; /* of the manager's policy: "none", ""  where it has none */
    bool consented, trained;           /* as the policy asks */
    const char *trained_on;
};

/* The manager of an account, "" where there is no such account: in the open transaction, or in one of its own. */
MUST_USE bool account_place_read(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault);
MUST_USE bool account_place_find(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault);

/* Read the account but its need. Own transaction, under its manager. Faults: not_found. */
MUST_USE bool account_read(
    struct pg *pg, struct arena *arena, const char *terminal, struct account *account, struct fault *fault);

/* In the open transaction: a new account. False when memory is out or there is no key. */
MUST_USE bool account_add(struct pg *pg, struct arena *arena, const struct account *account);

/* In the open transaction. Failures at the same time all count. A success names the step of the second factor that was
 * used (0: none); the commit fails with login_failed where the account has ended or the step was used meanwhile. */
void account_failed(struct pg *pg, const struct account *account, const char *terminal);
void account_succeeded(struct pg *pg, const struct account *account, const char *terminal, int64_t factor_step);
/* In the open transaction: hold off whoever would end the account, and see that nobody has. Faults: account_ended. */
MUST_USE bool account_hold(struct pg *pg, const char *manager, const char *account, struct fault *fault);

/* In the open transaction. outcome: "done", "unknown", "wrong", "locked", "closed", "terminal", "factor",
 * "factor_missing". Hours in Japan from `from` up to `to`, Monday to Friday, are the usual ones. */
struct login_row {
    const char *manager, *account, *terminal, *outcome;
    int from, to;
};
void login_record(struct pg *pg, const struct login_row *row);

/* In the open transaction: the new password, the old one kept. `first`: handed over by another person, to be changed.
 */
MUST_USE bool password_put(
    struct pg *pg, struct arena *arena, const struct account *account, const char *encoded, bool first);
/* Own transaction: the last `count` encoded passwords before the present one, newest first; NULL ends the list. */
MUST_USE bool passwords_read(struct pg *pg, struct arena *arena, const struct account *account, int count,
    const char ***list, struct fault *fault);

/* In the open transaction. factor_put begins an enrolment; factor_confirm ends it with the step of the first code.
 * factor_drop: it has to be enrolled anew. False when memory is out or there is no key. */
MUST_USE bool factor_put(
    struct pg *pg, struct arena *arena, const struct account *account, const uint8_t *key, size_t len);
void factor_confirm(struct pg *pg, const struct account *account, int64_t step);
void factor_drop(struct pg *pg, const struct account *account);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns staff_columns;

#endif
