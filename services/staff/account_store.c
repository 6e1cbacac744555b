#include "staff/account_store.h"

#include "chassis/cover.h"
#include "staff/programme_list.h"

#include <string.h>

#define TODAY "(now() AT TIME ZONE 'Asia/Tokyo')::date"
#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

/* --- applications --- */

static struct cover_place part_of(
    struct arena *arena, const char *table, const char *manager, const char *row, const char *part)
{
    return (struct cover_place){table, manager, arena_format(arena, "%s/%s", row, part)};
}

static struct bytes text_cover(
    struct arena *arena, const char *table, const char *manager, const char *row, const char *part, const char *text)
{
    return cover_put(arena, part_of(arena, table, manager, row, part), text, strlen(text));
}

static char *text_uncover(struct arena *arena, const char *table, const char *manager, const char *row,
    const char *part, struct bytes covered)
{
    struct bytes plain = cover_take(arena, part_of(arena, table, manager, row, part), covered.data, covered.len);
    return plain.data ? arena_text(arena, plain.data, plain.len) : NULL;
}

static const char application_add_sql[] =
    "INSERT INTO staff.application (manager, application, kind, account, person, need, category, employer, role, "
    "programmes, body, until, applied_by) VALUES ($1, $2::text::uuid, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
    "nullif($12, '')::date, $13)";

bool application_add(
    struct pg *pg, struct arena *arena, const char *manager, const Staff__AccountApplication *application)
{
    const char *id = application->application;
    struct bytes person = text_cover(arena, "staff.application", manager, id, "person", application->person);
    struct bytes need = text_cover(arena, "staff.application", manager, id, "need", application->need);
    char *programmes = programme_list_join(arena, application->programmes, application->n_programmes);
    if (!person.data || !need.data || !programmes)
        return false;
    pg_queue(pg, application_add_sql,
        PG_VALUES(pg_text(manager), pg_text(id), pg_text(application->kind), pg_text(application->account),
            pg_bytes(person.data, person.len), pg_bytes(need.data, need.len), pg_text(application->category),
            pg_text(application->employer), pg_text(application->role), pg_text(programmes), pg_text(application->body),
            pg_text(application->until), pg_text(application->applied_by)));
    return true;
}

#define APPLICATION_COLUMNS                                                                                            \
    "application::text, kind, account, person, need, category, employer, role, programmes, coalesce(until::text, "     \
    "''), "                                                                                                            \
    "state, applied_by, " MS("applied_at") ", coalesce(decided_by, ''), " MS("decided_at") ", reason, body "

static bool application_take(
    struct arena *arena, const PGresult *rows, int i, const char *manager, Staff__AccountApplication *application)
{
    staff__account_application__init(application);
    const char *id = application->application = pg_get_text(rows, i, 0, arena);
    const char *joined = pg_get_text(rows, i, 8, arena);
    if (!id || !joined)
        return false;
    application->kind = pg_get_text(rows, i, 1, arena);
    application->account = pg_get_text(rows, i, 2, arena);
    application->person = text_uncover(arena, "staff.application", manager, id, "person", pg_get_bytes(rows, i, 3));
    application->need = text_uncover(arena, "staff.application", manager, id, "need", pg_get_bytes(rows, i, 4));
    application->category = pg_get_text(rows, i, 5, arena);
    application->employer = pg_get_text(rows, i, 6, arena);
    application->role = pg_get_text(rows, i, 7, arena);
    application->until = pg_get_text(rows, i, 9, arena);
    application->state = pg_get_text(rows, i, 10, arena);
    application->applied_by = pg_get_text(rows, i, 11, arena);
    application->applied_at_ms = pg_get_integer(rows, i, 12);
    application->decided_by = pg_get_text(rows, i, 13, arena);
    application->decided_at_ms = pg_get_integer(rows, i, 14);
    application->reason = pg_get_text(rows, i, 15, arena);
    application->body = pg_get_text(rows, i, 16, arena);
    return application->person && application->need && application->body &&
           programme_list_split(arena, joined, &application->programmes, &application->n_programmes);
}

static const char application_read_sql[] =
    "SELECT " APPLICATION_COLUMNS
    "FROM staff.application WHERE manager = $1 AND application = $2::text::uuid FOR UPDATE";

