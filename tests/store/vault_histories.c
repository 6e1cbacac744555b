/* Random histories of persons against a model that is simple enough to be believed: a list of (number, pseudonym, in
 * force) for each manager. Every act's answer must be the model's, and at the end every number, pseudonym and gateway
 * id must lead where the model says. SHIKAKU_HISTORY_STEPS acts (default 400; `make histories` for many);
 * SHIKAKU_HISTORY_SEED plays one again. */
#include "store/vault_acts.h"

#define NUMBERS 16
#define PSEUDONYMS 4096
#define CORRECTIONS 12
#define GATEWAYS 4096
#define MANAGERS 2

static const char *const managers[MANAGERS] = {"tokyo", "mlit"};
static struct actor clerk, chief;
static struct kit_person people[NUMBERS];

/* --- the model -----------------------------------------------------------------------------------------------------
 */

enum { NOBODY = -1 };

struct number {
    int pseudonym; /* NOBODY: not enrolled */
    bool in_force;
    int came_from;
};

struct pseudonym {
    char text[PSEUDONYM_LENGTH + 1];
    int joined; /* the one that it ended in; NOBODY while it stands for itself */
    int gateway;
};

struct gateway {
    char id[37];
    bool closed;
};

struct pending { /* a correction that nobody has decided */
    char id[37];
    bool open, by_chief;
    int number, pseudonym, other; /* split: number; join: other */
    bool other_in_force;
};

struct model {
    const char *manager;
    struct number numbers[NUMBERS];
    struct pseudonym pseudonyms[PSEUDONYMS];
    int pseudonym_count;
    struct gateway gateways[GATEWAYS];
    int gateway_count;
    struct pending corrections[CORRECTIONS];
};

static struct model models[MANAGERS];
static int recorded; /* records of use that there must be */

static int count_of(const struct model *m, int pseudonym, bool only_replaced)
{
    int count = 0;
    for (int n = 0; n < NUMBERS; n++)
        count += m->numbers[n].pseudonym == pseudonym && !(only_replaced && m->numbers[n].in_force);
    return count;
}

static int number_in_force(const struct model *m, int pseudonym)
{
    for (int n = 0; n < NUMBERS; n++)
        if (m->numbers[n].pseudonym == pseudonym && m->numbers[n].in_force)
            return n;
    return NOBODY;
}

/* The pseudonym that stands for the person now. */
static int current_of(const struct model *m, int pseudonym)
{
    return m->pseudonyms[pseudonym].joined == NOBODY ? pseudonym : m->pseudonyms[pseudonym].joined;
}

static bool leads_here(const struct model *m, int pseudonym)
{
    for (int p = 0; p < m->pseudonym_count; p++)
        if (m->pseudonyms[p].joined == pseudonym)
            return true;
    return false;
}

static int pseudonym_of(const struct model *m, const char *text)
{
    for (int p = 0; p < m->pseudonym_count; p++)
        if (strcmp(m->pseudonyms[p].text, text) == 0)
            return p;
    return NOBODY;
}

static int pseudonym_add(struct model *m, const char *text)
{
    ck_assert_int_lt(m->pseudonym_count, PSEUDONYMS);
    ck_assert(pseudonym_check(text));
    for (int i = 0; i < MANAGERS; i++)
        ck_assert_int_eq(pseudonym_of(&models[i], text), NOBODY); /* nobody else's, at no manager */
    struct pseudonym *p = &m->pseudonyms[m->pseudonym_count];
    *p = (struct pseudonym){.joined = NOBODY, .gateway = NOBODY};
    snprintf(p->text, sizeof p->text, "%s", text);
    return m->pseudonym_count++;
}

static void gateway_end(struct model *m, int pseudonym)
{
    int *gateway = &m->pseudonyms[pseudonym].gateway;
    if (*gateway != NOBODY)
        m->gateways[*gateway].closed = true;
    *gateway = NOBODY;
}

static bool split_possible(const struct model *m, const struct pending *c)
{
    const struct number *n = &m->numbers[c->number];
    return n->pseudonym == c->pseudonym && count_of(m, c->pseudonym, false) >= 2 &&
           (!n->in_force || count_of(m, c->pseudonym, true) == 1);
}

static bool join_possible(const struct model *m, const struct pending *c)
{
    return c->pseudonym != c->other && number_in_force(m, c->pseudonym) != NOBODY &&
           count_of(m, c->other, false) == 1 && !leads_here(m, c->other);
}

