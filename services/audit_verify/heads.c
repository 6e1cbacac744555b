#include "audit_verify/verify.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_PURPOSE "shikaku audit head 1"
#define RECONCILED_PURPOSE "shikaku audit reconciled 1"
#define LINE_MAX_BYTES 512

bool verdict_found(struct verdict *verdict, const char *finding, uint64_t at)
{
    if (!verdict->finding) {
        verdict->finding = finding;
        verdict->at = at;
    }
    return false;
}

void verdict_print(const struct verdict *verdict)
{
    printf("{\"verified\":%s,\"events\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"heads\":%" PRIu64
           ",\"uncovered\":%" PRIu64,
        verdict->whole ? "true" : "false", verdict->events, verdict->deleted, verdict->heads, verdict->uncovered);
    if (verdict->finding)
        printf(",\"finding\":\"%s\",\"at\":%" PRIu64, verdict->finding, verdict->at);
    printf(",\"reconciled\":[");
    for (size_t i = 0; i < verdict->reconciled_count; i++) {
        const struct reconciled *row = &verdict->reconciled[i];
        printf("%s{\"at_ms\":%" PRIu64 ",\"witness\":%" PRIu64 ",\"log\":%" PRIu64 ",\"lost\":%" PRIu64
               ",\"heads_abandoned\":%" PRIu64 ",\"reason\":\"%s\"}",
            i ? "," : "", row->at_ms, row->from_size, row->to_size, row->lost, row->heads_abandoned, row->reason);
    }
    printf("],\"gaps\":[");
    for (size_t i = 0; i < verdict->gap_count && i < GAPS_MAX; i++) {
        const struct stated_gap *row = &verdict->gaps[i];
        printf("%s{\"at\":%" PRIu64 ",\"chain\":\"%s/%s/%" PRIu32 "\",\"from\":%" PRIu64 ",\"to\":%" PRIu64
               ",\"reason\":\"%s\"}",
            i ? "," : "", row->at, row->service, row->instance, row->worker, row->from, row->to, row->reason);
    }
    printf("],\"gap_count\":%zu}\n", verdict->gap_count);
}

