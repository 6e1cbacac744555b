/* What a certificate is worth: which change of standing there is, and what whoever checks it is told. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "certificates/certificate_state.h"
#include "certificates/certificate_text.h"

/* ROLL-3, ROLL-4: suspended comes back, revoked only by undoing, struck off never */
START_TEST(standings_change_by_the_table_only)
{
    static const bool may[STANDINGS][STANDINGS] = {
        [STANDING_VALID] = {true, true, true, true},
        [STANDING_SUSPENDED] = {true, true, true, true},
        [STANDING_REVOKED] = {true, false, true, true},
        [STANDING_STRUCK_OFF] = {false, false, false, true},
    };
    for (int from = 0; from < STANDINGS; from++)
        for (int to = 0; to < STANDINGS; to++)
            ck_assert_msg(standing_may_change((enum standing)from, (enum standing)to) == may[from][to], "%s to %s",
                standing_text((enum standing)from), standing_text((enum standing)to));
}
END_TEST

START_TEST(standings_have_their_words)
{
    enum standing standing;
    for (int i = 0; i < STANDINGS; i++) {
        ck_assert(standing_parse(standing_text((enum standing)i), &standing));
        ck_assert_int_eq(standing, i);
    }
    ck_assert(!standing_parse("", &standing));
    ck_assert(!standing_parse("reissued", &standing));
    ck_assert(!standing_parse("VALID", &standing));
}
END_TEST

/* Every change of the table is drawn, and no other */
START_TEST(the_diagram_is_the_table)
{
    char *text = NULL, arrow[64];
    size_t size = 0, arrows = 0, drawn = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    standing_print(out);
    fclose(out);
    for (int from = 0; from < STANDINGS; from++)
        for (int to = 0; to < STANDINGS; to++) {
            if (from == to || !standing_may_change((enum standing)from, (enum standing)to))
                continue;
            snprintf(arrow, sizeof arrow, "    %s --> %s: ", standing_text((enum standing)from),
                standing_text((enum standing)to));
            ck_assert_ptr_nonnull(strstr(text, arrow));
            arrows++;
        }
    for (const char *at = text; (at = strstr(at, "-->")) != NULL; at += 3)
        drawn++;
    ck_assert_uint_eq(arrows, drawn);
    free(text);
}
END_TEST

/* CERT-6: the worst that is true is told, and nothing but valid is valid */
START_TEST(the_verdict_tells_why)
{
    const int64_t now = 1790000000;
    ck_assert_int_eq(verdict_decide(STANDING_VALID, false, 0, now), VERDICT_VALID);
    ck_assert_int_eq(verdict_decide(STANDING_VALID, false, now + 1, now), VERDICT_VALID);
    ck_assert_int_eq(verdict_decide(STANDING_VALID, false, now, now), VERDICT_EXPIRED);
    ck_assert_int_eq(verdict_decide(STANDING_VALID, true, now, now), VERDICT_REISSUED);
    ck_assert_int_eq(verdict_decide(STANDING_SUSPENDED, true, now, now), VERDICT_SUSPENDED);
    ck_assert_int_eq(verdict_decide(STANDING_REVOKED, true, now, now), VERDICT_REVOKED);
    ck_assert_int_eq(verdict_decide(STANDING_STRUCK_OFF, false, 0, now), VERDICT_STRUCK_OFF);
    for (int i = 0; i < VERDICTS; i++) {
        const char *japanese = verdict_japanese((enum verdict)i);
        ck_assert((verdict_reason((enum verdict)i)[0] == 0) == (i == VERDICT_VALID));
        ck_assert_int_eq(strncmp(japanese, "無効です。", strlen("無効です。")) != 0, i == VERDICT_VALID);
    }
}
END_TEST

/* Days are Japan's, whatever the machine's time zone */
START_TEST(days_are_japanese_days)
{
    char text[CERTIFICATE_DAY_MAX];
    setenv("TZ", "America/New_York", 1);
    certificate_day_print(1790002799, text);
    ck_assert_str_eq(text, "2026年9月21日");
    certificate_day_print(1790002800, text);
    ck_assert_str_eq(text, "2026年9月22日");
}
END_TEST

START_TEST(an_id_is_a_lower_case_uuid)
{
    static const char *const wrong[] = {"", "a0010203-0405-4607-8809-0a0b0c0d0e0",
        "A0010203-0405-4607-8809-0a0b0c0d0e0f", "a0010203-0405-4607-88090-a0b0c0d0e0f",
        "a0010203-0405-4607-8809-0a0b0c0d0e0g", "a0010203-0405-4607-8809-0a0b0c0d0e0f0"};
    uint8_t id[16];
    char text[CERTIFICATE_ID_MAX];
    ck_assert(certificate_id_parse("a0010203-0405-4607-8809-0a0b0c0d0e0f", id));
    certificate_id_print(id, text);
    ck_assert_str_eq(text, "a0010203-0405-4607-8809-0a0b0c0d0e0f");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!certificate_id_parse(wrong[i], id), "id %zu", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("certificate_state");
    TCase *tcase = tcase_create("state");
    tcase_add_test(tcase, standings_change_by_the_table_only);
    tcase_add_test(tcase, standings_have_their_words);
    tcase_add_test(tcase, the_diagram_is_the_table);
    tcase_add_test(tcase, the_verdict_tells_why);
    tcase_add_test(tcase, days_are_japanese_days);
    tcase_add_test(tcase, an_id_is_a_lower_case_uuid);
    suite_add_tcase(suite, tcase);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
