/* Events on their way: each arrives, once, in the order of what it tells about. Writers, relays and a recipient that
 * fails now and then, all at the same time, over the real bus. */
#include "store/letter.h"

#include "chassis/bus.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define WRITERS 6
#define RELAYS 3
#define AGGREGATES 5
#define EVENTS_EACH 40 /* by each writer */
#define DEADLINE_MS 60000

static atomic_int refusals_left; /* how many of the next events the recipient does not take */
static enum fault_code refusal;
static atomic_bool written;
static struct bus_listener *listener;

static const char sql_next[] =
    "INSERT INTO intake.counter AS c VALUES ($1, 1) "
    "ON CONFLICT (aggregate) DO UPDATE SET number = c.number + 1 RETURNING number";
static const char sql_effect[] = "INSERT INTO intake.effect (what, number) VALUES ($1, $2::int)";

/* --- who receives ------------------------------------------------------------------------------------------------ */

static enum outcome answered_act(struct work *by)
{
    const Intake__ResidenceAnswered *event = (const Intake__ResidenceAnswered *)by->request;
    Intake__EventReply reply = INTAKE__EVENT_REPLY__INIT;
    if (atomic_fetch_sub(&refusals_left, 1) > 0)
        return work_refuse_with(by, refusal, NULL);
    if (!work_begin(by, ""))
        return work_end(by);
    pg_queue(by->pg, sql_effect, PG_VALUES(pg_text(event->application), pg_integer(atoi(event->result))));
    return work_commit(by, &reply.base);
}

static const struct message messages[] = {{ROUTE_intake_residence_answered, NULL, answered_act}};
static const struct service recipient = {
    .name = "intake", .schema_version = 4, .messages = messages, .message_count = 1};
static const struct service sender = {.name = "residence", .schema_version = 3};

static void *handler_new(int index)
{
    (void)index;
    return work_of(&recipient);
}

static struct bytes handler_run(void *work, const void *frame, size_t len)
{
    return dispatch(work, frame, len);
}

static void handler_free(void *work)
{
    work_free(work);
}

static void start(void)
{
    struct fault fault = {0};
    letters_start();
    atomic_store(&refusals_left, 0);
    refusal = FAULT_unavailable;
    ck_assert(bus_listen(&listener, "intake", 4, handler_new, handler_run, handler_free, &fault));
}

static void end(void)
{
    bus_drain(listener);
    letters_end();
}

/* --- who sends --------------------------------------------------------------------------------------------------- */

/* One event about `aggregate`, numbered in the same transaction; the row of the counter keeps writers of one aggregate
 * apart, as the row of an application does. */
static void event_write(struct work *work, const char *aggregate, bool commit)
{
    char act[64], number[16];
    Intake__ResidenceAnswered event = INTAKE__RESIDENCE_ANSWERED__INIT;
    ck_assert(work_begin(work, ""));
    PGresult *next = pg_query(work->pg, sql_next, &work->fault, PG_VALUES(pg_text(aggregate)));
    ck_assert_ptr_nonnull(next);
    snprintf(number, sizeof number, "%d", (int)pg_get_integer(next, 0, 0));
    PQclear(next);
    snprintf(act, sizeof act, "%s %s", aggregate, number);
    event.application = (char *)aggregate;
    event.result = number;
    work_outbox(work, ROUTE_intake_residence_answered, aggregate, act, &event.base);
    if (commit)
        ck_assert_int_eq(work_commit(work, NULL), OUTCOME_DONE);
    work_reset(work); /* rolls back what was not committed */
}

static void *writer_run(void *argument)
{
    struct work *work = argument;
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (int i = 0; i < EVENTS_EACH; i++) {
        char aggregate[32];
        snprintf(aggregate, sizeof aggregate, "aggregate-%d", rand_r(&seed) % AGGREGATES);
        if (rand_r(&seed) % 8 == 0)
            event_write(work, aggregate, false);
        event_write(work, aggregate, true);
    }
    return NULL;
}

static void *relay_run(void *argument)
{
    struct work *work = argument;
    int64_t until = clock_ms() + DEADLINE_MS;
    while (clock_ms() < until) {
        work_reset(work);
        bool last = atomic_load(&written);
        if (outbox_relay(work, NULL) > 0)
            continue;
        PGresult *left = pg_query(work->pg, "SELECT count(*) FROM intake.outbox", &work->fault, PG_NONE);
        bool empty = left && pg_get_integer(left, 0, 0) == 0;
        PQclear(left);
        if (last && empty)
            return NULL;
        usleep(1000);
    }
    return NULL;
}

/* Each aggregate's events arrived as 1, 2, 3 … */
static void order_check(void)
{
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM (SELECT number, row_number() OVER (PARTITION BY what ORDER BY "
                                 "place) AS place FROM intake.effect) e WHERE number <> place"),
        0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.counter c WHERE number <> (SELECT count(*) FROM "
                                 "intake.effect WHERE what = c.aggregate)"),
        0);
}

