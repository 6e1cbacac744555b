/* The applicant's signature: what is accepted, and every way in which it is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/cms.h>
#include <openssl/x509v3.h>
#include "chassis/journal.h"
#include "intake/application_signature.h"
#include "kit/applicant.h"

#define SEED 20260401u
#define CONTENT "{\"application\":\"00000000-0000-4000-8000-000000000000\"}"

static struct kit_authorities *authorities;
static struct trust_roots *roots;
static struct revocation *revocation;

static void crl_give(const struct kit_authority *authority, const char *const *serials, size_t count)
{
    time_t now = time(NULL);
    struct kit_crl crl = {serials, count, now - 60, now + 3600, 1, false};
    size_t size;
    uint8_t *der = kit_crl_make(authority, &crl, &size);
    ck_assert_ptr_nonnull(der);
    ck_assert(revocation_take(revocation, der, size, now));
    free(der);
}

static void world_open(void)
{
    authorities = kit_authorities_load("build/kit");
    roots = trust_roots_load("build/kit/jpki-roots");
    ck_assert(authorities && roots);
    revocation = revocation_new(roots);
    ck_assert_ptr_nonnull(revocation);
}

static void world_close(void)
{
    revocation_free(revocation);
    trust_roots_free(roots);
    kit_authorities_free(authorities);
}

static bool verify(struct application_signature *signature, const void *cms, size_t size, struct fault *fault)
{
    *fault = (struct fault){0};
    return application_signature_verify(signature, roots, KIT_POLICY_TEST, cms, size, fault);
}

static void expect_refusal(const void *cms, size_t size, enum fault_code code, const char *field)
{
    struct application_signature signature;
    struct fault fault;
    ck_assert_msg(!verify(&signature, cms, size, &fault), "accepted, but %s %s was due", fault_code_text(code), field);
    ck_assert_msg(fault.code == code && strcmp(fault.field, field) == 0, "%s %s, but %s %s was due",
        fault_code_text(fault.code), fault.field, fault_code_text(code), field);
    ck_assert_ptr_null(signature.manifest);
    ck_assert_ptr_null(signature.certificate);
}

/* A signature over CONTENT by a certificate with these flaws. */
static uint8_t *sign(const struct kit_authority *authority, unsigned flaws, uint32_t index, size_t *size)
{
    struct kit_applicant applicant;
    ck_assert(kit_applicant_init(&applicant, authorities, authority, SEED, index, flaws));
    uint8_t *cms = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, size);
    ck_assert_ptr_nonnull(cms);
    kit_applicant_fini(&applicant);
    return cms;
}

/* APPLY-2 */
START_TEST(a_right_signature_gives_manifest_signer_and_person)
{
    crl_give(authorities->jpki, NULL, 0);
    for (uint32_t index = 0; index < 6; index++) {
        struct kit_applicant applicant;
        struct application_signature signature;
        struct fault fault;
        size_t size;
        ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, index, 0));
        uint8_t *cms = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, &size);
        ck_assert_msg(verify(&signature, cms, size, &fault), "%s %s", fault_code_text(fault.code), fault.field);
        ck_assert_uint_eq(signature.manifest_size, strlen(CONTENT));
        ck_assert_str_eq((const char *)signature.manifest, CONTENT);
        ck_assert_mem_eq(signature.signer, applicant.signer, 32);
        ck_assert_str_eq(signature.root->name, "jpki-root");
        struct person_match match = person_match_compare(&signature.person, &applicant.person.person);
        ck_assert(person_match_is_exact(&match));
        ck_assert(!signature.name_substituted && !signature.address_substituted);
        ck_assert(application_signature_check_validity(&signature, revocation, time(NULL), &fault));
        application_signature_fini(&signature);
        kit_applicant_fini(&applicant);
        free(cms);
    }
}
END_TEST

