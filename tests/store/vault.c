/* Enrolment on a real PostgreSQL: one person, one pseudonym a manager, whatever comes twice, at once, or wrong. */
#include <pthread.h>

#include "store/vault.h"

#define THREADS 6
#define ROUNDS 12

/* NUM-1: one person is one pseudonym at one manager, and another at another */
START_TEST(one_person_one_pseudonym)
{
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    struct enrolled first = enrol_card(&person, "tokyo"), again = enrol_card(&person, "tokyo"),
                    elsewhere = enrol_card(&person, "mlit");
    ck_assert(pseudonym_check(first.pseudonym));
    ck_assert(!first.known && again.known && !elsewhere.known);
    ck_assert_str_eq(first.pseudonym, again.pseudonym);
    ck_assert_str_ne(first.pseudonym, elsewhere.pseudonym);
    ck_assert_int_eq(ties("tokyo"), 1);
    ck_assert_int_eq(ties("mlit"), 1);
    ck_assert_int_eq(events("done"), 3);
}
END_TEST

/* NUM-9: paper leads to the same person as the card */
START_TEST(paper_and_card_are_one_person)
{
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    struct enrolled paper = enrol_paper(person.number, "tokyo"), card = enrol_card(&person, "tokyo");
    ck_assert_str_eq(paper.pseudonym, card.pseudonym);
    ck_assert(card.known);
}
END_TEST

/* Pitfall 1: a replay gets the same bytes and has no second effect; the same key with other content is refused
 */
START_TEST(a_replay_changes_nothing)
{
    struct kit_person person, other;
    struct enrolment e, changed;
    struct enrolled enrolled;
    uint8_t first[256];
    kit_person_make(&person, SEED, 1);
    kit_person_make(&other, SEED, 2);
    enrolment_by_card(&e, &person, "tokyo");
    enrolment_by_card(&changed, &other, "tokyo");
    ck_assert_int_eq(enrol(work, "key", &e, &enrolled), OUTCOME_DONE);
    size_t len = work->state->reply.len;
    ck_assert_uint_le(len, sizeof first);
    memcpy(first, work->state->reply.data, len);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(enrol(work, "key", &e, &enrolled), OUTCOME_DONE);
        ck_assert_uint_eq(work->state->reply.len, len);
        ck_assert_mem_eq(work->state->reply.data, first, len);
        ck_assert(!enrolled.known);
    }
    ck_assert_int_eq(events("done"), 1);
    expect_fault(enrol(work, "key", &changed, &enrolled), FAULT_key_reused, "");
    ck_assert_int_eq(ties("tokyo"), 1);
    free(e.sealed);
    free(changed.sealed);
}
END_TEST

struct racer {
    struct work *work;
    struct enrolment *enrolments; /* ROUNDS */
    pthread_barrier_t *line;
    struct enrolled got[ROUNDS];
    bool ok;
};

static void *race(void *argument)
{
    struct racer *racer = argument;
    racer->ok = true;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(racer->line);
        racer->ok = racer->ok && enrol(racer->work, racer->enrolments[i].application, &racer->enrolments[i],
                                     &racer->got[i]) == OUTCOME_DONE;
    }
    return NULL;
}

