/* The verifier against SHA-256 of the same bytes: `verify EVENTS` makes an export of so many records, with a head every
 * thousand, has shikaku-audit-verify judge it, and hashes the same file. Prints ours= and bound= in events a
 * second of the processor. */
#include "chassis/audit_head.h"
#include "chassis/audit_record.h"
#include "chassis/merkle.h"
#include "chassis/work.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HEAD_EVERY 1000
#define EVENT_BYTES 190 /* an event of a staff member's look at an application, covered */
#define FOLDER_MAX 200

/* Seconds of the processor, so that what else runs on the machine does not count. */
static double used_by(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static FILE *file_make(const char *folder, const char *name)
{
    char path[FOLDER_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file)
        abort();
    return file;
}

static bool head_write(const struct merkle *tree, const struct key *key, FILE *heads)
{
    struct audit_head head = {.size = tree->size, .signed_at_ms = clock_ms()};
    char line[AUDIT_LINE_MAX];
    merkle_root(tree, head.root);
    if (!audit_head_sign(&head, key))
        return false;
    audit_head_print(&head, line);
    return fputs(line, heads) >= 0;
}

static bool log_write(struct arena *arena, uint64_t count, FILE *export, FILE *heads, const struct key *key)
{
    static uint8_t event[EVENT_BYTES];
    static const uint64_t tokens[] = {1, 2, 3, 4};
    struct merkle tree;
    bool written = merkle_init(&tree, 0, NULL, 0) && fputs("shikaku audit export 1\n", export) >= 0;
    for (uint64_t i = 0; written && i < count; i++) {
        struct audit_record record = {.position = i,
            .appended_ms = clock_ms(),
            .worker = (uint32_t)(i % 16),
            .sequence = i / 16 + 1,
            .service = "intake",
            .kind = "use",
            .manager = "tokyo",
            .act = "intake_view",
            .outcome = "done",
            .tokens = tokens,
            .token_count = sizeof tokens / sizeof *tokens,
            .event = {event, sizeof event}};
        uint8_t leaf[MERKLE_HASH_BYTES];
        event[i % EVENT_BYTES]++;
        struct bytes put = audit_record_put(arena, &record);
        uint32_t len = htobe32((uint32_t)put.len);
        merkle_leaf(put.data, put.len, leaf);
        merkle_add(&tree, leaf);
        written = fwrite(&len, sizeof len, 1, export) == 1 && fwrite(put.data, put.len, 1, export) == 1 &&
                  (tree.size % HEAD_EVERY || head_write(&tree, key, heads));
        arena_reset(arena);
    }
    return written;
}

static double bytes_hash(const char *folder)
{
    static uint8_t bytes[1 << 16], digest[32];
    char path[FOLDER_MAX + 32];
    snprintf(path, sizeof path, "%s/export", folder);
    double from = used_by(RUSAGE_SELF);
    FILE *file = fopen(path, "r");
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sum, EVP_sha256(), NULL);
    for (size_t got; file && (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
        EVP_DigestUpdate(sum, bytes, got);
    EVP_DigestFinal_ex(sum, digest, NULL);
    EVP_MD_CTX_free(sum);
    if (file)
        fclose(file);
    return used_by(RUSAGE_SELF) - from;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    const struct key key = {.kind = KEY_SIGN, .secret = {7}};
    char folder[FOLDER_MAX] = "/tmp/shikaku-bench-XXXXXX", command[4 * FOLDER_MAX], hex[65];
    uint8_t half[32];
    struct arena *arena = arena_new(1 << 20);
    const char *bin = getenv("SHIKAKU_BIN");
    if (!count || !arena || !mkdtemp(folder) || !key_ed25519_public(&key, half))
        return 1;
    FILE *export = file_make(folder, "export"), *heads = file_make(folder, "heads"), *keys = file_make(folder, "keys");
    hex_put(hex, half, sizeof half);
    fprintf(keys, "%s\n", hex);
    bool written = log_write(arena, count, export, heads, &key);
    written = fclose(export) == 0 && fclose(heads) == 0 && fclose(keys) == 0 && written;
    arena_free(arena);
    double bound = bytes_hash(folder);
    snprintf(command, sizeof command, "'%s/shikaku-audit-verify' log %s/export %s/heads %s/keys >&2",
        bin ? bin : "build/release/bin", folder, folder, folder);
    double from = used_by(RUSAGE_CHILDREN);
    bool whole = written && system(command) == 0;
    double ours = used_by(RUSAGE_CHILDREN) - from, again = bytes_hash(folder);
    bound = again < bound ? again : bound;
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0 || !whole)
        return 1;
    printf("ours=%.0f bound=%.0f\n", (double)count / ours, (double)count / bound);
    return 0;
}
