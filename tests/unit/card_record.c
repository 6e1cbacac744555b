/* What comes sealed opens only for whom and what it was sealed, and only a card of the pinned issuer says whose number
 * it is. The cards are the kit's, the sealing key is the test's own. */
#include <check.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/jwe.h"
#include "kit/sealed_number.h"
#include "vault/card_signer.h"
#include "vault/number_record.h"

#define APPLICATION "0b6f6a52-6f5c-4b6e-9d55-3f4b7f0a1c01"
#define MANAGER "tokyo"
#define SEED 20260502u

static struct kit_authorities *authorities;
static struct kit_sealer *sealer;
static struct arena *arena;
static struct key seal_key = {.id = 1, .manager = "*", .kind = KEY_SEAL};
static struct kit_person person, other_person;
static struct kit_card card;
static uint8_t signer[32], four_items[32];
static char signer_hex[65];
static struct kit_binding sealed_for;
static struct number_binding wanted;

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    return kind == KEY_SEAL && strcmp(manager, "*") == 0 ? &seal_key : NULL;
}

const struct key *keyring_by_id(uint32_t id)
{
    return id == seal_key.id ? &seal_key : NULL;
}

static void set_up(void)
{
    char jwks[1024];
    struct fault fault;
    authorities = kit_authorities_load("build/kit");
    arena = arena_new(1 << 20);
    ck_assert(authorities && arena && card_roots_load("build/kit/card-roots", &fault));
    RAND_bytes(seal_key.secret, sizeof seal_key.secret);
    seal_key.secret[0] = 1; /* below the order of the curve */
    snprintf(jwks, sizeof jwks, "{\"keys\":[%s]}", jwk_public_text(arena, &seal_key, "vault-1"));
    sealer = kit_sealer_new(jwks);
    ck_assert_ptr_nonnull(sealer);
    kit_person_make(&person, SEED, 1);
    kit_person_make(&other_person, SEED, 2);
    ck_assert(kit_card_make(&card, authorities, &person));
    memset(signer, 0x5A, sizeof signer);
    for (int i = 0; i < 32; i++)
        memcpy(signer_hex + 2 * i, "5a", 3);
    SHA256(card.ef0002, card.ef0002_size, four_items);
    sealed_for = (struct kit_binding){APPLICATION, MANAGER, signer_hex};
    wanted = (struct number_binding){APPLICATION, MANAGER, signer, four_items};
}

static void tear_down(void)
{
    kit_sealer_free(sealer);
    arena_free(arena);
    kit_authorities_free(authorities);
}

static struct fault open_text(const char *sealed, struct my_number *number)
{
    struct fault fault = {0};
    bool opened = number_record_open(arena, sealed, &wanted, number, &fault);
    ck_assert_int_eq(opened, fault.code == FAULT_NONE);
    return fault;
}

static struct fault open_card(void)
{
    struct my_number number;
    char *sealed = kit_seal_card(sealer, &sealed_for, &card);
    ck_assert_ptr_nonnull(sealed);
    struct fault fault = open_text(sealed, &number);
    free(sealed);
    arena_reset(arena);
    return fault;
}

static void expect(struct fault fault, enum fault_code code, const char *field)
{
    ck_assert_str_eq(fault_code_text(fault.code), fault_code_text(code));
    ck_assert_str_eq(fault.field, field);
}

/* NUM-4: what the card says arrives */
START_TEST(a_right_card_opens)
{
    struct my_number number;
    char *sealed = kit_seal_card(sealer, &sealed_for, &card);
    expect(open_text(sealed, &number), FAULT_NONE, "");
    ck_assert_mem_eq(number.digits, person.number, MY_NUMBER_DIGITS);
    free(sealed);
}
END_TEST

/* NUM-4: another application's sealed number, or one for another manager or signer */
START_TEST(bound_to_application_manager_and_signer)
{
    sealed_for.application = "0b6f6a52-6f5c-4b6e-9d55-3f4b7f0a1c02";
    expect(open_card(), FAULT_number_binding, "application");
    sealed_for.application = APPLICATION;
    sealed_for.manager = "mlit";
    expect(open_card(), FAULT_number_binding, "manager");
    sealed_for.manager = MANAGER;
    signer[31] ^= 1;
    expect(open_card(), FAULT_number_binding, "signer");
    signer[31] ^= 1;
    expect(open_card(), FAULT_NONE, "");
}
END_TEST

/* A sealed number without a binding is bound to nothing, so it is nobody's */
START_TEST(a_missing_binding_is_refused)
{
    static const char *const headers[] = {NULL, "{\"application\":\"" APPLICATION "\",\"manager\":\"" MANAGER "\"}"};
    const char *fields[] = {"application", "signer"};
    struct my_number number;
    for (size_t i = 0; i < 2; i++) {
        char *sealed = jwe_seal(arena, jwk_public_text(arena, &seal_key, NULL), headers[i], "{}", 2);
        expect(open_text(sealed, &number), FAULT_number_binding, fields[i]);
    }
}
END_TEST

