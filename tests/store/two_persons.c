/* Where the rights table wants two persons, what one asks for is judged and kept, and carried out when another asks for
 * the same. */
#include "store/letter.h"

#include "chassis/rights.h"
#include "chassis/second_person.h"
#include "kit/staff_word.h"

static struct work *work;
static struct key staff_key;
static const char put_sql[] = "INSERT INTO intake.effect (what) VALUES ($1)";

static enum outcome decide_act(struct work *by)
{
    Intake__DecideReply reply = INTAKE__DECIDE_REPLY__INIT;
    const Intake__DecideRequest *request = (const Intake__DecideRequest *)by->request;
    ProtobufCMessage *answer;
    if (strcmp(request->decision, "call first") == 0) {
        Intake__SubmitRequest other = INTAKE__SUBMIT_REQUEST__INIT;
        if (!work_call(by, ROUTE_intake_submit, "act", &other.base, &answer))
            return work_refuse(by);
    }
    if (!work_permits(by, &(struct affair){.manager = by->actor->manager}))
        return work_refuse(by);
    if (!work_begin(by, by->actor->manager))
        return work_end(by);
    if (!work_permits(by, &(struct affair){.manager = by->actor->manager, .programme = "jun-kangoshi"}))
        return work_refuse(by);
    if (strcmp(request->decision, "wrong") == 0)
        return work_refuse_with(by, FAULT_state_conflict, "receipt");
    pg_queue(by->pg, put_sql, PG_VALUES(pg_text(by->actor->account)));
    work_audit(by, &(struct touch){.subject = "pseudonym-1", .reason = "application-1"});
    return work_commit(by, &reply.base);
}

static const struct message messages[] = {{ROUTE_intake_decide, NULL, decide_act}};
static const struct service service = {.name = "intake", .schema_version = 5, .messages = messages, .message_count = 1};

/* The shipped table, in which reviewers of these programmes decide by two. */
static void table_take(const char *programme)
{
    struct fault fault = {0};
    json_t *table = json_load_file("deploy/rights/roles.json", 0, NULL);
    json_t *reviewer = json_object_get(json_object_get(table, "roles"), "reviewer");
    json_object_set_new(reviewer, "grants",
        json_pack("[{s[s] s[s] s[s] sb}, {s[s] s[s] s[s]}]", "rights", "review", "programmes", programme, "purposes",
            "registration", "two_persons", 1, "rights", "review", "programmes", "chorishi", "purposes",
            "registration"));
    ck_assert_msg(rights_take(table, &fault), "%s", fault.field);
    json_decref(table);
}

static void start(void)
{
    char hex[65];
    uint8_t half[32];
    letters_start();
    owner_do("TRUNCATE intake.proposal");
    owner_do("SET shikaku.manager = 'nara'");
    table_take("jun-kangoshi");
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

static char *token_as(const char *account, const char *role, const char *manager)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    uint8_t packed[512], signature[64];
    char *rights[] = {"review", "view", "session"};
    actor.account = (char *)account;
    actor.role = (char *)role;
    actor.manager = (char *)manager;
    actor.rights = rights;
    actor.n_rights = 3;
    actor.terminal = "terminal-1";
    actor.session = (char *)account;
    actor.expires_at_ms = clock_ms() + 60000;
    size_t size = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(&staff_key, packed, size, signature));
    return arena_format(letters, "%s.%s", base64url_put(letters, packed, size), base64url_put(letters, signature, 64));
}

static struct answer decide(const char *account, const char *role, const char *decision)
{
    Intake__DecideRequest request = INTAKE__DECIDE_REQUEST__INIT;
    request.manager = "nara";
    request.receipt = "A-1";
    request.decision = (char *)decision;
    struct letter letter = letter_make("portal", "intake_decide", &request.base);
    letter.envelope.actor_token = token_as(account, role, "nara");
    return letter_send(work, &letter);
}

