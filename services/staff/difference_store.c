#include "staff/account_store.h"

/* The newest approved application that names role and programmes, and the newest of any kind, which names the last day.
 * Rule "role:NAME" is of every open account: whether the rights table knows the role is not for SQL to say. */
static const char differences_read_sql[] =
    "WITH approved AS (SELECT * FROM staff.application WHERE manager = $1 AND state = 'approved'), "
    "named AS (SELECT DISTINCT ON (account) * FROM approved WHERE kind IN ('issue', 'change') "
    "ORDER BY account, decided_at DESC), "
    "newest AS (SELECT DISTINCT ON (account) * FROM approved ORDER BY account, decided_at DESC), "
    "register AS (SELECT * FROM staff.account WHERE manager = $1), "
    "found AS (SELECT account, 'no_application' AS rule FROM register r WHERE state = 'open' AND NOT EXISTS "
    "(SELECT 1 FROM staff.application a WHERE a.manager = $1 AND a.application = r.application) "
    "UNION ALL SELECT r.account, 'application_not_approved' FROM register r JOIN staff.application a "
    "ON a.manager = $1 AND a.application = r.application WHERE a.state <> 'approved' OR a.account <> r.account "
    "UNION ALL SELECT r.account, 'application_not_newest' FROM register r JOIN newest n USING (account) "
    "WHERE r.state = 'open' AND r.application IS DISTINCT FROM n.application "
    "UNION ALL SELECT r.account, 'role_differs' FROM register r JOIN named n USING (account) "
    "WHERE r.state = 'open' AND r.role <> n.role "
    "UNION ALL SELECT r.account, 'programmes_differ' FROM register r JOIN named n USING (account) "
    "WHERE r.state = 'open' AND r.programmes <> n.programmes "
    "UNION ALL SELECT r.account, 'body_differs' FROM register r JOIN named n USING (account) "
    "WHERE r.state = 'open' AND r.body <> n.body "
    "UNION ALL SELECT r.account, 'until_differs' FROM register r JOIN newest n USING (account) "
    "WHERE r.state = 'open' AND r.until IS DISTINCT FROM n.until "
    "UNION ALL SELECT n.account, 'no_account' FROM approved n WHERE n.kind = 'issue' "
    "AND NOT EXISTS (SELECT 1 FROM register r WHERE r.account = n.account) "
    "UNION ALL SELECT account, 'past_its_last_day' FROM register WHERE state = 'open' "
    "AND until < (now() AT TIME ZONE 'Asia/Tokyo')::date "
    "UNION ALL SELECT account, 'applied_and_decided_by_one' FROM approved WHERE applied_by = decided_by "
    "UNION ALL SELECT n.account, 'begun_by_operator' FROM approved n WHERE n.decided_by = 'bootstrap' "
    "AND (SELECT count(*) FROM approved b WHERE b.decided_by = 'bootstrap') > 2 "
    "UNION ALL SELECT DISTINCT r.account, 'session_of_ended_account' FROM register r JOIN staff.session s "
    "ON s.manager = $1 AND s.account = r.account WHERE r.state = 'closed' AND s.ended_at IS NULL AND s.expires_at > "
    "now() "
    "UNION ALL SELECT account, 'loan_past_its_end' FROM staff.loan WHERE manager = $1 AND state = 'lent' "
    "AND until < now() - interval '5 minutes' "
    "UNION ALL SELECT l.account, 'loan_of_ended_account' FROM staff.loan l JOIN register r USING (account) "
    "WHERE l.manager = $1 AND l.state = 'lent' AND r.state = 'closed' "
    "UNION ALL SELECT account, 'lent_by_borrower' FROM staff.loan WHERE manager = $1 AND decided_by = account "
    "UNION ALL SELECT account, 'role:' || role FROM register WHERE state = 'open') "
    "SELECT f.account, f.rule, (SELECT count(*) FROM register)::int, "
    "(SELECT count(*) FROM staff.application WHERE manager = $1)::int "
    "FROM found f ORDER BY f.account, f.rule";

bool differences_read(
    struct pg *pg, struct arena *arena, const char *manager, Staff__CompareReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, differences_read_sql, fault, PG_VALUES(pg_text(manager)));
    int count = rows ? PQntuples(rows) : 0;
    Staff__Difference *all = arena_take(arena, (size_t)(count + 1) * sizeof *all);
    reply->differences = arena_take(arena, (size_t)(count + 1) * sizeof *reply->differences);
    bool good = rows && ((all && reply->differences) || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++) {
        staff__difference__init(&all[i]);
        all[i].account = pg_get_text(rows, i, 0, arena);
        all[i].rule = pg_get_text(rows, i, 1, arena);
        reply->accounts = (int32_t)pg_get_integer(rows, i, 2);
        reply->applications = (int32_t)pg_get_integer(rows, i, 3);
        reply->differences[reply->n_differences++] = &all[i];
        good = all[i].rule || fault_set(fault, FAULT_internal, NULL);
    }
    PQclear(rows);
    return good;
}
