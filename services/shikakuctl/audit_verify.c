#include "shikakuctl/audit_verify.h"

#include "audit.pb-c.h"
#include "chassis/merkle.h"
#include "chassis/work.h"
#include "shikakuctl/log_store.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_AT_ONCE 2000
#define KEYS_MAX 64
#define ARENA_BYTES (4 * 1024 * 1024)

/* The end of one worker's chain, as read so far. */
struct chain {
    char name[128]; /* service/instance/worker */
    uint64_t sequence;
    uint8_t digest[AUDIT_DIGEST_BYTES];
};

struct verification {
    struct audit_verdict *verdict;
    struct audit_head *heads; /* those in force, by size */
    size_t head_count, head_next;
    uint8_t keys[KEYS_MAX][32];
    size_t key_count;
    struct merkle tree;
    void *chains; /* a tree of tsearch */
};

static bool found(struct verification *v, const char *finding, uint64_t at)
{
    if (!v->verdict->finding) {
        v->verdict->finding = finding;
        v->verdict->at = at;
    }
    return false;
}

static bool keys_read(struct verification *v, const char *path)
{
    char line[128];
    FILE *file = fopen(path, "re");
    while (file && v->key_count < KEYS_MAX && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        v->key_count += hex_take(v->keys[v->key_count], 32, line);
    }
    if (file)
        fclose(file);
    return v->key_count > 0;
}

static bool key_is_known(const struct verification *v, const uint8_t key[32])
{
    for (size_t i = 0; i < v->key_count; i++)
        if (memcmp(v->keys[i], key, 32) == 0)
            return true;
    return false;
}

static int by_size(const void *one, const void *other)
{
    const struct audit_head *a = one, *b = other;
    return a->size < b->size ? -1 : a->size > b->size;
}

static bool head_put(struct verification *v, const struct audit_head *head, uint64_t number)
{
    struct audit_head *more = realloc(v->heads, (v->head_count + 1) * sizeof *more);
    if (!more)
        return found(v, "memory_out", number);
    v->heads = more;
    v->heads[v->head_count++] = *head;
    return true;
}

static bool head_take(struct verification *v, const struct audit_head *head, uint64_t number)
{
    if (!key_is_known(v, head->public_key))
        return found(v, "head_of_unknown_key", number);
    if (!audit_head_check(head))
        return found(v, "head_signature_wrong", number);
    v->verdict->heads++;
    return head_put(v, head, number);
}

/* It must start from the newest head there is; those over where it goes to are no longer held against the log, all
 * others are, and so is where it goes to. */
static bool reconciliation_take(struct verification *v, const struct audit_reconciliation *stated, uint64_t number)
{
    struct audit_head to = {.size = stated->to_size}, newest = {0};
    size_t kept = 0, place = v->verdict->reconciled;
    if (!key_is_known(v, stated->public_key))
        return found(v, "head_of_unknown_key", number);
    if (!audit_reconciliation_check(stated))
        return found(v, "head_signature_wrong", number);
    memcpy(to.root, stated->to_root, sizeof to.root);
    for (size_t i = 0; i < v->head_count; i++) {
        if (v->heads[i].size >= newest.size)
            newest = v->heads[i];
        if (v->heads[i].size <= to.size)
            v->heads[kept++] = v->heads[i];
    }
    if (newest.size != stated->from_size || memcmp(newest.root, stated->from_root, sizeof newest.root) != 0)
        return found(v, "reconciled_from_elsewhere", number);
    if (place == AUDIT_RECONCILED_MAX)
        return found(v, "reconciled_too_often", number);
    v->verdict->reconciliations[place].stated = *stated;
    v->verdict->reconciliations[place].heads_abandoned = v->head_count - kept;
    v->verdict->reconciled++;
    v->head_count = kept;
    return head_put(v, &to, number);
}

static bool line_take(struct verification *v, const char *line, uint64_t number)
{
    struct audit_head head;
    struct audit_reconciliation stated;
    if (audit_head_parse(&head, line))
        return head_take(v, &head, number);
    if (audit_reconciliation_parse(&stated, line))
        return reconciliation_take(v, &stated, number);
    return found(v, "witness_line_malformed", number);
}

/* A line without an end was being written when the machine lost power; its head proves nothing and is not needed. */
static void heads_read(struct verification *v, const char *path)
{
    char line[AUDIT_LINE_MAX];
    uint64_t number = 0;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        number++;
        if (!strchr(line, '\n') && feof(file))
            break;
        if (!line_take(v, line, number))
            break;
    }
    if (file)
        fclose(file);
    if (v->head_count)
        qsort(v->heads, v->head_count, sizeof *v->heads, by_size);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct chain *)one)->name, ((const struct chain *)other)->name);
}

static struct chain *chain_of(struct verification *v, const struct audit_record *record)
{
    struct chain wanted = {.name = ""};
    snprintf(wanted.name, sizeof wanted.name, "%s/%s/%u", record->service, record->instance, record->worker);
    void *node = tfind(&wanted, &v->chains, by_name);
    if (node)
        return *(struct chain **)node;
    struct chain *made = malloc(sizeof *made);
    if (!made)
        return NULL;
    *made = wanted;
    if (!tsearch(made, &v->chains, by_name)) {
        free(made);
        return NULL;
    }
    return made;
}

