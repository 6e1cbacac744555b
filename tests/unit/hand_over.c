/* legacy_sync without its neighbours: states, what may leave, what may come in. */
#include "legacy_sync.pb-c.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_messages.h"
#include "legacy_sync/hand_over_state.h"
#include "chassis/number_guard.h"
#include "chassis/settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- states ----------------------------------------------------------------------------------------------------- */

START_TEST(what_was_handed_over_stays_so)
{
    enum hand_over_state next;
    for (int cause = 0; cause < HAND_OVER_CAUSES; cause++) {
        ck_assert(!hand_over_state_next(HAND_OVER_HANDED_OVER, (enum hand_over_cause)cause, &next));
    }
}
END_TEST

/* LINK-6: whatever happens to one try, a hand-over is either done or still on the way */
START_TEST(nothing_is_given_up)
{
    enum hand_over_state next;
    for (int from = HAND_OVER_WAITING; from <= HAND_OVER_ASKING_PERSON; from++) {
        for (int cause = 0; cause < HAND_OVER_CAUSES; cause++) {
            ck_assert(hand_over_state_next((enum hand_over_state)from, (enum hand_over_cause)cause, &next));
            ck_assert_int_eq(next == HAND_OVER_HANDED_OVER, cause == HAND_OVER_TAKEN);
        }
    }
    ck_assert(hand_over_state_next(HAND_OVER_ASKING_PERSON, HAND_OVER_NOT_NOW, &next));
    ck_assert_int_eq(next, HAND_OVER_ASKING_PERSON);
}
END_TEST

static char *file_read(const char *path)
{
    static char text[32768];
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s is missing; run from the root of the checkout", path);
    text[fread(text, 1, sizeof text - 1, in)] = 0;
    fclose(in);
    return text;
}

START_TEST(the_database_knows_the_same_states)
{
    char *sql = file_read("migrations/legacy_sync/deploy/hand_overs.sql"), list[200] = "";
    char *at = strstr(sql, "state IN (");
    ck_assert_ptr_nonnull(at);
    sscanf(at, "state IN (%199[^)]", list);
    int quotes = 0;
    for (char *c = list; *c; c++) {
        quotes += *c == '\'';
    }
    ck_assert_int_eq(quotes, 2 * HAND_OVER_STATES);
    for (int i = 0; i < HAND_OVER_STATES; i++) {
        char quoted[40];
        snprintf(quoted, sizeof quoted, "'%s'", hand_over_state_text((enum hand_over_state)i));
        ck_assert_msg(strstr(list, quoted) != NULL, "%s is not in the CHECK constraint", quoted);
    }
}
END_TEST

START_TEST(the_readme_shows_the_table)
{
    char *diagram = hand_over_state_diagram();
    ck_assert_msg(strstr(file_read("services/legacy_sync/README.md"), diagram) != NULL,
        "services/legacy_sync/README.md must hold this diagram:\n%s", diagram);
    free(diagram);
}
END_TEST

/* --- numbers ---------------------------------------------------------------------------------------------------- */

/* LINK-1, NUM-1 */
START_TEST(a_number_is_seen_wherever_it_stands)
{
    static const char *const held[] = {"123456789018", "x 123456789018.", "000000000019", "271828182840",
        "１２３４５６７８９０１８", "番号１２３456７８９０１８です", "1234567890123/314159265352",
        "8c1de52b-123456789018", "8c1de52b-0a3f-4d5e-9b7c_123456789018",
        "8c1de52b-0a3f-4d5e-9b7c-１２３４５６７８９０１８"};
    static const char *const clean[] = {"", "123456789017", "12345678901", "1234567890180", "0123456789018",
        "12345678901-8", "123456 789018", "090-1234-5678", "第123号", "8c1de52b-0a3f-4d5e-9b7c-123456789018",
        "(8C1DE52B-0a3f-4d5e-9b7c-123456789018)"};
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        ck_assert_msg(number_guard_text(held[i]), "case %zu of those that hold one", i);
    }
    for (size_t i = 0; i < sizeof clean / sizeof *clean; i++) {
        ck_assert_msg(!number_guard_text(clean[i]), "case %zu of those that hold none", i);
    }
}
END_TEST

static bool guarded(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    ck_assert_ptr_nonnull(value);
    bool held = number_guard_json(value);
    json_decref(value);
    return held;
}

