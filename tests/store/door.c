/* Refusals before the route is known: in the records of use, and bounded. */
#include "store/letter.h"

#include "chassis/door.h"

#include <pthread.h>

static struct work *work;

static enum outcome never(struct work *by)
{
    ck_abort_msg("a refused letter was handled: %s", by->envelope->route);
}

static const struct message messages[] = {
    {ROUTE_intake_submit, NULL, never},
    {ROUTE_intake_status, NULL, never},
};
static const struct service service = {
    .name = "intake", .schema_version = 4, .messages = messages, .message_count = sizeof messages / sizeof *messages};

static void start(void)
{
    letters_start();
    work = work_of(&service);
}

static void end(void)
{
    work_free(work);
    letters_end();
}

static int64_t door_records(const char *sender, const char *what)
{
    char sql[256];
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM intake.audit_outbox WHERE position('refused_at_the_door'::bytea IN event) > 0 "
        "AND position('%s'::bytea IN event) > 0 AND position('%s'::bytea IN event) > 0",
        sender, what);
    return owner_count(sql);
}

/* LOG-1: what is refused before its route is known is recorded; a flood of it is one record a sender and minute */
START_TEST(a_refusal_at_the_door_is_recorded_and_a_flood_counted)
{
    struct letter letter = submit_letter("records", "do");
    assert_refused(letter_send(work, &letter), FAULT_route_not_allowed);
    ck_assert_int_eq(door_records("records", "route_not_allowed:1"), 1);
    for (int i = 0; i < 500; i++)
        assert_refused(letter_send(work, &letter), FAULT_route_not_allowed);
    letter.envelope.sent_at_ms = 0;
    letter.envelope.route = "intake_status";
    letter.by = "portal";
    letter.envelope.sender = "portal";
    assert_refused(letter_send(work, &letter), FAULT_envelope_expired);
    ck_assert_int_eq(door_records("portal", "envelope_expired:1"), 1);
    ck_assert_ptr_null(dispatch(work, "no letter", 9).data);
    ck_assert_ptr_null(dispatch(work, "no letter", 9).data);
    ck_assert_int_eq(door_records("?", "malformed:1"), 1);
    ck_assert_int_eq(door_records("", ""), 3);
    door_record(work, false); /* no sender's minute is over */
    ck_assert_int_eq(door_records("", ""), 3);
    door_record(work, true);
    ck_assert_int_eq(door_records("records", "route_not_allowed:500"), 1);
    ck_assert_int_eq(door_records("?", "malformed:1"), 2);
    ck_assert_int_eq(door_records("", ""), 5);
    door_record(work, true); /* nothing is left */
    ck_assert_int_eq(chains_check(), 5);
}
END_TEST

static void *door_flood(void *argument)
{
    struct work *by = argument;
    by->peer = &by->state->peer;
    strcpy(by->state->peer.name, "portal");
    for (int i = 0; i < 2000; i++) {
        fault_set(&by->fault, i % 2 ? FAULT_envelope_expired : FAULT_route_not_allowed, NULL);
        door_refused(by);
    }
    return NULL;
}

/* LOG-1: several workers count together, and none is lost */
START_TEST(workers_count_refusals_together)
{
    pthread_t threads[4];
    struct work *works[4];
    for (int i = 0; i < 4; i++)
        works[i] = work_of(&service);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, door_flood, works[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(door_records("", ""), 1);
    door_close(&service);
    ck_assert_int_eq(door_records("", ""), 2);
    ck_assert_int_eq(door_records("portal", "envelope_expired:4000"), 1);
    ck_assert_int_eq(door_records("portal", "route_not_allowed:3999"), 1);
    for (int i = 0; i < 4; i++)
        work_free(works[i]);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("door");
    tcase_add_unchecked_fixture(cases, letters_once, letters_once_end);
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_test(cases, a_refusal_at_the_door_is_recorded_and_a_flood_counted);
    tcase_add_test(cases, workers_count_refusals_together);
    Suite *suite = suite_create("door");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
