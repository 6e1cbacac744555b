/* How a number leaves the vault: sealed, to whom the table of recipients names, with its record of use, and else not at
 * all. */
#include "store/vault.h"

#define BATCH 1000

static enum outcome gateway_id(const char *key, const char *manager, const char *pseudonym, char id[37])
{
    Vault__GatewayIdRequest request = VAULT__GATEWAY_ID_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.pseudonym = (char *)pseudonym;
    request.application = APPLICATION;
    enum outcome outcome = deliver(work, ROUTE_vault_gateway_id, "intake", key, &request.base, &reply);
    if (outcome == OUTCOME_DONE)
        snprintf(id, 37, "%s", ((Vault__GatewayIdReply *)reply)->gateway_id);
    return outcome;
}

static enum outcome acquire(
    const char *key, const char *sender, const char *manager, const char *id, const char *code, char **sealed)
{
    Vault__AcquisitionRequest request = VAULT__ACQUISITION_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.gateway_id = (char *)id;
    request.acquisition_number = (char *)code;
    request.application = APPLICATION;
    enum outcome outcome = deliver(work, ROUTE_vault_acquisition, sender, key, &request.base, &reply);
    *sealed = outcome == OUTCOME_DONE ? ((Vault__AcquisitionReply *)reply)->sealed : NULL;
    return outcome;
}

static Vault__ReleaseRequest release_of(char **pseudonyms, size_t count)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    request.manager = "tokyo";
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = APPLICATION;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = count;
    return request;
}

static enum outcome release(
    const char *key, const char *sender, const Vault__ReleaseRequest *request, Vault__ReleaseReply **reply)
{
    ProtobufCMessage *given;
    enum outcome outcome = deliver(work, ROUTE_vault_release, sender, key, &request->base, &given);
    *reply = (Vault__ReleaseReply *)given;
    return outcome;
}