/* Characters outside JIS X 0208 and 0212 are replaced in the certificate, which says so; pitfall 18 */
START_TEST(replaced_characters_are_told)
{
    for (uint32_t i = 0; i < 6; i++) {
        struct application_signature signature;
        struct fault fault;
        struct kit_person person;
        size_t size;
        uint32_t index = KIT_RARE_EVERY * i + KIT_RARE_EVERY - 1;
        uint8_t *cms = sign(authorities->jpki, 0, index, &size);
        ck_assert(verify(&signature, cms, size, &fault));
        ck_assert(signature.name_substituted && !signature.address_substituted);
        kit_person_make(&person, SEED, index);
        ck_assert_str_ne(signature.person.name, person.person.name);
        struct person_match match = person_match_compare(&signature.person, &person.person);
        ck_assert(person_match_agrees(&match));
        application_signature_fini(&signature);
        free(cms);
    }
}
END_TEST

/* The same application wrapped anew: other bytes, the same manifest and signer */
START_TEST(a_manifest_wrapped_anew_is_the_same)
{
    struct kit_applicant applicant;
    struct application_signature one, other;
    struct fault fault;
    size_t one_size, other_size;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    uint8_t *first = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, &one_size);
    uint8_t *second = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), time(NULL) + 1, &other_size);
    ck_assert(one_size != other_size || memcmp(first, second, one_size) != 0);
    ck_assert(verify(&one, first, one_size, &fault) && verify(&other, second, other_size, &fault));
    ck_assert_str_eq((const char *)one.manifest, (const char *)other.manifest);
    ck_assert_mem_eq(one.signer, other.signer, 32);
    application_signature_fini(&one);
    application_signature_fini(&other);
    kit_applicant_fini(&applicant);
    free(first);
    free(second);
}
END_TEST

static const struct {
    unsigned flaw;
    const char *field;
} profile_rows[] = {
    {KIT_LEAF_CA, "certificate.basic_constraints"},
    {KIT_LEAF_CERT_SIGN, "certificate.key_usage"},
    {KIT_LEAF_NO_COMMITMENT, "certificate.key_usage"},
    {KIT_LEAF_USAGE_UNCRITICAL, "certificate.key_usage"},
    {KIT_LEAF_NO_USAGE, "certificate.key_usage"},
    {KIT_LEAF_REAL_POLICY, "certificate.policy"},
    {KIT_LEAF_NO_POLICY, "certificate.policy"},
    {KIT_LEAF_POLICY_UNCRITICAL, "certificate.policy"},
    {KIT_LEAF_NO_ITEMS, "certificate.items"},
    {KIT_LEAF_NO_NAME, "certificate.name"},
    {KIT_LEAF_NO_BIRTH_DATE, "certificate.birth_date"},
    {KIT_LEAF_NO_SEX, "certificate.sex"},
    {KIT_LEAF_NO_ADDRESS, "certificate.address"},
    {KIT_LEAF_TWO_NAMES, "certificate.name"},
    {KIT_LEAF_BAD_BIRTH_DATE, "certificate.birth_date"},
    {KIT_LEAF_SHA512, "certificate.key"},
    {KIT_LEAF_UNKNOWN_CRITICAL, "certificate.extensions"},
};

/* APPLY-2, pitfall 20: a certificate that breaks the profile in one way */
START_TEST(a_certificate_out_of_profile_is_refused)
{
    size_t size;
    uint8_t *cms = sign(authorities->jpki, profile_rows[_i].flaw, 0, &size);
    expect_refusal(cms, size, FAULT_certificate_profile, profile_rows[_i].field);
    free(cms);
}
END_TEST

static void expect_key_refusal(EVP_PKEY *key)
{
    struct kit_applicant applicant;
    size_t size;
    ck_assert_ptr_nonnull(key);
    kit_person_make(&applicant.person, SEED, 0);
    applicant.key = key;
    applicant.certificate = kit_certificate_issue(authorities->jpki, &applicant.person, key, 0);
    uint8_t *cms = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, &size);
    ck_assert_ptr_nonnull(cms);
    struct application_signature signature;
    struct fault fault;
    ck_assert(!verify(&signature, cms, size, &fault));
    ck_assert(fault.code == FAULT_certificate_profile || fault.code == FAULT_signature_invalid);
    free(cms);
    kit_applicant_fini(&applicant);
    EVP_PKEY_free(key);
}

