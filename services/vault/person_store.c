#include "vault/person_store.h"

#include "vault/number_cover.h"
#include "vault/number_store.h"

#include <stdio.h>
#include <string.h>

/* CASE and no coalesce: see tie_numbers. */
static const char sql_person_find[] =
    "SELECT tie.pseudonym FROM (SELECT $2::text) AS asked (pseudonym) "
    "LEFT JOIN vault.joined ON joined.manager = $1 AND joined.pseudonym = asked.pseudonym "
    "JOIN vault.tie ON tie.manager = $1 AND tie.replaced_on IS NULL AND tie.pseudonym = "
    "CASE WHEN joined.leads_to IS NULL THEN asked.pseudonym ELSE joined.leads_to END";

bool person_find(struct work *work, const char *pseudonym, char current[PSEUDONYM_LENGTH + 1])
{
    PGresult *row = pseudonym_check(pseudonym) ? pg_query(work->pg, sql_person_find, &work->fault,
                                                     PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)))
                                               : NULL;
    if (!row && pseudonym_check(pseudonym))
        return false;
    bool found = row && PQntuples(row) == 1;
    if (found)
        snprintf(current, PSEUDONYM_LENGTH + 1, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return found ? true : fault_set(&work->fault, FAULT_pseudonym_unknown, "pseudonym");
}

/* --- one number ------------------------------------------------------------------------------------------------------
 */

struct held { /* a row of vault.tie, locked */
    uint8_t token[INDEX_TOKEN_BYTES];
    struct my_number number;
    char pseudonym[PSEUDONYM_LENGTH + 1], came_from[PSEUDONYM_LENGTH + 1];
    bool in_force;
};

static const char sql_hold_by_pseudonym[] =
    "SELECT token, number, pseudonym, coalesce(came_from, ''), replaced_on IS NULL FROM vault.tie "
    "WHERE manager = $1 AND pseudonym = $2 AND replaced_on IS NULL FOR UPDATE";
static const char sql_hold_by_token[] =
    "SELECT token, number, pseudonym, coalesce(came_from, ''), replaced_on IS NULL FROM vault.tie "
    "WHERE manager = $1 AND token IN ($2, $3) FOR UPDATE";

/* Takes `row` over. Fault: `code` when there is none. */
static bool held_take(struct work *work, PGresult *row, struct held *held, enum fault_code code)
{
    if (!row)
        return false;
    bool found = PQntuples(row) == 1 && pg_get_bytes(row, 0, 0).len == INDEX_TOKEN_BYTES;
    if (found) {
        memcpy(held->token, pg_get_bytes(row, 0, 0).data, INDEX_TOKEN_BYTES);
        snprintf(held->pseudonym, sizeof held->pseudonym, "%s", PQgetvalue(row, 0, 2));
        snprintf(held->came_from, sizeof held->came_from, "%s", PQgetvalue(row, 0, 3));
        held->in_force = pg_get_bool(row, 0, 4);
        found = number_uncover(work, TABLE_TIE, held->pseudonym, pg_get_bytes(row, 0, 1), &held->number);
    } else
        fault_set(&work->fault, code, "pseudonym");
    PQclear(row);
    return found;
}

static bool hold_by_pseudonym(struct work *work, const char *pseudonym, struct held *held)
{
    return held_take(work,
        pg_query(
            work->pg, sql_hold_by_pseudonym, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym))),
        held, FAULT_pseudonym_unknown);
}

static bool hold_by_number(struct work *work, const struct my_number *number, struct held *held)
{
    struct index_tokens tokens;
    return number_tokens(work, DOMAIN_TIE, number, &tokens) &&
           held_take(work,
               pg_query(work->pg, sql_hold_by_token, &work->fault,
                   PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), index_other_value(&tokens))),
               held, FAULT_correction_not_possible);
}

/* --- the gateway's id follows the person -----------------------------------------------------------------------------
 */

static const char sql_gateway_hold[] =
    "SELECT gateway_id FROM vault.gateway_tie WHERE manager = $1 AND token IN ($2, $3) FOR UPDATE";

