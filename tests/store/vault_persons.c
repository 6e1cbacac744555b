/* What happens to a person's ties later: a changed number, two persons under one pseudonym, one person under two, and
 * portal pseudonyms. */
#include "store/vault_acts.h"

#include "vault/correction_messages.h"

static struct kit_person people[6];
static struct actor clerk, chief;

static void persons_set_up(void)
{
    set_up();
    for (uint32_t i = 0; i < 6; i++)
        kit_person_make(&people[i], SEED, i);
    strcpy(clerk.account, "clerk1");
    strcpy(clerk.manager, "tokyo");
    strcpy(clerk.role, "corrector");
    clerk.rights = 1u << RIGHT_number_correct;
    chief = clerk;
    strcpy(chief.account, "chief1");
    acting = NULL;
}

static enum outcome change(const char *key, const char *pseudonym, const char *number, bool *changed)
{
    return act_change(key, "tokyo", pseudonym, number, changed);
}

/* The number that a release of the pseudonym gives must be this one. */
static void expect_number(const char *pseudonym, const char *number)
{
    char *plain;
    enum outcome outcome = act_release(NULL, "tokyo", &pseudonym, 1, &plain);
    ck_assert_msg(outcome == OUTCOME_DONE, "%s", fault_code_text(work->fault.code));
    ck_assert_ptr_nonnull(strstr(plain, number));
    free(plain);
}

static void gateway_id(const char *pseudonym, char id[37])
{
    ck_assert_int_eq(act_gateway_id(NULL, "tokyo", pseudonym, id), OUTCOME_DONE);
}

static enum outcome acquire(const char *key, const char *id, const char *code, char **sealed)
{
    return act_acquire(key, "tokyo", id, code, sealed);
}

/* --- a changed number --------------------------------------------------------------------------------------------- */

/* NUM-1: the pseudonym stays; both numbers lead to it; what leaves is the new one; the gateway's id goes on with it */
START_TEST(a_number_changes_and_the_pseudonym_stays)
{
    bool changed;
    char before[37], after[37], *sealed;
    struct enrolled enrolled = enrol_paper(people[0].number, "tokyo");
    gateway_id(enrolled.pseudonym, before);
    ck_assert_int_eq(change("1", enrolled.pseudonym, people[1].number, &changed), OUTCOME_DONE);
    ck_assert(changed);
    expect_number(enrolled.pseudonym, people[1].number);
    struct enrolled by_old = enrol_paper(people[0].number, "tokyo"), by_new = enrol_paper(people[1].number, "tokyo");
    ck_assert(by_old.known && by_new.known);
    ck_assert_str_eq(by_old.pseudonym, enrolled.pseudonym);
    ck_assert_str_eq(by_new.pseudonym, enrolled.pseudonym);
    ck_assert_int_eq(ties("tokyo"), 2);
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.tie WHERE replaced_on = current_date"), 1);
    gateway_id(enrolled.pseudonym, after);
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(acquire("9", after, "A-1", &sealed), OUTCOME_DONE);
    char *plain = kit_sealed_open(residence, sealed);
    ck_assert_ptr_nonnull(strstr(plain, people[1].number));
    free(plain);
    ck_assert_int_eq(change("2", enrolled.pseudonym, people[1].number, &changed), OUTCOME_DONE);
    ck_assert(!changed);
    ck_assert_int_eq(ties("tokyo"), 2);
}
END_TEST

/* Pitfall 15, NUM-5: never to a number that is another's, nor back, nor for a pseudonym that is not there */
START_TEST(a_number_does_not_change_to_anothers)
{
    bool changed;
    char stranger[PSEUDONYM_LENGTH + 1];
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), other = enrol_paper(people[1].number, "tokyo");
    expect_fault(change("1", one.pseudonym, people[1].number, &changed), FAULT_number_of_another, "number");
    expect_number(one.pseudonym, people[0].number);
    expect_number(other.pseudonym, people[1].number);
    ck_assert_int_eq(change("2", one.pseudonym, people[2].number, &changed), OUTCOME_DONE);
    expect_fault(change("3", one.pseudonym, people[0].number, &changed), FAULT_number_replaced, "number");
    expect_fault(change("4", other.pseudonym, people[0].number, &changed), FAULT_number_of_another, "number");
    ck_assert(pseudonym_make(stranger));
    expect_fault(change("5", stranger, people[3].number, &changed), FAULT_pseudonym_unknown, "pseudonym");
    ck_assert_int_eq(ties("tokyo"), 3);
}
END_TEST

