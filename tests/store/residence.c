/* The residence connector on a real PostgreSQL and against the stand-in of the residence network, which is made to
 * hang, to refuse and to be away. The vault is a thread of this test. */
#include <stdatomic.h>

#include "store/networks.h"

#include "chassis/jwe.h"
#include "chassis/programme.h"
#include "intake.pb-c.h"
#include "residence.pb-c.h"
#include "residence/inquiry_messages.h"
#include "residence/inquiry_state.h"
#include "residence/inquiry_steps.h"
#include "residence/inquiry_store.h"
#include "residence/juki_network.h"
#include "vault.pb-c.h"

#define TRIES "3"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "", 0, 0, "sockets"},
    {"SHIKAKU_KEYS", SETTING_TEXT, "", 0, 0, "keys"},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "definitions"},
    {"SHIKAKU_JUKI_URL", SETTING_TEXT, "", 0, 0, "stand-in"},
    {"SHIKAKU_JUKI_TIMEOUT_MS", SETTING_NUMBER, "300", 1, 10000, "wait"},
    {"SHIKAKU_JUKI_CA", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_JUKI_CERTIFICATE", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_JUKI_KEY", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_RESIDENCE_TRIES", SETTING_NUMBER, TRIES, 1, 10, "tries"},
    {"SHIKAKU_RESIDENCE_RETRY_MS", SETTING_NUMBER, "1000", 1, 60000, "wait"},
    {"SHIKAKU_RESIDENCE_LIST_MINUTES", SETTING_NUMBER, "10", 1, 60, "list"},
};
static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_SEAL}, {"mlit", KEY_DATA}, {"tokyo", KEY_DATA}};
static const struct service service = {.name = "residence", .schema_version = 3};

/* --- the vault, as far as residence sees it: a pseudonym is "p" and the number -------------------------------------
 */

static atomic_int releases;

static enum outcome release_act(struct work *peer)
{
    const Vault__ReleaseRequest *request = (const Vault__ReleaseRequest *)peer->request;
    Vault__ReleaseReply reply = VAULT__RELEASE_REPLY__INIT;
    json_t *numbers = json_array();
    releases++;
    for (size_t i = 0; i < request->n_pseudonyms; i++) {
        if (request->pseudonyms[i][0] != 'p') {
            json_decref(numbers);
            return work_refuse_with(peer, FAULT_pseudonym_unknown, "pseudonyms");
        }
        json_array_append_new(
            numbers, json_pack("{ss ss}", "pseudonym", request->pseudonyms[i], "number", request->pseudonyms[i] + 1));
    }
    json_t *plain = json_pack("{so}", "numbers", numbers);
    char *text = json_dumps(plain, 0);
    const struct key *key = keyring_newest("*", KEY_SEAL);
    char *jwk = jwk_public_text(peer->arena, key, arena_format(peer->arena, "%u", key->id));
    reply.sealed = jwe_seal(peer->arena, jwk, NULL, text, strlen(text));
    reply.count = (uint32_t)request->n_pseudonyms;
    free(text);
    json_decref(plain);
    return peer_reply(peer, &reply.base);
}

static const struct message vault_messages[] = {{ROUTE_vault_release, NULL, release_act}};
static const struct service peers[] = {{.name = "vault", .messages = vault_messages, .message_count = 1}, {0}};

static void setup(void)
{
    static const char *const names[] = {"vault", NULL};
    char problem[PROGRAMMES_PROBLEM_MAX];
    networks_start("residence", names);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    networks_open(&service, wants, sizeof wants / sizeof *wants);
    inquiries_serve(programmes_load("deploy/programmes", problem, sizeof problem));
    juki_open();
    inquiry_steps_open();
    releases = 0;
    peers_start(peers);
}

static void teardown(void)
{
    networks_stop();
}

/* --- words of these tests ------------------------------------------------------------------------------------------
 */

#define APPLICATION "6a0c1f52-0000-4000-8000-00000000ab%02d"
#define QUEUE "SELECT count(*) FROM residence.inquiry_queue"
#define STATES_OF "SELECT string_agg(state || ' ' || outcome, ', ' ORDER BY pseudonym) FROM residence.inquiry"

static enum outcome bring(enum route route, const char *key, const ProtobufCMessage *request)
{
    return message_bring(inquiry_messages, inquiry_message_count, route, "intake", key, request);
}

static enum outcome ask(int n, const char *programme, const char *pseudonym)
{
    char application[40];
    Residence__InquireRequest request = RESIDENCE__INQUIRE_REQUEST__INIT;
    snprintf(application, sizeof application, APPLICATION, n);
    request.manager = "mlit";
    request.application = application;
    request.programme = (char *)programme;
    request.pseudonym = (char *)pseudonym;
    return bring(ROUTE_residence_inquire, application, &request.base);
}