START_TEST(another_kind_of_key_is_refused)
{
    expect_key_refusal(EVP_RSA_gen(1024));
    expect_key_refusal(EVP_RSA_gen(3072));
    expect_key_refusal(EVP_EC_gen("P-256"));
}
END_TEST

/* An authority that nobody pinned; it bears the pinned one's name, or another */
START_TEST(another_authority_is_refused)
{
    size_t size;
    uint8_t *cms = sign(authorities->other, 0, 0, &size);
    expect_refusal(cms, size, FAULT_certificate_untrusted, "signature");
    free(cms);
    struct kit_authority *third = kit_authority_new("third");
    cms = sign(third, 0, 0, &size);
    expect_refusal(cms, size, FAULT_certificate_untrusted, "signature");
    free(cms);
    kit_authority_free(third);
}
END_TEST

/* Pitfall 20: OpenSSL takes names for equal that differ in case; the pinned key signed this one, under another name */
START_TEST(the_issuer_is_compared_by_its_bytes)
{
    struct kit_person person;
    kit_person_make(&person, SEED, 0);
    struct kit_applicant applicant = {.person = person, .key = authorities->applicants[0]};
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(authorities->jpki->root));
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(name, 1));
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"jpki TEST", -1, 1, 0);
    applicant.certificate = kit_certificate_issue(authorities->jpki, &person, applicant.key, 0);
    ck_assert_int_eq(X509_NAME_cmp(name, X509_get_subject_name(authorities->jpki->root)), 0);
    X509_set_issuer_name(applicant.certificate, name);
    X509_sign(applicant.certificate, authorities->jpki->key, EVP_sha256());
    size_t size;
    uint8_t *cms = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, &size);
    expect_refusal(cms, size, FAULT_certificate_untrusted, "signature");
    free(cms);
    X509_NAME_free(name);
    kit_applicant_fini(&applicant);
}
END_TEST

