/* The authorisation matrix: every role x route x programme x own or other manager x state of the entry is called, and
 * is let through exactly where deploy/rights/roles.json says; beside it cells written by hand from the assessments; and
 * each right changed one at a time must show. AUTH-5, ROLL-6, EXCH-12, EXCH-13, ORG-1 */
#include "store/matrix.h"
#include "store/matrix_by_hand.h"

#include <jansson.h>

#define TABLE "deploy/rights/roles.json"

/* --- what the table says, read anew here ----------------------------------------------------------------------------
 */

static json_t *table;

static bool lists(const json_t *list, const char *name)
{
    size_t index;
    json_t *one;
    json_array_foreach((json_t *)list, index, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

static const char *usual_purpose(const char *right)
{
    const json_t *rule = json_object_get(json_object_get(table, "rights"), right);
    return json_string_value(json_array_get(json_object_get(rule, "purposes"), 0));
}

/* programme NULL: some. Who has a roll has no operators of the platform. */
static bool table_gives(const char *role, const char *right, const char *purpose, const char *programme)
{
    size_t index;
    const json_t *row = json_object_get(json_object_get(table, "roles"), role);
    json_t *grant, *grants = json_object_get(row, "grants");
    if (json_is_true(json_object_get(row, "platform")))
        return false;
    json_array_foreach(grants, index, grant)
    {
        const json_t *programmes = json_object_get(grant, "programmes");
        if (lists(json_object_get(grant, "rights"), right) && lists(json_object_get(grant, "purposes"), purpose) &&
            (!programme || json_is_string(programmes) || lists(programmes, programme)))
            return true;
    }
    return false;
}

/* A route that serves holders without a right, and staff with one. */
static enum right right_of(enum route route)
{
    return route == ROUTE_certificates_show ? RIGHT_certificate_show : route_row(route)->right;
}

static bool asks_for(enum route route, const char *field)
{
    return protobuf_c_message_descriptor_get_field_by_name(route_row(route)->request, field) != NULL;
}

/* Does the request say which entry, so that its programme counts? */
static bool tells_entry(enum route route)
{
    static const char *const fields[] = {"receipt", "inquiry", "certificate", "document", "programme"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (asks_for(route, fields[i]))
            return true;
    return route == ROUTE_intake_list;
}

static bool cell_expected(const struct cell *cell)
{
    enum right right = right_of(cell->route);
    const char *programme = tells_entry(cell->route) ? cell->entry->programme->code : NULL;
    if (!(route_row(cell->route)->from & PARTY_PORTAL))
        return false;
    if (right == RIGHT_none)
        return true;
    if (right == RIGHT_session)
        return cell->whose != NAMED || !asks_for(cell->route, "manager");
    if (cell->whose != OWN && (tells_entry(cell->route) || (cell->whose == NAMED && asks_for(cell->route, "manager"))))
        return false;
    return table_gives(
        cell->role, right_name(right), *cell->purpose ? cell->purpose : usual_purpose(right_name(right)), programme);
}

/* Where the handler goes on from, when it is let through. */
static bool state_expected(const struct cell *cell, const struct verdict *verdict)
{
    switch (cell->route) {
    case ROUTE_intake_decide: /* kept for a second person where the table says so */
        return (verdict->code == FAULT_NONE || verdict->code == FAULT_approval_needed) == (cell->state == STATE_review);
    case ROUTE_intake_fee_receipt:
        return (verdict->code == FAULT_NONE) == (cell->state == STATE_fee);
    case ROUTE_intake_residence_result:
        return (verdict->code == FAULT_NONE) == (cell->state == STATE_residence_terminal);
    case ROUTE_intake_view:
    case ROUTE_intake_list:
        return verdict->code == FAULT_NONE;
    default:
        return true;
    }
}

/* --- the matrix -----------------------------------------------------------------------------------------------------
 */

struct tally {
    size_t planned, run, permitted, refused, wrong;
};

/* A route without a right answers nobody for want of one. */
static bool was_permitted(const struct cell *cell, const struct verdict *verdict)
{
    if (right_of(cell->route) == RIGHT_none)
        return verdict->code != FAULT_not_permitted && verdict->code != FAULT_not_authenticated &&
               verdict->code != FAULT_route_not_allowed;
    return verdict->permitted;
}

static void cell_try(const struct cell *cell, struct tally *tally, bool told)
{
    struct verdict verdict = cell_run(cell);
    bool permitted = was_permitted(cell, &verdict), expected = cell_expected(cell);
    tally->run++;
    tally->permitted += permitted;
    tally->refused += !permitted;
    if (permitted == expected && (!permitted || cell->whose != OWN || state_expected(cell, &verdict)))
        return;
    tally->wrong++;
    if (told && tally->wrong <= 20)
        printf("matrix: %s %s %s, %s, %s, for '%s': %s, expected %s (%s %s)\n", cell->role,
            route_row(cell->route)->name, cell->entry->programme->code, whose_texts[cell->whose],
            state_name(cell->state), cell->purpose, permitted ? "let through" : "refused",
            expected ? "let through" : "refused", fault_code_text(verdict.code), verdict.field);
    fflush(stdout);
}

static bool has_states(enum route route)
{
    return route_row(route)->to == PARTY_INTAKE && route_row(route)->right != RIGHT_none && asks_for(route, "receipt");
}

static void route_try(const char *role, enum route route, struct tally *tally)
{
    for (size_t entry = 0; entry < entry_count; entry++)
        for (enum whose whose = 0; whose < WHOSE; whose++) {
            enum application_state first = has_states(route) ? 0 : STATE_review;
            enum application_state end = has_states(route) ? STATES : STATE_review + 1;
            for (enum application_state state = first; state < end; state++)
                cell_try(&(struct cell){role, route, &entries[entry], whose, state, "", "", "", NULL}, tally, true);
        }
}

static size_t cells_planned(void)
{
    size_t planned = 0;
    for (enum route route = 0; route < ROUTES; route++)
        planned += json_object_size(json_object_get(table, "roles")) * programmes_count(programmes_in_use()) * WHOSE *
                   (has_states(route) ? STATES : 1);
    return planned;
}

START_TEST(every_cell_is_as_the_table_says)
{
    struct tally tally = {.planned = cells_planned()};
    const char *role;
    json_t *row;
    json_object_foreach(json_object_get(table, "roles"), role, row) for (enum route route = 0; route < ROUTES; route++)
        route_try(role, route, &tally);
    printf(
        "matrix: %zu cells planned, %zu run: %zu let through, %zu refused, %zu not as the table says "
        "(%zu roles, %d routes, %zu programmes, %d managers, %d states)\n",
        tally.planned, tally.run, tally.permitted, tally.refused, tally.wrong,
        json_object_size(json_object_get(table, "roles")), ROUTES, entry_count, WHOSE, STATES);
    fflush(stdout);
    ck_assert_uint_eq(tally.run, tally.planned);
    ck_assert_uint_eq(tally.wrong, 0);
}
END_TEST

/* Every purpose, for every role and right. */
START_TEST(every_purpose_is_as_the_table_says)
{
    struct tally tally = {0};
    const char *role, *purpose;
    json_t *row, *label;
    json_object_foreach(json_object_get(table, "roles"), role, row) json_object_foreach(
        json_object_get(table, "purposes"), purpose, label) for (enum route route = 0; route < ROUTES; route++)
    {
        if (right_of(route) == RIGHT_none || right_of(route) == RIGHT_session)
            continue;
        cell_try(&(struct cell){role, route, &entries[0], OWN, STATE_review, purpose, "", "", NULL}, &tally, true);
    }
    printf(
        "matrix: %zu cells with a purpose: %zu let through, %zu refused\n", tally.run, tally.permitted, tally.refused);
    ck_assert_uint_eq(tally.wrong, 0);
    ck_assert_uint_gt(tally.permitted, 0);
}
END_TEST

/* --- by hand --------------------------------------------------------------------------------------------------------
 */

static const struct entry *entry_of(const char *programme)
{
    for (size_t i = 0; i < entry_count; i++)
        if (strcmp(entries[i].programme->code, programme) == 0)
            return &entries[i];
    ck_abort_msg("no programme %s", programme);
}

/* The state in which the route has something to do. */
static enum application_state state_for(enum route route)
{
    return route == ROUTE_intake_fee_receipt        ? STATE_fee
           : route == ROUTE_intake_residence_result ? STATE_residence_terminal
                                                    : STATE_review;
}

START_TEST(cells_by_hand)
{
    size_t count = sizeof by_hand / sizeof *by_hand;
    for (size_t i = 0; i < count; i++) {
        const struct cell cell = {by_hand[i].role, by_hand[i].route, entry_of(by_hand[i].programme), by_hand[i].whose,
            state_for(by_hand[i].route), "", "", "", NULL};
        struct verdict verdict = cell_run(&cell);
        ck_assert_msg(verdict.permitted == by_hand[i].permitted, "cell %zu: %s %s %s %s: %s %s", i, cell.role,
            route_row(cell.route)->name, by_hand[i].programme, whose_texts[cell.whose], fault_code_text(verdict.code),
            verdict.field);
    }
    printf("matrix: %zu cells by hand\n", count);
    ck_assert_uint_ge(count, 60);
}
END_TEST

/* EXCH-13, AUTH-1: an operator administers the platform, and of no route with personal data gets anywhere */
START_TEST(operators_administer_the_platform_alone)
{
    static const enum route administered[] = {ROUTE_staff_accounts, ROUTE_staff_applications, ROUTE_staff_terminals};
    struct programme platform = *entry_of("chorishi")->programme;
    struct entry nowhere = *entry_of("chorishi");
    struct tally tally = {0};
    platform.manager = RIGHTS_PLATFORM;
    nowhere.programme = &platform;
    for (enum route route = 0; route < ROUTES; route++) {
        struct cell cell = {"platform_operator", route, &nowhere, OWN, STATE_review, "", "", "", NULL};
        const char *right = right_name(right_of(route));
        bool personal =
            json_is_true(json_object_get(json_object_get(json_object_get(table, "rights"), right), "personal"));
        if (!personal)
            continue;
        tally.run++;
        ck_assert_msg(!cell_run(&cell).permitted, "%s", route_row(route)->name);
    }
    ck_assert_uint_gt(tally.run, 12);
    for (size_t i = 0; i < sizeof administered / sizeof *administered; i++) {
        struct cell cell = {"platform_operator", administered[i], &nowhere, OWN, STATE_review, "", "", "", NULL};
        ck_assert_msg(cell_run(&cell).permitted, "%s", route_row(cell.route)->name);
        cell.role = "administrator";
        ck_assert_msg(!cell_run(&cell).permitted, "%s", route_row(cell.route)->name);
    }
}
END_TEST

static Staff__ActorLoan loan_of(const char *purpose, const char *programme, int64_t until_ms)
{
    Staff__ActorLoan loan = STAFF__ACTOR_LOAN__INIT;
    loan.loan = "0000000a-0000-4000-8000-00000000000a";
    loan.right = "export";
    loan.purpose = (char *)purpose;
    loan.programme = (char *)programme;
    loan.until_ms = until_ms;
    return loan;
}

static long recorded(const char *act, const char *what)
{
    char sql[400];
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM intake.audit_outbox WHERE position('%s'::bytea IN event) > 0 "
        "AND position('loan:0000000a-0000-4000-8000-00000000000a'::bytea IN event) > 0 "
        "AND position('%s'::bytea IN event) > 0",
        act, what);
    PGresult *rows = PQexec(house_owner, sql);
    long count = atol(PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return count;
}

/* AUTH-8: a table of applications leaves only by a loan that runs, within what the person has otherwise, and every
 * time is recorded under the loan */
START_TEST(an_export_needs_a_loan)
{
    const struct entry *sea = entry_of("kaigishi"), *boats = entry_of("kogata-senpaku"), *cooks = entry_of("chorishi");
    const Staff__ActorLoan all = loan_of("inspection", "", clock_ms() + 600000),
                           seas = loan_of("inspection", "kaigishi", clock_ms() + 600000),
                           over = loan_of("inspection", "", clock_ms() - 1),
                           other = loan_of("disclosure", "", clock_ms() + 600000);
    const struct {
        struct cell cell;
        bool permitted;
    } cells[] = {
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", NULL}, NO},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &all}, YES},
        {{"reviewer", ROUTE_intake_export, boats, OWN, STATE_review, "", "", "", &all}, YES},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "inspection", "", "", &seas}, YES},
        {{"reviewer", ROUTE_intake_export, boats, OWN, STATE_review, "", "", "", &seas}, NO},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &over}, NO},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &other}, NO},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "disclosure", "", "", &other}, YES},
        {{"reviewer", ROUTE_intake_export, sea, OWN, STATE_review, "registration", "", "", &all}, NO},
        {{"reviewer", ROUTE_intake_export, boats, OWN, STATE_review, "", "kaigishi", "", &all}, NO},
        {{"reviewer", ROUTE_intake_export, sea, NAMED, STATE_review, "", "", "", &all}, NO},
        {{"health_centre", ROUTE_intake_export, cooks, OWN, STATE_review, "", "", "", &all}, YES},
        {{"health_centre", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &all}, NO},
        {{"administrator", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &all}, NO},
        {{"platform_operator", ROUTE_intake_export, sea, OWN, STATE_review, "", "", "", &all}, NO},
        {{"data_entry", ROUTE_intake_decide, entry_of("ginou-kentei"), OWN, STATE_review, "", "", "", &all}, NO},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct verdict verdict = cell_run(&cells[i].cell);
        ck_assert_msg(
            verdict.permitted == cells[i].permitted, "%zu: %s %s", i, fault_code_text(verdict.code), verdict.field);
        struct cell roll = cells[i].cell;
        roll.route = roll.route == ROUTE_intake_export ? ROUTE_records_export : roll.route;
        ck_assert_msg(cell_run(&roll).permitted == cells[i].permitted, "%zu: roll", i);
    }
    ck_assert_int_eq(recorded("intake_export", "done"), 5);
    ck_assert_int_eq(recorded("application_exported", "PSEUDONYM-1"), 5 * STATES); /* each of whom there is a row */
    ck_assert_int_eq(recorded("intake_export", "not_permitted"), 4); /* within its time, on what it is not for */
    session_ended(all.loan, all.until_ms);
    ck_assert(!cell_run(&cells[1].cell).permitted);
}
END_TEST

