/* Unlinkability: the same thousand people at two managers, at the gateway and at the portal, by the real routes, and in
 * the same order everywhere, as people come. On the day after, with every row that stays (inbox and records of use
 * after their retention) and without keys, nothing joins a person of one domain with the same person of another: no
 * value that both have, no length, no date, and no order better than chance. SHIKAKU_UNLINKABLE_PEOPLE for another
 * number of people. */
#include "store/vault_acts.h"
#include "vault/order_store.h"

#include <math.h>

#define PEOPLE_MAX 5000
#define BATCH 100

/* Of n pairs in random order a rank correlation beyond 5 / sqrt(n - 1) comes once in two million times, and eleven or
 * more pairs at the very same place once in a hundred million (Poisson of mean 1). */
#define SIGMAS 5.0
#define SAME_PLACES_MAX 10
#define PORTAL_PEOPLE 200

static struct kit_person people[PEOPLE_MAX];
static int people_count;

/* The same people in one domain: the name of each there, and where its row lies among the domain's rows. */
struct domain {
    const char *what, *table, *name; /* for messages; its column of names */
    const char *manager;
    char names[PEOPLE_MAX][40];
    int places[PEOPLE_MAX];
};

static struct domain roll = {"roll", "vault.tie", "pseudonym", "tokyo"},
                     other = {"other roll", "vault.tie", "pseudonym", "mlit"},
                     gateway = {"gateway", "vault.gateway_tie", "gateway_id", "tokyo"};

static void roll_fill(struct domain *domain)
{
    for (int i = 0; i < people_count; i++) {
        struct enrolled got = enrol_paper(people[i].number, domain->manager);
        ck_assert(!got.known);
        strcpy(domain->names[i], got.pseudonym);
    }
}

static void roll_fill_in_batches(struct domain *domain)
{
    for (int from = 0; from < people_count; from += BATCH) {
        struct batch batch;
        Vault__EnrolBatchReply *reply;
        json_t *numbers = json_array();
        int size = people_count - from < BATCH ? people_count - from : BATCH;
        for (int i = from; i < from + size; i++)
            json_array_append_new(numbers, json_string(people[i].number));
        batch_seal(&batch, domain->manager, SCHEDULE, numbers);
        ck_assert_int_eq(batch_enrol(work, key_or_fresh(NULL), &batch, &reply), OUTCOME_DONE);
        for (int i = 0; i < size; i++)
            strcpy(domain->names[from + i], reply->items[i]->pseudonym);
        arena_free(batch.arena);
    }
}

static void gateway_fill(struct domain *domain, const struct domain *from)
{
    char id[37];
    for (int i = 0; i < people_count; i++) {
        ck_assert_int_eq(act_gateway_id(NULL, domain->manager, from->names[i], id), OUTCOME_DONE);
        strcpy(domain->names[i], id);
    }
}

static int portal_count(void)
{
    return people_count < PORTAL_PEOPLE ? people_count : PORTAL_PEOPLE;
}

static void portal_fill(const struct domain *domain)
{
    for (int i = 0; i < portal_count(); i++)
        ck_assert_int_eq(
            act_portal_tie(NULL, domain->manager, domain->names[i], people[i].portal_pseudonym), OUTCOME_DONE);
}

/* --- what who has the tables tries ---------------------------------------------------------------------------------
 */

static PGconn *owner;

static PGresult *owner_ask(const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(owner));
    return result;
}

static int person_of(const struct domain *domain, const char *name)
{
    for (int i = 0; i < people_count; i++)
        if (strcmp(domain->names[i], name) == 0)
            return i;
    return -1;
}

/* `by`: ctid (the heap's order), xmin (the order of transactions), or a column. */
static void places_read(struct domain *domain, const char *by)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT %s FROM %s WHERE manager = '%s' ORDER BY %s", domain->name, domain->table,
        domain->manager, by);
    PGresult *rows = owner_ask(sql);
    ck_assert_int_eq(PQntuples(rows), people_count);
    for (int place = 0; place < people_count; place++) {
        int person = person_of(domain, PQgetvalue(rows, place, 0));
        ck_assert_int_ge(person, 0);
        domain->places[person] = place;
    }
    PQclear(rows);
}