/* NUM-4: sealed to another key, or altered on the way */
START_TEST(altered_on_the_way_is_refused)
{
    struct my_number number;
    struct kit_sealer *stranger = kit_sealer_random("vault-1");
    char *sealed = kit_seal_card(stranger, &sealed_for, &card);
    expect(open_text(sealed, &number), FAULT_number_unsealable, "sealed_number");
    free(sealed);
    sealed = kit_seal_card(sealer, &sealed_for, &card);
    sealed[strlen(sealed) / 2] ^= 1;
    expect(open_text(sealed, &number), FAULT_number_unsealable, "sealed_number");
    free(sealed);
    expect(open_text("", &number), FAULT_number_unsealable, "sealed_number");
    expect(open_text("a.b.c.d.e", &number), FAULT_number_unsealable, "sealed_number");
    kit_sealer_free(stranger);
}
END_TEST

/* NUM-4, pitfall 15: another person's card, rightly signed, with this person's application */
START_TEST(another_persons_card_is_refused)
{
    ck_assert(kit_card_make(&card, authorities, &other_person));
    expect(open_card(), FAULT_card_person_differs, "ef0002");
}
END_TEST

/* NUM-4: another person's right number written over the card's */
START_TEST(a_changed_number_is_refused)
{
    kit_card_number_set(&card, other_person.number);
    expect(open_card(), FAULT_card_hash, "number");
}
END_TEST

/* NUM-5: and this even if the card's issuer signed it */
START_TEST(a_wrong_number_is_refused)
{
    char damaged[KIT_NUMBER_DAMAGED_SIZE];
    ck_assert(kit_number_damage(KIT_NUMBER_WRONG_CHECK_DIGIT, person.number, damaged));
    kit_card_number_set(&card, damaged);
    ck_assert(kit_card_sign(&card, authorities));
    expect(open_card(), FAULT_number_check_digit, "number");
    kit_card_number_set(&card, "000000000000");
    ck_assert(kit_card_sign(&card, authorities));
    expect(open_card(), FAULT_number_check_digit, "number");
    ck_assert(kit_number_damage(KIT_NUMBER_LETTER, person.number, damaged));
    kit_card_number_set(&card, damaged);
    ck_assert(kit_card_sign(&card, authorities));
    expect(open_card(), FAULT_number_malformed, "number");
    kit_card_number_set(&card, person.number);
    card.ef0001[1] = 0x11;
    ck_assert(kit_card_sign(&card, authorities));
    expect(open_card(), FAULT_number_malformed, "number");
}
END_TEST

/* NUM-4: a signature that is not the issuer's, over other hashes, or cut away */
START_TEST(a_wrong_signature_is_refused)
{
    for (size_t at = 0; at < sizeof card.ef0003; at += 31) {
        card.ef0003[at] ^= 1;
        expect(open_card(), FAULT_card_signature, "ef0003");
        card.ef0003[at] ^= 1;
    }
    expect(open_card(), FAULT_NONE, "");
    EVP_PKEY *right = authorities->card_key;
    authorities->card_key = authorities->applicants[0];
    ck_assert(kit_card_sign(&card, authorities));
    authorities->card_key = right;
    expect(open_card(), FAULT_card_signature, "ef0003");
}
END_TEST

static uint8_t *der_of(X509 *certificate, size_t *size)
{
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);
    ck_assert_int_gt(len, 0);
    *size = (size_t)len;
    return der;
}

static void sign_by(EVP_PKEY *key, X509 *certificate, uint8_t **der)
{
    EVP_PKEY *right = authorities->card_key;
    authorities->card_key = key;
    ck_assert(kit_card_make(&card, authorities, &person));
    authorities->card_key = right;
    *der = der_of(certificate, &card.ef0004_size);
    card.ef0004 = *der;
}

/* NUM-4, pitfall 20: a signer of an authority that was not pinned, one that certifies itself, and an authority in the
 * signer's place */
START_TEST(another_signer_is_refused)
{
    EVP_PKEY *key = kit_rsa_key_new();
    uint8_t *der;
    struct kit_authority *stranger = kit_authority_new("card-root");
    X509 *signer_certificate = kit_root_certify(stranger->key, stranger->root, key, "card-sign", false);
    sign_by(key, signer_certificate, &der);
    expect(open_card(), FAULT_card_signature, "ef0003");
    OPENSSL_free(der);
    sign_by(stranger->key, stranger->root, &der);
    expect(open_card(), FAULT_card_signature, "ef0003");
    OPENSSL_free(der);
    sign_by(authorities->card_key, authorities->card_root, &der);
    expect(open_card(), FAULT_card_signature, "ef0003");
    card.ef0004_size = 0;
    expect(open_card(), FAULT_card_signature, "ef0003");
    OPENSSL_free(der);
    X509_free(signer_certificate);
    kit_authority_free(stranger);
    EVP_PKEY_free(key);
}
END_TEST

