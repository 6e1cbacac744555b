#include "vault/number_store.h"

#include "chassis/cover.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define TABLE_TIE "vault.tie.number"
#define TABLE_GATEWAY "vault.gateway_tie.number"

static bool token_make(
    struct work *work, const char *domain, const struct my_number *number, uint8_t token[INDEX_TOKEN_BYTES])
{
    return index_token(work_manager(work), domain, number->digits, MY_NUMBER_DIGITS, token)
               ? true
               : fault_set(&work->fault, FAULT_internal, "index_key");
}

static bool number_uncover(
    struct work *work, const char *table, const char *row, struct bytes covered, struct my_number *number)
{
    struct fault fault;
    struct bytes plain =
        cover_take(work->arena, (struct cover_place){table, work_manager(work), row}, covered.data, covered.len);
    bool taken = plain.data && my_number_take(number, plain.data, plain.len, &fault);
    if (plain.data)
        OPENSSL_cleanse(plain.data, plain.len);
    return taken ? true : fault_set(&work->fault, FAULT_internal, "cover");
}

static bool number_cover(
    struct work *work, const char *table, const char *row, const struct my_number *number, struct bytes *covered)
{
    *covered =
        cover_put(work->arena, (struct cover_place){table, work_manager(work), row}, number->digits, MY_NUMBER_DIGITS);
    return covered->data ? true : fault_set(&work->fault, FAULT_internal, "data_key");
}

static const char sql_tie_find[] = "SELECT pseudonym FROM vault.tie WHERE manager = $1 AND token = $2";

/* FAULT_not_found when there is none. */
static bool tie_find(struct work *work, const uint8_t token[INDEX_TOKEN_BYTES], char pseudonym[PSEUDONYM_LENGTH + 1])
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
    if (!token_make(work, "vault.number", number, token))
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

/* A PostgreSQL array of pseudonyms, which hold nothing that would need quoting. */
static char *array_print(struct work *work, const char *const *pseudonyms, size_t count)
{
    char *text = arena_take(work->arena, count * (PSEUDONYM_LENGTH + 1) + 3), *at = text;
    if (!text)
        return NULL;
    *at++ = '{';
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i ? "," : "", pseudonyms[i]);
    *at++ = '}';
    *at = '\0';
    return text;
}

/* One look-up for all, a row for each in the order asked; NULL where there is none. */
static const char sql_tie_numbers[] =
    "SELECT tie.number FROM unnest($2::text[]) WITH ORDINALITY AS asked (pseudonym, place) "
    "LEFT JOIN vault.tie ON tie.manager = $1 AND tie.pseudonym = asked.pseudonym AND tie.replaced_at IS NULL "
    "ORDER BY asked.place";

bool tie_numbers(struct work *work, const char *const *pseudonyms, size_t count, struct my_number *numbers)
{
    for (size_t i = 0; i < count; i++)
        if (!pseudonym_check(pseudonyms[i]))
            return fault_set(&work->fault, FAULT_pseudonym_unknown, "pseudonym");
    char *array = array_print(work, pseudonyms, count);
    PGresult *rows = array ? pg_query(work->pg, sql_tie_numbers, &work->fault,
                                 PG_VALUES(pg_text(work_manager(work)), pg_text(array)))
                           : NULL;
    if (!array)
        fault_set(&work->fault, FAULT_internal, NULL);
    bool all = rows && PQntuples(rows) == (int)count;
    for (int i = 0; all && i < (int)count; i++)
        all = PQgetisnull(rows, i, 0)
                  ? fault_set(&work->fault, FAULT_pseudonym_unknown, "pseudonym")
                  : number_uncover(work, TABLE_TIE, pseudonyms[i], pg_get_bytes(rows, i, 0), &numbers[i]);
    PQclear(rows);
    return all;
}

static const char sql_gateway_make[] =
    "INSERT INTO vault.gateway_tie (manager, token, gateway_id, number) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (manager, token) DO NOTHING";
static const char sql_gateway_find[] = "SELECT gateway_id FROM vault.gateway_tie WHERE manager = $1 AND token = $2";

bool gateway_tie_make(struct work *work, const struct my_number *number, char gateway_id[37])
{
    uint8_t token[INDEX_TOKEN_BYTES];
    if (!token_make(work, "vault.gateway", number, token))
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

static const char sql_gateway_number[] = "SELECT number FROM vault.gateway_tie WHERE manager = $1 AND gateway_id = $2";

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
