/* What the kit composes is what an applicant's software would send: the services' own readers take it, and each flaw
 * breaks exactly what it says. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include "chassis/journal.h"
#include "chassis/jwe.h"
#include "intake/application_signature.h"
#include "kit/application.h"
#include "kit/assertion.h"
#include "kit/form.h"

#define SEED 20260401u

static struct kit_authorities *authorities;
static struct programmes *programmes;
static struct trust_roots *roots;
static struct arena *arena;
static struct key vault_key;
static struct kit_world world;

/* The sealing key is as the vault's: a random scalar, its public half published as a key set. */
static void world_open(void)
{
    char problem[PROGRAMMES_PROBLEM_MAX], jwks[512];
    authorities = kit_authorities_load("build/kit");
    programmes = programmes_load("deploy/programmes", problem, sizeof problem);
    roots = trust_roots_load("build/kit/jpki-roots");
    arena = arena_new(1 << 20);
    ck_assert(authorities && programmes && roots && arena);
    vault_key.kind = KEY_SEAL;
    ck_assert_int_eq(RAND_bytes(vault_key.secret, sizeof vault_key.secret), 1);
    char *jwk = jwk_public_text(arena, &vault_key, "vault-1");
    ck_assert_ptr_nonnull(jwk);
    snprintf(jwks, sizeof jwks, "{\"keys\":[%s]}", jwk);
    world = (struct kit_world){authorities, kit_sealer_new(jwks)};
    ck_assert_ptr_nonnull(world.sealer);
}

static void world_close(void)
{
    kit_sealer_free((struct kit_sealer *)world.sealer);
    arena_free(arena);
    trust_roots_free(roots);
    programmes_free(programmes);
    kit_authorities_free(authorities);
}

/* One application with its applicant and somebody else, made and opened again. */
struct sent {
    struct kit_applicant applicant, other;
    struct kit_application application;
    json_t *document, *manifest; /* as sent */
};

static void sent_make(struct sent *sent, const struct programme *programme, enum kit_flaw flaw)
{
    memset(sent, 0, sizeof *sent);
    ck_assert(kit_flaw_applicant(&sent->applicant, authorities, flaw, SEED, 0));
    ck_assert(kit_applicant_init(&sent->other, authorities, authorities->jpki, SEED, 1, 0));
    const struct kit_request request = {
        .applicant = &sent->applicant, .other = &sent->other, .programme = programme, .flaw = flaw};
    ck_assert_msg(kit_application_make(&sent->application, &world, &request), "%s", kit_flaw_row(flaw)->name);
    sent->document = json_loads(sent->application.document, JSON_REJECT_DUPLICATES, NULL);
    sent->manifest = json_loads(sent->application.manifest, JSON_REJECT_DUPLICATES, NULL);
    ck_assert(sent->document && sent->manifest);
}

