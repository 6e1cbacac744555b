/* While audit cannot be reached, or is full, records of use wait in the service's own schema: up to a bound in number
 * and age, past which nothing of a person leaves. What waited arrives afterwards, whole, once, in order. And what was
 * not written by the service itself does not arrive. */
#include "store/letter.h"

#include "chassis/audit_outbox_store.h"

#include "audit.pb-c.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define BOUND 12
#define TAKEN_MAX 4096
#define DEADLINE_MS 30000

static const char sql_effect[] = "INSERT INTO intake.effect (what) VALUES ($1)";

/* --- intake ------------------------------------------------------------------------------------------------------- */

static enum outcome submit_act(struct work *by)
{
    const Intake__SubmitRequest *request = (const Intake__SubmitRequest *)by->request;
    Intake__SubmitReply reply = INTAKE__SUBMIT_REPLY__INIT;
    if (!work_begin(by, "nara"))
        return work_end(by);
    pg_queue(
        by->pg, sql_effect, PG_VALUES(pg_text(arena_text(by->arena, request->document.data, request->document.len))));
    work_audit(by, &(struct touch){.subject = "pseudonym-1", .reason = by->correlation});
    return work_commit(by, &reply.base);
}

static const struct message messages[] = {{ROUTE_intake_submit, NULL, submit_act}};
static const struct service service = {.name = "intake", .schema_version = 4, .messages = messages, .message_count = 1};
static struct work *work, *relay;

/* --- audit, as far as a relay sees it ----------------------------------------------------------------------------- */

static struct bus_listener *listener;
static atomic_bool answers_are_lost;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char chain[48];
    uint64_t sequence;
} taken[TAKEN_MAX];
static int taken_count;

static uint64_t taken_through(const char *chain)
{
    uint64_t through = 0;
    for (int i = 0; i < taken_count; i++)
        if (strcmp(taken[i].chain, chain) == 0 && taken[i].sequence > through)
            through = taken[i].sequence;
    return through;
}

static uint64_t chain_take(const Audit__Chain *chain)
{
    char name[48];
    snprintf(name, sizeof name, "%s/%u", chain->instance, chain->worker);
    uint64_t through = taken_through(name);
    for (size_t i = 0; i < chain->n_links; i++) {
        if (chain->links[i]->sequence <= through)
            continue;
        if (chain->links[i]->sequence != through + 1 || taken_count == TAKEN_MAX)
            break;
        snprintf(taken[taken_count].chain, sizeof taken[0].chain, "%s", name);
        taken[taken_count++].sequence = ++through;
    }
    return through;
}

static enum outcome append_act(struct work *by)
{
    const Audit__AppendRequest *request = (const Audit__AppendRequest *)by->request;
    Audit__AppendReply reply = AUDIT__APPEND_REPLY__INIT;
    Audit__Through *through = arena_take(by->arena, request->n_chains * sizeof *through);
    reply.through = arena_take(by->arena, request->n_chains * sizeof *reply.through);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < request->n_chains; i++) {
        audit__through__init(&through[i]);
        through[i].instance = request->chains[i]->instance;
        through[i].worker = request->chains[i]->worker;
        through[i].sequence = chain_take(request->chains[i]);
        reply.through[reply.n_through++] = &through[i];
    }
    pthread_mutex_unlock(&lock);
    return atomic_load(&answers_are_lost) ? work_refuse_with(by, FAULT_unavailable, NULL)
                                          : work_commit(by, &reply.base);
}

static const struct message audit_messages[] = {{ROUTE_audit_append, NULL, append_act}};
static const struct service audit = {.name = "audit", .messages = audit_messages, .message_count = 1};

static void *handler_new(int index)
{
    (void)index;
    return work_of(&audit);
}

static struct bytes handler_run(void *by, const void *frame, size_t len)
{
    return dispatch(by, frame, len);
}

static void handler_free(void *by)
{
    work_free(by);
}

static void audit_start(void)
{
    struct fault fault = {0};
    ck_assert(bus_listen(&listener, "audit", 1, handler_new, handler_run, handler_free, &fault));
}

static void audit_stop(void)
{
    bus_drain(listener);
    listener = NULL;
}

/* --- the tests ---------------------------------------------------------------------------------------------------- */

static void start(void)
{
    letters_start();
    ring_publish("audit");
    audit_outbox_bound(BOUND, 3600);
    work = work_of(&service);
    relay = work_of(&service);
    taken_count = 0;
    atomic_store(&answers_are_lost, false);
    audit_start();
}

static void end(void)
{
    if (listener)
        audit_stop();
    work_free(work);
    work_free(relay);
    letters_end();
}

static int relay_once(void)
{
    work_reset(relay);
    return audit_relay(relay, NULL);
}

