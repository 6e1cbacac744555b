/* Scheduled analyses of the records of use: histories with planted misuse are laid into the log, and each rule of
 * deploy/analyses finds what was planted for it and nothing else; whoever a finding is about cannot close it. */
#include "store/findings.h"

#include "audit/audit_messages.h"
#include "chassis/meters.h"

/* --- what is planted ---------------------------------------------------------------------------------------------- */

#define TEN(week, weekday) (MONDAY_MS + ((week)*7 + (weekday)) * DAY_MS + HOUR_MS)

static struct planted *wrong(struct planted *one, const char *rules)
{
    one->rules = rules;
    return one;
}

/* Application 900000 of suzuki at tokyo was never received; 900001 ended a month before; 900002's is looked at while
 * open; the service asks the residence network for one that nobody applied for, and for another's application. */
static void causes_plant(void)
{
    wrong(plant_of("tokyo", "suzuki", "intake_view", TEN(9, 1), 900000), ",no-cause,");
    application_plant("tokyo", "tanaka", 900001, TEN(2, 1));
    wrong(plant_of("tokyo", "suzuki", "intake_attachment_view", TEN(7, 1), 900001), ",no-cause,");
    plant_of("tokyo", "suzuki", "intake_view", TEN(2, 4), 900001); /* within the week */
    plant_of("tokyo", "suzuki", "intake_view", TEN(9, 2), 900000)->outcome = "not_found";
    wrong(plant_of("saitama", NULL, "residence_inquire", TEN(9, 2), 900010), ",residence-without-cause,");
    wrong(plant_of("saitama", NULL, "residence_answered", TEN(9, 2) + 3000, 900010), ",residence-without-cause,");
    plant_of("saitama", NULL, "intake_submit", TEN(9, 2), 900011);
    struct planted *other = plant_of("saitama", "mori", "residence_instant", TEN(9, 2) + 5000, 900011);
    strcpy(wrong(other, ",residence-without-cause,")->subject, "person-900012");
    plant("saitama", "mori", "residence_instant_result", TEN(9, 2) + 6000)->persons = 0; /* not answered yet */
    /* The record of the application came after that of its inquiry: neither is wrong. */
    plant_of("saitama", NULL, "residence_inquire", TEN(9, 3), 900013);
    plant_of("saitama", NULL, "intake_paper", TEN(9, 3), 900013);
}

static void names_plant(void)
{
    plant_of("tokyo", NULL, "intake_submit", TEN(9, 1) - HOUR_MS, 900020);
    struct planted *own = plant_of("tokyo", "sato", "intake_view", TEN(9, 1), 900020);
    wrong(own, ",own-record,")->likeness = "name";
    plant_of("saitama", NULL, "intake_submit", TEN(9, 1) - HOUR_MS, 900021);
    struct planted *kin = plant_of("saitama", "ota", "intake_view", TEN(9, 1), 900021);
    wrong(kin, ",family-name,")->likeness = "family";
}

/* abe takes 700 persons out in one export; the others of the role are not so far from theirs. */
static void volume_plant(void)
{
    struct planted *list = plant("saitama", "abe", "intake_export", TEN(10, 1) + 5 * HOUR_MS);
    list->persons = 700;
    for (size_t i = 0; i < planted_count; i++) {
        int64_t day = (planted[i].at_ms + 9 * HOUR_MS) / DAY_MS, of_list = (list->at_ms + 9 * HOUR_MS) / DAY_MS;
        if (planted[i].account && strcmp(planted[i].account, "abe") == 0 && day == of_list)
            planted[i].rules = ",volume-account,volume-role,";
    }
}

static void hours_plant(void)
{
    wrong(plant("tokyo", "tanaka", "intake_list", MONDAY_MS + 64 * DAY_MS - 8 * HOUR_MS), ",off-hours,");  /* 01:00 */
    wrong(plant("tokyo", "tanaka", "intake_list", MONDAY_MS + 64 * DAY_MS + 13 * HOUR_MS), ",off-hours,"); /* 22:00 */
    plant("tokyo", "tanaka", "intake_list", MONDAY_MS + 64 * DAY_MS - 2 * HOUR_MS);                        /* 07:00 */
    wrong(plant("tokyo", "tanaka", "intake_list", TEN(9, 5)), ",off-hours,"); /* Saturday */
    wrong(plant("saitama", "mori", "intake_list", TEN(6, 2) - DAY_MS * 0 + 7 * DAY_MS - 2 * DAY_MS), ",off-hours,");
}