/* The sealed text, opened with the residence connector's key. */
static json_t *opened_by_residence(const char *sealed)
{
    char *plain = kit_sealed_open(residence, sealed);
    ck_assert_ptr_nonnull(plain);
    json_t *content = json_loads(plain, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(content);
    free(plain);
    return content;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* --- the gateway ---------------------------------------------------------------------------------------------------
 */

/* NUM-1: the gateway's id of a person is the same every time, and is neither the roll's nor another manager's */
START_TEST(the_gateway_has_ids_of_its_own)
{
    struct kit_person person, other;
    char id[37], again[37], elsewhere[37], of_other[37];
    kit_person_make(&person, SEED, 1);
    kit_person_make(&other, SEED, 2);
    struct enrolled tokyo = enrol_card(&person, "tokyo"), mlit = enrol_card(&person, "mlit"),
                    second = enrol_card(&other, "tokyo");
    ck_assert_int_eq(gateway_id("1", "tokyo", tokyo.pseudonym, id), OUTCOME_DONE);
    ck_assert_int_eq(gateway_id("2", "tokyo", tokyo.pseudonym, again), OUTCOME_DONE);
    ck_assert_int_eq(gateway_id("3", "mlit", mlit.pseudonym, elsewhere), OUTCOME_DONE);
    ck_assert_int_eq(gateway_id("4", "tokyo", second.pseudonym, of_other), OUTCOME_DONE);
    ck_assert_str_eq(id, again);
    ck_assert_str_ne(id, elsewhere);
    ck_assert_str_ne(id, of_other);
    ck_assert_str_ne(id, tokyo.pseudonym);
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.gateway_tie"), 2);
    ck_assert_int_eq(count_as("mlit", "SELECT count(*) FROM vault.gateway_tie"), 1);
    ck_assert_int_eq(count_as("tokyo",
                         "SELECT count(*) FROM vault.tie t JOIN vault.gateway_tie g ON g.token = t.token "
                         "OR g.number = t.number OR g.gateway_id = t.pseudonym"),
        0);
}
END_TEST

/* ROLL-6: a pseudonym is known at its own manager alone, and a misread one nowhere */
START_TEST(unknown_pseudonyms_are_refused)
{
    struct kit_person person;
    char id[37], misread[PSEUDONYM_LENGTH + 1];
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    expect_fault(gateway_id("1", "mlit", enrolled.pseudonym, id), FAULT_pseudonym_unknown, "pseudonym");
    memcpy(misread, enrolled.pseudonym, sizeof misread);
    misread[1] = misread[1] == '7' ? '8' : '7';
    ck_assert(!pseudonym_check(misread));
    expect_fault(gateway_id("2", "tokyo", misread, id), FAULT_pseudonym_unknown, "pseudonym");
    ck_assert(pseudonym_make(misread));
    expect_fault(gateway_id("3", "tokyo", misread, id), FAULT_pseudonym_unknown, "pseudonym");
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.gateway_tie"), 0);
    ck_assert_int_eq(events("pseudonym_unknown"), 3);
}
END_TEST

/* EXCH-1: 取得番号 and number go together to residence; who carries them can open nothing */
START_TEST(an_acquisition_number_goes_sealed_to_residence)
{
    struct kit_person person;
    char id[37], *sealed;
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    ck_assert_int_eq(gateway_id("1", "tokyo", enrolled.pseudonym, id), OUTCOME_DONE);
    ck_assert_int_eq(acquire("2", "intermediate", "tokyo", id, "A-1", &sealed), OUTCOME_DONE);
    ck_assert_ptr_null(strstr(sealed, person.number));
    json_t *content = opened_by_residence(sealed);
    ck_assert_str_eq(text_of(content, "acquisition_number"), "A-1");
    ck_assert_str_eq(text_of(content, "number"), person.number);
    ck_assert_uint_eq(json_object_size(content), 2);
    json_decref(content);
    ck_assert_ptr_null(kit_sealed_open(sealer, sealed));
    ck_assert_int_eq(events(id), 1);
}
END_TEST

/* EXCH-1: not for another caller, another manager, an id that is not there, or a text that would change the content */
START_TEST(an_acquisition_is_refused)
{
    struct kit_person person;
    char id[37], *sealed;
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "tokyo");
    ck_assert_int_eq(gateway_id("1", "tokyo", enrolled.pseudonym, id), OUTCOME_DONE);
    expect_fault(acquire("2", "residence", "tokyo", id, "A-1", &sealed), FAULT_recipient_not_entitled, "recipient");
    expect_fault(acquire("3", "intermediate", "mhlw", id, "A-1", &sealed), FAULT_recipient_not_entitled, "recipient");
    expect_fault(acquire("4", "intermediate", "mlit", id, "A-1", &sealed), FAULT_pseudonym_unknown, "gateway_id");
    expect_fault(acquire("5", "intermediate", "tokyo", enrolled.pseudonym, "A-1", &sealed), FAULT_pseudonym_unknown,
        "gateway_id");
    expect_fault(
        acquire("6", "intermediate", "tokyo", id, "A\",\"x\":\"", &sealed), FAULT_item_invalid, "acquisition_number");
    expect_fault(acquire("7", "intermediate", "tokyo", id, "", &sealed), FAULT_item_missing, "acquisition_number");
}
END_TEST

/* --- release -------------------------------------------------------------------------------------------------------
 */

struct crowd {
    struct kit_person people[BATCH];
    char texts[BATCH][PSEUDONYM_LENGTH + 1];
    char *pseudonyms[BATCH];
};

static void crowd_make(struct crowd *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kit_person_make(&crowd->people[i], SEED, (uint32_t)i);
        struct enrolled enrolled = enrol_paper(crowd->people[i].number, "tokyo");
        memcpy(crowd->texts[i], enrolled.pseudonym, sizeof crowd->texts[i]);
        crowd->pseudonyms[i] = crowd->texts[i];
    }
}

static struct crowd crowd;

