/* Who may say what on the bus: an enrolled agency its routes and no other, a service its own, a person with the right.
 * What is altered, expired, replayed late or sent by a stranger is refused; what is replayed in time gets the same
 * reply and has no second effect (proto/README.md). The client is kit/agency.c; where a service must be played, it is
 * given that service's real key. */
#include "kit/enrolment.h"
#include "kit/journey.h"
#include "kit/journey_wire.h"
#include "kit/junk.h"
#include "kit/stack.h"

#include "chassis/keyring.h"
#include "envelope.pb-c.h"
#include "intake.pb-c.h"
#include "staff.pb-c.h"
#include "vault.pb-c.h"

#include <check.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 1100 /* as often a service looks at a peer's file (services/chassis/seal.h) */

static struct agency *agency; /* enrolled for what each test needs */
static struct agency_reply reply;

static void setup(void)
{
    agency = enrolled_agency_new("agency-tokyo", "tokyo", "intake_attachment intake_status");
    ck_assert_ptr_nonnull(agency);
}

static void teardown(void)
{
    agency_reply_fini(&reply);
    agency_free(agency);
}

/* A client that holds the key of this service itself. */
static struct agency *service_new(const char *name, const char *bus)
{
    struct fault fault = {0};
    char peers[PATH_MAX];
    ck_assert(keyring_open(name, NULL, NULL, 0, &fault));
    snprintf(peers, sizeof peers, "%s/peers", getenv("SHIKAKU_KEYS"));
    struct agency *client = agency_new(name, keyring_newest("*", KEY_BUS)->secret, bus, peers);
    keyring_close();
    ck_assert_ptr_nonnull(client);
    return client;
}

static void send_it(struct agency *from, struct agency_request request, const ProtobufCMessage *message)
{
    agency_reply_fini(&reply);
    agency_send(from, request, message, &reply);
}

static void check_rejected(const char *code)
{
    ck_assert_msg(reply.answered, "no answer, where %s was due", code);
    ck_assert_int_eq(reply.outcome, BUS__OUTCOME__REJECT);
    ck_assert_str_eq(reply.fault_code, code);
    ck_assert_uint_eq(reply.payload_len, 0);
}

static void check_done(void)
{
    ck_assert(reply.answered);
    ck_assert_msg(reply.outcome == BUS__OUTCOME__DONE, "%s %s", reply.fault_code, reply.fault_field);
}

/* A piece of an attachment that was never sent before, and the key of sending it. */
struct piece {
    uint8_t bytes[64], key[32];
    Intake__AttachmentRequest request;
};

static void piece_make(struct piece *piece)
{
    ck_assert_int_eq(RAND_bytes(piece->bytes, sizeof piece->bytes), 1);
    ck_assert_int_eq(RAND_bytes(piece->key, sizeof piece->key), 1);
    intake__attachment_request__init(&piece->request);
    piece->request.piece = (ProtobufCBinaryData){sizeof piece->bytes, piece->bytes};
}

static struct agency_request piece_request(const struct piece *piece)
{
    return (struct agency_request){.to = "intake", .route = "intake_attachment", .key = piece->key};
}

static const char pieces_sql[] = "SELECT count(*) FROM intake.piece",
                  inbox_sql[] = "SELECT count(*) FROM intake.inbox WHERE caller = 'agency-tokyo'";

static void status_ask(struct agency *from, const char *token)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    request.portal_pseudonym = "nobody";
    send_it(
        from, (struct agency_request){.to = "intake", .route = "intake_status", .actor_token = token}, &request.base);
}

/* --- who may send what ------------------------------------------------------------------------------------------- */

/* EXCH-9, AUTH-3: an enrolment names its routes; every other one is refused, and nothing comes of it */
START_TEST(an_agency_calls_its_routes_alone)
{
    struct agency *follower = enrolled_agency_new("agency-follower", "tokyo", "intake_status");
    Intake__DecideRequest decide = INTAKE__DECIDE_REQUEST__INIT;
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    struct piece piece;
    ck_assert_ptr_nonnull(follower);
    piece_make(&piece);
    long pieces = stack_count(pieces_sql);
    status_ask(follower, NULL);
    check_done();
    send_it(follower, piece_request(&piece), &piece.request.base);
    check_rejected("route_not_allowed");
    ck_assert_int_eq(stack_count(pieces_sql), pieces);
    send_it(
        follower, (struct agency_request){.to = "intake", .route = "intake_decide", .key = piece.key}, &decide.base);
    check_rejected("route_not_allowed");
    send_it(follower, (struct agency_request){.to = "vault", .route = "vault_keys"}, &keys.base);
    check_rejected("route_not_allowed");
    send_it(follower, (struct agency_request){.to = "intake", .route = "no_such_route"}, &keys.base);
    check_rejected("route_not_allowed");
    send_it(follower, (struct agency_request){.to = "vault", .route = "intake_status"}, &keys.base);
    check_rejected("route_not_allowed");
    agency_free(follower);
}
END_TEST