static int64_t effects_by(const char *account)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM intake.effect WHERE what = '%s'", account);
    return owner_count(sql);
}

static int64_t proposals(const char *where)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM intake.proposal WHERE %s", where);
    return owner_count(sql);
}

/* AUTH-5: one proposes, again and again; another agrees; it is carried out once, and both stand in the record */
START_TEST(another_person_agrees)
{
    for (int i = 0; i < 3; i++)
        assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 0);
    ck_assert_int_eq(proposals("proposed_by = 'sato' AND about = 'A-1' AND approved_by IS NULL"), 1);
    ck_assert_int_eq(decide("tanaka", "reviewer", "accept").outcome, OUTCOME_DONE);
    ck_assert_int_eq(effects_by("tanaka"), 1);
    ck_assert_int_eq(proposals("proposed_by = 'sato' AND approved_by = 'tanaka'"), 1);
    assert_refused(decide("tanaka", "reviewer", "accept"), FAULT_approval_needed); /* a new one */
    ck_assert_int_eq(proposals("approved_by IS NULL"), 1);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox WHERE "
                                 "position('approval_needed'::bytea IN event) > 0"),
        4);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.audit_outbox WHERE position('approval_needed'::bytea IN "
                                 "event) > 0 AND position('nara'::bytea IN event) > 0"),
        4); /* under the manager whose it was */
    ck_assert_int_eq(chains_check(), 5);
}
END_TEST

/* Agreed is to the same act alone, by who holds the right too */
START_TEST(only_the_same_act_by_who_may_is_agreed_to)
{
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    assert_refused(decide("tanaka", "reviewer", "reject"), FAULT_approval_needed);
    assert_refused(decide("tanaka", "disclosure", "accept"), FAULT_not_permitted);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 0);
    ck_assert_int_eq(proposals("approved_by IS NULL"), 2);
    ck_assert_int_eq(decide("sato", "reviewer", "reject").outcome, OUTCOME_DONE);
}
END_TEST

/* What would be refused is refused, and proposes nothing; what would act elsewhere before it commits does not */
START_TEST(what_is_not_in_order_is_not_proposed)
{
    assert_refused(decide("sato", "reviewer", "wrong"), FAULT_state_conflict);
    struct answer answer = decide("sato", "reviewer", "call first");
    table_take("jun-kangoshi");
    ck_assert(answer.code != FAULT_approval_needed && answer.outcome != OUTCOME_DONE);
    ck_assert_int_eq(proposals("true"), 0);
}
END_TEST

START_TEST(a_proposal_lapses)
{
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    ck_assert_int_eq(proposals("lapses_at BETWEEN now() + interval '13 days' AND now() + interval '15 days'"), 1);
    owner_do("UPDATE intake.proposal SET lapses_at = now()");
    assert_refused(decide("tanaka", "reviewer", "accept"), FAULT_approval_needed);
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 0);
    ck_assert_int_eq(proposals("true"), 2); /* the one that lapsed stays */
}
END_TEST

/* Where the table does not say so, one person is enough: by programme and role */
START_TEST(the_table_says_where)
{
    table_take("hoikushi");
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_not_permitted);
    ck_assert_int_eq(decide("sato", "counter", "accept").outcome, OUTCOME_DONE);
    ck_assert_int_eq(effects_by("sato"), 1);
    ck_assert_int_eq(proposals("true"), 0);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("two_persons");
    tcase_add_unchecked_fixture(cases, letters_once, letters_once_end);
    tcase_add_checked_fixture(cases, start, end);
    tcase_add_test(cases, another_person_agrees);
    tcase_add_test(cases, only_the_same_act_by_who_may_is_agreed_to);
    tcase_add_test(cases, what_is_not_in_order_is_not_proposed);
    tcase_add_test(cases, a_proposal_lapses);
    tcase_add_test(cases, the_table_says_where);
    Suite *suite = suite_create("two_persons");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
