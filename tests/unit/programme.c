/* Definitions are read strictly, applications are held against them, fees and entries come out of them. The cases
 * change one thing of a small definition that is otherwise right. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "chassis/programme.h"

static const char small[] =
    "{'code':'sample','title':'見本士','manager':{'code':'mihon','title':'見本大臣'},'number_on_paper':true,"
    "'registration_number':'第{serial:4}号',"
    "'residence':{'mode':'batch','schedule':'yearly'},'family_register':{'mode':'none'},"
    "'legacy':{'kind':'workbook','number':true},'dispositions':['revoke'],"
    "'legal_basis':{'number':'a','residence':'b','network':'c'},"
    "'identity':{'name':['name'],'kana':['kana'],'address':['address'],'birth_date':'birth_date','sex':'sex'},"
    "'tables':[{'key':'roll','label':'名簿','fields':["
    "{'key':'number','label':'個人番号','type':'integer','max':12,'source':'number','searchable':false},"
    "{'key':'name','label':'氏名','type':'text','max':20,'source':'residence','value':'name','searchable':true},"
    "{'key':'kana','label':'カナ','type':'kana','max':20,'source':'applicant','searchable':false},"
    "{'key':'given_on','label':'交付日','type':'date','max':8,'source':'legacy','searchable':false},"
    "{'key':'note','label':'備考','type':'text','max':5,'source':'staff','searchable':false},"
    "{'key':'registered_number','label':'番号','type':'text','max':40,'source':'system',"
    "'value':'registration_number','searchable':true}]}],"
    "'fees_note':'見本','procedures':[{'code':'registration','title':'登録','items':["
    "{'key':'name','label':'氏名','type':'text','max':20,'required':true,'fields':['roll.name']},"
    "{'key':'kana','label':'カナ','type':'kana','max':20,'required':true,'fields':['roll.kana']},"
    "{'key':'address','label':'住所','type':'text','max':40,'required':true},"
    "{'key':'birth_date','label':'生年月日','type':'date','max':8,'required':true},"
    "{'key':'sex','label':'性別','type':'choice','max':1,'required':true,'choices':[{'value':'1','label':'男'},"
    "{'value':'2','label':'女'}]},"
    "{'key':'exam','label':'試験番号','type':'code','max':10,'required':false,'pattern':'[A-Z][0-9]{3}'},"
    "{'key':'post','label':'郵便番号','type':'postal_code','max':7,'required':false},"
    "{'key':'flag','label':'有無','type':'flag','max':1,'required':false},"
    "{'key':'phone','label':'電話','type':'phone','max':13,'required':false}],"
    "'attachments':[{'key':'evidence','label':'証明','required':true,'max_bytes':1000},"
    "{'key':'photo','label':'写真','required':false,'max_bytes':500}],"
    "'fees':[{'key':'a','label':'学科','yen':100,'valid_from':'20240401'},"
    "{'key':'a','label':'学科','yen':150,'valid_from':'20260401'},"
    "{'key':'b','label':'実技','yen':1000,'valid_from':'20250101'}],'payments':['online','cash']}],"
    "'certificate':{'title':'証','issuer':'見本大臣','lines':[{'label':'氏名','fields':['roll.name']}]}}";

static char folder[] = "/tmp/shikaku-programme-XXXXXX";
static char problem[PROGRAMMES_PROBLEM_MAX];
static struct programmes *all;

/* The small definition with one text replaced, as the only file of the folder. */
static struct programmes *load_with(const char *from, const char *to)
{
    char path[128];
    snprintf(path, sizeof path, "%s/sample.json", folder);
    FILE *file = fopen(path, "w");
    const char *at = from == NULL ? NULL : strstr(small, from);
    ck_assert_msg(from == NULL || at != NULL, "%s", from);
    char text[sizeof small + 512];
    if (at == NULL)
        snprintf(text, sizeof text, "%s", small);
    else
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - small), small, to, at + strlen(from));
    for (char *c = text; *c != 0; c++)
        fputc(*c == '\'' ? '"' : *c, file);
    fclose(file);
    problem[0] = 0;
    return programmes_load(folder, problem, sizeof problem);
}

