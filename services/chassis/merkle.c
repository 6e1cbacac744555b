/* The log has millions of short records: the one-shot calls of OpenSSL 3 look the algorithm up at each, which costs
 * more than the hashing. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "chassis/merkle.h"

#include <openssl/sha.h>
#include <string.h>

static void hash(const void *data, size_t len, uint8_t out[MERKLE_HASH_BYTES])
{
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, len);
    SHA256_Final(out, &context);
}

static void node(const uint8_t *left, const uint8_t *right, uint8_t out[MERKLE_HASH_BYTES])
{
    uint8_t both[1 + 2 * MERKLE_HASH_BYTES] = {0x01};
    memcpy(both + 1, left, MERKLE_HASH_BYTES);
    memcpy(both + 1 + MERKLE_HASH_BYTES, right, MERKLE_HASH_BYTES);
    hash(both, sizeof both, out);
}

bool merkle_init(struct merkle *tree, uint64_t size, const void *subtrees, size_t len)
{
    memset(tree, 0, sizeof *tree);
    tree->size = size;
    tree->count = __builtin_popcountll(size);
    if (len != (size_t)tree->count * MERKLE_HASH_BYTES)
        return false;
    if (len)
        memcpy(tree->subtrees, subtrees, len);
    return true;
}

void merkle_leaf(const void *marked, size_t len, uint8_t leaf[MERKLE_HASH_BYTES])
{
    hash(marked, len, leaf);
}

/* As in binary counting: each one bit at the end of the size is a subtree as large as what grew beside it. */
void merkle_add(struct merkle *tree, const uint8_t leaf[MERKLE_HASH_BYTES])
{
    uint8_t grown[MERKLE_HASH_BYTES];
    memcpy(grown, leaf, MERKLE_HASH_BYTES);
    for (uint64_t bits = tree->size; bits & 1; bits >>= 1)
        node(tree->subtrees[--tree->count], grown, grown);
    memcpy(tree->subtrees[tree->count++], grown, MERKLE_HASH_BYTES);
    tree->size++;
}

void merkle_root(const struct merkle *tree, uint8_t root[MERKLE_HASH_BYTES])
{
    if (tree->count == 0) {
        hash("", 0, root);
        return;
    }
    memcpy(root, tree->subtrees[tree->count - 1], MERKLE_HASH_BYTES);
    for (int i = tree->count - 2; i >= 0; i--)
        node(tree->subtrees[i], root, root);
}

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
    return 1ULL << (63 - __builtin_clzll(n - 1));
}

static void reverse(struct merkle_part *parts, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct merkle_part part = parts[i];
        parts[i] = parts[count - 1 - i];
        parts[count - 1 - i] = part;
    }
}

size_t merkle_inclusion(uint64_t position, uint64_t size, struct merkle_part parts[MERKLE_SUBTREES_MAX])
{
    uint64_t from = 0, to = size;
    size_t count = 0;
    while (to - from > 1) {
        uint64_t middle = from + split(to - from);
        if (position < middle) {
            parts[count++] = (struct merkle_part){middle, to};
            to = middle;
        } else {
            parts[count++] = (struct merkle_part){from, middle};
            from = middle;
        }
    }
    reverse(parts, count);
    return count;
}

size_t merkle_consistency(uint64_t earlier, uint64_t size, struct merkle_part parts[MERKLE_SUBTREES_MAX])
{
    uint64_t from = 0, to = size;
    size_t count = 0;
    while (earlier != to) {
        uint64_t middle = from + split(to - from);
        if (earlier <= middle) {
            parts[count++] = (struct merkle_part){middle, to};
            to = middle;
        } else {
            parts[count++] = (struct merkle_part){from, middle};
            from = middle;
        }
    }
    if (from != 0) /* else it is the earlier tree itself, whose root is known */
        parts[count++] = (struct merkle_part){from, to};
    reverse(parts, count);
    return count;
}
