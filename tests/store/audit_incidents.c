/* Incident files: opened from what the records of use answer, frozen, worked on under two clocks, reported, closed. */
#include "store/answers.h"

#include "audit/audit_incident.h"
#include "audit/audit_incident_items.h"
#include "chassis/cover.h"
#include "chassis/meters.h"

#define CASE "R8-jian-1"
#define DAY_MS 86400000LL
#define HOUR_MS 3600000LL
#define OUTLINE "架空の端末が盗まれた。"

static char incident_id[40];

static Audit__IncidentOpenRequest open_request(const char *manager, int64_t known_at_ms)
{
    Audit__IncidentOpenRequest request = AUDIT__INCIDENT_OPEN_REQUEST__INIT;
    request.manager = (char *)manager;
    request.reason = CASE;
    request.outline = OUTLINE;
    request.known_at_ms = known_at_ms;
    return request;
}

static void refused(enum fault_code code, const char *field)
{
    ck_assert_msg(work->fault.code == code && strcmp(work->fault.field, field) == 0, "%s %s instead of %s %s",
        fault_code_text(work->fault.code), work->fault.field, fault_code_text(code), field);
}

static const Audit__IncidentOpenReply *open_file(const Audit__IncidentOpenRequest *request)
{
    const Audit__IncidentOpenReply *reply =
        (const Audit__IncidentOpenReply *)ask(request->manager, ROUTE_audit_incident_open, &request->base);
    if (reply)
        snprintf(incident_id, sizeof incident_id, "%s", reply->incident);
    return reply;
}

static const Audit__IncidentReply *view(const char *manager)
{
    Audit__IncidentRequest request = AUDIT__INCIDENT_REQUEST__INIT;
    request.manager = (char *)manager;
    request.incident = incident_id;
    return (const Audit__IncidentReply *)ask(manager, ROUTE_audit_incident, &request.base);
}

static const Audit__IncidentsReply *list(const char *manager, const char *state)
{
    Audit__IncidentsRequest request = AUDIT__INCIDENTS_REQUEST__INIT;
    request.manager = (char *)manager;
    request.state = (char *)state;
    return (const Audit__IncidentsReply *)ask(manager, ROUTE_audit_incidents, &request.base);
}

static const Audit__IncidentPersonsReply *persons_of(const char *manager, int scope, int page)
{
    Audit__IncidentPersonsRequest request = AUDIT__INCIDENT_PERSONS_REQUEST__INIT;
    request.manager = (char *)manager;
    request.incident = incident_id;
    request.scope = scope;
    request.page = page;
    return (const Audit__IncidentPersonsReply *)ask(manager, ROUTE_audit_incident_persons, &request.base);
}

static bool step(const char *to, int64_t at_ms)
{
    Audit__IncidentStepRequest request = AUDIT__INCIDENT_STEP_REQUEST__INIT;
    request.manager = "tokyo";
    request.incident = incident_id;
    request.to = (char *)to;
    request.reason = CASE;
    request.at_ms = at_ms;
    const Audit__IncidentStepReply *reply =
        (const Audit__IncidentStepReply *)ask("tokyo", ROUTE_audit_incident_step, &request.base);
    return reply && strcmp(reply->state, to) == 0;
}

static Audit__IncidentChangeRequest change_request(void)
{
    Audit__IncidentChangeRequest request = AUDIT__INCIDENT_CHANGE_REQUEST__INIT;
    request.manager = "tokyo";
    request.incident = incident_id;
    request.reason = CASE;
    return request;
}

static const Audit__IncidentChangeReply *change(const Audit__IncidentChangeRequest *request)
{
    return (const Audit__IncidentChangeReply *)ask("tokyo", ROUTE_audit_incident_change, &request->base);
}

/* Items 0 to `count` - 1, each as "item N". */
static void items_write(int count)
{
    Audit__IncidentChangeRequest request = change_request();
    char texts[INCIDENT_ITEMS][16];
    for (int item = 0; item < count; item++) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(
            &audit__incident_change_request__descriptor, incident_item_key(item));
        snprintf(texts[item], sizeof texts[item], "item %d", item);
        *(char **)((char *)&request + field->offset) = texts[item];
    }
    ck_assert_msg(change(&request) != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
}