/* LOG-1: a thousand in one sealed answer, each number with its pseudonym, in one record that names them all */
START_TEST(a_whole_batch_leaves_sealed)
{
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, BATCH);
    for (size_t i = 0; i < BATCH / 2; i += 3) { /* not in the order in which they came */
        char *other = crowd.pseudonyms[i];
        crowd.pseudonyms[i] = crowd.pseudonyms[BATCH - 1 - i];
        crowd.pseudonyms[BATCH - 1 - i] = other;
    }
    int before = events("vault_release");
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, BATCH);
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_DONE);
    ck_assert_uint_eq(reply->count, BATCH);
    json_t *content = opened_by_residence(reply->sealed), *numbers = json_object_get(content, "numbers");
    ck_assert_uint_eq(json_array_size(numbers), BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        const json_t *row = json_array_get(numbers, i);
        size_t who = (size_t)(crowd.pseudonyms[i] - crowd.texts[0]) / sizeof crowd.texts[0];
        ck_assert_str_eq(text_of(row, "pseudonym"), crowd.pseudonyms[i]);
        ck_assert_str_eq(text_of(row, "number"), crowd.people[who].number);
    }
    json_decref(content);
    ck_assert_int_eq(events("vault_release"), before + 1);
    ck_assert_int_eq(events(crowd.texts[BATCH / 2]), 2); /* enrolled, released */
}
END_TEST

/* Pitfall 1: a replay gets the same sealed bytes and is one record */
START_TEST(a_replayed_release_is_one)
{
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, 1);
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 1);
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_DONE);
    char *first = strdup(reply->sealed);
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_DONE);
    ck_assert_str_eq(reply->sealed, first);
    ck_assert_int_eq(events("vault_release"), 1);
    free(first);
}
END_TEST

/* NUM-2: no row of the table, no number: another caller, purpose, recipient, manager, or no reason */
START_TEST(who_is_not_entitled_gets_nothing)
{
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, 1);
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 1);
    expect_fault(release("1", "legacy_sync", &request, &reply), FAULT_recipient_not_entitled, "recipient");
    request.purpose = "code_acquisition";
    expect_fault(release("2", "residence", &request, &reply), FAULT_recipient_not_entitled, "recipient");
    request = release_of(crowd.pseudonyms, 1);
    request.recipient = "../residence";
    expect_fault(release("3", "residence", &request, &reply), FAULT_recipient_not_entitled, "recipient");
    request.recipient = "hoikushi"; /* entitled at saitama alone, by its own connector */
    request.purpose = "legacy_sync";
    expect_fault(release("4", "legacy_sync", &request, &reply), FAULT_recipient_not_entitled, "recipient");
    request = release_of(crowd.pseudonyms, 1);
    request.reason = "";
    expect_fault(release("5", "residence", &request, &reply), FAULT_item_missing, "reason");
    ck_assert_int_eq(events("recipient_not_entitled"), 4);
}
END_TEST

/* LINK-1, S0 III.3: the existing system of 海技士 has no row, so no number ever leaves to it */
START_TEST(no_number_leaves_to_the_mariners_system)
{
    Vault__ReleaseReply *reply;
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    struct enrolled enrolled = enrol_card(&person, "mlit");
    char *pseudonym = enrolled.pseudonym;
    Vault__ReleaseRequest request = release_of(&pseudonym, 1);
    static char *const recipients[] = {"kaigi", "legacy_sync", "hoikushi", "ginou"};
    char key[] = "1";
    request.manager = "mlit";
    request.purpose = "legacy_sync";
    for (size_t i = 0; i < sizeof recipients / sizeof *recipients; i++, key[0]++) {
        request.recipient = recipients[i];
        expect_fault(release(key, "legacy_sync", &request, &reply), FAULT_recipient_not_entitled, "recipient");
    }
}
END_TEST

