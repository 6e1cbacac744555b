/* Many persons in one message: initial registration, asking what is known, releases with a result each. */
#include <pthread.h>

#include "store/vault_acts.h"

#define BATCH 1000

static struct kit_person people[BATCH];

static void people_make(size_t count)
{
    for (size_t i = 0; i < count; i++)
        kit_person_make(&people[i], SEED, (uint32_t)i);
}

static json_t *numbers_of(size_t from, size_t count)
{
    json_t *numbers = json_array();
    for (size_t i = from; i < from + count; i++)
        json_array_append_new(numbers, json_string(people[i].number));
    return numbers;
}

/* LINK-8: a thousand at once, each with its own pseudonym, in one transaction with one record that names them all */
START_TEST(a_roll_is_taken_over)
{
    static char first[BATCH][PSEUDONYM_LENGTH + 1];
    struct batch batch;
    Vault__EnrolBatchReply *reply;
    people_make(BATCH);
    struct enrolled before = enrol_paper(people[7].number, "tokyo");
    batch_seal(&batch, "tokyo", SCHEDULE, numbers_of(0, BATCH));
    ck_assert_int_eq(batch_enrol(work, "1", &batch, &reply), OUTCOME_DONE);
    ck_assert_uint_eq(reply->n_items, BATCH);
    for (size_t i = 0; i < BATCH; i++) {
        ck_assert_str_eq(reply->items[i]->result, "");
        ck_assert(pseudonym_check(reply->items[i]->pseudonym));
        ck_assert(reply->items[i]->known_already == (i == 7));
        strcpy(first[i], reply->items[i]->pseudonym);
    }
    ck_assert_str_eq(first[7], before.pseudonym);
    ck_assert_int_eq(ties("tokyo"), BATCH);
    ck_assert_int_eq(events("vault_enrol_batch"), 1);
    ck_assert_int_eq(events(first[BATCH - 1]), 1);
    ck_assert_int_eq(batch_enrol(work, "2", &batch, &reply), OUTCOME_DONE);
    for (size_t i = 0; i < BATCH; i++) {
        ck_assert(reply->items[i]->known_already);
        ck_assert_str_eq(reply->items[i]->pseudonym, first[i]);
    }
    struct enrolled later = enrol_paper(people[500].number, "tokyo");
    ck_assert(later.known);
    ck_assert_str_eq(later.pseudonym, first[500]);
    ck_assert_int_eq(ties("tokyo"), BATCH);
    arena_free(batch.arena);
}
END_TEST

/* LINK-8, NUM-5: a wrong number is told in its place; the others are tied; one that stands twice is one person */
START_TEST(each_item_has_its_own_result)
{
    struct batch batch;
    char wrong[13];
    Vault__EnrolBatchReply *reply;
    people_make(3);
    strcpy(wrong, people[1].number);
    wrong[11] = wrong[11] == '0' ? '1' : '0';
    json_t *numbers = numbers_of(0, 1);
    json_array_append_new(numbers, json_string(wrong));
    json_array_append_new(numbers, json_string("12345"));
    json_array_append_new(numbers, json_integer(7));
    json_array_append_new(numbers, json_string(people[0].number));
    json_array_append_new(numbers, json_string(people[2].number));
    batch_seal(&batch, "tokyo", SCHEDULE, numbers);
    ck_assert_int_eq(batch_enrol(work, "1", &batch, &reply), OUTCOME_DONE);
    ck_assert_uint_eq(reply->n_items, 6);
    ck_assert_str_eq(reply->items[1]->result, "number_check_digit");
    ck_assert_str_eq(reply->items[2]->result, "number_malformed");
    ck_assert_str_eq(reply->items[3]->result, "number_malformed");
    ck_assert_str_eq(reply->items[1]->pseudonym, "");
    ck_assert_str_eq(reply->items[0]->pseudonym, reply->items[4]->pseudonym);
    ck_assert_str_ne(reply->items[0]->pseudonym, reply->items[5]->pseudonym);
    ck_assert_int_eq(ties("tokyo"), 2);
    arena_free(batch.arena);
}
END_TEST

