/* The gateway on a real PostgreSQL and against the stand-ins of the provision network and of the holder of family
 * registers. vault and residence are threads of this test. */
#include <stdatomic.h>

#include "store/networks.h"

#include "chassis/jwe.h"
#include "chassis/programme.h"
#include "intake.pb-c.h"
#include "intermediate.pb-c.h"
#include "intermediate/acquisition_number.h"
#include "intermediate/gateway_messages.h"
#include "intermediate/gateway_state.h"
#include "intermediate/gateway_steps.h"
#include "intermediate/gateway_store.h"
#include "intermediate/network.h"
#include "residence.pb-c.h"
#include "vault.pb-c.h"

#define TRIES "3"

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"},
    {"SHIKAKU_BUS", SETTING_TEXT, "", 0, 0, "sockets"},
    {"SHIKAKU_KEYS", SETTING_TEXT, "", 0, 0, "keys"},
    {"SHIKAKU_NETWORK_URL", SETTING_TEXT, "", 0, 0, "stand-in"},
    {"SHIKAKU_NETWORK_TIMEOUT_MS", SETTING_NUMBER, "300", 1, 10000, "wait"},
    {"SHIKAKU_NETWORK_CA", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_NETWORK_CERTIFICATE", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_NETWORK_KEY", SETTING_TEXT, "", 0, 0, ""},
    {"SHIKAKU_NETWORK_TRIES", SETTING_NUMBER, TRIES, 1, 10, "tries"},
    {"SHIKAKU_NETWORK_RETRY_MS", SETTING_NUMBER, "1000", 1, 60000, "wait"},
    {"SHIKAKU_NETWORK_PATIENCE_HOURS", SETTING_NUMBER, "1", 1, 720, "wait"},
    {"SHIKAKU_NETWORK_KEEP_HOURS", SETTING_NUMBER, "24", 1, 720, "keep"},
};
static const struct key_want wants[] = {
    {"*", KEY_DATA}, {"mlit", KEY_DATA}, {"mlit", KEY_SEAL}, {"nara", KEY_DATA}, {"nara", KEY_SEAL}};
static const struct service service = {.name = "intermediate", .schema_version = 2};

/* --- vault and residence, as far as the gateway sees them: a gateway id is "g" and the number ----------------------
 */

static char last_acquisition_number[64];
static atomic_bool vault_down;

static enum outcome acquisition_act(struct work *peer)
{
    const Vault__AcquisitionRequest *request = (const Vault__AcquisitionRequest *)peer->request;
    Vault__AcquisitionReply reply = VAULT__ACQUISITION_REPLY__INIT;
    if (vault_down)
        return work_refuse_with(peer, FAULT_unavailable, "vault");
    if (request->gateway_id[0] != 'g')
        return work_refuse_with(peer, FAULT_pseudonym_unknown, "gateway_id");
    snprintf(last_acquisition_number, sizeof last_acquisition_number, "%s", request->acquisition_number);
    reply.sealed = arena_format(peer->arena, "%s|%s", request->acquisition_number, request->gateway_id + 1);
    return peer_reply(peer, &reply.base);
}

static enum outcome acquire_act(struct work *peer)
{
    const Residence__AcquireRequest *request = (const Residence__AcquireRequest *)peer->request;
    Residence__AcquireReply reply = RESIDENCE__ACQUIRE_REPLY__INIT;
    char *bar = strchr(request->sealed, '|');
    *bar = 0;
    json_decref(standin_call(&juki, "POST", "/acquisitions",
        json_pack("[{ss ss ss}]", "acquisition_number", request->sealed, "number", bar + 1, "body", request->manager)));
    return peer_reply(peer, &reply.base);
}

static const struct message vault_messages[] = {{ROUTE_vault_acquisition, NULL, acquisition_act}};
static const struct message residence_messages[] = {{ROUTE_residence_acquire, NULL, acquire_act}};
static const struct service peers[] = {{.name = "vault", .messages = vault_messages, .message_count = 1},
    {.name = "residence", .messages = residence_messages, .message_count = 1}, {0}};

/* The last figure of a number says which family register its holder has. */
static json_t *resident_with_family(const char *number, const char *code, const char *which)
{
    json_t *person = resident(number, code, "架空　花子", "living");
    json_object_set_new(
        person, "family", json_pack("{ss ss}", "case", which, "domicile", "東京都架空区千代田一丁目1番地"));
    return person;
}

