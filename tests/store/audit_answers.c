/* What the records of use answer, against a model that holds the whole story in plain: who saw this person's data, what
 * did this account do, whose data could have leaked. */
#include "store/answers.h"

#include <openssl/rand.h>

#define STORY 900
#define CASE "R8-kaiji-12"

static void story_make(void)
{
    for (int i = 0; i < STORY; i++)
        tell_something();
    story_log(0);
}

static bool names(const char *subjects, const char *one)
{
    char listed[320], wanted[80];
    snprintf(listed, sizeof listed, " %s ", subjects);
    snprintf(wanted, sizeof wanted, " %s ", one);
    return strstr(listed, wanted) != NULL;
}

static bool is_about(const struct told *told, const char *manager, unsigned who)
{
    return strcmp(told->manager, manager) == 0 &&
           (names(told->subject, person(who)) || names(told->subject, application(who)) ||
               strcmp(told->reason, application(who)) == 0);
}

/* --- who saw this person's data ----------------------------------------------------------------------------------- */

static const Audit__WhoReply *who_ask(const char *manager, unsigned who, const char *cursor, int limit)
{
    Audit__WhoRequest request = AUDIT__WHO_REQUEST__INIT;
    request.manager = (char *)manager;
    request.pseudonym = (char *)person(who);
    request.reason = CASE;
    request.cursor = (char *)cursor;
    request.limit = limit;
    const Audit__WhoReply *reply = (const Audit__WhoReply *)ask(manager, ROUTE_audit_who, &request.base);
    ck_assert_msg(reply != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    return reply;
}

/* The next record of the story before `at` that is about the person. */
static const struct told *told_before(size_t *at, const char *manager, unsigned who)
{
    while (*at > 0)
        if (is_about(&story[--*at], manager, who))
            return &story[*at];
    return NULL;
}

/* All pages, the newest record first, are the model's answer for a story of `length` records. */
static size_t who_check_all(const char *manager, unsigned who, size_t length, int limit, void (*between)(void))
{
    char cursor[64] = "";
    size_t at = length, shown = 0;
    do {
        const Audit__WhoReply *reply = who_ask(manager, who, cursor, limit);
        ck_assert_uint_le(reply->n_uses, (size_t)limit);
        for (size_t i = 0; i < reply->n_uses; i++, shown++) {
            const struct told *told = told_before(&at, manager, who);
            ck_assert_msg(told != NULL, "%s of %s: more than there is", person(who), manager);
            ck_assert_int_eq(reply->uses[i]->at_ms, told->at_ms);
            ck_assert_str_eq(reply->uses[i]->act, told->act);
            ck_assert_str_eq(reply->uses[i]->what, act_japanese(told->act));
            ck_assert_str_eq(reply->uses[i]->outcome, told->outcome);
            ck_assert_str_eq(reply->uses[i]->account, "");
            ck_assert(reply->uses[i]->readable);
        }
        snprintf(cursor, sizeof cursor, "%s", reply->cursor);
        if (between && *cursor)
            between();
    } while (*cursor);
    ck_assert_msg(told_before(&at, manager, who) == NULL, "%s of %s: one is missing", person(who), manager);
    return shown;
}

/* RIGHT-1, LOG-1: every touch of the person, under the pseudonym or before it was given, in lists too; each once, in
 * order, whatever the pages; of this manager alone */
START_TEST(who_saw_this_person)
{
    static const int limits[] = {200, 7, 1};
    size_t shown = 0;
    story_make();
    for (size_t m = 0; m < 2; m++)
        for (unsigned who = 0; who < PERSONS; who++)
            shown += who_check_all(managers[m], who, story_length, limits[who < 2 ? who + 1 : 0], NULL);
    ck_assert_uint_gt(shown, STORY / 2);
}
END_TEST

static void more_arrives(void)
{
    size_t from = story_length;
    for (int i = 0; i < 5; i++) {
        tell_by("tokyo", "sato", "intake_view", person(3), application(3));
        tell_by("tokyo", "sato", "intake_view", person(3), "00000000-0000-4000-8000-00000000000b");
        tell("saitama", "residence", person(3), application(3));
    }
    story_log(from);
    own_records_log();
}

/* RIGHT-1: while records keep arriving, and the answers themselves are recorded, the pages stay those of the first
 * moment */
START_TEST(pages_stand_while_records_arrive)
{
    story_make();
    size_t length = story_length;
    ck_assert_uint_gt(who_check_all("tokyo", 3, length, 4, more_arrives), 8);
    ck_assert_uint_gt(story_length, length + 20);
}
END_TEST

/* RIGHT-1: in words for the person: when, which office and role, what, why, with what outcome; the account only where
 * the manager wants it */
START_TEST(the_person_is_shown_words)
{
    tell_by("tokyo", "sato", "intake_view", person(1), application(1));
    tell("tokyo", "residence", person(1), application(1));
    tell_by("tokyo", "sato", "intake_decide", person(1), application(1))->outcome = "not_permitted";
    story_log(0);
    const Audit__WhoReply *reply = who_ask("tokyo", 1, "", 0);
    ck_assert_uint_eq(reply->n_uses, 3);
    const Audit__Use *seen = reply->uses[2], *system = reply->uses[1], *refused = reply->uses[0];
    ck_assert_str_eq(seen->when, moment_japanese(arena, seen->at_ms));
    ck_assert_str_eq(seen->role, "審査担当");
    ck_assert_str_eq(seen->what, "申請内容の閲覧");
    ck_assert_ptr_nonnull(strstr(seen->why, "登録等の事務"));
    ck_assert_ptr_nonnull(strstr(seen->why, application(1)));
    ck_assert_str_eq(seen->result, "実施");
    ck_assert_str_ne(seen->office, "");
    ck_assert_str_eq(system->office, "");
    ck_assert_str_eq(system->role, "システムによる自動処理");
    ck_assert_str_eq(refused->result, fault_japanese(FAULT_not_permitted));
    setenv("SHIKAKU_OFFICERS_NAMED", "nara, tokyo", 1);
    ck_assert(settings_read(answer_settings, ANSWER_SETTINGS));
    reply = who_ask("tokyo", 1, "", 0);
    ck_assert_str_eq(reply->uses[reply->n_uses - 1]->account, "sato");
    unsetenv("SHIKAKU_OFFICERS_NAMED");
    ck_assert(settings_read(answer_settings, ANSWER_SETTINGS));
}
END_TEST

/* RIGHT-1: asked by an application, the answer is about that application */
START_TEST(by_one_application)
{
    Audit__WhoRequest request = AUDIT__WHO_REQUEST__INIT;
    tell_by("tokyo", "sato", "intake_view", "", application(1));
    tell_by("tokyo", "sato", "intake_view", person(1), application(1));
    tell_by("tokyo", "sato", "intake_view", person(1), application(2));
    story_log(0);
    request.manager = "tokyo";
    request.application = (char *)application(1);
    request.reason = CASE;
    const Audit__WhoReply *reply = (const Audit__WhoReply *)ask("tokyo", ROUTE_audit_who, &request.base);
    ck_assert_ptr_nonnull(reply);
    ck_assert_uint_eq(reply->n_uses, 2);
    request.from_ms = story[1].at_ms;
    request.until_ms = story[2].at_ms;
    reply = (const Audit__WhoReply *)ask("tokyo", ROUTE_audit_who, &request.base);
    ck_assert_uint_eq(reply->n_uses, 1);
    ck_assert_int_eq(reply->uses[0]->at_ms, story[1].at_ms);
}
END_TEST

/* --- what did this account do ------------------------------------------------------------------------------------- */

static const Audit__AccountReply *account_ask(
    const char *manager, const char *account, int64_t from, int64_t until, const char *cursor)
{
    Audit__AccountRequest request = AUDIT__ACCOUNT_REQUEST__INIT;
    request.manager = (char *)manager;
    request.account = (char *)account;
    request.reason = CASE;
    request.from_ms = from;
    request.until_ms = until;
    request.cursor = (char *)cursor;
    request.limit = 30;
    const Audit__AccountReply *reply = (const Audit__AccountReply *)ask(manager, ROUTE_audit_account, &request.base);
    ck_assert_msg(reply != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    return reply;
}

/* LOG-1, RIGHT-3: all that an account did in that time, and nothing of the other manager's account of the same name */
START_TEST(what_an_account_did)
{
    story_make();
    int64_t from = story[100].at_ms, until = story[700].at_ms;
    for (size_t m = 0; m < 2; m++)
        for (size_t a = 0; a < 3; a++) {
            char cursor[64] = "";
            size_t at = 700, shown = 0;
            do {
                const Audit__AccountReply *reply = account_ask(managers[m], accounts[a], from, until, cursor);
                for (size_t i = 0; i < reply->n_deeds; i++, shown++) {
                    const Audit__Deed *deed = reply->deeds[i];
                    do
                        ck_assert_uint_gt(at--, 100);
                    while (strcmp(story[at].manager, managers[m]) != 0 || strcmp(story[at].account, accounts[a]) != 0);
                    ck_assert_int_eq(deed->at_ms, story[at].at_ms);
                    ck_assert_str_eq(deed->act, story[at].act);
                    ck_assert_str_eq(deed->terminal, story[at].terminal);
                    ck_assert_str_eq(deed->reason, story[at].reason);
                    for (size_t j = 0; j < deed->n_persons; j++)
                        ck_assert(names(story[at].subject, deed->persons[j]));
                    ck_assert_int_eq(deed->count, (int)story[at].count);
                }
                snprintf(cursor, sizeof cursor, "%s", reply->cursor);
            } while (*cursor);
            while (at-- > 100)
                ck_assert(strcmp(story[at].manager, managers[m]) != 0 || strcmp(story[at].account, accounts[a]) != 0);
            ck_assert_uint_gt(shown, 30);
        }
}
END_TEST

/* --- whose data could have leaked --------------------------------------------------------------------------------- */

struct model {
    uint32_t touches[PERSONS][TOUCH_KINDS];
    int records, refused;
};

static void model_touch(struct model *model, const struct told *told)
{
    enum touch_kind touch = act_touch(told->act);
    if (touch == TOUCH_NONE)
        return;
    for (unsigned who = 0; who < PERSONS; who++) {
        model->touches[who][touch] += names(told->subject, person(who)) + names(told->subject, application(who));
        if (!*told->subject)
            model->touches[who][touch] += strcmp(told->reason, application(who)) == 0;
    }
}

static void model_make(struct model *model, const char *manager, const char *account, const char *terminal)
{
    memset(model, 0, sizeof *model);
    for (size_t i = 200; i < 500; i++) {
        const struct told *told = &story[i];
        if (strcmp(told->manager, manager) != 0 || !*told->role || (*account && strcmp(told->account, account) != 0) ||
            (*terminal && strcmp(told->terminal, terminal) != 0))
            continue;
        model->records++;
        if (strcmp(told->outcome, "done") == 0)
            model_touch(model, told);
        else
            model->refused++;
    }
}

static const Audit__ExposedReply *exposed_ask(
    const char *manager, const char *account, const char *terminal, const char *cursor)
{
    Audit__ExposedRequest request = AUDIT__EXPOSED_REQUEST__INIT;
    request.manager = (char *)manager;
    request.account = (char *)account;
    request.terminal = (char *)terminal;
    request.reason = CASE;
    request.from_ms = story[200].at_ms;
    request.until_ms = story[500].at_ms;
    request.cursor = (char *)cursor;
    request.limit = 5;
    const Audit__ExposedReply *reply = (const Audit__ExposedReply *)ask(manager, ROUTE_audit_exposed, &request.base);
    ck_assert_msg(reply != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
    return reply;
}

static unsigned person_number(const char *name)
{
    for (unsigned who = 0; who < PERSONS; who++)
        if (strcmp(name, person(who)) == 0)
            return who;
    ck_abort_msg("%s is nobody of the story", name);
}

static void exposed_check_all(const char *manager, const char *account, const char *terminal)
{
    struct model model;
    char cursor[64] = "";
    int persons = 0, expected = 0, only_seen = 0;
    model_make(&model, manager, account, terminal);
    do {
        const Audit__ExposedReply *reply = exposed_ask(manager, account, terminal, cursor);
        ck_assert_int_eq(reply->sum->records, model.records);
        ck_assert_int_eq(reply->sum->refused, model.refused);
        ck_assert_int_eq(reply->sum->unnamed, 0);
        for (size_t i = 0; i < reply->n_exposures; i++, persons++) {
            const Audit__Exposure *exposure = reply->exposures[i];
            const uint32_t *touches = model.touches[person_number(exposure->person)];
            ck_assert_int_eq(exposure->seen, (int)touches[TOUCH_SEEN]);
            ck_assert_int_eq(exposure->changed, (int)touches[TOUCH_CHANGED]);
            ck_assert_int_eq(exposure->printed, (int)touches[TOUCH_PRINTED]);
            ck_assert_int_eq(exposure->exported, (int)touches[TOUCH_EXPORTED]);
            ck_assert_int_eq(exposure->released, (int)touches[TOUCH_RELEASED]);
            ck_assert(exposure->first_at_ms >= story[200].at_ms && exposure->last_at_ms < story[500].at_ms);
            only_seen += exposure->only_seen;
        }
        snprintf(cursor, sizeof cursor, "%s", reply->cursor);
        if (!*cursor)
            ck_assert_int_eq(reply->sum->only_seen, only_seen);
        ck_assert(!*cursor || reply->n_exposures == 5);
    } while (*cursor);
    for (unsigned who = 0; who < PERSONS; who++)
        for (int touch = 0, found = 0; touch < TOUCH_KINDS && !found; touch++)
            expected += found = model.touches[who][touch] > 0;
    ck_assert_int_eq(persons, expected);
    ck_assert_int_gt(persons, 3);
}

/* In slices of nine records: what they say together is what the whole says. */
static void slices_check(const char *manager, const char *account, const char *terminal)
{
    struct model model, sum = {0};
    Audit__ExposedRequest request = AUDIT__EXPOSED_REQUEST__INIT;
    char cursor[64] = "";
    int64_t reached_ms = INT64_MAX;
    int slices = 0;
    model_make(&model, manager, account, terminal);
    request.manager = (char *)manager;
    request.account = (char *)account;
    request.terminal = (char *)terminal;
    request.reason = CASE;
    request.from_ms = story[200].at_ms;
    request.until_ms = story[500].at_ms;
    request.cursor = cursor;
    request.limit = 4;
    request.slice = 9;
    do {
        bool begins = !*cursor || strstr(cursor, ".0.");
        const Audit__ExposedReply *reply =
            (const Audit__ExposedReply *)ask(manager, ROUTE_audit_exposed, &request.base);
        ck_assert_msg(reply != NULL, "%s %s", fault_code_text(work->fault.code), work->fault.field);
        if (begins) {
            slices++;
            ck_assert_int_le(reply->sum->records, 9);
            ck_assert(!reply->sum->records || reply->reached_at_ms <= reached_ms);
            reached_ms = reply->reached_at_ms;
            sum.records += reply->sum->records;
            sum.refused += reply->sum->refused;
        }
        for (size_t i = 0; i < reply->n_exposures; i++) {
            uint32_t *touches = sum.touches[person_number(reply->exposures[i]->person)];
            touches[TOUCH_SEEN] += (uint32_t)reply->exposures[i]->seen;
            touches[TOUCH_CHANGED] += (uint32_t)reply->exposures[i]->changed;
            touches[TOUCH_PRINTED] += (uint32_t)reply->exposures[i]->printed;
            touches[TOUCH_EXPORTED] += (uint32_t)reply->exposures[i]->exported;
            touches[TOUCH_RELEASED] += (uint32_t)reply->exposures[i]->released;
        }
        ck_assert(*reply->cursor || !reply->more || reply->sum->records < 9);
        snprintf(cursor, sizeof cursor, "%s", reply->cursor);
    } while (*cursor);
    ck_assert_int_gt(slices, 3);
    ck_assert_int_eq(memcmp(&sum, &model, sizeof sum), 0);
}

/* RIGHT-3, STORE-4: the distinct persons, each once and tied to the pseudonym where the log knows it, with what was
 * done to whose data; by account, by terminal, by an account at a terminal */
START_TEST(whose_data_could_have_leaked)
{
    story_make();
    for (unsigned who = 0; who < PERSONS; who++) /* somewhere, later, the person of each application is named */
        for (int m = 0; m < 2; m++)
            tell(managers[m], "registering", person(who), application(who));
    story_log(STORY);
    for (int m = 0; m < 2; m++) {
        exposed_check_all(managers[m], "sato", "");
        exposed_check_all(managers[m], "", "terminal-1");
        exposed_check_all(managers[m], "suzuki", "terminal-2");
        slices_check(managers[m], "sato", "");
        slices_check(managers[m], "", "terminal-1");
    }
}
END_TEST

/* RIGHT-3: what names nobody is not lost: an application without a person stays one, a list of nobody is counted */
START_TEST(who_is_not_named_is_counted)
{
    for (int i = 0; i < 200; i++)
        tell("saitama", "residence", person(1), application(1));
    tell_by("tokyo", "sato", "intake_view", "", application(7));
    tell_by("tokyo", "sato", "residence_instant_result", "", "list")->count = 4;
    tell_by("tokyo", "sato", "staff_login", "", "account:sato");
    for (int i = 0; i < 300; i++)
        tell("saitama", "residence", person(1), application(1));
    story_log(0);
    const Audit__ExposedReply *reply = exposed_ask("tokyo", "sato", "", "");
    ck_assert_int_eq(reply->sum->persons, 1);
    ck_assert_str_eq(reply->exposures[0]->person, application(7));
    ck_assert(reply->exposures[0]->only_seen);
    ck_assert_int_eq(reply->sum->unnamed, 4);
    ck_assert_int_eq(reply->sum->records, 3);
}
END_TEST

/* --- who may ask, and what is left of it -------------------------------------------------------------------------- */

/* LOG-1: every answer is itself a use: by whom, about whom, why, and how many it showed */
START_TEST(an_answer_is_recorded)
{
    story_make();
    const Audit__WhoReply *first = who_ask("tokyo", 4, "", 6);
    ck_assert_uint_eq(first->n_uses, 6);
    own_records_log();
    const Audit__WhoReply *reply = who_ask("tokyo", 4, "", 1);
    ck_assert_str_eq(reply->uses[0]->act, "audit_who");
    ck_assert_str_eq(reply->uses[0]->role, "開示請求・事案対応担当");
    ck_assert_ptr_nonnull(strstr(reply->uses[0]->why, CASE));
    account_ask("tokyo", "sato", 0, 0, "");
    own_records_log();
    const Audit__AccountReply *deeds = account_ask("tokyo", "inoue", 0, 0, "");
    ck_assert_uint_eq(deeds->n_deeds, 3);
    ck_assert_str_eq(deeds->deeds[0]->act, "audit_account");
    ck_assert_int_eq(deeds->deeds[0]->count, 30);
    ck_assert_uint_gt(deeds->deeds[0]->n_persons, 5);
    ck_assert_str_eq(deeds->deeds[0]->reason, CASE);
    ck_assert_str_eq(deeds->deeds[0]->purpose, "incident");
    ck_assert_int_eq(deeds->deeds[2]->count, 6);
    ck_assert_str_eq(deeds->deeds[2]->persons[0], person(4));
}
END_TEST

/* EXCH-12, EXCH-13, ORG-1, AUTH-5: the asker's manager alone, by whom the table lets, who is in charge of all of it */
START_TEST(not_everybody_may_ask)
{
    Audit__WhoRequest request = AUDIT__WHO_REQUEST__INIT;
    struct actor actor = asker_of("tokyo", "disclosure");
    request.manager = "saitama";
    request.pseudonym = (char *)person(1);
    request.reason = CASE;
    ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_who, &request.base, ""));
    ck_assert_str_eq(work->fault.field, "manager");
    request.manager = "tokyo";
    ck_assert_ptr_nonnull(ask_as(&actor, ROUTE_audit_who, &request.base, ""));
    ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_who, &request.base, "registration"));
    strcpy(actor.body, "hc-chuo");
    ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_who, &request.base, ""));
    ck_assert_str_eq(work->fault.field, "body");
    static const char *const others[] = {"platform_operator", "administrator", "reviewer", "inspector"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        actor = asker_of("tokyo", others[i]);
        ck_assert_ptr_null(ask_as(&actor, ROUTE_audit_who, &request.base, ""));
        ck_assert_int_eq(work->fault.code, FAULT_not_permitted);
    }
}
END_TEST

