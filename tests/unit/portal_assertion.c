/* Mynaportal's assertions: exactly the right one passes, once. */
#include <check.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "chassis/jwe.h"
#include "kit/assertion.h"
#include "portal/portal_assertion.h"
#include "portal/portal_once.h"

#define NOW 1800000000
#define BODY "{\"document\":\"\"}"

static struct arena *arena;
static EVP_PKEY *key, *other;
static struct assertion_keys *keys;

static void key_publish(EVP_PKEY *const *all, size_t count)
{
    char file[64];
    snprintf(file, sizeof file, "/tmp/portal_assertion.%d", (int)getpid());
    FILE *out = fopen(file, "w");
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(PEM_write_PUBKEY(out, all[i]), 1);
    fclose(out);
    assertion_keys_free(keys);
    keys = assertion_keys_read(file);
    unlink(file);
}

static void setup(void)
{
    arena = arena_new(1 << 20);
    key = EVP_EC_gen("P-256");
    other = EVP_EC_gen("P-256");
    key_publish(&key, 1);
    ck_assert_ptr_nonnull(keys);
}

static void teardown(void)
{
    arena_free(arena);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    assertion_keys_free(keys);
    keys = NULL;
}

static struct kit_assertion right(void)
{
    return (struct kit_assertion){.pseudonym = "portal-pseudonym-1",
        .id = "0123456789abcdef",
        .issued = NOW,
        .expires = NOW + 300,
        .body = BODY,
        .body_size = sizeof BODY - 1};
}

static enum fault_code check_text(const char *text, const char *body, struct assertion *said)
{
    struct fault fault = {0};
    bool good = assertion_check(keys, arena, text, body, strlen(body), NOW + 1, said, &fault);
    ck_assert_int_eq(good, fault.code == FAULT_NONE);
    return fault.code;
}

static enum fault_code check_with(EVP_PKEY *by, struct kit_assertion assertion, const char *body)
{
    struct assertion said;
    char *text = kit_assertion_make(by, &assertion);
    ck_assert_ptr_nonnull(text);
    enum fault_code code = check_text(text, body, &said);
    free(text);
    return code;
}

/* APPLY-10, NUM-3: the portal pseudonym is Mynaportal's word */
START_TEST(the_right_one_passes)
{
    struct assertion said;
    struct kit_assertion assertion = right();
    char *text = kit_assertion_make(key, &assertion);
    ck_assert_int_eq(check_text(text, BODY, &said), FAULT_NONE);
    ck_assert_str_eq(said.subject, "portal-pseudonym-1");
    ck_assert_str_eq(said.id, "0123456789abcdef");
    ck_assert_int_eq(said.expires_at, NOW + 300);
    ck_assert(said.names_body);
    free(text);
    assertion.body = NULL;
    ck_assert_int_eq(check_with(key, assertion, ""), FAULT_NONE);
}
END_TEST

START_TEST(a_bare_pseudonym_is_no_assertion)
{
    struct assertion said;
    static const char *const texts[] = {"portal-pseudonym-1", "", "a.b", "..", "a..b", ".a.b", "a.b.", "a.b.c.d"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(check_text(texts[i], "", &said) == FAULT_assertion_required, "text %zu", i);
    ck_assert_int_eq(check_text("a.b.c", "", &said), FAULT_assertion_invalid);
}
END_TEST

START_TEST(each_wrong_claim_is_refused)
{
    struct kit_assertion wrong[12];
    for (size_t i = 0; i < 12; i++)
        wrong[i] = right();
    wrong[0].issuer = "somebody";
    wrong[1].audience = "another-system";
    wrong[2].expires = NOW + 301;                              /* too long a life */
    wrong[3].issued = NOW - 400, wrong[3].expires = NOW;       /* over */
    wrong[4].issued = NOW + 100, wrong[4].expires = NOW + 200; /* not yet */
    wrong[5].id = "short";
    wrong[6].id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0";
    wrong[7].pseudonym = "with space";
    wrong[8].pseudonym = "01234567890123456789012345678901234567890123456789012345678901234";
    wrong[9].body = "another body", wrong[9].body_size = 12;
    wrong[10].body = NULL;
    wrong[11].id = "0123456789abcde\"";
    for (size_t i = 0; i < 12; i++)
        ck_assert_msg(check_with(key, wrong[i], BODY) == FAULT_assertion_invalid, "row %zu", i);
}
END_TEST

START_TEST(a_strangers_signature_is_refused)
{
    ck_assert_int_eq(check_with(other, right(), BODY), FAULT_assertion_invalid);
    EVP_PKEY *const both[] = {other, key};
    key_publish(both, 2); /* while one rotates */
    ck_assert_int_eq(check_with(other, right(), BODY), FAULT_NONE);
    ck_assert_int_eq(check_with(key, right(), BODY), FAULT_NONE);
}
END_TEST

START_TEST(every_changed_letter_is_noticed)
{
    struct assertion said;
    struct kit_assertion assertion = right();
    char *text = kit_assertion_make(key, &assertion);
    for (size_t i = 0; text[i]; i++) {
        char was = text[i];
        text[i] = was == 'B' ? 'C' : 'B';
        ck_assert_msg(check_text(text, BODY, &said) != FAULT_NONE, "letter %zu", i);
        text[i] = was;
    }
    free(text);
}
END_TEST

/* alg is not the sender's to choose: none, HS256 with the public key, a second header member */
START_TEST(another_algorithm_is_refused)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"HS256\"}", "{\"alg\":\"ES384\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"]}", "{\"alg\":\"ES256\",\"jwk\":{}}",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", "[]", "{}"};
    struct kit_assertion assertion = right();
    struct assertion said;
    char *text = kit_assertion_make(key, &assertion), *rest = strchr(text, '.');
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const char *header = base64url_put(arena, headers[i], strlen(headers[i]));
        const char *whole = arena_format(arena, "%s%s", header, rest);
        ck_assert_msg(check_text(whole, BODY, &said) == FAULT_assertion_invalid, "header %zu", i);
    }
    free(text);
}
END_TEST