static int turn(const char *lane)
{
    return lane_turn(inquiry_lanes, inquiry_lane_count, lane);
}

static void everything_is_due(void)
{
    look("", "UPDATE residence.inquiry_queue SET due_at = now() - interval '1 s'");
}

static Intake__ResidenceAnswered *answered(int n)
{
    return event_of(ROUTE_intake_residence_answered, n, &intake__residence_answered__descriptor);
}

static void people_live(void)
{
    residents_load(json_pack("[ooooo]", resident("999900000019", "99900000011", "架空　花子", "living"),
        resident("999900000027", "99900000012", "架空　次郎", "dead"),
        resident("999900000035", "99900000013", "架空　三郎", "removed"),
        resident("999900000043", "99900000014", "双子　一", "living"),
        resident("999900000051", "99900000015", "双子　一", "living")));
}

/* --- the batch form ------------------------------------------------------------------------------------------------
 */

/* JUKI-1, JUKI-3: several inquiries are one file, and each answer is an event of its own */
START_TEST(a_batch_is_one_file)
{
    people_live();
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    ck_assert_int_eq(ask(2, "kaigishi", "p999900000027"), OUTCOME_DONE);
    ck_assert_int_eq(ask(3, "kaigishi", "p999900000035"), OUTCOME_DONE);
    ck_assert_int_eq(ask(4, "kaigishi", "p999977777777"), OUTCOME_DONE);
    ck_assert_int_eq(turn("batch"), 4);
    ck_assert_int_eq(turn("batch"), 0);
    ck_assert_int_eq(releases, 1);
    ck_assert_uint_eq(standin_took(&juki, "inquiry"), 1);
    shows(STATES_OF, "answered match, answered dead, answered removed, answered none");
    shows(QUEUE, "0");
    work_reset(work);
    for (int i = 0; i < 4; i++) {
        Intake__ResidenceAnswered *event = answered(i);
        ck_assert_str_eq(event->manager, "mlit");
        if (strcmp(event->result, "match") == 0) {
            ck_assert_str_eq(event->person->name, "架空　花子");
            ck_assert_str_eq(event->person->address, "東京都架空区一丁目2番3号");
            ck_assert_str_eq(event->person->birth_date, "19850401");
            ck_assert_str_eq(event->person->sex, "2");
        }
        ck_assert((strcmp(event->result, "none") == 0) == (event->person == NULL));
    }
}
END_TEST

