/* Whether whose data is touched bears the name of who touches it. */
#include "chassis/likeness.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t key[LIKENESS_KEY_BYTES] = {1, 2, 3};

static struct likeness_tags tags_of(const char *manager, const char *person)
{
    struct likeness_tags tags;
    likeness_tags_make(key, manager, person, &tags);
    return tags;
}

static const struct {
    const char *account, *person, *likeness;
} pairs[] = {
    {"架空　花子(職員番号0001)", "架空　花子", "name"},
    {"架空 花子（職員番号0001）", "架空　花子", "name"},
    {"架空  花子 0001", "架空　花子", "name"},
    {"架空　花子", "架空　太郎", "family"},
    {"架空　花子", "仮想　花子", ""},
    {"架空花子", "架空　花子", ""}, /* nobody can tell where the family name ends */
    {"架空", "架空　花子", ""},
    {"髙橋　例子", "髙橋　例子", "name"},
    {"KAKUU HANAKO MIHON", "KAKUU　HANAKO　MIHON", "name"},
    {"KAKUU HANAKO MIHON", "KAKUU　HANAKO", "family"},
    {"", "架空　花子", ""},
    {"架空　花子", "", ""},
};

/* LOG-3: by whole name or family name, however the blank and the number beside it are written */
START_TEST(names_are_told_alike)
{
    struct likeness_tags account = tags_of("tokyo", pairs[_i].account);
    likeness_key_take(key, sizeof key);
    ck_assert_str_eq(likeness_of(&account, "tokyo", pairs[_i].person), pairs[_i].likeness);
}
END_TEST

/* LOG-3, STORE-1: a tag says nothing without the key, nor to another manager */
START_TEST(a_tag_is_of_its_key_and_manager)
{
    static const uint8_t other[LIKENESS_KEY_BYTES] = {9};
    struct likeness_tags account = tags_of("tokyo", "架空　花子"), elsewhere = tags_of("saitama", "架空　花子");
    ck_assert_str_eq(likeness_of(&account, "tokyo", "架空　花子"), ""); /* none was heard yet */
    likeness_key_take(key, 16);
    ck_assert_str_eq(likeness_of(&account, "tokyo", "架空　花子"), "");
    likeness_key_take(other, sizeof other);
    ck_assert_str_eq(likeness_of(&account, "tokyo", "架空　花子"), "");
    likeness_key_take(key, sizeof key);
    ck_assert_str_eq(likeness_of(&account, "tokyo", "架空　花子"), "name");
    ck_assert_str_eq(likeness_of(&account, "saitama", "架空　花子"), "");
    ck_assert_int_ne(memcmp(account.name, elsewhere.name, sizeof account.name), 0);
    ck_assert_int_ne(memcmp(account.name, account.family, sizeof account.name), 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("likeness");
    tcase_add_loop_test(cases, names_are_told_alike, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(cases, a_tag_is_of_its_key_and_manager);
    Suite *suite = suite_create("likeness");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
