/* The way of an application: the table, the programmes' differences, and the CHECK constraint in SQL that must say the
 * same. */
#include "intake/application_state.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct programmes *programmes;

static void programmes_open(void)
{
    char problem[PROGRAMMES_PROBLEM_MAX] = "";
    programmes = programmes_load("deploy/programmes", problem, sizeof problem);
    ck_assert_msg(programmes != NULL, "%s", problem);
}

static void programmes_close(void)
{
    programmes_free(programmes);
}

/* Follow the main way of a programme and write the states' names, separated by spaces. */
static void way_print(const char *code, bool numbered, char *way, size_t size)
{
    const struct programme *programme = programme_find(programmes, code);
    enum application_state state = state_first(programme, numbered);
    size_t used = 0;
    for (int steps = 0; steps < STATES; steps++) {
        used += (size_t)snprintf(way + used, size - used, "%s ", state_name(state));
        enum application_state next = state == STATE_review ? STATE_fee : state_next(programme, numbered, state);
        if (next == state)
            return;
        ck_assert_msg(state_may_follow(state, next), "%s -> %s", state_name(state), state_name(next));
        state = next;
    }
    ck_abort_msg("no end");
}

/* JUKI-1, EXCH-2, LINK-5: each programme goes the way that its seed describes */
START_TEST(each_programme_goes_its_own_way)
{
    static const struct {
        const char *code, *way;
    } ways[] = {
        {"kaigishi", "residence family review fee registering certifying handing_over notifying completed "},
        {"kogata-senpaku", "residence family review fee registering certifying handing_over notifying completed "},
        {"chorishi", "residence_terminal family review fee registering certifying notifying completed "},
        {"hoikushi", "residence family review fee registering certifying handing_over notifying completed "},
        {"ginou-kentei", "residence review fee registering certifying handing_over notifying completed "},
        {"jun-kangoshi", "residence family review fee registering certifying handing_over notifying completed "},
    };
    char way[512];
    way_print(ways[_i].code, true, way, sizeof way);
    ck_assert_str_eq(way, ways[_i].way);
}
END_TEST

/* NUM-9, JUKI-1: without a number an operator finds the person by the four items, and no family register is asked */
START_TEST(without_a_number_another_way)
{
    char way[512];
    const struct programme *mariners = programme_find(programmes, "kaigishi"),
                           *cooks = programme_find(programmes, "chorishi");
    ck_assert(!state_numbered(mariners, "paper"));
    ck_assert(state_numbered(mariners, "online") && state_numbered(cooks, "paper"));
    way_print("kaigishi", false, way, sizeof way);
    ck_assert_str_eq(way, "residence_terminal review fee registering certifying handing_over notifying completed ");
}
END_TEST

/* PAY-3: nothing comes to the roll but through an accepted review, and where there is a fee through its payment */
START_TEST(no_way_to_the_roll_past_review_or_fee)
{
    for (int from = 0; from < STATES; from++)
        if (state_may_follow((enum application_state)from, STATE_registering))
            ck_assert(from == STATE_review || from == STATE_fee || from == STATE_person);
    ck_assert(!state_may_follow(STATE_family, STATE_fee));
    ck_assert(!state_may_follow(STATE_residence, STATE_fee));
    ck_assert(!state_may_follow(STATE_completed, STATE_review));
    ck_assert(!state_may_follow(STATE_rejected, STATE_review));
}
END_TEST

/* The constraint of migrations/intake lists the very states of application_state.def. */
START_TEST(sql_lists_the_same_states)
{
    char text[16384], quoted[64];
    FILE *file = fopen("migrations/intake/deploy/applications.sql", "r");
    ck_assert_ptr_nonnull(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    char *from = strstr(text, "CHECK (state IN ("), *to = from ? strstr(from, "))") : NULL;
    ck_assert_ptr_nonnull(to);
    *to = '\0';
    int listed = 0;
    for (char *quote = from; (quote = strchr(quote, '\'')); quote++)
        listed++;
    ck_assert_int_eq(listed, 2 * STATES);
    for (int state = 0; state < STATES; state++) {
        snprintf(quoted, sizeof quoted, "'%s'", state_name((enum application_state)state));
        ck_assert_msg(strstr(from, quoted) != NULL, "%s", quoted);
    }
}
END_TEST

/* APPLY-10: every state can be told to the applicant in words */
START_TEST(every_state_has_words)
{
    enum application_state found;
    ck_assert_int_gt(strlen(state_japanese((enum application_state)_i)), 0);
    ck_assert(state_find(state_name((enum application_state)_i), &found));
    ck_assert_int_eq(found, _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("application_state");
    TCase *ways = tcase_create("ways");
    tcase_add_checked_fixture(ways, programmes_open, programmes_close);
    tcase_add_loop_test(ways, each_programme_goes_its_own_way, 0, 6);
    tcase_add_test(ways, without_a_number_another_way);
    tcase_add_test(ways, no_way_to_the_roll_past_review_or_fee);
    tcase_add_test(ways, sql_lists_the_same_states);
    tcase_add_loop_test(ways, every_state_has_words, 0, STATES);
    suite_add_tcase(suite, ways);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