START_TEST(another_kind_of_key_is_refused_at_the_start)
{
    EVP_PKEY *p384 = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(2048);
    key_publish(&p384, 1);
    ck_assert_ptr_null(keys);
    key_publish(&rsa, 1);
    ck_assert_ptr_null(keys);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(rsa);
    ck_assert_ptr_null(assertion_keys_read("/nonexistent"));
}
END_TEST

/* --- once --- */

START_TEST(an_id_is_fresh_once)
{
    struct once *once = once_new(100, 6);
    ck_assert_int_eq(once_use(once, "a", NOW + 300, NOW), ONCE_FRESH);
    ck_assert_int_eq(once_use(once, "a", NOW + 300, NOW), ONCE_USED);
    ck_assert_int_eq(once_use(once, "a", NOW + 100, NOW), ONCE_USED); /* also under another expiry */
    ck_assert_int_eq(once_use(once, "a", NOW + 300, NOW + 299), ONCE_USED);
    ck_assert_int_eq(once_use(once, "b", NOW, NOW), ONCE_EXPIRED);
    ck_assert_int_eq(once_use(once, "b", NOW - 1, NOW), ONCE_EXPIRED);
    ck_assert_int_eq(once_use(once, "b", NOW + 3600, NOW), ONCE_EXPIRED); /* longer than it remembers */
    ck_assert_int_eq(once_use(once, "b", NOW + 360, NOW), ONCE_FRESH);
    once_free(once);
}
END_TEST

/* What cannot be remembered may not be used; what expired makes room. */
START_TEST(the_memory_is_bounded)
{
    struct once *once = once_new(100, 6);
    char id[16];
    int fresh = 0, full = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "id-%d", i);
        enum once_result result = once_use(once, id, NOW + 30, NOW);
        fresh += result == ONCE_FRESH;
        full += result == ONCE_FULL;
    }
    ck_assert_int_ge(fresh, 100);
    ck_assert_int_eq(fresh + full, 300);
    ck_assert_int_gt(full, 0);
    ck_assert_int_eq(once_use(once, "id-0", NOW + 30, NOW), ONCE_USED);
    for (int minute = 1; minute < 40; minute++) {
        int64_t now = NOW + 60 * minute;
        for (int i = 0; i < 100; i++) {
            snprintf(id, sizeof id, "%d-%d", minute, i);
            ck_assert_int_eq(once_use(once, id, now + 300, now), ONCE_FRESH);
        }
        ck_assert_int_eq(once_use(once, id, now + 300, now), ONCE_USED);
    }
    once_free(once);
}
END_TEST

#define RACERS 4
#define RACES 2000
static struct once *raced;
static atomic_int won;

static void *race(void *argument)
{
    char id[16];
    for (int i = 0; i < RACES; i++) {
        snprintf(id, sizeof id, "race-%d", i);
        won += once_use(raced, id, NOW + 300, NOW) == ONCE_FRESH;
    }
    return NULL;
}

START_TEST(of_several_at_once_one_wins)
{
    pthread_t threads[RACERS];
    raced = once_new(RACES, 6);
    for (int i = 0; i < RACERS; i++)
        pthread_create(&threads[i], NULL, race, NULL);
    for (int i = 0; i < RACERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(won, RACES);
    once_free(raced);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("portal_assertion");
    TCase *tests = tcase_create("assertion"), *once = tcase_create("once");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_right_one_passes);
    tcase_add_test(tests, a_bare_pseudonym_is_no_assertion);
    tcase_add_test(tests, each_wrong_claim_is_refused);
    tcase_add_test(tests, a_strangers_signature_is_refused);
    tcase_add_test(tests, every_changed_letter_is_noticed);
    tcase_add_test(tests, another_algorithm_is_refused);
    tcase_add_test(tests, another_kind_of_key_is_refused_at_the_start);
    tcase_add_test(once, an_id_is_fresh_once);
    tcase_add_test(once, the_memory_is_bounded);
    tcase_add_test(once, of_several_at_once_one_wins);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, once);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