/* A root of the test's own in place of the pinned one, and a signer of cards under it. */
struct issuer {
    char folder[40], path[64];
    struct kit_authority *root;
    X509 *certificate;
    uint8_t *der;
};

static void issuer_make(struct issuer *issuer, EVP_PKEY *key)
{
    struct fault fault;
    strcpy(issuer->folder, "/tmp/shikaku-card-roots-XXXXXX");
    issuer->root = kit_authority_new("card-root");
    ck_assert_ptr_nonnull(mkdtemp(issuer->folder));
    snprintf(issuer->path, sizeof issuer->path, "%s/root.pem", issuer->folder);
    ck_assert(kit_authority_root_save(issuer->root, issuer->path));
    ck_assert(card_roots_load(issuer->folder, &fault));
    issuer->certificate = kit_root_certify(issuer->root->key, issuer->root->root, key, "card-sign", false);
    ck_assert_ptr_nonnull(issuer->certificate);
}

static void issuer_free(struct issuer *issuer)
{
    OPENSSL_free(issuer->der);
    X509_free(issuer->certificate);
    kit_authority_free(issuer->root);
    remove(issuer->path);
    remove(issuer->folder);
}

/* A root's own card, rightly signed by it: still refused, because a root signs certificates and no cards */
START_TEST(a_root_signs_no_cards)
{
    struct issuer issuer;
    issuer_make(&issuer, authorities->applicants[1]);
    sign_by(issuer.root->key, issuer.root->root, &issuer.der);
    expect(open_card(), FAULT_card_signature, "ef0003");
    OPENSSL_free(issuer.der);
    sign_by(authorities->applicants[1], issuer.certificate, &issuer.der);
    expect(open_card(), FAULT_NONE, ""); /* the folder is right, so the refusal was for the reason given */
    issuer_free(&issuer);
}
END_TEST

/* NUM-4: a signer that was verified and kept is the same signer to the last byte; another's signature is not its own */
START_TEST(a_kept_signer_is_no_other)
{
    for (int i = 0; i < 3; i++)
        expect(open_card(), FAULT_NONE, "");
    uint8_t der[4096];
    const uint8_t *right = card.ef0004;
    ck_assert_uint_le(card.ef0004_size, sizeof der);
    memcpy(der, right, card.ef0004_size);
    card.ef0004 = der;
    for (size_t at = 0; at < card.ef0004_size; at += 7) {
        der[at] ^= 1;
        expect(open_card(), FAULT_card_signature, "ef0003");
        der[at] ^= 1;
    }
    expect(open_card(), FAULT_NONE, "");
    card.ef0003[80] ^= 1;
    expect(open_card(), FAULT_card_signature, "ef0003");
}
END_TEST

/* More signers than are kept, in turn: each is right, and none is taken for another */
START_TEST(many_signers_come_and_go)
{
    enum { SIGNERS = 12 };
    struct issuer issuer;
    X509 *certificates[SIGNERS];
    issuer_make(&issuer, authorities->applicants[0]);
    for (int i = 0; i < SIGNERS; i++)
        certificates[i] = kit_root_certify(
            issuer.root->key, issuer.root->root, authorities->applicants[i % KIT_APPLICANT_KEYS], "card-sign", false);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < SIGNERS; i++) {
            uint8_t *der;
            sign_by(authorities->applicants[i % KIT_APPLICANT_KEYS], certificates[i], &der);
            expect(open_card(), FAULT_NONE, "");
            OPENSSL_free(der);
            sign_by(authorities->applicants[i % KIT_APPLICANT_KEYS], certificates[(i + 1) % SIGNERS], &der);
            expect(open_card(), FAULT_card_signature, "ef0003");
            OPENSSL_free(der);
        }
    for (int i = 0; i < SIGNERS; i++)
        X509_free(certificates[i]);
    issuer.der = NULL;
    issuer_free(&issuer);
}
END_TEST

