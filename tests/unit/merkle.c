/* The Merkle tree against the known roots of RFC 6962's test data, and against the definition. */
#include "chassis/merkle.h"

#include <check.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* The leaves and roots that Certificate Transparency implementations are tested with. */
static const struct {
    const char *data;
    size_t len;
    const char *root; /* of the tree up to this leaf */
} known[] = {
    {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void root_is(const struct merkle *tree, const char *expected)
{
    uint8_t root[MERKLE_HASH_BYTES];
    char text[65];
    merkle_root(tree, root);
    for (size_t i = 0; i < sizeof root; i++)
        snprintf(text + 2 * i, 3, "%02x", root[i]);
    ck_assert_str_eq(text, expected);
}

/* LOG-1 */
START_TEST(roots_are_those_of_rfc_6962)
{
    struct merkle tree;
    ck_assert(merkle_init(&tree, 0, NULL, 0));
    root_is(&tree, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t leaf[MERKLE_HASH_BYTES], marked[1 + 16] = {0x00};
        memcpy(marked + 1, known[i].data, known[i].len);
        merkle_leaf(marked, 1 + known[i].len, leaf);
        merkle_add(&tree, leaf);
        root_is(&tree, known[i].root);
    }
}
END_TEST

/* MTH(D[n]) by its recursive definition. */
static void defined_root(uint8_t leaves[][MERKLE_HASH_BYTES], size_t count, uint8_t root[MERKLE_HASH_BYTES])
{
    uint8_t both[1 + 2 * MERKLE_HASH_BYTES] = {1};
    size_t half = 1;
    if (count == 1) {
        memcpy(root, leaves[0], MERKLE_HASH_BYTES);
        return;
    }
    while (half * 2 < count)
        half *= 2;
    defined_root(leaves, half, both + 1);
    defined_root(leaves + half, count - half, both + 1 + MERKLE_HASH_BYTES);
    SHA256(both, sizeof both, root);
}

/* LOG-1 */
START_TEST(a_tree_taken_up_again_goes_on_as_defined)
{
    static uint8_t leaves[200][MERKLE_HASH_BYTES];
    struct merkle tree;
    uint8_t root[MERKLE_HASH_BYTES], expected[MERKLE_HASH_BYTES];
    ck_assert(merkle_init(&tree, 0, NULL, 0));
    for (size_t i = 0; i < 200; i++) {
        struct merkle kept = tree;
        merkle_leaf(&i, sizeof i, leaves[i]);
        ck_assert(merkle_init(&tree, kept.size, kept.subtrees, (size_t)kept.count * MERKLE_HASH_BYTES));
        merkle_add(&tree, leaves[i]);
        merkle_root(&tree, root);
        defined_root(leaves, i + 1, expected);
        ck_assert_mem_eq(root, expected, sizeof root);
    }
    ck_assert(!merkle_init(&tree, 3, leaves, MERKLE_HASH_BYTES));
}
END_TEST

int main(void)
{
    TCase *tree = tcase_create("tree");
    tcase_add_test(tree, roots_are_those_of_rfc_6962);
    tcase_add_test(tree, a_tree_taken_up_again_goes_on_as_defined);
    Suite *suite = suite_create("merkle");
    suite_add_tcase(suite, tree);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