static void setup(void)
{
    static const char *const names[] = {"vault", "residence", NULL};
    char problem[PROGRAMMES_PROBLEM_MAX];
    networks_start("intermediate", names);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    networks_open(&service, wants, sizeof wants / sizeof *wants);
    gateway_serve(programmes_load("deploy/programmes", problem, sizeof problem));
    network_open();
    gateway_steps_open();
    vault_down = false;
    peers_start(peers);
    residents_load(json_pack("[ooo]", resident_with_family("999900000019", "99900000011", "found"),
        resident_with_family("999900000027", "99900000012", "undetermined"),
        resident_with_family("999900000035", "99900000013", "none")));
}

static void teardown(void)
{
    networks_stop();
}

/* --- words of these tests ------------------------------------------------------------------------------------------
 */

#define SHIP_AFFAIR "船舶職員及び小型船舶操縦者法による海技免許又は操縦免許に関する事務"
#define NURSE_AFFAIR "保健師助産師看護師法による准看護師の免許に関する事務"
#define STATE "SELECT state || ' ' || outcome FROM intermediate.inquiry"
#define QUEUE "SELECT count(*) FROM intermediate.inquiry_queue"

static enum outcome ask_for(
    const char *manager, const char *programme, const char *affair, const char *gateway_id, int n)
{
    char application[40];
    Intermediate__InquireRequest request = INTERMEDIATE__INQUIRE_REQUEST__INIT;
    snprintf(application, sizeof application, "6a0c1f52-0000-4000-8000-00000000ab%02d", n);
    request.manager = (char *)manager;
    request.application = application;
    request.programme = (char *)programme;
    request.gateway_id = (char *)gateway_id;
    request.affair = (char *)affair;
    request.item = "戸籍関係情報";
    return message_bring(
        gateway_messages, gateway_message_count, ROUTE_intermediate_inquire, "intake", application, &request.base);
}

static void ask(const char *gateway_id, int n)
{
    ck_assert_int_eq(ask_for("mlit", "kaigishi", SHIP_AFFAIR, gateway_id, n), OUTCOME_DONE);
}

static int turn(const char *lane)
{
    return lane_turn(gateway_lanes, gateway_lane_count, lane);
}

static void everything_is_due(void)
{
    look("", "UPDATE intermediate.inquiry_queue SET due_at = now() - interval '1 s' WHERE lane <> 'forget'");
}

/* Turn both lanes until the count of inquiries in `state` is `count`. */
static void goes_to(const char *state, int count)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM intermediate.inquiry WHERE state = '%s'", state);
    for (int i = 0; i < 500 && atoi(look("mlit", sql)) < count; i++) {
        everything_is_due();
        (void)turn("acquire");
        (void)turn("network");
        pause_ms(5);
    }
    ck_assert_int_eq(atoi(look("mlit", sql)), count);
}

static Intake__FamilyAnswered *answered(int n)
{
    work_reset(work);
    return event_of(ROUTE_intake_family_answered, n, &intake__family_answered__descriptor);
}

/* --- the whole way -------------------------------------------------------------------------------------------------
 */