/* Several generations of the root live at once */
START_TEST(every_pinned_generation_counts)
{
    char folder[] = "/tmp/shikaku-roots-XXXXXX", file[64], other[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct kit_authority *first = kit_authority_new("generation 1"), *second = kit_authority_new("generation 2");
    snprintf(file, sizeof file, "%s/first.pem", folder);
    snprintf(other, sizeof other, "%s/second.pem", folder);
    ck_assert(kit_authority_root_save(first, file) && kit_authority_root_save(second, other));
    struct trust_roots *both = trust_roots_load(folder);
    ck_assert_ptr_nonnull(both);
    ck_assert_uint_eq(both->count, 2);
    const struct {
        struct kit_authority *authority;
        const char *name;
    } rows[] = {{first, "first"}, {second, "second"}};
    for (size_t i = 0; i < 2; i++) {
        struct application_signature signature;
        struct fault fault = {0};
        size_t size;
        uint8_t *cms = sign(rows[i].authority, 0, 0, &size);
        ck_assert(application_signature_verify(&signature, both, KIT_POLICY_TEST, cms, size, &fault));
        ck_assert_str_eq(signature.root->name, rows[i].name);
        application_signature_fini(&signature);
        free(cms);
    }
    trust_roots_free(both);
    unlink(other);
    FILE *broken = fopen(other, "w");
    fputs("no certificate\n", broken);
    fclose(broken);
    ck_assert_ptr_null(trust_roots_load(folder));
    unlink(other);
    unlink(file);
    ck_assert_ptr_null(trust_roots_load(folder));
    rmdir(folder);
    kit_authority_free(first);
    kit_authority_free(second);
}
END_TEST

/* Any changed byte, anything left over, anything cut off. The few bytes that no signature covers (versions, the list of
 * digests) may be changed, but then the message still says the same. */
START_TEST(altered_bytes_are_refused)
{
    size_t size, still_right = 0;
    uint8_t *cms = sign(authorities->jpki, 0, 0, &size), signer[32];
    struct application_signature right;
    struct fault none;
    ck_assert(verify(&right, cms, size, &none));
    memcpy(signer, right.signer, 32);
    application_signature_fini(&right);
    for (size_t at = 0; at < size; at++) {
        struct application_signature signature;
        struct fault fault;
        cms[at] ^= 0x01;
        if (verify(&signature, cms, size, &fault)) {
            still_right++;
            ck_assert_str_eq((const char *)signature.manifest, CONTENT);
            ck_assert_mem_eq(signature.signer, signer, 32);
            application_signature_fini(&signature);
        }
        cms[at] ^= 0x01;
    }
    ck_assert_uint_le(still_right, 4);
    for (size_t cut = 0; cut < size; cut += 61) {
        uint8_t *part = malloc(cut + 1);
        memcpy(part, cms, cut);
        expect_refusal(part, cut, FAULT_signature_invalid, "signature");
        free(part);
    }
    uint8_t *longer = malloc(size + 1);
    memcpy(longer, cms, size);
    longer[size] = 0;
    expect_refusal(longer, size + 1, FAULT_signature_invalid, "signature");
    free(longer);
    free(cms);
}
END_TEST

static uint8_t *cms_encode(CMS_ContentInfo *cms, size_t *size)
{
    unsigned char *der = NULL;
    int length = i2d_CMS_ContentInfo(cms, &der);
    ck_assert_int_gt(length, 0);
    *size = (size_t)length;
    uint8_t *copy = malloc(*size);
    memcpy(copy, der, *size);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    return copy;
}

static void expect_form_refusal(CMS_ContentInfo *cms)
{
    size_t size;
    ck_assert_ptr_nonnull(cms);
    uint8_t *der = cms_encode(cms, &size);
    expect_refusal(der, size, FAULT_signature_invalid, "signature");
    free(der);
}

static void key_id_give(X509 *certificate)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, authorities->jpki->root, certificate, NULL, NULL, 0);
    X509_EXTENSION *key_id = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash");
    ck_assert_int_eq(X509_add_ext(certificate, key_id, -1), 1);
    ck_assert_int_gt(X509_sign(certificate, authorities->jpki->key, EVP_sha256()), 0);
    X509_EXTENSION_free(key_id);
}

/* Forms that CMS knows and we do not accept */
START_TEST(another_form_of_message_is_refused)
{
    struct kit_applicant one, two;
    ck_assert(kit_applicant_init(&one, authorities, authorities->jpki, SEED, 0, 0));
    ck_assert(kit_applicant_init(&two, authorities, authorities->jpki, SEED, 1, 0));
    const unsigned plain = CMS_BINARY | CMS_NOSMIMECAP;
    static const unsigned forms[] = {CMS_DETACHED, CMS_NOATTR, CMS_NOCERTS, CMS_USE_KEYID};
    key_id_give(one.certificate);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        BIO *in = BIO_new_mem_buf(CONTENT, -1);
        expect_form_refusal(CMS_sign(one.certificate, one.key, NULL, in, plain | forms[i]));
        BIO_free(in);
    }
    struct {
        const EVP_MD *digest;
        unsigned flags;
        bool second_signer, second_certificate, crl;
    } rows[] = {
        {EVP_sha512(), plain, false, false, false},
        {EVP_sha1(), plain, false, false, false},
        {EVP_sha256(), plain, true, false, false},
        {EVP_sha256(), plain, false, true, false},
        {EVP_sha256(), plain, false, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        BIO *in = BIO_new_mem_buf(CONTENT, -1);
        unsigned flags = rows[i].flags | CMS_PARTIAL;
        CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
        ck_assert_ptr_nonnull(CMS_add1_signer(cms, one.certificate, one.key, rows[i].digest, flags));
        if (rows[i].second_signer)
            ck_assert_ptr_nonnull(CMS_add1_signer(cms, two.certificate, two.key, rows[i].digest, flags));
        if (rows[i].second_certificate)
            ck_assert_int_eq(CMS_add1_cert(cms, two.certificate), 1);
        if (rows[i].crl) {
            time_t now = time(NULL);
            struct kit_crl crl = {NULL, 0, now, now + 60, 1, false};
            size_t size;
            uint8_t *der = kit_crl_make(authorities->jpki, &crl, &size);
            const unsigned char *at = der;
            ck_assert_int_eq(CMS_add0_crl(cms, d2i_X509_CRL(NULL, &at, (long)size)), 1);
            free(der);
        }
        ck_assert_int_eq(CMS_final(cms, in, NULL, rows[i].flags), 1);
        expect_form_refusal(cms);
        BIO_free(in);
    }
    kit_applicant_fini(&one);
    kit_applicant_fini(&two);
}
END_TEST

