/* Two persons for one act, at every service: each command of a person, by a right that the table marks, waits; another
 * person approves it; what was carried out is what the first one sent. AUTH-5, AUTH-8 */
#include "store/matrix.h"

#include "chassis/second_person.h"
#include "kit/sealed_number.h"
#include "vault.pb-c.h"

static json_t *table;

/* The shipped table; counters have this right alone, and only by two. */
static void table_take(enum right right)
{
    struct fault fault = {0};
    json_t *changed = json_deep_copy(table),
           *rule = json_object_get(json_object_get(changed, "rights"), right_name(right));
    json_t *role = json_object_get(json_object_get(changed, "roles"), "counter");
    json_object_set_new(role, "grants",
        json_pack("[{s[s] ss sO sb}]", "rights", right_name(right), "programmes", "all", "purposes",
            json_object_get(rule, "purposes"), "two_persons", 1));
    ck_assert_msg(rights_take(changed, &fault), "%s %s", fault_code_text(fault.code), fault.field);
    json_decref(changed);
}

static long count(const char *sql)
{
    PGresult *rows = PQexec(house_owner, sql);
    ck_assert_msg(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQresultErrorMessage(rows));
    long found = atol(PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return found;
}

static bool proposal_find(const char *service, enum route route, char proposal[37])
{
    char sql[200];
    snprintf(sql, sizeof sql,
        "SELECT proposal FROM %s.proposal WHERE route = '%s' AND proposed_by = 'sato' AND approved_by IS NULL", service,
        route_row(route)->name);
    PGresult *rows = PQexec(house_owner, sql);
    ck_assert_msg(PQresultStatus(rows) == PGRES_TUPLES_OK, "%s", PQresultErrorMessage(rows));
    bool one = PQntuples(rows) == 1;
    if (one)
        snprintf(proposal, 37, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return one;
}

/* What `account` decides of it; the fault, or FAULT_NONE. */
static enum fault_code decide(const struct cell *cell, const char *account, const char *proposal, const char *decision)
{
    const char *service = party_name(route_row(cell->route)->to);
    struct cell by = *cell;
    struct fault fault = {0};
    char name[64];
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    ProtobufCMessage *reply;
    Proposal__DecideRequest request = PROPOSAL__DECIDE_REQUEST__INIT;
    struct bus_request sent = {.key = key, .purpose = "", .message = &request.base};
    by.account = account;
    snprintf(name, sizeof name, "%s_proposal_decide", service);
    ck_assert(route_find(name, &sent.route));
    ck_assert_int_eq(RAND_bytes(key, sizeof key), 1);
    request.manager = (char *)cell->entry->programme->manager;
    request.proposal = (char *)proposal;
    request.decision = (char *)decision;
    sent.actor_token = token_of(&by, request.manager);
    if (!bus_call(portal, cell_arena, &sent, &reply, &fault))
        return fault.code;
    ck_assert_str_eq(((const Proposal__DecideReply *)reply)->act, route_row(cell->route)->name);
    return FAULT_NONE;
}

/* The state in which the route has something to do. */
static enum application_state state_for(enum route route)
{
    return route == ROUTE_intake_fee_receipt        ? STATE_fee
           : route == ROUTE_intake_residence_result ? STATE_residence_terminal
                                                    : STATE_review;
}

/* A pseudonym without a number, and a number sealed for it at the terminal. */
static Vault__ChangeNumberRequest number_first(const char *manager)
{
    Vault__ChangeNumberRequest first = VAULT__CHANGE_NUMBER_REQUEST__INIT;
    Vault__IssueRequest issue = VAULT__ISSUE_REQUEST__INIT;
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    struct kit_binding binding = {"case-1", manager, TERMINAL};
    struct kit_person person;
    struct fault fault = {0};
    ProtobufCMessage *reply;
    uint8_t key[IDEMPOTENCY_KEY_BYTES] = {1};
    issue.manager = (char *)manager;
    issue.application = "0000000a-0000-4000-8000-000000000001";
    house_turn("intake");
    struct bus_caller *caller = bus_caller_new("intake");
    ck_assert(bus_call(caller, cell_arena,
        &(struct bus_request){.route = ROUTE_vault_issue, .key = key, .message = &issue.base}, &reply, &fault));
    bus_caller_free(caller);
    house_turn("portal");
    first.manager = (char *)manager;
    first.pseudonym = ((Vault__IssueReply *)reply)->pseudonym;
    first.reason = "case-1";
    ck_assert(bus_call(
        portal, cell_arena, &(struct bus_request){.route = ROUTE_vault_keys, .message = &keys.base}, &reply, &fault));
    char *jwks = ((Vault__KeysReply *)reply)->jwks, *kid = strstr(jwks, "\"kid\"");
    memcpy(kid, "\"was\"", 5); /* ids of the test's keys are longer than a real one's */
    struct kit_sealer *sealer = kit_sealer_new(jwks);
    kit_person_make(&person, 20260101, 2);
    char *sealed = kit_seal_paper(sealer, &binding, person.number);
    first.sealed_number = arena_format(cell_arena, "%s", sealed);
    free(sealed);
    kit_sealer_free(sealer);
    uint8_t *signer = arena_take(cell_arena, 32);
    ck_assert(hex_take(signer, 32, TERMINAL));
    first.signer = (ProtobufCBinaryData){32, signer};
    return first;
}

/* A number that is sealed anew each time cannot be sent twice the same: it is approved as it was sent. */
START_TEST(a_sealed_number_waits_too)
{
    const struct cell cell = {
        "counter", ROUTE_vault_change_number, &entries[0], OWN, STATE_review, "", "", "", NULL, NULL};
    struct fault fault = {0};
    char proposal[37];
    uint8_t key[IDEMPOTENCY_KEY_BYTES] = {2};
    ProtobufCMessage *reply;
    const char *manager = entries[0].programme->manager;
    table_take(RIGHT_number_change);
    arena_reset(cell_arena);
    Vault__ChangeNumberRequest request = number_first(manager);
    const struct bus_request sent = {.route = ROUTE_vault_change_number,
        .key = key,
        .actor_token = token_of(&cell, manager),
        .purpose = "",
        .message = &request.base};
    ck_assert(!bus_call(portal, cell_arena, &sent, &reply, &fault));
    ck_assert_str_eq(fault_code_text(fault.code), "approval_needed");
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie"), 0);
    ck_assert(proposal_find("vault", ROUTE_vault_change_number, proposal));
    ck_assert_int_eq(decide(&cell, "sato", proposal, "approve"), FAULT_decided_by_applicant);
    ck_assert_int_eq(decide(&cell, "tanaka", proposal, "approve"), FAULT_NONE);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.tie"), 1);
    ck_assert_int_eq(count("SELECT count(*) FROM vault.proposal WHERE approved_by = 'tanaka'"), 1);
}
END_TEST

START_TEST(every_command_waits_for_another_person)
{
    size_t kept = 0, carried_out = 0;
    unsigned services = 0;
    for (enum route route = 0; route < ROUTES; route++) {
        const struct route_row *row = route_row(route);
        char proposal[37], sql[200];
        if (row->kind != ROUTE_COMMAND || row->right == RIGHT_none || row->right == RIGHT_session)
            continue;
        table_take(row->right);
        const struct cell cell = {"counter", route, &entries[0], OWN, state_for(route), "", "", "", NULL, NULL};
        struct verdict verdict = cell_run(&cell);
        ck_assert_msg(verdict.code != FAULT_NONE, "%s was done by one", row->name);
        if (verdict.code != FAULT_approval_needed) /* what is not in order is refused as ever */
            continue;
        const char *service = party_name(row->to);
        ck_assert_msg(proposal_find(service, route, proposal), "%s", row->name);
        kept++;
        services |= row->to;
        ck_assert_int_eq(decide(&cell, "sato", proposal, "approve"), FAULT_decided_by_applicant);
        enum fault_code said = decide(&cell, "tanaka", proposal, "approve");
        snprintf(sql, sizeof sql,
            "SELECT count(*) FROM %s.proposal WHERE proposal = '%s' AND approved_by = 'tanaka' AND content IS NULL",
            service, proposal);
        ck_assert_int_eq(count(sql), said == FAULT_NONE);
        carried_out += said == FAULT_NONE;
        if (said == FAULT_NONE)
            ck_assert_int_eq(decide(&cell, "tanaka", proposal, "approve"), FAULT_proposal_decided);
    }
    fflush(stdout);
    printf("second_persons: %zu commands kept, %zu carried out\n", kept, carried_out);
    fflush(stdout);
    ck_assert_uint_eq(services | PARTY_VAULT, SERVICES_WITH_PROPOSALS);
    ck_assert_uint_ge(carried_out, 6);
}
END_TEST

static void setup(void)
{
    table = json_load_file("deploy/rights/roles.json", 0, NULL);
    ck_assert_ptr_nonnull(table);
    matrix_open();
    char sql[96];
    snprintf(sql, sizeof sql, "SET shikaku.manager = '%s'", entries[0].programme->manager);
    PQclear(PQexec(house_owner, sql));
}

static void teardown(void)
{
    json_decref(table);
    matrix_close();
}

int main(void)
{
    TCase *cases = tcase_create("second_persons");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_sealed_number_waits_too);
    tcase_add_test(cases, every_command_waits_for_another_person);
    tcase_set_timeout(cases, 60);
    Suite *suite = suite_create("second_persons");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