/* NUM-6: the vault knows no death: a dead person's number lies in the same columns, as everybody's, until its manager
 * ends; there is nothing that could treat it otherwise */
START_TEST(a_dead_persons_number_is_kept_alike)
{
    enrol_paper(people[0].number, "tokyo");
    ck_assert_int_eq(count_as("",
                         "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'vault' AND "
                         "column_name ~ '(dea|dead|died|death|living|alive)'"),
        0);
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.tie WHERE replaced_on IS NULL"), 1);
}
END_TEST

/* --- corrections ---------------------------------------------------------------------------------------------------
 */

static struct asked split_of(const char *pseudonym, const char *number)
{
    return (struct asked){.manager = "tokyo", .pseudonym = pseudonym, .number = number};
}

static struct asked join_of(const char *pseudonym, const char *other, bool other_in_force)
{
    return (struct asked){.manager = "tokyo", .pseudonym = pseudonym, .other = other, .other_in_force = other_in_force};
}

static enum outcome decide(const char *key, const char *id, bool approve, char other[PSEUDONYM_LENGTH + 1])
{
    return act_decide(key, "tokyo", id, approve, other);
}

/* AUTH-1, pitfall 15: two persons under one pseudonym are separated by two members of staff, never by one; who asked
 * and who approved is recorded */
START_TEST(two_persons_are_separated_by_two)
{
    bool changed;
    char id[37], other[PSEUDONYM_LENGTH + 1], gateway_before[37], gateway_after[37];
    struct enrolled one = enrol_paper(people[0].number, "tokyo");
    ck_assert_int_eq(change("1", one.pseudonym, people[1].number, &changed), OUTCOME_DONE);
    gateway_id(one.pseudonym, gateway_before);
    acting = &clerk;
    struct asked request = split_of(one.pseudonym, people[1].number);
    ck_assert_int_eq(act_ask("2", &request, id), OUTCOME_DONE);
    expect_number(one.pseudonym, people[1].number); /* nothing has happened yet */
    expect_fault(decide("3", id, true, other), FAULT_correction_same_person, "correction");
    acting = &chief;
    ck_assert_int_eq(decide("4", id, true, other), OUTCOME_DONE);
    ck_assert(pseudonym_check(other));
    expect_number(one.pseudonym, people[0].number);
    expect_number(other, people[1].number);
    acting = NULL;
    struct enrolled first = enrol_paper(people[0].number, "tokyo"), second = enrol_paper(people[1].number, "tokyo");
    ck_assert_str_eq(first.pseudonym, one.pseudonym);
    ck_assert_str_eq(second.pseudonym, other);
    gateway_id(one.pseudonym, gateway_after);
    ck_assert_str_ne(gateway_before, gateway_after); /* whose it was, nobody knows */
    ck_assert_int_eq(count_as("tokyo",
                         "SELECT count(*) FROM vault.correction WHERE state = 'approved' AND asked_by = "
                         "'clerk1' AND decided_by = 'chief1' AND number IS NULL"),
        1);
    ck_assert_int_ge(events("clerk1"), 1);
    ck_assert_int_ge(events("chief1"), 1);
    acting = &chief;
    expect_fault(decide("5", id, true, other), FAULT_state_conflict, "correction");
}
END_TEST

