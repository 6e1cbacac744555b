#include "staff/loan_store.h"

#include "chassis/actor.h"
#include "chassis/cover.h"

#include <string.h>

#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

static struct cover_place reason_place(const char *manager, const char *loan)
{
    return (struct cover_place){"staff.loan", manager, loan};
}

/* What a person wrote of a loan: "decision", "ending". data NULL: nothing was written, or (the statement then fails) it
 * could not be covered. */
static struct bytes words_cover(
    struct pg *pg, struct arena *arena, const char *manager, const char *loan, const char *of, const char *words)
{
    const char *row = arena_format(arena, "%s/%s", loan, of);
    struct bytes covered = {NULL, 0};
    if (!*words)
        return covered;
    if (row)
        covered = cover_put(arena, reason_place(manager, row), words, strlen(words));
    if (!covered.data)
        pg_fail(pg, FAULT_internal);
    return covered;
}

/* The covered words of this column; where there are none, the next one's text. NULL: they cannot be read. */
static char *words_take(
    struct arena *arena, const PGresult *rows, int i, int column, const char *manager, const char *loan, const char *of)
{
    if (pg_is_null(rows, i, column))
        return pg_get_text(rows, i, column + 1, arena);
    struct bytes covered = pg_get_bytes(rows, i, column);
    const char *row = arena_format(arena, "%s/%s", loan, of);
    struct bytes plain = cover_take(arena, reason_place(manager, row ? row : ""), covered.data, covered.len);
    return plain.data ? arena_text(arena, plain.data, plain.len) : NULL;
}

static const char loan_add_sql[] =
    "INSERT INTO staff.loan (manager, loan, account, right_name, purpose, programme, minutes, reason) "
    "VALUES ($1, $2::text::uuid, $3, $4, $5, $6, $7::int, $8)";

bool loan_add(
    struct pg *pg, struct arena *arena, const Staff__LoanAskRequest *request, const char *loan, const char *account)
{
    struct bytes reason =
        cover_put(arena, reason_place(request->manager, loan), request->reason, strlen(request->reason));
    if (!reason.data)
        return false;
    pg_queue(pg, loan_add_sql,
        PG_VALUES(pg_text(request->manager), pg_text(loan), pg_text(account), pg_text(request->right),
            pg_text(request->purpose), pg_text(request->programme), pg_integer(request->minutes),
            pg_bytes(reason.data, reason.len)));
    return true;
}

static const char loan_read_sql[] =
    "SELECT l.account, l.right_name, l.purpose, l.programme, l.state, CASE a.state WHEN 'open' THEN a.role ELSE '' END, "
    "l.minutes::bigint, " MS("l.until") ", (SELECT count(*) FROM staff.loan o WHERE o.manager = $1 "
    "AND o.account = l.account AND o.state = 'lent' AND o.until > now() AND o.loan <> l.loan) "
    "FROM staff.loan l JOIN staff.account a ON a.manager = $1 AND a.account = l.account "
    "WHERE l.manager = $1 AND l.loan = $2::text::uuid FOR UPDATE OF l, a";

bool loan_read(struct pg *pg, struct arena *arena, const char *manager, const char *loan, struct loan_row *found,
    struct fault *fault)
{
    PGresult *row = pg_query(pg, loan_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(loan)));
    bool known = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_found, "loan"));
    if (known)
        *found = (struct loan_row){.account = pg_get_text(row, 0, 0, arena),
            .right = pg_get_text(row, 0, 1, arena),
            .purpose = pg_get_text(row, 0, 2, arena),
            .programme = pg_get_text(row, 0, 3, arena),
            .state = pg_get_text(row, 0, 4, arena),
            .role = pg_get_text(row, 0, 5, arena),
            .minutes = pg_get_integer(row, 0, 6),
            .until_ms = pg_get_integer(row, 0, 7),
            .in_force = pg_get_integer(row, 0, 8)};
    PQclear(row);
    return known && (found->role || fault_set(fault, FAULT_internal, NULL));
}

static const char loan_decide_sql[] =
    "UPDATE staff.loan SET state = CASE $3::bigint WHEN 0 THEN 'refused' ELSE 'lent' END, decided_by = $4, "
    "decided_at = now(), decision_covered = $5, until = to_timestamp(nullif($3::bigint, 0) / 1000.0) "
    "WHERE manager = $1 AND loan = $2::text::uuid AND state = 'asked'";

void loan_decide(
    struct pg *pg, struct arena *arena, const Staff__LoanDecideRequest *decision, int64_t until_ms, const char *by)
{
    struct bytes words = words_cover(pg, arena, decision->manager, decision->loan, "decision", decision->reason);
    pg_queue_exactly(pg, loan_decide_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(decision->manager), pg_text(decision->loan), pg_integer(until_ms), pg_text(by),
            pg_bytes(words.data, words.len)));
}

static const char loans_end_sql[] =
    "WITH gone AS (UPDATE staff.loan SET state = 'withdrawn', ended_at = now(), ended_by = $2, end_reason = $3, "
    "ending_covered = $6 "
    "WHERE manager = $1 AND state = 'lent' AND until > now() "
    "AND ($4::text IS NULL OR loan = $4::text::uuid) AND ($5::text IS NULL OR account = $5::text) "
    "RETURNING loan, until), "
    "head AS (UPDATE staff.ended_head SET number = number + 1 WHERE EXISTS (SELECT 1 FROM gone) RETURNING number) "
    "INSERT INTO staff.ended_session (number, session, tokens_until) "
    "SELECT head.number, gone.loan, gone.until FROM gone, head";

