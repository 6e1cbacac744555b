/* The tables of staff: accounts (記録簿), logins. */
#ifndef STAFF_STORE_H
#define STAFF_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"

#define STAFF_LOCK_AFTER 5 /* failures in a row; from then on each doubles the wait, from 2 s to 15 minutes */

struct account {
    const char *account, *manager;
    const char *person, *need, *password; /* password: Argon2id, encoded */
    const char *role, *programmes;        /* programmes: ",chorishi,"; "" is all of the manager's */
    const char *body;                     /* inside the programmes: it sees this body's part alone; "": all parts */
    bool open, locked;
};

/* The manager of an account, "" where there is no such account: in the open transaction, or in one of its own. */
MUST_USE bool account_place_read(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault);
MUST_USE bool account_place_find(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault);

/* Read the account but its person and need. Own transaction, under its manager. Faults: not_found. */
MUST_USE bool account_read(struct pg *pg, struct arena *arena, struct account *account, struct fault *fault);

/* In the open transaction: a new account. False when memory is out or there is no key. */
MUST_USE bool account_add(struct pg *pg, struct arena *arena, const struct account *account);

/* In the open transaction: the row is locked, so that failures at the same time all count. */
void account_failed(struct pg *pg, const char *manager, const char *account);
void account_succeeded(struct pg *pg, const char *manager, const char *account);

/* In the open transaction. outcome: "done", "unknown", "wrong", "locked", "closed", "terminal". */
void login_record(struct pg *pg, const char *manager, const char *account, const char *terminal, const char *outcome);

#endif
