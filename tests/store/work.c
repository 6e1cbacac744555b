/* What the chassis promises every handler: a command happens once, whoever repeats it, and nobody gets in who may not.
 */
#include "kit/staff_word.h"
#include "store/letter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define TOGETHER 8

static struct work *work;
static struct key staff_key;

static const char sql_effect[] = "INSERT INTO intake.effect (what) VALUES ($1)";
static const char sql_touch_none[] = "UPDATE intake.effect SET number = 1 WHERE what = 'is not there'";

static const char sql_effects[] = "SELECT count(*) FROM intake.effect";
static const char sql_once[] = "INSERT INTO intake.counter VALUES ('once', 1)";

static void connections_kill(void)
{
    PGconn *same = PQconnectdb(store.dsn);
    PQclear(PQexec(same,
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE "
        "usename = current_user AND datname = current_database() AND pid <> pg_catalog.pg_backend_pid()"));
    PQfinish(same);
}

static bool submit_check(const ProtobufCMessage *base, struct fault *fault)
{
    const Intake__SubmitRequest *request = (const Intake__SubmitRequest *)base;
    return request->document.len ? true : fault_set(fault, FAULT_item_missing, "document");
}

static void event_put(struct work *by, const char *act)
{
    Intake__ResidenceAnswered event = INTAKE__RESIDENCE_ANSWERED__INIT;
    event.application = "application-1";
    event.inquiry = (char *)act;
    work_outbox(by, ROUTE_intake_residence_answered, "application-1", act, &event.base);
}

/* What a handler may come to where its own effect stands already: false, if it would refuse then. */
static bool first_time(struct work *by, const char *what)
{
    if (strcmp(what, "once by key") == 0)
        pg_queue(by->pg, sql_once, PG_NONE);
    if (strcmp(what, "once by key, asked") == 0)
        PQclear(pg_query(by->pg, sql_once, &by->fault, PG_NONE));
    if (strcmp(what, "look") != 0 && strcmp(what, "once") != 0)
        return by->fault.code == FAULT_NONE;
    PGresult *rows = pg_query(by->pg, sql_effects, &by->fault, PG_NONE);
    bool first = rows && (pg_get_integer(rows, 0, 0) == 0 || strcmp(what, "look") == 0);
    PQclear(rows);
    return first ? true : fault_set(&by->fault, FAULT_state_conflict, NULL);
}

/* Does as the document says. */
static enum outcome submit_act(struct work *by)
{
    const Intake__SubmitRequest *request = (const Intake__SubmitRequest *)by->request;
    const char *what = arena_text(by->arena, request->document.data, request->document.len);
    Intake__SubmitReply reply = INTAKE__SUBMIT_REPLY__INIT;
    char receipt[37];
    if (strcmp(what, "refuse") == 0)
        return work_refuse_with(by, FAULT_item_invalid, "document");
    if (strcmp(what, "refuse without a word") == 0)
        return work_refuse(by);
    if (!work_begin(by, "nara"))
        return work_end(by);
    if (!first_time(by, what))
        return work_refuse(by);
    pg_queue(by->pg, sql_effect, PG_VALUES(pg_text(what)));
    work_audit(by, &(struct touch){.subject = "pseudonym-1", .reason = by->correlation});
    event_put(by, what);
    if (strcmp(what, "call within") == 0 && !work_call(by, ROUTE_intake_status, NULL, by->request, NULL))
        return work_refuse(by);
    if (strcmp(what, "conflict") == 0)
        pg_queue_exactly(by->pg, sql_touch_none, 1, FAULT_state_conflict, PG_NONE);
    if (strcmp(what, "lose the connection") == 0 && owner_count("SELECT count(*) FROM intake.counter") == 0) {
        owner_do("INSERT INTO intake.counter VALUES ('lost once', 1)");
        connections_kill();
    }
    uuid_make(receipt);
    reply.receipt = receipt;
    return work_commit(by, &reply.base);
}

