/* Is our encryption the one that others mean? npm's officecrypto-tool opens our workbook, and we open its. */
#include "chassis/arena.h"
#include "legacy_sync/agile.h"
#include "legacy_sync/workbook.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD "Kani-to-Ebi-2026"
#define OTHER_PASSWORD "another-Pass-2026"

static const char *const roll[] = {
    "資格者氏名",
    "個人番号",
    "備考", /* row 1 */
    "髙橋　𠮷子",
    "001234567895",
    "<&>\"'改行\nあり",
    "渡󠄀部　一郎",
    "314159265352",
    "",
};
static const struct workbook_table roll_table = {3, 3, roll};
static char path[] = "/tmp/shikaku-officecrypto-XXXXXX";
static struct arena *arena;

static void start(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    arena = arena_new((size_t)64 << 20);
}

static void end(void)
{
    unlink(path);
    arena_free(arena);
}

static json_t *rows_of(const struct workbook_table *table)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < table->rows; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < table->columns; c++) {
            const char *cell = table->cells[r * table->columns + c];
            json_array_append_new(row, json_string(cell ? cell : ""));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

/* The tool's standard output as JSON; NULL when it failed. */
static json_t *tool_open(const char *password)
{
    char command[512];
    snprintf(command, sizeof command, "tests/kit/officecrypto.sh open '%s' %s", password, path);
    FILE *out = popen(command, "r");
    ck_assert_ptr_nonnull(out);
    json_t *answer = json_loadf(out, 0, NULL);
    int status = pclose(out);
    ck_assert(status == 0 || !answer);
    return answer;
}

/* LINK-4 */
START_TEST(an_independent_reader_opens_ours)
{
    struct bytes book = workbook_write(arena, &roll_table, "准看護師籍簿", "/dev/shm");
    struct agile_lock lock;
    ck_assert(agile_lock_make(&lock, PASSWORD));
    struct bytes file = agile_encrypt(arena, book.data, book.len, &lock);
    FILE *out = fopen(path, "w");
    ck_assert_uint_eq(fwrite(file.data, 1, file.len, out), file.len);
    fclose(out);
    json_t *answer = tool_open(PASSWORD), *wanted = rows_of(&roll_table);
    ck_assert_msg(answer != NULL, "officecrypto-tool did not open the workbook (see its message above)");
    ck_assert_str_eq(json_string_value(json_object_get(answer, "sheet")), "准看護師籍簿");
    ck_assert(json_equal(json_object_get(answer, "rows"), wanted));
    ck_assert_ptr_null(tool_open(OTHER_PASSWORD));
    json_decref(answer);
    json_decref(wanted);
}
END_TEST

static void tool_make(void)
{
    json_t *rows = rows_of(&roll_table);
    char *text = json_dumps(rows, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *command = NULL;
    /* The rows hold an apostrophe, which the shell must not see as the end of the argument. */
    ck_assert(setenv("ROWS", text, 1) == 0);
    ck_assert(asprintf(&command, "tests/kit/officecrypto.sh make '%s' %s \"$ROWS\"", OTHER_PASSWORD, path) > 0);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(text);
    json_decref(rows);
}

/* LINK-4 */
START_TEST(we_open_an_independent_writers)
{
    static uint8_t file[1 << 20];
    struct bytes document;
    struct workbook_table table;
    tool_make();
    FILE *in = fopen(path, "r");
    size_t len = fread(file, 1, sizeof file, in);
    fclose(in);
    ck_assert_int_eq(agile_decrypt(arena, file, len, PASSWORD, &document), AGILE_WRONG_PASSWORD);
    ck_assert_int_eq(agile_decrypt(arena, file, len, OTHER_PASSWORD, &document), AGILE_OPENED);
    ck_assert(workbook_read(arena, document.data, document.len, &table));
    json_t *is = rows_of(&table), *wanted = rows_of(&roll_table);
    ck_assert(json_equal(is, wanted));
    json_decref(is);
    json_decref(wanted);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("officecrypto");
    TCase *t = tcase_create("officecrypto");
    tcase_add_checked_fixture(t, start, end);
    tcase_set_timeout(t, 180);
    tcase_add_test(t, an_independent_reader_opens_ours);
    tcase_add_test(t, we_open_an_independent_writers);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
