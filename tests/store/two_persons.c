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

static const struct message messages[] = {{ROUTE_intake_decide, NULL, decide_act}, PROPOSAL_MESSAGES(intake)};
static const struct service service = {.name = "intake", .schema_version = 6, .messages = messages, .message_count = 3};

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
    char *rights[] = {"review", "view", "session"}, *programmes[] = {"hoikushi"};
    actor.account = (char *)account;
    actor.role = (char *)role;
    actor.manager = (char *)manager;
    actor.rights = rights;
    actor.n_rights = 3;
    actor.programmes = programmes;
    actor.n_programmes = strcmp(account, "hoiku") == 0;
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

/* The proposal that was made last. */
static char *newest(void)
{
    PGresult *row = PQexec(owner, "SELECT proposal FROM intake.proposal ORDER BY proposed_at DESC LIMIT 1");
    ck_assert_int_eq(PQntuples(row), 1);
    char *proposal = arena_format(letters, "%s", PQgetvalue(row, 0, 0));
    PQclear(row);
    return proposal;
}

static struct letter closing_letter(
    const char *account, const char *role, const char *proposal, const char *decision, const char *reason)
{
    Proposal__DecideRequest request = PROPOSAL__DECIDE_REQUEST__INIT;
    request.manager = "nara";
    request.proposal = (char *)proposal;
    request.decision = (char *)decision;
    request.reason = (char *)reason;
    struct letter letter = letter_make("portal", "intake_proposal_decide", &request.base);
    letter.envelope.actor_token = token_as(account, role, "nara");
    return letter;
}

static struct answer proposal_end(const char *account, const char *proposal, const char *decision, const char *reason)
{
    struct letter letter = closing_letter(account, "reviewer", proposal, decision, reason);
    return letter_send(work, &letter);
}

/* What a person is shown: the states, one after the other; of one that is named, "STATE/DECISION asked for/reason". */
static char *shown_to(const char *account, bool all, const char *proposal)
{
    Proposal__ListRequest request = PROPOSAL__LIST_REQUEST__INIT;
    request.manager = "nara";
    request.all = all;
    request.proposal = (char *)proposal;
    struct letter letter = letter_make("portal", "intake_proposals", &request.base);
    letter.envelope.actor_token = token_as(account, "reviewer", "nara");
    struct answer answer = letter_send(work, &letter);
    if (answer.outcome != OUTCOME_DONE)
        return (char *)fault_code_text(answer.code);
    Proposal__ListReply *reply =
        proposal__list_reply__unpack(arena_allocator(letters), answer.payload.len, answer.payload.data);
    char *text = "";
    for (size_t i = 0; i < reply->n_proposals; i++) {
        const Proposal__Proposal *one = reply->proposals[i];
        Intake__DecideRequest *asked =
            intake__decide_request__unpack(arena_allocator(letters), one->request.len, one->request.data);
        text = *proposal ? arena_format(letters, "%s/%s/%s", one->state, asked->decision, one->reason)
                         : arena_format(letters, "%s%s%s", text, *text ? " " : "", one->state);
    }
    return text;
}

static int64_t recorded(const char *one, const char *other)
{
    char sql[256];
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM intake.audit_outbox WHERE position('%s'::bytea IN event) > 0 "
        "AND position('%s'::bytea IN event) > 0",
        one, other);
    return owner_count(sql);
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
    ck_assert_int_eq(proposals("true"), 0);
}
END_TEST

/* What has an effect elsewhere before it commits is kept before it has that; store/second_persons.c carries it out */
START_TEST(nothing_happens_elsewhere_before)
{
    assert_refused(decide("sato", "reviewer", "call first"), FAULT_approval_needed);
    ck_assert_int_eq(proposals("proposed_by = 'sato' AND content IS NOT NULL"), 1);
}
END_TEST