static void repeats_plant(void)
{
    plant_of("tokyo", NULL, "intake_submit", TEN(8, 0) - HOUR_MS, 900030);
    for (int i = 0; i < 16; i++)
        wrong(plant_of("tokyo", "suzuki", "intake_view", TEN(8, i % 5) + i * 60000, 900030), ",repeated-person,");
    plant_of("saitama", NULL, "intake_submit", TEN(8, 0) - HOUR_MS, 900031);
    for (int i = 0; i < 14; i++) /* one too few */
        plant_of("saitama", "ota", "intake_view", TEN(8, i % 5) + i * 60000, 900031);
    for (int i = 0; i < 10; i++) {
        struct planted *one = plant_of("tokyo", "sato", "intake_view", TEN(8, 1) + i * 1000, 900100 + i);
        wrong(one, ",refused,")->outcome = "not_permitted";
    }
    wrong(plant("saitama", "mori", "intake_list", TEN(8, 2) + 7000), ",new-terminal,")->terminal = "another";
    plant("saitama", "mori", "intake_list", TEN(8, 2) + 8000)->terminal = "another";
}

static void all_plant(void)
{
    normal_plant();
    causes_plant();
    names_plant();
    hours_plant();
    repeats_plant();
    volume_plant();
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void setup(void)
{
    char problem[ANALYSIS_PROBLEM_MAX];
    house_open();
    planting = arena_new(64 << 20);
    planted_count = 0;
    audit = house_room("audit")->work;
    ck_assert_msg(analysis_rules_open("deploy/analyses", 180, problem), "%s", problem);
    house_do("",
        "SELECT audit.month_make(kind, ('2026-01-01'::date + n * interval '1 month')::date) "
        "FROM unnest(ARRAY['use', 'provision', 'search', 'export', 'session', 'account']) AS kind, "
        "generate_series(0, 5) AS n");
}

static void teardown(void)
{
    analysis_rules_close();
    arena_free(planting);
    house_close();
}

/* LOG-3: ordinary days give no finding */
START_TEST(a_normal_history_gives_no_finding)
{
    normal_plant();
    history_lay(0);
    analyse();
    ck_assert_uint_eq(found_compare(), 0);
    ck_assert_int_eq(findings_at("tokyo") + findings_at("saitama"), 0);
    ck_assert_int_gt(number_of("tokyo", "SELECT count(*) FROM audit.touch"), 1000);
}
END_TEST

/* LOG-3, JUKI-6, STORE-4: each rule finds what was planted for it, at its manager, and nothing else; a second time
 * nothing more */
START_TEST(each_rule_finds_what_was_planted)
{
    all_plant();
    history_lay(0);
    analyse();
    size_t found = found_compare();
    long cases = findings_at("tokyo") + findings_at("saitama");
    analyse();
    ck_assert_uint_eq(found_compare(), found);
    ck_assert_int_eq(findings_at("tokyo") + findings_at("saitama"), cases);
    printf("findings: %zu records of %zu behind %ld findings\n", found, planted_count, cases);
}
END_TEST

/* LOG-3: in pieces as they come, with the rules run between, the same is found */
START_TEST(the_same_is_found_piece_by_piece)
{
    all_plant();
    history_lay(0);
    house_turn("audit");
    for (int week = 0; week <= WEEKS; week++) {
        due();
        analyse_with(audit, MONDAY_MS + week * 7 * DAY_MS + 36 * HOUR_MS);
    }
    analyse();
    found_compare();
}
END_TEST

static void killed_run(int64_t microseconds)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct service service = house_room("audit")->service;
        char dsn[640];
        struct fault fault;
        service.schema_version = 0;
        store_dsn(&house_store, "audit", dsn, sizeof dsn);
        struct work *work = work_new(&service);
        if (!work || !pg_open(&work->pg, dsn, &fault))
            _exit(1);
        analyse_with(work, NEVER);
        _exit(0);
    }
    usleep((useconds_t)microseconds);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* LOG-3: killed anywhere, it goes on where it was; nothing is lost and nothing opened twice */
