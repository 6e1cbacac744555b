#include "vault/portal_store.h"

#include "chassis/index_tokens.h"
#include "vault/person_store.h"
#include "vault/vault_setup.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER_BYTES 32 /* of a name, and a comma */
#define PAIR_MAX (PORTAL_PSEUDONYM_MAX + PSEUDONYM_LENGTH + 24)

/* What is covered: both pseudonyms, and how often the person's numbers had been separated. After a separation nobody
 * knows whose the portal pseudonym is: the tie is void until the holder comes with it again. */
struct pair {
    char portal[PORTAL_PSEUDONYM_MAX + 1];
    char pseudonym[PSEUDONYM_LENGTH + 1];
    long splits;
};

static bool portal_tokens(const char *manager, const char *portal, struct index_tokens *tokens)
{
    struct key_index keys;
    return keyring_index(manager, &keys) && index_tokens_make(&keys, DOMAIN_PORTAL, portal, strlen(portal), tokens);
}

static bool pair_cover(struct work *work, const char *id, const struct pair *pair, struct bytes *covered)
{
    char text[PAIR_MAX];
    int len = snprintf(text, sizeof text, "%s %ld %s", pair->pseudonym, pair->splits, pair->portal);
    *covered = cover_put(work->arena, (struct cover_place){TABLE_PORTAL, work_manager(work), id}, text, (size_t)len);
    OPENSSL_cleanse(text, sizeof text);
    return covered->data ? true : fault_set(&work->fault, FAULT_internal, "data_key");
}

static bool pair_uncover(struct work *work, const char *id, struct bytes covered, struct pair *pair)
{
    struct bytes plain =
        cover_take(work->arena, (struct cover_place){TABLE_PORTAL, work_manager(work), id}, covered.data, covered.len);
    if (!plain.data ||
        sscanf((const char *)plain.data, "%19s %ld %64[^\n]", pair->pseudonym, &pair->splits, pair->portal) != 3)
        return fault_set(&work->fault, plain.data ? FAULT_internal : cover_refusal(covered.data, covered.len), "cover");
    return true;
}

bool portal_tie_value(struct bytes plain, struct bytes *value)
{
    const uint8_t *space = memchr(plain.data, ' ', plain.len);
    const uint8_t *after = space ? memchr(space + 1, ' ', plain.len - (size_t)(space + 1 - plain.data)) : NULL;
    if (!after)
        return false;
    *value = (struct bytes){(uint8_t *)after + 1, plain.len - (size_t)(after + 1 - plain.data)};
    return true;
}

static const char sql_splits[] =
    "SELECT count(*) FROM vault.correction WHERE manager = $1 AND pseudonym = $2 AND kind = 'split' AND state = "
    "'approved'";

static bool splits_count(struct work *work, const char *pseudonym, long *splits)
{
    PGresult *row =
        pg_query(work->pg, sql_splits, &work->fault, PG_VALUES(pg_text(work_manager(work)), pg_text(pseudonym)));
    if (!row)
        return false;
    *splits = (long)pg_get_integer(row, 0, 0);
    PQclear(row);
    return true;
}

/* Does the pair still hold, and for which pseudonym now? */
static bool pair_follow(struct work *work, const struct pair *pair, char current[PSEUDONYM_LENGTH + 1], bool *holds)
{
    long splits;
    if (!person_find(work, pair->pseudonym, current) || !splits_count(work, pair->pseudonym, &splits))
        return false;
    *holds = splits == pair->splits;
    return true;
}

static const char sql_portal_insert[] =
    "INSERT INTO vault.portal_tie (manager, token, next_token, index_key, tie_id, pair) "
    "VALUES ($1, $2, $3, $4::integer, $5, $6) ON CONFLICT DO NOTHING RETURNING tie_id";
static const char sql_portal_hold[] =
    "SELECT tie_id, pair FROM vault.portal_tie WHERE manager = $1 AND token IN ($2, $3) FOR UPDATE";
static const char sql_portal_renew[] = "UPDATE vault.portal_tie SET pair = $3 WHERE manager = $1 AND tie_id = $2";