/* gateway_id "" where there is none. */
static bool gateway_hold(struct work *work, const struct my_number *number, char gateway_id[37])
{
    struct index_tokens tokens;
    if (!number_tokens(work, DOMAIN_GATEWAY, number, &tokens))
        return false;
    PGresult *row = pg_query(work->pg, sql_gateway_hold, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), index_other_value(&tokens)));
    snprintf(gateway_id, 37, "%s", row && PQntuples(row) == 1 ? PQgetvalue(row, 0, 0) : "");
    PQclear(row);
    return row != NULL;
}

static const char sql_gateway_move[] =
    "UPDATE vault.gateway_tie SET token = $3, next_token = $4, index_key = $5::integer, number = $6 "
    "WHERE manager = $1 AND gateway_id = $2";

static bool gateway_move(struct work *work, const struct my_number *from, const struct my_number *to)
{
    struct index_tokens tokens;
    char gateway_id[37];
    struct bytes covered;
    if (!gateway_hold(work, from, gateway_id))
        return false;
    if (!gateway_id[0])
        return true;
    if (!number_tokens(work, DOMAIN_GATEWAY, to, &tokens) ||
        !number_cover(work, TABLE_GATEWAY, gateway_id, to, &covered))
        return false;
    pg_queue(work->pg, sql_gateway_move,
        PG_VALUES(pg_text(work_manager(work)), pg_text(gateway_id), index_token_value(&tokens),
            index_next_value(&tokens), index_key_value(&tokens), pg_bytes(covered.data, covered.len)));
    return true;
}

static const char sql_gateway_close[] =
    "UPDATE vault.gateway_tie SET token = $3, next_token = $4, index_key = $5::integer, closed_on = current_date "
    "WHERE manager = $1 AND gateway_id = $2";

/* Whose it was cannot be told any more: it is nobody's, and who needs one gets a new one. */
static bool gateway_close(struct work *work, const struct my_number *number)
{
    struct index_tokens nothing;
    char gateway_id[37];
    if (!gateway_hold(work, number, gateway_id))
        return false;
    if (!gateway_id[0])
        return true;
    if (!void_tokens(work, &nothing))
        return false;
    pg_queue(work->pg, sql_gateway_close,
        PG_VALUES(pg_text(work_manager(work)), pg_text(gateway_id), index_token_value(&nothing),
            index_next_value(&nothing), index_key_value(&nothing)));
    return true;
}

/* --- a changed number ------------------------------------------------------------------------------------------------
 */

static const char sql_tie_replace[] =
    "UPDATE vault.tie SET replaced_on = current_date WHERE manager = $1 AND token = $2";
static const char sql_tie_follow[] =
    "INSERT INTO vault.tie (manager, token, next_token, index_key, pseudonym, number) "
    "VALUES ($1, $2, $3, $4::integer, $5, $6) ON CONFLICT DO NOTHING RETURNING pseudonym";

static bool number_follow(
    struct work *work, const struct held *held, const struct index_tokens *tokens, const struct my_number *number)
{
    struct bytes covered;
    if (!number_cover(work, TABLE_TIE, held->pseudonym, number, &covered))
        return false;
    pg_queue_exactly(work->pg, sql_tie_replace, 1, FAULT_internal,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(held->token, INDEX_TOKEN_BYTES)));
    PGresult *row = pg_query(work->pg, sql_tie_follow, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(tokens), index_next_value(tokens),
            index_key_value(tokens), pg_text(held->pseudonym), pg_bytes(covered.data, covered.len)));
    bool inserted = row && PQntuples(row) == 1;
    if (row && !inserted) /* enrolled at the same instant: a person decides who that is */
        fault_set(&work->fault, FAULT_number_of_another, "number");
    PQclear(row);
    return inserted && gateway_move(work, &held->number, number);
}