void loans_end(struct pg *pg, struct arena *arena, const struct loan_choice *choice, const char *by, const char *reason)
{
    struct bytes words = {NULL, 0};
    if (choice->loan) {
        words = words_cover(pg, arena, choice->manager, choice->loan, "ending", reason);
        reason = "";
    }
    pg_queue(pg, loans_end_sql,
        PG_VALUES(pg_text(choice->manager), pg_text(by), pg_text(reason), pg_text(choice->loan),
            pg_text(choice->account), pg_bytes(words.data, words.len)));
}

static const char loans_run_out_sql[] =
    "UPDATE staff.loan SET state = 'ended', ended_at = until, ended_by = 'staff', end_reason = 'ran_out' "
    "WHERE manager = $1 AND state = 'lent' AND until <= now() RETURNING loan::text";

bool loans_run_out(
    struct pg *pg, struct arena *arena, const char *manager, char ***loans, size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, loans_run_out_sql, fault, PG_VALUES(pg_text(manager)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *loans = arena_take(arena, (*count + 1) * sizeof **loans);
    bool good = rows && (*loans || fault_set(fault, FAULT_internal, NULL));
    for (size_t i = 0; i < *count && good; i++)
        good = ((*loans)[i] = pg_get_text(rows, (int)i, 0, arena)) || fault_set(fault, FAULT_internal, NULL);
    PQclear(rows);
    return good;
}

static const char loans_in_force_read_sql[] =
    "SELECT loan::text, right_name, purpose, programme, " MS("until") " FROM staff.loan "
    "WHERE manager = $1 AND account = $2 AND state = 'lent' AND until > now() ORDER BY until DESC LIMIT $3::int";

bool loans_in_force_read(struct pg *pg, struct arena *arena, const char *manager, const char *account,
    Staff__ActorLoan **loans, size_t *count, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, manager);
    PGresult *rows = pg_query(
        pg, loans_in_force_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(account), pg_integer(ACTOR_LOANS_MAX)));
    pg_rollback(pg);
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *loans = arena_take(arena, (*count + 1) * sizeof **loans);
    bool good = rows && (*loans || fault_set(fault, FAULT_internal, NULL));
    for (size_t i = 0; i < *count && good; i++) {
        Staff__ActorLoan *loan = &(*loans)[i];
        staff__actor_loan__init(loan);
        loan->loan = pg_get_text(rows, (int)i, 0, arena);
        loan->right = pg_get_text(rows, (int)i, 1, arena);
        loan->purpose = pg_get_text(rows, (int)i, 2, arena);
        loan->programme = pg_get_text(rows, (int)i, 3, arena);
        loan->until_ms = pg_get_integer(rows, (int)i, 4);
        good = loan->programme || fault_set(fault, FAULT_internal, NULL);
    }
    PQclear(rows);
    return good;
}

static const char loans_read_sql[] =
    "SELECT loan::text, account, right_name, purpose, programme, minutes::bigint, reason, state, " MS("asked_at") ", "
    "coalesce(decided_by, ''), " MS("decided_at") ", decision_covered, decision, " MS("until") ", coalesce(ended_by, ''), "
    MS("ended_at") ", ending_covered, end_reason FROM staff.loan "
    "WHERE manager = $1 AND ($2 = '' OR account = $2) AND ($3 = '' OR state = $3) ORDER BY asked_at DESC LIMIT 500";

static Staff__Loan *loan_take(struct arena *arena, const PGresult *rows, int i, const char *manager)
{
    Staff__Loan *loan = arena_take(arena, sizeof *loan);
    if (!loan)
        return NULL;
    staff__loan__init(loan);
    loan->loan = pg_get_text(rows, i, 0, arena);
    loan->account = pg_get_text(rows, i, 1, arena);
    loan->right = pg_get_text(rows, i, 2, arena);
    loan->purpose = pg_get_text(rows, i, 3, arena);
    loan->programme = pg_get_text(rows, i, 4, arena);
    loan->minutes = (int32_t)pg_get_integer(rows, i, 5);
    struct bytes reason = pg_get_bytes(rows, i, 6);
    if (loan->loan)
        reason = cover_take(arena, reason_place(manager, loan->loan), reason.data, reason.len);
    loan->reason = reason.data ? arena_text(arena, reason.data, reason.len) : NULL;
    loan->state = pg_get_text(rows, i, 7, arena);
    loan->asked_at_ms = pg_get_integer(rows, i, 8);
    loan->decided_by = pg_get_text(rows, i, 9, arena);
    loan->decided_at_ms = pg_get_integer(rows, i, 10);
    loan->decision = words_take(arena, rows, i, 11, manager, loan->loan, "decision");
    loan->until_ms = pg_get_integer(rows, i, 13);
    loan->ended_by = pg_get_text(rows, i, 14, arena);
    loan->ended_at_ms = pg_get_integer(rows, i, 15);
    loan->end_reason = words_take(arena, rows, i, 16, manager, loan->loan, "ending");
    return loan->reason && loan->decision && loan->ended_by && loan->end_reason ? loan : NULL;
}

bool loans_read(struct pg *pg, struct arena *arena, const Staff__LoansRequest *request, Staff__LoansReply *reply,
    struct fault *fault)
{
    PGresult *rows = pg_query(pg, loans_read_sql, fault,
        PG_VALUES(pg_text(request->manager), pg_text(request->account), pg_text(request->state)));
    int count = rows ? PQntuples(rows) : 0;
    reply->loans = arena_take(arena, (size_t)(count + 1) * sizeof *reply->loans);
    bool good = rows && (reply->loans || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++)
        good = (reply->loans[reply->n_loans++] = loan_take(arena, rows, i, request->manager)) ||
               fault_set(fault, FAULT_internal, NULL);
    PQclear(rows);
    return good;
}