/* EXCH-9: the operator's command enrols for agencies' routes only, and under no service's name */
START_TEST(an_enrolment_opens_no_other_route)
{
    ck_assert_ptr_null(enrolled_agency_new("agency-greedy", "tokyo", "vault_release"));
    ck_assert_ptr_null(enrolled_agency_new("agency-greedy", "tokyo", "intake_status intake_decide"));
    ck_assert_ptr_null(enrolled_agency_new("intake", "tokyo", "intake_status"));
    ck_assert_ptr_null(enrolled_agency_new("../agency", "tokyo", "intake_status"));
}
END_TEST

static void check_silent(struct agency *from)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    request.portal_pseudonym = "nobody";
    for (int i = 0; i < 8; i++) { /* whichever thread of intake hears it */
        send_it(
            from, (struct agency_request){.to = "intake", .route = "intake_status", .deadline_ms = 400}, &request.base);
        ck_assert(!reply.answered);
    }
}

/* AUTH-6, EXCH-17: another key, other routes, or no enrolment any more take effect within a second, without a restart
 */
START_TEST(what_an_operator_withdraws_ends)
{
    char path[PATH_MAX];
    struct agency *before = enrolled_agency_new("agency-leaver", "tokyo", "intake_status");
    ck_assert_ptr_nonnull(before);
    for (int i = 0; i < 8; i++) {
        status_ask(before, NULL);
        check_done();
    }
    struct agency *after = enrolled_agency_new("agency-leaver", "tokyo", "intake_attachment");
    ck_assert_ptr_nonnull(after);
    wire_pause(LOOK_AGAIN_MS);
    check_silent(before);
    for (int i = 0; i < 8; i++) {
        status_ask(after, NULL);
        check_rejected("route_not_allowed");
    }
    snprintf(path, sizeof path, "%s/peers/agency-leaver.json", getenv("SHIKAKU_KEYS"));
    ck_assert_int_eq(unlink(path), 0);
    wire_pause(LOOK_AGAIN_MS);
    check_silent(after);
    agency_free(before);
    agency_free(after);
}
END_TEST

/* EXCH-9, NUM-3: a service's right key proves who it is, and gives no other service's routes */
START_TEST(a_service_calls_its_routes_alone)
{
    struct agency *portal = service_new("portal", getenv("SHIKAKU_BUS")),
                  *certificates = service_new("certificates", getenv("SHIKAKU_BUS"));
    Vault__EnrolRequest enrol = VAULT__ENROL_REQUEST__INIT;
    Vault__ReleaseRequest release = VAULT__RELEASE_REQUEST__INIT;
    uint8_t key[32];
    agency_act_key("out of turn", key);
    status_ask(portal, NULL); /* the key is right */
    check_done();
    send_it(portal, (struct agency_request){.to = "vault", .route = "vault_enrol", .key = key}, &enrol.base);
    check_rejected("route_not_allowed");
    release.manager = "saitama";
    release.recipient = "hoikushi";
    send_it(certificates, (struct agency_request){.to = "vault", .route = "vault_release", .key = key}, &release.base);
    check_rejected("route_not_allowed");
    status_ask(certificates, NULL);
    check_rejected("route_not_allowed");
    agency_free(portal);
    agency_free(certificates);
}
END_TEST

/* --- what the envelope must be ----------------------------------------------------------------------------------- */

/* STORE-2, EXCH-9: a frame that proves no sender gets no answer and has no effect */
START_TEST(a_frame_without_proof_gets_no_answer)
{
    uint8_t secret[32], public_key[32];
    char peers[PATH_MAX];
    struct piece piece;
    piece_make(&piece);
    long pieces = stack_count(pieces_sql);
    struct agency_request request = piece_request(&piece);
    request.flaw = AGENCY_ALTERED;
    send_it(agency, request, &piece.request.base);
    ck_assert(!reply.answered);
    ck_assert(agency_key_make(secret, public_key));
    snprintf(peers, sizeof peers, "%s/peers", getenv("SHIKAKU_KEYS"));
    const char *const names[] = {"agency-unknown", "agency-tokyo", "portal"}; /* not enrolled; not its key */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct agency *stranger = agency_new(names[i], secret, getenv("SHIKAKU_BUS"), peers);
        ck_assert_ptr_nonnull(stranger);
        request = piece_request(&piece);
        request.deadline_ms = 1500;
        send_it(stranger, request, &piece.request.base);
        ck_assert_msg(!reply.answered, "%s was answered", names[i]);
        agency_free(stranger);
    }
    ck_assert_int_eq(stack_count(pieces_sql), pieces);
    send_it(agency, piece_request(&piece), &piece.request.base);
    check_done();
    ck_assert_int_eq(stack_count(pieces_sql), pieces + 1);
}
END_TEST

