#include "vault/number_store.h"

#include "chassis/cover.h"
#include "vault/number_cover.h"
#include "vault/unnumbered_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COVERED_BYTES 44 /* a covered number: key id 4, nonce 12, number 12, tag 16 */

static const char sql_tie_find[] = "SELECT pseudonym FROM vault.tie WHERE manager = $1 AND token IN ($2, $3)";

bool tie_find(struct work *work, const struct index_tokens *tokens, char pseudonym[PSEUDONYM_LENGTH + 1])
{
    PGresult *row = pg_query(work->pg, sql_tie_find, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(tokens), index_other_value(tokens)));
    if (!row)
        return false;
    bool found = PQntuples(row) == 1 && PQgetlength(row, 0, 0) == PSEUDONYM_LENGTH;
    if (found)
        snprintf(pseudonym, PSEUDONYM_LENGTH + 1, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return found ? true : fault_set(&work->fault, FAULT_not_found, NULL);
}

/* Found, or made if there is none; nothing where another ties the same number at this moment. */
static const char sql_tie_make[] =
    "WITH found AS (SELECT pseudonym FROM vault.tie WHERE manager = $1 AND token IN ($2, $5)), "
    "made AS (INSERT INTO vault.tie (manager, token, pseudonym, number, next_token, index_key) "
    "SELECT $1, $2, $3, $4::bytea, $6::bytea, $7::integer WHERE NOT EXISTS (SELECT FROM found) "
    "ON CONFLICT DO NOTHING RETURNING pseudonym) "
    "SELECT pseudonym, true FROM found UNION ALL SELECT pseudonym, false FROM made";

bool tie_make(struct work *work, const struct my_number *number, char pseudonym[PSEUDONYM_LENGTH + 1], bool *known)
{
    struct index_tokens tokens;
    struct bytes covered;
    if (!number_tokens(work, DOMAIN_TIE, number, &tokens))
        return false;
    if (!pseudonym_make(pseudonym))
        return fault_set(&work->fault, FAULT_internal, "pseudonym");
    if (!number_cover(work, TABLE_TIE, pseudonym, number, &covered))
        return false;
    PGresult *row = pg_query(work->pg, sql_tie_make, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), pg_text(pseudonym),
            pg_bytes(covered.data, covered.len), index_other_value(&tokens), index_next_value(&tokens),
            index_key_value(&tokens)));
    if (!row)
        return false;
    bool there = PQntuples(row) == 1 && PQgetlength(row, 0, 0) == PSEUDONYM_LENGTH;
    *known = !there || pg_get_bool(row, 0, 1);
    if (there)
        snprintf(pseudonym, PSEUDONYM_LENGTH + 1, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    /* Another worker's row is visible now. */
    return there || tie_find(work, &tokens, pseudonym);
}

/* Tokens of many. */
struct token_list {
    uint32_t key;
    size_t looks;                 /* tokens of an item in `look`: two while the index key is being replaced */
    uint8_t *look, *token, *next; /* next: NULL where rows carry none */
};

/* The tokens of many lie behind one another in one value, and so do the covered numbers, which are all as long. They
 * are cut apart before the look-up: under row-level security PostgreSQL uses an index only for what it knows to leak
 * nothing, and cutting is not of that. LIMIT 1: see tie_numbers. */
static const char sql_tie_find_all[] =
    "WITH asked AS MATERIALIZED (SELECT place, substring($2::bytea FROM 32 * place - 31 FOR 32) AS token "
    "FROM pg_catalog.generate_series(1, $3::integer) AS place) "
    "SELECT asked.place, tie.pseudonym FROM asked CROSS JOIN LATERAL (SELECT t.pseudonym FROM vault.tie t "
    "WHERE t.manager = $1 AND t.token = asked.token LIMIT 1) tie";

static bool tie_find_all(struct work *work, const struct token_list *tokens, struct tie_item *items, size_t count)
{
    size_t looks = count * tokens->looks;
    PGresult *rows = pg_query(work->pg, sql_tie_find_all, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(tokens->look, looks * INDEX_TOKEN_BYTES),
            pg_integer((int64_t)looks)));
    if (!rows)
        return false;
    for (int row = 0; row < PQntuples(rows); row++) {
        struct tie_item *item = &items[(size_t)(pg_get_integer(rows, row, 0) - 1) / tokens->looks];
        item->known = item->known || strcmp(item->pseudonym, PQgetvalue(rows, row, 1)) != 0;
        snprintf(item->pseudonym, sizeof item->pseudonym, "%s", PQgetvalue(rows, row, 1));
    }
    PQclear(rows);
    return true;
}

/* In the order of tokens, so that two batches of the same numbers wait for each other and do not lock each other out.
 * The pseudonyms come as an array: cutting a text counts its characters from the start each time. */
