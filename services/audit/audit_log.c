#include "audit/audit_log.h"

#include "chassis/journal.h"
#include "chassis/meters.h"

#include <string.h>

/* Does this record follow the end of its chain as the log has it? */
static bool follows(const struct chain_end *end, const struct audit_record *record)
{
    uint8_t digest[AUDIT_DIGEST_BYTES];
    audit_link_digest(record, digest);
    return record->sequence == end->sequence + 1 &&
           memcmp(record->previous.data, end->digest, sizeof end->digest) == 0 &&
           memcmp(record->digest.data, digest, sizeof digest) == 0;
}

/* How many records at the front are in the log already: the relay sends again what it does not know to be taken. */
static size_t known_count(const struct chain_end *end, const struct audit_chain *chain)
{
    size_t known = 0;
    while (known < chain->count && chain->records[known].sequence <= end->sequence)
        known++;
    return known;
}

/* What was sent again must be what the log has, as far as its end shows. */
static bool known_agree(const struct chain_end *end, const struct audit_chain *chain, size_t known)
{
    const struct audit_record *last = known ? &chain->records[known - 1] : NULL;
    return !last || last->sequence != end->sequence || memcmp(last->digest.data, end->digest, sizeof end->digest) == 0;
}

static bool chain_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chain,
    struct merkle *tree, struct fault *fault)
{
    struct chain_end end;
    if (!chain_read(pg, service, chain->instance, chain->worker, &end, fault))
        return false;
    size_t from = known_count(&end, chain), to = from;
    chain->broken = !known_agree(&end, chain, from);
    uint64_t position = tree->size;
    while (!chain->broken && to < chain->count) {
        const struct audit_record *record = &chain->records[to];
        uint8_t leaf[AUDIT_DIGEST_BYTES];
        if (!follows(&end, record)) {
            chain->broken = true;
            break;
        }
        if (!audit_leaf(record, leaf))
            return fault_set(fault, FAULT_internal, NULL);
        merkle_add(tree, leaf);
        end.sequence = record->sequence;
        memcpy(end.digest, record->digest.data, sizeof end.digest);
        to++;
    }
    chain->through = end.sequence;
    if (to == from)
        return true;
    chain_put(pg, service, chain->instance, chain->worker, &end);
    return log_put(pg, arena, position, chain->records + from, to - from) || fault_set(fault, FAULT_internal, NULL);
}

bool log_append(struct pg *pg, struct arena *arena, const char *service, struct audit_chain *chains, size_t count,
    struct fault *fault)
{
    struct merkle tree;
    if (!sequencer_take(pg, &tree, fault))
        return false;
    uint64_t before = tree.size;
    for (size_t i = 0; i < count; i++) {
        if (!chain_append(pg, arena, service, &chains[i], &tree, fault))
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
    return true;
}
