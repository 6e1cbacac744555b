/* Sessions: begun at a login, renewed by tokens, ended by themselves or by a person; and the list of those that ended
 * before their tokens do (chassis/session_watch.h). */
#ifndef SESSION_STORE_H
#define SESSION_STORE_H

#include "chassis/arena.h"
#include "chassis/pg.h"
#include "staff.pb-c.h"

struct session {
    const char *manager, *session, *account, *terminal;
    int64_t expires_at_ms;  /* of its newest token */
    int64_t lives_until_ms; /* no token of it lasts longer */
};

/* In the open transaction. */
void session_start(struct pg *pg, const struct session *session);

/* In the open transaction: the session's newest token lasts until then. Faults: not_authenticated when it has ended. */
MUST_USE bool session_renew(
    struct pg *pg, const char *manager, const char *session, int64_t expires_at_ms, struct fault *fault);
/* Own transaction: how long it can be renewed. Faults: not_authenticated. */
MUST_USE bool session_life(
    struct pg *pg, const char *manager, const char *session, int64_t *lives_until_ms, struct fault *fault);

/* In the open transaction: the newest sessions of an account, and its logins ("": of all accounts of the manager). */
MUST_USE bool sessions_read(struct pg *pg, struct arena *arena, const char *manager, const char *account,
    Staff__SessionsReply *reply, struct fault *fault);
MUST_USE bool logins_read(struct pg *pg, struct arena *arena, const char *manager, const Staff__LoginsRequest *request,
    Staff__LoginsReply *reply, struct fault *fault);

/* Which sessions of a manager are meant: those that have all of what is given. */
struct session_choice {
    const char *manager;
    const char *session, *account, *terminal; /* NULL: any */
    const char *except;                       /* a session that stays; NULL: none */
};

/* In the open transaction: end those that are open, and put them on the list. `reason` is one of the CHECK in
 * migrations/staff/deploy/ended.sql; `by` is the account that does it. None is nothing. */
void sessions_end(struct pg *pg, const struct session_choice *choice, const char *by, const char *reason);
/* In the open transaction: whose session is it, open or not? Faults: not_found. */
MUST_USE bool session_find(struct pg *pg, struct arena *arena, const char *manager, const char *session,
    const char **account, struct fault *fault);

/* Own transaction: what ended since that number. */
MUST_USE bool ended_read(
    struct pg *pg, struct arena *arena, int64_t since, Staff__EndedReply *reply, struct fault *fault);
/* In the open transaction: forget those whose tokens have ended. */
void ended_sweep(struct pg *pg);

#endif