/* Until all has gone and the bound is known to be kept again. */
static void relay_all(void)
{
    int64_t until = clock_ms() + DEADLINE_MS;
    while (clock_ms() < until)
        if (relay_once() == 0 && !audit_outbox_full() && owner_count("SELECT count(*) FROM intake.audit_outbox") == 0)
            return;
    ck_abort_msg("what waited did not go");
}

static struct answer submit(int number)
{
    char what[32];
    snprintf(what, sizeof what, "effect %d", number);
    struct letter letter = submit_letter("portal", what);
    return letter_send(work, &letter);
}

/* Submit until it is refused; returns how many were taken. */
static int submit_until_full(void)
{
    for (int i = 0; i < 10 * BOUND; i++) {
        struct answer answer = submit(i);
        if (answer.code == FAULT_NONE)
            continue;
        assert_refused(answer, FAULT_audit_full);
        return i;
    }
    ck_abort_msg("there is no bound");
}

/* LOG-1, LOG-2: past the bound in number nothing leaves and nothing is done; then all arrives, once */
START_TEST(past_the_bound_nothing_leaves)
{
    ck_assert_int_eq(submit(0).code, FAULT_NONE);
    relay_all();
    ck_assert_int_eq(taken_count, 1);
    audit_stop();
    int accepted = submit_until_full();
    ck_assert_int_eq(accepted, BOUND);
    assert_refused(submit(1000), FAULT_audit_full);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), accepted + 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox"), accepted);
    audit_start();
    relay_all();
    ck_assert_int_eq(submit(2000).code, FAULT_NONE);
    relay_all();
    ck_assert_int_eq(taken_count, accepted + 2);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), accepted + 2);
}
END_TEST

/* LOG-1: answers that are lost, each after the records were taken, double none */
START_TEST(lost_answers_double_nothing)
{
    atomic_store(&answers_are_lost, true);
    int accepted = submit_until_full();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(relay_once(), 0);
    ck_assert_int_eq(taken_count, accepted);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox"), accepted);
    assert_refused(submit(1000), FAULT_audit_full);
    atomic_store(&answers_are_lost, false);
    relay_all();
    ck_assert_int_eq(taken_count, accepted);
    ck_assert_int_eq(submit(2000).code, FAULT_NONE);
}
END_TEST

/* LOG-2: a single record that waits too long is enough */
START_TEST(past_the_bound_in_age_nothing_leaves)
{
    audit_outbox_bound(1000000, 60);
    audit_stop();
    ck_assert_int_eq(submit(0).code, FAULT_NONE);
    ck_assert_int_eq(relay_once(), 0);
    ck_assert_int_eq(submit(1).code, FAULT_NONE);
    owner_do("UPDATE intake.audit_outbox SET created_at = created_at - interval '61 seconds'");
    int64_t until = clock_ms() + DEADLINE_MS;
    while (!audit_outbox_full() && clock_ms() < until)
        relay_once();
    assert_refused(submit(2), FAULT_audit_full);
    audit_start();
    relay_all();
    ck_assert_int_eq(submit(3).code, FAULT_NONE);
}
END_TEST

static const char *const forgeries[] = {
    "UPDATE intake.audit_outbox SET event = set_byte(event, 4, 255 - get_byte(event, 4)) WHERE sequence = 3",
    "UPDATE intake.audit_outbox SET digest = sha256(event) WHERE sequence = 3",
    "UPDATE intake.audit_outbox a SET event = b.event, digest = b.digest FROM intake.audit_outbox b "
    "WHERE a.sequence = 3 AND b.sequence = 2",
    "UPDATE intake.audit_outbox SET sequence = sequence + 100 WHERE sequence = 3",
};

/* LOG-1, LOG-2, STORE-4: a record that the service did not write, or that was changed while it waited, stays where it
 * is with all that follows it, and is told; the other chains go on */
START_TEST(a_forged_record_goes_nowhere)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(submit(i).code, FAULT_NONE);
    owner_do(forgeries[_i]);
    struct work *other = work_of(&service);
    struct letter letter = submit_letter("portal", "of another worker");
    ck_assert_int_eq(letter_send(other, &letter).code, FAULT_NONE);
    work_free(other);
    while (relay_once() > 0)
        ;
    ck_assert_int_eq(taken_count, 2 + 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox"), 3);
}
END_TEST

int main(void)
{
    TCase *waiting = tcase_create("waiting");
    tcase_add_unchecked_fixture(waiting, letters_once, letters_once_end);
    tcase_add_checked_fixture(waiting, start, end);
    tcase_set_timeout(waiting, 120);
    tcase_add_test(waiting, past_the_bound_nothing_leaves);
    tcase_add_test(waiting, lost_answers_double_nothing);
    tcase_add_test(waiting, past_the_bound_in_age_nothing_leaves);
    tcase_add_loop_test(waiting, a_forged_record_goes_nowhere, 0, sizeof forgeries / sizeof *forgeries);
    Suite *suite = suite_create("audit_waiting");
    suite_add_tcase(suite, waiting);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