/* AUTH-5: the second person need not type it again: by the proposal, once, whatever is sent twice */
START_TEST(a_proposal_is_approved)
{
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    const char *proposal = newest();
    ck_assert_str_eq(shown_to("tanaka", false, proposal), "open/accept/");
    ck_assert_int_eq(recorded("intake_proposals", proposal), 1);
    assert_refused(proposal_end("sato", proposal, "approve", ""), FAULT_decided_by_applicant);
    struct letter wrong = closing_letter("tanaka", "disclosure", proposal, "approve", "");
    assert_refused(letter_send(work, &wrong), FAULT_not_found);
    assert_refused(proposal_end("tanaka", proposal, "accept", ""), FAULT_item_invalid);
    assert_refused(proposal_end("tanaka", "x", "approve", ""), FAULT_item_invalid);
    assert_refused(proposal_end("tanaka", "00000000-0000-4000-8000-000000000000", "approve", ""), FAULT_not_found);
    assert_refused(proposal_end("hoiku", proposal, "approve", ""), FAULT_not_found); /* of another programme */
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 0);
    struct letter letter = closing_letter("tanaka", "reviewer", proposal, "approve", "");
    struct answer first = letter_send(work, &letter), again = letter_send(work, &letter);
    ck_assert_int_eq(first.outcome, OUTCOME_DONE);
    ck_assert_int_eq(again.outcome, OUTCOME_DONE);
    ck_assert_mem_eq(first.payload.data, again.payload.data, first.payload.len);
    Proposal__DecideReply *reply =
        proposal__decide_reply__unpack(arena_allocator(letters), first.payload.len, first.payload.data);
    ck_assert_str_eq(reply->state, "approved");
    ck_assert_str_eq(reply->act, "intake_decide");
    ck_assert_int_eq(effects_by("tanaka"), 1);
    ck_assert_int_eq(recorded("intake_decide", "tanaka"), 1);
    assert_refused(proposal_end("suzuki", proposal, "approve", ""), FAULT_proposal_decided);
    ck_assert_int_eq(effects_by("suzuki"), 0);
    ck_assert_str_eq(shown_to("tanaka", true, ""), "approved");
    ck_assert_int_eq(proposals("approved_by = 'tanaka' AND content IS NULL"), 1);
    chains_check();
}
END_TEST

/* Another person turns it down and says why, who proposed it takes it back: then it is over, and what it was stays */
START_TEST(a_proposal_is_turned_down_or_withdrawn)
{
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    const char *first = newest();
    assert_refused(proposal_end("tanaka", first, "turn_down", ""), FAULT_reason_missing);
    assert_refused(proposal_end("sato", first, "turn_down", "理由"), FAULT_decided_by_applicant);
    assert_refused(proposal_end("tanaka", first, "withdraw", ""), FAULT_not_permitted);
    ck_assert_int_eq(proposal_end("tanaka", first, "turn_down", "添付書類が足りない").outcome, OUTCOME_DONE);
    ck_assert_str_eq(shown_to("sato", false, first), "turned_down//添付書類が足りない");
    ck_assert_int_eq(recorded("intake_proposal_decide", first), 1);
    assert_refused(proposal_end("suzuki", first, "approve", ""), FAULT_proposal_decided);
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    const char *second = newest();
    ck_assert_str_ne(second, first);
    ck_assert_int_eq(proposal_end("sato", second, "withdraw", "").outcome, OUTCOME_DONE);
    assert_refused(proposal_end("tanaka", second, "approve", ""), FAULT_proposal_decided);
    assert_refused(decide("tanaka", "reviewer", "accept"), FAULT_approval_needed); /* nothing is left to agree to */
    ck_assert_str_eq(shown_to("suzuki", true, ""), "open withdrawn turned_down");
    ck_assert_str_eq(shown_to("suzuki", false, ""), "open");
    ck_assert_str_eq(shown_to("hoiku", true, ""), "");
    ck_assert_int_eq(proposals("content IS NOT NULL"), 1);
    ck_assert_int_eq(proposals("position('添付'::bytea IN reason) > 0"), 0); /* covered */
    ck_assert_int_eq(owner_count("SELECT count(*) FROM intake.effect"), 0);
    chains_check();
}
END_TEST

START_TEST(a_proposal_lapses)
{
    assert_refused(decide("sato", "reviewer", "accept"), FAULT_approval_needed);
    ck_assert_int_eq(proposals("lapses_at BETWEEN now() + interval '13 days' AND now() + interval '15 days'"), 1);
    const char *lapsed = newest();
    owner_do("UPDATE intake.proposal SET lapses_at = now()");
    assert_refused(proposal_end("tanaka", lapsed, "approve", ""), FAULT_proposal_decided);
    assert_refused(proposal_end("sato", lapsed, "withdraw", ""), FAULT_proposal_decided);
    ck_assert_str_eq(shown_to("tanaka", false, lapsed), "lapsed//");
    ck_assert_int_eq(proposals("content IS NOT NULL"), 0);
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
    tcase_add_test(cases, nothing_happens_elsewhere_before);
    tcase_add_test(cases, a_proposal_is_approved);
    tcase_add_test(cases, a_proposal_is_turned_down_or_withdrawn);
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
