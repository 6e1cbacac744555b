#include "audit/retention.h"

#include "audit/audit_log.h"
#include "chassis/journal.h"
#include "chassis/settings.h"

#include <endian.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PURPOSE "shikaku audit deletion 1"
#define LEAVES_AT_ONCE 2000
#define TURN_MS (3600 * 1000)

static const struct {
    const char *kind, *setting;
} kept[] = {
#define KIND(name, NAME, months, japanese) {#name, "SHIKAKU_KEEP_" #NAME "_MONTHS"},
#define ACT(act, kind)
#define BARE(route, why)
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

struct ending {
    uint64_t count;
    uint8_t digest[MERKLE_HASH_BYTES];
};

static bool leaf_take(struct ending *ending, int64_t position, struct bytes leaf)
{
    uint8_t said[MERKLE_HASH_BYTES + 8 + MERKLE_HASH_BYTES];
    uint64_t number = htobe64((uint64_t)position);
    if (leaf.len != MERKLE_HASH_BYTES)
        return false;
    memcpy(said, ending->digest, MERKLE_HASH_BYTES);
    memcpy(said + MERKLE_HASH_BYTES, &number, sizeof number);
    memcpy(said + MERKLE_HASH_BYTES + 8, leaf.data, MERKLE_HASH_BYTES);
    ending->count++;
    return EVP_Digest(said, sizeof said, ending->digest, NULL, EVP_sha256(), NULL) == 1;
}

static bool leaves_take(struct work *work, const char *kind, const char *month, struct ending *ending)
{
    int64_t after = -1;
    int count;
    bool taken = true;
    do {
        PGresult *rows = month_leaves_list(work->pg, kind, month, after, LEAVES_AT_ONCE, &work->fault);
        if (!rows)
            return false;
        count = PQntuples(rows);
        for (int row = 0; row < count && taken; row++)
            taken = leaf_take(ending, after = pg_get_integer(rows, row, 0), pg_get_bytes(rows, row, 1));
        PQclear(rows);
    } while (taken && count == LEAVES_AT_ONCE);
    return taken ? true : fault_set(&work->fault, FAULT_internal, "leaf");
}

/* "KIND MONTH COUNT DIGEST KEY SIGNATURE"; NULL when it cannot be signed. */
static const char *statement_make(struct work *work, const char *kind, const char *month, const struct ending *ending)
{
    char digest[65], public_key[65], signature[129];
    uint8_t raw_key[32], raw_signature[64];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    hex_put(digest, ending->digest, sizeof ending->digest);
    char *said = arena_format(work->arena, PURPOSE " %s %s %" PRIu64 " %s", kind, month, ending->count, digest);
    if (!said || !key || !key_ed25519_public(key, raw_key) || !key_sign(key, said, strlen(said), raw_signature))
        return NULL;
    hex_put(public_key, raw_key, sizeof raw_key);
    hex_put(signature, raw_signature, sizeof raw_signature);
    return arena_format(work->arena, "%s %s %s", said + sizeof PURPOSE, public_key, signature);
}

static bool month_delete(struct work *work, const char *kind, const char *month)
{
    struct merkle tree;
    struct ending ending = {0};
    if (!sequencer_take(work->pg, &tree, &work->fault) || !leaves_take(work, kind, month, &ending) ||
        month_end(work->pg, kind, month, tree.size, &work->fault) != (int64_t)ending.count)
        return false;
    const char *statement = ending.count ? statement_make(work, kind, month, &ending) : NULL;
    if (!ending.count)
        return true;
    if (!statement || !log_append_plain(work->pg, work->arena, &tree, "log_deleted", statement, &work->fault))
        return false;
    sequencer_put(work->pg, &tree);
    journal(JOURNAL_INFO, NULL, "records_of_use_deleted", WORD("kind", kind), WORD("month", month),
        NUMBER("count", (int64_t)ending.count));
    return true;
}

bool retention_end(struct work *work, const char *kind, int64_t keep)
{
    char month[7];
    if (!month_past_find(work->pg, kind, keep, month, &work->fault) || !*month)
        return false;
    pg_begin(work->pg, "*");
    bool deleted = month_delete(work, kind, month);
    if (!deleted)
        pg_rollback(work->pg);
    if (deleted && pg_commit(work->pg, &work->fault))
        return true;
    journal(JOURNAL_ERROR, NULL, "records_of_use_not_deleted", WORD("kind", kind), WORD("month", &month[0]),
        WORD("code", fault_code_text(work->fault.code)));
    return false;
}

int retention_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    static _Atomic int64_t done_at_ms;
    int ended = 0;
    if (clock_ms() - done_at_ms < TURN_MS)
        return 0;
    if (!months_make(work->pg, &work->fault))
        return 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        ended += retention_end(work, kept[i].kind, setting_number(kept[i].setting));
    if (!ended)
        done_at_ms = clock_ms();
    return ended;
}