/* Spearman's rank correlation; how many stand at the very same place in *same. */
static double correlation(const struct domain *one, const struct domain *two, int *same)
{
    double n = people_count, sum = 0;
    *same = 0;
    for (int i = 0; i < people_count; i++) {
        double apart = one->places[i] - two->places[i];
        sum += apart * apart;
        *same += apart == 0;
    }
    return 1 - 6 * sum / (n * (n * n - 1));
}

static void expect_chance(struct domain *one, struct domain *two, const char *by_one, const char *by_two)
{
    int same;
    places_read(one, by_one);
    places_read(two, by_two);
    double found = correlation(one, two, &same), most = SIGMAS / sqrt(people_count - 1);
    printf("%s by %s, %s by %s: correlation %.3f (chance %.3f), %d at the same place\n", one->what, by_one, two->what,
        by_two, found, most, same);
    ck_assert_msg(fabs(found) < most && same <= SAME_PLACES_MAX, "%s and %s are joined by %s, %s", one->what, two->what,
        by_one, by_two);
}

/* What says nothing of a person: what all rows have alike. */
static const char values_sql[] =
    "WITH domain AS ("
    "SELECT 'roll ' || manager AS of, to_jsonb(t) - 'manager' AS row FROM vault.tie t UNION ALL "
    "SELECT 'gateway ' || manager, to_jsonb(g) - 'manager' FROM vault.gateway_tie g UNION ALL "
    "SELECT 'portal ' || manager, to_jsonb(p) - 'manager' FROM vault.portal_tie p), "
    "value AS (SELECT DISTINCT of, j.value FROM domain, jsonb_each_text(row) j WHERE j.value IS NOT NULL) "
    "SELECT coalesce(string_agg(DISTINCT value, ' '), '') FROM (SELECT value FROM value GROUP BY value HAVING count(*) "
    "> 1) AS common WHERE value !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND length(value) > 5";

/* Lengths and dates, of each column of each manager's part of a table: one of each. */
static const char shapes_sql[] =
    "WITH domain AS ("
    "SELECT 'roll ' || manager AS of, to_jsonb(t) - 'manager' AS row FROM vault.tie t UNION ALL "
    "SELECT 'gateway ' || manager, to_jsonb(g) - 'manager' FROM vault.gateway_tie g UNION ALL "
    "SELECT 'portal ' || manager, to_jsonb(p) - 'manager' FROM vault.portal_tie p), "
    "shape AS (SELECT DISTINCT of, j.key, CASE WHEN j.value ~ '^[0-9]{4}-' THEN j.value "
    "ELSE length(j.value)::text END FROM domain, jsonb_each_text(row) j) "
    "SELECT coalesce(string_agg(of || '.' || key, ' '), '') FROM (SELECT of, key FROM shape GROUP BY of, key "
    "HAVING count(*) > 1) AS differing";

static void expect_nothing(const char *sql, const char *what)
{
    PGresult *result = owner_ask(sql);
    ck_assert_msg(PQgetvalue(result, 0, 0)[0] == '\0', "%s: %.300s", what, PQgetvalue(result, 0, 0));
    PQclear(result);
}

/* As the administrator of the database: past row-level security. */
static void walls_fall(void)
{
    tamper(
        "ALTER TABLE vault.tie NO FORCE ROW LEVEL SECURITY; ALTER TABLE vault.gateway_tie NO FORCE ROW LEVEL SECURITY; "
        "ALTER TABLE vault.portal_tie NO FORCE ROW LEVEL SECURITY");
}

static void walls_stand(void)
{
    tamper(
        "ALTER TABLE vault.tie FORCE ROW LEVEL SECURITY; ALTER TABLE vault.gateway_tie FORCE ROW LEVEL SECURITY; "
        "ALTER TABLE vault.portal_tie FORCE ROW LEVEL SECURITY");
}

/* The look sees what there is to see: the order of arrival, on the day itself. */
static void expect_joined(struct domain *one, struct domain *two)
{
    int same;
    places_read(one, "ctid");
    places_read(two, "ctid");
    ck_assert_double_gt(correlation(one, two, &same), 0.98);
}

