#include "audit/audit_log.h"

#include "audit/gap_store.h"
#include "audit/record_cover.h"
#include "chassis/journal.h"
#include "chassis/meters.h"
#include "chassis/work.h"

#include <stdatomic.h>
#include <string.h>

#define OWN_INSTANCE "00000000-0000-0000-0000-000000000000"

static _Atomic uint64_t taken_here;

static void instance_take(uint8_t out[AUDIT_INSTANCE_BYTES], const char *uuid)
{
    char hex[2 * AUDIT_INSTANCE_BYTES + 1];
    size_t used = 0;
    for (const char *at = uuid; *at && used < sizeof hex - 1; at++)
        if (*at != '-')
            hex[used++] = *at;
    hex[used] = '\0';
    if (!hex_take(out, AUDIT_INSTANCE_BYTES, hex))
        memset(out, 0, AUDIT_INSTANCE_BYTES);
}

/* Does this record follow the end of its chain as the log has it? */
static bool follows(const struct chain_end *end, const struct audit_sent *sent)
{
    return sent->sequence == end->sequence + 1 && memcmp(sent->previous.data, end->digest, sizeof end->digest) == 0;
}

/* How many records at the front are in the log already: the relay sends again what it does not know to be taken. */
static size_t known_count(const struct chain_end *end, const struct audit_chain *chain)
{
    size_t known = 0;
    while (known < chain->count && chain->sent[known].sequence <= end->sequence)
        known++;
    return known;
}

/* What was sent again must be what the log has, as far as its end shows. */
static bool known_agree(const struct chain_end *end, const struct audit_chain *chain, size_t known)
{
    const struct audit_sent *last = known ? &chain->sent[known - 1] : NULL;
    return !last || last->sequence != end->sequence || memcmp(last->link.data, end->digest, sizeof end->digest) == 0;
}

static bool tree_grow(
    struct arena *arena, struct merkle *tree, struct audit_record *record, uint8_t leaf[MERKLE_HASH_BYTES])
{
    record->position = tree->size;
    struct bytes put = audit_record_put(arena, record);
    if (!put.data)
        return false;
    merkle_leaf(put.data, put.len, leaf);
    merkle_add(tree, leaf);
    return true;
}

/* A chain's records as the log will have them, but for their places; without an event where one cannot be covered. */
static struct audit_record *chain_cover(
    struct arena *arena, struct record_tokens *tokens, const char *service, const struct audit_chain *chain)
{
    struct audit_record *records = arena_take(arena, (chain->count + 1) * sizeof *records);
    for (size_t i = 0; records && i < chain->count; i++) {
        struct audit_record *record = &records[i];
        memset(record, 0, sizeof *record);
        record->service = service;
        record->worker = chain->worker;
        record->sequence = chain->sent[i].sequence;
        instance_take(record->instance, chain->instance);
        if (!record_cover(arena, tokens, chain->instance, chain->sent[i].event, record))
            record->event = (struct bytes){NULL, 0};
    }
    return records;
}

/* Before the log is held: covering is most of the work, and senders do it side by side. */
static struct audit_record **chains_cover(
    struct arena *arena, const char *service, const struct audit_chain *chains, size_t count)
{
    struct record_tokens tokens = {0};
    struct audit_record **covered = arena_take(arena, (count + 1) * sizeof *covered);
    for (size_t i = 0; covered && i < count; i++)
        if (!(covered[i] = chain_cover(arena, &tokens, service, &chains[i])))
            covered = NULL;
    record_tokens_fini(&tokens);
    return covered;
}

/* Take what follows of a chain from `from` on; returns how many. */
static size_t chain_take(struct arena *arena, struct audit_chain *chain, struct audit_record *covered, size_t from,
    struct chain_end *end, struct merkle *tree, uint8_t (*leaves)[MERKLE_HASH_BYTES])
{
    size_t taken = 0;
    int64_t now = clock_ms();
    for (size_t i = from; i < chain->count; i++, taken++) {
        const struct audit_sent *sent = &chain->sent[i];
        covered[i].appended_ms = now;
        if (!covered[i].event.data || !follows(end, sent) || !tree_grow(arena, tree, &covered[i], leaves[taken])) {
            chain->broken = true;
            break;
        }
        end->sequence = sent->sequence;
        memcpy(end->digest, sent->link.data, sizeof end->digest);
    }
    return taken;
}

