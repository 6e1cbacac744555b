/* One-time codes against RFC 6238, appendix B (SHA-1), and the rule that a step is good once. */
#include "staff/totp.h"

#include <check.h>
#include <string.h>

static const uint8_t rfc_key[TOTP_KEY_BYTES + 1] = "12345678901234567890";

START_TEST(codes_are_those_of_the_standard)
{
    static const struct {
        uint64_t seconds;
        const char *code;
    } rows[] = {
        {59, "94287082"},
        {1111111109, "07081804"},
        {1111111111, "14050471"},
        {1234567890, "89005924"},
        {2000000000, "69279037"},
        {20000000000, "65353130"},
    };
    char code[TOTP_CODE_MAX + 1];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(totp_code(rfc_key, TOTP_KEY_BYTES, rows[i].seconds / TOTP_STEP_SECONDS, 8, code));
        ck_assert_str_eq(code, rows[i].code);
        ck_assert(totp_code(rfc_key, TOTP_KEY_BYTES, rows[i].seconds / TOTP_STEP_SECONDS, 6, code));
        ck_assert_str_eq(code, rows[i].code + 2);
    }
}
END_TEST

/* A clock may be a step off, and what was used is used */
START_TEST(a_code_is_good_around_its_step_and_once)
{
    const int64_t step = 37037036, now = step * TOTP_STEP_SECONDS * 1000 + 4711;
    char code[TOTP_CODE_MAX + 1];
    for (int off = -3; off <= 3; off++) {
        ck_assert(totp_code(rfc_key, TOTP_KEY_BYTES, (uint64_t)(step + off), 6, code));
        ck_assert_int_eq(totp_step_find(rfc_key, code, now, 0), off >= -1 && off <= 1 ? step + off : 0);
        ck_assert_int_eq(totp_step_find(rfc_key, code, now, step), off == 1 ? step + 1 : 0);
    }
    ck_assert_int_eq(totp_step_find(rfc_key, "", now, 0), 0);
    ck_assert_int_eq(totp_step_find(rfc_key, "12345", now, 0), 0);
    ck_assert_int_eq(totp_step_find(rfc_key, "1234567", now, 0), 0);
}
END_TEST

START_TEST(an_address_is_what_authenticators_read)
{
    struct arena *arena = arena_new(1 << 20);
    char *address = totp_address(arena, "Shikaku", "hanako", rfc_key);
    ck_assert_str_eq(address,
        "otpauth://totp/Shikaku:hanako?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shikaku"
        "&algorithm=SHA1&digits=6&period=30");
    char *picture = qr_picture(arena, address);
    ck_assert(strncmp(picture, "<svg xmlns=", 11) == 0);
    ck_assert_str_eq(picture + strlen(picture) - 6, "</svg>");
    arena_free(arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("totp");
    TCase *tests = tcase_create("totp");
    tcase_add_test(tests, codes_are_those_of_the_standard);
    tcase_add_test(tests, a_code_is_good_around_its_step_and_once);
    tcase_add_test(tests, an_address_is_what_authenticators_read);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
