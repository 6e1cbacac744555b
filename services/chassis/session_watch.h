/* The heartbeat of revocations (AUTH-4, AUTH-6). staff ends a session by a row of its own; every process asks staff
 * once a second for what ended since it last asked (ROUTE_staff_ended), so that each replica hears by itself. A token
 * is taken only while an answer to a question of the last SESSION_SILENCE_MS is there. Whatever ended at T is in every
 * answer to a question asked after T, so that from T + SESSION_SILENCE_MS on no service takes a token of that session,
 * whether it hears staff or not. The question says which rights table is in force here. */
#ifndef CHASSIS_SESSION_WATCH_H
#define CHASSIS_SESSION_WATCH_H

#include "chassis/fault.h"
#include "staff.pb-c.h"

#include <stdint.h>

#define SESSION_SILENCE_MS 5000
#define SESSION_ID_MAX 39

/* May a token of this session still be taken? Loans (chassis/actor.h) end by the same list. Faults: revocation_unknown
 * (RETRY), not_authenticated. */
MUST_USE bool session_check(const char *session, struct fault *fault);

/* This process ended it: known here at once. */
void session_ended(const char *session, int64_t tokens_until_ms);

/* The watch's own thread, of a service that may send ROUTE_staff_ended. False when memory is out. */
MUST_USE bool session_watch_start(const char *self);
void session_watch_stop(void); /* does not wait for staff */

/* For staff itself, which reads its own table, and for tests: what to ask for, and an answer with the time
 * (clock_up_ms) before its question. */
int64_t session_watch_since(void);
void session_watch_take(const Staff__EndedReply *reply, int64_t asked_at_ms);
int64_t clock_up_ms(void); /* since the machine's start, sleep included; nobody sets this clock */

#endif
