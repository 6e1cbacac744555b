/* The whole log, from its first entry. Every record's leaf is computed anew and added to the tree; wherever the tree
 * has the size of a head, it must have the head's root. A record whose content was deleted after its time has left its
 * leaf, and a signed record of the deletion later in the log counts them and has their digest. Of one worker's records
 * none is missing but those that a signed record says never came. */
#include "audit_verify/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "shikaku audit export 1\n"
#define ENTRY_MAX (1024 * 1024)
#define SUBTREES_MAX 64
#define CHAINS_FIRST 1024 /* a power of two */
#define NUMBERS_BYTES 45  /* of a record: the mark and what has a fixed length */
#define SERVICE_MAX 32
#define DELETED_BYTES (1 + 8 + 8 + HASH_BYTES)
#define DELETIONS_MAX 65536
#define DELETION_PURPOSE "shikaku audit deletion 1"
#define GAP_PURPOSE "shikaku audit gap 1"

/* The last record read of one worker. */
struct chain {
    uint8_t instance[16];
    uint32_t worker;
    char service[SERVICE_MAX];
    uint64_t sequence;     /* 0: the place is empty */
    uint64_t deleted_then; /* entries without content that had been read by then */
};

/* Leaves that say they were left by one deletion. */
struct deletion {
    uint64_t position; /* of its record */
    uint64_t count;
    uint8_t digest[HASH_BYTES]; /* SHA-256(digest so far, position 8, leaf), from zeroes */
    bool recorded;
};

struct reading {
    struct verdict *verdict;
    const struct keys *keys;
    struct head *heads;
    size_t head_count, head_next;
    uint64_t size; /* of the tree */
    int subtree_count;
    uint8_t subtrees[SUBTREES_MAX][HASH_BYTES]; /* complete ones, largest first */
    struct chain *chains;                       /* open addressing */
    size_t chain_room, chain_count;
    struct deletion *deletions;
    size_t deletion_count;
    uint64_t deleted;
};

