#include "staff/staff_store.h"

#include "chassis/cover.h"
#include "chassis/second_person.h"
#include "chassis/work.h"

#include <string.h>

static const struct covered_column covered_columns[] = {
    {"account", "person", "staff.account", "t.account || '/person'"},
    {"account", "need", "staff.account", "t.account || '/need'"},
    {"account", "password", "staff.account", "t.account || '/password'"},
    {"account", "factor", "staff.account", "t.account || '/factor'"},
    {"application", "person", "staff.application", "t.application || '/person'"},
    {"application", "need", "staff.application", "t.application || '/need'"},
    {"loan", "reason", "staff.loan", "t.loan::text"},
    {"loan", "decision_covered", "staff.loan", "t.loan::text || '/decision'"},
    {"loan", "ending_covered", "staff.loan", "t.loan::text || '/ending'"},
    PROPOSAL_COLUMNS,
    {"password", "password", "staff.password", "t.account || '/' || t.id"},
};

const struct key_columns staff_columns = {covered_columns, sizeof covered_columns / sizeof *covered_columns};

static const char place_read_sql[] = "SELECT manager FROM staff.account_place WHERE account = $1";

bool account_place_read(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault)
{
    PGresult *found = pg_query(pg, place_read_sql, fault, PG_VALUES(pg_text(account)));
    if (found)
        *manager = PQntuples(found) ? pg_get_text(found, 0, 0, arena) : "";
    PQclear(found);
    return found != NULL;
}

bool account_place_find(
    struct pg *pg, struct arena *arena, const char *account, const char **manager, struct fault *fault)
{
    if (!pg_ensure(pg, fault))
        return false;
    pg_begin(pg, "");
    bool found = account_place_read(pg, arena, account, manager, fault);
    pg_rollback(pg);
    return found;
}

static struct cover_place account_part(struct arena *arena, const struct account *account, const char *part)
{
    return (struct cover_place){
        "staff.account", account->manager, arena_format(arena, "%s/%s", account->account, part)};
}

#define TODAY "(now() AT TIME ZONE 'Asia/Tokyo')::date"
#define FAMILIAR                                                                                                       \
    "EXISTS (SELECT 1 FROM staff.attempt f WHERE f.manager = $1 AND f.account = $2 AND f.terminal = $3 "               \
    "AND f.succeeded_at > now() - interval '90 days')"

static const char account_read_sql[] =
    "SELECT a.password, a.role, a.programmes, a.state = 'open' AND (a.until IS NULL OR a.until >= " TODAY
    "), "
    "EXISTS (SELECT 1 FROM staff.attempt t WHERE t.manager = $1 AND t.account = $2 AND t.locked_until > now() "
    "AND (t.terminal = $3 OR t.terminal = '' AND NOT " FAMILIAR
    ")), "
    "a.must_change, (extract(epoch FROM a.password_set_at) * 1000)::bigint, "
    "(extract(epoch FROM a.previous_login_at) * 1000)::bigint, a.factor, a.factor_confirmed, a.factor_step, "
    "coalesce(p.second_factor, 'none'), coalesce(p.terms, ''), "
    "coalesce(p.terms, '') = '' OR EXISTS (SELECT 1 FROM staff.consent c "
    "WHERE c.manager = $1 AND c.account = $2 AND c.terms = p.terms), "
    "coalesce(p.training_days, 0) = 0 OR coalesce(t.held_on > " TODAY
    " - p.training_days, false), "
    "coalesce(t.held_on::text, ''), coalesce(a.until::text, ''), a.category, a.employer, "
    "coalesce(a.application::text, ''), a.body, a.person "
    "FROM staff.account a "
    "LEFT JOIN LATERAL (SELECT * FROM staff.policy WHERE manager = $1 ORDER BY version DESC LIMIT 1) p ON true "
    "LEFT JOIN LATERAL (SELECT max(held_on) AS held_on FROM staff.training WHERE manager = $1 AND account = $2 "
    "AND held_on <= " TODAY ") t ON true WHERE a.manager = $1 AND a.account = $2";