/* RIGHT-1: a question that keeps a rule not is told which */
START_TEST(questions_keep_the_rules)
{
    static const struct {
        const char *pseudonym, *application, *reason, *cursor;
        int64_t from, until;
        int limit;
        enum fault_code code;
        const char *field;
    } rows[] = {
        {"", "", CASE, "", 0, 0, 0, FAULT_item_missing, "pseudonym"},
        {"a b", "", CASE, "", 0, 0, 0, FAULT_item_invalid, "pseudonym"},
        {"", "A-1", CASE, "", 0, 0, 0, FAULT_item_invalid, "application"},
        {"KAKU-1", "", "", "", 0, 0, 0, FAULT_reason_missing, "reason"},
        {"KAKU-1", "", "開示", "", 0, 0, 0, FAULT_item_invalid, "reason"},
        {"KAKU-1", "", CASE, "", -1, 0, 0, FAULT_item_invalid, "from_ms"},
        {"KAKU-1", "", CASE, "", 5, 5, 0, FAULT_item_invalid, "until_ms"},
        {"KAKU-1", "", CASE, "", 0, 0, 201, FAULT_item_invalid, "limit"},
        {"KAKU-1", "", CASE, "", 0, 0, -1, FAULT_item_invalid, "limit"},
        {"KAKU-1", "", CASE, "7", 0, 0, 0, FAULT_item_invalid, "cursor"},
        {"KAKU-1", "", CASE, "7.8x", 0, 0, 0, FAULT_item_invalid, "cursor"},
        {"KAKU-1", "", CASE, "7.-8", 0, 0, 0, FAULT_item_invalid, "cursor"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Audit__WhoRequest request = AUDIT__WHO_REQUEST__INIT;
        request.manager = "tokyo";
        request.pseudonym = (char *)rows[i].pseudonym;
        request.application = (char *)rows[i].application;
        request.reason = (char *)rows[i].reason;
        request.cursor = (char *)rows[i].cursor;
        request.from_ms = rows[i].from;
        request.until_ms = rows[i].until;
        request.limit = rows[i].limit;
        ck_assert_ptr_null(ask("tokyo", ROUTE_audit_who, &request.base));
        ck_assert_msg(work->fault.code == rows[i].code && strcmp(work->fault.field, rows[i].field) == 0, "%zu: %s %s",
            i, fault_code_text(work->fault.code), work->fault.field);
    }
    Audit__ExposedRequest exposed = AUDIT__EXPOSED_REQUEST__INIT;
    exposed.manager = "tokyo";
    exposed.reason = CASE;
    ck_assert_ptr_null(ask("tokyo", ROUTE_audit_exposed, &exposed.base));
    ck_assert_str_eq(work->fault.field, "account");
    exposed.terminal = "terminal-1";
    exposed.from_ms = 1;
    ck_assert_ptr_null(ask("tokyo", ROUTE_audit_exposed, &exposed.base));
    ck_assert_str_eq(work->fault.field, "until_ms");
}
END_TEST

/* STORE-1, RIGHT-1: a record that cannot be opened is told as far as it stands in plain; where the manager's keys are
 * gone nobody can be found, and it is told how many records that leaves shut; the other manager's go on */
START_TEST(what_is_erased_stays_shut)
{
    for (int i = 0; i < 3; i++) {
        tell_by("tokyo", "sato", "intake_view", person(1), application(1));
        tell_by("saitama", "sato", "intake_view", person(1), application(1));
    }
    story_log(0);
    tamper("UPDATE audit.log SET event = '\\x00' WHERE manager = 'tokyo' AND position = 2");
    const Audit__WhoReply *reply = who_ask("tokyo", 1, "", 0);
    ck_assert_uint_eq(reply->n_uses, 3);
    ck_assert(reply->uses[0]->readable && !reply->uses[1]->readable && reply->uses[2]->readable);
    ck_assert_str_eq(reply->uses[1]->what, "申請内容の閲覧");
    ck_assert_str_eq(reply->uses[1]->role, "");
    ck_assert_int_eq(reply->sealed, 0);
    own_records_log();
    keyring_forget("tokyo");
    reply = who_ask("tokyo", 1, "", 0);
    ck_assert_uint_eq(reply->n_uses, 0);
    ck_assert_int_eq(reply->sealed, 4);
    ck_assert_int_eq(account_ask("tokyo", "sato", 0, 0, "")->sealed, 4);
    ck_assert_uint_eq(who_ask("saitama", 1, "", 0)->n_uses, 3);
}
END_TEST

int main(void)
{
    journal_open("test");
    TCase *answers = tcase_create("answers");
    tcase_add_checked_fixture(answers, answers_setup, answers_teardown);
    tcase_set_timeout(answers, 60);
    tcase_add_test(answers, who_saw_this_person);
    tcase_add_test(answers, pages_stand_while_records_arrive);
    tcase_add_test(answers, the_person_is_shown_words);
    tcase_add_test(answers, by_one_application);
    tcase_add_test(answers, what_an_account_did);
    tcase_add_test(answers, whose_data_could_have_leaked);
    tcase_add_test(answers, who_is_not_named_is_counted);
    tcase_add_test(answers, an_answer_is_recorded);
    tcase_add_test(answers, not_everybody_may_ask);
    tcase_add_test(answers, questions_keep_the_rules);
    tcase_add_test(answers, what_is_erased_stays_shut);
    Suite *suite = suite_create("audit_answers");
    suite_add_tcase(suite, answers);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
