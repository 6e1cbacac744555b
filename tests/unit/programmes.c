/* The definitions that ship (deploy/programmes) against the seeds' facts: every 記録項目 in its order, and every
 * difference between the programmes that requirements name. Run from the root of the tree. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "chassis/programme.h"

static struct programmes *all;
static json_t *facts, *samples;

static void load(void)
{
    char problem[PROGRAMMES_PROBLEM_MAX] = "";
    all = programmes_load("deploy/programmes", problem, sizeof problem);
    ck_assert_msg(all != NULL, "%s", problem);
    facts = json_load_file("tests/unit/record_fields.json", 0, NULL);
    samples = json_load_file("tests/unit/programme_items.json", 0, NULL);
    ck_assert(facts != NULL && samples != NULL);
}

static void unload(void)
{
    programmes_free(all);
    json_decref(facts);
    json_decref(samples);
}

static const struct programme *of(const char *code)
{
    const struct programme *programme = programme_find(all, code);
    ck_assert_msg(programme != NULL, "%s", code);
    return programme;
}

static size_t fields_of(const struct programme *programme)
{
    size_t count = 0;
    for (size_t i = 0; i < programme->table_count; i++)
        count += programme->tables[i].field_count;
    return count;
}

/* ROLL-1: the fields are exactly those of the seed's 別添, in its order */
START_TEST(fields_are_those_of_the_seeds)
{
    ck_assert_uint_eq(programmes_count(all), json_object_size(facts));
    for (size_t i = 0; i < programmes_count(all); i++) {
        const struct programme *programme = programmes_at(all, i);
        const json_t *tables = json_object_get(facts, programme->code);
        ck_assert_uint_eq(programme->table_count, json_array_size(tables));
        for (size_t t = 0; t < programme->table_count; t++) {
            const struct programme_table *table = &programme->tables[t];
            const json_t *fact = json_array_get(tables, t), *labels = json_array_get(fact, 1);
            ck_assert_str_eq(table->label, json_string_value(json_array_get(fact, 0)));
            ck_assert_uint_eq(table->field_count, json_array_size(labels));
            for (size_t f = 0; f < table->field_count; f++)
                ck_assert_str_eq(table->fields[f].label, json_string_value(json_array_get(labels, f)));
        }
    }
}
END_TEST

