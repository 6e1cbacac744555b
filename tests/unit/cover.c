/* Covers open in their own place only, with their own key only; index tokens differ by manager and domain. The keyring
 * is a few keys of the test's own. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/cover.h"
#include "chassis/keyring.h"

#define TEXT "氏名　架空"

static struct key keys[] = {
    {1, "tokyo", KEY_DATA, {1}},
    {2, "tokyo", KEY_DATA, {2}}, /* newest */
    {3, "tokyo", KEY_INDEX, {3}},
    {4, "mlit", KEY_DATA, {4}},
    {5, "mlit", KEY_INDEX, {5}},
};
static size_t key_count;
static struct arena *arena;

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    const struct key *newest = NULL;
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].kind == kind && strcmp(keys[i].manager, manager) == 0)
            newest = &keys[i];
    return newest;
}

const struct key *keyring_by_id(uint32_t id)
{
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].id == id)
            return &keys[i];
    return NULL;
}

static void set_up(void)
{
    key_count = sizeof keys / sizeof *keys;
    arena = arena_new(1 << 20);
}

static void tear_down(void)
{
    arena_free(arena);
}

static const struct cover_place here = {"vault.tie", "tokyo", "row-1"};

static struct bytes put(struct cover_place place)
{
    struct bytes covered = cover_put(arena, place, TEXT, strlen(TEXT));
    ck_assert_ptr_nonnull(covered.data);
    return covered;
}

/* NUM-8 */
START_TEST(comes_back_and_shows_nothing)
{
    struct bytes covered = put(here), again = put(here), plain = cover_take(arena, here, covered.data, covered.len);
    ck_assert_uint_eq(plain.len, strlen(TEXT));
    ck_assert_mem_eq(plain.data, TEXT, plain.len + 1);
    ck_assert_uint_eq(covered.len, strlen(TEXT) + 4 + 12 + 16);
    ck_assert_ptr_null(memmem(covered.data, covered.len, "架空", strlen("架空")));
    ck_assert_mem_ne(covered.data, again.data, covered.len); /* the same value twice does not look the same */
}
END_TEST

START_TEST(nothing_at_all_can_be_covered)
{
    struct bytes covered = cover_put(arena, here, "", 0);
    ck_assert_ptr_nonnull(covered.data);
    struct bytes plain = cover_take(arena, here, covered.data, covered.len);
    ck_assert_ptr_nonnull(plain.data);
    ck_assert_uint_eq(plain.len, 0);
}
END_TEST

/* STORE-1: a row's value put into another row, table or manager does not open */
START_TEST(belongs_to_its_place)
{
    static const struct cover_place elsewhere[] = {{"vault.tie", "tokyo", "row-2"}, {"vault.tie", "mlit", "row-1"},
        {"vault.gateway_tie", "tokyo", "row-1"}, {"vault.tietokyo", "", "row-1"}, {"vault.tie", "tokyorow-1", ""}};
    struct bytes covered = put(here);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        ck_assert_msg(!cover_take(arena, elsewhere[i], covered.data, covered.len).data, "place %zu", i);
}
END_TEST

/* STORE-1: every bit counts, the key id's among them, and no prefix opens */
START_TEST(altered_is_refused)
{
    struct bytes covered = put(here);
    for (size_t bit = 0; bit < covered.len * 8; bit++) {
        covered.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!cover_take(arena, here, covered.data, covered.len).data, "bit %zu", bit);
        covered.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < covered.len; len++)
        ck_assert_msg(!cover_take(arena, here, covered.data, len).data, "length %zu", len);
    ck_assert_ptr_nonnull(cover_take(arena, here, covered.data, covered.len).data);
}
END_TEST

/* STORE-1: rows of an older key open, the newest covers; a key that is gone takes its rows along */
START_TEST(keys_come_and_go)
{
    key_count = 1;
    struct bytes older = put(here);
    key_count = 2;
    struct bytes newer = put(here);
    ck_assert_int_eq(older.data[3], 1);
    ck_assert_int_eq(newer.data[3], 2);
    ck_assert_ptr_nonnull(cover_take(arena, here, older.data, older.len).data);
    ck_assert_ptr_nonnull(cover_take(arena, here, newer.data, newer.len).data);
    key_count = 1;
    ck_assert_ptr_null(cover_take(arena, here, newer.data, newer.len).data);
    key_count = 0;
    ck_assert_ptr_null(cover_take(arena, here, older.data, older.len).data);
    ck_assert_ptr_null(cover_put(arena, here, TEXT, 1).data);
}
END_TEST

/* An index key covers nothing, even if a row names it */
START_TEST(a_key_of_another_kind_opens_nothing)
{
    struct bytes covered = put(here);
    covered.data[3] = 3;
    ck_assert_ptr_null(cover_take(arena, here, covered.data, covered.len).data);
}
END_TEST

/* NUM-1, NUM-2: the same value finds itself at one manager and in one field, and nowhere else */
START_TEST(tokens_are_apart)
{
    uint8_t one[INDEX_TOKEN_BYTES], other[INDEX_TOKEN_BYTES];
    ck_assert(index_token("tokyo", "vault.number", TEXT, 6, one));
    ck_assert(index_token("tokyo", "vault.number", TEXT, 6, other));
    ck_assert_mem_eq(one, other, sizeof one);
    ck_assert(index_token("tokyo", "vault.number", TEXT, 7, other));
    ck_assert_mem_ne(one, other, sizeof one);
    ck_assert(index_token("tokyo", "vault.gateway", TEXT, 6, other));
    ck_assert_mem_ne(one, other, sizeof one);
    ck_assert(index_token("mlit", "vault.number", TEXT, 6, other));
    ck_assert_mem_ne(one, other, sizeof one);
    ck_assert(!index_token("nara", "vault.number", TEXT, 6, other));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cover");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, comes_back_and_shows_nothing);
    tcase_add_test(tests, nothing_at_all_can_be_covered);
    tcase_add_test(tests, belongs_to_its_place);
    tcase_add_test(tests, altered_is_refused);
    tcase_add_test(tests, keys_come_and_go);
    tcase_add_test(tests, a_key_of_another_kind_opens_nothing);
    tcase_add_test(tests, tokens_are_apart);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