/* ORG-1, ROLL-6: an account limited to some programmes or to a body's part */
START_TEST(a_part_of_a_manager)
{
    const struct entry *sea = entry_of("kaigishi"), *boats = entry_of("kogata-senpaku"), *cooks = entry_of("chorishi");
    const struct {
        struct cell cell;
        bool permitted;
    } cells[] = {
        {{"reviewer", ROUTE_intake_view, sea, OWN, STATE_review, "", "kaigishi", ""}, YES},
        {{"reviewer", ROUTE_intake_view, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"reviewer", ROUTE_intake_list, sea, OWN, STATE_review, "", "kaigishi", ""}, YES},
        {{"reviewer", ROUTE_intake_list, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"reviewer", ROUTE_intake_decide, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"reviewer", ROUTE_certificates_show, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"residence", ROUTE_residence_instant, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"residence", ROUTE_residence_instant_result, boats, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"residence", ROUTE_residence_instant_result, sea, OWN, STATE_review, "", "kaigishi", ""}, YES},
        {{"health_centre", ROUTE_intake_view, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"health_centre", ROUTE_intake_list, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"health_centre", ROUTE_intake_fee_receipt, cooks, OWN, STATE_fee, "", "", "hc-chuo"}, NO},
        {{"counter", ROUTE_certificates_show, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"residence", ROUTE_residence_instant_result, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"counter", ROUTE_vault_change_number, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"disclosure", ROUTE_audit_who, cooks, OWN, STATE_review, "", "", "hc-chuo"}, NO},
        {{"disclosure", ROUTE_audit_exposed, sea, OWN, STATE_review, "", "kaigishi", ""}, NO},
        {{"disclosure", ROUTE_audit_exposed, sea, OWN, STATE_review, "", "kaigishi,kogata-senpaku", ""}, YES},
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct verdict verdict = cell_run(&cells[i].cell);
        ck_assert_msg(
            verdict.permitted == cells[i].permitted, "%zu: %s %s", i, fault_code_text(verdict.code), verdict.field);
    }
    house_do("tokyo", "UPDATE intake.application SET body = 'hc-chuo'");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        if (strcmp(cells[i].cell.role, "health_centre") == 0)
            ck_assert(cell_run(&cells[i].cell).permitted);
    struct cell elsewhere = cells[9].cell;
    elsewhere.body = "hc-nishi";
    ck_assert(!cell_run(&elsewhere).permitted);
}
END_TEST