/* --- the scope ---------------------------------------------------------------------------------------------------- */

static void story_of_many(size_t persons)
{
    char subject[32];
    for (size_t i = 0; i < persons; i++) {
        snprintf(subject, sizeof subject, "MASS-%05zu", i);
        tell_by("tokyo", "sato", i % 3 ? "intake_view" : "certificates_print", subject, "");
    }
    story_log(0);
}

static void scope_ask(Audit__IncidentOpenRequest *request)
{
    request->account = "sato";
    request->from_ms = begun_ms;
    request->until_ms = begun_ms + DAY_MS;
}

/* RIGHT-3, LOG-1: the file keeps whose data it was and what was done with it, as it was when it was asked for; a later
 * record changes nothing, a further scope is one of its own */
START_TEST(a_scope_is_frozen)
{
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    scope_ask(&request);
    story_of_many(450);
    const Audit__IncidentOpenReply *opened = open_file(&request);
    ck_assert_msg(opened != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    ck_assert_int_eq(opened->sum->persons, 450);
    ck_assert_int_eq(opened->sum->only_seen, 300);
    tell_by("tokyo", "sato", "intake_view", "LATER-1", "");
    story_log(450);
    for (int page = 1; page <= 3; page++) {
        const Audit__IncidentPersonsReply *persons = persons_of("tokyo", 1, page);
        ck_assert_ptr_nonnull(persons);
        ck_assert_int_eq(persons->pages, 3);
        ck_assert_uint_eq(persons->n_exposures, page < 3 ? 200 : 50);
        for (size_t i = 0; i < persons->n_exposures; i++) {
            char expected[32];
            size_t number = (size_t)(page - 1) * 200 + i;
            snprintf(expected, sizeof expected, "MASS-%05zu", number);
            ck_assert_str_eq(persons->exposures[i]->person, expected);
            ck_assert_int_eq(persons->exposures[i]->printed, number % 3 ? 0 : 1);
        }
    }
    ck_assert_ptr_null(persons_of("tokyo", 1, 4));
    refused(FAULT_not_found, "scope");
    Audit__IncidentScopeRequest more = AUDIT__INCIDENT_SCOPE_REQUEST__INIT;
    more.manager = "tokyo";
    more.incident = incident_id;
    more.reason = CASE;
    more.account = "sato";
    more.from_ms = begun_ms;
    more.until_ms = begun_ms + DAY_MS;
    const Audit__IncidentScopeReply *added =
        (const Audit__IncidentScopeReply *)ask("tokyo", ROUTE_audit_incident_scope, &more.base);
    ck_assert_ptr_nonnull(added);
    ck_assert_int_eq(added->scope, 2);
    ck_assert_int_eq(added->sum->persons, 451);
    const Audit__IncidentReply *file = view("tokyo");
    ck_assert_uint_eq(file->n_scopes, 2);
    ck_assert_int_eq(file->scopes[0]->sum->persons, 450);
    ck_assert_str_eq(file->scopes[0]->account, "sato");
    ck_assert_int_gt(file->scopes[1]->log_length, file->scopes[0]->log_length);
}
END_TEST

/* RIGHT-3: by hand, each person once; or without anybody yet */
START_TEST(a_scope_by_hand)
{
    char *persons[] = {"KAKU-0002", "KAKU-0001", "KAKU-0002"};
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    ck_assert_ptr_nonnull(open_file(&request));
    ck_assert_uint_eq(view("tokyo")->n_scopes, 0);
    request.persons = persons;
    request.n_persons = 3;
    const Audit__IncidentOpenReply *opened = open_file(&request);
    ck_assert_ptr_nonnull(opened);
    ck_assert_int_eq(opened->sum->persons, 2);
    ck_assert_str_eq(persons_of("tokyo", 1, 0)->exposures[0]->person, "KAKU-0001");
    scope_ask(&request);
    request.n_persons = 0;
    request.account = "nobody";
    opened = open_file(&request);
    ck_assert_int_eq(opened->sum->persons, 0);
    ck_assert_uint_eq(persons_of("tokyo", 1, 0)->n_exposures, 0);
}
END_TEST

/* --- the clocks --------------------------------------------------------------------------------------------------- */

static long meter_of(const char *name)
{
    char *all = meters_print();
    const char *at = all ? strstr(all, name) : NULL;
    long value = at ? strtol(at + strlen(name), NULL, 10) : -1;
    free(all);
    return value;
}

/* RIGHT-3: both clocks run from the moment it became known, the second one longer with unlawful purpose; what is
 * overdue shows in the list and in the meters until the report was given */
START_TEST(two_clocks_run)
{
    static const struct lane lane;
    int64_t now = clock_ms();
    Audit__IncidentOpenRequest request = open_request("tokyo", now - 4 * DAY_MS);
    const Audit__IncidentOpenReply *opened = open_file(&request);
    ck_assert_int_eq(opened->preliminary_due_ms, request.known_at_ms + 3 * DAY_MS);
    ck_assert_int_eq(opened->final_due_ms, request.known_at_ms + 30 * DAY_MS);
    Audit__IncidentOpenRequest other = open_request("saitama", now - 31 * DAY_MS);
    ck_assert_ptr_nonnull(ask("saitama", ROUTE_audit_incident_open, &other.base));
    const Audit__Incident *listed = list("tokyo", "open")->incidents[0];
    ck_assert(listed->preliminary_overdue && !listed->final_overdue);
    work_reset(work);
    ck_assert_int_eq(incident_clock_turn(work, &lane), 0);
    ck_assert_int_eq(meter_of("audit_incidents{state=\"open\"} "), 2);
    ck_assert_int_eq(meter_of("audit_incidents_overdue{report=\"preliminary\"} "), 2);
    ck_assert_int_eq(meter_of("audit_incidents_overdue{report=\"final\"} "), 1);
    ck_assert(step("preliminary", now - 2 * DAY_MS));
    listed = list("tokyo", "")->incidents[0];
    ck_assert(!listed->preliminary_overdue && !listed->final_overdue);
    ck_assert_int_eq(listed->preliminary_at_ms, now - 2 * DAY_MS);
    Audit__IncidentChangeRequest worse = change_request();
    worse.unlawful = "yes";
    worse.known_at_ms = now - 61 * DAY_MS;
    const Audit__IncidentChangeReply *moved = change(&worse);
    ck_assert_int_eq(moved->final_due_ms, worse.known_at_ms + 60 * DAY_MS);
    ck_assert(list("tokyo", "preliminary")->incidents[0]->final_overdue);
    ck_assert_uint_eq(list("tokyo", "closed")->n_incidents, 0);
}
END_TEST

/* --- the way of a file -------------------------------------------------------------------------------------------- */

/* RIGHT-3: open, preliminary, final with all nine items, closed; nothing leads back, and a closed file stays as it is
 */
START_TEST(a_file_goes_its_way)
{
    Audit__IncidentOpenRequest request = open_request("tokyo", clock_ms() - HOUR_MS);
    open_file(&request);
    ck_assert(!step("final", 0));
    refused(FAULT_incident_state, "to");
    ck_assert(!step("preliminary", request.known_at_ms - 1));
    refused(FAULT_item_invalid, "at_ms");
    ck_assert(step("preliminary", 0));
    ck_assert(!step("preliminary", 0));
    refused(FAULT_incident_state, "to");
    ck_assert(!step("final", 0));
    refused(FAULT_item_missing, "data_items");
    items_write(8);
    ck_assert(!step("final", 0));
    refused(FAULT_item_missing, "other");
    items_write(9);
    ck_assert(step("final", 0));
    ck_assert(step("closed", 0));
    Audit__IncidentChangeRequest late = change_request();
    late.cause = "later";
    ck_assert_ptr_null(change(&late));
    refused(FAULT_incident_state, "incident");
    ck_assert(!step("closed", 0));
    open_file(&request);
    ck_assert(step("closed", 0)); /* it was none */
}
END_TEST

/* RIGHT-3, LOG-1: every change is kept with by whom and why, and is a use of its own */
START_TEST(every_change_is_kept)
{
    static const char *const acts[] = {"open", "change", "preliminary", "change", "final", "closed"};
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    open_file(&request);
    items_write(2);
    ck_assert(step("preliminary", 0));
    items_write(9);
    ck_assert(step("final", 0));
    ck_assert(step("closed", 0));
    const Audit__IncidentReply *file = view("tokyo");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(file->n_changes, 6);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_int_eq(file->changes[i]->number, (int)i + 1);
        ck_assert_str_eq(file->changes[i]->act, acts[i]);
        ck_assert_str_eq(file->changes[i]->by, "inoue");
        ck_assert_str_eq(file->changes[i]->reason, CASE);
    }
    ck_assert_uint_eq(file->changes[1]->n_changed, 2);
    ck_assert_uint_eq(file->n_items, 9);
    ck_assert_str_eq(file->items[0]->label, "概要");
    ck_assert_str_eq(file->items[8]->text, "item 8");
    ck_assert_str_eq(file->incident->japanese, "終了");
    own_records_log();
    Audit__AccountRequest account = AUDIT__ACCOUNT_REQUEST__INIT;
    account.manager = "tokyo";
    account.account = "inoue";
    account.reason = CASE;
    const Audit__AccountReply *deeds = (const Audit__AccountReply *)ask("tokyo", ROUTE_audit_account, &account.base);
    ck_assert_uint_eq(deeds->n_deeds, 7);
    ck_assert_str_eq(deeds->deeds[6]->act, "audit_incident_open");
    ck_assert_str_eq(deeds->deeds[6]->reason, incident_id);
}
END_TEST