static enum outcome decide_act(struct work *by)
{
    Intake__DecideReply reply = INTAKE__DECIDE_REPLY__INIT;
    const Intake__DecideRequest *request = (const Intake__DecideRequest *)by->request;
    /* A handler that forgets to hold the person against the rights table. */
    if (strcmp(request->decision, "forget") != 0 &&
        !work_permits(by, &(struct affair){.manager = by->actor->manager, .programme = "jun-kangoshi"}))
        return work_refuse(by);
    if (!work_begin(by, by->actor->manager))
        return work_end(by);
    pg_queue(by->pg, sql_effect, PG_VALUES(pg_text(by->actor->account)));
    work_audit(by, &(struct touch){.subject = "pseudonym-1", .reason = by->correlation});
    return work_commit(by, &reply.base);
}

static enum outcome status_act(struct work *by)
{
    Intake__StatusReply reply = INTAKE__STATUS_REPLY__INIT;
    return work_commit(by, &reply.base);
}

static const struct message messages[] = {
    {ROUTE_intake_submit, submit_check, submit_act},
    {ROUTE_intake_decide, NULL, decide_act},
    {ROUTE_intake_status, NULL, status_act},
};
static const struct service service = {
    .name = "intake", .schema_version = 4, .messages = messages, .message_count = sizeof messages / sizeof *messages};

static void start(void)
{
    char hex[65];
    uint8_t half[32];
    struct fault fault = {0};
    letters_start();
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    ring_as("staff");
    staff_key = *keyring_newest("*", KEY_SIGN);
    ring_as("intake");
    ck_assert(key_ed25519_public(&staff_key, half));
    hex_put(hex, half, 32);
    ring_file_write("staff.sign.pub", hex);
    staff_word_take();
    work = work_of(&service);
}

static void end(void)
{
    work_free(work);
    letters_end();
}

static struct letter decide_letter(const char *from)
{
    Intake__DecideRequest request = INTAKE__DECIDE_REQUEST__INIT;
    return letter_make(from, "intake_decide", &request.base);
}

static struct letter status_letter(const char *from)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    return letter_make(from, "intake_status", &request.base);
}

static int64_t effects(void)
{
    return owner_count("SELECT count(*) FROM intake.effect");
}

static void assert_nothing_done(void)
{
    ck_assert_int_eq(effects(), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.inbox"), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 0);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox WHERE position('done' in "
                                 "encode(event, 'escape')) > 0"),
        0);
}

static void assert_same_payload(struct answer one, struct answer other)
{
    ck_assert_int_eq(one.outcome, OUTCOME_DONE);
    ck_assert_int_eq(other.outcome, OUTCOME_DONE);
    ck_assert_uint_gt(one.payload.len, 30);
    ck_assert_uint_eq(one.payload.len, other.payload.len);
    ck_assert_mem_eq(one.payload.data, other.payload.data, one.payload.len);
}

/* --- once -------------------------------------------------------------------------------------------------------- */

/* Whatever the handler comes to at the second time: it looks, it would refuse, its statement fails. */
static const char *const ways[] = {"do", "look", "once", "once by key", "once by key, asked"};
#define WAYS (int)(sizeof ways / sizeof *ways)

/* pitfalls 1: the bytes come again, as nng repeats them; and again as a new attempt of the same act */
START_TEST(a_repetition_gets_the_same_reply_and_has_no_second_effect)
{
    uint8_t other_id[16] = {7};
    struct letter letter = submit_letter("portal", ways[_i]);
    struct answer first = letter_send(work, &letter);
    for (int i = 0; i < 3; i++)
        assert_same_payload(first, letter_send(work, &letter));
    letter.envelope.message_id.data = other_id;
    letter.envelope.sent_at_ms += 1;
    assert_same_payload(first, letter_send(work, &letter));
    ck_assert_int_eq(effects(), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), 1);
    ck_assert_int_eq(chains_check(), 1);
}
END_TEST

struct together {
    pthread_t thread;
    struct work *work;
    struct bytes frame, answer;
};

static pthread_barrier_t barrier;

static void *together_run(void *argument)
{
    struct together *self = argument;
    pthread_barrier_wait(&barrier);
    self->answer = dispatch(self->work, self->frame.data, self->frame.len);
    return NULL;
}

