/* Every route of the system, beside what is recorded of it: generated from proto/routes.def and proto/acts.def. */
#include "audit/audit_words.h"
#include "audit/record_cover.h"
#include "chassis/fault.h"
#include "chassis/route.h"
#include "intake/application_state.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define KIND(name, NAME, months, japanese)
#define ACT(act, kind)

static const char *const bare[ROUTES] = {
#define BARE(route, why) [ROUTE_##route] = why,
#include "acts.def"
#undef BARE
};
#undef KIND
#undef ACT

/* LOG-1: what leaves no record is named here, and nowhere touches a person */
START_TEST(every_route_leaves_a_record_of_its_kind)
{
    static const enum route nobodys[] = {
        ROUTE_vault_keys, ROUTE_audit_append, ROUTE_audit_status, ROUTE_audit_gaps, ROUTE_staff_ended};
    size_t without = 0;
    for (enum route route = 0; route < ROUTES; route++) {
        const struct route_row *row = route_row(route);
        printf("%-28s %-13s %-10s %s\n", row->name, party_name(row->to), bare[route] ? "-" : act_kind(row->name),
            bare[route] ? bare[route] : "done, or refused with its code");
        without += bare[route] != NULL;
        ck_assert_msg(!bare[route] || row->right == RIGHT_none, "%s is a person's and leaves no record", row->name);
    }
    ck_assert_uint_eq(without, sizeof nobodys / sizeof *nobodys);
    for (size_t i = 0; i < sizeof nobodys / sizeof *nobodys; i++)
        ck_assert_ptr_nonnull(bare[nobodys[i]]);
}
END_TEST

/* LOG-1: releases of numbers, exchanges, logins, searches, keys, accounts are kept as such */
START_TEST(acts_have_their_kinds)
{
    static const char *const rows[][2] = {{"vault_release", "provision"}, {"residence_answered", "provision"},
        {"intermediate_inquire", "provision"}, {"hand_over", "provision"}, {"intake_list", "search"},
        {"intake_export", "export"}, {"certificates_print", "export"}, {"staff_login", "session"},
        {"staff_logout", "session"}, {"staff_renew", "session"}, {"staff_session_end", "session"},
        {"staff_add", "account"}, {"staff_account_decide", "account"}, {"staff_policy", "account"},
        {"vault_manager_end", "key"}, {"intake_view", "use"}, {"application_opened", "use"}, {"of tomorrow", "use"},
        {"log_deleted", "log"}};
    const char *const *kinds;
    size_t count = kinds_list(&kinds);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_str_eq(act_kind(rows[i][0]), rows[i][1]);
    ck_assert_uint_ge(count, 7);
}
END_TEST

/* RIGHT-1, RIGHT-3: whatever is recorded can be said to the person, and it is known what kind of touch it was */
START_TEST(every_act_has_its_words)
{
    static const char *const listed[] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind) #act,
#define BARE(route, why)
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
    };
    const char *unknown = act_japanese("of tomorrow");
    for (enum route route = 0; route < ROUTES; route++)
        ck_assert_msg(
            bare[route] || act_japanese(route_row(route)->name) != unknown, "%s has no words", route_row(route)->name);
    for (enum application_state state = 0; state < STATES; state++)
        ck_assert_msg(act_japanese(state_name(state)) != unknown, "%s has no words", state_name(state));
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        ck_assert_msg(act_japanese(listed[i]) != unknown, "%s has no words", listed[i]);
    ck_assert_int_eq(act_touch("of tomorrow"), TOUCH_SEEN);
    ck_assert_int_eq(act_touch("staff_login"), TOUCH_NONE);
    ck_assert_int_eq(act_touch("certificates_print"), TOUCH_PRINTED);
    ck_assert_int_eq(act_touch("vault_release"), TOUCH_RELEASED);
    ck_assert_str_eq(outcome_japanese("done"), "実施");
    ck_assert_str_eq(outcome_japanese("not_permitted"), fault_japanese(FAULT_not_permitted));
    struct arena *arena = arena_new(4096);
    ck_assert_str_eq(moment_japanese(arena, 1767193200000), "2026年1月1日 00時00分00秒");
    arena_free(arena);
}
END_TEST

int main(void)
{
    TCase *acts = tcase_create("acts");
    tcase_add_test(acts, every_route_leaves_a_record_of_its_kind);
    tcase_add_test(acts, acts_have_their_kinds);
    tcase_add_test(acts, every_act_has_its_words);
    Suite *suite = suite_create("acts");
    suite_add_tcase(suite, acts);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
