/* A wrong setting is named and stops the service; a right one is what the operator gave. */
#include "chassis/journal.h"
#include "chassis/settings.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct setting table[] = {
    {"SHIKAKU_TEST_PORT", SETTING_NUMBER, NULL, 1, 65535, "A port."},
    {"SHIKAKU_TEST_SKEW", SETTING_NUMBER, "-3", -10, 10, "A difference."},
    {"SHIKAKU_TEST_FOLDER", SETTING_TEXT, "var", 0, 0, "A folder."},
};

static bool table_read(const char *port)
{
    if (port)
        setenv("SHIKAKU_TEST_PORT", port, 1);
    else
        unsetenv("SHIKAKU_TEST_PORT");
    return settings_read(table, sizeof table / sizeof *table);
}

START_TEST(numbers_are_within_their_range)
{
    static const char *const right[] = {"1", "8443", "65535"};
    ck_assert(table_read(right[_i]));
    ck_assert_int_eq(setting_number("SHIKAKU_TEST_PORT"), atoi(right[_i]));
    ck_assert_int_eq(setting_number("SHIKAKU_TEST_SKEW"), -3);
    ck_assert_str_eq(setting_text("SHIKAKU_TEST_FOLDER"), "var");
}
END_TEST

static const char *const wrong[] = {"0", "65536", "-1", "8443x", "x", "0x10", "8 443", "1e3", " 8443", "+8443",
    "99999999999999999999", "1.0", "８４４３"};
#define WRONG (sizeof wrong / sizeof *wrong)

START_TEST(anything_else_is_refused)
{
    ck_assert_msg(!table_read(wrong[_i]), "taken: %s", wrong[_i]);
}
END_TEST

static const struct setting url_table[] = {
    {"SHIKAKU_TEST_URL", SETTING_URL, "http://127.0.0.1:8421", 0, 0, "Address of an outside system."},
};

static bool url_read(const char *url)
{
    setenv("SHIKAKU_TEST_URL", url, 1);
    return settings_read(url_table, 1);
}

/* A wrong address must stop the service at its start, not show as a peer that is never there. */
START_TEST(an_address_is_one)
{
    static const char *const right[] = {
        "", "http://127.0.0.1:8421", "https://juki.example", "https://a.example/api/v1"};
    static const char *const odd[] = {"nonsense", "ftp://a.example", "http://", "https:///path", "https://a.example/",
        "http://a.example /x", "HTTP//a.example", "127.0.0.1:8421", "http://a.example", "http://127.0.0.1.a.example",
        "http://10.0.0.1:80", "http://[::2]", "http://localhost.example"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        ck_assert_msg(url_read(right[i]), "refused: %s", right[i]);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ck_assert_msg(!url_read(odd[i]), "taken: %s", odd[i]);
}
END_TEST

START_TEST(what_must_be_set_is_missed)
{
    ck_assert(!table_read(NULL));
    ck_assert(!table_read("")); /* set to nothing is not set */
}
END_TEST

/* The journal says which setting and its rule, never the value: it can be a password in a DSN. */
START_TEST(the_refusal_names_the_setting_and_not_the_value)
{
    char text[4096];
    int ends[2], kept = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    bool read_well = table_read("424242");
    dup2(kept, STDERR_FILENO);
    close(ends[1]);
    ssize_t size = read(ends[0], text, sizeof text - 1);
    ck_assert_int_gt(size, 0);
    text[size] = '\0';
    ck_assert(!read_well);
    ck_assert_ptr_nonnull(strstr(text, "SHIKAKU_TEST_PORT"));
    ck_assert_ptr_nonnull(strstr(text, "65535"));
    ck_assert_ptr_null(strstr(text, "424242"));
}
END_TEST

START_TEST(asking_for_what_is_in_no_table_aborts)
{
    ck_assert(table_read("1"));
    setting_text("SHIKAKU_TEST_NONE");
}
END_TEST

/* deploy/settings.md is what the programs beside this one say of their settings. */
START_TEST(the_table_for_operators_is_the_programs_own)
{
    ck_assert_int_eq(system("SHIKAKU_BIN=$(dirname \"$(readlink /proc/$PPID/exe)\")/../../bin deploy/settings-table | "
                            "diff deploy/settings.md -"),
        0);
}
END_TEST

int main(void)
{
    journal_open("test");
    Suite *suite = suite_create("settings");
    TCase *cases = tcase_create("settings");
    tcase_add_loop_test(cases, numbers_are_within_their_range, 0, 3);
    tcase_add_loop_test(cases, anything_else_is_refused, 0, WRONG);
    tcase_add_test(cases, an_address_is_one);
    tcase_add_test(cases, the_table_for_operators_is_the_programs_own);
    tcase_add_test(cases, what_must_be_set_is_missed);
    tcase_add_test(cases, the_refusal_names_the_setting_and_not_the_value);
    tcase_add_test_raise_signal(cases, asking_for_what_is_in_no_table_aborts, SIGABRT);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