static const char sql_tie_insert_all[] =
    "INSERT INTO vault.tie (manager, token, next_token, index_key, pseudonym, number) "
    "SELECT $1, asked.token, asked.next, $6::integer, asked.pseudonym, asked.number FROM (SELECT one.pseudonym, "
    "substring($2::bytea FROM (32 * one.place - 31)::integer FOR 32) AS token, "
    "substring($5::bytea FROM (32 * one.place - 31)::integer FOR 32) AS next, "
    "substring($4::bytea FROM (44 * one.place - 43)::integer FOR 44) AS number "
    "FROM unnest($3::text[]) WITH ORDINALITY AS one (pseudonym, place)) AS asked ORDER BY asked.token "
    "ON CONFLICT DO NOTHING";

/* Those that nobody has tied yet get a pseudonym of their own; `inserted` says whether all did. */
static bool tie_insert_all(
    struct work *work, const struct token_list *tokens, struct tie_item *items, size_t count, bool *inserted)
{
    uint8_t *fresh = arena_take(work->arena, count * INDEX_TOKEN_BYTES);
    uint8_t *next = arena_take(work->arena, count * INDEX_TOKEN_BYTES);
    uint8_t *covered = arena_take(work->arena, count * COVERED_BYTES);
    char *pseudonyms = arena_take(work->arena, count * (PSEUDONYM_LENGTH + 1) + 2), *at = pseudonyms;
    size_t made = 0;
    if (!fresh || !next || !covered || !pseudonyms)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        struct bytes number;
        if (items[i].known)
            continue;
        if (!pseudonym_make(items[i].pseudonym))
            return fault_set(&work->fault, FAULT_internal, "pseudonym");
        if (!number_cover(work, TABLE_TIE, items[i].pseudonym, items[i].number, &number))
            return false;
        memcpy(fresh + made * INDEX_TOKEN_BYTES, tokens->token + i * INDEX_TOKEN_BYTES, INDEX_TOKEN_BYTES);
        if (tokens->next)
            memcpy(next + made * INDEX_TOKEN_BYTES, tokens->next + i * INDEX_TOKEN_BYTES, INDEX_TOKEN_BYTES);
        memcpy(covered + made * COVERED_BYTES, number.data, COVERED_BYTES);
        at += sprintf(at, "%c%s", made++ ? ',' : '{', items[i].pseudonym);
    }
    *inserted = true;
    if (!made)
        return true;
    strcpy(at, "}");
    PGresult *done = pg_query(work->pg, sql_tie_insert_all, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), pg_bytes(fresh, made * INDEX_TOKEN_BYTES), pg_text(pseudonyms),
            pg_bytes(covered, made * COVERED_BYTES), pg_bytes(tokens->next ? next : NULL, made * INDEX_TOKEN_BYTES),
            pg_integer(tokens->key)));
    *inserted = done && (size_t)atoll(PQcmdTuples(done)) == made;
    PQclear(done);
    return done != NULL;
}

static bool token_list_make(struct work *work, const struct tie_item *items, size_t count, struct token_list *list)
{
    struct key_index keys;
    struct index_tokens tokens;
    if (!index_keys(work, &keys))
        return false;
    *list = (struct token_list){.key = keys.token->id, .looks = keys.other ? 2 : 1};
    uint8_t *look = list->look = arena_take(work->arena, 2 * count * INDEX_TOKEN_BYTES + 1);
    uint8_t *token = list->token = arena_take(work->arena, count * INDEX_TOKEN_BYTES + 1);
    uint8_t *next = list->next = keys.next ? arena_take(work->arena, count * INDEX_TOKEN_BYTES + 1) : NULL;
    if (!look || !token || (keys.next && !next))
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        if (!number_tokens_by(work, &keys, DOMAIN_TIE, items[i].number, &tokens))
            return false;
        memcpy(token + i * INDEX_TOKEN_BYTES, tokens.token, INDEX_TOKEN_BYTES);
        memcpy(look + i * list->looks * INDEX_TOKEN_BYTES, tokens.token, INDEX_TOKEN_BYTES);
        if (keys.other)
            memcpy(look + (2 * i + 1) * INDEX_TOKEN_BYTES, tokens.other, INDEX_TOKEN_BYTES);
        if (next)
            memcpy(next + i * INDEX_TOKEN_BYTES, tokens.next, INDEX_TOKEN_BYTES);
    }
    return true;
}