START_TEST(a_kill_loses_and_doubles_nothing)
{
    all_plant();
    history_lay(0);
    house_turn("audit");
    for (int i = 0; i < KILLS; i++) {
        due();
        killed_run(5000 + (int64_t)i * 30000);
    }
    analyse();
    found_compare();
    ck_assert_int_eq(number_of("tokyo",
                         "SELECT count(*) FROM (SELECT 1 FROM audit.finding WHERE manager = 'tokyo' "
                         "GROUP BY rule, account, subject HAVING count(*) > 1) AS twice"),
        0);
}
END_TEST

/* --- persons ------------------------------------------------------------------------------------------------------ */

static char *token_of(const char *account, const char *role, const char *manager)
{
    Staff__Actor actor = STAFF__ACTOR__INIT;
    struct rights_edition edition;
    char *rights[] = {"findings"};
    uint8_t packed[1024], signature[64];
    rights_edition(&edition);
    actor.rights = rights;
    actor.n_rights = 1;
    actor.account = (char *)account;
    actor.role = (char *)role;
    actor.person = person_of(account);
    actor.manager = (char *)manager;
    actor.terminal = "1111111111111111111111111111111111111111111111111111111111111111";
    actor.session = "00000000-0000-4000-8000-000000000001";
    actor.expires_at_ms = clock_ms() + 60000;
    actor.rights_version = edition.version;
    house_turn("staff");
    const struct key key = *keyring_newest("*", KEY_SIGN);
    house_turn("portal");
    size_t size = staff__actor__pack(&actor, packed);
    ck_assert(key_sign(&key, packed, size, signature));
    return arena_format(
        planting, "%s.%s", base64url_put(planting, packed, size), base64url_put(planting, signature, 64));
}

static enum fault_code ask(const char *account, const char *role, const char *manager, enum route route,
    const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    struct fault fault = {0};
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    ck_assert_int_eq(RAND_bytes(key, sizeof key), 1);
    const struct bus_request request = {.route = route,
        .key = route_needs_key(route) ? key : NULL,
        .actor_token = token_of(account, role, manager),
        .purpose = "inspection",
        .message = message};
    struct bus_caller *caller = bus_caller_new("portal");
    bool done = bus_call(caller, planting, &request, reply, &fault);
    bus_caller_free(caller);
    return done ? FAULT_NONE : fault.code;
}

static enum fault_code close_by(const char *account, const char *manager, const char *finding, const char *reason)
{
    Audit__FindingCloseRequest request = AUDIT__FINDING_CLOSE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)manager;
    request.finding = (char *)finding;
    request.reason = (char *)reason;
    return ask(account, "inspector", manager, ROUTE_audit_finding_close, &request.base, &reply);
}

static const Audit__FindingsReply *list_by(const char *manager, const char *state, const char *rule)
{
    Audit__FindingsRequest request = AUDIT__FINDINGS_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    request.manager = (char *)manager;
    request.state = (char *)state;
    request.rule = (char *)rule;
    enum fault_code code = ask("kansa", "inspector", manager, ROUTE_audit_findings, &request.base, &reply);
    ck_assert_msg(code == FAULT_NONE, "%s", fault_code_text(code));
    return (const Audit__FindingsReply *)reply;
}

/* LOG-3, LOG-1: listed with who and whose, looked into with the records behind it, closed once with a reason by another
 * than the one it is about; each use is recorded; another manager sees none of it */