/* pitfalls 1: handled at the same time by several workers */
START_TEST(repetitions_at_the_same_time_have_one_effect)
{
    struct together all[TOGETHER];
    struct letter letter = submit_letter("portal", ways[_i]);
    struct sealer *sealer = sealer_by(&letter);
    struct bytes frame = letter_frame(sealer, &letter);
    pthread_barrier_init(&barrier, NULL, TOGETHER);
    for (int i = 0; i < TOGETHER; i++) {
        all[i] = (struct together){.work = work_of(&service), .frame = frame};
        pthread_create(&all[i].thread, NULL, together_run, &all[i]);
    }
    for (int i = 0; i < TOGETHER; i++)
        pthread_join(all[i].thread, NULL);
    struct answer first = answer_read(sealer, &letter, all[0].answer);
    for (int i = 0; i < TOGETHER; i++) {
        assert_same_payload(first, answer_read(sealer, &letter, all[i].answer));
        work_free(all[i].work);
    }
    sealer_free(sealer);
    ck_assert_int_eq(effects(), 1);
    ck_assert_int_eq(chains_check(), 1);
}
END_TEST

START_TEST(the_same_key_with_other_content_is_refused)
{
    struct letter letter = submit_letter("portal", ways[_i]), other = submit_letter("portal", "do else");
    struct answer first = letter_send(work, &letter);
    other.envelope.idempotency_key = letter.envelope.idempotency_key;
    assert_refused(letter_send(work, &other), FAULT_key_reused);
    ck_assert_int_eq(effects(), 1);
    assert_same_payload(first, letter_send(work, &letter)); /* the first stands */
    ck_assert_int_eq(chains_check(), 2);                    /* the effect and the refusal */
}
END_TEST

START_TEST(the_same_key_of_another_route_is_refused)
{
    struct letter letter = submit_letter("portal", "do");
    struct letter other = decide_letter("portal");
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    other.envelope.idempotency_key = letter.envelope.idempotency_key;
    other.envelope.actor_token = token_make(&staff_key, "nara", "review", clock_ms() + 60000);
    assert_refused(letter_send(work, &other), FAULT_key_reused);
}
END_TEST

static void agency_enrol(const char *name, const char *routes)
{
    char file[80], content[400], hex[65];
    ring_public(name, hex);
    snprintf(content, sizeof content, "{\"key\":\"%s\",\"manager\":\"nara\",\"routes\":[%s]}", hex, routes);
    snprintf(file, sizeof file, "%s.json", name);
    ring_file_write(file, content);
}

START_TEST(the_same_key_of_another_caller_is_another_act)
{
    agency_enrol("nara_office", "\"intake_submit\"");
    struct letter letter = submit_letter("portal", "do"), other = submit_letter("nara_office", "do");
    other.envelope.idempotency_key = letter.envelope.idempotency_key;
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    ck_assert_int_eq(letter_send(work, &other).outcome, OUTCOME_DONE);
    ck_assert_int_eq(effects(), 2);
}
END_TEST

START_TEST(a_command_without_key_is_refused)
{
    struct letter letter = submit_letter("portal", "do");
    letter.envelope.idempotency_key.len = (size_t)(_i * 31);
    struct answer answer = letter_send(work, &letter);
    assert_refused(answer, FAULT_malformed);
    ck_assert_str_eq(answer.field, "idempotency_key");
    assert_nothing_done();
}
END_TEST

START_TEST(a_query_needs_no_key)
{
    struct letter letter = status_letter("portal");
    letter.envelope.idempotency_key.len = 0;
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
}
END_TEST

/* --- times ------------------------------------------------------------------------------------------------------- */

START_TEST(a_late_replay_is_refused)
{
    struct letter letter = submit_letter("portal", "do");
    letter.envelope.deadline_ms = clock_ms() + 300;
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    while (clock_ms() <= letter.envelope.deadline_ms)
        usleep(10000);
    assert_refused(letter_send(work, &letter), FAULT_envelope_expired);
    ck_assert_int_eq(effects(), 1);
}
END_TEST

static const struct {
    int64_t sent, deadline; /* from now on, unless they are the ends of time */
} wrong_times[] = {
    {-2000, -1000},
    {60000, 70000},         /* sent in the future */
    {0, 3600000},           /* lives too long */
    {-3600000, 10000},      /* sent an hour ago, and still waited for */
    {INT64_MIN, INT64_MAX}, /* the difference is more than a number holds */
    {INT64_MIN, 10000},
    {INT64_MAX, INT64_MAX},
    {INT64_MAX, INT64_MIN},
};

