/* The certificate for the eye, judged by programs that are not ours: zbarimg (zbar-tools) reads the QR codes,
 * pdftotext, pdfinfo and pdftoppm (poppler-utils) read the page. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include "certificates/certificate_page.h"
#include "certificates/certificate_render.h"
#include "certificates/certificate_url.h"

#define BASE "https://localhost:8443/w/"
#define NAME_VS "辻\U000E0100𠮷　花子"

/* fontconfig never gives back its pattern store; what we leak ourselves still shows. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

static char folder[] = "/tmp/shikaku-certificate-page-XXXXXX";
static uint8_t secret[32], point[65];

static void prepare(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIGNUM *scalar = NULL;
    size_t len = 0;
    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar), 1);
    ck_assert_int_eq(BN_bn2binpad(scalar, secret, 32), 32);
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, 65, &len), 1);
    BN_clear_free(scalar);
    EVP_PKEY_free(key);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void clean_up(void)
{
    static const char *const names[] = {"page.pdf", "code.png", "page.png"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static struct certificate sample(void)
{
    return (struct certificate){.id = {0xa0, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15},
        .manager = "tokyo",
        .programme = "chorishi",
        .registration_number = "第000123号",
        .name = NAME_VS,
        .birth_date = "19900401",
        .title = "調理師免許証",
        .issuer = "東京都知事",
        .issued_at = 1790002800, /* 2026-09-22 00:00 in Japan */
        .lines = {{"氏名", NAME_VS}, {"生年月日", "1990年4月1日"}, {"本籍地都道府県又は国籍", "東京都"},
            {"免許番号", "第000123号"}, {"旧姓", "髙﨑"}},
        .line_count = 5};
}

static void url_of(const struct certificate *certificate, char url[CERTIFICATE_URL_MAX])
{
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
    struct fault fault = {0};
    ck_assert(certificate_sign(certificate, secret, point, bytes, &len, &fault));
    ck_assert(certificate_url_print(BASE, bytes, len, url));
}

static FILE *file_open(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    return file;
}

/* What a program prints about our files, run in their folder; static. */
static const char *ask(const char *command)
{
    static char output[65536];
    char line[512];
    snprintf(line, sizeof line, "cd %s && %s 2>/dev/null", folder, command);
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t len = fread(output, 1, sizeof output - 1, pipe);
    output[len] = 0;
    ck_assert_msg(pclose(pipe) == 0, "%s", command);
    return output;
}

static void expect_url(const char *output, const char *url)
{
    ck_assert_uint_eq(strcspn(output, "\n"), strlen(url));
    ck_assert_int_eq(strncmp(output, url, strlen(url)), 0);
}

/* CERT-1: a QR code of ordinary size, and the largest certificate there can be, both read back */
START_TEST(the_qr_code_reads_back)
{
    char url[CERTIFICATE_URL_MAX], filler[1600];
    for (int large = 0; large < 2; large++) {
        struct certificate certificate = sample();
        if (large) {
            memset(filler, 'x', sizeof filler - 1);
            filler[sizeof filler - 1] = 0;
            certificate.lines[4].value = filler;
        }
        url_of(&certificate, url);
        FILE *file = file_open("code.png");
        ck_assert_int_eq(certificate_page_qr(url, file), PAGE_DONE);
        fclose(file);
        expect_url(ask("zbarimg -q --raw code.png"), url);
    }
}
END_TEST

/* CERT-5: one A4 page that says everything, whose text comes out with the variant of 辻 and with 𠮷, and whose printed
 * code leads to this certificate */
START_TEST(the_page_says_what_was_issued)
{
    static const char *const texts[] = {"調理師免許証", "氏名", "辻\U000E0100𠮷", "花子", "生年月日", "1990年4月1日",
        "本籍地都道府県又は国籍", "東京都", "免許番号", "第000123号", "旧姓", "髙﨑", "2026年9月22日", "発行日",
        "東京都知事", "a0010203-0405-4607-8809-0a0b0c0d0e0f"};
    struct certificate certificate = sample();
    char url[CERTIFICATE_URL_MAX];
    url_of(&certificate, url);
    FILE *file = file_open("page.pdf");
    ck_assert_int_eq(certificate_page_pdf(&certificate, url, file), PAGE_DONE);
    fclose(file);
    const char *output = ask("pdftotext -layout page.pdf -");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(strstr(output, texts[i]) != NULL, "text %zu", i);
    ck_assert_ptr_null(strstr(output, "有効期限"));
    output = ask("pdfinfo page.pdf");
    ck_assert_ptr_nonnull(strstr(output, "(A4)"));
    ck_assert_ptr_nonnull(strstr(output, "Pages:           1\n"));
    expect_url(ask("pdftoppm -r 300 -png -singlefile page.pdf page && zbarimg -q --raw page.png"), url);
}
END_TEST