static void make_folder(void)
{
    strcpy(strrchr(folder, '-'), "-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    all = load_with(NULL, NULL);
    ck_assert_msg(all != NULL, "%s", problem);
}

static void remove_folder(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/sample.json", folder);
    unlink(path);
    rmdir(folder);
    programmes_free(all);
}

/* ROLL-10: a mistake in a definition stops the start, with file and key named */
START_TEST(a_wrong_definition_is_refused)
{
    static const struct {
        const char *from, *to, *where;
    } rows[] = {
        {"'title':'見本士'", "'titel':'見本士'", "titel"},
        {"'title':'見本士'", "'title':3", "title"},
        {"'title':'見本士'", "'title':''", "title"},
        {"'title':'見本士'", "'title':'見本士','title':'他'", "duplicate"},
        {"'code':'sample'", "'code':'other'", "code"},
        {"'code':'sample'", "'code':'Sample'", "code"},
        {"'number_on_paper':true", "'number_on_paper':'yes'", "number_on_paper"},
        {"'mode':'batch'", "'mode':'radio'", "residence.mode"},
        {"{'mode':'none'}", "{'mode':'none','affair':'x'}", "family_register"},
        {"{'mode':'none'}", "{'mode':'inquire','schedule':'yearly'}", "family_register.provider"},
        {"'kind':'workbook'", "'kind':'none'", "legacy.number"},
        {"['revoke']", "['forget']", "dispositions[0]"},
        {"'type':'kana','max':20,'source'", "'type':'katakana','max':20,'source'", "tables[0].fields[2].type"},
        {"'max':20,'source':'residence'", "'max':0,'source':'residence'", "tables[0].fields[1].max"},
        {"'source':'legacy'", "'source':'heaven'", "tables[0].fields[3].source"},
        {"'source':'legacy'", "'source':'legacy','value':'name'", "tables[0].fields[3].value"},
        {"'value':'name',", "'value':'shoe_size',", "tables[0].fields[1].value"},
        {"'key':'note'", "'key':'kana'", "tables[0].fields[4]"},
        {"'key':'note'", "'key':'備考'", "tables[0].fields[4].key"},
        {"'fields':['roll.kana']", "'fields':['roll.cana']", "procedures[0].items[1].fields[0]"},
        {"'fields':['roll.kana']", "'fields':['roll.number']", "procedures[0].items[1].fields[0]"},
        {"'fields':['roll.kana']", "'fields':['roll.given_on']", "procedures[0].items[1]"},
        {"'type':'kana','max':20,'required'", "'type':'kana','max':21,'required'", "procedures[0].items[1]"},
        {"'type':'date','max':8,'required':true", "'type':'date','max':8,'required':false", "procedures[0]"},
        {"'choices':[{'value':'1','label':'男'},{'value':'2','label':'女'}]", "'choices':[]",
            "procedures[0].items[4].choices"},
        {"[A-Z][0-9]{3}", "[A-Z", "procedures[0].items[5].pattern"},
        {"'key':'post'", "'key':'exam'", "procedures[0].items[6]"},
        {"'code':'registration'", "'code':'reissue'", "procedures"},
        {"'yen':1000", "'yen':-1", "procedures[0].fees[2].yen"},
        {"'20250101'", "'20250132'", "procedures[0].fees[2]"},
        {"['online','cash']", "['online','gold']", "procedures[0].payments[1]"},
        {"'fields':['roll.name']}]}}", "'fields':['roll.number']}]}}", "certificate.lines[0].fields[0]"},
        {"第{serial:4}号", "第四号", "registration_number"},
        {"第{serial:4}号", "第{serial:4}{hat}号", "registration_number"},
        {"第{serial:4}号", "第{serial:4", "registration_number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(load_with(rows[i].from, rows[i].to) == NULL, "row %zu was taken", i);
        ck_assert_msg(strncmp(problem, "sample.json: ", 13) == 0 && strstr(problem, rows[i].where) != NULL,
            "row %zu: %s", i, problem);
    }
    ck_assert_ptr_null(programmes_load("/nonexistent", problem, sizeof problem));
}
END_TEST

static bool check(const char *json, struct fault *fault)
{
    char text[2048];
    snprintf(text, sizeof text, "%s", json);
    for (char *c = text; *c != 0; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *items = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    ck_assert_msg(items != NULL, "%s", text);
    *fault = (struct fault){0};
    bool kept = programme_items_check(&programmes_at(all, 0)->procedures[0], items, fault);
    json_decref(items);
    return kept;
}
#define GOOD "'name':'架空　葵','kana':'カクウ　アオイ','address':'東京都','birth_date':'20000229','sex':'2'"

/* APPLY-5: only the items of the procedure, each within its limits; the fault names the item */
START_TEST(items_are_held_against_the_procedure)
{
    static const struct {
        const char *json;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"{" GOOD "}", FAULT_NONE, ""},
        {"{" GOOD ",'exam':'A123','post':'1000000','flag':'1','phone':'03-0000-0000'}", FAULT_NONE, ""},
        {"{" GOOD ",'exam':''}", FAULT_NONE, ""},
        {"{" GOOD ",'hobby':'釣り'}", FAULT_item_unknown, "hobby"},
        {"{" GOOD ",'架空　葵':'x'}", FAULT_item_unknown, "items"},
        {"{'name':'架空　葵','kana':'カ','address':'東京都','sex':'2'}", FAULT_item_missing, "birth_date"},
        {"{'name':'','kana':'カ','address':'東京都','birth_date':'20000229','sex':'2'}", FAULT_item_missing, "name"},
        {"{" GOOD ",'exam':7}", FAULT_malformed, "exam"},
        {"['name']", FAULT_malformed, "items"},
        {"{" GOOD ",'exam':'A12'}", FAULT_item_invalid, "exam"},
        {"{" GOOD ",'exam':'A1234'}", FAULT_item_invalid, "exam"},
        {"{" GOOD ",'exam':'A1234567890'}", FAULT_item_too_long, "exam"},
        {"{" GOOD ",'post':'100-0000'}", FAULT_item_too_long, "post"},
        {"{" GOOD ",'post':'100000'}", FAULT_item_invalid, "post"},
        {"{" GOOD ",'flag':'2'}", FAULT_item_invalid, "flag"},
        {"{" GOOD ",'phone':'電話'}", FAULT_item_invalid, "phone"},
        {"{" GOOD ",'exam':'A\\u0000123'}", FAULT_item_invalid, "exam"},
        {"{'sex':'9'}", FAULT_item_invalid, "sex"},
        {"{'kana':'漢字'}", FAULT_item_invalid, "kana"},
        {"{'birth_date':'20010229'}", FAULT_item_invalid, "birth_date"},
        {"{'name':'架空\\u202e葵'}", FAULT_item_invalid, "name"},
        {"{'name':'架空\\u000a葵'}", FAULT_item_invalid, "name"},
        {"{'name':'架空\\ue000葵'}", FAULT_item_invalid, "name"},
        {"{'name':'𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷'}", FAULT_item_missing, "kana"},
        {"{'name':'𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷'}", FAULT_item_too_long, "name"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault fault;
        bool kept = check(rows[i].json, &fault);
        ck_assert_msg(kept == (rows[i].code == FAULT_NONE) && fault.code == rows[i].code &&
                          strcmp(fault.field, rows[i].field) == 0,
            "row %zu: %s %s", i, fault_code_text(fault.code), fault.field);
    }
}
END_TEST

/* APPLY-1 */
START_TEST(attachments_are_held_against_the_procedure)
{
    const struct programme_procedure *procedure = &programmes_at(all, 0)->procedures[0];
    struct fault fault = {0};
    ck_assert(programme_attachment_check(procedure, "evidence.pdf", 1000, &fault));
    ck_assert(programme_attachment_check(procedure, "evidence", 1, &fault));
    ck_assert(!programme_attachment_check(procedure, "evidence.pdf", 1001, &fault));
    ck_assert(fault.code == FAULT_too_large && strcmp(fault.field, "evidence") == 0);
    ck_assert(!programme_attachment_check(procedure, "evidences.pdf", 1, &fault));
    ck_assert_int_eq(fault.code, FAULT_item_unknown);
    ck_assert(programme_attachments_complete(procedure, (const char *[]){"photo.png", "evidence.pdf"}, 2, &fault));
    ck_assert(!programme_attachments_complete(procedure, (const char *[]){"photo.png"}, 1, &fault));
    ck_assert(fault.code == FAULT_attachment_missing && strcmp(fault.field, "evidence") == 0);
}
END_TEST

/* PAY-1, PAY-6: each part by the amount of the day; no amount yet is no fee of 0 */
START_TEST(fees_change_with_the_day)
{
    struct programme_procedure procedure = programmes_at(all, 0)->procedures[0];
    int64_t yen;
    ck_assert(!programme_fee_find(&procedure, "20240401", &yen));
    ck_assert(programme_fee_find(&procedure, "20250101", &yen) && yen == 1100);
    ck_assert(programme_fee_find(&procedure, "20260331", &yen) && yen == 1100);
    ck_assert(programme_fee_find(&procedure, "20260401", &yen) && yen == 1150);
    procedure.fee_count = 0;
    ck_assert(programme_fee_find(&procedure, "20260401", &yen) && yen == 0);
    ck_assert_uint_eq(programme_payment_parse("cash"), PROGRAMME_CASH);
    ck_assert_uint_eq(programme_payment_parse("bitcoin"), 0);
}
END_TEST

/* LINK-1, LINK-6: what is the existing system's is taken over; where it differs on ours, both stay and it is shown */
START_TEST(a_copy_is_laid_over_an_entry)
{
    const struct programme *programme = programmes_at(all, 0);
    struct fault fault = {0};
    json_t *entry = json_pack("{s{ss ss}}", "roll", "name", "架空　葵", "kana", "カクウ　アオイ");
    json_t *before = json_deep_copy(entry), *differing = json_array();
    static const struct {
        const char *path, *value;
        enum fault_code code;
    } refused[] = {
        {"roll.number", "999900000006", FAULT_item_unknown},
        {"shoe", "26", FAULT_item_unknown},
        {"given_on", "20260230", FAULT_item_invalid},
        {"note", "123456", FAULT_item_too_long},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        json_t *copy = json_pack("{ss ss}", "roll.note", "a", refused[i].path, refused[i].value);
        ck_assert(!programme_entry_take_copy(programme, entry, copy, differing, &fault));
        ck_assert_msg(fault.code == refused[i].code && json_equal(entry, before), "row %zu", i);
        json_decref(copy);
    }
    json_t *copy = json_pack("{ss ss ss}", "given_on", "20260401", "roll.name", "架空　茜", "kana", "カクウ　アオイ");
    ck_assert(programme_entry_take_copy(programme, entry, copy, differing, &fault));
    struct programme_target target;
    ck_assert(programme_field_find(programme, "given_on", &target));
    ck_assert_str_eq(programme_entry_value(&target, entry), "20260401");
    ck_assert(programme_field_find(programme, "name", &target));
    ck_assert_str_eq(programme_entry_value(&target, entry), "架空　葵");
    ck_assert_uint_eq(json_array_size(differing), 1);
    ck_assert_str_eq(json_string_value(json_array_get(differing, 0)), "roll.name");
    json_decref(copy);
    json_decref(entry);
    json_decref(before);
    json_decref(differing);
}
END_TEST

START_TEST(prefectures_are_cut_from_domiciles)
{
    struct programmes *cut = load_with("{'key':'note','label':'備考','type':'text','max':5,'source':'staff'",
        "{'key':'note','label':'備考','type':'text','max':60,'source':'family_register','value':'prefecture'");
    ck_assert_msg(cut != NULL, "%s", problem);
    static const char *const rows[][2] = {
        {"京都府京都市架空区1", "京都府"},
        {"東京都府中市架空町1", "東京都"},
        {"北海道架空市1", "北海道"},
        {"大阪府大阪市架空区1", "大阪府"},
        {"神奈川県架空市1", "神奈川県"},
        {"福岡県京都郡架空町1", "福岡県"},
        {"和歌山県架空市1", "和歌山県"},
        {"ブラジル", "ブラジル"},
        {"", ""},
    };
    const struct programme *programme = programmes_at(cut, 0);
    struct programme_target target;
    ck_assert(programme_field_find(programme, "note", &target));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct programme_values values = {.domicile = rows[i][0]};
        json_t *entry = programme_entry_build(programme, &programme->procedures[0], &values);
        ck_assert_str_eq(programme_entry_value(&target, entry), rows[i][1]);
        json_decref(entry);
    }
    programmes_free(cut);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("programme");
    TCase *tests = tcase_create("definitions");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, a_wrong_definition_is_refused);
    tcase_add_test(tests, items_are_held_against_the_procedure);
    tcase_add_test(tests, attachments_are_held_against_the_procedure);
    tcase_add_test(tests, fees_change_with_the_day);
    tcase_add_test(tests, a_copy_is_laid_over_an_entry);
    tcase_add_test(tests, prefectures_are_cut_from_domiciles);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