/* One person under two pseudonyms: both lead to one afterwards, and separating them gives each its own back */
START_TEST(one_person_is_joined_and_separated_again)
{
    char id[37], other[PSEUDONYM_LENGTH + 1];
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), two = enrol_paper(people[1].number, "tokyo");
    acting = &clerk;
    struct asked request = join_of(one.pseudonym, two.pseudonym, true);
    ck_assert_int_eq(act_ask("1", &request, id), OUTCOME_DONE);
    acting = &chief;
    ck_assert_int_eq(decide("2", id, true, other), OUTCOME_DONE);
    expect_number(one.pseudonym, people[1].number);
    expect_number(two.pseudonym, people[1].number);
    struct enrolled again = enrol_paper(people[0].number, "tokyo");
    ck_assert_str_eq(again.pseudonym, one.pseudonym);
    again = enrol_paper(people[1].number, "tokyo");
    ck_assert_str_eq(again.pseudonym, one.pseudonym);
    acting = &clerk;
    struct asked back = split_of(one.pseudonym, people[1].number);
    ck_assert_int_eq(act_ask("3", &back, id), OUTCOME_DONE);
    acting = &chief;
    ck_assert_int_eq(decide("4", id, true, other), OUTCOME_DONE);
    ck_assert_str_eq(other, two.pseudonym);
    expect_number(one.pseudonym, people[0].number);
    expect_number(two.pseudonym, people[1].number);
}
END_TEST

/* Never by guess: what is not so is not asked for, and what was refused does not happen */
START_TEST(a_correction_that_is_wrong_is_refused)
{
    bool changed;
    char id[37], other[PSEUDONYM_LENGTH + 1];
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), two = enrol_paper(people[1].number, "tokyo");
    acting = &clerk;
    struct asked request = split_of(one.pseudonym, people[0].number); /* the only one */
    expect_fault(act_ask("1", &request, id), FAULT_correction_not_possible, "pseudonym");
    request = split_of(one.pseudonym, people[1].number); /* another's */
    expect_fault(act_ask("2", &request, id), FAULT_correction_not_possible, "pseudonym");
    request = join_of(one.pseudonym, one.pseudonym, true);
    expect_fault(act_ask("3", &request, id), FAULT_correction_not_possible, "other");
    request = join_of(one.pseudonym, two.pseudonym, true);
    request.reason = "the case of a person";
    expect_fault(act_ask("4", &request, id), FAULT_item_invalid, "reason");
    request.reason = "case-2";
    strcpy(clerk.manager, "mlit");
    expect_fault(act_ask("5", &request, id), FAULT_not_permitted, "manager");
    strcpy(clerk.manager, "tokyo");
    ck_assert_int_eq(act_ask("6", &request, id), OUTCOME_DONE);
    acting = &chief;
    ck_assert_int_eq(decide("7", id, false, other), OUTCOME_DONE);
    expect_fault(decide("8", id, true, other), FAULT_state_conflict, "correction");
    expect_number(two.pseudonym, people[1].number);
    acting = NULL;
    ck_assert_int_eq(change("9", two.pseudonym, people[2].number, &changed), OUTCOME_DONE);
    acting = &clerk;
    expect_fault(act_ask("10", &request, id), FAULT_correction_not_possible, "other"); /* has a history of its own */
}
END_TEST

/* What waits is shown to those who may decide, and ends by itself after the stated time, with its record of use; the
 * number that was typed in for it goes */