/* STORE-2: what is sealed for one service is nothing to another one */
START_TEST(a_frame_for_another_service_gets_no_answer)
{
    char folder[] = "/tmp/bus-XXXXXX", from[PATH_MAX], to[PATH_MAX];
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    request.portal_pseudonym = "nobody";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(from, sizeof from, "%s/intake.bus", folder);
    snprintf(to, sizeof to, "%s/vault.bus", getenv("SHIKAKU_BUS"));
    ck_assert_int_eq(symlink(to, from), 0);
    struct agency *lost = service_new("portal", folder); /* the key is right; intake's socket is the vault's */
    send_it(
        lost, (struct agency_request){.to = "intake", .route = "intake_status", .deadline_ms = 1500}, &request.base);
    ck_assert(!reply.answered);
    agency_free(lost);
    ck_assert_int_eq(unlink(from), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* EXCH-9: the sender that the envelope names must be the one whom the seal proves */
START_TEST(another_senders_name_is_refused)
{
    struct piece piece;
    piece_make(&piece);
    long pieces = stack_count(pieces_sql);
    struct agency_request request = piece_request(&piece);
    request.flaw = AGENCY_WRONG_SENDER;
    send_it(agency, request, &piece.request.base);
    check_rejected("envelope_altered");
    ck_assert_int_eq(stack_count(pieces_sql), pieces);
}
END_TEST

/* STORE-2: past its deadline, or with a life longer than the contract's minute, an envelope is refused */
START_TEST(an_expired_envelope_is_refused)
{
    struct piece piece;
    piece_make(&piece);
    long pieces = stack_count(pieces_sql);
    struct agency_request request = piece_request(&piece);
    request.flaw = AGENCY_EXPIRED;
    send_it(agency, request, &piece.request.base);
    check_rejected("envelope_expired");
    request = piece_request(&piece);
    request.deadline_ms = 120000;
    send_it(agency, request, &piece.request.base);
    check_rejected("envelope_expired");
    ck_assert_int_eq(stack_count(pieces_sql), pieces);
}
END_TEST

/* A command without the key that makes it one act cannot be kept from happening twice. */
START_TEST(a_command_without_a_key_is_refused)
{
    struct piece piece;
    piece_make(&piece);
    struct agency_request request = piece_request(&piece);
    request.key = NULL;
    send_it(agency, request, &piece.request.base);
    check_rejected("malformed");
    ck_assert_str_eq(reply.fault_field, "idempotency_key");
}
END_TEST

/* --- replays ----------------------------------------------------------------------------------------------------- */

struct kept_reply {
    uint8_t bytes[256];
    size_t len;
};

static void reply_keep(struct kept_reply *kept)
{
    check_done();
    ck_assert_uint_le(reply.payload_len, sizeof kept->bytes);
    ck_assert_uint_gt(reply.payload_len, 0);
    memcpy(kept->bytes, reply.payload, reply.payload_len);
    kept->len = reply.payload_len;
}

static void check_same(const struct kept_reply *kept)
{
    check_done();
    ck_assert_uint_eq(reply.payload_len, kept->len);
    ck_assert_mem_eq(reply.payload, kept->bytes, kept->len);
}

/* LINK-6: nng repeats requests. The same key and content get the same reply bytes and have no second effect, whether
 * the very frame comes again or a new attempt */
START_TEST(a_replay_in_time_has_no_second_effect)
{
    struct piece piece;
    struct kept_reply first;
    piece_make(&piece);
    long pieces = stack_count(pieces_sql), inbox = stack_count(inbox_sql);
    struct agency_request request = piece_request(&piece);
    send_it(agency, request, &piece.request.base);
    reply_keep(&first);
    ck_assert_int_eq(stack_count(inbox_sql), inbox + 1);
    request.flaw = AGENCY_LATE_REPLAY;
    send_it(agency, request, &piece.request.base);
    check_same(&first);
    request.flaw = AGENCY_RIGHT;
    send_it(agency, request, &piece.request.base);
    check_same(&first);
    ck_assert_int_eq(stack_count(pieces_sql), pieces + 1);
    ck_assert_int_eq(stack_count(inbox_sql), inbox + 1);
}
END_TEST

/* LINK-6: the very frame, come again after its deadline, is refused: it cannot be kept for another day */
START_TEST(a_late_replay_is_refused)
{
    struct piece piece;
    piece_make(&piece);
    struct agency_request request = piece_request(&piece);
    request.deadline_ms = 2000;
    send_it(agency, request, &piece.request.base);
    check_done();
    long inbox = stack_count(inbox_sql);
    wire_pause(2100); /* its deadline is over then; there is no event to wait for */
    request.flaw = AGENCY_LATE_REPLAY;
    send_it(agency, request, &piece.request.base);
    check_rejected("envelope_expired");
    ck_assert_int_eq(stack_count(inbox_sql), inbox);
}
END_TEST

/* LINK-6: one key is one content */
START_TEST(a_key_with_other_content_is_refused)
{
    struct piece first, second;
    piece_make(&first);
    piece_make(&second);
    send_it(agency, piece_request(&first), &first.request.base);
    check_done();
    long pieces = stack_count(pieces_sql);
    memcpy(second.key, first.key, sizeof second.key);
    send_it(agency, piece_request(&second), &second.request.base);
    check_rejected("key_reused");
    ck_assert_int_eq(stack_count(pieces_sql), pieces);
}
END_TEST

/* --- a person's right -------------------------------------------------------------------------------------------- */

static struct journey clerks;
static struct agency *portal;

static void clerks_setup(void)
{
    setup();
    ck_assert(journey_open(&clerks, NULL));
    portal = service_new("portal", getenv("SHIKAKU_BUS"));
}

static void clerks_teardown(void)
{
    agency_free(portal);
    journey_close(&clerks);
    teardown();
}

static const char *token_of(const char *role)
{
    struct journey_clerk *clerk = journey_clerk(&clerks, "tokyo", role);
    ck_assert_ptr_nonnull(clerk);
    return clerk->token;
}

static void list_ask(struct agency *from, const char *manager, const char *token)
{
    Intake__ListRequest request = INTAKE__LIST_REQUEST__INIT;
    request.manager = (char *)manager;
    request.limit = 10;
    send_it(from, (struct agency_request){.to = "intake", .route = "intake_list", .actor_token = token}, &request.base);
}

/* AUTH-5, LOG-1: a route with a person's right wants the person's token, whole and as staff signed it */
START_TEST(a_persons_route_wants_a_token)
{
    char altered[8192];
    list_ask(portal, "tokyo", NULL);
    check_rejected("not_authenticated");
    list_ask(portal, "tokyo", "");
    check_rejected("not_authenticated");
    list_ask(portal, "tokyo", "bm8.dG9rZW4");
    check_rejected("not_authenticated");
    const char *token = token_of("counter");
    list_ask(portal, "tokyo", token);
    check_done();
    size_t len = strlen(token);
    ck_assert_uint_lt(len, sizeof altered);
    for (size_t i = 0; i < len; i += len / 7) { /* what it says, and the signature */
        memcpy(altered, token, len + 1);
        altered[i] = altered[i] == 'B' ? 'C' : 'B';
        list_ask(portal, "tokyo", altered);
        check_rejected("not_authenticated");
    }
}
END_TEST

/* AUTH-5: who is known but lacks the right is refused, and so is who has it for another manager */
START_TEST(a_token_without_the_right_is_refused)
{
    Intake__FeeReceiptRequest receipt = INTAKE__FEE_RECEIPT_REQUEST__INIT;
    uint8_t key[32];
    receipt.manager = "tokyo";
    receipt.receipt = "AAAAA-AAAAA";
    receipt.method = "cash";
    receipt.amount = 1;
    agency_act_key("cash", key);
    struct agency_request request = {.to = "intake", .route = "intake_fee_receipt", .key = key};
    request.actor_token = token_of("residence");
    send_it(portal, request, &receipt.base);
    check_rejected("not_permitted");
    request.actor_token = token_of("reviewer");
    send_it(portal, request, &receipt.base);
    check_rejected("not_permitted");
    request.actor_token = token_of("counter"); /* has it: goes on to find no such application */
    send_it(portal, request, &receipt.base);
    check_rejected("not_found");
    list_ask(portal, "saitama", token_of("counter"));
    check_rejected("not_permitted");
    ck_assert_str_eq(reply.fault_field, "manager");
}
END_TEST

/* AUTH-3, EXCH-9: a person's right does not open a route to a sender that may not use it */
START_TEST(a_right_token_from_the_wrong_sender_is_refused)
{
    list_ask(agency, "tokyo", token_of("counter"));
    check_rejected("route_not_allowed");
}
END_TEST

/* LOG-1: what was refused to a known sender is on record: the route, the account where there is one, and the code */
START_TEST(a_refusal_is_on_record)
{
    static const char in_log[] =
        "SELECT count(*) FROM audit.log WHERE service = 'intake' AND act = 'intake_list' AND outcome = 'not_permitted'";
    long before = stack_count(in_log);
    int64_t deadline = journey_clock_ms() + 20000;
    list_ask(portal, "saitama", token_of("reviewer"));
    check_rejected("not_permitted");
    while (stack_count(in_log) != before + 1 && journey_clock_ms() < deadline)
        wire_pause(50);
    ck_assert_int_eq(stack_count(in_log), before + 1);
}
END_TEST

/* --- junk -------------------------------------------------------------------------------------------------------- */

static const char *const services[] = {
    "audit", "staff", "vault", "residence", "intermediate", "records", "certificates", "legacy_sync", "intake"};
#define SERVICES ((int)(sizeof services / sizeof *services))

static long pid_of(const char *service)
{
    char path[PATH_MAX];
    long pid = 0;
    snprintf(path, sizeof path, "%s/pids/%s", getenv("SHIKAKU_RUN"), service);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    return pid;
}

static bool is_ready(const char *service)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "deploy/stack status | grep -qE '^%s +%ld +ready '", service, pid_of(service));
    return system(command) == 0;
}