/* NUM-4: a batch is bound to its schedule, manager and sealer, as one number is */
START_TEST(a_batch_of_another_is_refused)
{
    struct batch batch;
    Vault__EnrolBatchReply *reply;
    people_make(2);
    batch_seal(&batch, "tokyo", "another-schedule", numbers_of(0, 2));
    expect_fault(batch_enrol(work, "1", &batch, &reply), FAULT_number_binding, "application");
    arena_free(batch.arena);
    batch_seal(&batch, "tokyo", SCHEDULE, numbers_of(0, 2));
    batch.request.manager = "mlit";
    expect_fault(batch_enrol(work, "2", &batch, &reply), FAULT_number_binding, "manager");
    batch.request.manager = "tokyo";
    batch.signer[3] ^= 1;
    expect_fault(batch_enrol(work, "3", &batch, &reply), FAULT_number_binding, "signer");
    arena_free(batch.arena);
    batch_seal(&batch, "tokyo", SCHEDULE, json_array());
    expect_fault(batch_enrol(work, "4", &batch, &reply), FAULT_item_invalid, "numbers");
    arena_free(batch.arena);
    ck_assert_int_eq(ties("tokyo"), 0);
}
END_TEST

/* LOG-1: a batch that cannot be recorded ties nobody */
START_TEST(without_its_record_no_batch_is_tied)
{
    struct batch batch;
    Vault__EnrolBatchReply *reply;
    people_make(5);
    batch_seal(&batch, "tokyo", SCHEDULE, numbers_of(0, 5));
    tamper("REVOKE INSERT ON vault.audit_outbox FROM shikaku_vault");
    ck_assert_int_eq(batch_enrol(work, "1", &batch, &reply), OUTCOME_RETRY);
    ck_assert_int_eq(ties("tokyo"), 0);
    tamper("GRANT INSERT ON vault.audit_outbox TO shikaku_vault");
    ck_assert_int_eq(batch_enrol(work, "1", &batch, &reply), OUTCOME_DONE);
    ck_assert_int_eq(ties("tokyo"), 5);
    arena_free(batch.arena);
}
END_TEST

#define RACERS 4

struct racer {
    struct work *work;
    struct batch batch;
    enum outcome outcome;
    char got[200][PSEUDONYM_LENGTH + 1];
    int made;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    Vault__EnrolBatchReply *reply;
    char key[32];
    snprintf(key, sizeof key, "%p", argument);
    racer->outcome = batch_enrol(racer->work, key, &racer->batch, &reply);
    for (size_t i = 0; racer->outcome == OUTCOME_DONE && i < reply->n_items; i++) {
        strcpy(racer->got[i], reply->items[i]->pseudonym);
        racer->made += !reply->items[i]->known_already;
    }
    return NULL;
}

/* NUM-1: the same persons in several batches at the same instant, in opposite orders, are one each; nothing locks */
START_TEST(racing_batches_agree)
{
    static struct racer racers[RACERS];
    pthread_t threads[RACERS];
    int made = 0;
    people_make(200);
    for (int r = 0; r < RACERS; r++) {
        json_t *numbers = json_array();
        for (int i = 0; i < 200; i++)
            json_array_append_new(numbers, json_string(people[r % 2 ? 199 - i : i].number));
        batch_seal(&racers[r].batch, "tokyo", SCHEDULE, numbers);
        racers[r].work = work_new(&service);
    }
    for (int r = 0; r < RACERS; r++)
        ck_assert_int_eq(pthread_create(&threads[r], NULL, race, &racers[r]), 0);
    for (int r = 0; r < RACERS; r++)
        pthread_join(threads[r], NULL);
    for (int r = 0; r < RACERS; r++) {
        ck_assert_int_eq(racers[r].outcome, OUTCOME_DONE);
        for (int i = 0; i < 200; i++)
            ck_assert_str_eq(racers[r].got[r % 2 ? 199 - i : i], racers[0].got[i]);
        made += racers[r].made;
        arena_free(racers[r].batch.arena);
        work_free(racers[r].work);
    }
    ck_assert_int_eq(made, 200);
    ck_assert_int_eq(ties("tokyo"), 200);
}
END_TEST