bool person_number_change(struct work *work, const char *pseudonym, const struct my_number *number, bool *changed)
{
    struct index_tokens tokens;
    char current[PSEUDONYM_LENGTH + 1], of[PSEUDONYM_LENGTH + 1];
    struct held held;
    bool done = false;
    *changed = false;
    if (!person_find(work, pseudonym, current) || !hold_by_pseudonym(work, current, &held))
        return false;
    if (!number_tokens(work, DOMAIN_TIE, number, &tokens))
        goto out;
    done = my_number_equal(number, &held.number);
    if (done)
        goto out;
    if (tie_find(work, &tokens, of)) {
        fault_set(&work->fault, strcmp(of, current) == 0 ? FAULT_number_replaced : FAULT_number_of_another, "number");
        goto out;
    }
    if (work->fault.code != FAULT_not_found)
        goto out;
    work->fault.code = FAULT_NONE;
    done = *changed = number_follow(work, &held, &tokens, number);
out:
    my_number_wipe(&held.number);
    return done;
}

bool person_number_first(struct work *work, const char *pseudonym, const struct my_number *number)
{
    struct index_tokens tokens;
    struct bytes covered;
    if (!number_tokens(work, DOMAIN_TIE, number, &tokens) ||
        !number_cover(work, TABLE_TIE, pseudonym, number, &covered))
        return false;
    PGresult *row = pg_query(work->pg, sql_tie_follow, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), index_next_value(&tokens),
            index_key_value(&tokens), pg_text(pseudonym), pg_bytes(covered.data, covered.len)));
    bool inserted = row && PQntuples(row) == 1;
    if (row && !inserted)
        fault_set(&work->fault, FAULT_number_of_another, "number");
    PQclear(row);
    return inserted;
}

/* --- corrections -----------------------------------------------------------------------------------------------------
 */

/* Rows in force and those of the past have an index each. */
static const char sql_ties_count[] =
    "WITH past AS (SELECT t.replaced_on FROM vault.tie t "
    "WHERE t.manager = $1 AND t.pseudonym = $2 AND t.replaced_on IS NOT NULL) "
    "SELECT (SELECT count(*) FROM vault.tie t WHERE t.manager = $1 AND t.pseudonym = $2 AND t.replaced_on IS NULL) + "
    "(SELECT count(*) FROM past), "
    "(SELECT count(*) FROM past WHERE past.replaced_on = (SELECT max(past.replaced_on) FROM past))";