START_TEST(a_correction_that_nobody_decides_lapses)
{
    Vault__CorrectionsRequest list = VAULT__CORRECTIONS_REQUEST__INIT;
    ProtobufCMessage *given;
    bool changed;
    char split[37], join[37], other[PSEUDONYM_LENGTH + 1];
    struct enrolled one = enrol_paper(people[0].number, "tokyo"), two = enrol_paper(people[2].number, "tokyo");
    ck_assert_int_eq(change("1", one.pseudonym, people[1].number, &changed), OUTCOME_DONE);
    struct asked first = split_of(one.pseudonym, people[1].number),
                 second = join_of(one.pseudonym, two.pseudonym, true);
    acting = &clerk;
    ck_assert_int_eq(act_ask("2", &first, split), OUTCOME_DONE);
    tamper(
        "ALTER TABLE vault.correction NO FORCE ROW LEVEL SECURITY; "
        "UPDATE vault.correction SET asked_at = now() - interval '13 days'; "
        "ALTER TABLE vault.correction FORCE ROW LEVEL SECURITY");
    ck_assert_int_eq(act_ask("3", &second, join), OUTCOME_DONE);
    list.manager = "tokyo";
    ck_assert_int_eq(deliver(work, ROUTE_vault_corrections, "portal", "", &list.base, &given), OUTCOME_DONE);
    const Vault__CorrectionsReply *reply = (const Vault__CorrectionsReply *)given;
    ck_assert_uint_eq(reply->n_corrections, 2);
    ck_assert_str_eq(reply->corrections[0]->correction, split);
    ck_assert_str_eq(reply->corrections[0]->kind, "split");
    ck_assert_str_eq(reply->corrections[0]->other, "");
    ck_assert_str_eq(reply->corrections[1]->other, two.pseudonym);
    ck_assert(reply->corrections[1]->other_in_force);
    ck_assert_str_eq(reply->corrections[1]->asked_by, "clerk1");
    ck_assert_str_gt(reply->corrections[1]->lapses_on, reply->corrections[1]->asked_on);
    work_reset(work);
    ck_assert_int_eq(corrections_sweep(work, NULL), 0);
    tamper(
        "ALTER TABLE vault.correction NO FORCE ROW LEVEL SECURITY; "
        "UPDATE vault.correction SET asked_at = asked_at - interval '25 hours' WHERE kind = 'split'; "
        "ALTER TABLE vault.correction FORCE ROW LEVEL SECURITY");
    work_reset(work);
    ck_assert_int_eq(corrections_sweep(work, NULL), 1);
    ck_assert_int_eq(events("correction_lapsed"), 1);
    ck_assert_int_eq(
        count_as("tokyo", "SELECT count(*) FROM vault.correction WHERE state = 'lapsed' AND number IS NULL"), 1);
    acting = &chief;
    expect_fault(decide("4", split, true, other), FAULT_state_conflict, "correction");
    expect_number(one.pseudonym, people[1].number);
    ck_assert_int_eq(decide("5", join, true, other), OUTCOME_DONE);
    strcpy(clerk.manager, "mlit");
    acting = &clerk;
    expect_fault(
        deliver(work, ROUTE_vault_corrections, "portal", "", &list.base, &given), FAULT_not_permitted, "manager");
}
END_TEST

/* NUM-9: who gave no number has a pseudonym that is tied to nothing, and keeps it when the number becomes known */
START_TEST(a_pseudonym_without_a_number_gets_it_later)
{
    char first[PSEUDONYM_LENGTH + 1], other[PSEUDONYM_LENGTH + 1], *plain, id[37];
    const char *asked = first;
    const Vault__ResolveReply *known;
    bool changed;
    ck_assert_int_eq(act_issue("1", "tokyo", first), OUTCOME_DONE);
    ck_assert_int_eq(act_issue("2", "tokyo", other), OUTCOME_DONE);
    ck_assert(pseudonym_check(first) && pseudonym_check(other));
    ck_assert_str_ne(first, other);
    ck_assert_int_eq(ties("tokyo"), 0);
    ck_assert_int_eq(act_resolve("tokyo", &asked, 1, &known), OUTCOME_DONE);
    ck_assert(known->items[0]->known);
    expect_fault(act_release("3", "tokyo", &asked, 1, &plain), FAULT_number_not_given, "pseudonym");
    expect_fault(act_gateway_id("4", "tokyo", first, id), FAULT_number_not_given, "pseudonym");
    expect_fault(act_release("5", "mlit", &asked, 1, &plain), FAULT_pseudonym_unknown, "pseudonym");
    struct enrolled elsewhere = enrol_paper(people[1].number, "tokyo");
    expect_fault(change("6", first, people[1].number, &changed), FAULT_number_of_another, "number");
    ck_assert_int_eq(change("7", first, people[0].number, &changed), OUTCOME_DONE);
    ck_assert(changed);
    expect_number(first, people[0].number);
    expect_number(elsewhere.pseudonym, people[1].number);
    struct enrolled enrolled = enrol_card(&people[0], "tokyo");
    ck_assert(enrolled.known);
    ck_assert_str_eq(enrolled.pseudonym, first);
    ck_assert_int_eq(change("8", first, people[2].number, &changed), OUTCOME_DONE); /* as anybody's */
    expect_number(first, people[2].number);
    expect_fault(change("9", other, people[2].number, &changed), FAULT_number_of_another, "number");
}
END_TEST

