/* Keys are made once, come back the same after a restart, are bound to their place, and go with their manager. */
#include "chassis/journal.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"
#include "chassis/token.h"
#include "kit/store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct store store;
static struct pg *pg;

static const struct key_want wants[] = {
    {"*", KEY_DATA}, {"*", KEY_SIGN}, {"tokyo", KEY_DATA}, {"tokyo", KEY_INDEX}, {"nara", KEY_DATA}};
#define WANTS (sizeof wants / sizeof *wants)

static void ring_open(void)
{
    struct fault fault = {0};
    ck_assert_msg(keyring_open("audit", pg, wants, WANTS, &fault), "keyring: %s", fault_code_text(fault.code));
}

static int count(const char *sql)
{
    struct fault fault = {0};
    PGresult *rows = pg_query(pg, sql, &fault, PG_NONE);
    ck_assert_ptr_nonnull(rows);
    int n = (int)pg_get_integer(rows, 0, 0);
    PQclear(rows);
    return n;
}

static void setup(void)
{
    struct fault fault = {0};
    store_open(&store, "audit");
    ck_assert(pg_open(&pg, store.dsn, &fault));
}

static void teardown(void)
{
    keyring_close();
    pg_close(pg);
    store_close(&store);
}

/* STORE-2 */
START_TEST(keys_are_the_same_after_a_restart)
{
    uint8_t secrets[WANTS][KEY_BYTES], bus[KEY_BYTES];
    ring_open();
    for (size_t i = 0; i < WANTS; i++) {
        const struct key *key = keyring_newest(wants[i].manager, wants[i].kind);
        ck_assert_ptr_nonnull(key);
        ck_assert_ptr_eq(keyring_by_id(key->id), key);
        memcpy(secrets[i], key->secret, KEY_BYTES);
        for (size_t j = 0; j < i; j++)
            ck_assert_mem_ne(secrets[i], secrets[j], KEY_BYTES);
    }
    memcpy(bus, keyring_newest("*", KEY_BUS)->secret, KEY_BYTES);
    keyring_close();
    ck_assert_ptr_null(keyring_newest("*", KEY_BUS));

    ring_open();
    for (size_t i = 0; i < WANTS; i++)
        ck_assert_mem_eq(keyring_newest(wants[i].manager, wants[i].kind)->secret, secrets[i], KEY_BYTES);
    ck_assert_mem_eq(keyring_newest("*", KEY_BUS)->secret, bus, KEY_BYTES);
    ck_assert_int_eq(count("SELECT count(*) FROM audit.data_key"), WANTS);
}
END_TEST

/* STORE-2: what the database holds is not the key */
START_TEST(no_secret_is_in_the_database)
{
    struct fault fault = {0};
    ring_open();
    PGresult *rows = pg_query(pg, "SELECT wrapped FROM audit.data_key ORDER BY key_id", &fault, PG_NONE);
    ck_assert_ptr_nonnull(rows);
    for (int row = 0; row < PQntuples(rows); row++) {
        struct bytes wrapped = pg_get_bytes(rows, row, 0);
        for (size_t i = 0; i < WANTS; i++)
            ck_assert_ptr_null(
                memmem(wrapped.data, wrapped.len, keyring_newest(wants[i].manager, wants[i].kind)->secret, KEY_BYTES));
    }
    PQclear(rows);
}
END_TEST

/* STORE-2: a wrapped key put in another manager's row is refused, loudly */
START_TEST(a_wrapped_key_in_another_row_is_refused)
{
    struct fault fault = {0};
    struct pg *owner;
    ring_open();
    keyring_close();
    ck_assert(pg_open(&owner, store.owner, &fault));
    PQclear(pg_query(owner,
        "UPDATE audit.data_key SET wrapped = (SELECT wrapped FROM audit.data_key WHERE manager = 'nara') "
        "WHERE manager = 'tokyo' AND kind = 'data'",
        &fault, PG_NONE));
    pg_close(owner);
    ck_assert(!keyring_open("audit", pg, wants, WANTS, &fault));
    ck_assert_str_eq(fault.field, "keys");
}
END_TEST

/* STORE-2: destroying a manager's wrapping key destroys its keys and no other's */
START_TEST(an_erased_manager_is_gone)
{
    struct token *token;
    ring_open();
    uint32_t tokyo = keyring_newest("tokyo", KEY_DATA)->id, nara = keyring_newest("nara", KEY_DATA)->id;
    keyring_close();
    ck_assert(token_open(&token, getenv("SHIKAKU_PKCS11_MODULE"), getenv("SHIKAKU_KEYS"), "audit"));
    ck_assert(token_erase(token, "tokyo"));
    token_close(token);

    struct fault fault = {0};
    ck_assert(keyring_open("audit", pg, NULL, 0, &fault));
    ck_assert_ptr_null(keyring_by_id(tokyo));
    ck_assert_ptr_nonnull(keyring_by_id(nara));
}
END_TEST

/* LOG-1: what audit signs can be checked with the public half alone */
START_TEST(a_signature_holds_for_its_message_only)
{
    uint8_t public_half[32], signature[64];
    ring_open();
    const struct key *key = keyring_newest("*", KEY_SIGN);
    ck_assert(key_ed25519_public(key, public_half));
    ck_assert(key_sign(key, "head 1", 6, signature));
    ck_assert(key_signature_check(public_half, "head 1", 6, signature));
    ck_assert(!key_signature_check(public_half, "head 2", 6, signature));
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *keys = tcase_create("keys");
    tcase_add_checked_fixture(keys, setup, teardown);
    tcase_set_timeout(keys, 60);
    tcase_add_test(keys, keys_are_the_same_after_a_restart);
    tcase_add_test(keys, no_secret_is_in_the_database);
    tcase_add_test(keys, a_wrapped_key_in_another_row_is_refused);
    tcase_add_test(keys, an_erased_manager_is_gone);
    tcase_add_test(keys, a_signature_holds_for_its_message_only);
    Suite *suite = suite_create("keyring");
    suite_add_tcase(suite, keys);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
