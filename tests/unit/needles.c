/* What `make leaks` stands on: a planted value is found in every form, at every place of the hay, and nothing else is.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "kit/people.h"
#include "leaks/encodings.h"
#include "leaks/needles.h"

#define PEOPLE 50
#define HAY 4096

struct form {
    enum encoding encoding;
    size_t len;
    uint8_t bytes[4096];
};
struct forms {
    size_t count;
    struct form form[64];
};

static void form_keep(void *user, enum encoding encoding, const void *bytes, size_t len)
{
    struct forms *forms = user;
    struct form *form = &forms->form[forms->count++];
    ck_assert_uint_le(forms->count, 64);
    ck_assert_uint_le(len, sizeof form->bytes);
    form->encoding = encoding;
    form->len = len;
    memcpy(form->bytes, bytes, len);
}

struct found {
    uint32_t person;
    int kind;
    size_t at, times;
};

static void count(void *user, const struct needle *needle, size_t at)
{
    struct found *found = user;
    if (needle->person == found->person && needle->kind == found->kind && at == found->at)
        found->times++;
}

static struct needles *people_needles(struct kit_person people[PEOPLE])
{
    struct needles *needles = needles_new();
    for (uint32_t i = 0; i < PEOPLE; i++) {
        kit_person_make(&people[i], 8, i);
        encodings_add(needles, i, PLANTED_NUMBER, people[i].number);
        encodings_add(needles, i, PLANTED_ADDRESS, people[i].person.address);
    }
    needles_ready(needles);
    return needles;
}

static void value_check(const struct needles *needles, uint32_t person, enum planted_kind kind, const char *value)
{
    static const size_t rests[] = {0, 1, 2, 3, 7, 8, 100};
    struct forms forms = {0};
    uint8_t hay[HAY];
    encodings_make(kind, value, form_keep, &forms);
    for (size_t f = 0; f < forms.count; f++) {
        const struct form *form = &forms.form[f];
        for (size_t r = 0; r < sizeof rests / sizeof *rests; r++) {
            struct found found = {.person = person, .kind = kind, .at = 13 + r};
            memset(hay, 0xA5, sizeof hay);
            memcpy(hay + found.at, form->bytes, form->len);
            needles_find(needles, hay, found.at + form->len + rests[r], count, &found);
            ck_assert_msg(found.times == 1, "%s as %s found %zu times", planted_kind_names[kind],
                encoding_names[form->encoding], found.times);
            /* One byte short of the whole is nothing. */
            found.times = 0;
            needles_find(needles, hay, found.at + form->len - 1, count, &found);
            ck_assert_uint_eq(found.times, 0);
        }
    }
}

/* NUM-1: a search that finds nothing must be able to find */
START_TEST(every_form_is_found_wherever_it_lies)
{
    struct kit_person people[PEOPLE];
    struct needles *needles = people_needles(people);
    for (uint32_t i = 0; i < PEOPLE; i++) {
        value_check(needles, i, PLANTED_NUMBER, people[i].number);
        value_check(needles, i, PLANTED_ADDRESS, people[i].person.address);
    }
    needles_free(needles);
}
END_TEST

static void any(void *user, const struct needle *needle, size_t at)
{
    (void)needle, (void)at;
    ++*(size_t *)user;
}

START_TEST(random_bytes_hold_no_form)
{
    static uint8_t hay[1 << 20];
    struct kit_person people[PEOPLE];
    struct needles *needles = people_needles(people);
    uint64_t state = 1;
    size_t hits = 0;
    for (size_t i = 0; i < sizeof hay; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        hay[i] = (uint8_t)(state >> 56);
    }
    needles_find(needles, hay, sizeof hay, any, &hits);
    ck_assert_uint_eq(hits, 0);
    needles_free(needles);
}
END_TEST

static const struct form *form_of(const struct forms *forms, enum encoding encoding)
{
    for (size_t i = 0; i < forms->count; i++)
        if (forms->form[i].encoding == encoding)
            return &forms->form[i];
    ck_abort_msg("no form %s", encoding_names[encoding]);
    return NULL;
}

#define EXPECT(encoding, literal)                                                                                      \
    do {                                                                                                               \
        const struct form *form = form_of(&forms, ENCODING_##encoding);                                                \
        ck_assert_uint_eq(form->len, sizeof literal - 1);                                                              \
        ck_assert_mem_eq(form->bytes, literal, form->len);                                                             \
    } while (0)

/* NUM-1: forms worked out by hand and by PostgreSQL 15, base64(1), sha256sum(1) */
START_TEST(forms_are_what_others_write)
{
    struct forms forms = {0};
    encodings_make(PLANTED_NUMBER, "999912345678", form_keep, &forms);
    EXPECT(SPACED, "9999 1234 5678");
    EXPECT(HYPHENED, "9999-1234-5678");
    EXPECT(FULL_WIDTH, "９９９９１２３４５６７８");
    EXPECT(UTF16LE, "9\0009\0009\0009\0001\0002\0003\0004\0005\0006\0007\0008\000");
    EXPECT(SHIFT_JIS, "\x82X\x82X\x82X\x82X\x82P\x82Q\x82R\x82S\x82T\x82U\x82V\x82W");
    EXPECT(INT64_BE, "\x00\x00\x00\xE8\xCF\x6B\x90\x4E");
    EXPECT(INT64_LE, "\x4E\x90\x6B\xCF\xE8\x00\x00\x00");
    EXPECT(VARINT, "\xCE\xA0\xAE\xFB\x8C\x1D");
    EXPECT(BCD, "\x99\x99\x12\x34\x56\x78");
    EXPECT(NUMERIC, "\x02\x80\x0F\x27\xD2\x04\x2E\x16");
    EXPECT(NUMERIC_WIRE, "\0\3\0\2\0\0\0\0\x27\x0F\x04\xD2\x16\x2E");
    EXPECT(BASE64_0, "OTk5OTEyMzQ1Njc4");
    EXPECT(BASE64_1, "k5OTkxMjM0NTY3O");
    EXPECT(BASE64_2, "5OTk5MTIzNDU2Nz");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("needles");
    TCase *cases = tcase_create("needles");
    tcase_add_test(cases, every_form_is_found_wherever_it_lies);
    tcase_add_test(cases, random_bytes_hold_no_form);
    tcase_add_test(cases, forms_are_what_others_write);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