/* pitfalls 12 */
START_TEST(many_writers_and_relays_keep_the_order_of_each_aggregate)
{
    pthread_t writers[WRITERS], relays[RELAYS];
    struct work *works[WRITERS + RELAYS];
    for (int i = 0; i < WRITERS + RELAYS; i++)
        works[i] = work_of(&sender);
    ring_as("intake");
    atomic_store(&refusals_left, 20); /* the first twenty are not taken */
    atomic_store(&written, false);
    for (int i = 0; i < RELAYS; i++)
        pthread_create(&relays[i], NULL, relay_run, works[WRITERS + i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, writer_run, works[i]);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&written, true);
    for (int i = 0; i < RELAYS; i++)
        pthread_join(relays[i], NULL);
    for (int i = 0; i < WRITERS + RELAYS; i++)
        work_free(works[i]);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), WRITERS * EVENTS_EACH);
    order_check();
}
END_TEST

/* An event that was delivered and whose acknowledgement was lost is delivered again, and has no second effect. */
START_TEST(an_event_delivered_twice_has_one_effect)
{
    struct work *work = work_of(&sender);
    event_write(work, "aggregate-1", true);
    owner_do("CREATE TABLE intake.kept AS SELECT * FROM intake.outbox");
    ck_assert_int_eq(outbox_relay(work, NULL), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 0);
    owner_do("INSERT INTO intake.outbox OVERRIDING SYSTEM VALUE SELECT * FROM intake.kept");
    work_reset(work);
    ck_assert_int_eq(outbox_relay(work, NULL), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 1);
    owner_do("DROP TABLE intake.kept");
    work_free(work);
}
END_TEST

START_TEST(the_same_act_told_twice_is_one_event)
{
    struct work *work = work_of(&sender);
    Intake__ResidenceAnswered event = INTAKE__RESIDENCE_ANSWERED__INIT;
    event.application = "aggregate-1";
    event.result = "1";
    for (int i = 0; i < 2; i++) {
        ck_assert(work_begin(work, ""));
        work_outbox(work, ROUTE_intake_residence_answered, "aggregate-1", "inquiry-1", &event.base);
        ck_assert_int_eq(work_commit(work, NULL), OUTCOME_DONE);
        work_reset(work);
    }
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 1);
    work_free(work);
}
END_TEST

/* One that is refused for good waits for a person; what follows about the same thing waits behind it, the rest does
 * not. */
START_TEST(a_refused_event_holds_up_its_own_aggregate_only)
{
    struct work *work = work_of(&sender);
    refusal = FAULT_malformed;
    atomic_store(&refusals_left, 1);
    event_write(work, "aggregate-1", true);
    ck_assert_int_eq(outbox_relay(work, NULL), 1);
    work_reset(work);
    event_write(work, "aggregate-1", true);
    event_write(work, "aggregate-2", true);
    ck_assert_int_eq(outbox_relay(work, NULL), 1);
    work_reset(work);
    ck_assert_int_eq(outbox_relay(work, NULL), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect WHERE what = 'aggregate-2'"), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox WHERE aggregate = 'aggregate-1'"), 2);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox WHERE due_at > now() + interval '50 min'"), 1);
    work_free(work);
}
END_TEST

/* A relay that died holding a lease: another takes over when it ends. */
START_TEST(a_dead_relays_events_are_taken_over)
{
    struct work *work = work_of(&sender);
    event_write(work, "aggregate-1", true);
    owner_do("UPDATE intake.outbox SET lease_until = now() + interval '30 s', attempt = 1");
    ck_assert_int_eq(outbox_relay(work, NULL), 0);
    owner_do("UPDATE intake.outbox SET lease_until = now() - interval '1 ms'");
    work_reset(work);
    ck_assert_int_eq(outbox_relay(work, NULL), 1);
    order_check();
    work_free(work);
}
END_TEST

START_TEST(old_replies_are_swept)
{
    struct work *work = work_of(&sender);
    owner_do(
        "INSERT INTO intake.inbox (caller, key, route, request_sha256, expires_on) SELECT 'portal', "
        "sha256(n::text::bytea), 'intake_submit', sha256(''), current_date + n FROM generate_series(-3, 3) n");
    ck_assert_int_eq(outbox_relay(work, NULL), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.inbox"), 3);
    work_free(work);
}
END_TEST

int main(void)
{
    journal_open("test");
    Suite *suite = suite_create("outbox");
    TCase *cases = tcase_create("outbox");
    tcase_add_unchecked_fixture(cases, letters_once, letters_once_end);
    tcase_add_checked_fixture(cases, start, end);
    tcase_set_timeout(cases, 90);
    tcase_add_test(cases, many_writers_and_relays_keep_the_order_of_each_aggregate);
    tcase_add_test(cases, an_event_delivered_twice_has_one_effect);
    tcase_add_test(cases, the_same_act_told_twice_is_one_event);
    tcase_add_test(cases, a_refused_event_holds_up_its_own_aggregate_only);
    tcase_add_test(cases, a_dead_relays_events_are_taken_over);
    tcase_add_test(cases, old_replies_are_swept);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
