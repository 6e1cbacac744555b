/* No line of the log can hold a person's data. */
#include "chassis/journal.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[1 << 16];
static int pipe_ends[2], kept;

static void catch (void)
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    kept = dup(STDERR_FILENO);
    dup2(pipe_ends[1], STDERR_FILENO);
    journal_open("test");
}

static const char *caught(void)
{
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(pipe_ends[1]);
    ssize_t size = read(pipe_ends[0], text, sizeof text - 1);
    close(pipe_ends[0]);
    ck_assert_int_gt(size, 0);
    text[size] = '\0';
    return text;
}

/* The word that a line says for what it was given. */
static void assert_written(const char *given, const char *written)
{
    catch ();
    journal(JOURNAL_INFO, NULL, "tested", WORD("word", given));
    json_t *line = json_loads(caught(), 0, NULL);
    ck_assert_msg(line != NULL, "not JSON: %s", text);
    ck_assert_str_eq(json_string_value(json_object_get(line, "word")), written);
    json_decref(line);
}

/* LOG-1: what is no word of ours is not written */
START_TEST(only_words_are_written)
{
    static const char *const words[] = {
        "intake_submit", "e6b0c1a2-0f3d-4a5b-8c7d-aabbccddeeff", "10.0.0.1:8443", "deploy/keys", "", "A-1"};
    static const char *const others[] = {"海技　太郎", "two words", "a\"b", "a\\b", "line\nbreak", "tab\t", "a=b",
        "taro@example", "\xff\xfe", "{", "東京都"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_written(words[i], words[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_written(others[i], "?");
}
END_TEST

/* LOG-1, NUM-5: twelve digits in a row can be a personal number */
START_TEST(a_run_of_twelve_digits_is_not_written)
{
    static const char *const numbers[] = {"123456789018", "a123456789018", "123456789018b", "id:123456789018/x",
        "1234-123456789018", "e6b0c1a2-0f3d-4a5b-8c7d-123456789018"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_written(numbers[i], "?");
    assert_written("12345678901", "12345678901");
    assert_written("1234567890123", "1234567890123");
}
END_TEST

START_TEST(a_word_is_at_most_80_bytes)
{
    char word[82];
    memset(word, 'w', sizeof word);
    word[80] = '\0';
    assert_written(word, word);
    word[80] = 'w';
    word[81] = '\0';
    assert_written(word, "?");
}
END_TEST

START_TEST(event_and_correlation_are_held_to_the_same)
{
    catch ();
    journal(JOURNAL_ERROR, "氏名", "123456789018", NUMBER("ms", -5));
    json_t *line = json_loads(caught(), 0, NULL);
    ck_assert_ptr_nonnull(line);
    ck_assert_str_eq(json_string_value(json_object_get(line, "correlation")), "?");
    ck_assert_str_eq(json_string_value(json_object_get(line, "event")), "?");
    ck_assert_str_eq(json_string_value(json_object_get(line, "service")), "test");
    ck_assert_str_eq(json_string_value(json_object_get(line, "level")), "error");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "ms")), -5);
    ck_assert_uint_eq(strlen(json_string_value(json_object_get(line, "at"))), strlen("2026-11-21T10:00:00.000Z"));
    json_decref(line);
}
END_TEST

/* A line with more than fits leaves whole members out, and stays a line of JSON. */
START_TEST(a_long_line_stays_json)
{
    char word[81];
    struct journal_item items[24] = {0};
    memset(word, 'w', 80);
    word[80] = '\0';
    for (int i = 0; i < 23; i++)
        items[i] = (struct journal_item){"word", word, 0};
    catch ();
    journal_write(JOURNAL_INFO, NULL, "tested", items);
    ck_assert_ptr_nonnull(strchr(caught(), '\n'));
    json_t *line = json_loads(text, 0, NULL);
    ck_assert_msg(line != NULL, "not JSON: %s", text);
    ck_assert_uint_le(strlen(text), 1030);
    json_decref(line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *cases = tcase_create("journal");
    tcase_add_test(cases, only_words_are_written);
    tcase_add_test(cases, a_run_of_twelve_digits_is_not_written);
    tcase_add_test(cases, a_word_is_at_most_80_bytes);
    tcase_add_test(cases, event_and_correlation_are_held_to_the_same);
    tcase_add_test(cases, a_long_line_stays_json);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