static void split_do(struct model *m, const struct pending *c, const char *other)
{
    struct number *n = &m->numbers[c->number];
    int to = n->came_from;
    if (to == NOBODY)
        to = pseudonym_add(m, other);
    ck_assert_str_eq(m->pseudonyms[to].text, other);
    m->pseudonyms[to].joined = NOBODY;
    if (n->in_force)
        for (int i = 0; i < NUMBERS; i++)
            if (m->numbers[i].pseudonym == c->pseudonym && i != c->number)
                m->numbers[i].in_force = true;
    *n = (struct number){to, true, NOBODY};
    gateway_end(m, c->pseudonym);
}

static void join_do(struct model *m, const struct pending *c)
{
    int kept = number_in_force(m, c->pseudonym), moved = number_in_force(m, c->other);
    gateway_end(m, c->other);
    m->numbers[moved] = (struct number){c->pseudonym, c->other_in_force, c->other};
    m->numbers[kept].in_force = !c->other_in_force;
    m->pseudonyms[c->other].joined = c->pseudonym;
}

/* --- acts -----------------------------------------------------------------------------------------------------------
 */

static int dice(int sides)
{
    return (int)(random() % sides);
}

static void act_as(struct actor *actor, const struct model *m)
{
    strcpy(actor->manager, m->manager);
    strcpy(actor->role, "corrector");
    actor->rights = 1u << RIGHT_number_correct;
    acting = actor;
}

static void expect(enum outcome outcome, enum fault_code code)
{
    const char *got = outcome == OUTCOME_DONE ? "" : fault_code_text(work->fault.code);
    ck_assert_str_eq(got, code == FAULT_NONE ? "" : fault_code_text(code));
    recorded++;
}

static void enrolled_check(struct model *m, int n, const char *pseudonym, bool known)
{
    struct number *number = &m->numbers[n];
    ck_assert_int_eq(known, number->pseudonym != NOBODY);
    if (!known)
        *number = (struct number){pseudonym_add(m, pseudonym), true, NOBODY};
    ck_assert_str_eq(pseudonym, m->pseudonyms[number->pseudonym].text);
}

static void enrol_play(struct model *m)
{
    int n = dice(NUMBERS);
    struct enrolled got = dice(2) ? enrol_card(&people[n], m->manager) : enrol_paper(people[n].number, m->manager);
    recorded++;
    enrolled_check(m, n, got.pseudonym, got.known);
}

/* The same person twice in one batch is one. */
static void enrol_batch_play(struct model *m)
{
    struct batch batch;
    Vault__EnrolBatchReply *reply;
    int chosen[4];
    bool tied[NUMBERS];
    json_t *numbers = json_array();
    for (int n = 0; n < NUMBERS; n++)
        tied[n] = m->numbers[n].pseudonym != NOBODY;
    for (int i = 0; i < 4; i++) {
        chosen[i] = dice(NUMBERS);
        json_array_append_new(numbers, json_string(people[chosen[i]].number));
    }
    batch_seal(&batch, m->manager, SCHEDULE, numbers);
    expect(batch_enrol(work, key_or_fresh(NULL), &batch, &reply), FAULT_NONE);
    ck_assert_uint_eq(reply->n_items, 4);
    for (int i = 0; i < 4; i++) {
        const Vault__EnrolBatchItem *item = reply->items[i];
        int new = 0;
        for (int j = 0; j < 4; j++)
            new += chosen[j] == chosen[i] && !reply->items[j]->known_already;
        ck_assert_str_eq(item->result, "");
        ck_assert_int_eq(new, !tied[chosen[i]]);
        enrolled_check(m, chosen[i], item->pseudonym, m->numbers[chosen[i]].pseudonym != NOBODY);
    }
    arena_free(batch.arena);
}

static int some_pseudonym(const struct model *m)
{
    return m->pseudonym_count ? dice(m->pseudonym_count) : NOBODY;
}

static void change_play(struct model *m)
{
    int p = some_pseudonym(m), n = dice(NUMBERS);
    bool changed;
    if (p == NOBODY)
        return;
    int current = current_of(m, p), old = number_in_force(m, current);
    struct number *number = &m->numbers[n];
    enum fault_code code = FAULT_NONE;
    if (number->pseudonym == current && n != old)
        code = FAULT_number_replaced;
    else if (number->pseudonym != NOBODY && number->pseudonym != current)
        code = FAULT_number_of_another;
    expect(act_change(NULL, m->manager, m->pseudonyms[p].text, people[n].number, &changed), code);
    ck_assert_int_eq(changed, code == FAULT_NONE && n != old);
    if (!changed)
        return;
    m->numbers[old].in_force = false;
    *number = (struct number){current, true, NOBODY};
}