bool application_read(struct pg *pg, struct arena *arena, const char *manager, const char *application,
    Staff__AccountApplication *found, struct fault *fault)
{
    PGresult *row = pg_query(pg, application_read_sql, fault, PG_VALUES(pg_text(manager), pg_text(application)));
    bool read = row && (PQntuples(row) == 1 || fault_set(fault, FAULT_not_found, "application")) &&
                (application_take(arena, row, 0, manager, found) || fault_set(fault, FAULT_internal, NULL));
    PQclear(row);
    return read;
}

static const char application_decide_sql[] =
    "UPDATE staff.application SET state = $3, decided_by = $4, decided_at = now(), reason = $5 "
    "WHERE manager = $1 AND application = $2::text::uuid AND state = 'applied' AND applied_by <> $4";

void application_decide(
    struct pg *pg, const char *manager, const char *application, const char *state, const char *by, const char *reason)
{
    pg_queue_exactly(pg, application_decide_sql, 1, FAULT_application_decided,
        PG_VALUES(pg_text(manager), pg_text(application), pg_text(state), pg_text(by), pg_text(reason)));
}

static const char applications_read_sql[] = "SELECT " APPLICATION_COLUMNS
                                            "FROM staff.application WHERE manager = $1 AND ($2 = '' OR state = $2) "
                                            "AND ($3 = '' OR account = $3) ORDER BY applied_at DESC LIMIT 500";

bool applications_read(struct pg *pg, struct arena *arena, const char *manager,
    const Staff__ApplicationsRequest *request, Staff__ApplicationsReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, applications_read_sql, fault,
        PG_VALUES(pg_text(manager), pg_text(request->state), pg_text(request->account)));
    int count = rows ? PQntuples(rows) : 0;
    Staff__AccountApplication *all = arena_take(arena, (size_t)(count + 1) * sizeof *all);
    reply->applications = arena_take(arena, (size_t)(count + 1) * sizeof *reply->applications);
    bool good = rows && ((all && reply->applications) || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++) {
        reply->applications[reply->n_applications++] = &all[i];
        good = application_take(arena, rows, i, manager, &all[i]) || fault_set(fault, FAULT_internal, NULL);
    }
    PQclear(rows);
    return good;
}

/* --- one person, one account an affair --- */

static const char asker_wait_sql[] = "SELECT 1 FROM pg_catalog.pg_advisory_xact_lock(hashtextextended($1, 0))";

static const char account_of_person_sql[] =
    "SELECT 1 FROM staff.account WHERE manager = $1 AND person_token = $2 AND state = 'open' AND account <> $3 "
    "AND (category IN ('administrator', 'operator')) = ($4::text IN ('administrator', 'operator')) "
    "AND ($4::text IN ('administrator', 'operator') OR programmes = '' OR $5::text = '' "
    "OR string_to_array(programmes, ',') && array_remove(string_to_array($5::text, ','), '')) LIMIT 1";

bool account_of_person(struct pg *pg, const struct account *account, bool *exists, struct fault *fault)
{
    char name[2 * INDEX_TOKEN_BYTES + 1];
    for (int i = 0; i < INDEX_TOKEN_BYTES; i++) {
        name[2 * i] = (char)('a' + (account->person_token[i] >> 4));
        name[2 * i + 1] = (char)('a' + (account->person_token[i] & 15));
    }
    name[2 * INDEX_TOKEN_BYTES] = '\0';
    pg_queue(pg, asker_wait_sql, PG_VALUES(pg_text(name)));
    PGresult *row = pg_query(pg, account_of_person_sql, fault,
        PG_VALUES(pg_text(account->manager), pg_bytes(account->person_token, INDEX_TOKEN_BYTES),
            pg_text(account->account), pg_text(account->category), pg_text(account->programmes)));
    *exists = row && PQntuples(row) > 0;
    PQclear(row);
    return row != NULL;
}

static const char administrators_count_sql[] =
    "SELECT count(*) FROM staff.account WHERE manager = $1 AND state = 'open' "
    "AND category IN ('administrator', 'operator')";

bool administrators_count(struct pg *pg, const char *manager, int64_t *count, struct fault *fault)
{
    pg_queue(pg, asker_wait_sql, PG_VALUES(pg_text(manager)));
    PGresult *row = pg_query(pg, administrators_count_sql, fault, PG_VALUES(pg_text(manager)));
    *count = row ? pg_get_integer(row, 0, 0) : 0;
    PQclear(row);
    return row != NULL;
}