/* LINK-1, NUM-1 */
START_TEST(a_number_is_seen_however_deep)
{
    ck_assert(guarded("{\"roll\":{\"remarks_1\":\"123456789018\"}}"));
    ck_assert(guarded("{\"roll\":[1,[true,{\"x\":[\"a\",\"は123456789018\"]}]]}"));
    ck_assert(guarded("{\"123456789018\":\"\"}"));
    ck_assert(guarded("[123456789018]"));
    ck_assert(!guarded("{\"roll\":{\"remarks_1\":\"123456789017\",\"n\":12345678901,\"x\":null}}"));
}
END_TEST

/* --- what may come in ------------------------------------------------------------------------------------------- */

static const struct setting settings[] = {
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, "Folder of the programmes' definitions."},
};

static LegacySync__HandOverRequest right_request(const char *fields)
{
    LegacySync__HandOverRequest request = LEGACY_SYNC__HAND_OVER_REQUEST__INIT;
    request.manager = "mlit";
    request.programme = "kaigishi";
    request.application = "6a0c1f52-0000-4000-8000-00000000abcd";
    request.pseudonym = "p0123456789abcdef";
    request.registration_number = "00000012";
    request.fields.data = (uint8_t *)fields;
    request.fields.len = strlen(fields);
    return request;
}

static void refused(const LegacySync__HandOverRequest *request, enum fault_code code, const char *field)
{
    struct fault fault = {0};
    ck_assert(!hand_over_check(&request->base, &fault));
    ck_assert_str_eq(fault_code_text(fault.code), fault_code_text(code));
    ck_assert_str_eq(fault.field, field);
}

static void programmes_once(void)
{
    if (!programmes_in_use()) {
        ck_assert(settings_read(settings, 1));
        ck_assert_ptr_nonnull(programmes_open());
    }
}

/* LINK-1, LINK-5, NUM-1 */
START_TEST(requests_are_checked)
{
    struct fault fault = {0};
    programmes_once();
    LegacySync__HandOverRequest request = right_request("{\"roll\":{\"family_name\":\"山田\"}}");
    ck_assert(hand_over_check(&request.base, &fault));
    request.programme = "chorishi"; /* 調理師 has no existing system */
    refused(&request, FAULT_programme_unknown, "programme");
    request = right_request("{}");
    request.manager = "tokyo";
    refused(&request, FAULT_malformed, "manager");
    request = right_request("{}");
    request.application = "6A0C1F52-0000-4000-8000-00000000ABCD";
    refused(&request, FAULT_malformed, "application");
    request = right_request("{}");
    request.pseudonym = "";
    refused(&request, FAULT_malformed, "pseudonym");
    request = right_request("{}");
    request.registration_number = "";
    refused(&request, FAULT_malformed, "registration_number");
    request = right_request("[1]");
    refused(&request, FAULT_malformed, "fields");
    request = right_request("{\"roll\":{\"remarks_1\":\"番号は314159265352\"}}");
    refused(&request, FAULT_number_not_allowed, "fields");
}
END_TEST

/* LINK-1 to LINK-5: each programme's definition names a system that exists here, or none; and the one that is never
 * given the number (S0) has nobody to seal it to */
START_TEST(every_programme_finds_its_system)
{
    programmes_once();
    for (size_t i = 0; i < programmes_count(programmes_in_use()); i++) {
        const struct programme *programme = programmes_at(programmes_in_use(), i);
        const struct existing_system *system = existing_system_by_kind(programme->legacy);
        ck_assert(system || strcmp(programme->legacy, "none") == 0);
        ck_assert(!system || !programme->legacy_number || system->recipient);
    }
    ck_assert_ptr_null(existing_system_by_kind("kaigi_api")->recipient);
    ck_assert_str_eq(existing_system_manager(existing_system_by_name("workbook")), "nara");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hand_over");
    TCase *t = tcase_create("hand_over");
    tcase_add_test(t, what_was_handed_over_stays_so);
    tcase_add_test(t, nothing_is_given_up);
    tcase_add_test(t, the_database_knows_the_same_states);
    tcase_add_test(t, the_readme_shows_the_table);
    tcase_add_test(t, a_number_is_seen_wherever_it_stands);
    tcase_add_test(t, a_number_is_seen_however_deep);
    tcase_add_test(t, requests_are_checked);
    tcase_add_test(t, every_programme_finds_its_system);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
