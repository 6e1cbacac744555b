#include "audit/analysis_store.h"

#include <string.h>

#define DAY_MS (24 * 3600 * 1000LL)
#define PARAMETERS_FIRST 7

static const char log_walk_take_sql[] = "SELECT position, appended_ms FROM audit.walk FOR UPDATE SKIP LOCKED";

bool log_walk_take(struct pg *pg, struct log_walk *walk, bool *free, struct fault *fault)
{
    PGresult *row = pg_query(pg, log_walk_take_sql, fault, PG_NONE);
    if (!row)
        return false;
    *free = PQntuples(row) == 1;
    if (*free)
        *walk = (struct log_walk){pg_get_integer(row, 0, 0), pg_get_integer(row, 0, 1)};
    PQclear(row);
    return true;
}

static const char log_walk_put_sql[] = "UPDATE audit.walk SET position = $1::bigint, appended_ms = $2::bigint";

void log_walk_put(struct pg *pg, const struct log_walk *walk)
{
    pg_queue_exactly(
        pg, log_walk_put_sql, 1, FAULT_internal, PG_VALUES(pg_integer(walk->position), pg_integer(walk->appended_ms)));
}

/* By kind and time besides, so that the partitions of months that are past are not looked into. Records of kind `log`
 * are about the log itself. */
static const char log_walk_list_sql[] =
    "SELECT position, appended_ms, service, instance::text, worker, sequence, manager, act, outcome, event "
    "FROM audit.log WHERE kind IN ('use', 'provision', 'search', 'export', 'session', 'account', 'key') "
    "AND appended_ms >= $2::bigint AND position > $1::bigint ORDER BY position LIMIT $3::int";

PGresult *log_walk_list(struct pg *pg, const struct log_walk *walk, int limit, struct fault *fault)
{
    /* A replica's clock may be behind another's, never by a day. */
    return pg_query(pg, log_walk_list_sql, fault,
        PG_VALUES(pg_integer(walk->position), pg_integer(walk->appended_ms - DAY_MS), pg_integer(limit)));
}

static const char touch_put_sql[] =
    "INSERT INTO audit.touch (manager, position, subject, at_ms, appended_ms, act, outcome, role, programme, purpose, "
    "likeness, account, terminal, reason, persons, day) VALUES ($1, $2::bigint, $3::bigint, $4::bigint, $5::bigint, "
    "$6, $7, $8, $9, $10, $11, $12::bigint, $13::bigint, $14::bigint, $15::int, ($4::bigint + 32400000) / 86400000) "
    "ON CONFLICT DO NOTHING";

void touch_put(struct pg *pg, const struct touch_row *touch)
{
    pg_queue(pg, touch_put_sql,
        PG_VALUES(pg_text(touch->manager), pg_integer(touch->position), pg_integer((int64_t)touch->subject),
            pg_integer(touch->at_ms), pg_integer(touch->appended_ms), pg_text(touch->act), pg_text(touch->outcome),
            pg_text(touch->role), pg_text(touch->programme), pg_text(touch->purpose), pg_text(touch->likeness),
            pg_integer((int64_t)touch->account), pg_integer((int64_t)touch->terminal),
            pg_integer((int64_t)touch->reason), pg_integer(touch->persons)));
}

/* Beginning and end come through different workers, in any order. */
static const char cause_put_sql[] =
    "INSERT INTO audit.cause AS c (manager, reason, subject, opened_ms, closed_ms) "
    "VALUES ($1, $2::bigint, $3::bigint, CASE WHEN $5::boolean THEN $4::bigint END, "
    "CASE WHEN NOT $5::boolean THEN $4::bigint END) "
    "ON CONFLICT (manager, reason) DO UPDATE SET opened_ms = least(c.opened_ms, excluded.opened_ms), "
    "closed_ms = greatest(c.closed_ms, excluded.closed_ms), "
    "subject = CASE WHEN c.subject = 0 THEN excluded.subject ELSE c.subject END";