/* --- change, extension, end --- */

static const char account_change_sql[] =
    "UPDATE staff.account SET need = $3, role = $4, programmes = $5, until = nullif($6, '')::date, "
    "application = $7::text::uuid, body = $8 WHERE manager = $1 AND account = $2 AND state = 'open'";

bool account_change(struct pg *pg, struct arena *arena, const struct account *account)
{
    struct bytes need = text_cover(arena, "staff.account", account->manager, account->account, "need", account->need);
    if (!need.data)
        return false;
    pg_queue_exactly(pg, account_change_sql, 1, FAULT_account_ended,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_bytes(need.data, need.len),
            pg_text(account->role), pg_text(account->programmes), pg_text(account->until),
            pg_text(account->application), pg_text(account->body)));
    return true;
}

static const char account_extend_sql[] =
    "UPDATE staff.account SET until = nullif($3, '')::date, application = $4::text::uuid "
    "WHERE manager = $1 AND account = $2 AND state = 'open'";

void account_extend(struct pg *pg, const struct account *account)
{
    pg_queue_exactly(pg, account_extend_sql, 1, FAULT_account_ended,
        PG_VALUES(pg_text(account->manager), pg_text(account->account), pg_text(account->until),
            pg_text(account->application)));
}

static const char account_end_sql[] =
    "UPDATE staff.account SET state = 'closed', closed_at = now(), closed_by = $3, close_reason = $4 "
    "WHERE manager = $1 AND account = $2 AND state = 'open'";

void account_end(struct pg *pg, const char *manager, const char *account, const char *by, const char *reason)
{
    pg_queue_exactly(pg, account_end_sql, 1, FAULT_account_ended,
        PG_VALUES(pg_text(manager), pg_text(account), pg_text(by), pg_text(reason)));
}

static const char accounts_run_out_sql[] =
    "UPDATE staff.account SET state = 'closed', closed_at = now(), closed_by = 'staff', close_reason = 'ran_out' "
    "WHERE manager = $1 AND state = 'open' AND until < " TODAY " RETURNING account";

bool accounts_run_out(
    struct pg *pg, struct arena *arena, const char *manager, char ***accounts, size_t *count, struct fault *fault)
{
    PGresult *rows = pg_query(pg, accounts_run_out_sql, fault, PG_VALUES(pg_text(manager)));
    *count = rows ? (size_t)PQntuples(rows) : 0;
    *accounts = arena_take(arena, (*count + 1) * sizeof **accounts);
    bool good = rows && (*accounts || fault_set(fault, FAULT_internal, NULL));
    for (size_t i = 0; i < *count && good; i++)
        good = ((*accounts)[i] = pg_get_text(rows, (int)i, 0, arena)) || fault_set(fault, FAULT_internal, NULL);
    PQclear(rows);
    return good;
}

/* --- the register --- */

static const char accounts_read_sql[] =
    "SELECT a.account, a.person, a.need, a.category, a.employer, a.role, a.programmes, coalesce(a.until::text, ''), "
    "a.state, coalesce(a.close_reason, ''), coalesce(a.closed_by, ''), " MS("a.closed_at") ", " MS("a.created_at") ", "
    MS("a.last_login_at") ", coalesce(a.application::text, ''), coalesce(t.held_on::text, ''), "
    "coalesce(c.terms, ''), a.factor_confirmed FROM staff.account a "
    "LEFT JOIN LATERAL (SELECT * FROM staff.policy WHERE manager = $1 ORDER BY version DESC LIMIT 1) p ON true "
    "LEFT JOIN LATERAL (SELECT max(held_on) AS held_on FROM staff.training WHERE manager = $1 AND account = a.account "
    "AND held_on <= " TODAY ") t ON true "
    "LEFT JOIN LATERAL (SELECT terms FROM staff.consent WHERE manager = $1 AND account = a.account "
    "ORDER BY accepted_at DESC LIMIT 1) c ON true "
    "WHERE a.manager = $1 AND ($2 = '' OR a.account = $2) AND (NOT $3::boolean OR a.state = 'open' AND ("
    "coalesce(p.training_days, 0) > 0 AND NOT coalesce(t.held_on > " TODAY " - p.training_days, false) "
    "OR coalesce(p.terms, '') <> '' AND p.terms IS DISTINCT FROM c.terms)) ORDER BY a.account LIMIT 1000";

