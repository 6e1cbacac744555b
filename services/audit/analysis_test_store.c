/* The kinds of test. Each looks at the touches after position $2 up to $3 of manager $1, of the acts $4, purposes $5
 * and programmes $6 of the rule $7, and names the records behind what it finds; from $8 on stand its own parameters, in
 * their order. It may look back at earlier touches, never at later ones: so it finds the same however the touches are
 * parted into turns. What a closed finding has is not counted again. */
#include "audit/analysis_store.h"

/* Of a rule's acts, purposes and programmes; a rule without sees all. */
#define OF_RULE(t)                                                                                                     \
    "AND ($4::text[] = '{}' OR " t                                                                                     \
    ".act = ANY ($4::text[])) "                                                                                        \
    "AND ($5::text[] = '{}' OR " t                                                                                     \
    ".purpose = ANY ($5::text[])) "                                                                                    \
    "AND ($6::text[] = '{}' OR " t ".programme = ANY ($6::text[])) "
#define LOOKED_AT                                                                                                      \
    "FROM audit.touch t WHERE t.manager = $1 AND t.position > $2::bigint AND t.position <= $3::bigint "                \
    "AND $7::text <> '' " OF_RULE("t")
#define AFTER_CLOSED(o)                                                                                                \
    "AND " o                                                                                                           \
    ".position > coalesce((SELECT max(f.last_position) FROM audit.finding f WHERE f.manager = $1 "                     \
    "AND f.rule = $7 AND f.account = " o ".account AND f.subject IN (0, " o ".subject) AND f.state = 'closed'), -1) "
/* It shows nobody what is not answered yet. */
#define OF_SOMEBODY "AND (t.subject <> 0 OR t.persons > 0) "
/* By at_ms rather than by day: so an account's index leads there. */
#define BEGIN_OF(d) "(" d ") * 86400000::bigint - 32400000 "
#define IN_ORDER "ORDER BY account, subject, position"

/* $8: hours after its end in which a cause still stands. */
static const char no_cause_sql[] =
    "SELECT t.position, t.account, t.subject " LOOKED_AT "AND t.account <> 0 AND t.outcome = 'done' " OF_SOMEBODY
    "AND NOT EXISTS (SELECT 1 FROM audit.cause c WHERE c.manager = $1 AND c.reason = t.reason "
    "AND c.opened_ms <= t.at_ms AND (c.closed_ms IS NULL OR c.closed_ms >= t.at_ms - $8::bigint * 3600000)) " IN_ORDER;

/* The same of services too, and the cause must be this person's. */
static const char residence_sql[] =
    "SELECT t.position, t.account, t.subject " LOOKED_AT "AND t.outcome = 'done' " OF_SOMEBODY
    "AND NOT EXISTS (SELECT 1 FROM audit.cause c WHERE c.manager = $1 AND c.reason = t.reason "
    "AND c.opened_ms <= t.at_ms AND (c.closed_ms IS NULL OR c.closed_ms >= t.at_ms - $8::bigint * 3600000) "
    "AND (c.subject IN (0, t.subject) OR t.subject = 0)) " IN_ORDER;

static const char own_record_sql[] =
    "SELECT t.position, t.account, t.subject " LOOKED_AT "AND t.likeness = $8::text " IN_ORDER;

/* Persons of an account on a day, beside what is usual: its own days before ($8 account) or those of the other accounts
 * in the same role ($8 role), of the last $9 days, where there are $10 of them at least. Found is what is more than $11
 * times as much and $12 at least; and $13 on a day whatever is usual. */
