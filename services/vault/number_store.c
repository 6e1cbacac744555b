#include "vault/number_store.h"

#include "chassis/cover.h"
#include "vault/number_cover.h"
#include "vault/unnumbered_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COVERED_BYTES 44 /* a covered number: key id 4, nonce 12, number 12, tag 16 */

static const char sql_tie_find[] = "SELECT pseudonym FROM vault.tie WHERE manager = $1 AND token = $2";

bool tie_find(struct work *work, const uint8_t *token, char pseudonym[PSEUDONYM_LENGTH + 1])
{
    PGresult *row = pg_query(work->pg, sql_tie_find, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(token, INDEX_TOKEN_BYTES)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1 && PQgetlength(row, 0, 0) == PSEUDONYM_LENGTH;
    if (found)
        snprintf(pseudonym, PSEUDONYM_LENGTH + 1, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return found ? true : fault_set(&work->fault, FAULT_not_found, NULL);
}

static const char sql_tie_insert[] =
    "INSERT INTO vault.tie (manager, token, pseudonym, number) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (manager, token) DO NOTHING RETURNING pseudonym";

bool tie_make(struct work *work, const struct my_number *number, char pseudonym[PSEUDONYM_LENGTH + 1], bool *known)
{
    uint8_t token[INDEX_TOKEN_BYTES];
    if (!number_token(work, "vault.number", number, token))
        return false;
    *known = tie_find(work, token, pseudonym);
    if (*known || work->fault.code != FAULT_not_found)
        return *known;
    work->fault.code = FAULT_NONE;
    struct bytes covered;
    if (!pseudonym_make(pseudonym))
        return fault_set(&work->fault, FAULT_internal, "pseudonym");
    if (!number_cover(work, TABLE_TIE, pseudonym, number, &covered))
        return false;
    PGresult *row = pg_query(work->pg, sql_tie_insert, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(token, sizeof token), pg_text(pseudonym),
            pg_bytes(covered.data, covered.len)));
    if (!row)
        return false;
    bool inserted = PQntuples(row) == 1;
    PQclear(row);
    /* Another worker tied the same number meanwhile; its row is visible now. */
    *known = !inserted;
    return inserted || tie_find(work, token, pseudonym);
}

/* The tokens of many lie behind one another in one value, and so do the covered numbers, which are all as long. */
static const char sql_tie_find_all[] =
    "SELECT asked.place, tie.pseudonym FROM pg_catalog.generate_series(1, $3::integer) AS asked (place) "
    "JOIN vault.tie ON tie.manager = $1 AND tie.token = substring($2::bytea FROM 32 * asked.place - 31 FOR 32)";

static bool tie_find_all(struct work *work, const uint8_t *tokens, struct tie_item *items, size_t count)
{
    PGresult *rows = pg_query(work->pg, sql_tie_find_all, &work->fault,
        PG_VALUES(
            pg_text(work_manager(work)), pg_bytes(tokens, count * INDEX_TOKEN_BYTES), pg_integer((int64_t)count)));
    if (!rows)
        return false;
    for (int row = 0; row < PQntuples(rows); row++) {
        struct tie_item *item = &items[pg_get_integer(rows, row, 0) - 1];
        item->known = item->known || strcmp(item->pseudonym, PQgetvalue(rows, row, 1)) != 0;
        snprintf(item->pseudonym, sizeof item->pseudonym, "%s", PQgetvalue(rows, row, 1));
    }
    PQclear(rows);
    return true;
}

/* In the order of tokens, so that two batches of the same numbers wait for each other and do not lock each other out.
 */
static const char sql_tie_insert_all[] =
    "INSERT INTO vault.tie (manager, token, pseudonym, number) "
    "SELECT $1, asked.token, asked.pseudonym, asked.number FROM (SELECT "
    "substring($2::bytea FROM 32 * place - 31 FOR 32) AS token, substring($3 FROM 19 * place - 18 FOR 19) AS "
    "pseudonym, substring($4::bytea FROM 44 * place - 43 FOR 44) AS number "
    "FROM pg_catalog.generate_series(1, $5::integer) AS place) AS asked ORDER BY asked.token "
    "ON CONFLICT DO NOTHING";

/* Those that nobody has tied yet get a pseudonym of their own; `inserted` says whether all did. */
static bool tie_insert_all(
    struct work *work, const uint8_t *tokens, struct tie_item *items, size_t count, bool *inserted)
{
    uint8_t *fresh = arena_take(work->arena, count * INDEX_TOKEN_BYTES);
    uint8_t *covered = arena_take(work->arena, count * COVERED_BYTES);
    char *pseudonyms = arena_take(work->arena, count * PSEUDONYM_LENGTH + 1);
    size_t made = 0;
    if (!fresh || !covered || !pseudonyms)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        struct bytes number;
        if (items[i].known)
            continue;
        if (!pseudonym_make(items[i].pseudonym))
            return fault_set(&work->fault, FAULT_internal, "pseudonym");
        if (!number_cover(work, TABLE_TIE, items[i].pseudonym, items[i].number, &number))
            return false;
        memcpy(fresh + made * INDEX_TOKEN_BYTES, tokens + i * INDEX_TOKEN_BYTES, INDEX_TOKEN_BYTES);
        memcpy(covered + made * COVERED_BYTES, number.data, COVERED_BYTES);
        memcpy(pseudonyms + made * PSEUDONYM_LENGTH, items[i].pseudonym, PSEUDONYM_LENGTH);
        made++;
    }
    *inserted = true;
    if (!made)
        return true;
    pseudonyms[made * PSEUDONYM_LENGTH] = '\0';
    PGresult *done = pg_query(work->pg, sql_tie_insert_all, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(fresh, made * INDEX_TOKEN_BYTES), pg_text(pseudonyms),
            pg_bytes(covered, made * COVERED_BYTES), pg_integer((int64_t)made)));
    *inserted = done && (size_t)atoll(PQcmdTuples(done)) == made;
    PQclear(done);
    return done != NULL;
}

