/* The table of routes as the bus uses it. That it has no circle is a rule (tests/rules/routes). */
#include "chassis/bus.h"
#include "chassis/route.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(every_route_is_found_by_its_name)
{
    for (int i = 0; i < ROUTES; i++) {
        const struct route_row *row = route_row(i);
        enum route found;
        ck_assert(route_find(row->name, &found));
        ck_assert_int_eq(found, i);
        ck_assert_ptr_nonnull(row->request);
        ck_assert_ptr_nonnull(row->reply);
        ck_assert(row->deadline_ms > 0 && row->deadline_ms <= 60000);
        ck_assert_int_eq(row->to & (row->to - 1), 0); /* one recipient */
        ck_assert_msg(!(row->from & row->to), "%s: a service does not write to itself", row->name);
    }
    enum route none;
    ck_assert(!route_find("intake_submit ", &none));
    ck_assert(!route_find("", &none));
}
END_TEST

/* AUTH-5: a person's right is checked only where a person can be heard: portal */
START_TEST(routes_with_a_right_come_from_portal)
{
    for (int i = 0; i < ROUTES; i++)
        if (route_row(i)->right != RIGHT_none)
            ck_assert_msg(route_row(i)->from & PARTY_PORTAL, "%s", route_row(i)->name);
}
END_TEST

/* NUM-3, NUM-7: whoever stands at the internet gets from the vault its public key, the pseudonyms of a portal
 * pseudonym, or what a person with a right asked for, and never an answer that has a place for a number, sealed or not
 */
START_TEST(portal_and_agencies_cannot_ask_for_numbers)
{
    for (int i = 0; i < ROUTES; i++) {
        const struct route_row *row = route_row(i);
        if (row->to != PARTY_VAULT || !(row->from & (PARTY_PORTAL | PARTY_AGENCY)))
            continue;
        ck_assert_msg(!(row->from & PARTY_AGENCY), "%s", row->name);
        ck_assert_msg(
            i == ROUTE_vault_keys || i == ROUTE_vault_portal_persons || row->right != RIGHT_none, "%s", row->name);
        ck_assert_ptr_null(protobuf_c_message_descriptor_get_field_by_name(row->reply, "sealed"));
        ck_assert_ptr_null(protobuf_c_message_descriptor_get_field_by_name(row->reply, "number"));
    }
}
END_TEST

START_TEST(what_has_an_effect_has_a_key)
{
    ck_assert(route_needs_key(ROUTE_intake_submit));
    ck_assert(route_needs_key(ROUTE_intake_residence_answered));
    ck_assert(!route_needs_key(ROUTE_intake_status));
    ck_assert(!route_needs_key(ROUTE_audit_append));
}
END_TEST

START_TEST(parties_have_names)
{
    for (int bit = 0; bit < 12; bit++) {
        enum party party = 1u << bit, found;
        ck_assert(party_find(party_name(party), &found));
        ck_assert_int_eq(found, party);
    }
    enum party none;
    ck_assert(!party_find("?", &none));
}
END_TEST

/* A key says which act of which route; parts cannot run together. */
START_TEST(keys_of_acts_differ)
{
    uint8_t keys[6][IDEMPOTENCY_KEY_BYTES], again[IDEMPOTENCY_KEY_BYTES];
    bus_key(keys[0], ROUTE_vault_enrol, "ab", "c", NULL);
    bus_key(keys[1], ROUTE_vault_enrol, "a", "bc", NULL);
    bus_key(keys[2], ROUTE_vault_enrol, "abc", NULL);
    bus_key(keys[3], ROUTE_vault_enrol, "abc", "", NULL);
    bus_key(keys[4], ROUTE_vault_enrol, NULL);
    bus_key(keys[5], ROUTE_vault_release, "ab", "c", NULL);
    bus_key(again, ROUTE_vault_enrol, "ab", "c", NULL);
    ck_assert_mem_eq(again, keys[0], IDEMPOTENCY_KEY_BYTES);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            ck_assert_mem_ne(keys[i], keys[j], IDEMPOTENCY_KEY_BYTES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *cases = tcase_create("route");
    tcase_add_test(cases, every_route_is_found_by_its_name);
    tcase_add_test(cases, routes_with_a_right_come_from_portal);
    tcase_add_test(cases, portal_and_agencies_cannot_ask_for_numbers);
    tcase_add_test(cases, what_has_an_effect_has_a_key);
    tcase_add_test(cases, parties_have_names);
    tcase_add_test(cases, keys_of_acts_differ);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