static uint64_t number(const uint8_t *at, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* The tree */

static void leaf_add(struct reading *r, const uint8_t leaf[HASH_BYTES])
{
    uint8_t grown[HASH_BYTES];
    memcpy(grown, leaf, HASH_BYTES);
    for (uint64_t bits = r->size; bits & 1; bits >>= 1)
        hash_node(r->subtrees[--r->subtree_count], grown, grown);
    memcpy(r->subtrees[r->subtree_count++], grown, HASH_BYTES);
    r->size++;
}

static bool heads_hold(struct reading *r)
{
    uint8_t root[HASH_BYTES];
    if (r->head_next == r->head_count || r->heads[r->head_next].size != r->size)
        return true;
    if (r->size == 0)
        hash("", 0, root);
    else
        memcpy(root, r->subtrees[r->subtree_count - 1], HASH_BYTES);
    for (int i = r->subtree_count - 2; i >= 0; i--)
        hash_node(r->subtrees[i], root, root);
    for (; r->head_next < r->head_count && r->heads[r->head_next].size == r->size; r->head_next++)
        if (memcmp(r->heads[r->head_next].root, root, HASH_BYTES) != 0)
            return verdict_found(r->verdict, "log_differs_from_witness", r->size);
    return true;
}

/* Workers' chains */

static size_t chain_place(const struct chain *chains, size_t room, const struct chain *wanted)
{
    size_t at = (size_t)number(wanted->instance + 8, 8) + wanted->worker;
    for (;; at++) {
        const struct chain *there = &chains[at & (room - 1)];
        if (!there->sequence ||
            (there->worker == wanted->worker && memcmp(there->instance, wanted->instance, 16) == 0 &&
                strcmp(there->service, wanted->service) == 0))
            return at & (room - 1);
    }
}

static bool chains_grow(struct reading *r)
{
    size_t room = r->chain_room ? 2 * r->chain_room : CHAINS_FIRST;
    struct chain *chains = calloc(room, sizeof *chains);
    if (!chains)
        return false;
    for (size_t i = 0; i < r->chain_room; i++)
        if (r->chains[i].sequence)
            chains[chain_place(chains, room, &r->chains[i])] = r->chains[i];
    free(r->chains);
    r->chains = chains;
    r->chain_room = room;
    return true;
}

/* A gap is as long as the log has entries without content since, at most. */
static bool chain_follows(struct reading *r, const struct chain *read)
{
    if (2 * r->chain_count >= r->chain_room && !chains_grow(r))
        return verdict_found(r->verdict, "memory_out", r->size);
    struct chain *chain = &r->chains[chain_place(r->chains, r->chain_room, read)];
    if (read->sequence <= chain->sequence || read->sequence - chain->sequence - 1 > r->deleted - chain->deleted_then)
        return verdict_found(r->verdict, "record_missing_or_moved", r->size);
    r->chain_count += chain->sequence == 0;
    *chain = *read;
    chain->deleted_then = r->deleted;
    return true;
}

/* Reconciliations */

/* The one that the log must have its record of at this position: of two to the same place, the later. */
static struct reconciled *reconciled_at(const struct reading *r, uint64_t position)
{
    for (size_t i = r->verdict->reconciled_count; i > 0; i--) {
        struct reconciled *reconciled = &r->verdict->reconciled[i - 1];
        if (reconciled->to_size == position)
            return reconciled;
        if (reconciled->to_size < position) /* what stood here before it is gone */
            return NULL;
    }
    return NULL;
}

/* The event of an act `audit_reconcile`: "LOST REASON". Witness and log must both state it. */
static bool reconciled_check(struct reading *r, bool states, const uint8_t *event, size_t len)
{
    struct reconciled *reconciled = reconciled_at(r, r->size);
    char text[128];
    uint64_t lost;
    if (!states)
        return reconciled ? verdict_found(r->verdict, "reconciliation_not_in_log", r->size) : true;
    if (!reconciled)
        return verdict_found(r->verdict, "reconciliation_not_in_witness", r->size);
    if (len >= sizeof text)
        return verdict_found(r->verdict, "reconciliation_not_in_log", r->size);
    memcpy(text, event, len);
    text[len] = '\0';
    return sscanf(text, "%" SCNu64 " %80[A-Za-z0-9._:/-]", &lost, reconciled->reason) == 2 && lost == reconciled->lost
               ? true
               : verdict_found(r->verdict, "reconciliation_not_in_log", r->size);
}

/* Deletions */

static struct deletion *deletion_of(struct reading *r, uint64_t position)
{
    for (size_t i = r->deletion_count; i > 0; i--)
        if (r->deletions[i - 1].position == position)
            return &r->deletions[i - 1];
    if (r->deletion_count == DELETIONS_MAX)
        return NULL;
    struct deletion *more = realloc(r->deletions, (r->deletion_count + 1) * sizeof *more);
    if (!more)
        return NULL;
    r->deletions = more;
    r->deletions[r->deletion_count] = (struct deletion){.position = position};
    return &r->deletions[r->deletion_count++];
}

static bool deleted_read(struct reading *r, const uint8_t *entry, size_t len)
{
    uint8_t said[HASH_BYTES + 8 + HASH_BYTES];
    if (len != DELETED_BYTES)
        return verdict_found(r->verdict, "export_malformed", r->size);
    if (number(entry + 1, 8) != r->size)
        return verdict_found(r->verdict, "position_missing", r->size);
    if (!reconciled_check(r, false, NULL, 0))
        return false;
    struct deletion *deletion = deletion_of(r, number(entry + 9, 8));
    if (!deletion)
        return verdict_found(r->verdict, "memory_out", r->size);
    if (deletion->position <= r->size)
        return verdict_found(r->verdict, "deleted_without_record", r->size);
    memcpy(said, deletion->digest, HASH_BYTES);
    memcpy(said + HASH_BYTES, entry + 1, 8);
    memcpy(said + HASH_BYTES + 8, entry + 17, HASH_BYTES);
    hash(said, sizeof said, deletion->digest);
    deletion->count++;
    r->deleted++;
    leaf_add(r, entry + 17);
    return heads_hold(r);
}

/* The event of an act `log_deleted`: "KIND MONTH COUNT DIGEST KEY SIGNATURE", signed over the purpose, a blank and what
 * stands before KEY. */
static bool deletion_check(struct reading *r, const uint8_t *event, size_t len)
{
    char text[512], said[512 + sizeof DELETION_PURPOSE], digest[65], key_text[65], signature_text[129], rest;
    uint8_t wanted[HASH_BYTES], key[HASH_BYTES], signature[SIGNATURE_BYTES];
    uint64_t count;
    int before_key;
    if (len >= sizeof text)
        return verdict_found(r->verdict, "deletion_malformed", r->size);
    memcpy(text, event, len);
    text[len] = '\0';
    if (sscanf(text, "%*20s %*7s %" SCNu64 " %64s %n%64s %128s %c", &count, digest, &before_key, key_text,
            signature_text, &rest) != 4 ||
        !hex_read(wanted, HASH_BYTES, digest) || !hex_read(key, HASH_BYTES, key_text) ||
        !hex_read(signature, SIGNATURE_BYTES, signature_text))
        return verdict_found(r->verdict, "deletion_malformed", r->size);
    int said_len = snprintf(said, sizeof said, DELETION_PURPOSE " %.*s", before_key - 1, text);
    if (!keys_hold(r->keys, key) || !signature_check(key, said, (size_t)said_len, signature))
        return verdict_found(r->verdict, "deletion_not_signed", r->size);
    struct deletion *deletion = deletion_of(r, r->size);
    if (!deletion)
        return verdict_found(r->verdict, "memory_out", r->size);
    deletion->recorded = true;
    return deletion->count == count && memcmp(deletion->digest, wanted, HASH_BYTES) == 0
               ? true
               : verdict_found(r->verdict, "deleted_without_record", r->size);
}

/* Gaps */

static bool instance_read(uint8_t instance[16], const char *uuid)
{
    char digits[33];
    size_t used = 0;
    for (const char *at = uuid; *at && used < sizeof digits - 1; at++)
        if (*at != '-')
            digits[used++] = *at;
    digits[used] = '\0';
    return strlen(uuid) == 36 && hex_read(instance, 16, digits);
}

static bool gap_parse(const uint8_t *event, size_t len, struct stated_gap *gap, char said[512], uint8_t key[HASH_BYTES],
    uint8_t signature[SIGNATURE_BYTES])
{
    char text[448], key_text[65], signature_text[129], rest;
    int before_key;
    if (len >= sizeof text)
        return false;
    memcpy(text, event, len);
    text[len] = '\0';
    if (sscanf(text, "%31[a-z_] %36[0-9a-f-] %" SCNu32 " %" SCNu64 " %" SCNu64 " %80[A-Za-z0-9._/-] %n%64s %128s %c",
            gap->service, gap->instance, &gap->worker, &gap->from, &gap->to, gap->reason, &before_key, key_text,
            signature_text, &rest) != 8)
        return false;
    snprintf(said, 512, GAP_PURPOSE " %.*s", before_key - 1, text);
    return hex_read(key, HASH_BYTES, key_text) && hex_read(signature, SIGNATURE_BYTES, signature_text);
}

/* The event of an act `log_gap`: "SERVICE INSTANCE WORKER FROM TO REASON KEY SIGNATURE", signed over the purpose, a
 * blank and what stands before KEY. The worker's records end where it begins, but for those that were deleted since. */
static bool gap_check(struct reading *r, const uint8_t *event, size_t len)
{
    struct stated_gap gap = {.at = r->size};
    struct chain read = {.deleted_then = r->deleted};
    char said[512];
    uint8_t key[HASH_BYTES], signature[SIGNATURE_BYTES];
    if (!gap_parse(event, len, &gap, said, key, signature) || !instance_read(read.instance, gap.instance) ||
        gap.from == 0 || gap.to + 1 < gap.from)
        return verdict_found(r->verdict, "gap_malformed", r->size);
    if (!keys_hold(r->keys, key) || !signature_check(key, said, strlen(said), signature))
        return verdict_found(r->verdict, "gap_not_signed", r->size);
    read.worker = gap.worker;
    strcpy(read.service, gap.service);
    if (2 * r->chain_count >= r->chain_room && !chains_grow(r))
        return verdict_found(r->verdict, "memory_out", r->size);
    struct chain *chain = &r->chains[chain_place(r->chains, r->chain_room, &read)];
    if (gap.from - 1 < chain->sequence || gap.from - 1 - chain->sequence > r->deleted - chain->deleted_then)
        return verdict_found(r->verdict, "gap_elsewhere", r->size);
    read.sequence = gap.to;
    if (read.sequence > chain->sequence) {
        r->chain_count += chain->sequence == 0;
        *chain = read;
    }
    if (r->verdict->gap_count < GAPS_MAX)
        r->verdict->gaps[r->verdict->gap_count] = gap;
    r->verdict->gap_count++;
    return true;
}

/* Records */

static bool text_is(const uint8_t *text, const char *wanted)
{
    return text[0] == strlen(wanted) && memcmp(text + 1, wanted, text[0]) == 0;
}

/* What audit states of the log itself, in plain. */
static bool statement_check(struct reading *r, const uint8_t *service, const uint8_t *kind, const uint8_t *act,
    const uint8_t *event, size_t len)
{
    bool states = text_is(service, "audit") && text_is(kind, "log");
    return reconciled_check(r, states && text_is(act, "audit_reconcile"), event, len) &&
           (!states || !text_is(act, "log_deleted") || deletion_check(r, event, len)) &&
           (!states || !text_is(act, "log_gap") || gap_check(r, event, len));
}

/* Texts stand one behind the other, each behind a byte of length: service, kind, manager, act, outcome. */
static bool record_read(struct reading *r, const uint8_t *entry, size_t len)
{
    struct chain chain = {.sequence = 0};
    uint8_t leaf[HASH_BYTES];
    size_t at = NUMBERS_BYTES, text_at[5];
    for (int i = 0; i < 5; i++) {
        text_at[i] = at;
        if (at >= len || at + 1 + entry[at] > len)
            return verdict_found(r->verdict, "export_malformed", r->size);
        at += 1 + (size_t)entry[at];
    }
    if (at + 2 > len || at + 2 + 8 * number(entry + at, 2) > len || entry[text_at[0]] >= SERVICE_MAX)
        return verdict_found(r->verdict, "export_malformed", r->size);
    at += 2 + 8 * number(entry + at, 2);
    if (number(entry + 1, 8) != r->size)
        return verdict_found(r->verdict, "position_missing", r->size);
    memcpy(chain.instance, entry + 17, 16);
    chain.worker = (uint32_t)number(entry + 33, 4);
    chain.sequence = number(entry + 37, 8);
    memcpy(chain.service, entry + text_at[0] + 1, entry[text_at[0]]);
    if (chain.sequence == 0 || !chain_follows(r, &chain))
        return verdict_found(r->verdict, "record_missing_or_moved", r->size);
    if (!statement_check(r, entry + text_at[0], entry + text_at[1], entry + text_at[3], entry + at, len - at))
        return false;
    hash(entry, len, leaf);
    leaf_add(r, leaf);
    return heads_hold(r);
}

static bool entries_read(struct reading *r, FILE *export)
{
    uint8_t *entry = malloc(ENTRY_MAX), length[4];
    bool going = entry != NULL;
    size_t got = 0;
    while (going && (got = fread_unlocked(length, 1, sizeof length, export)) == sizeof length) {
        size_t len = (size_t)number(length, 4);
        if (len == 0 || len > ENTRY_MAX || fread_unlocked(entry, 1, len, export) != len)
            going = verdict_found(r->verdict, "export_malformed", r->size);
        else if (entry[0] == 0x00)
            going = record_read(r, entry, len);
        else
            going =
                entry[0] == 0x02 ? deleted_read(r, entry, len) : verdict_found(r->verdict, "export_malformed", r->size);
    }
    if (going && got != 0)
        verdict_found(r->verdict, "export_malformed", r->size);
    free(entry);
    return going;
}

static void conclude(struct reading *r)
{
    struct verdict *verdict = r->verdict;
    uint64_t covered = r->head_count ? r->heads[r->head_count - 1].size : 0;
    verdict->events = r->size;
    verdict->deleted = r->deleted;
    verdict->uncovered = covered < r->size ? r->size - covered : 0;
    for (size_t i = 0; i < r->deletion_count; i++)
        if (!r->deletions[i].recorded)
            verdict_found(verdict, "deleted_without_record", r->deletions[i].position);
    if (covered > r->size)
        verdict_found(verdict, "log_shorter_than_witness", covered);
    else if (r->size && !r->head_count)
        verdict_found(verdict, "no_signed_head", 0);
    else if (reconciled_at(r, r->size))
        verdict_found(verdict, "reconciliation_not_in_log", r->size);
    verdict->whole = !verdict->finding;
}

void log_verify(FILE *export, FILE *heads, const struct keys *keys, struct verdict *verdict)
{
    char first[sizeof FIRST_LINE] = "";
    struct reading *r = calloc(1, sizeof *r);
    memset(verdict, 0, sizeof *verdict);
    if (!r) {
        verdict_found(verdict, "memory_out", 0);
        return;
    }
    r->verdict = verdict;
    r->keys = keys;
    setvbuf(export, NULL, _IOFBF, ENTRY_MAX);
    if (!heads_load(&r->heads, &r->head_count, keys, heads, verdict))
        goto out;
    if (!fgets(first, sizeof first, export) || strcmp(first, FIRST_LINE) != 0) {
        verdict_found(verdict, "export_malformed", 0);
        goto out;
    }
    if (heads_hold(r) && entries_read(r, export))
        conclude(r);
out:
    if (r->size > verdict->events)
        verdict->events = r->size;
    free(r->heads);
    free(r->chains);
    free(r->deletions);
    free(r);
}