bool tie_make_all(struct work *work, struct tie_item *items, size_t count)
{
    struct token_list tokens;
    bool inserted = false;
    for (size_t i = 0; i < count; i++) {
        items[i].pseudonym[0] = '\0';
        items[i].known = false;
    }
    /* What was inserted by another meanwhile, or stands twice in the batch, is visible at the second look. */
    return token_list_make(work, items, count, &tokens) && tie_find_all(work, &tokens, items, count) &&
           tie_insert_all(work, &tokens, items, count, &inserted) &&
           (inserted || tie_find_all(work, &tokens, items, count));
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

/* Who was not joined with another has a row of his own. */
static const char sql_tie_number[] =
    "SELECT number FROM vault.tie WHERE manager = $1 AND pseudonym = $2 AND replaced_on IS NULL";

bool tie_number(struct work *work, const char *pseudonym, struct my_number *number)
{
    PGresult *row =
        pg_query(work->pg, sql_tie_number, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    if (!row)
        return false;
    bool there = PQntuples(row) == 1;
    bool found = there && number_uncover(work, TABLE_TIE, pseudonym, pg_get_bytes(row, 0, 0), number);
    PQclear(row);
    return there ? found : tie_numbers(work, &pseudonym, 1, number, NULL);
}

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

/* A pseudonym that was joined has no row of its own any more: it is known since it was joined. Two looks, because the
 * rows in force and those of the past have an index each. */
static const char sql_tie_resolve[] =
    "SELECT coalesce(asked.leads_to, ''), (SELECT min(since)::text FROM ("
    "SELECT t.tied_on FROM vault.tie t WHERE t.manager = $1 AND t.replaced_on IS NULL AND "
    "t.pseudonym = CASE WHEN asked.leads_to IS NULL THEN asked.pseudonym ELSE asked.leads_to END UNION ALL "
    "SELECT t.tied_on FROM vault.tie t WHERE t.manager = $1 AND t.replaced_on IS NOT NULL AND "
    "t.pseudonym = CASE WHEN asked.leads_to IS NULL THEN asked.pseudonym ELSE asked.leads_to END UNION ALL "
    "SELECT u.issued_on FROM vault.unnumbered u WHERE u.manager = $1 AND u.pseudonym = asked.pseudonym) "
    "AS ties (since)) FROM (SELECT one.pseudonym, one.place, joined.leads_to FROM unnest($2::text[]) WITH ORDINALITY "
    "AS one "
    "(pseudonym, place) LEFT JOIN vault.joined ON joined.manager = $1 AND joined.pseudonym = one.pseudonym) AS asked "
    "ORDER BY asked.place";

PGresult *tie_resolve(struct work *work, const char *const *pseudonyms, size_t count)
{
    char *array = array_print(work, pseudonyms, count);
    return array ? pg_query(
                       work->pg, sql_tie_resolve, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(array)))
                 : NULL;
}

static const char sql_gateway_make[] =
    "WITH found AS (SELECT gateway_id FROM vault.gateway_tie WHERE manager = $1 AND token IN ($2, $5)), "
    "made AS (INSERT INTO vault.gateway_tie (manager, token, gateway_id, number, next_token, index_key) "
    "SELECT $1, $2, $3, $4::bytea, $6::bytea, $7::integer WHERE NOT EXISTS (SELECT FROM found) "
    "ON CONFLICT DO NOTHING RETURNING gateway_id) "
    "SELECT gateway_id FROM found UNION ALL SELECT gateway_id FROM made";
static const char sql_gateway_find[] =
    "SELECT gateway_id FROM vault.gateway_tie WHERE manager = $1 AND token IN ($2, $3)";

/* False where there is none; the row is the caller's to clear. */
static bool gateway_id_read(const PGresult *row, char gateway_id[37])
{
    bool there = row && PQntuples(row) == 1 && PQgetlength(row, 0, 0) == 36;
    if (there)
        snprintf(gateway_id, 37, "%s", PQgetvalue(row, 0, 0));
    return there;
}

bool gateway_tie_make(struct work *work, const struct my_number *number, char gateway_id[37])
{
    struct index_tokens tokens;
    if (!number_tokens(work, DOMAIN_GATEWAY, number, &tokens))
        return false;
    uuid_make(gateway_id);
    struct bytes covered;
    if (!number_cover(work, TABLE_GATEWAY, gateway_id, number, &covered))
        return false;
    PGresult *row = pg_query(work->pg, sql_gateway_make, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), pg_text(gateway_id),
            pg_bytes(covered.data, covered.len), index_other_value(&tokens), index_next_value(&tokens),
            index_key_value(&tokens)));
    bool there = gateway_id_read(row, gateway_id);
    if (row && !there) { /* another worker's is visible now */
        PQclear(row);
        row = pg_query(work->pg, sql_gateway_find, &work->fault,
            PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), index_other_value(&tokens)));
        there = gateway_id_read(row, gateway_id);
        if (row && !there)
            fault_set(&work->fault, FAULT_internal, "gateway_id");
    }
    PQclear(row);
    return there;
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