static int64_t from_now(int64_t ms)
{
    return ms == INT64_MIN || ms == INT64_MAX ? ms : clock_ms() + ms;
}

START_TEST(wrong_times_are_refused)
{
    struct letter letter = submit_letter("portal", "do");
    letter.envelope.sent_at_ms = from_now(wrong_times[_i].sent);
    letter.envelope.deadline_ms = from_now(wrong_times[_i].deadline);
    assert_refused(letter_send(work, &letter), FAULT_envelope_expired);
    assert_nothing_done();
}
END_TEST

/* --- who --------------------------------------------------------------------------------------------------------- */

START_TEST(a_sender_that_is_not_who_sealed_is_refused)
{
    struct letter letter = submit_letter("records", "do");
    letter.envelope.sender = "portal";
    assert_refused(letter_send(work, &letter), FAULT_envelope_altered);
    letter = submit_letter("portal", "do");
    letter.envelope.recipient = "vault";
    assert_refused(letter_send(work, &letter), FAULT_envelope_altered);
    letter = submit_letter("portal", "do");
    letter.envelope.message_id.len = 15;
    struct sealer *sealer = sealer_by(&letter);
    struct bytes frame = letter_frame(sealer, &letter);
    ck_assert_ptr_nonnull(dispatch(work, frame.data, frame.len).data);
    sealer_free(sealer);
    assert_nothing_done();
}
END_TEST

START_TEST(a_route_from_the_wrong_service_is_refused)
{
    struct letter letter = submit_letter("records", "do");
    assert_refused(letter_send(work, &letter), FAULT_route_not_allowed);
    static const char *const routes[] = {"vault_enrol", "intake_list", "no_such_route", ""};
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) { /* another's, one that is not served, none */
        letter = submit_letter("portal", "do");
        letter.envelope.route = (char *)routes[i];
        assert_refused(letter_send(work, &letter), FAULT_route_not_allowed);
    }
    assert_nothing_done();
}
END_TEST

START_TEST(an_agency_sends_what_it_is_enrolled_for)
{
    agency_enrol("nara_office", "\"intake_submit\",\"intake_decide\"");
    struct letter letter = submit_letter("nara_office", "do");
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    letter = status_letter("nara_office");
    assert_refused(letter_send(work, &letter), FAULT_route_not_allowed); /* not enrolled for */
    letter = decide_letter("nara_office");
    assert_refused(letter_send(work, &letter), FAULT_route_not_allowed); /* enrolled, but no agency's route */
}
END_TEST

START_TEST(a_frame_that_proves_nobody_is_not_answered)
{
    struct letter letter = submit_letter("portal", "do");
    struct sealer *sealer = sealer_by(&letter);
    struct bytes frame = letter_frame(sealer, &letter);
    frame.data[frame.len - 20] ^= 1;
    ck_assert_ptr_null(dispatch(work, frame.data, frame.len).data);
    ck_assert_ptr_null(dispatch(work, "", 0).data);
    sealer_free(sealer);
    letter.by = "records"; /* seals as portal with the key of records */
    letter.named = "portal";
    sealer = sealer_by(&letter);
    frame = letter_frame(sealer, &letter);
    ck_assert_ptr_null(dispatch(work, frame.data, frame.len).data);
    sealer_free(sealer);
    assert_nothing_done();
}
END_TEST

