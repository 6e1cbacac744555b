/* Comparing persons: what may pass without a person's decision, and above all what may not. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "chassis/person_match.h"

static struct person person_of(const char *name, const char *address, const char *birth_date, const char *sex)
{
    struct person person;
    struct fault fault = {0};
    ck_assert_msg(person_fill(&person, name, address, birth_date, sex, &fault), "%s %s", fault_code_text(fault.code),
        fault.field);
    return person;
}

static enum person_agreement names(const char *one, const char *other)
{
    struct person a = person_of(one, "東京都千代田区架空町1-2-3", "19900401", "1");
    struct person b = person_of(other, "東京都千代田区架空町1-2-3", "19900401", "1");
    struct person_match match = person_match_compare(&a, &b), back = person_match_compare(&b, &a);
    ck_assert_int_eq(match.items[PERSON_NAME], back.items[PERSON_NAME]);
    return match.items[PERSON_NAME];
}

static enum person_agreement addresses(const char *one, const char *other)
{
    struct person a = person_of("架空　太郎", one, "19900401", "1");
    struct person b = person_of("架空　太郎", other, "19900401", "1");
    struct person_match match = person_match_compare(&a, &b), back = person_match_compare(&b, &a);
    ck_assert_int_eq(match.items[PERSON_ADDRESS], back.items[PERSON_ADDRESS]);
    return match.items[PERSON_ADDRESS];
}

/* ROLL-8, pitfall 18: forms of one character are one name for comparing, and are told apart from the same bytes */
START_TEST(the_forms_of_one_name_agree)
{
    static const char *const pairs[][2] = {
        {"塚本　一郎", "\uFA10本　一郎"},
        {"辻　花子", "辻\U000E0100　花子"},
        {"辻　花子", "辻\uFE00　花子"},
        {"髙橋　実", "高橋　實"},
        {"山﨑　誠", "山崎　誠"},
        {"𠮷田　優", "吉田　優"},
        {"渡邊　眞", "渡辺　真"},
        {"齋藤　惠", "斎藤　恵"},
        {"山田　太郎", "山田 太郎"},
        {"山田　太郎", "山田  太郎 "},
        {"サンプル　タロウ", "ｻﾝﾌﾟﾙ ﾀﾛｳ"},
        {"ＳＡＭＰＬＥ　ＴＡＲＯ", "Sample Taro"},
        {"スミス−ジョーンズ　アン", "スミス-ジョ－ンズ　アン"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_msg(names(pairs[i][0], pairs[i][1]) == PERSON_NORMALISED, "pair %zu", i);
        ck_assert_int_eq(names(pairs[i][0], pairs[i][0]), PERSON_EQUAL);
    }
}
END_TEST

/* JUKI-1, pitfall 15: names that are merely alike go to a person */
START_TEST(different_names_stay_different)
{
    static const char *const pairs[][2] = {
        {"斎藤　恵", "斉藤　恵"},
        {"島田　実", "嶋田　実"},
        {"冨田　実", "富田　実"},
        {"森　永子", "森永　子"},
        {"森　永子", "森永子"},
        {"太田　翔", "大田　翔"},
        {"山田　一郎", "山田　二郎"},
        {"山田　ハルカ", "山田　ハルガ"},
        {"山田　ゆい", "山田　ユイ"},
        {"二宮　エミ", "ニ宮　エミ"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        ck_assert_msg(names(pairs[i][0], pairs[i][1]) == PERSON_DIFFERENT, "pair %zu", i);
}
END_TEST

START_TEST(the_forms_of_one_address_agree)
{
    static const char *const pairs[][2] = {
        {"東京都千代田区架空町一丁目２番３号", "東京都千代田区架空町1-2-3"},
        {"東京都千代田区架空町１丁目２番地３", "東京都千代田区架空町１－２－３"},
        {"東京都千代田区架空町二十三丁目5番の6", "東京都千代田区架空町23-5-6"},
        {"東京都千代田区架空町十丁目十一番十二号", "東京都千代田区架空町10-11-12"},
        {"東京都千代田区架空町1ー2ー3", "東京都千代田区架空町1−2−3"},
        {"奈良県架空郡試験村大字見本字例示5番地", "奈良県架空郡試験村見本字例示5"},
        {"奈良県架空郡試験村字例示5番地の2", "奈良県架空郡試験村例示5-2"},
        {"東京都千代田区霞ヶ関1-2-3", "東京都千代田区霞が関1-2-3"},
        {"東京都千代田区架空町1-2-3　コーポ見本１０１号室", "東京都千代田区架空町1-2-3コーポ見本101"},
        {"東京都千代田区架空町1-2-3 101号", "東京都千代田区架空町1-2-3-101"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        ck_assert_msg(addresses(pairs[i][0], pairs[i][1]) == PERSON_NORMALISED, "pair %zu", i);
        ck_assert_int_eq(addresses(pairs[i][0], pairs[i][0]), PERSON_EQUAL);
    }
}
END_TEST

/* Numbers must never run together or change: 1-23 is no 12-3. */
START_TEST(different_addresses_stay_different)
{
    static const char *const pairs[][2] = {
        {"東京都千代田区架空町1-23", "東京都千代田区架空町12-3"},
        {"東京都千代田区架空町1-2 301", "東京都千代田区架空町1-2301"},
        {"東京都千代田区架空町1-2-3", "東京都千代田区架空町1-2-3-101"},
        {"東京都千代田区架空町1-2-3コーポ見本101", "東京都千代田区架空町1-2-3コーポ見本102"},
        {"東京都千代田区架空町二丁目3番", "東京都千代田区架空町三丁目3番"},
        {"東京都千代田区架空町十一丁目", "東京都千代田区架空町一丁目"},
        {"東京都港区三田1-1", "東京都港区三番1-1"},
        {"東京都千代田区架空町1-2-3コーポガラ", "東京都千代田区架空町1-2-3コーポケラ"},
        {"千代田区架空町1-2-3", "東京都千代田区架空町1-2-3"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        ck_assert_msg(addresses(pairs[i][0], pairs[i][1]) == PERSON_DIFFERENT, "pair %zu", i);
}
END_TEST

/* Pitfall 15: the cases in which a guess would take one person for another */
START_TEST(twins_and_namesakes_go_to_a_person)
{
    struct person one = person_of("架空　葵", "東京都千代田区架空町1-2-3", "20000229", "2");
    struct person others[] = {
        person_of("架空　茜", "東京都千代田区架空町1-2-3", "20000229", "2"), /* a twin */
        person_of("架空　葵", "東京都港区架空町4-5-6", "20000229", "2"),     /* same name, same birthday */
        person_of("架空　葵", "東京都千代田区架空町1-2-3", "19720229", "2"), /* a parent of the same name */
        person_of("架空　葵", "東京都千代田区架空町1-2-3", "20000229", "1"),
        person_of("架空　葵", "東京都千代田区架空町1-2-3", "20000229", "3"), /* sex unknown proves nothing */
    };
    struct person_match same = person_match_compare(&one, &one);
    ck_assert(person_match_agrees(&same) && person_match_is_exact(&same));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct person_match match = person_match_compare(&one, &others[i]);
        ck_assert_msg(!person_match_agrees(&match) && !person_match_is_exact(&match), "person %zu", i);
    }
}
END_TEST

/* An answer that lacks an item, or is broken, agrees with nothing: not even with another that lacks it. */
START_TEST(absence_proves_nothing)
{
    struct person nobody = {0};
    struct person_match match = person_match_compare(&nobody, &nobody);
    for (int i = 0; i < PERSON_ITEMS; i++)
        ck_assert_int_eq(match.items[i], PERSON_DIFFERENT);
    struct person broken = person_of("架空　葵", "東京都千代田区架空町1-2-3", "20000229", "2");
    strcpy(broken.name, "\xE6\x9E");
    match = person_match_compare(&broken, &broken);
    ck_assert_int_eq(match.items[PERSON_NAME], PERSON_DIFFERENT);
    ck_assert_int_eq(match.items[PERSON_ADDRESS], PERSON_EQUAL);
    strcpy(broken.name, "　 ");
    struct person blank = broken;
    strcpy(blank.name, "  ");
    match = person_match_compare(&broken, &blank);
    ck_assert_int_eq(match.items[PERSON_NAME], PERSON_DIFFERENT);
}
END_TEST

START_TEST(the_outcome_is_told_without_a_value)
{
    struct person one = person_of("髙橋　葵", "東京都千代田区架空町1-2-3", "20000229", "2");
    struct person other = person_of("高橋　葵", "東京都港区架空町1-2-3", "20000229", "2");
    struct person_match match = person_match_compare(&one, &other);
    char text[PERSON_MATCH_TEXT_MAX];
    person_match_print(&match, text, sizeof text);
    ck_assert_str_eq(text, "name=equal_normalised address=different birth_date=equal sex=equal rule=1");
}
END_TEST

/* APPLY-5: limits and forms are refused with the item's name */
START_TEST(a_person_is_filled_within_limits)
{
    static const struct {
        const char *name, *address, *birth_date, *sex;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"", "東京都", "20000229", "2", FAULT_item_missing, "name"},
        {NULL, "東京都", "20000229", "2", FAULT_item_missing, "name"},
        {"架空　葵", "", "20000229", "2", FAULT_item_missing, "address"},
        {"架空　葵", "\xFF", "20000229", "2", FAULT_item_invalid, "address"},
        {"架空　葵", "東京都", "20010229", "2", FAULT_item_invalid, "birth_date"},
        {"架空　葵", "東京都", "2000022", "2", FAULT_item_invalid, "birth_date"},
        {"架空　葵", "東京都", "200002290", "2", FAULT_item_too_long, "birth_date"},
        {"架空　葵", "東京都", "20001301", "2", FAULT_item_invalid, "birth_date"},
        {"架空　葵", "東京都", "20000229", "4", FAULT_item_invalid, "sex"},
        {"架空　葵", "東京都", "20000229", "12", FAULT_item_invalid, "sex"},
        {"架空　葵", "東京都", "20000229", "", FAULT_item_missing, "sex"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct person person;
        struct fault fault = {0};
        ck_assert(!person_fill(&person, rows[i].name, rows[i].address, rows[i].birth_date, rows[i].sex, &fault));
        ck_assert_msg(fault.code == rows[i].code && strcmp(fault.field, rows[i].field) == 0, "row %zu", i);
    }
    char name[3 * 201 + 1] = "";
    for (int i = 0; i < 200; i++)
        strcat(name, "葵");
    struct person person;
    struct fault fault = {0};
    ck_assert(person_fill(&person, name, "東京都", "20000229", "2", &fault));
    ck_assert_str_eq(person.name, name);
    strcat(name, "葵");
    ck_assert(!person_fill(&person, name, "東京都", "20000229", "2", &fault));
    ck_assert_int_eq(fault.code, FAULT_item_too_long);
}
END_TEST

/* What grows when folded (U+FDFA becomes 18 characters) stays inside its bounds. */
START_TEST(hostile_text_is_bounded)
{
    char name[PERSON_NAME_BYTES + 1] = "";
    for (int i = 0; i < 200; i++)
        strcat(name, "\uFDFA");
    ck_assert_int_eq(names(name, "架空　葵"), PERSON_DIFFERENT);
    char key[PERSON_NAME_KEY_MAX];
    ck_assert(!person_name_normalise(name, key, sizeof key));
    ck_assert(person_name_normalise("髙橋　 葵", key, sizeof key));
    ck_assert_str_eq(key, "高橋 葵");
    ck_assert(!person_name_normalise("髙橋　葵", key, strlen("高橋 葵")));
}
END_TEST

/* A yearly inquiry compares millions: fewer than 10,000 a second would make the comparison the bottleneck of its night.
 */
START_TEST(comparing_is_fast)
{
    struct person one =
        person_of("渡邊　眞", "東京都千代田区架空町一丁目２番３号　コーポ見本１０１号室", "19900401", "1");
    struct person other = person_of("渡辺　真", "東京都千代田区架空町1-2-3コーポ見本101", "19900401", "1");
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    int agreed = 0;
    for (int i = 0; i < 2000; i++) {
        struct person_match match = person_match_compare(&one, &other);
        agreed += person_match_agrees(&match);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    ck_assert_int_eq(agreed, 2000);
    printf("person_match: %.0f comparisons a second\n", 2000 / seconds);
#if !defined __SANITIZE_ADDRESS__
    ck_assert_double_lt(seconds, 0.2);
#endif
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("person_match");
    TCase *tests = tcase_create("comparing");
    tcase_add_test(tests, the_forms_of_one_name_agree);
    tcase_add_test(tests, different_names_stay_different);
    tcase_add_test(tests, the_forms_of_one_address_agree);
    tcase_add_test(tests, different_addresses_stay_different);
    tcase_add_test(tests, twins_and_namesakes_go_to_a_person);
    tcase_add_test(tests, absence_proves_nothing);
    tcase_add_test(tests, the_outcome_is_told_without_a_value);
    tcase_add_test(tests, a_person_is_filled_within_limits);
    tcase_add_test(tests, hostile_text_is_bounded);
    tcase_add_test(tests, comparing_is_fast);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