/* RIGHT-3: what a request must say */
START_TEST(files_keep_the_rules)
{
    static char longer[INCIDENT_ITEM_MAX + 2];
    char *persons[] = {"a b"};
    memset(longer, 'x', sizeof longer - 1);
    const struct {
        char *reason, *outline, *account;
        int64_t known_at_ms, from_ms, until_ms;
        size_t persons;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"", OUTLINE, "", 0, 0, 0, 0, FAULT_reason_missing, "reason"},
        {CASE, "", "", 0, 0, 0, 0, FAULT_item_missing, "outline"},
        {CASE, longer, "", 0, 0, 0, 0, FAULT_item_too_long, "outline"},
        {CASE, OUTLINE, "", clock_ms() + DAY_MS, 0, 0, 0, FAULT_item_invalid, "known_at_ms"},
        {CASE, OUTLINE, "sato", 0, 1, 0, 0, FAULT_item_missing, "until_ms"},
        {CASE, OUTLINE, "sato", 0, 2, 1, 0, FAULT_item_invalid, "until_ms"},
        {CASE, OUTLINE, "sa to", 0, 1, 2, 0, FAULT_item_invalid, "account"},
        {CASE, OUTLINE, "sato", 0, 1, 2, 1, FAULT_item_invalid, "persons"},
        {CASE, OUTLINE, "", 0, 0, 0, 1, FAULT_item_invalid, "persons"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Audit__IncidentOpenRequest request = open_request("tokyo", rows[i].known_at_ms);
        request.reason = rows[i].reason;
        request.outline = rows[i].outline;
        request.account = rows[i].account;
        request.from_ms = rows[i].from_ms;
        request.until_ms = rows[i].until_ms;
        request.persons = persons;
        request.n_persons = rows[i].persons;
        ck_assert_ptr_null(open_file(&request));
        refused(rows[i].code, rows[i].field);
    }
    strcpy(incident_id, "no-id");
    ck_assert_ptr_null(view("tokyo"));
    refused(FAULT_item_invalid, "incident");
    strcpy(incident_id, "00000000-0000-4000-8000-000000000000");
    ck_assert_ptr_null(view("tokyo"));
    refused(FAULT_not_found, "incident");
}
END_TEST

