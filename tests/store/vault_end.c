/* The end of a manager's use: its ties can never be read again, not even from a backup, and nobody else's are touched.
 */
#include "chassis/token.h"
#include "store/vault.h"

static void end_set_up(void)
{
    own_token = true;
    set_up();
}

static enum outcome manager_end(const char *key, const char *manager, char **certificate)
{
    Vault__ManagerEndRequest request = VAULT__MANAGER_END_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.reason = "decision-7";
    enum outcome outcome = deliver(work, ROUTE_vault_manager_end, "operator", key, &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        *certificate = strdup(((Vault__ManagerEndReply *)reply)->certificate);
    return outcome;
}

static enum outcome release(const char *key, const char *manager, char *pseudonym)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = &pseudonym;
    request.n_pseudonyms = 1;
    return deliver(work, ROUTE_vault_release, "residence", key, &request.base, &reply);
}

/* As the vault does at its start, with a programme of tokyo's still there. */
static void keys_open_again(void)
{
    static const struct key_want wants[] = {{"tokyo", KEY_DATA}, {"tokyo", KEY_INDEX}};
    struct fault fault = {0};
    struct pg *pg;
    keyring_close();
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(keyring_open("vault", pg, wants, 2, &fault), "%s", fault.field);
    pg_close(pg);
}

static void token_key_destroy(const char *manager)
{
    struct token *token;
    ck_assert(token_open(&token, getenv("SHIKAKU_PKCS11_MODULE"), keys_folder, "vault"));
    ck_assert(token_erase(token, manager));
    token_close(token);
}

/* ERASE-2: the certificate says what was destroyed; a backup of keys and ties does not bring them back once the
 * wrapping key is gone from the token, also after a restart; another manager goes on */