/* EXCH-1, EXCH-2, EXCH-4, EXCH-6, EXCH-8 */
START_TEST(a_family_register_is_had)
{
    ask("g999900000019", 1);
    shows(STATE, "code_needed ");
    ck_assert_int_eq(turn("acquire"), 1);
    shows(STATE, "code_requested ");
    goes_to("answered", 1);
    shows(STATE, "answered found");
    Intake__FamilyAnswered *event = answered(0);
    ck_assert_str_eq(event->result, "found");
    ck_assert_str_eq(event->domicile, "東京都架空区千代田一丁目1番地");
    ck_assert_str_eq(event->manager, "mlit");
    ck_assert_str_eq(event->application, "6a0c1f52-0000-4000-8000-00000000ab01");
    /* Who asked whom, when, for what, and the 処理通番; kept for seven years (番号法23条, 施行令30条). */
    shows("SELECT inquirer || ' ' || provider || ' ' || item || ' ' || outcome FROM intermediate.exchange_record",
        "mlit 法務大臣 戸籍関係情報 found");
    shows(
        "SELECT count(*) FROM intermediate.exchange_record WHERE asked_at <= provided_at AND processing_number <> ''"
        " AND keep_until >= (now() + interval '6 years 364 days')::date",
        "1");
    /* The application lies there covered: in clear it would lead from the gateway's person to a roll's (NUM-1). */
    shows(
        "SELECT count(*) FROM intermediate.exchange_record r WHERE application IS NULL AND octet_length(cause) > 36"
        " AND position('6a0c1f52-0000-4000-8000-00000000ab01' IN r::text || encode(cause, 'escape')) = 0",
        "1");
    ck_assert_uint_eq(standin_took(&ipn, "inquiry"), 1);
    ck_assert_uint_eq(standin_took(&ipn, "provision"), 1);
    ck_assert_uint_eq(standin_took(&moj, "provision"), 1);
    shows("SELECT count(*) FROM intermediate.audit_outbox WHERE position('intermediate_inquire'::bytea IN event) > 0",
        "1");
    shows("SELECT count(*) FROM intermediate.audit_outbox WHERE position('intermediate_answered'::bytea IN event) > 0",
        "1");
    shows("SELECT count(*) > 0 FROM intermediate.audit_outbox WHERE position('intermediate_tried'::bytea IN event) > 0",
        "t");
}
END_TEST

/* EXCH-1: the 取得番号 is neither number nor 住民票コード, lies covered, and is gone once the code is had */
START_TEST(the_acquisition_number_is_forgotten)
{
    char sql[256];
    ask("g999900000019", 1);
    shows("SELECT count(*) FROM intermediate.acquisition", "1");
    ck_assert_int_eq(turn("acquire"), 1);
    ck_assert_int_eq(strspn(last_acquisition_number, "0123456789"), 0);
    ck_assert_uint_eq(strlen(last_acquisition_number), ACQUISITION_NUMBER_SIZE - 1);
    snprintf(sql, sizeof sql, "SELECT position(convert_to('%s', 'UTF8') IN covered) FROM intermediate.acquisition",
        last_acquisition_number);
    shows(sql, "0");
    goes_to("asked", 1);
    shows("SELECT count(*) FROM intermediate.acquisition", "0");
    shows("SELECT count(*) FROM intermediate.code", "1");
}
END_TEST

/* EXCH-1, EXCH-11: a person's code is acquired once a body, and each body has another */
START_TEST(the_code_is_kept_per_body)
{
    ask("g999900000019", 1);
    goes_to("answered", 1);
    ask("g999900000019", 2);
    shows("SELECT state FROM intermediate.inquiry WHERE application LIKE '%02'", "code_had");
    goes_to("answered", 2);
    ck_assert_uint_eq(standin_took(&ipn, "acquired"), 1);
    ck_assert_str_eq(look("nara", "SELECT count(*) FROM intermediate.code"), "0");
    ck_assert_int_eq(ask_for("nara", "jun-kangoshi", NURSE_AFFAIR, "g999900000019", 3), OUTCOME_DONE);
    for (int i = 0; i < 500 && standin_took(&ipn, "inquiry") < 3; i++) {
        everything_is_due();
        (void)turn("acquire");
        (void)turn("network");
    }
    json_t *answer = standin_call(&ipn, "GET", "/ledger?kind=inquiry", NULL), *rows = json_object_get(answer, "rows");
    ck_assert_uint_eq(json_array_size(rows), 3);
    const char *permits[3];
    for (size_t i = 0; i < 3; i++)
        permits[i] = json_string_value(json_object_get(json_object_get(json_array_get(rows, i), "body"), "permit"));
    ck_assert_str_ne(permits[0], permits[2]);
    json_decref(answer);
    ck_assert_uint_eq(standin_took(&ipn, "acquired"), 2);
}
END_TEST

/* Two inquiries about one person at once share one 取得番号. */
START_TEST(two_inquiries_share_an_acquisition)
{
    ask("g999900000019", 1);
    ask("g999900000019", 2);
    shows("SELECT count(*) FROM intermediate.acquisition", "1");
    goes_to("answered", 2);
    shows("SELECT count(*) FROM intermediate.acquisition", "0");
    shows("SELECT count(*) FROM intermediate.code", "1");
    shows("SELECT count(*) FROM intermediate.outbox WHERE route = 'intake_family_answered'", "2");
}
END_TEST