/* EXCH-12, EXCH-13: another manager's file is not there; who may keep none is refused */
START_TEST(another_managers_file_is_not_there)
{
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    struct actor actor = asker_of("tokyo", "platform_operator");
    open_file(&request);
    ck_assert_ptr_null(view("saitama"));
    refused(FAULT_not_found, "incident");
    ck_assert_uint_eq(list("saitama", "")->n_incidents, 0);
    ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_incident_open, &request.base, ""));
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    actor = asker_of("tokyo", "inspector");
    ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_incident_open, &request.base, ""));
    ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
}
END_TEST

/* STORE-1: who is in a file and what it says lies under the manager's key; without it the clocks go on and the rest is
 * shut */
START_TEST(a_file_lies_under_the_managers_key)
{
    char *persons[] = {"KAKU-0001"};
    struct fault fault = {0};
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    request.persons = persons;
    request.n_persons = 1;
    open_file(&request);
    PGresult *row = pg_query(owner,
        "SELECT position('KAKU'::bytea IN p.content) + position('inoue'::bytea IN c.content) FROM audit.incident_page "
        "p "
        "JOIN audit.incident_change c USING (manager, incident)",
        &fault, PG_NONE);
    ck_assert_int_eq(PQntuples(row), 1);
    ck_assert_int_eq(pg_get_integer(row, 0, 0), 0);
    PQclear(row);
    ck_assert(view("tokyo")->readable);
    keyring_forget("tokyo");
    const Audit__IncidentReply *file = view("tokyo");
    ck_assert(!file->readable);
    ck_assert_str_eq(file->items[0]->text, "");
    ck_assert_str_eq(file->incident->state, "open");
    ck_assert_ptr_null(persons_of("tokyo", 1, 1));
    refused(FAULT_key_retired, "scope");
}
END_TEST