START_TEST(a_person_closes_a_finding_with_a_reason)
{
    Audit__FindingRequest look = AUDIT__FINDING_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    all_plant();
    history_lay(0);
    analyse();
    const Audit__FindingsReply *list = list_by("tokyo", "open", "own-record");
    ck_assert_uint_eq(list->n_findings, 1);
    const Audit__Finding *finding = list->findings[0];
    ck_assert_str_eq(finding->account, "sato");
    ck_assert_str_eq(finding->subject, "person-900020");
    ck_assert_str_eq(finding->reason, "application-900020");
    ck_assert_str_ne(finding->title, "");
    ck_assert_int_eq(finding->first_at_ms, TEN(9, 1));
    look.manager = "tokyo";
    look.finding = finding->finding;
    ck_assert_int_eq(ask("kansa", "inspector", "tokyo", ROUTE_audit_finding, &look.base, &reply), FAULT_NONE);
    const Audit__FindingReply *seen = (const Audit__FindingReply *)reply;
    ck_assert_uint_eq(seen->n_records, 1);
    ck_assert_str_eq(seen->records[0]->likeness, "name");
    ck_assert_str_eq(seen->records[0]->act, "intake_view");
    ck_assert_int_eq(ask("kansa", "reviewer", "tokyo", ROUTE_audit_finding, &look.base, &reply), FAULT_not_permitted);
    look.manager = "saitama";
    ck_assert_int_eq(ask("kansa", "inspector", "saitama", ROUTE_audit_finding, &look.base, &reply), FAULT_not_found);
    ck_assert_int_eq(close_by("kansa", "saitama", finding->finding, "x"), FAULT_not_found);
    ck_assert_int_eq(close_by("sato", "tokyo", finding->finding, "確認済み"), FAULT_finding_own);
    ck_assert_int_eq(close_by("sato2", "tokyo", finding->finding, "確認済み"), FAULT_finding_own);
    ck_assert_int_eq(close_by("kansa", "tokyo", finding->finding, " "), FAULT_reason_missing);
    ck_assert_int_eq(close_by("kansa", "tokyo", finding->finding, "同姓同名の別人と確認した"), FAULT_NONE);
    ck_assert_int_eq(close_by("kansa", "tokyo", finding->finding, "もう一度"), FAULT_finding_closed);
    ck_assert_uint_eq(list_by("tokyo", "open", "own-record")->n_findings, 0);
    list = list_by("tokyo", "closed", "");
    ck_assert_uint_eq(list->n_findings, 1);
    ck_assert_str_eq(list->findings[0]->closed_by, "kansa");
    ck_assert_str_eq(list->findings[0]->closed_reason, "同姓同名の別人と確認した");
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.audit_outbox") >= 9, 1);
}
END_TEST

/* LOG-3: a finding whose records name thousands is shown page by page, and nothing of it is lost */
START_TEST(long_records_come_in_pages)
{
    Audit__FindingRequest look = AUDIT__FINDING_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    size_t seen = 0, pages = 0;
    char after[24] = "";
    for (int i = 0; i < 120; i++) {
        struct planted *list = plant("tokyo", "tanaka", "intake_list", MONDAY_MS + 13 * HOUR_MS + i * 1000);
        list->many = 1000;
        list->persons = 1000;
    }
    history_lay(0);
    analyse();
    look.manager = "tokyo";
    look.finding = list_by("tokyo", "open", "off-hours")->findings[0]->finding;
    for (size_t count = 1; count; pages++) {
        look.after = after;
        ck_assert_int_eq(ask("kansa", "inspector", "tokyo", ROUTE_audit_finding, &look.base, &reply), FAULT_NONE);
        const Audit__FindingReply *page = (const Audit__FindingReply *)reply;
        ck_assert_int_eq(page->finding->records, 120);
        seen += count = page->n_records;
        if (count)
            snprintf(after, sizeof after, "%lld", (long long)page->records[count - 1]->position);
    }
    ck_assert_uint_eq(seen, 120);
    ck_assert_uint_gt(pages, 3);
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.touch"), 120 * 1000);
}
END_TEST