static bool account_take(struct arena *arena, const PGresult *row, struct account *account)
{
    struct bytes password = pg_get_bytes(row, 0, 0), factor = pg_get_bytes(row, 0, 8);
    password = cover_take(arena, account_part(arena, account, "password"), password.data, password.len);
    account->password = password.data ? arena_text(arena, password.data, password.len) : NULL;
    account->role = pg_get_text(row, 0, 1, arena);
    account->programmes = pg_get_text(row, 0, 2, arena);
    account->open = pg_get_bool(row, 0, 3);
    account->locked = pg_get_bool(row, 0, 4);
    account->must_change = pg_get_bool(row, 0, 5);
    account->password_set_at_ms = pg_get_integer(row, 0, 6);
    account->previous_login_at_ms = pg_get_integer(row, 0, 7);
    account->factor = (struct bytes){NULL, 0};
    if (factor.data)
        account->factor = cover_take(arena, account_part(arena, account, "factor"), factor.data, factor.len);
    account->factor_confirmed = pg_get_bool(row, 0, 9);
    account->factor_step = pg_get_integer(row, 0, 10);
    account->second_factor = pg_get_text(row, 0, 11, arena);
    account->terms = pg_get_text(row, 0, 12, arena);
    account->consented = pg_get_bool(row, 0, 13);
    account->trained = pg_get_bool(row, 0, 14);
    account->trained_on = pg_get_text(row, 0, 15, arena);
    account->until = pg_get_text(row, 0, 16, arena);
    account->category = pg_get_text(row, 0, 17, arena);
    account->employer = pg_get_text(row, 0, 18, arena);
    account->application = pg_get_text(row, 0, 19, arena);
    account->body = pg_get_text(row, 0, 20, arena);
    struct bytes person = pg_get_bytes(row, 0, 21);
    person = cover_take(arena, account_part(arena, account, "person"), person.data, person.len);
    account->person = person.data ? arena_text(arena, person.data, person.len) : NULL;
    return account->password && account->person && (!factor.data || account->factor.data) && account->body;
}

bool account_read(
    struct pg *pg, struct arena *arena, const char *terminal, struct account *account, struct fault *fault)
{
    pg_begin(pg, account->manager);
    PGresult *row = pg_query(pg, account_read_sql, fault,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_text(terminal)));
    pg_rollback(pg);
    if (!row)
        return false;
    bool found = PQntuples(row) == 1 || fault_set(fault, FAULT_not_found, "account");
    bool read = found && (account_take(arena, row, account) || fault_set(fault, FAULT_internal, NULL));
    PQclear(row);
    return read;
}

static const char place_add_sql[] = "INSERT INTO staff.account_place (account, manager) VALUES ($1, $2)";

static const char account_add_sql[] =
    "INSERT INTO staff.account (manager, account, person, need, password, role, programmes, person_token, category, "
    "employer, until, application, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, nullif($11, '')::date, nullif($12, '')::uuid, $13)";

bool account_add(struct pg *pg, struct arena *arena, const struct account *account)
{
    struct bytes person =
        cover_put(arena, account_part(arena, account, "person"), account->person, strlen(account->person));
    struct bytes need = cover_put(arena, account_part(arena, account, "need"), account->need, strlen(account->need));
    struct bytes password =
        cover_put(arena, account_part(arena, account, "password"), account->password, strlen(account->password));
    if (!person.data || !need.data || !password.data)
        return false;
    pg_queue(pg, place_add_sql, PG_VALUES(pg_text(account->account), pg_text(account->manager)));
    pg_queue(pg, account_add_sql,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_bytes(person.data, person.len),
            pg_bytes(need.data, need.len), pg_bytes(password.data, password.len), pg_text(account->role),
            pg_text(account->programmes), pg_bytes(account->person_token, INDEX_TOKEN_BYTES),
            pg_text(account->category), pg_text(account->employer), pg_text(account->until),
            pg_text(account->application), pg_text(account->body)));
    return true;
}

