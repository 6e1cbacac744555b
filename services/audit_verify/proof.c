/* A proof is a few lines of text, small enough to be handed to whom it concerns (README.md):
 *   inclusion     the record's leaf, joined with the path's hashes, gives the head's root
 *   consistency   the same hashes give both the earlier head's root and the later one's */
#include "audit_verify/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (2 * 1024 * 1024 + 64) /* a record in hex */
#define PATH_MAX_HASHES 64
#define HEADS_MAX 2

struct proof {
    bool consistency;
    struct head heads[HEADS_MAX]; /* consistency: the earlier one first */
    int head_count;
    uint64_t position;
    uint8_t leaf[HASH_BYTES];
    bool has_leaf;
    uint8_t path[PATH_MAX_HASHES][HASH_BYTES];
    int path_count;
};

static bool record_take(struct proof *proof, const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *record = malloc(len + 1);
    bool taken = record && len > 9 && hex_read(record, len, hex) && record[0] == 0x00;
    if (taken) {
        hash(record, len, proof->leaf);
        for (int i = 1; i <= 8; i++)
            proof->position = proof->position << 8 | record[i];
        proof->has_leaf = true;
    }
    free(record);
    return taken;
}

static bool line_take(struct proof *proof, const char *line)
{
    if (strcmp(line, "shikaku audit inclusion 1") == 0)
        return true;
    if (strcmp(line, "shikaku audit consistency 1") == 0)
        return proof->consistency = true;
    if (strncmp(line, "head ", 5) == 0 && proof->head_count < HEADS_MAX)
        return head_parse(&proof->heads[proof->head_count++], line + 5);
    if (strncmp(line, "record ", 7) == 0 && !proof->has_leaf)
        return record_take(proof, line + 7);
    if (strncmp(line, "path ", 5) == 0 && proof->path_count < PATH_MAX_HASHES)
        return hex_read(proof->path[proof->path_count++], HASH_BYTES, line + 5);
    return false;
}

static bool proof_read(struct proof *proof, FILE *file, struct verdict *verdict)
{
    char *line = malloc(LINE_MAX_BYTES);
    uint64_t lines = 0;
    bool good = line != NULL;
    while (good && fgets(line, LINE_MAX_BYTES, file)) {
        line[strcspn(line, "\n")] = '\0';
        lines++;
        good = line_take(proof, line);
    }
    free(line);
    good = good && (proof->consistency ? proof->head_count == 2 && !proof->has_leaf
                                       : proof->head_count == 1 && proof->has_leaf);
    return good ? true : verdict_found(verdict, "proof_malformed", lines);
}

/* RFC 9162, 2.1.3.2. */
static bool inclusion_holds(const struct proof *proof)
{
    uint64_t place = proof->position, last = proof->heads[0].size - 1;
    uint8_t root[HASH_BYTES];
    if (proof->position >= proof->heads[0].size)
        return false;
    memcpy(root, proof->leaf, HASH_BYTES);
    for (int i = 0; i < proof->path_count; i++) {
        if (last == 0)
            return false;
        if ((place & 1) || place == last) {
            hash_node(proof->path[i], root, root);
            while (place && !(place & 1)) {
                place >>= 1;
                last >>= 1;
            }
        } else
            hash_node(root, proof->path[i], root);
        place >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(root, proof->heads[0].root, HASH_BYTES) == 0;
}

/* RFC 9162, 2.1.4.2. */
static bool consistency_holds(const struct proof *proof)
{
    const struct head *earlier = &proof->heads[0], *later = &proof->heads[1];
    uint8_t first[HASH_BYTES], second[HASH_BYTES];
    int next = 0;
    if (earlier->size == 0 || earlier->size > later->size)
        return false;
    if (earlier->size == later->size)
        return proof->path_count == 0 && memcmp(earlier->root, later->root, HASH_BYTES) == 0;
    uint64_t place = earlier->size - 1, last = later->size - 1;
    for (; place & 1; place >>= 1)
        last >>= 1;
    if (place == 0)
        memcpy(first, earlier->root, HASH_BYTES);
    else if (proof->path_count)
        memcpy(first, proof->path[next++], HASH_BYTES);
    else
        return false;
    memcpy(second, first, HASH_BYTES);
    for (; next < proof->path_count; next++) {
        if (last == 0)
            return false;
        if ((place & 1) || place == last) {
            hash_node(proof->path[next], first, first);
            hash_node(proof->path[next], second, second);
            while (place && !(place & 1)) {
                place >>= 1;
                last >>= 1;
            }
        } else
            hash_node(second, proof->path[next], second);
        place >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(first, earlier->root, HASH_BYTES) == 0 && memcmp(second, later->root, HASH_BYTES) == 0;
}

void proof_verify(FILE *file, const struct keys *keys, struct verdict *verdict)
{
    struct proof *proof = calloc(1, sizeof *proof);
    memset(verdict, 0, sizeof *verdict);
    if (!proof) {
        verdict_found(verdict, "memory_out", 0);
        return;
    }
    bool good = proof_read(proof, file, verdict);
    for (int i = 0; good && i < proof->head_count; i++) {
        const char *wrong = head_check(&proof->heads[i], keys);
        if (wrong)
            good = verdict_found(verdict, wrong, proof->heads[i].size);
    }
    if (good && !(proof->consistency ? consistency_holds(proof) : inclusion_holds(proof)))
        verdict_found(verdict, proof->consistency ? "log_does_not_extend" : "record_not_in_log", proof->position);
    if (good)
        verdict->events = proof->heads[proof->head_count - 1].size;
    verdict->heads = (uint64_t)proof->head_count;
    verdict->whole = !verdict->finding;
    free(proof);
}