/* NUM-1: one person by several applications at the same instant is still one, and exactly one made it */
START_TEST(racing_enrolments_agree)
{
    static struct racer racers[THREADS];
    static struct enrolment enrolments[THREADS][ROUNDS];
    pthread_t threads[THREADS];
    pthread_barrier_t line;
    struct kit_person person;
    pthread_barrier_init(&line, NULL, THREADS);
    for (int t = 0; t < THREADS; t++) {
        for (int i = 0; i < ROUNDS; i++) {
            kit_person_make(&person, SEED, (uint32_t)i);
            enrolment_by_card(&enrolments[t][i], &person, "tokyo");
        }
        racers[t] = (struct racer){.work = work_new(&service), .enrolments = enrolments[t], .line = &line};
        ck_assert_ptr_nonnull(racers[t].work);
    }
    for (int t = 0; t < THREADS; t++)
        ck_assert_int_eq(pthread_create(&threads[t], NULL, race, &racers[t]), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int i = 0; i < ROUNDS; i++) {
        int made = 0;
        for (int t = 0; t < THREADS; t++) {
            ck_assert(racers[t].ok);
            ck_assert_str_eq(racers[t].got[i].pseudonym, racers[0].got[i].pseudonym);
            made += !racers[t].got[i].known;
        }
        ck_assert_int_eq(made, 1);
    }
    ck_assert_int_eq(ties("tokyo"), ROUNDS);
    ck_assert_int_eq(events("done"), THREADS * ROUNDS);
    for (int t = 0; t < THREADS; t++) {
        work_free(racers[t].work);
        for (int i = 0; i < ROUNDS; i++)
            free(enrolments[t][i].sealed);
    }
    pthread_barrier_destroy(&line);
}
END_TEST