static bool link_check(struct verification *v, const struct audit_record *record, uint64_t position)
{
    uint8_t digest[AUDIT_DIGEST_BYTES];
    struct chain *chain = chain_of(v, record);
    if (!chain)
        return found(v, "memory_out", position);
    audit_link_digest(record, digest);
    if (record->digest.len != sizeof digest || memcmp(record->digest.data, digest, sizeof digest) != 0)
        return found(v, "record_altered", position);
    if (record->sequence != chain->sequence + 1 || record->previous.len != sizeof digest ||
        memcmp(record->previous.data, chain->digest, sizeof digest) != 0)
        return found(v, "record_missing_or_moved", position);
    chain->sequence = record->sequence;
    memcpy(chain->digest, digest, sizeof digest);
    return true;
}

/* All heads of the size that the tree has now. */
static bool heads_check(struct verification *v)
{
    uint8_t root[MERKLE_HASH_BYTES];
    if (v->head_next == v->head_count || v->heads[v->head_next].size != v->tree.size)
        return true;
    merkle_root(&v->tree, root);
    for (; v->head_next < v->head_count && v->heads[v->head_next].size == v->tree.size; v->head_next++)
        if (memcmp(v->heads[v->head_next].root, root, sizeof root) != 0)
            return found(v, "log_differs_from_witness", v->tree.size);
    return true;
}

/* The one that the log must have its record of at this position: of two to the same place, the later. */
static struct audit_reconciled *reconciled_at(const struct verification *v, uint64_t position)
{
    for (size_t i = v->verdict->reconciled; i > 0; i--) {
        struct audit_reconciled *reconciled = &v->verdict->reconciliations[i - 1];
        if (reconciled->stated.to_size == position)
            return reconciled;
        if (reconciled->stated.to_size < position) /* what stood here before it is gone */
            return NULL;
    }
    return NULL;
}

static bool reconciled_check(struct verification *v, const struct audit_record *record, uint64_t position)
{
    struct audit_reconciled *reconciled = reconciled_at(v, position);
    Audit__Event *event = strcmp(record->service, "audit") == 0
                              ? audit__event__unpack(NULL, record->event.len, record->event.data)
                              : NULL;
    bool states = event && strcmp(event->act, AUDIT_RECONCILE) == 0;
    bool fits = states && reconciled && event->count == audit_reconciliation_lost(&reconciled->stated);
    if (fits && !strpbrk(event->reason, "\"\\"))
        snprintf(reconciled->reason, sizeof reconciled->reason, "%s", event->reason);
    audit__event__free_unpacked(event, NULL);
    if (states && !reconciled)
        return found(v, "reconciliation_not_in_witness", position);
    return !reconciled || fits ? true : found(v, "reconciliation_not_in_log", position);
}

static bool record_check(struct verification *v, const struct audit_record *record, uint64_t position)
{
    uint8_t leaf[AUDIT_DIGEST_BYTES];
    if (position != v->tree.size)
        return found(v, "position_missing", v->tree.size);
    if (!link_check(v, record, position) || !reconciled_check(v, record, position))
        return false;
    if (!audit_leaf(record, leaf))
        return found(v, "memory_out", position);
    merkle_add(&v->tree, leaf);
    return heads_check(v);
}

/* False when the database failed; a finding ends the reading with true. */
static bool log_check(struct verification *v, struct pg *pg, struct arena *arena, struct fault *fault)
{
    int count;
    do {
        PGresult *rows = log_list(pg, v->tree.size, ROWS_AT_ONCE, fault);
        if (!rows)
            return false;
        count = PQntuples(rows);
        for (int row = 0; row < count && !v->verdict->finding; row++) {
            struct audit_record record;
            uint64_t position;
            if (!log_row(rows, row, arena, &position, &record))
                found(v, "memory_out", v->tree.size);
            else
                (void)record_check(v, &record, position);
        }
        PQclear(rows);
        arena_reset(arena);
    } while (count && !v->verdict->finding);
    return true;
}

static void conclude(struct verification *v)
{
    struct audit_verdict *verdict = v->verdict;
    uint64_t covered = v->head_count ? v->heads[v->head_count - 1].size : 0;
    verdict->events = v->tree.size;
    if (covered > v->tree.size)
        found(v, "log_shorter_than_witness", covered);
    else if (v->tree.size && !v->head_count)
        found(v, "no_signed_head", 0);
    else if (reconciled_at(v, v->tree.size))
        found(v, "reconciliation_not_in_log", v->tree.size);
    verdict->uncovered = covered < v->tree.size ? v->tree.size - covered : 0;
    verdict->whole = !verdict->finding;
}

bool audit_verify(
    struct pg *pg, const char *witness, const char *public_keys, struct audit_verdict *verdict, struct fault *fault)
{
    struct verification *v = calloc(1, sizeof *v);
    struct arena *arena = arena_new(ARENA_BYTES);
    memset(verdict, 0, sizeof *verdict);
    bool known = false;
    if (!v || !arena) {
        fault_set(fault, FAULT_internal, NULL);
        goto out;
    }
    v->verdict = verdict;
    if (!keys_read(v, public_keys)) {
        fault_set(fault, FAULT_not_found, "audit.sign.pub");
        goto out;
    }
    heads_read(v, witness);
    known = (!verdict->finding && heads_check(v) && log_check(v, pg, arena, fault)) || verdict->finding;
    if (known)
        conclude(v);
out:
    if (v) {
        tdestroy(v->chains, free);
        free(v->heads);
    }
    free(v);
    arena_free(arena);
    return known;
}