bool tie_make_all(struct work *work, struct tie_item *items, size_t count)
{
    uint8_t *tokens = arena_take(work->arena, count * INDEX_TOKEN_BYTES + 1);
    bool inserted = false;
    if (!tokens)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        items[i].pseudonym[0] = '\0';
        items[i].known = false;
        if (!number_token(work, "vault.number", items[i].number, tokens + i * INDEX_TOKEN_BYTES))
            return false;
    }
    /* What was inserted by another meanwhile, or stands twice in the batch, is visible at the second look. */
    return tie_find_all(work, tokens, items, count) && tie_insert_all(work, tokens, items, count, &inserted) &&
           (inserted || tie_find_all(work, tokens, items, count));
}

/* A PostgreSQL array of pseudonyms, which hold nothing that would need quoting; another text is an empty one, which no
 * pseudonym is. */
static char *array_print(struct work *work, const char *const *pseudonyms, size_t count)
{
    char *text = arena_take(work->arena, count * (PSEUDONYM_LENGTH + 1) + 3), *at = text;
    if (!text) {
        fault_set(&work->fault, FAULT_internal, NULL);
        return NULL;
    }
    *at++ = '{';
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i ? "," : "", pseudonym_check(pseudonyms[i]) ? pseudonyms[i] : "-");
    *at++ = '}';
    *at = '\0';
    return text;
}

/* One look-up for all, a row for each in the order asked; NULL where there is none. CASE and no coalesce: under
 * row-level security PostgreSQL looks up an index only by what it knows to leak nothing, and coalesce is not of that.
 * LIMIT 1 keeps it from reading all of a manager's. */
static const char sql_tie_numbers[] =
    "SELECT tie.number, tie.pseudonym FROM unnest($2::text[]) WITH ORDINALITY AS asked (pseudonym, place) "
    "LEFT JOIN vault.joined ON joined.manager = $1 AND joined.pseudonym = asked.pseudonym "
    "LEFT JOIN LATERAL (SELECT t.number, t.pseudonym FROM vault.tie t WHERE t.manager = $1 AND t.pseudonym = "
    "CASE WHEN joined.leads_to IS NULL THEN asked.pseudonym ELSE joined.leads_to END "
    "AND t.replaced_on IS NULL LIMIT 1) tie ON true ORDER BY asked.place";