/* --- the test of the test -------------------------------------------------------------------------------------------
 */

/* Is a cell of the role on a route that asks for the right, for the purpose, not as the shipped table says? */
static bool shows(const char *role, const char *right, const char *purpose)
{
    struct tally tally = {0};
    for (enum route route = 0; route < ROUTES; route++)
        for (size_t entry = 0; entry < entry_count && !tally.wrong; entry++)
            if (strcmp(right_name(right_of(route)), right) == 0)
                cell_try(&(struct cell){role, route, &entries[entry], OWN, state_for(route), purpose, "", "", NULL},
                    &tally, false);
    return tally.wrong > 0;
}

static json_t *grants_of(json_t *of, const char *role)
{
    return json_object_get(json_object_get(json_object_get(of, "roles"), role), "grants");
}

static void in_force_take(json_t *changed)
{
    struct fault fault = {0};
    ck_assert_msg(rights_take(changed, &fault), "%s", fault.field);
    json_decref(changed);
}

/* The right is taken from the role for the purpose, or given to it where it has it not. */
static json_t *right_flipped(const char *role, const char *right, const char *purpose)
{
    size_t index, place;
    json_t *grant, *name, *changed = json_deep_copy(table), *grants = grants_of(changed, role);
    json_object_set_new(json_object_get(json_object_get(changed, "rights"), right), "temporary", json_false());
    if (!table_gives(role, right, purpose, NULL)) {
        json_t *row = json_object_get(json_object_get(changed, "roles"), role);
        json_object_set_new(row, "platform", json_false());
        json_object_set_new(row, "personal_data", json_true());
        json_array_append_new(
            grants, json_pack("{s[s] ss s[s]}", "rights", right, "programmes", "all", "purposes", purpose));
        return changed;
    }
    json_array_foreach(grants, index, grant)
    {
        json_t *rights = json_object_get(grant, "rights");
        json_array_foreach(rights, place, name) if (strcmp(json_string_value(name), right) == 0)
        {
            json_array_remove(rights, place);
            break;
        }
        if (json_array_size(rights) == 0)
            json_array_remove(grants, index--);
    }
    return changed;
}