/* --- the portal ----------------------------------------------------------------------------------------------------
 */

#define PORTAL "mynaportal-7f3c"

static size_t portal_ask(const char *portal, char found[8][64])
{
    Vault__PortalPersonsRequest request = VAULT__PORTAL_PERSONS_REQUEST__INIT;
    ProtobufCMessage *given;
    request.portal_pseudonym = (char *)portal;
    request.reason = "holder";
    ck_assert_int_eq(deliver(work, ROUTE_vault_portal_persons, "portal", "", &request.base, &given), OUTCOME_DONE);
    Vault__PortalPersonsReply *reply = (Vault__PortalPersonsReply *)given;
    for (size_t i = 0; i < reply->n_persons; i++)
        snprintf(found[i], 64, "%s %s", reply->persons[i]->manager, reply->persons[i]->pseudonym);
    return reply->n_persons;
}

/* NUM-3: a portal pseudonym leads to the pseudonyms at each manager, and to nobody's else; no number is in its domain
 */
START_TEST(a_portal_pseudonym_leads_to_pseudonyms)
{
    char found[8][64], wanted[64];
    struct enrolled tokyo = enrol_paper(people[0].number, "tokyo"), mlit = enrol_card(&people[0], "mlit"),
                    other = enrol_paper(people[1].number, "tokyo");
    ck_assert_int_eq(act_portal_tie("1", "tokyo", tokyo.pseudonym, PORTAL), OUTCOME_DONE);
    ck_assert_int_eq(act_portal_tie("2", "mlit", mlit.pseudonym, PORTAL), OUTCOME_DONE);
    ck_assert_int_eq(act_portal_tie("3", "tokyo", tokyo.pseudonym, PORTAL), OUTCOME_DONE);
    ck_assert_uint_eq(portal_ask(PORTAL, found), 2);
    snprintf(wanted, sizeof wanted, "mlit %s", mlit.pseudonym);
    ck_assert_str_eq(found[0], wanted);
    snprintf(wanted, sizeof wanted, "tokyo %s", tokyo.pseudonym);
    ck_assert_str_eq(found[1], wanted);
    ck_assert_uint_eq(portal_ask("somebody", found), 0);
    expect_fault(act_portal_tie("4", "tokyo", other.pseudonym, PORTAL), FAULT_state_conflict, "portal_pseudonym");
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.portal_tie"), 1);
    ck_assert_int_eq(count_as("", "SELECT count(*) FROM vault.portal_tie"), 0);
    ck_assert_int_eq(count_as("tokyo", "SELECT count(*) FROM vault.portal_tie p WHERE position('" PORTAL
                                       "' IN p::text) > 0 OR position(encode('" PORTAL "', 'hex') IN p::text) > 0"),
        0);
    ck_assert_int_eq(count_as("tokyo",
                         "SELECT count(*) FROM vault.portal_tie p, vault.tie t WHERE p.token = t.token "
                         "OR position(t.pseudonym IN p::text) > 0"),
        0);
}
END_TEST