/* How many numbers a pseudonym has, and how many of them were replaced last (on the same day). */
static bool ties_count(struct work *work, const char *pseudonym, int64_t *count, int64_t *latest)
{
    PGresult *row =
        pg_query(work->pg, sql_ties_count, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    if (!row)
        return false;
    *count = pg_get_integer(row, 0, 0);
    *latest = pg_get_integer(row, 0, 1);
    PQclear(row);
    return true;
}

/* A number can be taken out if one remains, and if it is clear which of those that remain is in force then. */
static bool split_check(struct work *work, const struct correction *correction, struct held *held)
{
    int64_t count, latest;
    if (!hold_by_number(work, &correction->number, held) || !ties_count(work, correction->pseudonym, &count, &latest))
        return false;
    bool possible =
        strcmp(held->pseudonym, correction->pseudonym) == 0 && count >= 2 && (!held->in_force || latest == 1);
    return possible ? true : fault_set(&work->fault, FAULT_correction_not_possible, "pseudonym");
}

static const char sql_joined_here[] = "SELECT count(*) FROM vault.joined WHERE manager = $1 AND leads_to = $2";

static bool joined_here_count(struct work *work, const char *pseudonym, int64_t *count)
{
    PGresult *row =
        pg_query(work->pg, sql_joined_here, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    if (row)
        *count = pg_get_integer(row, 0, 0);
    PQclear(row);
    return row != NULL;
}

/* The pseudonym that ends has one number, so that separating them again is always possible, and no other ended in it,
 * so that each leads to who stands for the person in one step. */
static bool join_check(struct work *work, const struct correction *correction, struct held *held, struct held *other)
{
    int64_t count, latest, joined;
    if (!hold_by_pseudonym(work, correction->pseudonym, held) || !hold_by_pseudonym(work, correction->other, other) ||
        !ties_count(work, correction->other, &count, &latest) || !joined_here_count(work, correction->other, &joined))
        return false;
    return count == 1 && joined == 0 && strcmp(correction->pseudonym, correction->other) != 0
               ? true
               : fault_set(&work->fault, FAULT_correction_not_possible, "other");
}

static bool correction_check(struct work *work, const struct correction *correction)
{
    struct held held = {0}, other = {0};
    bool possible =
        correction->join ? join_check(work, correction, &held, &other) : split_check(work, correction, &held);
    my_number_wipe(&held.number);
    my_number_wipe(&other.number);
    return possible;
}

static const char sql_correction_ask[] =
    "INSERT INTO vault.correction (manager, correction_id, kind, pseudonym, other, number, reason, asked_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/* Of a join `other` says by its mark which number is in force afterwards: "+" the other's, "-" the own one. */
bool correction_ask(struct work *work, struct correction *correction)
{
    struct bytes covered = {NULL, 0};
    char other[PSEUDONYM_LENGTH + 2] = "";
    uuid_make(correction->id);
    if (!correction_check(work, correction))
        return false;
    if (!correction->join && !number_cover(work, TABLE_CORRECTION, correction->id, &correction->number, &covered))
        return false;
    if (correction->join)
        snprintf(other, sizeof other, "%c%s", correction->other_in_force ? '+' : '-', correction->other);
    pg_queue(work->pg, sql_correction_ask,
        PG_VALUES(pg_text(work_manager(work)), pg_text(correction->id), pg_text(correction->join ? "join" : "split"),
            pg_text(correction->pseudonym), pg_text(correction->join ? other : NULL),
            pg_bytes(covered.data, covered.len), pg_text(correction->reason), pg_text(correction->asked_by)));
    return true;
}

static const char sql_correction_take[] =
    "SELECT kind, pseudonym, coalesce(other, ''), number, state, asked_by FROM vault.correction "
    "WHERE manager = $1 AND correction_id = $2 FOR UPDATE";

static bool correction_read(struct work *work, const PGresult *row, const char *by, struct correction *correction)
{
    const char *other = PQgetvalue(row, 0, 2);
    if (strcmp(PQgetvalue(row, 0, 4), "asked") != 0)
        return fault_set(&work->fault, FAULT_state_conflict, "correction");
    if (strcmp(PQgetvalue(row, 0, 5), by) == 0)
        return fault_set(&work->fault, FAULT_correction_same_person, "correction");
    correction->join = strcmp(PQgetvalue(row, 0, 0), "join") == 0;
    snprintf(correction->pseudonym, sizeof correction->pseudonym, "%s", PQgetvalue(row, 0, 1));
    if (!correction->join)
        return number_uncover(work, TABLE_CORRECTION, correction->id, pg_get_bytes(row, 0, 3), &correction->number);
    correction->other_in_force = other[0] == '+';
    snprintf(correction->other, sizeof correction->other, "%s", other[0] ? other + 1 : "");
    return true;
}

bool correction_take(struct work *work, const char *id, const char *by, struct correction *correction)
{
    memset(correction, 0, sizeof *correction);
    snprintf(correction->id, sizeof correction->id, "%s", id);
    PGresult *row =
        pg_query(work->pg, sql_correction_take, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(id)));
    if (!row)
        return false;
    bool taken = PQntuples(row) == 1 ? correction_read(work, row, by, correction)
                                     : fault_set(&work->fault, FAULT_not_found, "correction");
    PQclear(row);
    return taken;
}

static const char sql_tie_move[] =
    "UPDATE vault.tie SET pseudonym = $3, number = $4, came_from = $5, "
    "replaced_on = CASE WHEN $6::boolean THEN NULL ELSE current_date END WHERE manager = $1 AND token = $2";

static bool tie_move(
    struct work *work, const struct held *held, const char *pseudonym, const char *came_from, bool in_force)
{
    struct bytes covered;
    if (!number_cover(work, TABLE_TIE, pseudonym, &held->number, &covered))
        return false;
    pg_queue_exactly(work->pg, sql_tie_move, 1, FAULT_internal,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(held->token, INDEX_TOKEN_BYTES), pg_text(pseudonym),
            pg_bytes(covered.data, covered.len), pg_text(came_from), pg_text(in_force ? "true" : "false")));
    return true;
}