/* A grant for some programmes becomes one for all, one for all becomes one for a programme that is not there. */
static json_t *programmes_flipped(const char *role, size_t index)
{
    json_t *changed = json_deep_copy(table), *grant = json_array_get(grants_of(changed, role), index);
    bool all = json_is_string(json_object_get(grant, "programmes"));
    json_object_set_new(grant, "programmes", all ? json_pack("[s]", "no-such") : json_string("all"));
    return changed;
}

/* The vault's ties know no programme. */
static bool knows_programmes(const char *right)
{
    for (enum route route = 0; route < ROUTES; route++)
        if (strcmp(right_name(right_of(route)), right) == 0 && tells_entry(route))
            return true;
    return false;
}

struct corruption {
    size_t done, red;
};

static void corruption_note(struct corruption *sum, bool red, const char *role, const char *what)
{
    sum->done++;
    sum->red += red;
    if (!red)
        printf("matrix: %s of %s was changed, and nothing showed\n", what, role);
    fflush(stdout);
}

static void rights_corrupt(const char *role, struct corruption *sum)
{
    const char *right;
    json_t *rule, *purpose;
    size_t index;
    json_object_foreach(json_object_get(table, "rights"), right, rule)
        json_array_foreach(json_object_get(rule, "purposes"), index, purpose)
    {
        in_force_take(right_flipped(role, right, json_string_value(purpose)));
        corruption_note(sum, shows(role, right, json_string_value(purpose)), role, right);
    }
}