/* ROLL-8: a variant is printed as it is registered, from whichever of the two fonts has it */
START_TEST(a_variant_is_another_glyph)
{
    static const char *const names[] = {"辻", "辻\U000E0100", "辻\U000E0102", "葛\U000E0103"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct certificate certificate = sample();
        char url[CERTIFICATE_URL_MAX];
        certificate.lines[0].value = names[i];
        url_of(&certificate, url);
        FILE *file = file_open("page.pdf");
        ck_assert_int_eq(certificate_page_pdf(&certificate, url, file), PAGE_DONE);
        fclose(file);
        const char *at = strstr(ask("pdftotext -layout page.pdf -"), names[i]);
        ck_assert_msg(at != NULL, "name %zu", i);
        ck_assert_uint_eq(strcspn(at, " \n"), strlen(names[i])); /* no selector where there was none */
    }
    const char *fonts = ask("pdffonts page.pdf");
    ck_assert_ptr_nonnull(strstr(fonts, "IPAmjMincho"));
    ck_assert_ptr_null(strstr(fonts, "IPAexMincho"));
}
END_TEST

/* CERT-5: the expiry is printed where there is one */
START_TEST(an_expiring_certificate_says_so)
{
    struct certificate certificate = sample();
    char url[CERTIFICATE_URL_MAX];
    certificate.expires_at = certificate.issued_at + 5 * 365 * 86400;
    url_of(&certificate, url);
    FILE *file = file_open("page.pdf");
    ck_assert_int_eq(certificate_page_pdf(&certificate, url, file), PAGE_DONE);
    fclose(file);
    const char *output = ask("pdftotext -layout page.pdf -");
    ck_assert_ptr_nonnull(strstr(output, "有効期限"));
    ck_assert_ptr_nonnull(strstr(output, "2031年9月21日"));
}
END_TEST

/* ROLL-8: a name that cannot be printed right is not printed at all; nor is a page that does not hold its text */
START_TEST(a_wrong_page_is_not_made)
{
    char url[CERTIFICATE_URL_MAX], filler[4000];
    struct certificate certificate = sample();
    url_of(&certificate, url);
    certificate.lines[0].value = "架空\U00012000太郎";
    FILE *file = file_open("page.pdf");
    ck_assert_int_eq(certificate_page_pdf(&certificate, url, file), PAGE_GLYPH_MISSING);
    fclose(file);
    certificate = sample();
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    for (size_t i = 0; i < certificate.line_count; i++)
        certificate.lines[i].value = filler;
    file = file_open("page.pdf");
    ck_assert_int_eq(certificate_page_pdf(&certificate, url, file), PAGE_FULL);
    fclose(file);
}
END_TEST

/* The renderer is a process of its own: it gives the file back, and its refusal or death is a fault and nothing more */
START_TEST(the_renderer_works_apart)
{
    struct certificate certificate = sample();
    char url[CERTIFICATE_URL_MAX];
    struct bytes file = {0};
    struct fault fault = {0};
    struct arena *arena = arena_new(1 << 20);
    ck_assert_ptr_nonnull(arena);
    url_of(&certificate, url);
    ck_assert_msg(certificate_render("png", url, arena, &file, &fault), "%s", fault_code_text(fault.code));
    ck_assert_mem_eq(file.data, "\x89PNG", 4);
    ck_assert(certificate_render("pdf", url, arena, &file, &fault));
    ck_assert_mem_eq(file.data, "%PDF-", 5);
    ck_assert(!certificate_render("jpg", url, arena, &file, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert(!certificate_render("pdf", BASE "?c=AAAA", arena, &file, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    ck_assert(!certificate_render("crash", url, arena, &file, &fault));
    ck_assert_int_eq(fault.code, FAULT_unavailable);
    certificate.lines[0].value = "架空\U00012000太郎";
    url_of(&certificate, url);
    ck_assert(!certificate_render("pdf", url, arena, &file, &fault));
    ck_assert_int_eq(fault.code, FAULT_glyph_missing);
    arena_free(arena);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--render") == 0) {
        if (strcmp(argv[2], "crash") == 0)
            abort();
        certificate_render_main(argv[2]);
    }
    Suite *suite = suite_create("certificate_page");
    TCase *tcase = tcase_create("page");
    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, prepare, clean_up);
    tcase_add_test(tcase, the_qr_code_reads_back);
    tcase_add_test(tcase, the_page_says_what_was_issued);
    tcase_add_test(tcase, a_variant_is_another_glyph);
    tcase_add_test(tcase, an_expiring_certificate_says_so);
    tcase_add_test(tcase, a_wrong_page_is_not_made);
    tcase_add_test(tcase, the_renderer_works_apart);
    suite_add_tcase(suite, tcase);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
