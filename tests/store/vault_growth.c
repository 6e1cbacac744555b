/* However many people a manager has, nothing that is asked of one of them reads a whole table. */
#include "store/vault_acts.h"

#define OTHERS "20000"
#define ROWS_FEW 1000

static struct kit_person people[4];
static struct actor clerk, chief;

/* Others' ties, as many as make reading them all dearer than an index; nobody opens them. */
static void others_fill(void)
{
    tamper(
        "SELECT set_config('shikaku.manager', 'tokyo', false);"
        "INSERT INTO vault.tie (manager, token, pseudonym, number, replaced_on) SELECT 'tokyo', "
        "sha256(convert_to('tie' || n, 'UTF8')), 'P' || n, '\\x00', CASE WHEN n % 10 = 0 THEN current_date END "
        "FROM generate_series(1, " OTHERS
        ") AS n;"
        "INSERT INTO vault.gateway_tie (manager, token, gateway_id, number) SELECT 'tokyo', "
        "sha256(convert_to('gateway' || n, 'UTF8')), gen_random_uuid()::text, '\\x00' "
        "FROM generate_series(1, " OTHERS
        ") AS n;"
        "INSERT INTO vault.portal_tie (manager, token, tie_id, pair) SELECT 'tokyo', "
        "sha256(convert_to('portal' || n, 'UTF8')), 'T' || n, '\\x00' FROM generate_series(1, " OTHERS
        ") AS n;"
        "INSERT INTO vault.joined (manager, pseudonym, leads_to) SELECT 'tokyo', 'J' || n, 'P' || n "
        "FROM generate_series(1, " OTHERS ") AS n");
    tamper("ANALYZE vault.tie, vault.gateway_tie, vault.portal_tie, vault.joined");
}

static void growth_set_up(void)
{
    set_up();
    for (uint32_t i = 0; i < 4; i++)
        kit_person_make(&people[i], SEED, i);
    strcpy(clerk.account, "clerk1");
    strcpy(clerk.manager, "tokyo");
    strcpy(clerk.role, "corrector");
    clerk.rights = 1u << RIGHT_number_correct;
    chief = clerk;
    strcpy(chief.account, "chief1");
    acting = NULL;
    others_fill();
}

/* Rows and entries of an index that were read so far, by whatever query. */
static int rows_read(void)
{
    count_as("", "SELECT (pg_stat_force_next_flush() IS NULL)::int"); /* at the end of this transaction */
    return count_as("",
        "SELECT (SELECT sum(seq_tup_read)::bigint FROM pg_stat_user_tables WHERE schemaname = 'vault' AND relname IN "
        "('tie', 'gateway_tie', 'portal_tie', 'joined')) + (SELECT sum(idx_tup_read)::bigint FROM "
        "pg_stat_user_indexes WHERE schemaname = 'vault' AND relname IN ('tie', 'gateway_tie', 'portal_tie', "
        "'joined'))");
}

static void correction_pass(const struct asked *asked, char other[PSEUDONYM_LENGTH + 1])
{
    char id[37];
    acting = &clerk;
    ck_assert_int_eq(act_ask(NULL, asked, id), OUTCOME_DONE);
    acting = &chief;
    ck_assert_int_eq(act_decide(NULL, "tokyo", id, true, other), OUTCOME_DONE);
    acting = NULL;
}

static void expect_few(const char *what, int before)
{
    int read = rows_read() - before;
    ck_assert_msg(read < ROWS_FEW, "%s read %d rows", what, read);
}

/* NUM-1: enrolment, known or new, look-ups both ways, release, resolving, the portal's question */
START_TEST(a_look_up_reads_few_rows)
{
    char id[37], *plain;
    const Vault__ResolveReply *resolved;
    Vault__PortalPersonsRequest asked = VAULT__PORTAL_PERSONS_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct batch batch;
    Vault__EnrolBatchReply *enrolled;
    int before = rows_read();
    struct enrolled one = enrol_paper(people[0].number, "tokyo");
    ck_assert(enrol_paper(people[0].number, "tokyo").known);
    expect_few("enrol", before);
    before = rows_read();
    const char *pseudonym = one.pseudonym;
    ck_assert_int_eq(act_gateway_id(NULL, "tokyo", pseudonym, id), OUTCOME_DONE);
    ck_assert_int_eq(act_gateway_id(NULL, "tokyo", pseudonym, id), OUTCOME_DONE);
    expect_few("gateway_id", before);
    before = rows_read();
    ck_assert_int_eq(act_release(NULL, "tokyo", &pseudonym, 1, &plain), OUTCOME_DONE);
    free(plain);
    expect_few("release", before);
    before = rows_read();
    ck_assert_int_eq(act_resolve("tokyo", &pseudonym, 1, &resolved), OUTCOME_DONE);
    ck_assert(resolved->items[0]->known);
    expect_few("resolve", before);
    before = rows_read();
    ck_assert_int_eq(act_portal_tie(NULL, "tokyo", pseudonym, people[0].portal_pseudonym), OUTCOME_DONE);
    asked.portal_pseudonym = people[0].portal_pseudonym;
    asked.reason = "holder";
    ck_assert_int_eq(deliver(work, ROUTE_vault_portal_persons, "portal", "", &asked.base, &reply), OUTCOME_DONE);
    expect_few("portal", before);
    before = rows_read();
    batch_seal(&batch, "tokyo", SCHEDULE, json_pack("[ss]", people[0].number, people[1].number));
    ck_assert_int_eq(batch_enrol(work, "1", &batch, &enrolled), OUTCOME_DONE);
    ck_assert(enrolled->items[0]->known_already && !enrolled->items[1]->known_already);
    arena_free(batch.arena);
    expect_few("enrol_batch", before);
}
END_TEST

/* NUM-1: what happens to a person later */
START_TEST(a_correction_reads_few_rows)
{
    bool changed;
    char other[PSEUDONYM_LENGTH + 1];
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), two = enrol_paper(people[1].number, "tokyo");
    int before = rows_read();
    ck_assert_int_eq(act_change(NULL, "tokyo", one.pseudonym, people[2].number, &changed), OUTCOME_DONE);
    expect_few("change", before);
    before = rows_read();
    struct asked split = {.manager = "tokyo", .pseudonym = one.pseudonym, .number = people[2].number};
    correction_pass(&split, other);
    expect_few("split", before);
    before = rows_read();
    struct asked join = {
        .manager = "tokyo", .pseudonym = one.pseudonym, .other = two.pseudonym, .other_in_force = true};
    correction_pass(&join, other);
    expect_few("join", before);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_growth");
    TCase *tests = tcase_create("growth");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, growth_set_up, tear_down);
    tcase_add_test(tests, a_look_up_reads_few_rows);
    tcase_add_test(tests, a_correction_reads_few_rows);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
