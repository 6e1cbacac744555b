/* An agency's own client of the bus, written from proto/ alone (kit/agency.c), enrolled by its operator: it submits an
 * application and follows it to its end, while the manager's clerk does what clerks do. It sees and submits nothing of
 * another manager. */
#include "kit/enrolment.h"
#include "kit/journey.h"
#include "kit/journey_wire.h"
#include "kit/stack.h"

#include "envelope.pb-c.h"
#include "intake.pb-c.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES "intake_attachment intake_submit intake_status"
#define WAIT_MS 60000
#define LOOK_MS 50

static struct journey journey;
static struct journey_trip trip;

static void setup(void)
{
    ck_assert(journey_open(&journey, NULL));
}

static void teardown(void)
{
    trip_fini(&trip);
    journey_close(&journey);
}

static void compose(const char *programme)
{
    struct journey_plan plan = {.programme = programme, .index = journey_people_take(1)};
    ck_assert(trip_init(&trip, &journey, &plan));
}

/* --- what the client does ---------------------------------------------------------------------------------------- */

static void pieces_send(struct agency *agency)
{
    for (size_t i = 0; i < trip.application.piece_count; i++) {
        const struct kit_piece *piece = &trip.application.pieces[i];
        Intake__AttachmentRequest request = INTAKE__ATTACHMENT_REQUEST__INIT;
        struct agency_reply reply;
        uint8_t key[32];
        request.piece = (ProtobufCBinaryData){piece->size, (uint8_t *)piece->bytes};
        agency_act_key(piece->sha256, key);
        agency_send(agency, (struct agency_request){.to = "intake", .route = "intake_attachment", .key = key},
            &request.base, &reply);
        ck_assert(reply.answered);
        ck_assert_msg(reply.outcome == BUS__OUTCOME__DONE, "%s %s", reply.fault_code, reply.fault_field);
        agency_reply_fini(&reply);
    }
}

static void submit(struct agency *agency, const char *act, struct agency_reply *reply)
{
    Intake__SubmitRequest request = INTAKE__SUBMIT_REQUEST__INIT;
    uint8_t key[32];
    request.document = (ProtobufCBinaryData){strlen(trip.application.document), (uint8_t *)trip.application.document};
    request.signature = (ProtobufCBinaryData){trip.application.signature_size, trip.application.signature};
    request.sealed_number = trip.application.sealed_number;
    request.portal_pseudonym = trip.applicant.person.portal_pseudonym;
    agency_act_key(act, key);
    agency_send(
        agency, (struct agency_request){.to = "intake", .route = "intake_submit", .key = key}, &request.base, reply);
}

/* The receipt number; ends the test where there is none. */
static void submit_rightly(struct agency *agency)
{
    struct agency_reply reply;
    submit(agency, trip.application.id, &reply);
    ck_assert(reply.answered);
    ck_assert_msg(reply.outcome == BUS__OUTCOME__DONE, "%s %s", reply.fault_code, reply.fault_field);
    Intake__SubmitReply *submitted = intake__submit_reply__unpack(NULL, reply.payload_len, reply.payload);
    ck_assert_ptr_nonnull(submitted);
    ck_assert_str_eq(submitted->application, trip.application.id);
    ck_assert_uint_gt(strlen(submitted->receipt), 0);
    snprintf(trip.receipt, sizeof trip.receipt, "%s", submitted->receipt);
    intake__submit_reply__free_unpacked(submitted, NULL);
    agency_reply_fini(&reply);
}

static void status_ask(struct agency *agency, const char *receipt, struct agency_reply *reply)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    request.portal_pseudonym = trip.applicant.person.portal_pseudonym;
    request.receipt = (char *)receipt;
    agency_send(agency, (struct agency_request){.to = "intake", .route = "intake_status"}, &request.base, reply);
    ck_assert(reply->answered);
}

/* The application as the agency sees it; the caller's to free. */
static Intake__StatusReply *status_see(struct agency *agency)
{
    struct agency_reply reply;
    status_ask(agency, trip.receipt, &reply);
    ck_assert_msg(reply.outcome == BUS__OUTCOME__DONE, "%s %s", reply.fault_code, reply.fault_field);
    Intake__StatusReply *seen = intake__status_reply__unpack(NULL, reply.payload_len, reply.payload);
    ck_assert_ptr_nonnull(seen);
    ck_assert_uint_eq(seen->n_applications, 1);
    agency_reply_fini(&reply);
    return seen;
}

static void follow(struct agency *agency, const char *state)
{
    int64_t deadline = journey_clock_ms() + WAIT_MS;
    char at[32] = "";
    while (strcmp(at, state) != 0) {
        ck_assert_msg(journey_clock_ms() < deadline, "it stands in %s, not in %s", at, state);
        Intake__StatusReply *seen = status_see(agency);
        snprintf(at, sizeof at, "%s", seen->applications[0]->state);
        intake__status_reply__free_unpacked(seen, NULL);
        wire_pause(strcmp(at, state) == 0 ? 0 : LOOK_MS);
    }
}

/* --- tests ------------------------------------------------------------------------------------------------------- */