static enum fault_code ask_as(
    const char *service, enum route route, const ProtobufCMessage *message, ProtobufCMessage **reply)
{
    struct fault fault = {0};
    uint8_t key[IDEMPOTENCY_KEY_BYTES];
    ck_assert_int_eq(RAND_bytes(key, sizeof key), 1);
    const struct bus_request request = {
        .route = route, .correlation = "", .key = route_needs_key(route) ? key : NULL, .message = message};
    house_turn(service);
    struct bus_caller *caller = bus_caller_new(service);
    bool done = bus_call(caller, planting, &request, reply, &fault);
    bus_caller_free(caller);
    return done ? FAULT_NONE : fault.code;
}

#define LOST_INSTANCE "0a0b0c0d-0000-4000-8000-000000000009"

/* intake's second record of a process of which the first never came. */
static enum fault_code second_send(void)
{
    static uint8_t link[AUDIT_LINK_BYTES] = {7};
    Audit__AppendRequest request = AUDIT__APPEND_REQUEST__INIT;
    Audit__Chain chain = AUDIT__CHAIN__INIT, *chains = &chain;
    Audit__Link second = AUDIT__LINK__INIT, *links = &second;
    Audit__Event event = AUDIT__EVENT__INIT;
    uint8_t packed[256];
    ProtobufCMessage *reply;
    event.service = "intake";
    event.at_ms = clock_ms();
    event.who = "intake";
    event.act = "completed";
    event.manager = "tokyo";
    event.outcome = "done";
    chain.instance = LOST_INSTANCE;
    chain.worker = 1;
    chain.links = &links;
    chain.n_links = 1;
    second.sequence = 2;
    second.previous = second.digest = (ProtobufCBinaryData){sizeof link, link};
    second.event = (ProtobufCBinaryData){audit__event__pack(&event, packed), packed};
    request.chains = &chains;
    request.n_chains = 1;
    return ask_as("intake", ROUTE_audit_append, &request.base, &reply);
}

/* LOG-1, STORE-4: where records of use are missing every manager has a finding of it; an operator lets the chain go on,
 * once, with a reason, and what was missing stays listed */
START_TEST(a_gap_is_a_finding_and_is_released_with_a_reason)
{
    Audit__GapsRequest ask_gaps = AUDIT__GAPS_REQUEST__INIT;
    Audit__ReleaseRequest let_go = AUDIT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    struct lane lane = {.name = "own_records"};
    struct fault fault = {0};
    house_turn("audit");
    ck_assert(months_make(audit->pg, &fault));
    ck_assert_int_eq(second_send(), FAULT_audit_gap);
    ck_assert_int_eq(second_send(), FAULT_audit_gap);
    house_turn("audit");
    ck_assert_int_gt(own_records_turn(audit, &lane), 0);
    analyse();
    for (size_t m = 0; m < MANAGERS; m++) {
        const Audit__FindingsReply *list = list_by(managers[m], "open", "record-gap");
        ck_assert_uint_eq(list->n_findings, 1);
        ck_assert_int_eq(list->findings[0]->records, 1);
        ck_assert_str_eq(list->findings[0]->reason, "intake/" LOST_INSTANCE "/1");
    }
    let_go.service = "intake";
    let_go.instance = LOST_INSTANCE;
    let_go.worker = 1;
    ck_assert_int_eq(ask_as("operator", ROUTE_audit_release, &let_go.base, &reply), FAULT_reason_missing);
    let_go.reason = "K-2026-7";
    ck_assert_int_eq(ask_as("intake", ROUTE_audit_release, &let_go.base, &reply), FAULT_route_not_allowed);
    ck_assert_int_eq(ask_as("operator", ROUTE_audit_release, &let_go.base, &reply), FAULT_NONE);
    ck_assert_uint_eq(((const Audit__ReleaseReply *)reply)->from, 1);
    ck_assert_uint_eq(((const Audit__ReleaseReply *)reply)->to, 1);
    ck_assert_int_eq(ask_as("operator", ROUTE_audit_release, &let_go.base, &reply), FAULT_not_found);
    ck_assert_int_eq(second_send(), FAULT_NONE);
    ck_assert_int_eq(ask_as("operator", ROUTE_audit_gaps, &ask_gaps.base, &reply), FAULT_NONE);
    const Audit__GapsReply *gaps = (const Audit__GapsReply *)reply;
    ck_assert_uint_eq(gaps->n_gaps, 1);
    ck_assert_str_eq(gaps->gaps[0]->reason, "K-2026-7");
    ck_assert_int_gt(gaps->gaps[0]->released_at_ms, 0);
    ck_assert_uint_eq(list_by("tokyo", "open", "record-gap")->n_findings, 1);
}
END_TEST