/* JUKI-7: where the terminal is the only way there is no batch inquiry; and a body asks for its own programmes only */
START_TEST(a_terminal_programme_is_not_asked_in_batch)
{
    Residence__InquireRequest request = RESIDENCE__INQUIRE_REQUEST__INIT;
    request.manager = "tokyo";
    request.application = "6a0c1f52-0000-4000-8000-00000000ab01";
    request.programme = "chorishi";
    request.pseudonym = "p999900000019";
    ck_assert_int_eq(bring(ROUTE_residence_inquire, "k", &request.base), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_residence_refused);
    ck_assert_int_eq(ask(1, "hoikushi", "p999900000019"), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    ck_assert_int_eq(ask(1, "nothing", "p999900000019"), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_programme_unknown);
    shows(QUEUE, "0");
}
END_TEST

/* The same act is accepted once. */
START_TEST(a_repeated_inquiry_is_one)
{
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    shows(QUEUE, "1");
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000027"), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_key_reused);
}
END_TEST

/* One pseudonym that the vault does not know holds up nobody else. */
START_TEST(one_unknown_pseudonym_holds_up_nobody)
{
    people_live();
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    ck_assert_int_eq(ask(2, "kaigishi", "unknown"), OUTCOME_DONE);
    ck_assert_int_eq(turn("batch"), 2);
    shows(STATES_OF, "answered match, failed refused");
    shows(QUEUE, "0");
}
END_TEST

/* The network is away, hangs, fails, answers nonsense: inquiries wait and go on; after the set tries a person is asked.
 */
START_TEST(it_waits_while_the_network_is_down)
{
    people_live();
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    standin_behaves(&juki, "hang", "/inquiries", 1);
    ck_assert_int_eq(turn("batch"), 1);
    shows(STATES_OF, "waiting ");
    ck_assert_int_eq(turn("batch"), 0); /* it waits first */
    standin_kill(&juki);
    everything_is_due();
    ck_assert_int_eq(turn("batch"), 1);
    shows(STATES_OF, "waiting ");
    standin_start(&juki);
    everything_is_due();
    ck_assert_int_eq(turn("batch"), 1);
    shows(STATES_OF, "answered match");
    ck_assert_int_eq(ask(2, "kaigishi", "p999900000027"), OUTCOME_DONE);
    standin_behaves(&juki, "fail", "/inquiries", 10);
    for (int i = 0; i < atoi(TRIES); i++) {
        everything_is_due();
        ck_assert_int_eq(turn("batch"), 1);
    }
    shows(STATES_OF, "answered match, failed unavailable");
    work_reset(work);
    ck_assert_str_eq(answered(1)->result, "unavailable");
    shows(QUEUE, "0");
}
END_TEST

/* A turn that was killed after its lease: the lease runs out and another does it; the killed one cannot record any
 * more. */
START_TEST(a_lost_lease_is_taken_over)
{
    struct inquiry leased[INQUIRY_LEASE_MAX];
    people_live();
    ck_assert_int_eq(ask(1, "kaigishi", "p999900000019"), OUTCOME_DONE);
    ck_assert_int_eq(inquiry_lease(work, LANE_BATCH, 16, 60000, leased), 1);
    ck_assert_int_eq(turn("batch"), 0);
    look("", "UPDATE residence.inquiry_queue SET lease_until = now() - interval '1 s'");
    struct inquiry old = leased[0];
    ck_assert_int_eq(inquiry_lease(work, LANE_BATCH, 16, 60000, leased), 1);
    ck_assert_int_eq(leased[0].attempt, 2);
    work_reset(work);
    ck_assert(work_begin(work, "mlit"));
    inquiry_remove_put(work, &old);
    ck_assert_int_eq(work_commit(work, NULL), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_state_conflict);
    shows(QUEUE, "1");
}
END_TEST

/* --- the instant form ----------------------------------------------------------------------------------------------
 */

static void operator_of(const char *manager)
{
    struct actor *actor = &work->state->actor;
    memset(actor, 0, sizeof *actor);
    strcpy(actor->account, "operator1");
    strcpy(actor->manager, manager);
    strcpy(actor->role, "residence");
    actor->rights = 1u << RIGHT_residence_terminal;
}

static enum outcome instant(const char *key, const char *pseudonym, Person__FourItems *person, char id[37])
{
    Residence__InstantRequest request = RESIDENCE__INSTANT_REQUEST__INIT;
    request.manager = "mlit";
    request.programme = "kaigishi";
    request.application = "6a0c1f52-0000-4000-8000-00000000ab01";
    request.key = (char *)key;
    request.pseudonym = (char *)pseudonym;
    request.person = person;
    enum outcome outcome = bring(ROUTE_residence_instant, "instant", &request.base);
    if (outcome == OUTCOME_DONE) {
        Residence__InquireReply *reply = residence__inquire_reply__unpack(
            arena_allocator(work->arena), work->state->reply.len, work->state->reply.data);
        snprintf(id, 37, "%s", reply->inquiry);
    }
    return outcome;
}

static Residence__InstantResultReply *instant_result(const char *id)
{
    Residence__InstantResultRequest request = RESIDENCE__INSTANT_RESULT_REQUEST__INIT;
    request.manager = "mlit";
    request.inquiry = (char *)id;
    if (bring(ROUTE_residence_instant_result, "result", &request.base) != OUTCOME_DONE)
        return NULL;
    return residence__instant_result_reply__unpack(
        arena_allocator(work->arena), work->state->reply.len, work->state->reply.data);
}

/* JUKI-2: by the four items; twins are a list, and the list is gone after its minutes */
START_TEST(an_operator_sees_the_list_for_minutes)
{
    char id[37];
    Person__FourItems items = PERSON__FOUR_ITEMS__INIT;
    items.name = "双子　一";
    items.address = "東京都架空区一丁目2番3号";
    items.birth_date = "19850401";
    items.sex = "2";
    people_live();
    operator_of("mlit");
    ck_assert_int_eq(instant("four_items", "", &items, id), OUTCOME_DONE);
    shows("SELECT position(convert_to('双子', 'UTF8') IN covered) FROM residence.passing", "0");
    ck_assert_str_eq(instant_result(id)->state, "waiting");
    ck_assert_int_eq(turn("instant"), 1);
    ck_assert_int_eq(releases, 0);
    Residence__InstantResultReply *reply = instant_result(id);
    ck_assert_str_eq(reply->state, "answered");
    ck_assert_str_eq(reply->result, "several");
    ck_assert_uint_eq(reply->n_candidates, 2);
    ck_assert_str_eq(reply->candidates[1]->name, "双子　一");
    ck_assert_str_eq(reply->candidates[1]->sex, "2");
    shows("SELECT string_agg(kind, ',') FROM residence.passing", "list");
    ck_assert_str_eq(look("tokyo", "SELECT count(*) FROM residence.passing"), "0");
    ck_assert_int_eq(turn("forget"), 0);
    everything_is_due();
    ck_assert_int_eq(turn("forget"), 1);
    shows("SELECT count(*) FROM residence.passing", "0");
    shows(QUEUE, "0");
    ck_assert_ptr_null(instant_result(id));
    ck_assert_int_eq(work->fault.code, FAULT_not_found);
}
END_TEST

/* JUKI-2, JUKI-9: by the number; another body's operator neither asks nor sees */
START_TEST(another_bodys_operator_sees_nothing)
{
    char id[37];
    people_live();
    operator_of("mlit");
    ck_assert_int_eq(instant("number", "p999900000019", NULL, id), OUTCOME_DONE);
    ck_assert_int_eq(turn("instant"), 1);
    ck_assert_int_eq(releases, 1);
    ck_assert_uint_eq(instant_result(id)->n_candidates, 1);
    operator_of("tokyo");
    ck_assert_ptr_null(instant_result(id));
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    ck_assert_int_eq(instant("number", "p999900000019", NULL, id), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    ck_assert_int_eq(instant("residence_code", "p999900000019", NULL, id), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_item_invalid);
}
END_TEST

/* --- acquisitions --------------------------------------------------------------------------------------------------
 */

/* EXCH-1: 取得番号 and number go on to the network and are forgotten here */
START_TEST(an_acquisition_is_passed_on_and_forgotten)
{
    Residence__AcquireRequest request = RESIDENCE__ACQUIRE_REQUEST__INIT;
    static const char plain[] = "{\"acquisition_number\":\"QTEST\",\"number\":\"999900000019\"}";
    struct arena *arena = arena_new(1 << 20);
    people_live();
    request.manager = "mlit";
    request.acquisition = "6a0c1f52-0000-4000-8000-0000000000aa";
    request.sealed =
        jwe_seal(arena, jwk_public_text(arena, keyring_newest("*", KEY_SEAL), NULL), NULL, plain, sizeof plain - 1);
    ck_assert_int_eq(bring(ROUTE_residence_acquire, "a", &request.base), OUTCOME_DONE);
    ck_assert_int_eq(bring(ROUTE_residence_acquire, "another act", &request.base), OUTCOME_DONE);
    shows(QUEUE, "1");
    standin_behaves(&juki, "fail", "/acquisitions", 1);
    ck_assert_int_eq(turn("acquire"), 1);
    shows("SELECT count(*) FROM residence.passing", "1");
    everything_is_due();
    ck_assert_int_eq(turn("acquire"), 1);
    shows("SELECT count(*) FROM residence.passing", "0");
    shows(QUEUE, "0");
    for (int i = 0; i < 500 && standin_took(&ipn, "acquired") == 0; i++)
        pause_ms(10);
    ck_assert_uint_eq(standin_took(&ipn, "acquired"), 1);
    arena_free(arena);
}
END_TEST

/* The table in C and the CHECK in SQL say the same. */
START_TEST(states_are_those_of_the_database)
{
    for (int i = 0; i < INQUIRY_STATES; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
            "SELECT count(*) FROM pg_constraint WHERE conrelid = 'residence.inquiry'::regclass AND contype = 'c'"
            " AND pg_get_constraintdef(oid) LIKE '%%''%s''%%'",
            inquiry_state_text((enum inquiry_state)i));
        shows(sql, "1");
    }
    struct fault fault = {0};
    enum inquiry_state state = INQUIRY_ANSWERED;
    ck_assert(!inquiry_state_set(&state, INQUIRY_WAITING, &fault));
    ck_assert_int_eq(fault.code, FAULT_state_conflict);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("residence");
    TCase *t = tcase_create("residence");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_batch_is_one_file);
    tcase_add_test(t, a_terminal_programme_is_not_asked_in_batch);
    tcase_add_test(t, a_repeated_inquiry_is_one);
    tcase_add_test(t, one_unknown_pseudonym_holds_up_nobody);
    tcase_add_test(t, it_waits_while_the_network_is_down);
    tcase_add_test(t, a_lost_lease_is_taken_over);
    tcase_add_test(t, an_operator_sees_the_list_for_minutes);
    tcase_add_test(t, another_bodys_operator_sees_nothing);
    tcase_add_test(t, an_acquisition_is_passed_on_and_forgotten);
    tcase_add_test(t, states_are_those_of_the_database);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