/* ROLL-1: the counts that the seeds give; 海技士 and 小型船舶操縦士 are two rolls with one list */
START_TEST(counts_are_those_of_the_seeds)
{
    ck_assert_uint_eq(fields_of(of("kaigishi")), 36);
    ck_assert_uint_eq(fields_of(of("kogata-senpaku")), 36);
    ck_assert_uint_eq(fields_of(of("chorishi")), 29);
    ck_assert_uint_eq(fields_of(of("jun-kangoshi")), 12);
    static const size_t tables[] = {2, 34, 39, 32, 80, 33, 17};
    const struct programme *ginou = of("ginou-kentei");
    ck_assert_uint_eq(ginou->table_count, 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert_uint_eq(ginou->tables[i].field_count, tables[i]);
    ck_assert_str_ne(of("kaigishi")->title, of("kogata-senpaku")->title);
    ck_assert_str_eq(of("kaigishi")->manager, of("kogata-senpaku")->manager);
}
END_TEST

/* The last table of requirements, row by row; NUM-9, PAY-2, JUKI-7, EXCH-2, LINK-1..5 */
START_TEST(differences_are_those_of_the_seeds)
{
    static const struct {
        const char *code, *manager, *legacy;
        bool paper, family, legacy_number;
        enum programme_residence residence;
        unsigned dispositions, payments;
    } rows[] = {
        {"kaigishi", "mlit", "kaigi_api", false, true, false, PROGRAMME_RESIDENCE_BATCH, PROGRAMME_ERASE,
            PROGRAMME_ONLINE | PROGRAMME_STAMPS},
        {"kogata-senpaku", "mlit", "kaigi_api", false, true, false, PROGRAMME_RESIDENCE_BATCH, PROGRAMME_ERASE,
            PROGRAMME_ONLINE | PROGRAMME_STAMPS},
        {"chorishi", "tokyo", "none", true, true, false, PROGRAMME_RESIDENCE_TERMINAL,
            PROGRAMME_SUSPEND | PROGRAMME_REVOKE, PROGRAMME_ONLINE | PROGRAMME_CASH},
        {"hoikushi", "saitama", "hoikushi", true, true, true, PROGRAMME_RESIDENCE_BATCH,
            PROGRAMME_SUSPEND | PROGRAMME_REVOKE, PROGRAMME_ONLINE | PROGRAMME_STAMPS},
        {"ginou-kentei", "mhlw", "ginou", true, false, true, PROGRAMME_RESIDENCE_BATCH, PROGRAMME_CANCEL_PASS,
            PROGRAMME_ONLINE | PROGRAMME_CASH},
        {"jun-kangoshi", "nara", "workbook", true, true, true, PROGRAMME_RESIDENCE_BATCH,
            PROGRAMME_SUSPEND | PROGRAMME_REVOKE, PROGRAMME_ONLINE | PROGRAMME_STAMPS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct programme *programme = of(rows[i].code);
        const struct programme_procedure *registration = programme_procedure_find(programme, "registration");
        ck_assert_str_eq(programme->manager, rows[i].manager);
        ck_assert_str_eq(programme->legacy, rows[i].legacy);
        ck_assert_int_eq(programme->number_on_paper, rows[i].paper);
        ck_assert_int_eq(programme->family_register, rows[i].family);
        ck_assert_int_eq(programme->legacy_number, rows[i].legacy_number);
        ck_assert_int_eq(programme->residence, rows[i].residence);
        ck_assert_uint_eq(programme->dispositions, rows[i].dispositions);
        ck_assert_uint_eq(registration->payments, rows[i].payments);
        ck_assert_int_eq(programme->family_item != NULL, rows[i].family);
    }
    ck_assert_str_eq(of("kaigishi")->residence_schedule, "yearly");
    ck_assert_str_eq(of("kaigishi")->family_schedule, "yearly");
}
END_TEST

static json_t *entry_of(const struct programme *programme)
{
    const json_t *items = json_object_get(samples, programme->code);
    const struct programme_procedure *registration = programme_procedure_find(programme, "registration");
    struct fault fault = {0};
    ck_assert_msg(programme_items_check(registration, items, &fault), "%s: %s %s", programme->code,
        fault_code_text(fault.code), fault.field);
    struct person person;
    ck_assert_msg(programme_person_make(programme, items, &person, &fault), "%s: %s %s", programme->code,
        fault_code_text(fault.code), fault.field);
    char number[PROGRAMME_NUMBER_MAX];
    ck_assert(programme_number_print(programme, 123, "20260401", items, number, sizeof number));
    struct programme_values values = {
        .items = items,
        .person = &person,
        .pseudonym = "PSEUDONYM-0001",
        .portal_pseudonym = "portal-0001",
        .domicile = "京都府京都市架空区見本町1",
        .receipt = "R-0001",
        .registration_number = number,
        .received_on = "20260331",
        .registered_on = "20260405",
    };
    json_t *entry = programme_entry_build(programme, registration, &values);
    ck_assert_ptr_nonnull(entry);
    return entry;
}

static const char *value(const char *code, const json_t *entry, const char *path)
{
    struct programme_target target;
    ck_assert_msg(programme_field_find(of(code), path, &target), "%s", path);
    return programme_entry_value(&target, entry);
}

/* NUM-1: an entry has no place for the number. Every programme's sample passes its own check and fills every field that
 * is not left to staff, to the existing system, or to an optional item. */
START_TEST(samples_fill_the_rolls)
{
    for (size_t i = 0; i < programmes_count(all); i++) {
        const struct programme *programme = programmes_at(all, i);
        json_t *entry = entry_of(programme);
        for (size_t t = 0; t < programme->table_count; t++) {
            const struct programme_table *table = &programme->tables[t];
            for (size_t f = 0; f < table->field_count; f++) {
                struct programme_target target = {table, &table->fields[f]};
                const char *text = programme_entry_value(&target, entry);
                enum programme_source source = target.field->source;
                if (source == PROGRAMME_NUMBER || source == PROGRAMME_STAFF || source == PROGRAMME_LEGACY)
                    ck_assert_msg(text[0] == 0, "%s.%s", table->key, target.field->key);
                else if (source != PROGRAMME_APPLICANT)
                    ck_assert_msg(text[0] != 0, "%s %s.%s", programme->code, table->key, target.field->key);
            }
        }
        json_decref(entry);
    }
}
END_TEST

/* ROLL-8: names reach the roll code point by code point */
START_TEST(values_reach_their_fields)
{
    json_t *kaigi = entry_of(of("kaigishi")), *chori = entry_of(of("chorishi")), *ginou = entry_of(of("ginou-kentei"));
    json_t *boat = entry_of(of("kogata-senpaku")), *nurse = entry_of(of("jun-kangoshi"));
    ck_assert_str_eq(value("kaigishi", kaigi, "family_name"), "髙𠮷");
    ck_assert_str_eq(value("kaigishi", kaigi, "given_name"), "海斗");
    ck_assert_str_eq(value("kaigishi", kaigi, "roll.licence_number"), "00000123");
    ck_assert_str_eq(value("kaigishi", kaigi, "domicile"), "京都府京都市架空区見本町1");
    ck_assert_str_eq(value("kogata-senpaku", boat, "licence_number"), "0400000123");
    ck_assert_str_eq(value("kogata-senpaku", boat, "family_name"), "\uFA10本");
    ck_assert_str_eq(value("chorishi", chori, "name"), "辻\U000E0100　味香");
    ck_assert_str_eq(value("chorishi", chori, "licence_number"), "第000123号");
    ck_assert_str_eq(value("chorishi", chori, "domicile_prefecture"), "京都府");
    ck_assert_str_eq(value("chorishi", chori, "licensed_on"), "20260405");
    ck_assert_str_eq(value("ginou-kentei", ginou, "candidate.address"), "愛知県名古屋市架空区試験1-1");
    ck_assert_str_eq(value("ginou-kentei", ginou, "candidate.address_detail"), "見本荘101");
    ck_assert_str_eq(value("ginou-kentei", ginou, "candidate.fiscal_year"), "2025");
    ck_assert_str_eq(value("ginou-kentei", ginou, "application.grade_code"), "2");
    ck_assert_str_eq(value("jun-kangoshi", nurse, "registration_number"), "第123号");
    json_decref(kaigi);
    json_decref(chori);
    json_decref(ginou);
    json_decref(boat);
    json_decref(nurse);
}
END_TEST

/* CERT-2: the certificate shows what the roll holds, in words */
START_TEST(certificate_lines_are_readable)
{
    json_t *entry = entry_of(of("kaigishi"));
    static const char *const shown[] = {"髙𠮷　海斗", "1990年4月1日", "三級海技士(航海)", "00000123", "2026年3月31日"};
    ck_assert_uint_eq(of("kaigishi")->certificate_line_count, 5);
    for (size_t i = 0; i < 5; i++) {
        char *text = programme_line_print(&of("kaigishi")->certificate_lines[i], entry);
        ck_assert_str_eq(text, shown[i]);
        free(text);
    }
    json_decref(entry);
}
END_TEST

/* A registration number is never taken for a 個人番号: no pattern gives 12 digits. */
START_TEST(registration_numbers_are_no_numbers)
{
    for (size_t i = 0; i < programmes_count(all); i++) {
        const struct programme *programme = programmes_at(all, i);
        char text[PROGRAMME_NUMBER_MAX];
        ck_assert(programme_number_print(
            programme, 9999999, "20260401", json_object_get(samples, programme->code), text, sizeof text));
        size_t digits = 0;
        for (const char *at = text; *at != 0; at++)
            digits += *at >= '0' && *at <= '9';
        ck_assert_uint_ne(digits, 12);
    }
}
END_TEST

/* ROLL-10: keys are made for managers, so one with two programmes (mlit: 海技士, 小型船舶操縦士) is listed once */
START_TEST(each_manager_is_listed_once)
{
    const char *const *managers;
    size_t count = programmes_managers(all, &managers);
    for (size_t i = 0; i < programmes_count(all); i++) {
        size_t times = 0;
        for (size_t j = 0; j < count; j++)
            times += strcmp(managers[j], programmes_at(all, i)->manager) == 0;
        ck_assert_uint_eq(times, 1);
    }
    ck_assert_str_eq(of("kaigishi")->manager, of("kogata-senpaku")->manager);
    ck_assert_uint_lt(count, programmes_count(all));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("programmes");
    TCase *tests = tcase_create("definitions");
    tcase_add_checked_fixture(tests, load, unload);
    tcase_add_test(tests, each_manager_is_listed_once);
    tcase_add_test(tests, fields_are_those_of_the_seeds);
    tcase_add_test(tests, counts_are_those_of_the_seeds);
    tcase_add_test(tests, differences_are_those_of_the_seeds);
    tcase_add_test(tests, samples_fill_the_rolls);
    tcase_add_test(tests, values_reach_their_fields);
    tcase_add_test(tests, certificate_lines_are_readable);
    tcase_add_test(tests, registration_numbers_are_no_numbers);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
