/* The certificate as bytes: what is signed is what is read back, and nothing else is accepted. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/bn.h>
#include "certificates/certificate_cose.h"
#include "certificates/certificate_key.h"
#include "certificates/certificate_url.h"

#define NAME "辻\U000E0100𠮷　花子"

static uint8_t secret[32], point[65], other_secret[32], other_point[65];

static void key_of(uint8_t secret_out[32], uint8_t point_out[65])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIGNUM *scalar = NULL;
    size_t len = 0;
    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar), 1);
    ck_assert_int_eq(BN_bn2binpad(scalar, secret_out, 32), 32);
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point_out, 65, &len), 1);
    ck_assert_uint_eq(len, 65);
    BN_clear_free(scalar);
    EVP_PKEY_free(key);
}

static void make_keys(void)
{
    key_of(secret, point);
    key_of(other_secret, other_point);
}

static struct certificate sample(void)
{
    return (struct certificate){.id = {0xa0, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15},
        .manager = "tokyo",
        .programme = "chorishi",
        .registration_number = "第000123号",
        .name = NAME,
        .birth_date = "19900401",
        .title = "調理師免許証",
        .issuer = "東京都知事",
        .issued_at = 1790000000,
        .lines = {{"氏名", NAME}, {"本籍地都道府県名", "東京都"}, {"備考", ""}},
        .line_count = 3};
}

struct signed_certificate {
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
};

static struct signed_certificate sign(const struct certificate *certificate)
{
    struct signed_certificate made;
    struct fault fault = {0};
    ck_assert_msg(certificate_sign(certificate, secret, point, made.bytes, &made.len, &fault), "%s %s",
        fault_code_text(fault.code), fault.field);
    return made;
}

static bool decodes(const uint8_t *bytes, size_t len)
{
    struct certificate certificate;
    return certificate_decode(bytes, len, &certificate);
}

/* CERT-2: the electronic equivalent says the same as was issued, byte for byte, and its key is named in it */
START_TEST(what_is_signed_is_read_back)
{
    struct certificate in = sample(), out;
    uint8_t kid[CERTIFICATE_KID_BYTES];
    for (int expiring = 0; expiring < 2; expiring++) {
        in.expires_at = expiring ? in.issued_at + 5 * 31557600 : 0;
        struct signed_certificate made = sign(&in);
        ck_assert(certificate_decode(made.bytes, made.len, &out));
        ck_assert_mem_eq(out.id, in.id, sizeof in.id);
        ck_assert_str_eq(out.manager, in.manager);
        ck_assert_str_eq(out.programme, in.programme);
        ck_assert_str_eq(out.registration_number, in.registration_number);
        ck_assert_str_eq(out.name, in.name);
        ck_assert_str_eq(out.birth_date, in.birth_date);
        ck_assert_str_eq(out.title, in.title);
        ck_assert_str_eq(out.issuer, in.issuer);
        ck_assert_int_eq(out.issued_at, in.issued_at);
        ck_assert_int_eq(out.expires_at, in.expires_at);
        ck_assert_uint_eq(out.line_count, in.line_count);
        for (size_t i = 0; i < in.line_count; i++) {
            ck_assert_str_eq(out.lines[i].label, in.lines[i].label);
            ck_assert_str_eq(out.lines[i].value, in.lines[i].value);
        }
        ck_assert(certificate_kid(point, kid));
        ck_assert_mem_eq(out.kid, kid, sizeof kid);
        ck_assert(certificate_signature_check(made.bytes, made.len, point));
    }
}
END_TEST

/* CERT-2: a verifier with another CBOR library reads the same shape: tag 18, array of 4, protected {1: -7, 4: kid} */
START_TEST(the_bytes_are_a_cose_sign1)
{
    struct certificate in = sample();
    struct signed_certificate made = sign(&in);
    static const uint8_t head[] = {0xd2, 0x84, 0x4d, 0xa2, 0x01, 0x26, 0x04, 0x48};
    ck_assert_mem_eq(made.bytes, head, sizeof head);
    ck_assert_uint_eq(made.bytes[16], 0xa0); /* nothing unprotected */
    ck_assert_uint_eq(made.bytes[17], 0x58); /* payload of 24 to 255 bytes */
    ck_assert_uint_eq(made.bytes[19], 0xaa); /* map of ten */
    ck_assert_uint_eq(made.bytes[made.len - 66], 0x58);
    ck_assert_uint_eq(made.bytes[made.len - 65], 64);
}
END_TEST