/* One that is not there, and nobody's number leaves; too many or none are refused */
START_TEST(a_batch_is_whole_or_nothing)
{
    static char *too_many[BATCH + 1];
    Vault__ReleaseReply *reply;
    char stranger[PSEUDONYM_LENGTH + 1];
    crowd_make(&crowd, 3);
    ck_assert(pseudonym_make(stranger));
    crowd.pseudonyms[1] = stranger;
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 3);
    expect_fault(release("1", "residence", &request, &reply), FAULT_pseudonym_unknown, "pseudonym");
    crowd.pseudonyms[1] = "{}\",NULL";
    expect_fault(release("2", "residence", &request, &reply), FAULT_pseudonym_unknown, "pseudonym");
    for (size_t i = 0; i < BATCH + 1; i++)
        too_many[i] = crowd.texts[0];
    request = release_of(too_many, BATCH + 1);
    expect_fault(release("3", "residence", &request, &reply), FAULT_item_invalid, "pseudonyms");
    request = release_of(NULL, 0);
    expect_fault(release("4", "residence", &request, &reply), FAULT_item_invalid, "pseudonyms");
}
END_TEST

/* LOG-1: a release that cannot be recorded does not leave */
START_TEST(without_its_record_nothing_leaves)
{
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, 1);
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 1);
    tamper("REVOKE INSERT ON vault.audit_outbox FROM shikaku_vault");
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_RETRY);
    ck_assert_ptr_null(work->state->reply.data);
    tamper("GRANT INSERT ON vault.audit_outbox TO shikaku_vault");
    ck_assert_int_eq(events("vault_release"), 0);
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_DONE);
    ck_assert_int_eq(events("vault_release"), 1);
}
END_TEST

/* A recipient that has not published its key: later, and nothing is recorded as released */
START_TEST(a_recipient_without_a_key_waits)
{
    char path[256];
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, 1);
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 1);
    snprintf(path, sizeof path, "%s/recipients/residence.jwk", keys_folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_RETRY);
    ck_assert_int_eq(work->fault.code, FAULT_unavailable);
    ck_assert_int_eq(events("vault_release"), 0);
    kit_sealer_free(residence);
    residence_publish();
    ck_assert_int_eq(release("1", "residence", &request, &reply), OUTCOME_DONE);
}
END_TEST

/* NUM-8, STORE-1: an administrator who exchanges two rows' numbers gets neither released */
START_TEST(exchanged_rows_are_noticed)
{
    Vault__ReleaseReply *reply;
    crowd_make(&crowd, 2);
    tamper(
        "SET shikaku.manager = 'tokyo';"
        "CREATE TABLE vault.aside AS SELECT pseudonym, number FROM vault.tie;"
        "UPDATE vault.tie SET number = (SELECT a.number FROM vault.aside a WHERE a.pseudonym <> tie.pseudonym)");
    for (size_t i = 0; i < 2; i++) {
        Vault__ReleaseRequest request = release_of(&crowd.pseudonyms[i], 1);
        expect_fault(release(i ? "1" : "2", "residence", &request, &reply), FAULT_internal, "cover");
    }
    tamper(
        "SET shikaku.manager = 'tokyo';"
        "UPDATE vault.tie SET number = (SELECT a.number FROM vault.aside a WHERE a.pseudonym = tie.pseudonym)");
    Vault__ReleaseRequest request = release_of(crowd.pseudonyms, 2);
    ck_assert_int_eq(release("3", "residence", &request, &reply), OUTCOME_DONE);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_release");
    TCase *tests = tcase_create("release");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_gateway_has_ids_of_its_own);
    tcase_add_test(tests, unknown_pseudonyms_are_refused);
    tcase_add_test(tests, an_acquisition_number_goes_sealed_to_residence);
    tcase_add_test(tests, an_acquisition_is_refused);
    tcase_add_test(tests, a_whole_batch_leaves_sealed);
    tcase_add_test(tests, a_replayed_release_is_one);
    tcase_add_test(tests, who_is_not_entitled_gets_nothing);
    tcase_add_test(tests, no_number_leaves_to_the_mariners_system);
    tcase_add_test(tests, a_batch_is_whole_or_nothing);
    tcase_add_test(tests, without_its_record_nothing_leaves);
    tcase_add_test(tests, a_recipient_without_a_key_waits);
    tcase_add_test(tests, exchanged_rows_are_noticed);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