/* AUTH-5 */
START_TEST(a_persons_route_needs_the_persons_right)
{
    struct key other = staff_key;
    other.secret[0] ^= 1;
    int64_t later = clock_ms() + 60000;
    char *altered = token_make(&staff_key, "nara", "review", later);
    altered[3] = altered[3] == 'A' ? 'B' : 'A';
    const struct {
        const char *token;
        enum fault_code code;
    } wrong[] = {
        {"", FAULT_not_authenticated},
        {"x.y", FAULT_not_authenticated},
        {altered, FAULT_not_authenticated},
        {token_make(&other, "nara", "review", later), FAULT_not_authenticated},
        {token_make(&staff_key, "nara", "review", clock_ms() - 1), FAULT_not_authenticated},
        {token_make(&staff_key, "nara", "paper_enter", later), FAULT_not_permitted},
        {token_make(&staff_key, "nara", "no_such_right", later), FAULT_not_permitted},
    };
    struct letter letter = decide_letter("portal");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        letter.envelope.actor_token = (char *)wrong[i].token;
        assert_refused(letter_send(work, &letter), wrong[i].code);
    }
    assert_nothing_done();
    ck_assert_int_eq(chains_check(), sizeof wrong / sizeof *wrong); /* each refusal is recorded */
    letter.envelope.actor_token = token_make(&staff_key, "nara", "review", later);
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect WHERE what = 'sato'"), 1);
}
END_TEST

/* AUTH-5: a handler that does not ask is not taken to have been answered yes */
START_TEST(nothing_is_done_for_a_person_who_was_not_held_against_the_rights)
{
    Intake__DecideRequest request = INTAKE__DECIDE_REQUEST__INIT;
    request.decision = "forget";
    struct letter letter = letter_make("portal", "intake_decide", &request.base);
    letter.envelope.actor_token = token_make(&staff_key, "nara", "review", clock_ms() + 60000);
    assert_refused(letter_send(work, &letter), FAULT_internal);
    assert_nothing_done();
}
END_TEST

/* --- what -------------------------------------------------------------------------------------------------------- */

static enum fault_code payload_refusal(const void *data, size_t len)
{
    struct letter letter = submit_letter("portal", "do");
    letter.envelope.payload = (ProtobufCBinaryData){len, (uint8_t *)data};
    struct answer answer = letter_send(work, &letter);
    ck_assert(answer.came);
    return answer.code;
}

START_TEST(a_payload_of_the_wrong_shape_is_refused)
{
    static uint8_t large[BUS_PAYLOAD_MAX + 1], many[60000];
    for (size_t i = 0; i < sizeof many; i += 2)
        many[i] = 0x0a;
    ck_assert_int_eq(payload_refusal("\xff\xff\xff", 3), FAULT_malformed);
    ck_assert_int_eq(payload_refusal("\x0a\x7f", 2), FAULT_malformed);
    ck_assert_int_eq(
        payload_refusal("\x0a\x01x\x22\x02\xc0\xaf", 7), FAULT_malformed); /* portal_pseudonym is no text */
    ck_assert_int_eq(payload_refusal(many, sizeof many), FAULT_malformed);
    ck_assert_int_eq(payload_refusal(large, sizeof large), FAULT_too_large);
    struct letter empty = submit_letter("portal", "");
    struct answer answer = letter_send(work, &empty);
    assert_refused(answer, FAULT_item_missing);
    ck_assert_str_eq(answer.field, "document");
    assert_nothing_done();
}
END_TEST

/* LOG-1: a refusal is recorded although nothing else is */
START_TEST(a_refusal_is_recorded_and_not_kept_as_reply)
{
    struct letter letter = submit_letter("portal", "refuse");
    assert_refused(letter_send(work, &letter), FAULT_item_invalid);
    assert_nothing_done();
    ck_assert_int_eq(chains_check(), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox WHERE position('item_invalid' in "
                                 "encode(event, 'escape')) > 0"),
        1);
}
END_TEST

START_TEST(a_refusal_without_a_reason_is_not_done)
{
    struct letter letter = submit_letter("portal", "refuse without a word");
    assert_refused(letter_send(work, &letter), FAULT_internal);
    assert_nothing_done();
}
END_TEST

START_TEST(a_call_inside_a_transaction_fails)
{
    struct letter letter = submit_letter("portal", "call within");
    assert_refused(letter_send(work, &letter), FAULT_internal);
    assert_nothing_done();
}
END_TEST

