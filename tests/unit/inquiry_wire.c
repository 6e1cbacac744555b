/* The fixed format to the byte: what is written, and that nothing but a result file of what was asked is taken. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "residence/inquiry_wire.h"

#define FIRST "6a0c1f52-0000-4000-8000-00000000ab01"
#define SECOND "6a0c1f52-0000-4000-8000-00000000ab02"
#define FILE_REFERENCE "0123456789abcdef0123456789abcdef"

static struct arena *arena;
static struct inquiry_record records[2];
static struct inquiry_file asked;

static void set_up(void)
{
    arena = arena_new(1 << 20);
    for (int i = 0; i < 2; i++) {
        records[i] = (struct inquiry_record){.number = i ? "999900000027" : "999900000019"};
        strcpy(records[i].reference, i ? SECOND : FIRST);
        strcpy(records[i].affair, "kaigishi");
    }
    asked = (struct inquiry_file){.form = INQUIRY_BATCH, .records = records, .count = 2};
    strcpy(asked.reference, FILE_REFERENCE);
    strcpy(asked.body, "mlit");
    strcpy(asked.made_at, "20261121103000");
}

static void tear_down(void)
{
    arena_free(arena);
}

/* JUKI-3 */
START_TEST(a_file_by_number_is_this_text)
{
    static const char wanted[] = "1SHOKAI01B" FILE_REFERENCE
                                 "20261121103000mlit            \n"
                                 "2N000001" FIRST
                                 "kaigishi        999900000019\n"
                                 "2N000002" SECOND
                                 "kaigishi        999900000027\n"
                                 "9000002\n";
    struct bytes out;
    struct fault fault = {0};
    ck_assert(inquiry_file_put(arena, &asked, &out, &fault));
    ck_assert_uint_eq(out.len, sizeof wanted - 1);
    ck_assert(memcmp(out.data, wanted, out.len) == 0);
}
END_TEST

START_TEST(a_terminal_asks_one_record)
{
    struct bytes out;
    struct fault fault = {0};
    asked.form = INQUIRY_TERMINAL;
    ck_assert(!inquiry_file_put(arena, &asked, &out, &fault));
    asked.count = 0;
    ck_assert(!inquiry_file_put(arena, &asked, &out, &fault));
    asked.count = 1;
    ck_assert(inquiry_file_put(arena, &asked, &out, &fault));
}
END_TEST

#define HEAD "1KEKKA001B" FILE_REFERENCE "20261121103001mlit            \n"
#define NOBODY(sequence, reference) "3" sequence reference "02000000        -\n"

static char *person_line(const char *before)
{
    return arena_format(arena, "%sP%s%*s%s%*s198504012\n", before, "架空　花子", 600 - (int)strlen("架空　花子"), "",
        "東京都", 1200 - (int)strlen("東京都"), "");
}

static bool taken(const char *text, struct result_file *results)
{
    struct fault fault = {0};
    bool right = result_file_take(arena, &asked, (struct bytes){(uint8_t *)text, strlen(text)}, results, &fault);
    ck_assert(right || fault.code == FAULT_malformed);
    return right;
}

/* JUKI-1 */
START_TEST(a_result_file_is_taken_apart)
{
    struct result_file results;
    char *text = arena_format(
        arena, HEAD "%s" NOBODY("000002", SECOND) "9000002\n", person_line("3000001" FIRST "1100100120250301"));
    ck_assert(taken(text, &results));
    ck_assert_uint_eq(results.count, 2);
    ck_assert_int_eq(results.lines[0].result, RESULT_DEAD);
    ck_assert_str_eq(results.lines[0].changed_on, "20250301");
    ck_assert_str_eq(results.lines[0].person.name, "架空　花子");
    ck_assert_str_eq(results.lines[0].person.address, "東京都");
    ck_assert_int_eq(results.lines[0].person.sex, '2');
    ck_assert_int_eq(results.lines[1].result, RESULT_NONE);
    ck_assert(!results.lines[1].has_person);
    for (size_t cut = 0; cut < strlen(text); cut++) {
        struct fault fault = {0};
        ck_assert(!result_file_take(arena, &asked, (struct bytes){(uint8_t *)text, cut}, &results, &fault));
        arena_reset(arena);
        text = arena_format(
            arena, HEAD "%s" NOBODY("000002", SECOND) "9000002\n", person_line("3000001" FIRST "1100100120250301"));
    }
}
END_TEST

START_TEST(several_candidates_stand_together)
{
    struct result_file results;
    char *one = person_line("3000001" FIRST "01001002        "), *two = person_line("3000001" FIRST "01002002        ");
    ck_assert(taken(arena_format(arena, HEAD "%s%s9000002\n", one, two), &results));
    ck_assert_uint_eq(results.lines[1].total, 2);
    ck_assert(!taken(arena_format(arena, HEAD "%s9000001\n", one), &results));
    ck_assert(!taken(arena_format(arena, HEAD "%s%s9000002\n", two, one), &results));
    ck_assert(!taken(arena_format(arena, HEAD "%s%s%s9000003\n", one, two, two), &results));
    ck_assert(!taken(arena_format(arena, HEAD "%s" NOBODY("000002", SECOND) "%s9000003\n", one, two), &results));
}
END_TEST

/* An answer that is another's, or about somebody who was not asked for, is no answer. */
START_TEST(a_strange_result_file_is_refused)
{
    static const char *const strange[] = {
        "",
        HEAD,
        HEAD "9000001\n",
        HEAD NOBODY("000001", FIRST) "9000002\n",
        HEAD NOBODY("000001", FIRST) "9000001\nx",
        HEAD NOBODY("000001", SECOND) "9000001\n",
        HEAD NOBODY("000003", SECOND) "9000001\n",
        HEAD NOBODY("000002", SECOND) NOBODY("000001", FIRST) "9000002\n",
        HEAD NOBODY("000001", FIRST) NOBODY("000001", FIRST) "9000002\n",
        HEAD "3000001" FIRST "77000000        -\n9000001\n",
        HEAD "3000001" FIRST "00001001        -\n9000001\n",
        HEAD "3000001" FIRST "00999999        -\n9000001\n",
        "1KEKKA001T" FILE_REFERENCE "20261121103001mlit            \n9000000\n",
        "1KEKKA001B" FILE_REFERENCE "20261121103001nara            \n9000000\n",
        "1KEKKA001B1123456789abcdef0123456789abcdef20261121103001mlit            \n9000000\n",
    };
    struct result_file results;
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
        ck_assert_msg(!taken(strange[i], &results), "%zu was taken", i);
    ck_assert(taken(HEAD "9000000\n", &results));
    ck_assert(taken(HEAD NOBODY("000002", SECOND) "9000001\n", &results));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inquiry_wire");
    TCase *tests = tcase_create("inquiry_wire");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_file_by_number_is_this_text);
    tcase_add_test(tests, a_terminal_asks_one_record);
    tcase_add_test(tests, a_result_file_is_taken_apart);
    tcase_add_test(tests, several_candidates_stand_together);
    tcase_add_test(tests, a_strange_result_file_is_refused);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
