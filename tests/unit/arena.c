/* The memory of one request: bounded, aligned, wiped. */
#include "chassis/arena.h"

#include <check.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static void start(void)
{
    arena = arena_new(100000);
    ck_assert_ptr_nonnull(arena);
}

static void end(void)
{
    arena_free(arena);
}

START_TEST(the_limit_holds_in_sum)
{
    size_t taken = 0;
    while (arena_take(arena, 1000))
        taken += 1000;
    ck_assert_uint_ge(taken, 98000);
    ck_assert_uint_le(taken, 100000);
    arena_reset(arena);
    ck_assert_ptr_nonnull(arena_take(arena, 99000));
}
END_TEST

START_TEST(no_size_wraps_around)
{
    ck_assert_ptr_null(arena_take(arena, 100001));
    ck_assert_ptr_null(arena_take(arena, SIZE_MAX));
    ck_assert_ptr_null(arena_take(arena, SIZE_MAX - 8));
    ck_assert_ptr_null(arena_copy(arena, "", (size_t)1 << 40).data);
    ck_assert_ptr_nonnull(arena_take(arena, 10));
}
END_TEST

START_TEST(pieces_are_aligned_and_apart)
{
    uint8_t *last = NULL;
    for (size_t size = 1; size < 300; size++) {
        uint8_t *piece = arena_take(arena, size);
        ck_assert_ptr_nonnull(piece);
        ck_assert_uint_eq((uintptr_t)piece % alignof(max_align_t), 0);
        memset(piece, (int)size, size);
        if (last)
            ck_assert_uint_eq(last[size - 2], (uint8_t)(size - 1)); /* the end of the piece before */
        last = piece;
    }
}
END_TEST

/* NUM-8: what one request held cannot be found by the next */
START_TEST(a_reset_wipes)
{
    static const char secret[] = "secret of the first request";
    char *first = arena_text(arena, secret, sizeof secret - 1);
    ck_assert_ptr_nonnull(first);
    arena_reset(arena);
    char *again = arena_take(arena, sizeof secret);
    ck_assert_ptr_eq(again, first); /* the same memory */
    for (size_t i = 0; i < sizeof secret; i++)
        ck_assert_int_eq(again[i], 0);
}
END_TEST

/* NUM-8: nor in the larger memory that is kept for a next request of this size */
START_TEST(what_is_kept_is_wiped)
{
    enum { LARGE = 60000 };
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++) {
            uint8_t *small = arena_take(arena, 5000);
            ck_assert_ptr_nonnull(small);
            memset(small, 0xA5, 5000);
        }
        arena_reset(arena);
        uint8_t *large = arena_take(arena, LARGE);
        ck_assert_ptr_nonnull(large);
        if (round) /* the memory that was kept */
            for (size_t i = 0; i < LARGE; i++)
                ck_assert_uint_eq(large[i], 0);
        memset(large, 0xA5, LARGE);
        arena_reset(arena);
    }
}
END_TEST

START_TEST(text_and_bytes_are_copies)
{
    char from[] = "abc";
    char *text = arena_text(arena, from, 2);
    struct bytes bytes = arena_copy(arena, from, 3), none = arena_copy(arena, NULL, 0);
    from[0] = 'x';
    ck_assert_str_eq(text, "ab");
    ck_assert_mem_eq(bytes.data, "abc", 3);
    ck_assert_ptr_nonnull(none.data);
    ck_assert_uint_eq(none.len, 0);
    ck_assert_str_eq(arena_format(arena, "%s-%04d", "id", 7), "id-0007");
    ck_assert_ptr_null(arena_format(arena, "%200000d", 1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *cases = tcase_create("arena");
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_test(cases, the_limit_holds_in_sum);
    tcase_add_test(cases, no_size_wraps_around);
    tcase_add_test(cases, pieces_are_aligned_and_apart);
    tcase_add_test(cases, a_reset_wipes);
    tcase_add_test(cases, what_is_kept_is_wiped);
    tcase_add_test(cases, text_and_bytes_are_copies);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