/* APPLY-1, APPLY-8, APPLY-10, PAY-3 */
START_TEST(an_agencys_application_goes_the_whole_way)
{
    struct agency *agency = enrolled_agency_new("agency-saitama", "saitama", ROUTES);
    ck_assert_ptr_nonnull(agency);
    compose("hoikushi");
    pieces_send(agency);
    submit_rightly(agency);
    follow(agency, "review");
    ck_assert_int_eq(trip_decide(&trip, &journey, "accept", NULL), 200);
    follow(agency, "fee");
    ck_assert_int_eq(trip_pay(&trip, &journey, "online"), 200);
    follow(agency, "completed");
    Intake__StatusReply *seen = status_see(agency);
    const Intake__Application *application = seen->applications[0];
    ck_assert_str_eq(application->receipt, trip.receipt);
    ck_assert_str_eq(application->application, trip.application.id);
    ck_assert_str_eq(application->manager, "saitama");
    ck_assert_uint_gt(strlen(application->registration_number), 0);
    ck_assert_uint_gt(strlen(application->certificate), 0);
    ck_assert_str_eq(application->pseudonym, ""); /* the roll's name of a person is for staff */
    ck_assert_str_eq(application->waiting_for, "");
    ck_assert_str_eq(application->history[application->n_history - 1]->state, "completed");
    intake__status_reply__free_unpacked(seen, NULL);
    agency_free(agency);
}
END_TEST

static bool submit_known(struct agency *agency, const char *act, char receipt[32])
{
    struct agency_reply reply;
    submit(agency, act, &reply);
    ck_assert_msg(reply.outcome == BUS__OUTCOME__DONE, "%s %s", reply.fault_code, reply.fault_field);
    Intake__SubmitReply *submitted = intake__submit_reply__unpack(NULL, reply.payload_len, reply.payload);
    ck_assert_ptr_nonnull(submitted);
    bool known = submitted->known_already;
    snprintf(receipt, 32, "%s", submitted->receipt);
    intake__submit_reply__free_unpacked(submitted, NULL);
    agency_reply_fini(&reply);
    return known;
}

/* APPLY-1, LINK-6: the same act gets the reply that was kept, which does not say "known already"; another act with the
 * same application gets the same receipt and is told so; there is one application */
START_TEST(the_same_submission_is_one_application)
{
    char first[32], again[32], anew[32], count[200];
    struct agency *agency = enrolled_agency_new("agency-twice", "saitama", ROUTES);
    ck_assert_ptr_nonnull(agency);
    compose("hoikushi");
    pieces_send(agency);
    ck_assert(!submit_known(agency, "first", first));
    ck_assert(!submit_known(agency, "first", again));
    ck_assert(submit_known(agency, "another", anew));
    ck_assert_str_eq(first, again);
    ck_assert_str_eq(first, anew);
    snprintf(
        count, sizeof count, "SELECT count(*) FROM intake.application WHERE application = '%s'", trip.application.id);
    ck_assert_int_eq(stack_count(count), 1);
    agency_free(agency);
}
END_TEST

/* EXCH-12, AUTH-3: data is parted by body; another manager's agency sees nothing of it */
START_TEST(another_managers_agency_sees_nothing)
{
    struct agency_reply reply;
    struct agency *own = enrolled_agency_new("agency-own", "saitama", ROUTES);
    struct agency *other = enrolled_agency_new("agency-other", "nara", ROUTES);
    ck_assert(own && other);
    compose("hoikushi");
    pieces_send(own);
    submit_rightly(own);
    status_ask(other, trip.receipt, &reply);
    ck_assert_int_eq(reply.outcome, BUS__OUTCOME__REJECT);
    ck_assert_str_eq(reply.fault_code, "not_found");
    agency_reply_fini(&reply);
    status_ask(other, "", &reply);
    ck_assert_int_eq(reply.outcome, BUS__OUTCOME__DONE);
    ck_assert_uint_eq(reply.payload_len, 0); /* a list without rows */
    agency_reply_fini(&reply);
    status_ask(own, "", &reply);
    ck_assert_int_eq(reply.outcome, BUS__OUTCOME__DONE);
    ck_assert_uint_gt(reply.payload_len, 0);
    agency_reply_fini(&reply);
    agency_free(own);
    agency_free(other);
}
END_TEST

/* EXCH-12, AUTH-3: an agency submits for its own manager alone; nothing of the refused one is kept */
START_TEST(an_agency_submits_for_its_own_manager_alone)
{
    char count[200];
    struct agency_reply reply;
    struct agency *agency = enrolled_agency_new("agency-wrong", "nara", ROUTES);
    ck_assert_ptr_nonnull(agency);
    compose("hoikushi");
    pieces_send(agency);
    submit(agency, trip.application.id, &reply);
    ck_assert(reply.answered);
    ck_assert_int_eq(reply.outcome, BUS__OUTCOME__REJECT);
    ck_assert_str_eq(reply.fault_code, "not_permitted");
    ck_assert_str_eq(reply.fault_field, "manager");
    ck_assert_uint_eq(reply.payload_len, 0);
    agency_reply_fini(&reply);
    snprintf(
        count, sizeof count, "SELECT count(*) FROM intake.application WHERE application = '%s'", trip.application.id);
    ck_assert_int_eq(stack_count(count), 0);
    agency_free(agency);
}
END_TEST

int main(void)
{
    if (!stack_open("agency", 18400))
        return 1;
    Suite *suite = suite_create("agency");
    TCase *clients = tcase_create("an agency's own client");
    tcase_set_timeout(clients, 120);
    tcase_add_checked_fixture(clients, setup, teardown);
    tcase_add_test(clients, an_agencys_application_goes_the_whole_way);
    tcase_add_test(clients, the_same_submission_is_one_application);
    tcase_add_test(clients, another_managers_agency_sees_nothing);
    tcase_add_test(clients, an_agency_submits_for_its_own_manager_alone);
    suite_add_tcase(suite, clients);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0;
}