static void sent_free(struct sent *sent)
{
    json_decref(sent->document);
    json_decref(sent->manifest);
    kit_application_fini(&sent->application);
    kit_applicant_fini(&sent->applicant);
    kit_applicant_fini(&sent->other);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void sha256_hex(const void *bytes, size_t size, char out[65])
{
    unsigned char digest[32];
    SHA256(bytes, size, digest);
    for (int i = 0; i < 32; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

/* APPLY-1: the form of every programme can be filled, and its definition takes what was filled in */
START_TEST(every_programmes_form_is_filled)
{
    ck_assert_uint_ge(programmes_count(programmes), 6);
    for (size_t i = 0; i < programmes_count(programmes); i++) {
        const struct programme *programme = programmes_at(programmes, i);
        const struct programme_procedure *procedure = programme_procedure_find(programme, "registration");
        for (uint32_t index = 0; index < 40; index++) {
            struct kit_person person;
            struct person read;
            struct fault fault = {0};
            kit_person_make(&person, SEED, index);
            json_t *items = kit_form_fill(procedure, &person);
            ck_assert_msg(programme_items_check(procedure, items, &fault), "%s: %s %s", programme->code,
                fault_code_text(fault.code), fault.field);
            ck_assert(programme_person_make(programme, items, &read, &fault));
            struct person_match match = person_match_compare(&read, &person.person);
            ck_assert(person_match_is_exact(&match));
            json_decref(items);
        }
    }
}
END_TEST

/* APPLY-1, NUM-4: manifest, pieces, binding and card of a right application */
START_TEST(a_right_application_is_whole)
{
    for (size_t i = 0; i < programmes_count(programmes); i++) {
        struct sent sent;
        char hex[65];
        const struct programme *programme = programmes_at(programmes, i);
        sent_make(&sent, programme, KIT_RIGHT);
        sha256_hex(sent.application.document, strlen(sent.application.document), hex);
        ck_assert_str_eq(text_of(sent.manifest, "document_sha256"), hex);
        static const char *const same[] = {"application", "programme", "procedure", "manager"};
        for (size_t k = 0; k < 4; k++)
            ck_assert_str_eq(text_of(sent.manifest, same[k]), text_of(sent.document, same[k]));
        ck_assert_str_eq(text_of(sent.document, "programme"), programme->code);
        ck_assert_str_eq(text_of(sent.document, "manager"), programme->manager);
        const struct programme_procedure *procedure = programme_procedure_find(programme, "registration");
        size_t n, pieces = 0;
        json_t *attachment;
        struct fault fault = {0};
        json_array_foreach(json_object_get(sent.manifest, "attachments"), n, attachment)
        {
            ck_assert(programme_attachment_check(procedure, text_of(attachment, "name"),
                (size_t)json_integer_value(json_object_get(attachment, "size")), &fault));
            pieces += json_array_size(json_object_get(attachment, "pieces"));
        }
        ck_assert_uint_eq(pieces, sent.application.piece_count);
        struct application_signature signature;
        ck_assert(application_signature_verify(
            &signature, roots, KIT_POLICY_TEST, sent.application.signature, sent.application.signature_size, &fault));
        ck_assert_str_eq((const char *)signature.manifest, sent.application.manifest);
        application_signature_fini(&signature);
        sent_free(&sent);
    }
}
END_TEST

/* Two pieces of at most 192 KiB for a file of 300,000 bytes, each addressed by its digest */
START_TEST(attachments_are_cut_into_pieces)
{
    struct kit_applicant applicant;
    struct kit_application application;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    char *bytes = calloc(1, 300000), hex[65];
    bytes[299999] = 1;
    struct kit_file files[] = {{"evidence.png", "image/png", bytes, 300000}};
    struct kit_request request = {
        .applicant = &applicant, .programme = programme_find(programmes, "chorishi"), .files = files, .file_count = 1};
    ck_assert(kit_application_make(&application, &world, &request));
    ck_assert_uint_eq(application.piece_count, 2);
    ck_assert_uint_eq(application.pieces[0].size, KIT_PIECE_MAX);
    ck_assert_uint_eq(application.pieces[1].size, 300000 - KIT_PIECE_MAX);
    for (size_t i = 0; i < 2; i++) {
        sha256_hex(application.pieces[i].bytes, application.pieces[i].size, hex);
        ck_assert_str_eq(application.pieces[i].sha256, hex);
        ck_assert_ptr_nonnull(strstr(application.manifest, hex));
    }
    kit_application_fini(&application);
    kit_applicant_fini(&applicant);
    free(bytes);
}
END_TEST

/* NUM-4: sealed by cjose, opened by the vault's own reader; many times, since a coordinate may begin with zeros */
START_TEST(a_sealed_number_is_opened_by_its_vault)
{
    struct kit_applicant applicant;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    const struct kit_binding binding = {"00000000-0000-4000-8000-000000000000", "tokyo", applicant.signer_hex};
    for (int i = 0; i < 600; i++) {
        struct bytes plain, ef0001;
        json_t *header;
        char *sealed = kit_seal_card(world.sealer, &binding, &applicant.card);
        ck_assert_ptr_nonnull(sealed);
        ck_assert_msg(jwe_open(arena, &vault_key, sealed, &header, &plain), "round %d", i);
        ck_assert_str_eq(text_of(header, "application"), binding.application);
        ck_assert_str_eq(text_of(header, "manager"), "tokyo");
        ck_assert_str_eq(text_of(header, "signer"), applicant.signer_hex);
        ck_assert_str_eq(text_of(header, "kid"), "vault-1");
        json_t *card = json_loadb((const char *)plain.data, plain.len, 0, NULL);
        const char *text = text_of(card, "ef0001");
        ck_assert(base64url_take(arena, text, strlen(text), &ef0001));
        ck_assert_uint_eq(ef0001.len, 15);
        ck_assert_mem_eq(ef0001.data, applicant.card.ef0001, 15);
        json_decref(card);
        json_decref(header);
        free(sealed);
        arena_reset(arena);
    }
    kit_applicant_fini(&applicant);
}
END_TEST

START_TEST(a_number_sealed_to_another_or_altered_is_not_opened)
{
    struct kit_sealer *stranger = kit_sealer_random("stranger");
    const struct kit_binding binding = {"a", "tokyo", "s"};
    char *sealed = kit_seal_paper(stranger, &binding, "999900000001"), *open = kit_sealed_open(stranger, sealed);
    struct bytes plain;
    ck_assert_str_eq(open, "{\"number\":\"999900000001\"}");
    ck_assert(!jwe_open(arena, &vault_key, sealed, NULL, &plain));
    free(open);
    free(sealed);
    sealed = kit_seal_paper(world.sealer, &binding, "999900000001");
    ck_assert(jwe_open(arena, &vault_key, sealed, NULL, &plain));
    sealed[strlen(sealed) - 2] ^= 1;
    ck_assert(!jwe_open(arena, &vault_key, sealed, NULL, &plain));
    free(sealed);
    kit_sealer_free(stranger);
}
END_TEST

/* The card's signature: right over what it covers, by the key of EF 0004, which the card root certified */
static bool card_is_right(const struct kit_card *card)
{
    unsigned char digests[64];
    const unsigned char *at = card->ef0004;
    SHA256(card->ef0001, sizeof card->ef0001, digests);
    SHA256(card->ef0002, card->ef0002_size, digests + 32);
    X509 *certificate = d2i_X509(NULL, &at, (long)card->ef0004_size);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = certificate && X509_verify(certificate, X509_get0_pubkey(authorities->card_root)) == 1 &&
                 memcmp(digests, card->ef0003, 64) == 0 &&
                 EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, X509_get0_pubkey(certificate)) == 1 &&
                 EVP_DigestVerify(context, card->ef0003 + 64, 256, card->ef0003, 64) == 1;
    EVP_MD_CTX_free(context);
    X509_free(certificate);
    return right;
}

START_TEST(a_card_is_signed_by_its_issuer)
{
    struct kit_applicant applicant;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    ck_assert(card_is_right(&applicant.card));
    kit_card_number_set(&applicant.card, "999900000001");
    ck_assert(!card_is_right(&applicant.card));
    ck_assert(kit_card_sign(&applicant.card, authorities));
    ck_assert(card_is_right(&applicant.card));
    applicant.card.ef0003[100] ^= 1;
    ck_assert(!card_is_right(&applicant.card));
    kit_applicant_fini(&applicant);
}
END_TEST

/* What our own readers say of an application: the first fault that signature, document and manifest show. */
static enum fault_code judge(struct sent *sent)
{
    struct fault fault = {0};
    struct application_signature signature;
    char hex[65];
    if (!application_signature_verify(
            &signature, roots, KIT_POLICY_TEST, sent->application.signature, sent->application.signature_size, &fault))
        return fault.code;
    bool expired = X509_cmp_time(X509_get0_notAfter(signature.certificate), NULL) < 0;
    struct person certified = signature.person;
    application_signature_fini(&signature);
    if (expired)
        return FAULT_certificate_expired;
    sha256_hex(sent->application.document, strlen(sent->application.document), hex);
    if (strcmp(hex, text_of(sent->manifest, "document_sha256")) != 0)
        return FAULT_document_altered;
    if (strlen(sent->application.document) > 65536)
        return FAULT_too_large;
    const struct programme *programme = programme_find(programmes, text_of(sent->document, "programme"));
    const struct programme_procedure *procedure =
        programme ? programme_procedure_find(programme, text_of(sent->document, "procedure")) : NULL;
    if (!procedure)
        return programme ? FAULT_procedure_unknown : FAULT_programme_unknown;
    struct person person;
    const json_t *items = json_object_get(sent->document, "items");
    if (!programme_items_check(procedure, items, &fault) || !programme_person_make(programme, items, &person, &fault))
        return fault.code;
    struct person_match match = person_match_compare(&person, &certified);
    if (!person_match_agrees(&match))
        return FAULT_applicant_differs;
    const char *names[8];
    size_t n;
    json_t *attachment, *attachments = json_object_get(sent->manifest, "attachments");
    json_array_foreach(attachments, n, attachment)
    {
        names[n] = text_of(attachment, "name");
        sha256_hex(sent->application.pieces[n].bytes, sent->application.pieces[n].size, hex);
        if (strcmp(hex, text_of(attachment, "sha256")) != 0)
            return FAULT_attachment_altered;
    }
    if (!programme_attachments_complete(procedure, names, n, &fault))
        return fault.code;
    return FAULT_NONE;
}

/* The first fault that the vault would find. */
static enum fault_code judge_number(struct sent *sent, const struct programme *programme)
{
    struct bytes plain, ef[2];
    json_t *header;
    if (!*sent->application.sealed_number)
        return FAULT_number_missing;
    if (!jwe_open(arena, &vault_key, sent->application.sealed_number, &header, &plain))
        return FAULT_number_unsealable;
    bool bound = strcmp(text_of(header, "application"), sent->application.id) == 0 &&
                 strcmp(text_of(header, "manager"), programme->manager) == 0 &&
                 strcmp(text_of(header, "signer"), sent->applicant.signer_hex) == 0;
    json_decref(header);
    if (!bound)
        return FAULT_number_binding;
    static const char *const keys[] = {"ef0001", "ef0003"};
    json_t *files = json_loadb((const char *)plain.data, plain.len, 0, NULL);
    for (size_t i = 0; i < 2; i++) {
        const char *text = text_of(files, keys[i]);
        ck_assert(base64url_take(arena, text, strlen(text), &ef[i]));
    }
    json_decref(files);
    struct kit_card card = sent->applicant.card;
    memcpy(card.ef0001, ef[0].data, ef[0].len);
    memcpy(card.ef0003, ef[1].data, ef[1].len);
    const char *number = (const char *)card.ef0001 + 3;
    if (memcmp(card.ef0003 + 32, sent->applicant.card.ef0003 + 32, 32) != 0)
        return FAULT_card_person_differs;
    if (strspn(number, "0123456789") < 12)
        return FAULT_number_malformed;
    if (kit_number_check_digit(number) != number[11])
        return FAULT_number_check_digit;
    unsigned char digest[32];
    SHA256(card.ef0001, sizeof card.ef0001, digest);
    if (memcmp(digest, card.ef0003, 32) != 0)
        return FAULT_card_hash;
    return card_is_right(&card) ? FAULT_NONE : FAULT_card_signature;
}

/* Every flaw but revocation, which is not in the message: it breaks what it says, and nothing else */
START_TEST(each_flaw_breaks_one_thing)
{
    enum kit_flaw flaw = (enum kit_flaw)_i;
    static const char *const codes[] = {"chorishi", "kaigishi"};
    for (size_t i = 0; i < 2; i++) {
        struct sent sent;
        const struct programme *programme = programme_find(programmes, codes[i]);
        sent_make(&sent, programme, flaw);
        enum fault_code message = judge(&sent), number = judge_number(&sent, programme);
        enum fault_code expected = flaw == KIT_REVOKED_CERTIFICATE ? FAULT_NONE : kit_flaw_row(flaw)->expected;
        ck_assert_msg(message == expected || number == expected, "%s: %s, %s", kit_flaw_row(flaw)->name,
            fault_code_text(message), fault_code_text(number));
        ck_assert(message == FAULT_NONE || number == FAULT_NONE);
        json_t *submission = json_loads(sent.application.submission, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_uint_eq(json_object_size(submission), 3);
        json_decref(submission);
        sent_free(&sent);
        arena_reset(arena);
    }
}
END_TEST

START_TEST(wrapping_anew_keeps_manifest_and_id)
{
    struct kit_applicant applicant;
    struct kit_application application;
    ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, 0, 0));
    const struct kit_request request = {.applicant = &applicant, .programme = programme_find(programmes, "chorishi")};
    ck_assert(kit_application_make(&application, &world, &request));
    char *manifest = strdup(application.manifest), *submission = strdup(application.submission);
    ck_assert(kit_application_rewrap(&application, &world, &request));
    ck_assert_str_eq(application.manifest, manifest);
    ck_assert_str_ne(application.submission, submission);
    free(manifest);
    free(submission);
    kit_application_fini(&application);
    kit_applicant_fini(&applicant);
}
END_TEST

static json_t *part_read(const char *text, size_t length)
{
    struct bytes bytes;
    ck_assert(base64url_take(arena, text, length, &bytes));
    return json_loadb((const char *)bytes.data, bytes.len, 0, NULL);
}

/* NUM-3: the assertion says what it should and bears Mynaportal's signature */
START_TEST(an_assertion_is_signed_and_bound)
{
    char hex[65];
    char *text = kit_assertion_make(authorities->assertion_key,
        &(struct kit_assertion){.pseudonym = "p-1", .issued = 1000, .body = "body", .body_size = 4});
    char *first = strchr(text, '.'), *second = strrchr(text, '.');
    json_t *header = part_read(text, (size_t)(first - text));
    json_t *claims = part_read(first + 1, (size_t)(second - first - 1));
    ck_assert_str_eq(text_of(header, "alg"), "ES256");
    ck_assert_str_eq(text_of(claims, "iss"), "mynaportal");
    ck_assert_str_eq(text_of(claims, "aud"), "shikaku");
    ck_assert_str_eq(text_of(claims, "sub"), "p-1");
    ck_assert_int_eq(json_integer_value(json_object_get(claims, "iat")), 1000);
    ck_assert_int_eq(json_integer_value(json_object_get(claims, "exp")), 1300);
    sha256_hex("body", 4, hex);
    ck_assert_str_eq(text_of(claims, "ath"), hex);
    ck_assert_uint_ge(strlen(text_of(claims, "jti")), 32);
    struct bytes raw;
    ck_assert(base64url_take(arena, second + 1, strlen(second + 1), &raw));
    ck_assert_uint_eq(raw.len, 64);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(raw.data, 32, NULL), BN_bin2bn(raw.data + 32, 32, NULL));
    unsigned char *der = NULL;
    int size = i2d_ECDSA_SIG(signature, &der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, authorities->assertion_key), 1);
    ck_assert_int_eq(
        EVP_DigestVerify(context, der, (size_t)size, (const unsigned char *)text, (size_t)(second - text)), 1);
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    json_decref(header);
    json_decref(claims);
    free(text);
}
END_TEST