/* A signer is kept no longer than the root under which it was verified, and not past its own end */
START_TEST(a_kept_signer_ends)
{
    struct issuer issuer;
    struct fault fault, last;
    EVP_PKEY *key = authorities->applicants[1];
    issuer_make(&issuer, key);
    sign_by(key, issuer.certificate, &issuer.der);
    expect(open_card(), FAULT_NONE, "");
    ck_assert(card_roots_load("build/kit/card-roots", &fault));
    expect(open_card(), FAULT_card_signature, "ef0003");
    ck_assert(card_roots_load(issuer.folder, &fault));
    OPENSSL_free(issuer.der);
    time_t now = time(NULL), end = now + 3;
    ck_assert(kit_certificate_date(issuer.certificate, now - 60, end) &&
              X509_sign(issuer.certificate, issuer.root->key, EVP_sha256()));
    sign_by(key, issuer.certificate, &issuer.der);
    expect(open_card(), FAULT_NONE, "");
    do {
        now = time(NULL);
        last = open_card();
    } while (last.code == FAULT_NONE && now <= end);
    expect(last, FAULT_card_signature, "ef0003");
    issuer_free(&issuer);
}
END_TEST

static struct fault open_paper(const char *number_text, struct my_number *number)
{
    char *sealed = kit_seal_paper(sealer, &sealed_for, number_text);
    struct fault fault = open_text(sealed, number);
    free(sealed);
    return fault;
}

/* NUM-5, NUM-9: a number typed in from paper */
START_TEST(paper_carries_a_number_alone)
{
    struct my_number number;
    char damaged[KIT_NUMBER_DAMAGED_SIZE];
    wanted.four_items = NULL;
    expect(open_paper(person.number, &number), FAULT_NONE, "");
    ck_assert_mem_eq(number.digits, person.number, MY_NUMBER_DIGITS);
    static const enum kit_number_damage malformed[] = {
        KIT_NUMBER_SHORT, KIT_NUMBER_LONG, KIT_NUMBER_LETTER, KIT_NUMBER_FULL_WIDTH};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        ck_assert(kit_number_damage(malformed[i], person.number, damaged));
        expect(open_paper(damaged, &number), FAULT_number_malformed, "number");
    }
    ck_assert(kit_number_damage(KIT_NUMBER_WRONG_CHECK_DIGIT, person.number, damaged));
    expect(open_paper(damaged, &number), FAULT_number_check_digit, "number");
}
END_TEST

/* NUM-4: the two ways in are apart: a typed number is no card, a card is no typed number */
START_TEST(one_kind_is_not_taken_for_the_other)
{
    struct my_number number;
    expect(open_paper(person.number, &number), FAULT_number_unsealable, "");
    wanted.four_items = NULL;
    expect(open_card(), FAULT_number_unsealable, "");
}
END_TEST

/* Nothing but the record: no JSON, another type, more members, a member twice */
START_TEST(another_content_is_refused)
{
    static const char *const contents[] = {"", "x", "[]", "{}", "null", "{\"number\":123456789018}",
        "{\"number\":\"123456789018\",\"more\":\"\"}", "{\"number\":\"123456789018\",\"number\":\"123456789018\"}",
        "{\"number\":\"123456789018\"} x"};
    struct my_number number;
    char *header = arena_format(
        arena, "{\"application\":\"%s\",\"manager\":\"%s\",\"signer\":\"%s\"}", APPLICATION, MANAGER, signer_hex);
    wanted.four_items = NULL;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        char *sealed =
            jwe_seal(arena, jwk_public_text(arena, &seal_key, NULL), header, contents[i], strlen(contents[i]));
        ck_assert_msg(open_text(sealed, &number).code == FAULT_number_unsealable, "content %zu", i);
    }
}
END_TEST

/* A refused number is not left behind */
START_TEST(a_refusal_wipes)
{
    static const char nothing[MY_NUMBER_DIGITS];
    struct my_number number;
    memset(&number, 'x', sizeof number);
    signer[0] ^= 1;
    char *sealed = kit_seal_card(sealer, &sealed_for, &card);
    ck_assert_int_eq(open_text(sealed, &number).code, FAULT_number_binding);
    ck_assert_mem_eq(number.digits, nothing, MY_NUMBER_DIGITS);
    free(sealed);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("card_record");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_right_card_opens);
    tcase_add_test(tests, bound_to_application_manager_and_signer);
    tcase_add_test(tests, a_missing_binding_is_refused);
    tcase_add_test(tests, altered_on_the_way_is_refused);
    tcase_add_test(tests, another_persons_card_is_refused);
    tcase_add_test(tests, a_changed_number_is_refused);
    tcase_add_test(tests, a_wrong_number_is_refused);
    tcase_add_test(tests, a_wrong_signature_is_refused);
    tcase_add_test(tests, another_signer_is_refused);
    tcase_add_test(tests, a_root_signs_no_cards);
    tcase_add_test(tests, a_kept_signer_is_no_other);
    tcase_add_test(tests, many_signers_come_and_go);
    tcase_add_test(tests, a_kept_signer_ends);
    tcase_add_test(tests, paper_carries_a_number_alone);
    tcase_add_test(tests, one_kind_is_not_taken_for_the_other);
    tcase_add_test(tests, another_content_is_refused);
    tcase_add_test(tests, a_refusal_wipes);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