/* There is no number in force: none was given, or nobody has this pseudonym. */
static bool missing_tell(struct work *work, const char *pseudonym)
{
    bool unnumbered;
    return unnumbered_hold(work, pseudonym, &unnumbered) &&
           fault_set(&work->fault, unnumbered ? FAULT_number_not_given : FAULT_pseudonym_unknown, "pseudonym");
}

bool tie_numbers(struct work *work, const char *const *pseudonyms, size_t count, struct my_number *numbers, bool *known)
{
    char *array = array_print(work, pseudonyms, count);
    PGresult *rows = array ? pg_query(work->pg, sql_tie_numbers, &work->fault,
                                 PG_VALUES(pg_text(work_manager(work)), pg_text(array)))
                           : NULL;
    bool all = rows && PQntuples(rows) == (int)count;
    for (int i = 0; all && i < (int)count; i++) {
        bool there = !PQgetisnull(rows, i, 0);
        if (known)
            known[i] = there;
        if (there)
            all = number_uncover(work, TABLE_TIE, PQgetvalue(rows, i, 1), pg_get_bytes(rows, i, 0), &numbers[i]);
        else if (!known)
            all = missing_tell(work, pseudonyms[i]);
    }
    PQclear(rows);
    return all;
}

/* A pseudonym that was joined has no row of its own any more: it is known since it was joined. */
static const char sql_tie_resolve[] =
    "SELECT coalesce(joined.leads_to, ''), (SELECT min(tie.tied_on)::text FROM vault.tie WHERE tie.manager = $1 AND "
    "tie.pseudonym = CASE WHEN joined.leads_to IS NULL THEN asked.pseudonym ELSE joined.leads_to END UNION ALL SELECT "
    "unnumbered.issued_on::text FROM vault.unnumbered WHERE unnumbered.manager = $1 AND unnumbered.pseudonym = "
    "asked.pseudonym ORDER BY 1 LIMIT 1) FROM "
    "unnest($2::text[]) WITH ORDINALITY AS asked "
    "(pseudonym, place) LEFT JOIN vault.joined ON joined.manager = $1 AND joined.pseudonym = asked.pseudonym "
    "ORDER BY asked.place";

PGresult *tie_resolve(struct work *work, const char *const *pseudonyms, size_t count)
{
    char *array = array_print(work, pseudonyms, count);
    return array ? pg_query(
                       work->pg, sql_tie_resolve, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(array)))
                 : NULL;
}

static const char sql_gateway_make[] =
    "INSERT INTO vault.gateway_tie (manager, token, gateway_id, number) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (manager, token) DO NOTHING";
static const char sql_gateway_find[] = "SELECT gateway_id FROM vault.gateway_tie WHERE manager = $1 AND token = $2";

bool gateway_tie_make(struct work *work, const struct my_number *number, char gateway_id[37])
{
    uint8_t token[INDEX_TOKEN_BYTES];
    if (!number_token(work, "vault.gateway", number, token))
        return false;
    uuid_make(gateway_id);
    struct bytes covered;
    if (!number_cover(work, TABLE_GATEWAY, gateway_id, number, &covered))
        return false;
    pg_queue(work->pg, sql_gateway_make,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(token, sizeof token), pg_text(gateway_id),
            pg_bytes(covered.data, covered.len)));
    PGresult *row = pg_query(work->pg, sql_gateway_find, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(token, sizeof token)));
    bool found = row && PQntuples(row) == 1;
    if (found)
        snprintf(gateway_id, 37, "%s", PQgetvalue(row, 0, 0));
    else if (row)
        fault_set(&work->fault, FAULT_internal, "gateway_id");
    PQclear(row);
    return found;
}

static const char sql_gateway_number[] =
    "SELECT number FROM vault.gateway_tie WHERE manager = $1 AND gateway_id = $2 AND closed_on IS NULL";

bool gateway_tie_number(struct work *work, const char *gateway_id, struct my_number *number)
{
    PGresult *row = pg_query(
        work->pg, sql_gateway_number, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(gateway_id)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1 ? number_uncover(work, TABLE_GATEWAY, gateway_id, pg_get_bytes(row, 0, 0), number)
                                     : fault_set(&work->fault, FAULT_pseudonym_unknown, "gateway_id");
    PQclear(row);
    return found;
}