static bool account_row_take(
    struct arena *arena, const PGresult *rows, int i, const char *manager, Staff__Account *account)
{
    staff__account__init(account);
    const char *id = account->account = pg_get_text(rows, i, 0, arena);
    const char *joined = pg_get_text(rows, i, 6, arena);
    if (!id || !joined)
        return false;
    account->person = text_uncover(arena, "staff.account", manager, id, "person", pg_get_bytes(rows, i, 1));
    account->need = text_uncover(arena, "staff.account", manager, id, "need", pg_get_bytes(rows, i, 2));
    account->category = pg_get_text(rows, i, 3, arena);
    account->employer = pg_get_text(rows, i, 4, arena);
    account->role = pg_get_text(rows, i, 5, arena);
    account->until = pg_get_text(rows, i, 7, arena);
    account->state = pg_get_text(rows, i, 8, arena);
    account->close_reason = pg_get_text(rows, i, 9, arena);
    account->closed_by = pg_get_text(rows, i, 10, arena);
    account->closed_at_ms = pg_get_integer(rows, i, 11);
    account->created_at_ms = pg_get_integer(rows, i, 12);
    account->last_login_at_ms = pg_get_integer(rows, i, 13);
    account->application = pg_get_text(rows, i, 14, arena);
    account->trained_on = pg_get_text(rows, i, 15, arena);
    account->terms = pg_get_text(rows, i, 16, arena);
    account->second_factor = pg_get_bool(rows, i, 17);
    return account->person && account->need && account->terms &&
           programme_list_split(arena, joined, &account->programmes, &account->n_programmes);
}

bool accounts_read(struct pg *pg, struct arena *arena, const char *manager, const Staff__AccountsRequest *request,
    Staff__AccountsReply *reply, struct fault *fault)
{
    PGresult *rows = pg_query(pg, accounts_read_sql, fault,
        PG_VALUES(pg_text(manager), pg_text(request->account), pg_integer(request->untrained)));
    int count = rows ? PQntuples(rows) : 0;
    Staff__Account *all = arena_take(arena, (size_t)(count + 1) * sizeof *all);
    reply->accounts = arena_take(arena, (size_t)(count + 1) * sizeof *reply->accounts);
    bool good = rows && ((all && reply->accounts) || fault_set(fault, FAULT_internal, NULL));
    for (int i = 0; i < count && good; i++) {
        reply->accounts[reply->n_accounts++] = &all[i];
        good = account_row_take(arena, rows, i, manager, &all[i]) || fault_set(fault, FAULT_internal, NULL);
    }
    PQclear(rows);
    return good;
}

/* --- what the manager asks of people --- */

static const char policy_put_sql[] =
    "INSERT INTO staff.policy (manager, version, second_factor, training_days, terms, set_by) "
    "SELECT $1, coalesce(max(version), 0) + 1, $2, $3::int, $4, $5 FROM staff.policy WHERE manager = $1";

void policy_put(struct pg *pg, const Staff__PolicyRequest *policy, const char *by)
{
    pg_queue(pg, policy_put_sql,
        PG_VALUES(pg_text(policy->manager), pg_text(policy->second_factor), pg_integer(policy->training_days),
            pg_text(policy->terms), pg_text(by)));
}

static const char training_put_sql[] =
    "INSERT INTO staff.training (manager, account, course, held_on, recorded_by) "
    "SELECT $1, account, $3, $4::date, $5 FROM staff.account WHERE manager = $1 AND account = $2 "
    "ON CONFLICT DO NOTHING";

void training_put(struct pg *pg, const Staff__TrainingRequest *training, const char *by)
{
    pg_queue(pg, training_put_sql,
        PG_VALUES(pg_text(training->manager), pg_text(training->account), pg_text(training->course),
            pg_text(training->held_on), pg_text(by)));
}

static const char consent_put_sql[] =
    "INSERT INTO staff.consent (manager, account, terms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

void consent_put(struct pg *pg, const char *manager, const char *account, const char *terms)
{
    pg_queue(pg, consent_put_sql, PG_VALUES(pg_text(manager), pg_text(account), pg_text(terms)));
}
