#include "shikakuctl/log_export.h"

#include "chassis/merkle.h"
#include "chassis/work.h"
#include "shikakuctl/log_store.h"

#include <endian.h>
#include <string.h>

#define FIRST_LINE "shikaku audit export 1\n"
#define ROWS_AT_ONCE 2000
#define ARENA_BYTES (64 * 1024 * 1024) /* ROWS_AT_ONCE of the longest records */

static bool entry_write(struct bytes entry, FILE *file, struct fault *fault)
{
    uint32_t len = htobe32((uint32_t)entry.len);
    if (!entry.data)
        return fault_set(fault, FAULT_internal, NULL);
    return fwrite(&len, sizeof len, 1, file) == 1 && fwrite(entry.data, entry.len, 1, file) == 1
               ? true
               : fault_set(fault, FAULT_unavailable, "file");
}

/* Two rows of one position would both be read again as the next: the verifier is to see them. */
static bool entries_write(struct pg *pg, struct arena *arena, FILE *file, struct fault *fault)
{
    uint64_t next = 0;
    int count;
    do {
        PGresult *rows = log_list(pg, next, ROWS_AT_ONCE, fault);
        if (!rows)
            return false;
        count = PQntuples(rows);
        bool written = true;
        for (int row = 0; row < count && written; row++)
            written = entry_write(log_entry(rows, row, arena), file, fault);
        if (count)
            next = (uint64_t)pg_get_integer(rows, count - 1, 0) + 1;
        PQclear(rows);
        arena_reset(arena);
        if (!written)
            return false;
    } while (count == ROWS_AT_ONCE);
    return true;
}

bool log_export(struct pg *pg, FILE *file, struct fault *fault)
{
    struct arena *arena = arena_new(ARENA_BYTES);
    if (!arena)
        return fault_set(fault, FAULT_internal, NULL);
    bool written = fputs(FIRST_LINE, file) != EOF && log_open(pg, fault);
    if (written) {
        written = entries_write(pg, arena, file, fault);
        log_close(pg);
    }
    arena_free(arena);
    return written && fflush(file) == 0 ? true : fault->code ? false : fault_set(fault, FAULT_unavailable, "file");
}

static bool part_root(struct pg *pg, struct merkle_part part, uint8_t root[MERKLE_HASH_BYTES], struct fault *fault)
{
    struct merkle tree;
    bool fresh = merkle_init(&tree, 0, NULL, 0);
    while (fresh && tree.size < part.to - part.from) {
        PGresult *leaves = leaves_list(pg, part.from + tree.size, part.to, ROWS_AT_ONCE, fault);
        int count = leaves ? PQntuples(leaves) : 0;
        for (int row = 0; row < count; row++)
            merkle_add(&tree, pg_get_bytes(leaves, row, 0).data);
        PQclear(leaves);
        if (!count)
            return fault->code ? false : fault_set(fault, FAULT_not_found, "position");
    }
    merkle_root(&tree, root);
    return true;
}

static bool path_write(struct pg *pg, const struct merkle_part *parts, size_t count, FILE *file, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t root[MERKLE_HASH_BYTES];
        char hex[2 * MERKLE_HASH_BYTES + 1];
        if (!part_root(pg, parts[i], root, fault))
            return false;
        hex_put(hex, root, sizeof root);
        fprintf(file, "path %s\n", hex);
    }
    return fflush(file) == 0 ? true : fault_set(fault, FAULT_unavailable, "file");
}

static void head_write(const struct audit_head *head, FILE *file)
{
    char line[AUDIT_LINE_MAX];
    audit_head_print(head, line);
    fprintf(file, "head %s", line);
}

static bool record_write(struct pg *pg, struct arena *arena, uint64_t position, FILE *file, struct fault *fault)
{
    PGresult *rows = log_list(pg, position, 1, fault);
    struct bytes entry = {NULL, 0};
    if (rows && PQntuples(rows) == 1 && pg_get_integer(rows, 0, 0) == (int64_t)position && pg_is_null(rows, 0, 12))
        entry = log_entry(rows, 0, arena);
    char *hex = entry.data ? arena_take(arena, 2 * entry.len + 1) : NULL;
    if (hex) {
        hex_put(hex, entry.data, entry.len);
        fprintf(file, "record %s\n", hex);
    }
    PQclear(rows);
    return hex ? true : fault_set(fault, FAULT_not_found, "position");
}

bool inclusion_export(struct pg *pg, uint64_t position, FILE *file, struct fault *fault)
{
    struct merkle_part parts[MERKLE_SUBTREES_MAX];
    struct audit_head head;
    struct arena *arena = arena_new(ARENA_BYTES);
    bool written = false;
    if (!arena || !log_open(pg, fault))
        goto out;
    if (head_of_size(pg, 0, &head, fault) &&
        (position < head.size ? true : fault_set(fault, FAULT_not_found, "position"))) {
        fputs("shikaku audit inclusion 1\n", file);
        head_write(&head, file);
        written = record_write(pg, arena, position, file, fault) &&
                  path_write(pg, parts, merkle_inclusion(position, head.size, parts), file, fault);
    }
    log_close(pg);
out:
    arena_free(arena);
    return written;
}

bool consistency_export(struct pg *pg, uint64_t earlier, FILE *file, struct fault *fault)
{
    struct merkle_part parts[MERKLE_SUBTREES_MAX];
    struct audit_head before, head;
    bool written = false;
    if (!log_open(pg, fault))
        return false;
    if (head_of_size(pg, earlier, &before, fault) && head_of_size(pg, 0, &head, fault) &&
        (before.size && before.size <= head.size ? true : fault_set(fault, FAULT_not_found, "head"))) {
        fputs("shikaku audit consistency 1\n", file);
        head_write(&before, file);
        head_write(&head, file);
        written = path_write(pg, parts, merkle_consistency(before.size, head.size, parts), file, fault);
    }
    log_close(pg);
    return written;
}