/* EXCH-2: the documented case that 本籍 cannot be determined; nobody's register; nobody's number */
START_TEST(undetermined_and_none_are_said)
{
    ask("g999900000027", 1);
    goes_to("answered", 1);
    ck_assert_str_eq(answered(0)->result, "undetermined");
    ck_assert_str_eq(answered(0)->domicile, "");
    ask("g999900000035", 2);
    goes_to("answered", 2);
    ck_assert_str_eq(answered(1)->result, "none");
    ask("g999977777777", 3); /* the residence network knows no such number */
    goes_to("answered", 3);
    ck_assert_str_eq(answered(2)->result, "none");
    shows("SELECT count(*) FROM intermediate.acquisition", "0");
}
END_TEST

/* EXCH-6: without a permit nothing is asked */
START_TEST(without_a_permit_nothing_is_asked)
{
    ck_assert_int_eq(ask_for("mlit", "kaigishi", NURSE_AFFAIR, "g999900000019", 1), OUTCOME_DONE);
    goes_to("refused", 1);
    shows(STATE, "refused refused");
    ck_assert_str_eq(answered(0)->result, "refused");
    ck_assert_uint_eq(standin_took(&ipn, "inquiry"), 0);
    ck_assert_uint_eq(standin_took(&moj, "provision"), 0);
    shows("SELECT outcome || processing_number FROM intermediate.exchange_record", "refused");
    ck_assert_int_eq(ask_for("mhlw", "ginou-kentei", SHIP_AFFAIR, "g999900000019", 2), OUTCOME_REJECT); /* 実施しない */
    ck_assert_int_eq(work->fault.code, FAULT_permit_refused);
    ck_assert_int_eq(ask_for("nara", "kaigishi", SHIP_AFFAIR, "g999900000019", 3), OUTCOME_REJECT);
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
}
END_TEST

/* A person that the vault does not know is refused at once. */
START_TEST(an_unknown_person_is_refused)
{
    ask("unknown", 1);
    goes_to("refused", 1);
    ck_assert_str_eq(answered(0)->result, "refused");
    shows("SELECT count(*) FROM intermediate.acquisition", "0");
}
END_TEST

/* --- when something is down -----------------------------------------------------------------------------------------
 */

/* Each wait is bounded, nothing is asked twice, and after the set tries a person is asked. */
START_TEST(it_waits_while_the_network_is_down)
{
    ask("g999900000019", 1);
    ck_assert_int_eq(turn("acquire"), 1);
    standin_behaves(&ipn, "hang", "/codes", 1);
    everything_is_due();
    ck_assert_int_eq(turn("network"), 1);
    shows(STATE, "code_requested ");
    ck_assert_int_eq(turn("network"), 0);           /* it waits first */
    standin_behaves(&ipn, "lose", "/inquiries", 2); /* twice: libcurl itself sends again what a kept connection lost */
    for (int i = 0; i < 100 && strcmp(look("mlit", STATE), "permitted ") != 0; i++) {
        everything_is_due();
        (void)turn("network");
        pause_ms(5);
    }
    shows(STATE, "permitted ");
    shows("SELECT count(*) FROM intermediate.inquiry WHERE permit IS NOT NULL", "1");
    standin_kill(&ipn);
    standin_start(&ipn);
    goes_to("answered", 1);
    ck_assert_uint_eq(standin_took(&ipn, "inquiry"), 1);
    shows("SELECT count(*) FROM intermediate.inquiry WHERE permit IS NULL", "1");
    standin_behaves(&ipn, "fail", "/permits", 10);
    ask("g999900000019", 2);
    for (int i = 0; i < atoi(TRIES); i++) {
        everything_is_due();
        ck_assert_int_eq(turn("network"), 1);
    }
    ck_assert_str_eq(answered(1)->result, "unavailable");
}
END_TEST

/* The vault is away: the inquiry waits, then goes on. */
START_TEST(it_waits_while_the_vault_is_down)
{
    vault_down = true;
    ask("g999900000019", 1);
    ck_assert_int_eq(turn("acquire"), 1);
    shows(STATE, "code_needed ");
    ck_assert_int_eq(turn("acquire"), 0);
    vault_down = false;
    goes_to("answered", 1);
}
END_TEST