/* LOG-1: what is known is told in the order asked, and that it was asked is recorded with all names */
START_TEST(what_is_known_is_told)
{
    Vault__ResolveRequest request = VAULT__RESOLVE_REQUEST__INIT;
    ProtobufCMessage *given;
    char stranger[PSEUDONYM_LENGTH + 1];
    people_make(2);
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), other = enrol_paper(people[1].number, "mlit");
    ck_assert(pseudonym_make(stranger));
    char *pseudonyms[] = {stranger, one.pseudonym, "{}\"", other.pseudonym};
    request.manager = "tokyo";
    request.reason = APPLICATION;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = 4;
    ck_assert_int_eq(deliver(work, ROUTE_vault_resolve, "records", "", &request.base, &given), OUTCOME_DONE);
    Vault__ResolveReply *reply = (Vault__ResolveReply *)given;
    ck_assert_uint_eq(reply->n_items, 4);
    ck_assert(!reply->items[0]->known && reply->items[1]->known && !reply->items[2]->known && !reply->items[3]->known);
    ck_assert_uint_eq(strlen(reply->items[1]->known_since), 10);
    ck_assert_str_eq(reply->items[1]->joined_with, "");
    ck_assert_int_eq(events("vault_resolve"), 1);
    ck_assert_int_eq(events(stranger), 1);
    request.n_pseudonyms = 0;
    expect_fault(
        deliver(work, ROUTE_vault_resolve, "records", "", &request.base, &given), FAULT_item_invalid, "pseudonyms");
}
END_TEST

/* NUM-2, LOG-1: with a result each, those who are known leave and are recorded, the others are told */
START_TEST(a_release_tells_each)
{
    Vault__ReleaseRequest request = VAULT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *given;
    char stranger[PSEUDONYM_LENGTH + 1];
    people_make(2);
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), two = enrol_paper(people[1].number, "tokyo");
    ck_assert(pseudonym_make(stranger));
    char *pseudonyms[] = {one.pseudonym, stranger, two.pseudonym};
    request.manager = "tokyo";
    request.recipient = "residence";
    request.purpose = "residence_inquiry";
    request.reason = SCHEDULE;
    request.each = true;
    request.pseudonyms = pseudonyms;
    request.n_pseudonyms = 3;
    ck_assert_int_eq(deliver(work, ROUTE_vault_release, "residence", "1", &request.base, &given), OUTCOME_DONE);
    Vault__ReleaseReply *reply = (Vault__ReleaseReply *)given;
    ck_assert_uint_eq(reply->count, 2);
    ck_assert_uint_eq(reply->n_results, 3);
    ck_assert_str_eq(reply->results[0], "");
    ck_assert_str_eq(reply->results[1], "pseudonym_unknown");
    char *plain = kit_sealed_open(residence, reply->sealed);
    json_t *content = json_loads(plain, 0, NULL), *numbers = json_object_get(content, "numbers");
    ck_assert_uint_eq(json_array_size(numbers), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(numbers, 1), "number")), people[1].number);
    json_decref(content);
    free(plain);
    ck_assert_int_eq(events(stranger), 0);
    request.pseudonyms = &pseudonyms[1];
    request.n_pseudonyms = 1;
    ck_assert_int_eq(deliver(work, ROUTE_vault_release, "residence", "2", &request.base, &given), OUTCOME_DONE);
    ck_assert_str_eq(((Vault__ReleaseReply *)given)->sealed, "");
    ck_assert_uint_eq(((Vault__ReleaseReply *)given)->count, 0);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_batch");
    TCase *tests = tcase_create("batch");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_roll_is_taken_over);
    tcase_add_test(tests, each_item_has_its_own_result);
    tcase_add_test(tests, a_batch_of_another_is_refused);
    tcase_add_test(tests, without_its_record_no_batch_is_tied);
    tcase_add_test(tests, racing_batches_agree);
    tcase_add_test(tests, what_is_known_is_told);
    tcase_add_test(tests, a_release_tells_each);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