/* $5: '' for the row that stands for all terminals where the account is new; $3 is where it is tried. */
static const char account_failed_sql[] =
    "INSERT INTO staff.attempt AS a (manager, account, terminal, failures) "
    "SELECT $1, $2, $5::text, 1 WHERE $5::text <> '' OR NOT " FAMILIAR
    " "
    "ON CONFLICT (manager, account, terminal) DO UPDATE SET failures = a.failures + 1, "
    "locked_until = CASE WHEN a.failures + 1 >= $4::int "
    "THEN now() + least(900, power(2, least(a.failures + 2 - $4::int, 10))) * interval '1 second' END";

void account_failed(struct pg *pg, const struct account *account, const char *terminal)
{
    pg_queue(pg, account_failed_sql,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_text(terminal), pg_integer(STAFF_LOCK_AFTER),
            pg_text(terminal)));
    pg_queue(pg, account_failed_sql,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_text(terminal),
            pg_integer(STAFF_LOCK_ELSEWHERE_AFTER), pg_text("")));
}

static const char account_succeeded_sql[] =
    "UPDATE staff.account SET previous_login_at = last_login_at, last_login_at = now(), "
    "factor_step = greatest(factor_step, $3::bigint) WHERE manager = $1 AND account = $2 AND state = 'open' "
    "AND ($3::bigint = 0 OR factor_step < $3::bigint)";

static const char attempt_succeeded_sql[] =
    "INSERT INTO staff.attempt AS a (manager, account, terminal, succeeded_at) VALUES ($1, $2, $3, now()) "
    "ON CONFLICT (manager, account, terminal) DO UPDATE SET failures = 0, locked_until = NULL, succeeded_at = now()";

void account_succeeded(struct pg *pg, const struct account *account, const char *terminal, int64_t factor_step)
{
    pg_queue_exactly(pg, account_succeeded_sql, 1, FAULT_login_failed,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_integer(factor_step)));
    pg_queue(
        pg, attempt_succeeded_sql, PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_text(terminal)));
}

static const char account_hold_sql[] =
    "SELECT 1 FROM staff.account WHERE manager = $1 AND account = $2 AND state = 'open' FOR SHARE";

bool account_hold(struct pg *pg, const char *manager, const char *account, struct fault *fault)
{
    PGresult *row = pg_query(pg, account_hold_sql, fault, PG_VALUES(pg_text(manager), pg_text(account)));
    bool held = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_account_ended, "account"));
    PQclear(row);
    return held;
}

static const char login_record_sql[] =
    "INSERT INTO staff.login (manager, account, terminal, outcome, odd_hour, new_terminal) "
    "SELECT $1, $2, $3, $4, extract(isodow FROM j.at) > 5 OR extract(hour FROM j.at) < $5::int "
    "OR extract(hour FROM j.at) >= $6::int, NOT EXISTS (SELECT 1 FROM staff.login l WHERE l.manager = $1 "
    "AND l.account = $2 AND l.terminal = $3 AND l.outcome = 'done') "
    "FROM (SELECT now() AT TIME ZONE 'Asia/Tokyo' AS at) j";

void login_record(struct pg *pg, const struct login_row *row)
{
    pg_queue(pg, login_record_sql,
        PG_VALUES(pg_text(row->manager), pg_text(row->account), pg_text(row->terminal), pg_text(row->outcome),
            pg_integer(row->from), pg_integer(row->to)));
}

/* --- passwords --- */

static struct cover_place earlier_part(struct arena *arena, const struct account *account, const char *id)
{
    return (struct cover_place){"staff.password", account->manager, arena_format(arena, "%s/%s", account->account, id)};
}