static void ask_play(struct model *m)
{
    struct pending *c = &m->corrections[dice(CORRECTIONS)];
    int p = some_pseudonym(m);
    if (p == NOBODY || c->open)
        return;
    bool split = dice(2);
    *c = (struct pending){.by_chief = dice(2),
        .number = split ? dice(NUMBERS) : NOBODY,
        .pseudonym = p,
        .other = split ? NOBODY : some_pseudonym(m),
        .other_in_force = dice(2)};
    if (split && dice(4))
        for (int n = 0; n < NUMBERS; n++) /* often one that can be done */
            if (m->numbers[n].pseudonym != NOBODY && count_of(m, m->numbers[n].pseudonym, false) > 1) {
                c->number = n;
                c->pseudonym = m->numbers[n].pseudonym;
            }
    const struct asked asked = {.manager = m->manager,
        .pseudonym = m->pseudonyms[c->pseudonym].text,
        .number = split ? people[c->number].number : NULL,
        .other = split ? NULL : m->pseudonyms[c->other].text,
        .other_in_force = c->other_in_force};
    act_as(c->by_chief ? &chief : &clerk, m);
    enum fault_code code = FAULT_NONE;
    if (split ? !split_possible(m, c) : !join_possible(m, c))
        code = FAULT_correction_not_possible;
    if (!split && (number_in_force(m, c->pseudonym) == NOBODY || number_in_force(m, c->other) == NOBODY))
        code = FAULT_pseudonym_unknown;
    expect(act_ask(NULL, &asked, c->id), code);
    c->open = code == FAULT_NONE;
    acting = NULL;
}

/* By the one who asked: refused. By the other: done, or not possible any more. */
static void decide_play(struct model *m)
{
    struct pending *c = &m->corrections[dice(CORRECTIONS)];
    char other[PSEUDONYM_LENGTH + 1] = "";
    if (!c->open)
        return;
    bool same = dice(4) == 0, approve = dice(4) != 0;
    enum fault_code code = FAULT_NONE;
    if (same)
        code = FAULT_correction_same_person;
    else if (approve && (c->number != NOBODY ? !split_possible(m, c) : !join_possible(m, c)))
        code = FAULT_correction_not_possible;
    if (!same && approve && c->number == NOBODY &&
        (number_in_force(m, c->pseudonym) == NOBODY || number_in_force(m, c->other) == NOBODY))
        code = FAULT_pseudonym_unknown;
    act_as(same == c->by_chief ? &chief : &clerk, m);
    expect(act_decide(NULL, m->manager, c->id, approve, other), code);
    acting = NULL;
    if (code != FAULT_NONE)
        return;
    c->open = false;
    if (approve && c->number != NOBODY)
        split_do(m, c, other);
    else if (approve)
        join_do(m, c);
}

static void release_check(struct model *m, int p)
{
    char *plain, wanted[96];
    const char *text = m->pseudonyms[p].text;
    int n = number_in_force(m, current_of(m, p));
    ck_assert_int_ne(n, NOBODY); /* a pseudonym never comes to stand for nobody */
    expect(act_release(NULL, m->manager, &text, 1, &plain), FAULT_NONE);
    snprintf(wanted, sizeof wanted, "{\"numbers\":[{\"pseudonym\":\"%s\",\"number\":\"%s\"}]}", text, people[n].number);
    ck_assert_str_eq(plain, wanted);
    free(plain);
}

static void release_play(struct model *m)
{
    int p = some_pseudonym(m);
    if (p != NOBODY)
        release_check(m, p);
}

static void resolve_check_one(struct model *m, int p)
{
    const Vault__ResolveReply *reply;
    const char *text = m->pseudonyms[p].text, *joined;
    expect(act_resolve(m->manager, &text, 1, &reply), FAULT_NONE);
    joined = m->pseudonyms[p].joined == NOBODY ? "" : m->pseudonyms[m->pseudonyms[p].joined].text;
    ck_assert(reply->items[0]->known);
    ck_assert_str_eq(reply->items[0]->joined_with, joined);
}

static void resolve_play(struct model *m)
{
    int p = some_pseudonym(m);
    if (p != NOBODY)
        resolve_check_one(m, p);
}

/* One that is known stays; a new one was never anybody's. */
static void gateway_play(struct model *m)
{
    int p = some_pseudonym(m);
    char id[37];
    if (p == NOBODY)
        return;
    expect(act_gateway_id(NULL, m->manager, m->pseudonyms[p].text, id), FAULT_NONE);
    int *gateway = &m->pseudonyms[current_of(m, p)].gateway;
    if (*gateway != NOBODY) {
        ck_assert_str_eq(id, m->gateways[*gateway].id);
        return;
    }
    for (int i = 0; i < MANAGERS; i++)
        for (int g = 0; g < models[i].gateway_count; g++)
            ck_assert_str_ne(models[i].gateways[g].id, id);
    ck_assert_int_lt(m->gateway_count, GATEWAYS);
    *gateway = m->gateway_count;
    strcpy(m->gateways[m->gateway_count++].id, id);
}