static const char volume_sql[] =
    "SELECT o.position, o.account, o.subject FROM (SELECT d.account, d.day, (SELECT sum(o.persons) FROM audit.touch o "
    "WHERE o.manager = $1 AND o.account = d.account AND o.at_ms >= " BEGIN_OF("d.day") "AND o.at_ms < " BEGIN_OF("d.day + 1") "AND o.position <= $3::bigint " OF_RULE("o")
    AFTER_CLOSED("o") ") AS persons, CASE WHEN $8::text = 'account' "
    "THEN (SELECT sum(h.persons)::float8 / count(DISTINCT h.day) FROM audit.touch h WHERE h.manager = $1 "
    "AND h.account = d.account AND h.at_ms >= " BEGIN_OF("d.day - $9::int") "AND h.at_ms < " BEGIN_OF("d.day") OF_RULE("h")
    "HAVING count(DISTINCT h.day) >= $10::int) "
    "ELSE (SELECT sum(h.persons)::float8 / count(DISTINCT (h.account, h.day)) FROM audit.touch h WHERE h.manager = $1 "
    "AND h.role = d.role AND h.account <> d.account AND h.day >= d.day - $9::int AND h.day < d.day " OF_RULE("h")
    "HAVING count(DISTINCT (h.account, h.day)) >= $10::int) END AS usual "
    "FROM (SELECT DISTINCT t.account, t.role, t.day " LOOKED_AT "AND t.account <> 0) d) s "
    "JOIN audit.touch o ON o.manager = $1 AND o.account = s.account AND o.at_ms >= " BEGIN_OF("s.day")
    "AND o.at_ms < " BEGIN_OF("s.day + 1")
    "WHERE o.position <= $3::bigint " OF_RULE("o") AFTER_CLOSED("o")
    "AND (s.persons >= $13::bigint OR (s.persons >= $12::bigint AND s.persons > s.usual * $11::int)) " IN_ORDER;

/* $8: hours, $9: days of the week, $10: holidays, all in Japan. */
static const char off_hours_sql[] = "SELECT t.position, t.account, t.subject " LOOKED_AT
                                    "AND t.account <> 0 AND t.outcome = 'done' "
                                    "AND ((t.at_ms + 32400000) % 86400000 / 3600000 < ($8::int[])[1] "
                                    "OR (t.at_ms + 32400000) % 86400000 / 3600000 >= ($8::int[])[2] "
                                    "OR (t.day + 3) % 7 + 1 <> ALL ($9::int[]) OR t.day = ANY ($10::int[])) " IN_ORDER;

/* $9 times at least within $8 hours. */
static const char repeated_person_sql[] =
    "SELECT DISTINCT o.position, o.account, o.subject FROM audit.touch t JOIN audit.touch o ON o.manager = t.manager "
    "AND o.account = t.account AND o.subject = t.subject AND o.position <= t.position AND o.outcome = t.outcome "
    "AND o.at_ms > t.at_ms - $8::bigint * 3600000 WHERE t.manager = $1 AND t.position > $2::bigint "
    "AND t.position <= $3::bigint AND t.account <> 0 AND t.subject <> 0 AND t.outcome = 'done' "
    OF_RULE("t") OF_RULE("o") AFTER_CLOSED("o")
    "AND $9::bigint <= (SELECT count(*) FROM audit.touch c WHERE c.manager = $1 AND c.account = t.account "
    "AND c.subject = t.subject AND c.position <= t.position AND c.outcome = t.outcome "
    "AND c.at_ms > t.at_ms - $8::bigint * 3600000 " OF_RULE("c") AFTER_CLOSED("c") ") " IN_ORDER;

/* $8: outcomes; $10 of them at least within $9 hours. */
static const char refused_sql[] =
    "SELECT DISTINCT o.position, o.account, o.subject FROM audit.touch t JOIN audit.touch o ON o.manager = t.manager "
    "AND o.account = t.account AND o.position <= t.position AND o.at_ms > t.at_ms - $9::bigint * 3600000 "
    "WHERE t.manager = $1 AND t.position > $2::bigint AND t.position <= $3::bigint AND t.account <> 0 "
    "AND t.outcome = ANY ($8::text[]) AND o.outcome = ANY ($8::text[]) " OF_RULE("t") OF_RULE("o") AFTER_CLOSED("o")
    "AND $10::bigint <= (SELECT count(*) FROM audit.touch c WHERE c.manager = $1 AND c.account = t.account "
    "AND c.position <= t.position AND c.at_ms > t.at_ms - $9::bigint * 3600000 "
    "AND c.outcome = ANY ($8::text[]) " OF_RULE("c") AFTER_CLOSED("c") ") " IN_ORDER;