/* CERT-2: no bit of a certificate can be changed, and another key's certificate is not this manager's */
START_TEST(an_altered_or_foreign_certificate_fails)
{
    struct certificate in = sample();
    struct signed_certificate made = sign(&in);
    struct fault fault = {0};
    for (size_t i = 0; i < made.len; i++) {
        made.bytes[i] ^= (uint8_t)(1 << i % 8);
        ck_assert_msg(!certificate_signature_check(made.bytes, made.len, point), "byte %zu", i);
        made.bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    ck_assert(certificate_signature_check(made.bytes, made.len, point));
    ck_assert(!certificate_signature_check(made.bytes, made.len, other_point));

    /* the right name of the key, the wrong key: signed with another scalar under our point's name */
    ck_assert(certificate_sign(&in, other_secret, other_point, made.bytes, &made.len, &fault));
    uint8_t kid[CERTIFICATE_KID_BYTES];
    ck_assert(certificate_kid(point, kid));
    memcpy(made.bytes + 8, kid, sizeof kid);
    ck_assert(decodes(made.bytes, made.len));
    ck_assert(!certificate_signature_check(made.bytes, made.len, point));
}
END_TEST

/* The decoder takes one form only: cut, lengthened and re-spelled ones are refused, whatever their signature. */
START_TEST(only_the_one_form_decodes)
{
    struct certificate in = sample();
    struct signed_certificate made = sign(&in);
    uint8_t bytes[CERTIFICATE_BYTES_MAX + 64];
    ck_assert(decodes(made.bytes, made.len));
    for (size_t len = 0; len < made.len; len++)
        ck_assert(!decodes(made.bytes, len));
    memcpy(bytes, made.bytes, made.len);
    bytes[made.len] = 0xf6;
    ck_assert(!decodes(bytes, made.len + 1));          /* something behind */
    ck_assert(!decodes(made.bytes + 1, made.len - 1)); /* without its tag */

    bytes[0] = 0xd8; /* tag 18 in two bytes */
    bytes[1] = 0x12;
    memcpy(bytes + 2, made.bytes + 1, made.len - 1);
    ck_assert(!decodes(bytes, made.len + 1));

    bytes[0] = made.bytes[0]; /* array of indefinite length */
    bytes[1] = 0x9f;
    memcpy(bytes + 2, made.bytes + 2, made.len - 2);
    bytes[made.len] = 0xff;
    ck_assert(!decodes(bytes, made.len + 1));

    memset(bytes, 0x9f, sizeof bytes); /* arrays in arrays */
    ck_assert(!decodes(bytes, CERTIFICATE_BYTES_MAX));
    memset(bytes, 0xd2, sizeof bytes); /* tags of tags */
    ck_assert(!decodes(bytes, CERTIFICATE_BYTES_MAX));
    static const uint8_t huge[] = {0xd2, 0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    ck_assert(!decodes(huge, sizeof huge));
}
END_TEST

/* Every key of the payload in its place: a doubled, a missing, a swapped and an unknown one are refused. */
START_TEST(the_map_has_its_keys_in_order)
{
    struct certificate in = sample();
    struct signed_certificate made = sign(&in);
    uint8_t *map = made.bytes + 19;
    static const struct {
        uint8_t from, to;
    } changes[] = {{0xaa, 0xab}, {0xaa, 0xa9}, {0xaa, 0xbf}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ck_assert_uint_eq(map[0], changes[i].from);
        map[0] = changes[i].to;
        ck_assert(!decodes(made.bytes, made.len));
        map[0] = changes[i].from;
    }
    ck_assert_uint_eq(map[1], 1);
    ck_assert_uint_eq(map[19], 2); /* manager follows the id */
    map[19] = 3;
    ck_assert(!decodes(made.bytes, made.len));
    map[19] = 1;
    ck_assert(!decodes(made.bytes, made.len));
    map[19] = 20;
    ck_assert(!decodes(made.bytes, made.len));
    map[19] = 2;
    ck_assert(decodes(made.bytes, made.len));
}
END_TEST

/* Text that could hide or move print, or that is no text, is neither signed nor read */
START_TEST(deceiving_text_is_refused)
{
    static const char *const texts[] = {
        "架空\n太郎", "架空\u202E太郎", "架空\u2066太郎", "\xff\xfe", "\xed\xa0\x80", "\x7f", "\xc2\x85"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct certificate in = sample();
        struct signed_certificate made;
        struct fault fault = {0};
        in.name = texts[i];
        ck_assert(!certificate_sign(&in, secret, point, made.bytes, &made.len, &fault));
        ck_assert_int_eq(fault.code, FAULT_item_invalid);
        ck_assert_str_eq(fault.field, "name");
    }
    struct certificate in = sample();
    struct signed_certificate made = sign(&in);
    uint8_t *number = memmem(made.bytes, made.len, "000123", 6);
    ck_assert_ptr_nonnull(number);
    number[0] = 0;
    ck_assert(!decodes(made.bytes, made.len));
    number[0] = '\n';
    ck_assert(!decodes(made.bytes, made.len));
    number[0] = 0x80;
    ck_assert(!decodes(made.bytes, made.len));
}
END_TEST

static void expect_refused(const struct certificate *certificate, enum fault_code code, const char *field)
{
    struct signed_certificate made;
    struct fault fault = {0};
    ck_assert(!certificate_sign(certificate, secret, point, made.bytes, &made.len, &fault));
    ck_assert_int_eq(fault.code, code);
    ck_assert_str_eq(fault.field, field);
}

/* A certificate without its items, or larger than a QR code holds, is not made, and the fault names the item */
START_TEST(a_certificate_that_breaks_a_rule_is_not_signed)
{
    char long_value[CERTIFICATE_BYTES_MAX];
    struct certificate in = sample();
    in.registration_number = "";
    expect_refused(&in, FAULT_item_missing, "registration_number");
    in = sample();
    in.birth_date = "1990-4-1";
    expect_refused(&in, FAULT_item_invalid, "birth_date");
    in = sample();
    in.issued_at = 0;
    expect_refused(&in, FAULT_item_invalid, "issued_at");
    in = sample();
    in.expires_at = in.issued_at;
    expect_refused(&in, FAULT_item_invalid, "expires_at");
    in = sample();
    memset(long_value, 'x', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = 0;
    in.lines[0].value = long_value;
    expect_refused(&in, FAULT_item_too_long, "lines");
}
END_TEST

static void expect_code(const char *code, const struct signed_certificate *made)
{
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len = 0;
    ck_assert(certificate_code_parse(code, bytes, &len));
    ck_assert_uint_eq(len, made->len);
    ck_assert_mem_eq(bytes, made->bytes, len);
}

/* CERT-2: the code survives what readers and browsers make of base64 in an address */
START_TEST(a_code_is_read_in_every_spelling)
{
    for (size_t cut = 0; cut < 3; cut++) {
        struct certificate in = sample();
        in.name = cut == 0 ? "架空　太郎" : cut == 1 ? "架空　太郎A" : "架空　太郎AB";
        struct signed_certificate made = sign(&in);
        char url[CERTIFICATE_URL_MAX], standard[CERTIFICATE_URL_MAX];
        ck_assert(certificate_url_print("https://example.jp/w/", made.bytes, made.len, url));
        ck_assert(strncmp(url, "https://example.jp/w/?c=", 24) == 0);
        ck_assert_uint_eq(
            strspn(url + 24, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), strlen(url + 24));
        expect_code(certificate_url_code(url), &made);

        EVP_EncodeBlock((unsigned char *)standard, made.bytes, (int)made.len); /* standard, padded */
        expect_code(standard, &made);
        for (char *at = standard; *at; at++)
            *at = *at == '+' ? ' ' : *at;
        expect_code(standard, &made);
        standard[strcspn(standard, "=")] = 0;
        expect_code(standard, &made);
    }
}
END_TEST

/* A code that is no base64, has bits left over or is too long is refused */
START_TEST(a_broken_code_is_refused)
{
    static const char *const codes[] = {
        "", "=", "A", "AAAAA", "AA=", "AAA==", "AAAA=", "A===", "AB", "AAB", "AA.A", "AA\nA", "あ"};
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        ck_assert_msg(!certificate_code_parse(codes[i], bytes, &len), "code %zu", i);
    char *big = malloc(CERTIFICATE_BYTES_MAX * 4);
    ck_assert_ptr_nonnull(big);
    memset(big, 'A', CERTIFICATE_BYTES_MAX * 4 - 1);
    big[CERTIFICATE_BYTES_MAX * 4 - 1] = 0;
    ck_assert(!certificate_code_parse(big, bytes, &len));
    free(big);
}
END_TEST

/* ES256, RFC 6979 A.2.5: a vector that is not ours */
START_TEST(a_published_signature_verifies)
{
    static const char *const hex[] = {
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e"
        "9f5177a3c294d4462299",
        "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf", /* SHA-256("sample") */
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"};
    uint8_t bytes[3][65];
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < strlen(hex[i]) / 2; k++) {
            unsigned value;
            ck_assert_int_eq(sscanf(hex[i] + 2 * k, "%2x", &value), 1);
            bytes[i][k] = (uint8_t)value;
        }
    ck_assert(certificate_key_check(bytes[0], bytes[1], bytes[2]));
    bytes[1][0] ^= 1;
    ck_assert(!certificate_key_check(bytes[0], bytes[1], bytes[2]));
    memset(bytes[2], 0, 64);
    ck_assert(!certificate_key_check(bytes[0], bytes[1], bytes[2]));
    memset(bytes[0], 4, 65); /* not on the curve */
    ck_assert(!certificate_key_check(bytes[0], bytes[1], bytes[2]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("certificate_cose");
    TCase *tcase = tcase_create("bytes");
    tcase_add_unchecked_fixture(tcase, make_keys, NULL);
    tcase_add_test(tcase, what_is_signed_is_read_back);
    tcase_add_test(tcase, the_bytes_are_a_cose_sign1);
    tcase_add_test(tcase, an_altered_or_foreign_certificate_fails);
    tcase_add_test(tcase, only_the_one_form_decodes);
    tcase_add_test(tcase, the_map_has_its_keys_in_order);
    tcase_add_test(tcase, deceiving_text_is_refused);
    tcase_add_test(tcase, a_certificate_that_breaks_a_rule_is_not_signed);
    tcase_add_test(tcase, a_code_is_read_in_every_spelling);
    tcase_add_test(tcase, a_broken_code_is_refused);
    tcase_add_test(tcase, a_published_signature_verifies);
    suite_add_tcase(suite, tcase);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