/* LOG-1, LOG-2: what is recorded has no gap, whatever failed in between */
START_TEST(the_chain_goes_on_after_a_failed_commit)
{
    static const char *const acts[] = {"do", "conflict", "do 2", "refuse", "conflict", "conflict", "do 3"};
    int done = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct letter letter = submit_letter("portal", acts[i]);
        struct answer answer = letter_send(work, &letter);
        bool does = strncmp(acts[i], "do", 2) == 0;
        ck_assert_int_eq(answer.outcome == OUTCOME_DONE, does);
        ck_assert(does || answer.code == (strcmp(acts[i], "refuse") == 0 ? FAULT_item_invalid : FAULT_state_conflict));
        done += does;
        ck_assert_int_eq(chains_check(), (int)i + 1); /* done or refused: one record each */
    }
    ck_assert_int_eq(effects(), done);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.outbox"), done);
}
END_TEST

/* pitfalls 11: whether the COMMIT took place is not known to who lost the connection; the repetition finds out */
START_TEST(a_lost_commit_is_retried_and_happens_once)
{
    struct letter letter = submit_letter("portal", "lose the connection");
    assert_refused(letter_send(work, &letter), FAULT_unavailable);
    ck_assert_int_eq(letter_send(work, &letter).outcome, OUTCOME_DONE);
    assert_same_payload(letter_send(work, &letter), letter_send(work, &letter));
    ck_assert_int_eq(effects(), 1);
    ck_assert_int_eq(chains_check(), 1);
}
END_TEST

/* NUM-8: what lies between services lies covered */
START_TEST(stored_replies_and_events_are_covered)
{
    struct letter letter = submit_letter("portal", "do");
    struct answer answer = letter_send(work, &letter);
    Intake__SubmitReply *reply =
        intake__submit_reply__unpack(arena_allocator(letters), answer.payload.len, answer.payload.data);
    char *sql = arena_format(
        letters, "SELECT count(*) FROM intake.inbox WHERE position('%s'::bytea in reply) > 0", reply->receipt);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.inbox WHERE octet_length(reply) > 32"), 1);
    ck_assert_int_eq(owner_count(sql), 0);
    ck_assert_int_eq(
        owner_count("SELECT count(*) FROM intake.outbox WHERE position('application-1'::bytea in payload) > 0"), 0);
}
END_TEST

int main(void)
{
    journal_open("test");
    Suite *suite = suite_create("work");
    TCase *cases = tcase_create("work");
    tcase_add_unchecked_fixture(cases, letters_once, letters_once_end);
    tcase_add_checked_fixture(cases, start, end);
    tcase_set_timeout(cases, 30);
    tcase_add_loop_test(cases, a_repetition_gets_the_same_reply_and_has_no_second_effect, 0, WAYS);
    tcase_add_loop_test(cases, repetitions_at_the_same_time_have_one_effect, 0, WAYS);
    tcase_add_loop_test(cases, the_same_key_with_other_content_is_refused, 0, WAYS);
    tcase_add_test(cases, the_same_key_of_another_route_is_refused);
    tcase_add_test(cases, the_same_key_of_another_caller_is_another_act);
    tcase_add_loop_test(cases, a_command_without_key_is_refused, 0, 2);
    tcase_add_test(cases, a_query_needs_no_key);
    tcase_add_test(cases, a_late_replay_is_refused);
    tcase_add_loop_test(cases, wrong_times_are_refused, 0, sizeof wrong_times / sizeof *wrong_times);
    tcase_add_test(cases, a_sender_that_is_not_who_sealed_is_refused);
    tcase_add_test(cases, a_route_from_the_wrong_service_is_refused);
    tcase_add_test(cases, an_agency_sends_what_it_is_enrolled_for);
    tcase_add_test(cases, a_frame_that_proves_nobody_is_not_answered);
    tcase_add_test(cases, a_persons_route_needs_the_persons_right);
    tcase_add_test(cases, nothing_is_done_for_a_person_who_was_not_held_against_the_rights);
    tcase_add_test(cases, a_payload_of_the_wrong_shape_is_refused);
    tcase_add_test(cases, a_refusal_is_recorded_and_not_kept_as_reply);
    tcase_add_test(cases, a_refusal_without_a_reason_is_not_done);
    tcase_add_test(cases, a_call_inside_a_transaction_fails);
    tcase_add_test(cases, the_chain_goes_on_after_a_failed_commit);
    tcase_add_test(cases, a_lost_commit_is_retried_and_happens_once);
    tcase_add_test(cases, stored_replies_and_events_are_covered);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
