/* Sealing to one recipient: what was sealed opens with that key alone, unaltered, and in one form only. */
#include <check.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"

static struct arena *arena;
static struct key mine, other;
static char *mine_jwk;

static void set_up(void)
{
    arena = arena_new(1 << 20);
    RAND_bytes(mine.secret, sizeof mine.secret);
    RAND_bytes(other.secret, sizeof other.secret);
    mine.secret[0] = other.secret[0] = 1; /* below the order of the curve */
    mine_jwk = jwk_public_text(arena, &mine, "k1");
    ck_assert_ptr_nonnull(mine_jwk);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* NUM-3: only the stated recipient can read */
START_TEST(opens_with_its_key_alone)
{
    struct bytes plain;
    json_t *header = NULL;
    char *text = jwe_seal(arena, mine_jwk, "{\"application\":\"a1\"}", "secret", 6);
    ck_assert_ptr_nonnull(text);
    ck_assert(jwe_open(arena, &mine, text, &header, &plain));
    ck_assert_uint_eq(plain.len, 6);
    ck_assert_str_eq((char *)plain.data, "secret");
    ck_assert_str_eq(json_string_value(json_object_get(header, "kid")), "k1");
    ck_assert_str_eq(json_string_value(json_object_get(header, "application")), "a1");
    json_decref(header);
    ck_assert(!jwe_open(arena, &other, text, &header, &plain));
    ck_assert_ptr_null(header);
    ck_assert_ptr_null(plain.data);
}
END_TEST

/* Every changed character of every part is found. */
START_TEST(altered_text_is_refused)
{
    struct bytes plain;
    char *text = strdup(jwe_seal(arena, mine_jwk, NULL, "secret", 6));
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        ck_assert_msg(!jwe_open(arena, &mine, text, NULL, &plain), "character %zu", i);
        text[i] = was;
        arena_reset(arena);
    }
    free(text);
}
END_TEST

static char *with_header(const char *text, const char *header)
{
    const char *rest = strchr(text, '.');
    return arena_format(arena, "%s%s", base64url_put(arena, header, strlen(header)), rest);
}

/* A forger chooses neither algorithm nor compression, and cannot shorten the tag. */
START_TEST(other_forms_are_refused)
{
    static const char *const headers[] = {
        "{\"alg\":\"dir\",\"enc\":\"A256GCM\"}",
        "{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A128CBC-HS256\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-521\"}}",
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"zip\":\"DEF\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"crit\":[\"x\"],\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\"}}",
        "[]",
    };
    struct bytes plain;
    char *text = jwe_seal(arena, mine_jwk, NULL, "secret", 6);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_ptr_null(jwe_header_read(with_header(text, headers[i])));
    char *cut = arena_text(arena, text, strlen(text) - 6);
    ck_assert(!jwe_open(arena, &mine, cut, NULL, &plain));
    ck_assert(!jwe_open(arena, &mine, "a.b.c", NULL, &plain));
    ck_assert(!jwe_open(arena, &mine, "", NULL, &plain));
}
END_TEST

/* A point that is not on the curve would give the secret away piece by piece. */
START_TEST(point_off_the_curve_is_refused)
{
    struct bytes plain;
    char *text = jwe_seal(arena, mine_jwk, NULL, "secret", 6);
    uint8_t x[32] = {1}, y[32] = {2};
    char *forged = arena_format(arena,
        "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}"
        "}",
        base64url_put(arena, x, sizeof x), base64url_put(arena, y, sizeof y));
    ck_assert(!jwe_open(arena, &mine, with_header(text, forged), NULL, &plain));
}
END_TEST

START_TEST(bad_recipient_is_refused)
{
    ck_assert_ptr_null(jwe_seal(arena, "{}", NULL, "x", 1));
    ck_assert_ptr_null(jwe_seal(arena, "{\"kty\":\"oct\",\"k\":\"AAAA\"}", NULL, "x", 1));
    ck_assert_ptr_null(jwe_seal(arena, mine_jwk, "[]", "x", 1));
    ck_assert_ptr_null(jwe_seal(arena, mine_jwk, "{\"n\":1}", "x", 1));
}
END_TEST

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

START_TEST(base64url_is_one_text_a_value)
{
    struct bytes bytes;
    uint8_t all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    for (size_t n = 0; n <= sizeof all; n++) {
        char *text = base64url_put(arena, all, n);
        ck_assert(base64url_take(arena, text, strlen(text), &bytes));
        ck_assert_uint_eq(bytes.len, n);
        ck_assert(memcmp(bytes.data, all, n) == 0);
    }
    for (int i = 0; i < 256; i++) {
        const char text[4] = {'A', 'A', 'A', (char)i};
        const char *place = i ? strchr(alphabet, i) : NULL;
        ck_assert_int_eq(base64url_take(arena, text, 4, &bytes), place != NULL);
        ck_assert(!place || bytes.data[2] == place - alphabet);
    }
    ck_assert(!base64url_take(arena, "A", 1, &bytes));
    ck_assert(!base64url_take(arena, "AB", 2, &bytes)); /* stray bits */
    ck_assert(!base64url_take(arena, "AA==", 4, &bytes));
    ck_assert(!base64url_take(arena, "A+/A", 4, &bytes));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jwe");
    TCase *tests = tcase_create("jwe");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, opens_with_its_key_alone);
    tcase_add_test(tests, altered_text_is_refused);
    tcase_add_test(tests, other_forms_are_refused);
    tcase_add_test(tests, point_off_the_curve_is_refused);
    tcase_add_test(tests, bad_recipient_is_refused);
    tcase_add_test(tests, base64url_is_one_text_a_value);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