void cause_put(struct pg *pg, const struct touch_row *touch, bool opens)
{
    pg_queue(pg, cause_put_sql,
        PG_VALUES(pg_text(touch->manager), pg_integer((int64_t)touch->reason), pg_integer((int64_t)touch->subject),
            pg_integer(touch->at_ms), pg_integer(opens)));
}

static const char touches_drop_sql[] =
    "DELETE FROM audit.touch WHERE manager = $1 AND day < ($2::bigint + 32400000) / 86400000";

static const char causes_drop_sql[] = "DELETE FROM audit.cause WHERE manager = $1 AND closed_ms < $2::bigint";

void touches_drop_put(struct pg *pg, const char *manager, int64_t before_ms)
{
    pg_queue(pg, touches_drop_sql, PG_VALUES(pg_text(manager), pg_integer(before_ms)));
    pg_queue(pg, causes_drop_sql, PG_VALUES(pg_text(manager), pg_integer(before_ms)));
}

static const char analysis_add_sql[] =
    "INSERT INTO audit.analysis (manager, rule) VALUES ($1, $2) ON CONFLICT DO NOTHING";

static const char analysis_take_sql[] =
    "SELECT position FROM audit.analysis WHERE manager = $1 AND rule = $2 "
    "AND (ran_at IS NULL OR ran_at <= now() - $3::bigint * interval '1 ms') FOR UPDATE SKIP LOCKED";

bool analysis_take(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t *position, bool *due,
    struct fault *fault)
{
    pg_queue(pg, analysis_add_sql, PG_VALUES(pg_text(manager), pg_text(rule->name)));
    PGresult *row = pg_query(
        pg, analysis_take_sql, fault, PG_VALUES(pg_text(manager), pg_text(rule->name), pg_integer(rule->every_ms)));
    if (!row)
        return false;
    *due = PQntuples(row) == 1;
    *position = *due ? pg_get_integer(row, 0, 0) : -1;
    PQclear(row);
    return true;
}

static const char analysis_end_find_sql[] =
    "SELECT coalesce(max(position), -1), count(*) FROM (SELECT position FROM audit.touch "
    "WHERE manager = $1 AND position > $2::bigint AND appended_ms <= $3::bigint "
    "GROUP BY position ORDER BY position LIMIT $4::int) AS next";

bool analysis_end_find(struct pg *pg, const char *manager, int64_t after, int64_t until_ms, int limit, int64_t *upto,
    int64_t *count, struct fault *fault)
{
    PGresult *row = pg_query(pg, analysis_end_find_sql, fault,
        PG_VALUES(pg_text(manager), pg_integer(after), pg_integer(until_ms), pg_integer(limit)));
    if (!row)
        return false;
    *upto = pg_get_integer(row, 0, 0);
    *count = pg_get_integer(row, 0, 1);
    PQclear(row);
    return true;
}

PGresult *analysis_run(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t after,
    int64_t upto, struct fault *fault)
{
    struct pg_value values[PARAMETERS_FIRST + ANALYSIS_PARAMETERS_MAX] = {pg_text(manager), pg_integer(after),
        pg_integer(upto), pg_text(rule->acts), pg_text(rule->purposes), pg_text(rule->programmes), pg_text(rule->name)};
    int count = PARAMETERS_FIRST;
    for (int i = 0; rule->test->parameters[i].key; i++)
        values[count++] = pg_text(rule->parameters[i]);
    return pg_query(pg, rule->test->sql, fault, values, count);
}

static const char analysis_put_sql[] =
    "UPDATE audit.analysis SET position = greatest(position, $3::bigint), "
    "ran_at = CASE WHEN $4::boolean THEN now() ELSE ran_at END WHERE manager = $1 AND rule = $2";

void analysis_put(struct pg *pg, const char *manager, const struct analysis_rule *rule, int64_t position, bool ran)
{
    pg_queue_exactly(pg, analysis_put_sql, 1, FAULT_internal,
        PG_VALUES(pg_text(manager), pg_text(rule->name), pg_integer(position), pg_integer(ran)));
}