bool hex_read(uint8_t *out, size_t len, const char *text)
{
    if (strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return true;
}

bool keys_read(struct keys *keys, FILE *file)
{
    char line[LINE_MAX_BYTES];
    keys->count = 0;
    while (keys->count < KEYS_MAX && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        keys->count += hex_read(keys->keys[keys->count], HASH_BYTES, line);
    }
    return keys->count > 0;
}

bool keys_hold(const struct keys *keys, const uint8_t key[HASH_BYTES])
{
    for (size_t i = 0; i < keys->count; i++)
        if (memcmp(keys->keys[i], key, HASH_BYTES) == 0)
            return true;
    return false;
}

bool signature_check(const uint8_t key[HASH_BYTES], const void *said, size_t len, const uint8_t signature[64])
{
    EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, HASH_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = public_key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
                 EVP_DigestVerify(context, signature, SIGNATURE_BYTES, said, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public_key);
    return right;
}

static uint8_t *number_put(uint8_t *at, uint64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(number >> shift);
    return at;
}

bool head_parse(struct head *head, const char *line)
{
    char root[65], key[65], signature[129], rest;
    return sscanf(line, "%" SCNu64 " %64s %" SCNu64 " %64s %128s %c", &head->size, root, &head->signed_at_ms, key,
               signature, &rest) == 5 &&
           hex_read(head->root, HASH_BYTES, root) && hex_read(head->key, HASH_BYTES, key) &&
           hex_read(head->signature, SIGNATURE_BYTES, signature);
}

const char *head_check(const struct head *head, const struct keys *keys)
{
    uint8_t said[sizeof HEAD_PURPOSE + 8 + HASH_BYTES + 8] = HEAD_PURPOSE;
    uint8_t *at = number_put(said + sizeof HEAD_PURPOSE, head->size);
    memcpy(at, head->root, HASH_BYTES);
    number_put(at + HASH_BYTES, head->signed_at_ms);
    if (!keys_hold(keys, head->key))
        return "head_of_unknown_key";
    return signature_check(head->key, said, sizeof said, head->signature) ? NULL : "head_signature_wrong";
}

static int by_size(const void *one, const void *other)
{
    const struct head *a = one, *b = other;
    return a->size < b->size ? -1 : a->size > b->size;
}

struct witness {
    const struct keys *keys;
    struct verdict *verdict;
    struct head *heads; /* in force */
    size_t count;
};

static bool head_keep(struct witness *w, const struct head *head, uint64_t line)
{
    struct head *more = realloc(w->heads, (w->count + 1) * sizeof *more);
    if (!more)
        return verdict_found(w->verdict, "memory_out", line);
    w->heads = more;
    w->heads[w->count++] = *head;
    return true;
}

/* It must start from the newest head there is. Heads over more than where it goes to are no longer held against the
 * log; all others are, and so is where it goes to. */
static bool reconciled_keep(
    struct witness *w, struct reconciled *stated, const struct head *from, const struct head *to, uint64_t line)
{
    struct head newest = {0};
    size_t kept = 0, had = w->count;
    for (size_t i = 0; i < had; i++) {
        if (w->heads[i].size >= newest.size)
            newest = w->heads[i];
        if (w->heads[i].size <= to->size)
            w->heads[kept++] = w->heads[i];
    }
    if (newest.size != from->size || memcmp(newest.root, from->root, HASH_BYTES) != 0)
        return verdict_found(w->verdict, "reconciled_from_elsewhere", line);
    if (w->verdict->reconciled_count == RECONCILED_MAX)
        return verdict_found(w->verdict, "reconciled_too_often", line);
    stated->heads_abandoned = had - kept;
    stated->lost = to->size < from->size ? from->size - to->size : 0;
    w->verdict->reconciled[w->verdict->reconciled_count++] = *stated;
    w->count = kept;
    return head_keep(w, to, line);
}

/* "reconciled", then size and root that the witness had, size and root that the log had, time, key, signature. */
static bool reconciled_take(struct witness *w, const char *text, uint64_t line)
{
    struct reconciled stated = {0};
    struct head from = {0}, to = {0};
    char from_root[65], to_root[65], key[65], signature[129], rest;
    uint8_t said[sizeof RECONCILED_PURPOSE + 2 * (8 + HASH_BYTES) + 8] = RECONCILED_PURPOSE;
    if (sscanf(text, "reconciled %" SCNu64 " %64s %" SCNu64 " %64s %" SCNu64 " %64s %128s %c", &from.size, from_root,
            &to.size, to_root, &stated.at_ms, key, signature, &rest) != 7 ||
        !hex_read(from.root, HASH_BYTES, from_root) || !hex_read(to.root, HASH_BYTES, to_root) ||
        !hex_read(to.key, HASH_BYTES, key) || !hex_read(to.signature, SIGNATURE_BYTES, signature))
        return verdict_found(w->verdict, "witness_line_malformed", line);
    uint8_t *at = number_put(said + sizeof RECONCILED_PURPOSE, from.size);
    memcpy(at, from.root, HASH_BYTES);
    at = number_put(at + HASH_BYTES, to.size);
    memcpy(at, to.root, HASH_BYTES);
    number_put(at + HASH_BYTES, stated.at_ms);
    if (!keys_hold(w->keys, to.key))
        return verdict_found(w->verdict, "head_of_unknown_key", line);
    if (!signature_check(to.key, said, sizeof said, to.signature))
        return verdict_found(w->verdict, "head_signature_wrong", line);
    stated.from_size = from.size;
    stated.to_size = to.size;
    return reconciled_keep(w, &stated, &from, &to, line);
}

static bool line_take(struct witness *w, const char *text, uint64_t line)
{
    struct head head;
    if (strncmp(text, "reconciled ", 11) == 0)
        return reconciled_take(w, text, line);
    const char *wrong = head_parse(&head, text) ? head_check(&head, w->keys) : "witness_line_malformed";
    if (wrong)
        return verdict_found(w->verdict, wrong, line);
    w->verdict->heads++;
    return head_keep(w, &head, line);
}

/* A line without an end was being written when the machine lost power; its head proves nothing and is not needed. */
bool heads_load(struct head **heads, size_t *count, const struct keys *keys, FILE *file, struct verdict *verdict)
{
    struct witness w = {.keys = keys, .verdict = verdict};
    char text[LINE_MAX_BYTES];
    bool good = true;
    for (uint64_t line = 1; good && fgets(text, sizeof text, file); line++) {
        if (!strchr(text, '\n') && feof(file))
            break;
        good = line_take(&w, text, line);
    }
    if (w.count)
        qsort(w.heads, w.count, sizeof *w.heads, by_size);
    *heads = w.heads;
    *count = w.count;
    return good;
}