START_TEST(rsa_pss_is_refused)
{
    struct kit_applicant one;
    ck_assert(kit_applicant_init(&one, authorities, authorities->jpki, SEED, 0, 0));
    BIO *in = BIO_new_mem_buf(CONTENT, -1);
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    CMS_SignerInfo *signer = CMS_add1_signer(cms, one.certificate, one.key, EVP_sha256(), flags | CMS_KEY_PARAM);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(CMS_SignerInfo_get0_pkey_ctx(signer), RSA_PKCS1_PSS_PADDING), 1);
    ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    expect_form_refusal(cms);
    BIO_free(in);
    kit_applicant_fini(&one);
}
END_TEST

/* An unsigned attribute could be put there by anyone on the way. BER with indefinite lengths is another form of bytes.
 */
START_TEST(what_the_signature_does_not_cover_is_refused)
{
    size_t size;
    uint8_t *der = sign(authorities->jpki, 0, 0, &size);
    const unsigned char *at = der;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    ck_assert_int_eq(CMS_unsigned_add1_attr_by_txt(signer, "1.2.3.4", V_ASN1_UTF8STRING, "x", 1), 1);
    expect_form_refusal(cms);
    free(der);

    struct kit_applicant one;
    ck_assert(kit_applicant_init(&one, authorities, authorities->jpki, SEED, 0, 0));
    BIO *in = BIO_new_mem_buf(CONTENT, -1), *out = BIO_new(BIO_s_mem());
    cms = CMS_sign(one.certificate, one.key, NULL, in, CMS_BINARY | CMS_STREAM);
    ck_assert_int_eq(i2d_CMS_bio_stream(out, cms, in, CMS_BINARY | CMS_STREAM), 1);
    char *ber;
    long length = BIO_get_mem_data(out, &ber);
    expect_refusal(ber, (size_t)length, FAULT_signature_invalid, "signature");
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    kit_applicant_fini(&one);
}
END_TEST

START_TEST(too_large_a_message_is_refused)
{
    uint8_t *zeros = calloc(1, APPLICATION_SIGNATURE_MAX + 1);
    expect_refusal(zeros, APPLICATION_SIGNATURE_MAX + 1, FAULT_too_large, "signature");
    free(zeros);
    expect_refusal("", 0, FAULT_signature_invalid, "signature");
}
END_TEST