/* Not yet is no failure, but not for ever. */
START_TEST(patience_ends)
{
    standin_kill(&juki);
    standin_start(&juki);
    ask("g999900000019", 1);
    look("", "UPDATE intermediate.inquiry_queue SET lane = 'network'");
    look("mlit", "UPDATE intermediate.inquiry SET state = 'code_requested'");
    for (int i = 0; i < 2 * atoi(TRIES); i++) {
        everything_is_due();
        ck_assert_int_eq(turn("network"), 1);
    }
    shows(STATE, "code_requested ");
    look("mlit", "UPDATE intermediate.inquiry SET state_since = now() - interval '2 hours'");
    everything_is_due();
    ck_assert_int_eq(turn("network"), 1);
    shows(STATE, "failed unavailable");
    shows("SELECT count(*) FROM intermediate.acquisition", "0");
}
END_TEST

/* EXCH-10: a finished inquiry goes after its time; the record of provision stays */
START_TEST(a_finished_inquiry_is_deleted)
{
    ask("g999900000019", 1);
    goes_to("answered", 1);
    ck_assert_int_eq(turn("forget"), 0);
    look("", "UPDATE intermediate.inquiry_queue SET due_at = now() - interval '1 s'");
    ck_assert_int_eq(turn("forget"), 1);
    shows("SELECT count(*) FROM intermediate.inquiry", "0");
    shows(QUEUE, "0");
    shows("SELECT count(*) FROM intermediate.exchange_record", "1");
}
END_TEST

/* EXCH-12: an answer opens with the asking body's own key alone, and no body sees another's rows */
START_TEST(bodies_are_apart)
{
    struct network_provision provision = {0};
    ask("g999900000019", 1);
    goes_to("answered", 1);
    char number[64];
    snprintf(number, sizeof number, "%s", look("mlit", "SELECT processing_number FROM intermediate.inquiry"));
    work_reset(work);
    ck_assert_int_eq(network_provision_get(work, number, "mlit", &provision), NETWORK_GIVEN);
    ck_assert_int_eq(network_provision_get(work, number, "nara", &provision), NETWORK_FAILED);
    ck_assert_str_eq(look("nara", "SELECT count(*) FROM intermediate.inquiry"), "0");
    ck_assert_str_eq(look("nara", "SELECT count(*) FROM intermediate.exchange_record"), "0");
}
END_TEST

/* The table in C and the CHECK in SQL say the same. */
START_TEST(states_are_those_of_the_database)
{
    for (int i = 0; i < INQUIRY_STATES; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
            "SELECT count(*) FROM pg_constraint WHERE conrelid = 'intermediate.inquiry'::regclass AND contype = 'c'"
            " AND pg_get_constraintdef(oid) LIKE '%%''%s''%%'",
            gateway_state_text((enum inquiry_state)i));
        shows(sql, "1");
    }
    shows(
        "SELECT length(regexp_replace(pg_get_constraintdef(oid), '[^'']', '', 'g')) / 2 FROM pg_constraint"
        " WHERE conrelid = 'intermediate.inquiry'::regclass AND contype = 'c'",
        "8");
    ck_assert(gateway_state_is_final(INQUIRY_ANSWERED) && gateway_state_is_final(INQUIRY_REFUSED) &&
              gateway_state_is_final(INQUIRY_FAILED) && !gateway_state_is_final(INQUIRY_ASKED));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("intermediate");
    TCase *t = tcase_create("intermediate");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, a_family_register_is_had);
    tcase_add_test(t, the_acquisition_number_is_forgotten);
    tcase_add_test(t, the_code_is_kept_per_body);
    tcase_add_test(t, two_inquiries_share_an_acquisition);
    tcase_add_test(t, undetermined_and_none_are_said);
    tcase_add_test(t, without_a_permit_nothing_is_asked);
    tcase_add_test(t, an_unknown_person_is_refused);
    tcase_add_test(t, it_waits_while_the_network_is_down);
    tcase_add_test(t, it_waits_while_the_vault_is_down);
    tcase_add_test(t, patience_ends);
    tcase_add_test(t, a_finished_inquiry_is_deleted);
    tcase_add_test(t, bodies_are_apart);
    tcase_add_test(t, states_are_those_of_the_database);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