/* STORE-4: whatever comes in from who can reach a socket, the service stays up and serves */
START_TEST(junk_stops_no_service)
{
    char url[PATH_MAX];
    const char *service = services[_i];
    long pid = pid_of(service);
    snprintf(url, sizeof url, "ipc://%s/%s.bus", getenv("SHIKAKU_BUS"), service);
    ck_assert_int_eq(junk_send(url + strlen("ipc://")), 0);
    ck_assert_int_eq(pid_of(service), pid);
    ck_assert_msg(is_ready(service), "%s is not what it was", service);
    if (strcmp(service, "intake") == 0) {
        status_ask(agency, NULL);
        check_done();
    }
}
END_TEST

static Suite *suite_make(void)
{
    Suite *suite = suite_create("bus_identity");
    TCase *envelopes = tcase_create("envelopes"), *persons = tcase_create("persons"), *junk = tcase_create("junk");
    tcase_set_timeout(envelopes, 60);
    tcase_set_timeout(persons, 60);
    tcase_set_timeout(junk, 60);
    tcase_add_checked_fixture(envelopes, setup, teardown);
    tcase_add_checked_fixture(persons, clerks_setup, clerks_teardown);
    tcase_add_checked_fixture(junk, setup, teardown);
    tcase_add_test(envelopes, an_agency_calls_its_routes_alone);
    tcase_add_test(envelopes, an_enrolment_opens_no_other_route);
    tcase_add_test(envelopes, what_an_operator_withdraws_ends);
    tcase_add_test(envelopes, a_service_calls_its_routes_alone);
    tcase_add_test(envelopes, a_frame_without_proof_gets_no_answer);
    tcase_add_test(envelopes, a_frame_for_another_service_gets_no_answer);
    tcase_add_test(envelopes, another_senders_name_is_refused);
    tcase_add_test(envelopes, an_expired_envelope_is_refused);
    tcase_add_test(envelopes, a_command_without_a_key_is_refused);
    tcase_add_test(envelopes, a_replay_in_time_has_no_second_effect);
    tcase_add_test(envelopes, a_late_replay_is_refused);
    tcase_add_test(envelopes, a_key_with_other_content_is_refused);
    tcase_add_test(persons, a_persons_route_wants_a_token);
    tcase_add_test(persons, a_token_without_the_right_is_refused);
    tcase_add_test(persons, a_right_token_from_the_wrong_sender_is_refused);
    tcase_add_test(persons, a_refusal_is_on_record);
    tcase_add_loop_test(junk, junk_stops_no_service, 0, SERVICES);
    suite_add_tcase(suite, envelopes);
    suite_add_tcase(suite, persons);
    suite_add_tcase(suite, junk);
    return suite;
}

int main(void)
{
    if (!stack_open("bus_identity", 17400))
        return 1;
    SRunner *runner = srunner_create(suite_make());
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    stack_close();
    return failures != 0;
}