/* Right for ever, valid for a time: two results */
START_TEST(validity_is_asked_at_a_time)
{
    struct application_signature signature;
    struct fault fault = {0};
    size_t size;
    time_t now = time(NULL);
    crl_give(authorities->jpki, NULL, 0);
    static const unsigned outside[] = {KIT_LEAF_EXPIRED, KIT_LEAF_NOT_YET};
    for (size_t i = 0; i < 2; i++) {
        uint8_t *cms = sign(authorities->jpki, outside[i], 0, &size);
        ck_assert(verify(&signature, cms, size, &fault));
        ck_assert(!application_signature_check_validity(&signature, revocation, now, &fault));
        ck_assert_int_eq(fault.code, FAULT_certificate_expired);
        application_signature_fini(&signature);
        free(cms);
    }
    uint8_t *cms = sign(authorities->jpki, 0, 0, &size);
    ck_assert(verify(&signature, cms, size, &fault));
    ck_assert(application_signature_check_validity(&signature, revocation, now, &fault));
    time_t far[] = {now - 2 * 86400, now + 6L * 365 * 86400};
    for (size_t i = 0; i < 2; i++) {
        ck_assert(!application_signature_check_validity(&signature, revocation, far[i], &fault));
        ck_assert_int_eq(fault.code, FAULT_certificate_expired);
    }
    application_signature_fini(&signature);
    free(cms);
}
END_TEST

START_TEST(a_revoked_certificate_is_refused)
{
    struct kit_applicant applicant;
    struct application_signature signature;
    struct fault fault = {0};
    size_t size;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    char *serial = kit_certificate_serial(applicant.certificate);
    uint8_t *cms = kit_applicant_sign(&applicant, CONTENT, strlen(CONTENT), 0, &size);
    ck_assert(verify(&signature, cms, size, &fault));
    ck_assert(!application_signature_check_validity(&signature, revocation, time(NULL), &fault));
    ck_assert_int_eq(fault.code, FAULT_revocation_unavailable);
    ck_assert_int_eq(fault_outcome(fault.code), OUTCOME_RETRY);
    crl_give(authorities->jpki, NULL, 0);
    ck_assert(application_signature_check_validity(&signature, revocation, time(NULL), &fault));
    crl_give(authorities->jpki, (const char *const[]){"0123456789abcdef", serial}, 2);
    ck_assert(!application_signature_check_validity(&signature, revocation, time(NULL), &fault));
    ck_assert_int_eq(fault.code, FAULT_certificate_revoked);
    application_signature_fini(&signature);
    kit_applicant_fini(&applicant);
    free(serial);
    free(cms);
}
END_TEST

/* Intake checks every application's signature on a worker: at 50 applications a second on two cores, it must not weigh.
 */
START_TEST(verifying_is_fast)
{
    size_t size;
    uint8_t *cms = sign(authorities->jpki, 0, 0, &size);
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (int i = 0; i < 200; i++) {
        struct application_signature signature;
        struct fault fault;
        ck_assert(verify(&signature, cms, size, &fault));
        application_signature_fini(&signature);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    printf("application_signature: %.0f verified a second, %zu bytes each\n", 200 / seconds, size);
#if !defined __SANITIZE_ADDRESS__
    ck_assert_double_lt(seconds, 0.4);
#endif
    free(cms);
}
END_TEST

int main(void)
{
    journal_open("test");
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("application_signature");
    TCase *tests = tcase_create("signature");
    tcase_add_checked_fixture(tests, world_open, world_close);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_right_signature_gives_manifest_signer_and_person);
    tcase_add_test(tests, replaced_characters_are_told);
    tcase_add_test(tests, a_manifest_wrapped_anew_is_the_same);
    tcase_add_loop_test(tests, a_certificate_out_of_profile_is_refused, 0, sizeof profile_rows / sizeof *profile_rows);
    tcase_add_test(tests, another_kind_of_key_is_refused);
    tcase_add_test(tests, another_authority_is_refused);
    tcase_add_test(tests, the_issuer_is_compared_by_its_bytes);
    tcase_add_test(tests, every_pinned_generation_counts);
    tcase_add_test(tests, altered_bytes_are_refused);
    tcase_add_test(tests, another_form_of_message_is_refused);
    tcase_add_test(tests, rsa_pss_is_refused);
    tcase_add_test(tests, what_the_signature_does_not_cover_is_refused);
    tcase_add_test(tests, too_large_a_message_is_refused);
    tcase_add_test(tests, validity_is_asked_at_a_time);
    tcase_add_test(tests, a_revoked_certificate_is_refused);
    tcase_add_test(tests, verifying_is_fast);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