/* A gateway's id leads to the person's number in force; one that is nobody's any more to nothing. */
static void acquire_check(struct model *m, int g)
{
    char *sealed, *plain;
    bool closed = m->gateways[g].closed;
    expect(act_acquire(NULL, m->manager, m->gateways[g].id, "Q7-0451", &sealed),
        closed ? FAULT_pseudonym_unknown : FAULT_NONE);
    if (closed)
        return;
    int p = 0;
    while (m->pseudonyms[p].gateway != g)
        p++;
    plain = kit_sealed_open(residence, sealed);
    ck_assert_ptr_nonnull(strstr(plain, people[number_in_force(m, p)].number));
    free(plain);
}

static void acquire_play(struct model *m)
{
    if (m->gateway_count)
        acquire_check(m, dice(m->gateway_count));
}

/* What was delivered before comes again: the same bytes, and nothing else. */
static void replay_play(struct model *m)
{
    struct enrolment e;
    struct enrolled first, again;
    int n = dice(NUMBERS);
    enrolment_by_paper(&e, people[n].number, m->manager);
    ck_assert_int_eq(enrol(work, e.application, &e, &first), OUTCOME_DONE);
    recorded++;
    enrolled_check(m, n, first.pseudonym, first.known);
    change_play(m);
    ck_assert_int_eq(enrol(work, e.application, &e, &again), OUTCOME_DONE);
    ck_assert_str_eq(again.pseudonym, first.pseudonym);
    ck_assert_int_eq(again.known, first.known);
    free(e.sealed);
}

/* --- histories ------------------------------------------------------------------------------------------------------
 */

static void (*const plays[])(struct model *) = {enrol_play, enrol_play, enrol_play, enrol_batch_play, change_play,
    change_play, ask_play, ask_play, ask_play, decide_play, decide_play, decide_play, release_play, resolve_play,
    gateway_play, gateway_play, acquire_play, replay_play};

static void everything_check(struct model *m)
{
    for (int p = 0; p < m->pseudonym_count; p++) {
        release_check(m, p);
        resolve_check_one(m, p);
    }
    for (int g = 0; g < m->gateway_count; g++)
        acquire_check(m, g);
    int tied = 0;
    for (int n = 0; n < NUMBERS; n++)
        tied += m->numbers[n].pseudonym != NOBODY;
    ck_assert_int_eq(ties(m->manager), tied);
    for (int n = 0; n < NUMBERS; n++) {
        struct enrolled got = enrol_paper(people[n].number, m->manager);
        recorded++;
        enrolled_check(m, n, got.pseudonym, got.known);
    }
}

static long number_setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 10) : otherwise;
}

static void models_begin(void)
{
    memset(models, 0, sizeof models);
    recorded = 0;
    for (int i = 0; i < MANAGERS; i++) {
        models[i].manager = managers[i];
        for (int n = 0; n < NUMBERS; n++)
            models[i].numbers[n] = (struct number){NOBODY, false, NOBODY};
    }
    for (uint32_t n = 0; n < NUMBERS; n++)
        kit_person_make(&people[n], SEED, n);
    strcpy(clerk.account, "clerk1");
    strcpy(chief.account, "chief1");
    acting = NULL;
}

/* NUM-1, LOG-1, pitfall 15: whatever happens to persons in whatever order, each number leads to one pseudonym, each
 * pseudonym to one number in force, no two persons meet but by two people's decision, and each act is one record */
START_TEST(histories_follow_the_model)
{
    long steps = number_setting("SHIKAKU_HISTORY_STEPS", 400);
    unsigned seed = (unsigned)number_setting("SHIKAKU_HISTORY_SEED", (long)time(NULL));
    printf("SHIKAKU_HISTORY_SEED=%u SHIKAKU_HISTORY_STEPS=%ld\n", seed, steps);
    fflush(stdout);
    srandom(seed);
    models_begin();
    for (long step = 0; step < steps; step++) {
        struct model *m = &models[dice(MANAGERS)];
        plays[dice(sizeof plays / sizeof *plays)](m);
    }
    for (int i = 0; i < MANAGERS; i++)
        everything_check(&models[i]);
    ck_assert_int_eq(count_as("", "SELECT count(*) FROM vault.audit_outbox"), recorded);
}
END_TEST

int main(void)
{
    if (!kit_authorities_make("build/kit"))
        return 1;
    Suite *suite = suite_create("vault_histories");
    TCase *tests = tcase_create("histories");
    tcase_set_timeout(tests, getenv("SHIKAKU_HISTORY_STEPS") ? 0 : 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, histories_follow_the_model);
    suite_add_tcase(suite, tests);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