/* Pitfall 15: after a separation the portal pseudonym stands for nobody until its holder comes again */
START_TEST(a_separation_voids_the_portal_pseudonym)
{
    bool changed;
    char id[37], other[PSEUDONYM_LENGTH + 1], found[8][64];
    struct enrolled one = enrol_paper(people[0].number, "tokyo");
    ck_assert_int_eq(act_portal_tie("1", "tokyo", one.pseudonym, PORTAL), OUTCOME_DONE);
    ck_assert_int_eq(change("2", one.pseudonym, people[1].number, &changed), OUTCOME_DONE);
    ck_assert_uint_eq(portal_ask(PORTAL, found), 1);
    acting = &clerk;
    struct asked request = split_of(one.pseudonym, people[1].number);
    ck_assert_int_eq(act_ask("3", &request, id), OUTCOME_DONE);
    acting = &chief;
    ck_assert_int_eq(decide("4", id, true, other), OUTCOME_DONE);
    acting = NULL;
    ck_assert_uint_eq(portal_ask(PORTAL, found), 0);
    ck_assert_int_eq(act_portal_tie("5", "tokyo", other, PORTAL), OUTCOME_DONE);
    ck_assert_uint_eq(portal_ask(PORTAL, found), 1);
    ck_assert_ptr_nonnull(strstr(found[0], other));
}
END_TEST

/* --- the gateway ---------------------------------------------------------------------------------------------------
 */

#define CODE "Q7-forgotten-0451"

/* EXCH-1: the 取得番号 is nowhere after its use, in no table, in text or bytes; the look finds what is there */
START_TEST(an_acquisition_number_is_forgotten)
{
    static const char look[] =
        "DO $$ DECLARE t text; n bigint; s bigint := 0; BEGIN PERFORM set_config('shikaku.manager', 'tokyo', false); "
        "FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'r' LOOP "
        "EXECUTE format('SELECT count(*) FROM vault.%I x WHERE position(''W'' IN x::text) > 0 OR "
        "position(encode(''W'', ''hex'') IN x::text) > 0', t) INTO n; s := s + n; END LOOP; "
        "INSERT INTO vault.seen VALUES (s); END $$";
    char id[37], *sealed, sql[1024];
    struct enrolled enrolled = enrol_paper(people[0].number, "tokyo");
    gateway_id(enrolled.pseudonym, id);
    ck_assert_int_eq(acquire("1", id, CODE, &sealed), OUTCOME_DONE);
    ck_assert_ptr_null(strstr(sealed, CODE));
    tamper("CREATE TABLE vault.seen (hits bigint); GRANT SELECT ON vault.seen TO shikaku_vault");
    const char *const words[] = {CODE, enrolled.pseudonym};
    for (int i = 0; i < 2; i++) {
        char *at = sql;
        for (const char *from = look; *from; from++) {
            bool place = strncmp(from, "'W'", 3) == 0;
            at += place ? sprintf(at, "'%.40s'", words[i]) : sprintf(at, "%c", *from);
            from += place ? 2 : 0;
        }
        tamper(sql);
    }
    ck_assert_int_eq(count_as("", "SELECT min(hits) FROM vault.seen"), 0);
    ck_assert_int_ge(count_as("", "SELECT max(hits) FROM vault.seen"), 1);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_persons");
    TCase *tests = tcase_create("persons");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, persons_set_up, tear_down);
    tcase_add_test(tests, a_number_changes_and_the_pseudonym_stays);
    tcase_add_test(tests, a_number_does_not_change_to_anothers);
    tcase_add_test(tests, a_dead_persons_number_is_kept_alike);
    tcase_add_test(tests, two_persons_are_separated_by_two);
    tcase_add_test(tests, one_person_is_joined_and_separated_again);
    tcase_add_test(tests, a_correction_that_is_wrong_is_refused);
    tcase_add_test(tests, a_correction_that_nobody_decides_lapses);
    tcase_add_test(tests, a_pseudonym_without_a_number_gets_it_later);
    tcase_add_test(tests, a_portal_pseudonym_leads_to_pseudonyms);
    tcase_add_test(tests, a_separation_voids_the_portal_pseudonym);
    tcase_add_test(tests, an_acquisition_number_is_forgotten);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
