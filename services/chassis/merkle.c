#include "chassis/merkle.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

static void node(const uint8_t *left, const uint8_t *right, uint8_t out[MERKLE_HASH_BYTES])
{
    uint8_t both[1 + 2 * MERKLE_HASH_BYTES] = {0x01};
    memcpy(both + 1, left, MERKLE_HASH_BYTES);
    memcpy(both + 1 + MERKLE_HASH_BYTES, right, MERKLE_HASH_BYTES);
    SHA256(both, sizeof both, out);
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

void merkle_leaf(const void *data, size_t len, uint8_t leaf[MERKLE_HASH_BYTES])
{
    static const uint8_t mark = 0x00;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned size = MERKLE_HASH_BYTES;
    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, &mark, 1);
    EVP_DigestUpdate(context, data, len);
    EVP_DigestFinal_ex(context, leaf, &size);
    EVP_MD_CTX_free(context);
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
        SHA256((const uint8_t *)"", 0, root);
        return;
    }
    memcpy(root, tree->subtrees[tree->count - 1], MERKLE_HASH_BYTES);
    for (int i = tree->count - 2; i >= 0; i--)
        node(tree->subtrees[i], root, root);
}
