#include "staff/staff_store.h"

#include "chassis/cover.h"

#include <string.h>

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

static const char account_read_sql[] =
    "SELECT password, role, programmes, state = 'open', coalesce(locked_until > now(), false), body "
    "FROM staff.account WHERE manager = $1 AND account = $2";

bool account_read(struct pg *pg, struct arena *arena, struct account *account, struct fault *fault)
{
    struct bytes password = {NULL, 0};
    pg_begin(pg, account->manager);
    PGresult *row =
        pg_query(pg, account_read_sql, fault, PG_VALUES(pg_text(account->manager), pg_text(account->account)));
    pg_rollback(pg);
    if (!row)
        return false;
    if (PQntuples(row) == 0) {
        PQclear(row);
        return fault_set(fault, FAULT_not_found, "account");
    }
    struct bytes covered = pg_get_bytes(row, 0, 0);
    password = cover_take(arena, account_part(arena, account, "password"), covered.data, covered.len);
    account->password = password.data ? arena_text(arena, password.data, password.len) : NULL;
    account->role = pg_get_text(row, 0, 1, arena);
    account->programmes = pg_get_text(row, 0, 2, arena);
    account->open = pg_get_bool(row, 0, 3);
    account->locked = pg_get_bool(row, 0, 4);
    account->body = pg_get_text(row, 0, 5, arena);
    PQclear(row);
    return account->password || fault_set(fault, FAULT_internal, NULL);
}

static const char place_add_sql[] = "INSERT INTO staff.account_place (account, manager) VALUES ($1, $2)";

static const char account_add_sql[] =
    "INSERT INTO staff.account (manager, account, person, need, password, role, programmes, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

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
            pg_text(account->programmes), pg_text(account->body)));
    return true;
}

static const char account_failed_sql[] =
    "UPDATE staff.account SET failures = failures + 1, locked_until = CASE WHEN failures + 1 >= $3::int "
    "THEN now() + least(900, power(2, least(failures + 2 - $3::int, 10))) * interval '1 second' END "
    "WHERE manager = $1 AND account = $2";

void account_failed(struct pg *pg, const char *manager, const char *account)
{
    pg_queue_exactly(pg, account_failed_sql, 1, FAULT_internal,
        PG_VALUES(pg_text(manager), pg_text(account), pg_integer(STAFF_LOCK_AFTER)));
}

static const char account_succeeded_sql[] =
    "UPDATE staff.account SET failures = 0, locked_until = NULL, last_login_at = now() "
    "WHERE manager = $1 AND account = $2 AND state = 'open'";

void account_succeeded(struct pg *pg, const char *manager, const char *account)
{
    pg_queue_exactly(pg, account_succeeded_sql, 1, FAULT_login_failed, PG_VALUES(pg_text(manager), pg_text(account)));
}

static const char login_record_sql[] =
    "INSERT INTO staff.login (manager, account, terminal, outcome) VALUES ($1, $2, $3, $4)";

void login_record(struct pg *pg, const char *manager, const char *account, const char *terminal, const char *outcome)
{
    pg_queue(pg, login_record_sql, PG_VALUES(pg_text(manager), pg_text(account), pg_text(terminal), pg_text(outcome)));
}