static const char password_keep_sql[] =
    "INSERT INTO staff.password (manager, account, id, password) VALUES ($1, $2, $3::text::uuid, $4)";

static const char password_put_sql[] =
    "UPDATE staff.account SET password = $3, must_change = $4::boolean, password_set_at = now() "
    "WHERE manager = $1 AND account = $2 AND state = 'open'";

bool password_put(struct pg *pg, struct arena *arena, const struct account *account, const char *encoded, bool first)
{
    char id[37];
    uuid_make(id);
    struct bytes earlier =
        cover_put(arena, earlier_part(arena, account, id), account->password, strlen(account->password));
    struct bytes password = cover_put(arena, account_part(arena, account, "password"), encoded, strlen(encoded));
    if (!earlier.data || !password.data)
        return false;
    pg_queue(pg, password_keep_sql,
        PG_VALUES(
            pg_text(account->manager), pg_text(account->account), pg_text(id), pg_bytes(earlier.data, earlier.len)));
    pg_queue_exactly(pg, password_put_sql, 1, FAULT_account_ended,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_bytes(password.data, password.len),
            pg_integer(first)));
    return true;
}

static const char passwords_read_sql[] =
    "SELECT id::text, password FROM staff.password WHERE manager = $1 AND account = $2 "
    "ORDER BY replaced_at DESC LIMIT $3::int";

bool passwords_read(struct pg *pg, struct arena *arena, const struct account *account, int count, const char ***list,
    struct fault *fault)
{
    pg_begin(pg, account->manager);
    PGresult *rows = pg_query(pg, passwords_read_sql, fault,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_integer(count)));
    pg_rollback(pg);
    if (!rows)
        return false;
    int found = PQntuples(rows);
    const char **all = arena_take(arena, (size_t)(found + 1) * sizeof *all);
    bool good = all != NULL;
    for (int i = 0; i < found && good; i++) {
        char *id = pg_get_text(rows, i, 0, arena);
        struct bytes covered = pg_get_bytes(rows, i, 1);
        struct bytes plain = id ? cover_take(arena, earlier_part(arena, account, id), covered.data, covered.len)
                                : (struct bytes){NULL, 0};
        good = plain.data && (all[i] = arena_text(arena, plain.data, plain.len));
    }
    PQclear(rows);
    if (!good)
        return fault_set(fault, FAULT_internal, NULL);
    all[found] = NULL;
    *list = all;
    return true;
}

/* --- second factor --- */

static const char factor_put_sql[] =
    "UPDATE staff.account SET factor = $3, factor_confirmed = false, factor_step = 0 "
    "WHERE manager = $1 AND account = $2 AND state = 'open' AND NOT factor_confirmed";

bool factor_put(struct pg *pg, struct arena *arena, const struct account *account, const uint8_t *key, size_t len)
{
    struct bytes covered = cover_put(arena, account_part(arena, account, "factor"), key, len);
    if (!covered.data)
        return false;
    pg_queue_exactly(pg, factor_put_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_bytes(covered.data, covered.len)));
    return true;
}

static const char factor_confirm_sql[] =
    "UPDATE staff.account SET factor_confirmed = true, factor_step = $3::bigint "
    "WHERE manager = $1 AND account = $2 AND factor IS NOT NULL AND NOT factor_confirmed";

void factor_confirm(struct pg *pg, const struct account *account, int64_t step)
{
    pg_queue_exactly(pg, factor_confirm_sql, 1, FAULT_state_conflict,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_integer(step)));
}

static const char factor_drop_sql[] =
    "UPDATE staff.account SET factor = NULL, factor_confirmed = false, factor_step = 0 "
    "WHERE manager = $1 AND account = $2";

void factor_drop(struct pg *pg, const struct account *account)
{
    pg_queue_exactly(
        pg, factor_drop_sql, 1, FAULT_not_found, PG_VALUES(pg_text(account->manager), pg_text(account->account)));
}