static const char sql_tie_restore[] =
    "UPDATE vault.tie SET replaced_on = NULL WHERE manager = $1 AND pseudonym = $2 AND replaced_on = "
    "(SELECT max(t.replaced_on) FROM vault.tie t WHERE t.manager = $1 AND t.pseudonym = $2 AND "
    "t.replaced_on IS NOT NULL)";
static const char sql_joined_end[] = "DELETE FROM vault.joined WHERE manager = $1 AND pseudonym = $2";

/* Who had a pseudonym of his own before a join gets it back; another gets a new one. */
static bool split_do(struct work *work, struct correction *correction)
{
    struct held held = {0}, kept = {0};
    bool done = false;
    if (!split_check(work, correction, &held))
        goto out;
    if (held.came_from[0])
        memcpy(correction->other, held.came_from, sizeof correction->other);
    else if (!pseudonym_make(correction->other)) {
        fault_set(&work->fault, FAULT_internal, "pseudonym");
        goto out;
    }
    if (!tie_move(work, &held, correction->other, NULL, true))
        goto out;
    if (held.in_force)
        pg_queue_exactly(work->pg, sql_tie_restore, 1, FAULT_correction_not_possible,
            PG_VALUES(pg_text(work_manager(work)), pg_text(correction->pseudonym)));
    pg_queue(work->pg, sql_joined_end, PG_VALUES(pg_text(work_manager(work)), pg_text(correction->other)));
    done = hold_by_pseudonym(work, correction->pseudonym, &kept) && gateway_close(work, &held.number) &&
           gateway_close(work, &kept.number);
out:
    my_number_wipe(&held.number);
    my_number_wipe(&kept.number);
    return done;
}

static const char sql_joined_make[] = "INSERT INTO vault.joined (manager, pseudonym, leads_to) VALUES ($1, $2, $3)";

static bool join_do(struct work *work, struct correction *correction)
{
    struct held held = {0}, other = {0};
    bool done = join_check(work, correction, &held, &other) && gateway_close(work, &other.number);
    if (done && correction->other_in_force) {
        pg_queue_exactly(work->pg, sql_tie_replace, 1, FAULT_internal,
            PG_VALUES(pg_text(work_manager(work)), pg_bytes(held.token, INDEX_TOKEN_BYTES)));
        done = gateway_move(work, &held.number, &other.number);
    }
    done = done && tie_move(work, &other, correction->pseudonym, correction->other, correction->other_in_force);
    if (done)
        pg_queue(work->pg, sql_joined_make,
            PG_VALUES(pg_text(work_manager(work)), pg_text(correction->other), pg_text(correction->pseudonym)));
    my_number_wipe(&held.number);
    my_number_wipe(&other.number);
    return done;
}

/* The number is not kept in the record: it lies in its tie. */
static const char sql_correction_close[] =
    "UPDATE vault.correction SET state = $3, decided_by = $4, decided_at = now(), other = $5, number = NULL "
    "WHERE manager = $1 AND correction_id = $2";

static void correction_close(struct work *work, const struct correction *correction, const char *state, const char *by)
{
    pg_queue_exactly(work->pg, sql_correction_close, 1, FAULT_internal,
        PG_VALUES(pg_text(work_manager(work)), pg_text(correction->id), pg_text(state), pg_text(by),
            pg_text(correction->other[0] ? correction->other : NULL)));
}

bool correction_approve(struct work *work, struct correction *correction, const char *by)
{
    if (!(correction->join ? join_do(work, correction) : split_do(work, correction)))
        return false;
    correction_close(work, correction, "approved", by);
    return true;
}

void correction_refuse(struct work *work, const struct correction *correction, const char *by)
{
    correction_close(work, correction, "refused", by);
}