static void programmes_corrupt(const char *role, struct corruption *sum)
{
    size_t index;
    json_t *grant;
    json_array_foreach(grants_of(table, role), index, grant)
    {
        const json_t *rights = json_object_get(grant, "rights");
        const char *purpose = json_string_value(json_array_get(json_object_get(grant, "purposes"), 0));
        bool red = false, known = false;
        in_force_take(programmes_flipped(role, index));
        for (size_t i = 0; i < json_array_size(rights) && !red; i++) {
            const char *right = json_string_value(json_array_get(rights, i));
            known |= knows_programmes(right);
            red = knows_programmes(right) && shows(role, right, purpose);
        }
        if (known)
            corruption_note(sum, red, role, "programmes");
    }
}

START_TEST(every_corrupted_right_is_red)
{
    struct corruption sum = {0};
    const char *role;
    json_t *row;
    json_object_foreach(json_object_get(table, "roles"), role, row)
    {
        rights_corrupt(role, &sum);
        programmes_corrupt(role, &sum);
    }
    printf("matrix: %zu rights corrupted one at a time, %zu red\n", sum.done, sum.red);
    fflush(stdout);
    ck_assert_uint_eq(sum.red, sum.done);
    ck_assert_uint_ge(sum.done, 100);
}
END_TEST

static void setup(void)
{
    table = json_load_file(TABLE, 0, NULL);
    ck_assert_ptr_nonnull(table);
    matrix_open();
}

static void teardown(void)
{
    json_decref(table);
    matrix_close();
}

int main(void)
{
    TCase *cases = tcase_create("matrix");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, every_cell_is_as_the_table_says);
    tcase_add_test(cases, every_purpose_is_as_the_table_says);
    tcase_add_test(cases, cells_by_hand);
    tcase_add_test(cases, operators_administer_the_platform_alone);
    tcase_add_test(cases, an_export_needs_a_loan);
    tcase_add_test(cases, a_part_of_a_manager);
    tcase_add_test(cases, every_corrupted_right_is_red);
    tcase_set_timeout(cases, 60);
    Suite *suite = suite_create("matrix");
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
