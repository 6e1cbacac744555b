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

/* Which sessions of a manager are meant: those that have all of what is given. */
struct session_choice {
    const char *manager;
    const char *session, *account, *terminal; /* NULL: any */
    const char *except;                       /* a session that stays; NULL: none */
};

/* In the open transaction: end those that are open, and put them on the list. `reason` is one of the CHECK in
 * migrations/staff/deploy/ended.sql; `by` is the account that does it. None is nothing. */
void sessions_end(struct pg *pg, const struct session_choice *choice, const char *by, const char *reason);
/* In the open transaction: is there such a session, open or not? Faults: not_found. */
MUST_USE bool session_find(struct pg *pg, const char *manager, const char *session, struct fault *fault);

/* Own transaction: what ended since that number. */
MUST_USE bool ended_read(
    struct pg *pg, struct arena *arena, int64_t since, Staff__EndedReply *reply, struct fault *fault);
/* In the open transaction: forget those whose tokens have ended. */
void ended_sweep(struct pg *pg);

#endif