START_TEST(an_ended_managers_ties_are_gone)
{
    struct kit_person person;
    struct fault fault = {0};
    struct pg *pg;
    char *certificate, *again;
    kit_person_make(&person, SEED, 1);
    struct enrolled tokyo = enrol_paper(person.number, "tokyo"), mlit = enrol_card(&person, "mlit");
    uint32_t id = keyring_newest("tokyo", KEY_DATA)->id, other = keyring_newest("mlit", KEY_DATA)->id;
    ck_assert_int_eq(release("1", "tokyo", tokyo.pseudonym), OUTCOME_DONE);
    tamper("CREATE TABLE vault.backup AS SELECT key_id, wrapped FROM vault.data_key");

    ck_assert_int_eq(manager_end("2", "tokyo", &certificate), OUTCOME_DONE);
    json_t *content = json_loads(certificate, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(content);
    ck_assert_str_eq(json_string_value(json_object_get(content, "manager")), "tokyo");
    ck_assert_str_eq(json_string_value(json_object_get(content, "decision")), "decision-7");
    ck_assert_int_eq(json_integer_value(json_object_get(content, "ties")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(content, "keys")), 2);
    json_decref(content);
    ck_assert_ptr_null(keyring_by_id(id));
    expect_fault(release("3", "tokyo", tokyo.pseudonym), FAULT_not_found, "manager");
    ck_assert_int_eq(release("4", "mlit", mlit.pseudonym), OUTCOME_DONE);
    ck_assert_int_eq(manager_end("5", "tokyo", &again), OUTCOME_DONE);
    ck_assert_str_eq(certificate, again);
    ck_assert_int_eq(events("vault_manager_end"), 2);

    token_key_destroy("tokyo");
    keyring_close();
    tamper("UPDATE vault.data_key k SET wrapped = b.wrapped FROM vault.backup b WHERE b.key_id = k.key_id");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert(keyring_open("vault", pg, NULL, 0, &fault));
    pg_close(pg);
    ck_assert_ptr_null(keyring_by_id(id));
    ck_assert_ptr_nonnull(keyring_by_id(other));
    ck_assert_int_eq(release("6", "mlit", mlit.pseudonym), OUTCOME_DONE);
    free(certificate);
    free(again);
}
END_TEST

/* ERASE-2: a vault whose manager has ended starts again, and does not make that manager anew by itself, also where a
 * copy of the database brought its rows back (_i is 1); told to, it begins with nothing, and goes on so */
START_TEST(a_manager_that_returns_begins_anew)
{
    struct kit_person person;
    struct fault fault = {0};
    char *certificate;
    kit_person_make(&person, SEED, 1);
    struct enrolled before = enrol_paper(person.number, "tokyo"), other = enrol_card(&person, "mlit");
    tamper("CREATE TABLE vault.backup AS SELECT key_id, wrapped FROM vault.data_key");
    ck_assert_int_eq(manager_end("1", "tokyo", &certificate), OUTCOME_DONE);
    token_key_destroy("tokyo");
    if (_i == 1) {
        tamper(
            "UPDATE vault.data_key k SET wrapped = b.wrapped, retired_at = NULL, state = 'in_force' FROM vault.backup "
            "b "
            "WHERE b.key_id = k.key_id");
        tamper("DELETE FROM vault.erasure");
    }
    for (int start = 0; start < 2; start++) {
        keys_open_again();
        ck_assert_ptr_null(keyring_newest("tokyo", KEY_DATA));
        ck_assert_ptr_null(keyring_newest("tokyo", KEY_INDEX));
        ck_assert(!manager_check("tokyo", &fault));
        expect_fault(release(start ? "20" : "21", "tokyo", before.pseudonym), FAULT_not_found, "manager");
        ck_assert_int_eq(release(start ? "22" : "23", "mlit", other.pseudonym), OUTCOME_DONE);
    }
    setenv("SHIKAKU_MANAGERS_ANEW", "saitama,tokyo", 1);
    keys_open_again();
    unsetenv("SHIKAKU_MANAGERS_ANEW");
    struct enrolled after = enrol_paper(person.number, "tokyo");
    ck_assert(!after.known);
    ck_assert_str_ne(before.pseudonym, after.pseudonym);
    expect_fault(release("2", "tokyo", before.pseudonym), FAULT_key_retired, "cover");
    ck_assert_int_eq(release("3", "tokyo", after.pseudonym), OUTCOME_DONE);
    keys_open_again();
    ck_assert_int_eq(release("4", "tokyo", after.pseudonym), OUTCOME_DONE);
    expect_fault(manager_end("5", "*", &certificate), FAULT_item_invalid, "manager");
    free(certificate);
}
END_TEST

/* ERASE-2: what one replica ended the others forget when they look (chassis/key_watch.h), and nothing else */
START_TEST(another_replica_forgets_too)
{
    struct kit_person person;
    struct fault fault = {0};
    kit_person_make(&person, SEED, 1);
    struct enrolled tokyo = enrol_paper(person.number, "tokyo"), mlit = enrol_card(&person, "mlit");
    ck_assert(keyring_reload(work->pg, &fault));
    ck_assert_int_eq(release("1", "tokyo", tokyo.pseudonym), OUTCOME_DONE);
    tamper(
        "UPDATE vault.data_key SET wrapped = '', retired_at = now() WHERE manager = 'tokyo'"); /* as the other does */
    ck_assert(keyring_reload(work->pg, &fault));
    ck_assert_ptr_null(keyring_newest("tokyo", KEY_DATA));
    expect_fault(release("2", "tokyo", tokyo.pseudonym), FAULT_not_found, "manager");
    ck_assert_int_eq(release("3", "mlit", mlit.pseudonym), OUTCOME_DONE);
}
END_TEST

/* Without the service's own wrapping key this is not its token: it does not start, and erases nothing. */
START_TEST(another_token_is_no_erasure)
{
    struct fault fault = {0};
    struct pg *pg;
    keyring_close();
    token_key_destroy("*");
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert(!keyring_open("vault", pg, NULL, 0, &fault));
    pg_close(pg);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_end");
    TCase *tests = tcase_create("end");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, end_set_up, tear_down);
    tcase_add_test(tests, an_ended_managers_ties_are_gone);
    tcase_add_loop_test(tests, a_manager_that_returns_begins_anew, 0, 2);
    tcase_add_test(tests, another_replica_forgets_too);
    tcase_add_test(tests, another_token_is_no_erasure);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