/* Pitfall 1: one request delivered to several workers at once happens once */
START_TEST(one_request_delivered_at_once_to_many_happens_once)
{
    static struct racer racers[THREADS];
    static struct enrolment enrolments[ROUNDS];
    pthread_t threads[THREADS];
    pthread_barrier_t line;
    struct kit_person person;
    pthread_barrier_init(&line, NULL, THREADS);
    for (int i = 0; i < ROUNDS; i++) {
        kit_person_make(&person, SEED, (uint32_t)i);
        enrolment_by_card(&enrolments[i], &person, "tokyo");
    }
    for (int t = 0; t < THREADS; t++) {
        racers[t] = (struct racer){.work = work_new(&service), .enrolments = enrolments, .line = &line};
        ck_assert_ptr_nonnull(racers[t].work);
        ck_assert_int_eq(pthread_create(&threads[t], NULL, race, &racers[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int i = 0; i < ROUNDS; i++)
        for (int t = 0; t < THREADS; t++) {
            ck_assert(racers[t].ok);
            ck_assert_str_eq(racers[t].got[i].pseudonym, racers[0].got[i].pseudonym);
            ck_assert(!racers[t].got[i].known); /* all have the one reply */
        }
    ck_assert_int_eq(ties("tokyo"), ROUNDS);
    ck_assert_int_eq(events("done"), ROUNDS);
    for (int t = 0; t < THREADS; t++)
        work_free(racers[t].work);
    for (int i = 0; i < ROUNDS; i++)
        free(enrolments[i].sealed);
    pthread_barrier_destroy(&line);
}
END_TEST

/* --- refusals ------------------------------------------------------------------------------------------------------
 */

static void spoil_application(struct enrolment *e)
{
    e->application[0] = e->application[0] == 'a' ? 'b' : 'a';
}

static void spoil_manager(struct enrolment *e)
{
    e->request.manager = "mlit";
}

static void spoil_signer(struct enrolment *e)
{
    e->signer_bytes[0] ^= 1;
}

static void spoil_person(struct enrolment *e)
{
    e->four_items[0] ^= 1;
}

static void spoil_sealed(struct enrolment *e)
{
    e->sealed[strlen(e->sealed) - 30] ^= 1;
}

static void spoil_kind(struct enrolment *e)
{
    e->request.paper = true;
    e->request.four_items.len = 0;
}

static void reseal(struct enrolment *e)
{
    free(e->sealed);
    e->sealed = kit_seal_card(sealer, &(struct kit_binding){e->application, e->manager, e->signer}, &e->card);
    e->request.sealed_number = e->sealed;
}

static void spoil_number(struct enrolment *e)
{
    struct kit_person other;
    kit_person_make(&other, SEED, 99);
    kit_card_number_set(&e->card, other.number);
    reseal(e);
}

static void spoil_check_digit(struct enrolment *e)
{
    e->card.ef0001[14] = e->card.ef0001[14] == '9' ? '8' : '9';
    ck_assert(kit_card_sign(&e->card, authorities));
    reseal(e);
}

static void spoil_signature(struct enrolment *e)
{
    e->card.ef0003[100] ^= 1;
    reseal(e);
}

static void spoil_nothing_named(struct enrolment *e)
{
    e->request.application = "";
}

static void spoil_stranger(struct enrolment *e)
{
    e->request.manager = "osaka";
}

static const struct {
    void (*spoil)(struct enrolment *e);
    enum fault_code code;
    const char *field;
} refusals[] = {
    {spoil_application, FAULT_number_binding, "application"},
    {spoil_manager, FAULT_number_binding, "manager"},
    {spoil_signer, FAULT_number_binding, "signer"},
    {spoil_person, FAULT_card_person_differs, "ef0002"},
    {spoil_sealed, FAULT_number_unsealable, "sealed_number"},
    {spoil_kind, FAULT_number_unsealable, ""},
    {spoil_number, FAULT_card_hash, "number"},
    {spoil_check_digit, FAULT_number_check_digit, "number"},
    {spoil_signature, FAULT_card_signature, "ef0003"},
    {spoil_nothing_named, FAULT_item_missing, "application"},
    {spoil_stranger, FAULT_not_found, "manager"},
};
#define REFUSALS (int)(sizeof refusals / sizeof *refusals)

/* The number in ASCII as it would lie in a column of text or bytes, whatever table. */
static int rows_with(const char *manager, const char *number)
{
    static const char *const tables[] = {"tie", "gateway_tie", "inbox", "outbox", "audit_outbox", "data_key"};
    static char statements[6][256];
    struct fault fault = {0};
    char hex[25];
    int found = 0;
    hex_put(hex, number, 12);
    pg_begin(work->pg, manager);
    for (size_t i = 0; i < 6; i++) {
        snprintf(statements[i], sizeof statements[i],
            "SELECT count(*) FROM vault.%s t WHERE position($1 IN t::text) > 0 OR position($2 IN t::text) > 0",
            tables[i]);
        PGresult *rows = pg_query(work->pg, statements[i], &fault, PG_VALUES(pg_text(number), pg_text(hex)));
        ck_assert_msg(rows != NULL, "%s", tables[i]);
        found += (int)pg_get_integer(rows, 0, 0);
        PQclear(rows);
    }
    pg_rollback(work->pg);
    return found;
}

/* NUM-4, NUM-5: each wrong thing is refused by its own code, ties nothing, and is recorded once without a digit */
START_TEST(what_is_wrong_is_refused_and_recorded)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    kit_person_make(&person, SEED, (uint32_t)_i);
    enrolment_by_card(&e, &person, "tokyo");
    refusals[_i].spoil(&e);
    expect_fault(enrol(work, "key", &e, &enrolled), refusals[_i].code, refusals[_i].field);
    ck_assert_int_eq(ties("tokyo"), 0);
    ck_assert_int_eq(ties("mlit"), 0);
    ck_assert_int_eq(count_as("", "SELECT count(*) FROM vault.audit_outbox"), 1);
    ck_assert_int_eq(events(fault_code_text(refusals[_i].code)), 1);
    ck_assert_int_eq(rows_with("tokyo", person.number), 0);
    free(e.sealed);
}
END_TEST

/* NUM-5, pitfall 15: who is like somebody else is still somebody else: twins, and a slip that the check digit passes */
START_TEST(nobody_is_linked_by_likeness)
{
    struct kit_person one, twin;
    char slip[KIT_NUMBER_DAMAGED_SIZE];
    uint32_t index = 0;
    do
        kit_person_make(&one, SEED, index++);
    while (!kit_number_damage(KIT_NUMBER_DIGIT_UNNOTICED, one.number, slip));
    kit_person_make(&twin, SEED, index);
    twin.person = one.person;
    struct enrolled first = enrol_card(&one, "tokyo"), second = enrol_card(&twin, "tokyo"),
                    third = enrol_paper(slip, "tokyo");
    ck_assert(!first.known && !second.known && !third.known);
    ck_assert_str_ne(first.pseudonym, second.pseudonym);
    ck_assert_str_ne(first.pseudonym, third.pseudonym);
    ck_assert_int_eq(ties("tokyo"), 3);
}
END_TEST

/* --- what lies in the database -------------------------------------------------------------------------------------
 */

/* NUM-8: no number in any table; the look finds one that is there */
START_TEST(no_number_lies_open)
{
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    enrol_card(&person, "tokyo");
    enrol_paper(person.number, "mlit");
    ck_assert_int_eq(rows_with("tokyo", person.number), 0);
    ck_assert_int_eq(rows_with("mlit", person.number), 0);
    char sql[256];
    snprintf(sql, sizeof sql, "SET shikaku.manager = 'tokyo'; UPDATE vault.tie SET number = convert_to('%s', 'UTF8')",
        person.number);
    tamper(sql);
    ck_assert_int_eq(rows_with("tokyo", person.number), 1);
}
END_TEST

/* NUM-1, NUM-2: nothing in the rows of two managers is the same but the day */
START_TEST(two_managers_rows_do_not_join)
{
    struct kit_person person;
    kit_person_make(&person, SEED, 1);
    enrol_card(&person, "tokyo");
    enrol_card(&person, "mlit");
    tamper(
        "CREATE TABLE vault.seen (token bytea, pseudonym text, number bytea); GRANT ALL ON vault.seen TO "
        "shikaku_vault;"
        "SET shikaku.manager = 'tokyo'; INSERT INTO vault.seen SELECT token, pseudonym, number FROM vault.tie;"
        "SET shikaku.manager = 'mlit'; INSERT INTO vault.seen SELECT token, pseudonym, number FROM vault.tie");
    ck_assert_int_eq(count_as("", "SELECT count(DISTINCT token) FROM vault.seen"), 2);
    ck_assert_int_eq(count_as("", "SELECT count(DISTINCT pseudonym) FROM vault.seen"), 2);
    ck_assert_int_eq(count_as("", "SELECT count(DISTINCT number) FROM vault.seen"), 2);
}
END_TEST

/* NUM-2, STORE-1: without the manager no row is seen, nor written under another's name */
START_TEST(managers_are_apart)
{
    struct kit_person person;
    struct fault fault = {0};
    kit_person_make(&person, SEED, 1);
    enrol_card(&person, "tokyo");
    ck_assert_int_eq(ties("tokyo"), 1);
    ck_assert_int_eq(ties("mlit"), 0);
    ck_assert_int_eq(ties(""), 0);
    pg_begin(work->pg, "mlit");
    PGresult *rows = pg_query(work->pg,
        "INSERT INTO vault.tie (manager, token, pseudonym, number) "
        "VALUES ('tokyo', sha256('x'), 'x', 'x') RETURNING 1",
        &fault, PG_NONE);
    ck_assert_ptr_null(rows);
    pg_rollback(work->pg);
}
END_TEST

/* NUM-1, NUM-2: no other service's role can read, or even find its way into, the vault's tables */
START_TEST(no_other_role_can_read)
{
    static const char *const others[] = {
        "intake", "residence", "intermediate", "records", "certificates", "legacy_sync", "staff", "audit"};
    char dsn[640];
    setenv("SHIKAKU_KEYS", shared_keys, 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        store_dsn(&store, others[i], dsn, sizeof dsn);
        PGconn *other = PQconnectdb(dsn);
        ck_assert_msg(PQstatus(other) == CONNECTION_OK, "%s cannot connect, so this proves nothing", others[i]);
        PGresult *result = PQexec(other, "SELECT count(*) FROM vault.tie");
        ck_assert_str_eq(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42501");
        PQclear(result);
        PQfinish(other);
    }
}
END_TEST

/* NUM-1: the tables of ties refer to nothing and nothing refers to them; the vault itself cannot remove a tie, nor
 * change whose manager's it is, since when, or which person the gateway's id is */
START_TEST(ties_stand_alone_and_stay)
{
    ck_assert_int_eq(count_as("",
                         "SELECT count(*) FROM pg_catalog.pg_constraint WHERE contype = 'f' AND "
                         "('vault.tie'::regclass IN (conrelid, confrelid) OR "
                         "'vault.gateway_tie'::regclass IN (conrelid, confrelid))"),
        0);
    ck_assert_int_eq(count_as("",
                         "SELECT (has_table_privilege('vault.tie', 'UPDATE, DELETE, TRUNCATE, REFERENCES') OR "
                         "has_table_privilege('vault.gateway_tie', 'UPDATE, DELETE, TRUNCATE, REFERENCES') OR "
                         "has_column_privilege('vault.tie', 'manager', 'UPDATE') OR "
                         "has_column_privilege('vault.tie', 'tied_on', 'UPDATE') OR "
                         "has_column_privilege('vault.gateway_tie', 'gateway_id', 'UPDATE'))"
                         "::integer"),
        0);
}
END_TEST

/* LOG-1: an enrolment that cannot be recorded did not happen */
START_TEST(without_its_record_nothing_is_tied)
{
    struct kit_person person;
    struct enrolment e;
    struct enrolled enrolled;
    kit_person_make(&person, SEED, 1);
    enrolment_by_card(&e, &person, "tokyo");
    tamper("REVOKE INSERT ON vault.audit_outbox FROM shikaku_vault");
    ck_assert_int_eq(enrol(work, "key", &e, &enrolled), OUTCOME_RETRY);
    ck_assert_ptr_null(work->state->reply.data);
    ck_assert_int_eq(ties("tokyo"), 0);
    tamper("GRANT INSERT ON vault.audit_outbox TO shikaku_vault");
    ck_assert_int_eq(enrol(work, "key", &e, &enrolled), OUTCOME_DONE);
    ck_assert(!enrolled.known);
    free(e.sealed);
}
END_TEST

/* NUM-3: what is published seals and does not open */
START_TEST(only_the_public_half_is_published)
{
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    ck_assert_int_eq(deliver(work, ROUTE_vault_keys, "portal", "", &request.base, &reply), OUTCOME_DONE);
    json_t *set = json_loads(((Vault__KeysReply *)reply)->jwks, 0, NULL);
    json_t *keys = json_object_get(set, "keys"), *key = json_array_get(keys, 0);
    ck_assert_uint_eq(json_array_size(keys), 1);
    ck_assert_str_eq(json_string_value(json_object_get(key, "crv")), "P-256");
    ck_assert_ptr_nonnull(json_object_get(key, "kid"));
    ck_assert_ptr_null(json_object_get(key, "d"));
    json_decref(set);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault");
    TCase *tests = tcase_create("enrolment");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, one_person_one_pseudonym);
    tcase_add_test(tests, paper_and_card_are_one_person);
    tcase_add_test(tests, a_replay_changes_nothing);
    tcase_add_test(tests, racing_enrolments_agree);
    tcase_add_test(tests, one_request_delivered_at_once_to_many_happens_once);
    tcase_add_loop_test(tests, what_is_wrong_is_refused_and_recorded, 0, REFUSALS);
    tcase_add_test(tests, nobody_is_linked_by_likeness);
    tcase_add_test(tests, no_number_lies_open);
    tcase_add_test(tests, two_managers_rows_do_not_join);
    tcase_add_test(tests, managers_are_apart);
    tcase_add_test(tests, no_other_role_can_read);
    tcase_add_test(tests, ties_stand_alone_and_stay);
    tcase_add_test(tests, without_its_record_nothing_is_tied);
    tcase_add_test(tests, only_the_public_half_is_published);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
