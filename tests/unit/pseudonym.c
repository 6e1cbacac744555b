/* 資格仮名ID: one form, no two alike, and a slip in reading aloud is noticed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vault/pseudonym.h"

#define MADE 2000

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* NUM-1: of the documented form; no group of digits in which a number could be seen */
START_TEST(has_one_form)
{
    char text[PSEUDONYM_LENGTH + 1];
    for (int n = 0; n < MADE; n++) {
        ck_assert(pseudonym_make(text));
        ck_assert_uint_eq(strlen(text), PSEUDONYM_LENGTH);
        ck_assert(pseudonym_check(text));
        for (int i = 0; i < PSEUDONYM_LENGTH; i++) {
            if (i % 5 == 4)
                ck_assert_int_eq(text[i], '-');
            else
                ck_assert_ptr_nonnull(strchr(alphabet, text[i]));
            if (i % 5 == 0)
                ck_assert(text[i] >= 'A' && text[i] <= 'Z');
        }
    }
}
END_TEST

static int order(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* NUM-1: random: no two alike, and every place takes all its characters */
START_TEST(is_random)
{
    static char texts[MADE][PSEUDONYM_LENGTH + 1];
    for (int n = 0; n < MADE; n++)
        ck_assert(pseudonym_make(texts[n]));
    for (int place = 0; place < PSEUDONYM_LENGTH; place++) {
        int seen[128] = {0}, different = 0;
        for (int n = 0; n < MADE; n++)
            different += seen[(int)texts[n][place]]++ == 0;
        ck_assert_int_eq(different, place % 5 == 4 ? 1 : place % 5 == 0 ? 22 : 32);
    }
    qsort(texts, MADE, sizeof texts[0], order);
    for (int n = 1; n < MADE; n++)
        ck_assert_str_ne(texts[n - 1], texts[n]);
}
END_TEST

/* Pitfall 15: every single wrong character is noticed */
START_TEST(one_wrong_character_is_noticed)
{
    char text[PSEUDONYM_LENGTH + 1];
    for (int n = 0; n < 100; n++) {
        ck_assert(pseudonym_make(text));
        for (int i = 0; i < PSEUDONYM_LENGTH; i++) {
            char was = text[i];
            for (const char *other = alphabet; *other; other++) {
                text[i] = *other;
                ck_assert_int_eq(pseudonym_check(text), *other == was);
            }
            text[i] = was;
        }
    }
}
END_TEST

/* Pitfall 15: so are two neighbours exchanged, but for the one pair that Luhn's sum cannot tell apart (0 and Z) */
START_TEST(exchanged_neighbours_are_noticed)
{
    char text[PSEUDONYM_LENGTH + 1];
    for (int n = 0; n < MADE; n++) {
        ck_assert(pseudonym_make(text));
        for (int i = 0; i + 1 < PSEUDONYM_LENGTH; i++) {
            char one = text[i], other = text[i + 1];
            bool blind = (one == '0' && other == 'Z') || (one == 'Z' && other == '0');
            if (one == '-' || other == '-' || one == other)
                continue;
            text[i] = other;
            text[i + 1] = one;
            ck_assert_int_eq(pseudonym_check(text), blind);
            text[i] = one;
            text[i + 1] = other;
        }
    }
}
END_TEST

START_TEST(other_forms_are_refused)
{
    char text[PSEUDONYM_LENGTH + 2];
    ck_assert(pseudonym_make(text));
    ck_assert(!pseudonym_check(""));
    ck_assert(!pseudonym_check("0000-0000-0000-00000"));
    text[PSEUDONYM_LENGTH] = '0';
    text[PSEUDONYM_LENGTH + 1] = 0;
    ck_assert(!pseudonym_check(text));
    text[PSEUDONYM_LENGTH] = 0;
    text[0] += 'a' - 'A';
    ck_assert(!pseudonym_check(text));
    text[0] -= 'a' - 'A';
    ck_assert(pseudonym_check(text));
    text[4] = ' ';
    ck_assert(!pseudonym_check(text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pseudonym");
    TCase *tests = tcase_create("all");
    tcase_add_test(tests, has_one_form);
    tcase_add_test(tests, is_random);
    tcase_add_test(tests, one_wrong_character_is_noticed);
    tcase_add_test(tests, exchanged_neighbours_are_noticed);
    tcase_add_test(tests, other_forms_are_refused);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
