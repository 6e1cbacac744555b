#include "audit/audit_exposure.h"

#include "chassis/form.h"

#include "audit/audit_answer.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 20000
#define TIE_CHUNK 50
#define CLOCKS_APART_MS 60000 /* between a service's clock and audit's */

struct finding {
    const struct exposure_question *question;
    struct exposures *exposures;
};

static int exposures_compare(const void *one, const void *other)
{
    return strcmp(((const struct exposure *)one)->person, ((const struct exposure *)other)->person);
}

/* Sort, and make one row of each person's. */
static void exposures_merge(struct exposures *all)
{
    size_t kept = 0;
    if (all->count)
        qsort(all->rows, all->count, sizeof *all->rows, exposures_compare);
    for (size_t i = 0; i < all->count; i++) {
        struct exposure *row = &all->rows[i], *last = kept ? &all->rows[kept - 1] : NULL;
        if (!last || strcmp(last->person, row->person) != 0) {
            all->rows[kept++] = *row;
            continue;
        }
        for (int touch = 0; touch < TOUCH_KINDS; touch++)
            last->touches[touch] += row->touches[touch];
        if (row->first_at_ms < last->first_at_ms)
            last->first_at_ms = row->first_at_ms;
        if (row->last_at_ms > last->last_at_ms)
            last->last_at_ms = row->last_at_ms;
    }
    all->count = kept;
}

static void person_put(struct exposures *all, const char *person, size_t len, const struct use *use)
{
    if (all->count == EXPOSURES_MAX)
        exposures_merge(all);
    all->too_many = all->count == EXPOSURES_MAX;
    if (all->too_many || len > EXPOSURE_PERSON_MAX)
        return;
    struct exposure *row = &all->rows[all->count++];
    all->used = all->count > all->used ? all->count : all->used;
    memset(row, 0, sizeof *row);
    memcpy(row->person, person, len);
    row->touches[act_touch(use->act)] = 1;
    row->first_at_ms = row->last_at_ms = use->at_ms;
}

/* Who is not named as the subject may be named by the application; else it is only known how many they were. */
static void persons_put(struct exposures *all, const struct use *use)
{
    const Audit__Event *event = use->event;
    if (act_touch(use->act) == TOUCH_NONE)
        return;
    for (const char *at = event->subject; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len)
            person_put(all, at, len, use);
        at += len;
    }
    if (!*event->subject && form_is_uuid(event->reason))
        person_put(all, event->reason, strlen(event->reason), use);
    else if (!*event->subject)
        all->unnamed += (int32_t)event->count;
}

static bool use_fits(const struct exposure_question *question, const struct use *use)
{
    const Audit__Event *event = use->event;
    if (use->at_ms < question->from_ms || use->at_ms >= question->until_ms)
        return false;
    return !event || ((!*question->account || (*event->role && strcmp(event->who, question->account) == 0)) &&
                         (!*question->terminal || strcmp(event->terminal, question->terminal) == 0));
}

static bool use_count(void *to, const struct use *use)
{
    struct finding *finding = to;
    struct exposures *all = finding->exposures;
    all->reached = use->position;
    if (!use_fits(finding->question, use))
        return true;
    all->reached_at_ms = use->at_ms;
    all->records++;
    if (!use->event)
        all->unreadable++;
    else if (strcmp(use->outcome, "done") != 0)
        all->refused++;
    else
        persons_put(all, use);
    all->more = finding->question->slice && all->records >= finding->question->slice;
    return !all->too_many && !all->more;
}

static bool uses_gather(struct pg *pg, struct use_search *search, struct finding *finding, struct fault *fault)
{
    struct exposures *all = finding->exposures;
    size_t found = CHUNK;
    for (all->reached = finding->question->before; found == CHUNK && !all->more;) {
        search->before = all->reached;
        if (!uses_each(pg, search, use_count, finding, &found, fault))
            return false;
        if (all->too_many)
            return fault_set(fault, FAULT_period_too_long, "until_ms");
    }
    return true;
}

/* --- applications whose person is known by now --- */

struct tie {
    struct exposure *row;
    uint64_t before;
    bool tied;
};

static bool tie_take(void *to, const struct use *use)
{
    struct tie *tie = to;
    const Audit__Event *event = use->event;
    tie->before = use->position;
    if (!event || strcmp(use->service, "intake") != 0 || strcmp(event->reason, tie->row->person) != 0 ||
        !*event->subject || strchr(event->subject, ' ') || strlen(event->subject) > EXPOSURE_PERSON_MAX)
        return true;
    strcpy(tie->row->person, event->subject);
    tie->tied = true;
    return false;
}

/* A record made before the pseudonym was given names the application; a later one of the same application names the
 * person. */