/* A load generator makes more than 300 a second on one core, new applicants included */
START_TEST(composing_is_fast)
{
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (uint32_t i = 0; i < 200; i++) {
        struct kit_applicant applicant;
        struct kit_application application;
        ck_assert(kit_applicant_init(&applicant, authorities, authorities->jpki, SEED, i, 0));
        const struct kit_request request = {
            .applicant = &applicant, .programme = programme_find(programmes, "chorishi")};
        ck_assert(kit_application_make(&application, &world, &request));
        char *assertion = kit_assertion_make(
            authorities->assertion_key, &(struct kit_assertion){.pseudonym = applicant.person.portal_pseudonym,
                                            .body = application.submission,
                                            .body_size = strlen(application.submission)});
        ck_assert_ptr_nonnull(assertion);
        free(assertion);
        kit_application_fini(&application);
        kit_applicant_fini(&applicant);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    printf("kit: %.0f applications of new applicants a second\n", 200 / seconds);
#if !defined __SANITIZE_ADDRESS__
    ck_assert_double_lt(seconds, 200 / 300.0);
#endif
}
END_TEST

int main(void)
{
    journal_open("test");
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("kit_application");
    TCase *tests = tcase_create("applications");
    tcase_add_checked_fixture(tests, world_open, world_close);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, every_programmes_form_is_filled);
    tcase_add_test(tests, a_right_application_is_whole);
    tcase_add_test(tests, attachments_are_cut_into_pieces);
    tcase_add_test(tests, a_sealed_number_is_opened_by_its_vault);
    tcase_add_test(tests, a_number_sealed_to_another_or_altered_is_not_opened);
    tcase_add_test(tests, a_card_is_signed_by_its_issuer);
    tcase_add_loop_test(tests, each_flaw_breaks_one_thing, 0, KIT_FLAWS);
    tcase_add_test(tests, wrapping_anew_keeps_manifest_and_id);
    tcase_add_test(tests, an_assertion_is_signed_and_bound);
    tcase_add_test(tests, composing_is_fast);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
