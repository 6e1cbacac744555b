#include "chassis/rotation.h"

#include "chassis/cover.h"
#include "chassis/journal.h"
#include "chassis/token_proxy.h"
#include "chassis/keyring.h"
#include "chassis/rotation_store.h"
#include "chassis/settings.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS_AT_ONCE 64
#define HELD_UP_S 60 /* before looking again for what could not be changed */
#define PASSING_S 1  /* and for what goes by itself */

static const struct setting settings[] = {
    {"SHIKAKU_KEY_LEASE_MS", SETTING_NUMBER, "30000", 1000, 600000,
        "A replica not heard of for so long is not waited for when keys are replaced; it commits nothing then."},
    {"SHIKAKU_KEY_OVERLAP_S", SETTING_NUMBER, "86400", 0, 31536000,
        "How long an earlier seal, sign or issue key is accepted beside its successor; portal shows it for 5 s more."},
};

#define NO_WALK WALKS

/* What a phase does, and what is set when it is through. Before it begins every replica works by the phase before. */
static const struct phase {
    const char *kind, *name;
    enum walk walk;
    struct rotation_step then;
    bool overlaps; /* `then` takes effect at once, the phase after it begins when the overlap is over */
} phases[] = {
    {"data", "coming", NO_WALK, {"walk", "leaving", "in_force"}},
    {"data", "walk", WALK_COVER, {"done", "retired", NULL}},
    {"index", "coming", NO_WALK, {"fill", NULL, "carried"}},
    {"index", "fill", WALK_FILL, {"both", NULL, "found"}},
    {"index", "both", NO_WALK, {"switch", "leaving", "in_force"}},
    {"index", "switch", WALK_SWITCH, {"settle", "retired", NULL}},
    {"index", "settle", WALK_SWITCH, {"done", NULL, NULL}},
    {"seal", "coming", NO_WALK, {"overlap", "leaving", "in_force"}, true},
    {"seal", "overlap", NO_WALK, {"done", "retired", NULL}},
    {"sign", "coming", NO_WALK, {"overlap", "leaving", "in_force"}, true},
    {"sign", "overlap", NO_WALK, {"done", "retired", NULL}},
    {"issue", "coming", NO_WALK, {"overlap", "leaving", "in_force"}, true},
    {"issue", "overlap", NO_WALK, {"done", "retired", NULL}},
};

static const struct phase *phase_of(const struct rotation *rotation)
{
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        if (strcmp(phases[i].kind, rotation->kind) == 0 && strcmp(phases[i].name, rotation->phase) == 0)
            return &phases[i];
    return NULL;
}

bool rotation_settings_read(void)
{
    return settings_read(settings, sizeof settings / sizeof *settings);
}

bool rotation_open(const char *schema, const struct key_columns *columns)
{
    return rotation_settings_read() && rotation_store_open(schema, columns);
}