/* STORE-1: when a data key is replaced, the rows that are declared to it (chassis/rotation.h) are opened by what is
 * declared of them */
START_TEST(declared_columns_open_their_rows)
{
    static const char *const rows_sql[] = {
        "SELECT t.manager, t.incident::text || '/' || t.number, t.content FROM audit.incident_change AS t",
        "SELECT t.manager, t.incident::text || '/' || t.scope || '/' || t.page, t.content FROM audit.incident_page AS "
        "t",
    };
    char *persons[] = {"KAKU-0001"};
    struct fault fault = {0};
    size_t opened = 0;
    Audit__IncidentOpenRequest request = open_request("tokyo", 0);
    request.persons = persons;
    request.n_persons = 1;
    open_file(&request);
    for (size_t i = 0; i < audit_columns.covered_count; i++) {
        const struct covered_column *column = &audit_columns.covered[i];
        for (size_t j = 0; strncmp(column->table, "incident", 8) == 0 && j < 2; j++) {
            PGresult *rows = strstr(rows_sql[j], column->row) && strstr(rows_sql[j], column->place)
                                 ? pg_query(owner, rows_sql[j], &fault, PG_NONE)
                                 : NULL;
            for (int row = 0; rows && row < PQntuples(rows); row++, opened++) {
                const struct cover_place place = {
                    column->place, pg_get_text(rows, row, 0, arena), pg_get_text(rows, row, 1, arena)};
                struct bytes covered = pg_get_bytes(rows, row, 2);
                ck_assert_msg(cover_take(arena, place, covered.data, covered.len).data != NULL, "%s", column->table);
            }
            PQclear(rows);
        }
    }
    ck_assert_uint_eq(opened, 2);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *incidents = tcase_create("incidents");
    tcase_add_checked_fixture(incidents, answers_setup, answers_teardown);
    tcase_set_timeout(incidents, 60);
    tcase_add_test(incidents, a_scope_is_frozen);
    tcase_add_test(incidents, a_scope_by_hand);
    tcase_add_test(incidents, two_clocks_run);
    tcase_add_test(incidents, a_file_goes_its_way);
    tcase_add_test(incidents, every_change_is_kept);
    tcase_add_test(incidents, files_keep_the_rules);
    tcase_add_test(incidents, another_managers_file_is_not_there);
    tcase_add_test(incidents, a_file_lies_under_the_managers_key);
    tcase_add_test(incidents, declared_columns_open_their_rows);
    Suite *suite = suite_create("audit_incidents");
    suite_add_tcase(suite, incidents);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