static bool application_tie(
    struct pg *pg, const char *manager, uint64_t length, struct exposure *row, struct fault *fault)
{
    struct arena *arena = arena_new(4096);
    struct use_tokens tokens;
    size_t found = TIE_CHUNK;
    struct tie tie = {row, length, false};
    struct use_search search = {.manager = manager, .tokens = &tokens, .limit = TIE_CHUNK};
    bool read = (arena && use_tokens_init(arena, &tokens, 1)) || fault_set(fault, FAULT_internal, NULL);
    if (read)
        use_tokens_add(&tokens, manager, TOKEN_REASON, row->person);
    while (read && found == TIE_CHUNK && !tie.tied) {
        search.before = tie.before;
        read = uses_each(pg, &search, tie_take, &tie, &found, fault);
    }
    arena_free(arena);
    return read;
}

static bool applications_tie(
    struct pg *pg, const struct exposure_question *question, struct exposures *all, struct fault *fault)
{
    for (size_t i = 0; i < all->count; i++)
        if (form_is_uuid(all->rows[i].person) &&
            !application_tie(pg, question->manager, question->length, &all->rows[i], fault))
            return false;
    exposures_merge(all);
    return true;
}

bool exposures_find(struct pg *pg, struct arena *arena, const struct exposure_question *question,
    struct exposures *exposures, struct fault *fault)
{
    struct use_tokens tokens;
    struct use_search search = {.manager = question->manager, .tokens = &tokens, .limit = CHUNK};
    struct finding finding = {.question = question, .exposures = exposures};
    memset(exposures, 0, sizeof *exposures);
    search.from_ms = question->from_ms > CLOCKS_APART_MS ? question->from_ms - CLOCKS_APART_MS : 0;
    exposures->rows = calloc(EXPOSURES_MAX, sizeof *exposures->rows);
    if (!exposures->rows || !use_tokens_init(arena, &tokens, 1))
        return fault_set(fault, FAULT_internal, NULL);
    if (*question->account)
        use_tokens_add(&tokens, question->manager, TOKEN_ACCOUNT, question->account);
    else
        use_tokens_add(&tokens, question->manager, TOKEN_TERMINAL, question->terminal);
    if (tokens.shut && !uses_count(pg, question->manager, question->from_ms, question->until_ms, question->length,
                           &exposures->sealed, fault))
        return false;
    if (!uses_gather(pg, &search, &finding, fault))
        return false;
    exposures_merge(exposures);
    if (!applications_tie(pg, question, exposures, fault))
        return false;
    for (size_t i = 0; i < exposures->count; i++)
        exposures->only_seen += exposure_is_only_seen(&exposures->rows[i]);
    return true;
}

bool exposures_list(char *const *persons, size_t count, struct exposures *exposures)
{
    const struct use nothing = {.act = "audit_incident_open"};
    memset(exposures, 0, sizeof *exposures);
    exposures->rows = calloc(EXPOSURES_MAX, sizeof *exposures->rows);
    for (size_t i = 0; exposures->rows && i < count; i++)
        person_put(exposures, persons[i], strlen(persons[i]), &nothing);
    exposures_merge(exposures);
    return exposures->rows != NULL;
}

void exposures_free(struct exposures *exposures)
{
    if (exposures->rows)
        OPENSSL_cleanse(exposures->rows, exposures->used * sizeof *exposures->rows);
    free(exposures->rows);
    exposures->rows = NULL;
}

bool exposure_is_only_seen(const struct exposure *exposure)
{
    for (int touch = TOUCH_CHANGED; touch < TOUCH_KINDS; touch++)
        if (exposure->touches[touch])
            return false;
    return exposure->touches[TOUCH_SEEN] > 0;
}

bool exposure_put(struct arena *arena, const struct exposure *row, Audit__Exposure *said)
{
    audit__exposure__init(said);
    said->person = arena_text(arena, row->person, strlen(row->person));
    said->seen = (int32_t)row->touches[TOUCH_SEEN];
    said->changed = (int32_t)row->touches[TOUCH_CHANGED];
    said->printed = (int32_t)row->touches[TOUCH_PRINTED];
    said->exported = (int32_t)row->touches[TOUCH_EXPORTED];
    said->released = (int32_t)row->touches[TOUCH_RELEASED];
    said->only_seen = exposure_is_only_seen(row);
    said->first_at_ms = row->first_at_ms;
    said->last_at_ms = row->last_at_ms;
    return said->person != NULL;
}

void exposures_sum(const struct exposures *all, Audit__Exposed *sum)
{
    audit__exposed__init(sum);
    sum->persons = (int32_t)all->count;
    sum->only_seen = all->only_seen;
    sum->records = all->records;
    sum->refused = all->refused;
    sum->unnamed = all->unnamed;
    sum->unreadable = all->unreadable;
    sum->sealed = all->sealed;
}