/* At a terminal where the account was not in the $8 days before, in which it was elsewhere. Not by EXISTS: that would
 * be made a join, which reads all touches for each piece that is looked at. */
static const char new_terminal_sql[] =
    "SELECT t.position, t.account, t.subject " LOOKED_AT
    "AND t.account <> 0 AND t.terminal <> 0 "
    "AND (SELECT 1 FROM audit.touch o WHERE o.manager = $1 AND o.account = t.account "
    "AND o.position < t.position AND o.at_ms <= t.at_ms AND o.at_ms > t.at_ms - $8::bigint * 86400000 "
    "AND o.terminal = t.terminal LIMIT 1) IS NULL "
    "AND (SELECT 1 FROM audit.touch o WHERE o.manager = $1 AND o.account = t.account "
    "AND o.position < t.position AND o.at_ms <= t.at_ms AND o.at_ms > t.at_ms - $8::bigint * 86400000 "
    "AND o.terminal <> 0 LIMIT 1) IS NOT NULL " IN_ORDER;

/* What is a matter of itself. */
static const char each_sql[] = "SELECT t.position, t.account, t.subject " LOOKED_AT IN_ORDER;

#define MANY 1000000000

const struct analysis_test analysis_tests[] = {
    {"no_cause", no_cause_sql, false, {{"grace_hours", SHAPE_NUMBER, 0, 8760, NULL, 1}}},
    {"residence_without_cause", residence_sql, true, {{"grace_hours", SHAPE_NUMBER, 0, 8760, NULL, 1}}},
    {"own_record", own_record_sql, false, {{"same", SHAPE_WORD, 0, 0, ",name,family,", 0}}},
    {"volume", volume_sql, false,
        {{"against", SHAPE_WORD, 0, 0, ",account,role,", 0}, {"days", SHAPE_NUMBER, 1, 366, NULL, 24},
            {"history_days", SHAPE_NUMBER, 1, 366, NULL, 0}, {"times", SHAPE_NUMBER, 1, 1000, NULL, 0},
            {"at_least", SHAPE_NUMBER, 1, MANY, NULL, 0}, {"never_more_than", SHAPE_NUMBER, 1, MANY, NULL, 0}}},
    {"off_hours", off_hours_sql, false,
        {{"hours", SHAPE_HOURS, 0, 0, NULL, 0}, {"weekdays", SHAPE_WEEKDAYS, 0, 0, NULL, 0},
            {"holidays", SHAPE_HOLIDAYS, 0, 0, NULL, 0}}},
    {"repeated_person", repeated_person_sql, false,
        {{"within_hours", SHAPE_NUMBER, 1, 8760, NULL, 1}, {"at_least", SHAPE_NUMBER, 2, MANY, NULL, 0}}},
    {"refused", refused_sql, false,
        {{"outcomes", SHAPE_WORDS, 0, 0, NULL, 0}, {"within_hours", SHAPE_NUMBER, 1, 8760, NULL, 1},
            {"at_least", SHAPE_NUMBER, 1, MANY, NULL, 0}}},
    {"each", each_sql, true, {{NULL, SHAPE_NUMBER, 0, 0, NULL, 0}}},
    {"new_terminal", new_terminal_sql, false, {{"days", SHAPE_NUMBER, 1, 366, NULL, 24}}},
};
const size_t analysis_test_count = sizeof analysis_tests / sizeof *analysis_tests;