static int64_t lease_ms(void)
{
    return setting_number("SHIKAKU_KEY_LEASE_MS");
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

/* That a key was replaced stands among the records of use; nobody's data were looked at. */
static void step_record(struct work *work, const struct rotation *rotation, const char *phase)
{
    const char *reason =
        arena_format(work->arena, "%s %s %u %u", rotation->kind, phase, rotation->old_key, rotation->new_key);
    work_audit(work, &(struct touch){.act = "key_rotation", .reason = reason});
}

static bool step_commit(struct work *work, const struct rotation *rotation, const char *instance, const char *phase)
{
    rotation_hold(work->pg, instance, lease_ms());
    step_record(work, rotation, phase);
    if (work_commit(work, NULL) != OUTCOME_DONE)
        return false;
    journal(JOURNAL_INFO, NULL, "key_rotation", WORD("kind", rotation->kind), WORD("manager", rotation->manager),
        WORD("phase", phase), NUMBER("rows", rotation->rows_done));
    return true;
}

static bool step_take(
    struct work *work, const struct rotation *rotation, const char *instance, const struct rotation_step *step)
{
    if (!work_begin(work, rotation->manager))
        return false;
    rotation_step_put(work->pg, rotation, step);
    return step_commit(work, rotation, instance, step->phase);
}

static bool rotation_refuse(struct work *work, const struct rotation *rotation, const char *instance)
{
    return step_take(work, rotation, instance, &(struct rotation_step){.phase = "refused"});
}

/* --- wrapping keys: the token's lock is ours from the first request until we let it rest, so that nobody makes a key
 * under the old one between our looking at all keys and its end ------------------------------------------------------
 */

static enum token_result helper_tell(enum key_request_kind what, const struct rotation *rotation)
{
    struct key_request request;
    struct key_reply reply;
    if (!key_request_fill(&request, what, rotation->manager, strlen(rotation->manager), KEY_DATA))
        return TOKEN_FAILED;
    request.version = (uint32_t)rotation->id;
    return token_proxy_ask(&request, &reply);
}

static bool key_rewrap(const struct rotation *rotation, const PGresult *keys, int row, struct key_reply *reply)
{
    struct bytes kind = pg_get_bytes(keys, row, 1), wrapped = pg_get_bytes(keys, row, 2);
    struct key_request request;
    if (!key_request_fill(&request, KEY_REQUEST_REWRAP, rotation->manager, strlen(rotation->manager), KEY_DATA) ||
        wrapped.len > sizeof request.wrapped || kind.len >= sizeof request.kind)
        return false;
    memcpy(request.kind, kind.data, kind.len);
    request.kind[kind.len] = '\0';
    request.wrapped_len = (uint32_t)wrapped.len;
    memcpy(request.wrapped, wrapped.data, wrapped.len);
    return token_proxy_ask(&request, reply) == TOKEN_OK;
}

static bool keys_rewrap(struct work *work, struct rotation *rotation)
{
    PGresult *keys = rotation_keys_list(work->pg, rotation->manager, &work->fault);
    size_t count = keys ? (size_t)PQntuples(keys) : 0;
    struct key_reply *replies = arena_take(work->arena, count * sizeof *replies + 1);
    bool done = keys && replies;
    for (size_t i = 0; i < count && done; i++)
        done = key_rewrap(rotation, keys, (int)i, &replies[i]);
    done = done && work_begin(work, rotation->manager);
    for (size_t i = 0; i < count && done; i++)
        rotation_wrapped_put(work->pg, pg_get_integer(keys, (int)i, 0), replies[i].wrapped, TOKEN_WRAPPED_BYTES);
    rotation->rows_done = rotation->rows_total = (int64_t)count;
    PQclear(keys);
    if (!done)
        return false;
    rotation_place_put(work->pg, rotation, 0);
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static bool wrap_replace(struct work *work, struct rotation *rotation, const char *instance)
{
    bool own = strcmp(rotation->manager, "*") == 0;
    bool done = helper_tell(KEY_REQUEST_RENEW, rotation) == TOKEN_OK && keys_rewrap(work, rotation) &&
                (!own || helper_tell(KEY_REQUEST_REWRAP_BUS, rotation) == TOKEN_OK) &&
                helper_tell(KEY_REQUEST_DROP, rotation) == TOKEN_OK;
    token_proxy_rest();
    return done && step_take(work, rotation, instance, &(struct rotation_step){.phase = "done"});
}

/* --- the new key ----------------------------------------------------------------------------------------------------
 */

static bool key_make(struct work *work, const struct rotation *rotation, const char *instance)
{
    const struct key *old = keyring_by_id(rotation->old_key);
    struct key_request request;
    struct key_reply reply;
    if (!rotation_declared(rotation->kind) || !old || strcmp(old->manager, rotation->manager) != 0 ||
        strcmp(key_kind_text(old->kind), rotation->kind) != 0 ||
        !key_request_fill(&request, KEY_REQUEST_GENERATE, rotation->manager, strlen(rotation->manager), old->kind))
        return rotation_refuse(work, rotation, instance);
    bool made = token_proxy_ask(&request, &reply) == TOKEN_OK && work_begin(work, rotation->manager);
    if (made) {
        rotation_key_put(work->pg, rotation, "coming", reply.wrapped, TOKEN_WRAPPED_BYTES);
        made = step_commit(work, rotation, instance, "coming");
    }
    token_proxy_rest();
    return made;
}

/* --- walks ----------------------------------------------------------------------------------------------------------
 */

static struct bytes fresh_cover(
    struct work *work, const struct rotation *rotation, const PGresult *page, int row, const struct bytes *plain)
{
    const struct covered_column *column = walk_covered(rotation->column, rotation->manager);
    return cover_put(work->arena, (struct cover_place){column->place, rotation->manager, PQgetvalue(page, row, 1)},
        plain->data, plain->len);
}

static struct bytes fresh_token(
    struct work *work, const struct rotation *rotation, const PGresult *page, int row, const struct bytes *plain)
{
    const struct index_column *column = walk_indexed(rotation->column);
    struct bytes token = {arena_take(work->arena, INDEX_TOKEN_BYTES), INDEX_TOKEN_BYTES}, value = *plain;
    bool made = token.data != NULL;
    if (made && pg_get_bool(page, row, 3))
        made = RAND_bytes(token.data, INDEX_TOKEN_BYTES) == 1;
    else if (made)
        made = (!column->value || column->value(*plain, &value)) &&
               index_token_by(keyring_by_id(rotation->new_key), column->domain, value.data, value.len, token.data);
    return made ? token : (struct bytes){NULL, 0};
}

/* A value that does not open is left: it is counted at the end of the pass, and holds the replacement up. */
static bool page_change(struct work *work, enum walk walk, struct rotation *rotation, int64_t to, int64_t *put)
{
    const struct covered_column *column =
        walk == WALK_COVER ? walk_covered(rotation->column, rotation->manager) : &walk_indexed(rotation->column)->from;
    PGresult *page = walk_page(work, walk, rotation, rotation->block, to);
    size_t count = page ? (size_t)PQntuples(page) : 0;
    struct bytes *fresh = arena_take(work->arena, count * sizeof *fresh + 1);
    if (!page || !fresh) {
        PQclear(page);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct bytes old = pg_get_bytes(page, (int)i, 2);
        struct cover_place place = {column->place, rotation->manager, PQgetvalue(page, (int)i, 1)};
        struct bytes plain = cover_take(work->arena, place, old.data, old.len);
        fresh[i] = (struct bytes){NULL, 0};
        if (!plain.data)
            continue;
        fresh[i] = walk == WALK_COVER ? fresh_cover(work, rotation, page, (int)i, &plain)
                                      : fresh_token(work, rotation, page, (int)i, &plain);
        OPENSSL_cleanse(plain.data, plain.len);
    }
    bool done = walk_put(work, walk, rotation, page, fresh, put);
    PQclear(page);
    return done;
}

/* Rows under an earlier key, by what becomes of them. */
struct remaining {
    int64_t rows[COVER_KEPT + 1];
};

/* Each column by one look at all of it: what moved while the pass went by is counted too. */
static bool remaining_count(
    struct work *work, enum walk walk, const struct rotation *rotation, struct remaining *remaining)
{
    memset(remaining, 0, sizeof *remaining);
    for (size_t i = 0; i < walk_columns(walk, rotation->manager); i++) {
        int64_t rows;
        if (!walk_remaining(work, walk, rotation, i, &rows))
            return false;
        remaining->rows[walk == WALK_COVER ? walk_covered(i, rotation->manager)->how : COVER_ANEW] += rows;
    }
    return true;
}

static bool place_commit(struct work *work, const struct rotation *rotation, const char *instance, int64_t wait_s)
{
    rotation_place_put(work->pg, rotation, wait_s);
    rotation_hold(work->pg, instance, lease_ms());
    return work_commit(work, NULL) == OUTCOME_DONE;
}

static bool phase_end(
    struct work *work, const struct phase *phase, const struct rotation *rotation, const char *instance, bool kept)
{
    struct rotation_step then = phase->then;
    if (kept)
        then.old_state = "leaving";
    rotation_step_put(work->pg, rotation, &then);
    return step_commit(work, rotation, instance, then.phase);
}

/* The pass is through. Nothing left: so is the phase. Else another pass: at once if this one changed anything, soon for
 * what passes by itself, and later, loudly, for what could not be changed. */
static bool pass_end(struct work *work, const struct phase *phase, struct rotation *rotation, const char *instance)
{
    struct remaining remaining;
    if (!remaining_count(work, phase->walk, rotation, &remaining))
        return false;
    int64_t rows = remaining.rows[COVER_ANEW];
    if (rows == 0 && remaining.rows[COVER_PASSES] == 0)
        return phase_end(work, phase, rotation, instance, remaining.rows[COVER_KEPT] > 0);
    bool held_up = rows > 0 && rotation->changed == 0;
    if (held_up)
        journal(JOURNAL_ERROR, NULL, "key_rotation_held_up", WORD("kind", rotation->kind),
            WORD("manager", rotation->manager), NUMBER("rows", rows));
    rotation->column = 0;
    rotation->block = rotation->changed = 0;
    rotation->rows_total = rotation->rows_done + rows;
    return place_commit(work, rotation, instance, held_up ? HELD_UP_S : rows == 0 ? PASSING_S : 0);
}

static bool column_stays(const struct phase *phase, const struct rotation *rotation)
{
    return phase->walk == WALK_COVER && walk_covered(rotation->column, rotation->manager)->how != COVER_ANEW;
}

static bool blocks_change(struct work *work, const struct phase *phase, struct rotation *rotation, const char *instance)
{
    int64_t blocks, put = 0, to = rotation->block + BLOCKS_AT_ONCE;
    if (!walk_blocks(work, phase->walk, rotation, &blocks))
        return false;
    if (column_stays(phase, rotation) || rotation->block >= blocks) {
        rotation->column++;
        rotation->block = 0;
        return place_commit(work, rotation, instance, 0);
    }
    if (!(phase->walk == WALK_SWITCH ? walk_switch(work, rotation, rotation->block, to, &put)
                                     : page_change(work, phase->walk, rotation, to, &put)))
        return false;
    rotation->rows_done += put;
    rotation->changed += put;
    if (put == 0)
        rotation->block = to;
    return place_commit(work, rotation, instance, 0);
}

static bool walk_go(struct work *work, const struct phase *phase, struct rotation *rotation, const char *instance)
{
    if (!work_begin(work, rotation->manager))
        return false;
    if (rotation->block < 0) {
        struct remaining remaining;
        if (!remaining_count(work, phase->walk, rotation, &remaining))
            return false;
        rotation->block = 0;
        rotation->rows_total = remaining.rows[COVER_ANEW];
        return place_commit(work, rotation, instance, 0);
    }
    if (rotation->column >= walk_columns(phase->walk, rotation->manager))
        return pass_end(work, phase, rotation, instance);
    return blocks_change(work, phase, rotation, instance);
}

/* --- turns ----------------------------------------------------------------------------------------------------------
 */

static bool rotation_go(struct work *work, struct rotation *rotation, const char *instance)
{
    const struct phase *phase = phase_of(rotation);
    bool reached = false;
    if (strcmp(rotation->kind, "wrap") == 0)
        return wrap_replace(work, rotation, instance);
    if (strcmp(rotation->phase, "asked") == 0)
        return key_make(work, rotation, instance);
    if (!phase || !key_holders_reached(work->pg, rotation->generation, lease_ms(), &reached, &work->fault) || !reached)
        return false;
    if (phase->walk != NO_WALK)
        return walk_go(work, phase, rotation, instance);
    struct rotation_step step = phase->then;
    if (phase->overlaps)
        step.due_s = setting_number("SHIKAKU_KEY_OVERLAP_S");
    return step_take(work, rotation, instance, &step);
}

int rotation_turn(struct work *work, const char *instance)
{
    struct rotation rotation;
    bool leased = false;
    if (!rotation_due(work->pg, &rotation, &work->fault) ||
        !rotation_lease(work->pg, instance, lease_ms(), &leased, &work->fault) || !leased)
        return 0;
    if (rotation_go(work, &rotation, instance))
        return 1;
    if (pg_in_transaction(work->pg))
        pg_rollback(work->pg);
    return 0;
}