/* There is one already: the same, void, or another person's. */
static bool portal_tie_meet(struct work *work, const struct index_tokens *tokens, const struct pair *wanted)
{
    struct pair pair;
    char id[37], current[PSEUDONYM_LENGTH + 1];
    struct bytes covered;
    bool holds = false;
    PGresult *row = pg_query(work->pg, sql_portal_hold, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(tokens), index_other_value(tokens)));
    bool met = row && PQntuples(row) == 1;
    if (met) {
        snprintf(id, sizeof id, "%s", PQgetvalue(row, 0, 0));
        met = pair_uncover(work, id, pg_get_bytes(row, 0, 1), &pair) && pair_follow(work, &pair, current, &holds);
    } else if (row)
        fault_set(&work->fault, FAULT_internal, "portal_pseudonym");
    PQclear(row);
    if (!met || (holds && strcmp(current, wanted->pseudonym) == 0))
        return met;
    if (holds)
        return fault_set(&work->fault, FAULT_state_conflict, "portal_pseudonym");
    if (!pair_cover(work, id, wanted, &covered))
        return false;
    pg_queue_exactly(work->pg, sql_portal_renew, 1, FAULT_internal,
        PG_VALUES(pg_text(work_manager(work)), pg_text(id), pg_bytes(covered.data, covered.len)));
    return true;
}

bool portal_tie_make(struct work *work, const char *portal_pseudonym, const char *pseudonym, bool *known)
{
    struct pair pair = {0};
    struct index_tokens tokens;
    char id[37];
    struct bytes covered;
    snprintf(pair.portal, sizeof pair.portal, "%s", portal_pseudonym);
    if (!person_find(work, pseudonym, pair.pseudonym) || !splits_count(work, pair.pseudonym, &pair.splits))
        return false;
    uuid_make(id);
    if (!portal_tokens(work_manager(work), portal_pseudonym, &tokens))
        return fault_set(&work->fault, FAULT_internal, "index_key");
    if (!pair_cover(work, id, &pair, &covered))
        return false;
    PGresult *row = pg_query(work->pg, sql_portal_insert, &work->fault,
        PG_VALUES(pg_text(work_manager(work)), index_token_value(&tokens), index_next_value(&tokens),
            index_key_value(&tokens), pg_text(id), pg_bytes(covered.data, covered.len)));
    if (!row)
        return false;
    *known = PQntuples(row) == 0;
    PQclear(row);
    return !*known || portal_tie_meet(work, &tokens, &pair);
}

/* What is asked is made before it is looked up: see tie_find_all. */
static const char sql_portal_find[] =
    "WITH asked AS MATERIALIZED (SELECT one.manager, substring($2::bytea FROM (32 * one.place - 31)::integer FOR 32) "
    "AS token FROM unnest($1::text[]) WITH ORDINALITY AS one (manager, place)) "
    "SELECT portal_tie.manager, portal_tie.tie_id, portal_tie.pair FROM asked JOIN vault.portal_tie "
    "ON portal_tie.manager = asked.manager AND portal_tie.token = asked.token ORDER BY portal_tie.manager";

static bool portal_rows_read(struct work *work, const PGresult *rows, struct portal_person *persons, size_t *count)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        struct portal_person *person = &persons[*count];
        struct pair pair;
        bool holds = false;
        snprintf(person->manager, sizeof person->manager, "%s", PQgetvalue(rows, row, 0));
        work_switch(work, person->manager);
        if (!pair_uncover(work, PQgetvalue(rows, row, 1), pg_get_bytes(rows, row, 2), &pair) ||
            !pair_follow(work, &pair, person->pseudonym, &holds))
            return false;
        *count += holds;
    }
    return true;
}

bool portal_tie_find(struct work *work, const char *portal_pseudonym, struct portal_person **persons, size_t *count)
{
    const char *const *managers;
    size_t known = vault_managers(&managers), made = 0;
    uint8_t *asked = arena_take(work->arena, 2 * known * INDEX_TOKEN_BYTES + 1);
    char *list = arena_take(work->arena, 2 * known * MANAGER_BYTES + 3), *at = list;
    *count = 0;
    if (!asked || !list)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < known; i++) {
        struct index_tokens tokens;
        /* A manager that was erased has no key, and nobody stands there for anybody any more. */
        if (!portal_tokens(managers[i], portal_pseudonym, &tokens))
            continue;
        const uint8_t *const looks[] = {tokens.token, tokens.other};
        for (int look = 0; look < (tokens.looks_twice ? 2 : 1); look++) {
            memcpy(asked + made * INDEX_TOKEN_BYTES, looks[look], INDEX_TOKEN_BYTES);
            at += sprintf(at, "%c%s", made++ ? ',' : '{', managers[i]);
        }
    }
    strcpy(at, made ? "}" : "{}");
    PGresult *rows = pg_query(
        work->pg, sql_portal_find, &work->fault, PG_VALUES(pg_text(list), pg_bytes(asked, made * INDEX_TOKEN_BYTES)));
    if (!rows)
        return false;
    *persons = arena_take(work->arena, (size_t)PQntuples(rows) * sizeof **persons + 1);
    bool read =
        *persons ? portal_rows_read(work, rows, *persons, count) : fault_set(&work->fault, FAULT_internal, NULL);
    PQclear(rows);
    return read;
}