/* LOG-3: what comes after the closing opens another finding; what was closed is not counted again */
START_TEST(what_comes_after_a_closing_is_found_anew)
{
    all_plant();
    history_lay(0);
    analyse();
    const Audit__FindingsReply *list = list_by("tokyo", "open", "repeated-person");
    ck_assert_uint_eq(list->n_findings, 1);
    ck_assert_int_eq(list->findings[0]->records, 16);
    ck_assert_int_eq(close_by("kansa", "tokyo", list->findings[0]->finding, "再審査のため"), FAULT_NONE);
    size_t from = planted_count;
    for (int i = 0; i < 14; i++)
        plant_of("tokyo", "suzuki", "intake_view", TEN(13, i % 5) + i * 60000, 900030);
    history_lay(from);
    analyse();
    ck_assert_uint_eq(list_by("tokyo", "open", "repeated-person")->n_findings, 0);
    from = planted_count;
    plant_of("tokyo", "suzuki", "intake_view", TEN(13, 4) + HOUR_MS, 900030);
    history_lay(from);
    analyse();
    list = list_by("tokyo", "open", "repeated-person");
    ck_assert_uint_eq(list->n_findings, 1);
    ck_assert_int_eq(list->findings[0]->records, 15);
}
END_TEST

/* --- what goes by itself ------------------------------------------------------------------------------------------ */

/* LOG-3, ERASE-1: what rules look back at and what was closed go when their time is over, and that leaves its record;
 * open findings never */
START_TEST(what_is_too_old_goes)
{
    static const struct setting kept[] = {
        {"SHIKAKU_ANALYSIS_SETTLE_SECONDS", SETTING_NUMBER, "3600", 0, 604800, "settle"},
        {"SHIKAKU_ANALYSIS_KEEP_DAYS", SETTING_NUMBER, "180", 31, 3660, "days"},
        {"SHIKAKU_KEEP_FINDINGS_MONTHS", SETTING_NUMBER, "84", 12, 1200, "months"}};
    ck_assert(settings_read(kept, sizeof kept / sizeof *kept));
    house_do("tokyo",
        "INSERT INTO audit.touch SELECT 'tokyo', n, 1, at, (at + 32400000) / 86400000, at, 'hand_over', "
        "'done', '', '', '', '', 0, 0, 7, 1 FROM (SELECT n, (extract(epoch FROM now()) * 1000)::bigint "
        "- n * 100 * 86400000::bigint AS at FROM generate_series(1, 3) AS n) AS old");
    house_do("tokyo", "INSERT INTO audit.cause SELECT manager, position, 1, at_ms, at_ms FROM audit.touch");
    house_do("tokyo",
        "INSERT INTO audit.finding (manager, finding, rule, account, subject, state, due_at, detail, "
        "closed_at, closing) SELECT 'tokyo', gen_random_uuid(), 'off-hours', n, 0, "
        "CASE WHEN n < 3 THEN 'closed' ELSE 'open' END, now() - interval '90 months', 'x', "
        "CASE WHEN n < 3 THEN now() - n * interval '50 months' END, CASE WHEN n < 3 THEN 'x'::bytea END "
        "FROM generate_series(1, 3) AS n");
    house_do("tokyo", "INSERT INTO audit.finding_touch SELECT manager, finding, account FROM audit.finding");
    house_turn("audit");
    while (work_reset(audit), analysis_turn(audit, NULL) > 0)
        ;
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.touch"), 1);
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.cause"), 1);
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.finding"), 2);
    ck_assert_int_eq(number_of("tokyo", "SELECT sum(position) FROM audit.finding_touch"), 1 + 3);
    ck_assert_int_eq(number_of("tokyo", "SELECT count(*) FROM audit.audit_outbox"), 1);
    char *meters = meters_print();
    ck_assert_ptr_nonnull(strstr(meters, "findings_open{rule=\"off-hours\"} 1"));
    ck_assert_ptr_nonnull(strstr(meters, "findings_overdue{rule=\"off-hours\"} 1"));
    free(meters);
}
END_TEST