/* The chain stands still before `next`. Released, it goes on with it, or behind it where it is no event. */
static bool gap_note(struct pg *pg, const char *service, struct audit_chain *chain, const struct chain_end *end,
    const struct audit_sent *next, struct fault *fault)
{
    bool no_event = follows(end, next);
    struct gap gap = {.service = service,
        .instance = chain->instance,
        .worker = chain->worker,
        .after = end->sequence,
        .resume = no_event ? next->sequence : next->sequence - 1};
    memcpy(gap.digest, no_event ? next->link.data : next->previous.data, sizeof gap.digest);
    return gap_put(pg, &gap, &chain->newly, fault);
}

static bool chain_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chain,
    struct audit_record *covered, struct merkle *tree, struct fault *fault)
{
    struct chain_end end;
    if (!chain_read(pg, service, chain->instance, chain->worker, &end, fault))
        return false;
    size_t from = known_count(&end, chain), taken = 0;
    bool agrees = known_agree(&end, chain, from);
    chain->broken |= !agrees;
    if (agrees && from < chain->count) {
        uint8_t(*leaves)[MERKLE_HASH_BYTES] = arena_take(arena, (chain->count - from) * sizeof *leaves);
        if (!leaves)
            return fault_set(fault, FAULT_internal, NULL);
        taken = chain_take(arena, chain, covered, from, &end, tree, leaves);
        if (taken &&
            !log_put(pg, arena, chain->instance, covered + from, (const uint8_t(*)[MERKLE_HASH_BYTES])leaves, taken))
            return fault_set(fault, FAULT_internal, NULL);
    }
    chain->through = end.sequence;
    if (taken)
        chain_put(pg, service, chain->instance, chain->worker, &end);
    return !agrees || from + taken >= chain->count ||
           gap_note(pg, service, chain, &end, &chain->sent[from + taken], fault);
}

bool log_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chains, size_t count,
    struct fault *fault)
{
    struct merkle tree;
    struct audit_record **covered = chains_cover(arena, service, chains, count);
    if (!covered)
        return fault_set(fault, FAULT_internal, NULL);
    if (!sequencer_take(pg, &tree, fault))
        return false;
    uint64_t before = tree.size;
    for (size_t i = 0; i < count; i++) {
        if (!chain_append(pg, arena, service, &chains[i], covered[i], &tree, fault))
            return false;
        if (chains[i].broken) {
            meter_add(METER_audit_chain_breaks_total, service, 1);
            journal(JOURNAL_ERROR, NULL, "audit_chain_broken", WORD("sender", service),
                WORD("instance", chains[i].instance), NUMBER("worker", chains[i].worker),
                NUMBER("after", chains[i].through));
        }
    }
    if (tree.size != before)
        sequencer_put(pg, &tree);
    atomic_fetch_add_explicit(&taken_here, tree.size - before, memory_order_relaxed);
    return true;
}

uint64_t log_taken(void)
{
    return atomic_load_explicit(&taken_here, memory_order_relaxed);
}

bool log_append_plain(
    struct pg *pg, struct arena *arena, struct merkle *tree, const char *act, const char *event, struct fault *fault)
{
    struct chain_end end;
    uint8_t leaves[1][MERKLE_HASH_BYTES];
    if (!chain_read(pg, "audit", OWN_INSTANCE, 0, &end, fault))
        return false;
    struct audit_record record = {.appended_ms = clock_ms(),
        .sequence = ++end.sequence,
        .service = "audit",
        .kind = act_kind(act),
        .manager = "*",
        .act = act,
        .outcome = "done",
        .event = {(uint8_t *)event, strlen(event)}};
    if (!tree_grow(arena, tree, &record, leaves[0]) ||
        !log_put(pg, arena, OWN_INSTANCE, &record, (const uint8_t(*)[MERKLE_HASH_BYTES])leaves, 1))
        return fault_set(fault, FAULT_internal, NULL);
    memcpy(end.digest, leaves[0], sizeof end.digest);
    chain_put(pg, "audit", OWN_INSTANCE, 0, &end);
    return true;
}