/* All that stands in the three tables, but for the place and that it was moved. */
static void contents_read(char digest[33])
{
    static const char sql[] =
        "SELECT md5(string_agg(row, ' ' ORDER BY row)) FROM (SELECT (to_jsonb(t) - 'settled')::text AS row FROM "
        "vault.tie t UNION ALL SELECT (to_jsonb(g) - 'settled')::text FROM vault.gateway_tie g UNION ALL "
        "SELECT (to_jsonb(p) - 'settled')::text FROM vault.portal_tie p) AS rows";
    walls_fall();
    PGresult *found = owner_ask(sql);
    snprintf(digest, 33, "%s", PQgetvalue(found, 0, 0));
    PQclear(found);
    walls_stand();
}

/* A night passes. */
static void order_is_forgotten(void)
{
    int moved, all = 0;
    char before[33], after[33];
    work_reset(work);
    ck_assert_int_eq(order_forget(work, NULL), 0); /* what came today stays */
    walls_fall();
    tamper(
        "UPDATE vault.tie SET tied_on = tied_on - 1; UPDATE vault.gateway_tie SET tied_on = tied_on - 1; "
        "UPDATE vault.portal_tie SET tied_on = tied_on - 1");
    walls_stand();
    contents_read(before);
    do {
        work_reset(work);
        all += moved = order_forget(work, NULL);
    } while (moved);
    ck_assert_int_eq(all, 3 * people_count + 2 * portal_count());
    contents_read(after);
    ck_assert_str_eq(after, before);
}

/* NUM-1, NUM-2, NUM-3, EXCH-11: between two managers' rolls, and between roll, gateway and portal */
START_TEST(nothing_joins_a_person)
{
    roll_fill(&roll);
    roll_fill_in_batches(&other);
    gateway_fill(&gateway, &roll);
    portal_fill(&roll);
    portal_fill(&other);
    owner = PQconnectdb(store.owner);
    walls_fall();
    expect_joined(&roll, &other);
    expect_joined(&roll, &gateway);
    walls_stand();
    order_is_forgotten();
    walls_fall();
    tamper("DELETE FROM vault.inbox; DELETE FROM vault.audit_outbox");
    struct domain *const domains[] = {&roll, &other, &gateway};
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++) {
            expect_chance(domains[i], domains[j], "ctid", "ctid");
            expect_chance(domains[i], domains[j], "xmin::text::bigint, ctid", "xmin::text::bigint, ctid");
            expect_chance(domains[i], domains[j], "token", "token");
            expect_chance(domains[i], domains[j], "number", "number");
            expect_chance(domains[i], domains[j], domains[i]->name, domains[j]->name);
        }
    expect_nothing(values_sql, "a value of two domains");
    expect_nothing(shapes_sql, "lengths or dates that differ");
    PQclear(PQexec(owner,
        "UPDATE vault.gateway_tie SET gateway_id = (SELECT pseudonym FROM vault.tie LIMIT 1) WHERE "
        "ctid = (SELECT min(ctid) FROM vault.gateway_tie)"));
    PGresult *found = owner_ask(values_sql);
    ck_assert(PQgetvalue(found, 0, 0)[0]);
    PQclear(found);
    PQfinish(owner);
}
END_TEST

static void people_set_up(void)
{
    const char *given = getenv("SHIKAKU_UNLINKABLE_PEOPLE"), *seed = getenv("SHIKAKU_UNLINKABLE_SEED");
    unsigned chosen = seed && *seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    set_up();
    people_count = given && *given ? atoi(given) : 1000;
    ck_assert(people_count > 1 && people_count <= PEOPLE_MAX);
    printf("SHIKAKU_UNLINKABLE_SEED=%u\n", chosen);
    srandom(chosen);
    for (int i = 0; i < people_count; i++)
        kit_person_make(&people[i], SEED, (uint32_t)i);
}

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_unlinkable");
    TCase *tests = tcase_create("unlinkable");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, people_set_up, tear_down);
    tcase_add_test(tests, nothing_joins_a_person);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