/* --- rules as data ------------------------------------------------------------------------------------------------ */

#define COMMON                                                                                                         \
    "\"title\": \"a\", \"text\": \"b\", \"every_seconds\": 60, \"close_within_days\": 7, \"group\": \"person\""

/* LOG-3: a rule that breaks a rule stops the start, and is named with file and field */
START_TEST(a_wrong_rule_is_named)
{
    static const struct {
        const char *rule, *problem;
    } wrongs[] = {
        {"[]", "wrong.json: file: must be there and hold one JSON object"},
        {"{\"test\": \"magic\"}", "wrong.json: test: is not known"},
        {"{\"test\": \"no_cause\", " COMMON "}", "wrong.json: grace_hours: must be a whole number from 0 to 8760"},
        {"{\"test\": \"no_cause\", " COMMON ", \"grace_hours\": 8760}",
            "wrong.json: grace_hours: must not look back further than SHIKAKU_ANALYSIS_KEEP_DAYS"},
        {"{\"test\": \"no_cause\", " COMMON ", \"grace_hours\": 1, \"days\": 3}",
            "wrong.json: days: is not known for this test"},
        {"{\"test\": \"own_record\", " COMMON ", \"same\": \"street\"}", "wrong.json: same: ,name,family,"},
        {"{\"test\": \"off_hours\", " COMMON ", \"hours\": [8], \"weekdays\": [1]}",
            "wrong.json: hours: must be 2 to 2 whole numbers from 0 to 24"},
        {"{\"test\": \"no_cause\", " COMMON ", \"grace_hours\": 1, \"acts\": [\"Ünknown\"]}",
            "wrong.json: acts: must hold words of a-z, 0-9, _ and - alone"},
        {"{\"test\": \"no_cause\", " COMMON ", \"grace_hours\": 1, \"acts\": [\"intake_veiw\"]}",
            "wrong.json: acts: names an act that proto/acts.def has not"},
    };
    char folder[128], line[400], path[200], problem[ANALYSIS_PROBLEM_MAX];
    snprintf(folder, sizeof folder, "%s/rules", house_folder);
    snprintf(line, sizeof line, "mkdir -p %s && cp deploy/analyses/causes.json deploy/analyses/holidays.json %s",
        folder, folder);
    ck_assert_int_eq(system(line), 0);
    snprintf(path, sizeof path, "%s/wrong.json", folder);
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        FILE *out = fopen(path, "w");
        fputs(wrongs[i].rule, out);
        fclose(out);
        analysis_rules_close();
        ck_assert(!analysis_rules_open(folder, 180, problem));
        ck_assert_str_eq(problem, wrongs[i].problem);
    }
    snprintf(line, sizeof line, "rm -r %s", folder);
    ck_assert_int_eq(system(line), 0);
    analysis_rules_close();
    ck_assert(!analysis_rules_open(folder, 180, problem));
    ck_assert_str_eq(problem, "causes.json: file: must be there and hold one JSON object");
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("findings");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, a_normal_history_gives_no_finding);
    tcase_add_test(cases, each_rule_finds_what_was_planted);
    tcase_add_test(cases, the_same_is_found_piece_by_piece);
    tcase_add_test(cases, a_kill_loses_and_doubles_nothing);
    tcase_add_test(cases, a_person_closes_a_finding_with_a_reason);
    tcase_add_test(cases, long_records_come_in_pages);
    tcase_add_test(cases, a_gap_is_a_finding_and_is_released_with_a_reason);
    tcase_add_test(cases, what_comes_after_a_closing_is_found_anew);
    tcase_add_test(cases, what_is_too_old_goes);
    tcase_add_test(cases, a_wrong_rule_is_named);
    Suite *suite = suite_create("findings");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
