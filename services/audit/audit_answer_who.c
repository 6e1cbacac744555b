/* Who saw this person's data, and why (RIGHT-1): in words that the person can be shown. */
#include "audit/audit_answer.h"

#include "audit/audit_words.h"
#include "chassis/form.h"
#include "chassis/rights.h"
#include "chassis/settings.h"

#include <string.h>

#define LIMIT_USUAL 50
#define APPLICATIONS_MAX 64
#define CHUNK 500
#define APPLICATION_WORD "申請 "
#define NOBODY "システムによる自動処理"

struct whom {
    const char *pseudonym; /* "": by application alone */
    const char *applications[APPLICATIONS_MAX];
    size_t count;
    bool too_many;
    struct arena *arena;
    uint64_t before;
};

struct who_answer {
    struct answer_page page;
    Audit__WhoReply reply;
    const struct whom *whom;
    const char *office;
    bool names_officers;
};

bool answer_who_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__WhoRequest *request = (const Audit__WhoRequest *)message;
    if (!answer_id_check(request->pseudonym, !*request->application, "pseudonym", fault))
        return false;
    if (*request->application && !form_is_uuid(request->application))
        return fault_set(fault, FAULT_item_invalid, "application");
    return question_check(request->reason, request->from_ms, request->until_ms, fault) &&
           page_check(request->cursor, request->limit, ANSWER_LIMIT_MAX, fault);
}

/* --- of whom ------------------------------------------------------------------------------------------------------ */

static bool application_put(struct whom *whom, const char *application)
{
    for (size_t i = 0; i < whom->count; i++)
        if (strcmp(whom->applications[i], application) == 0)
            return true;
    whom->too_many = whom->count == APPLICATIONS_MAX;
    if (whom->too_many)
        return false;
    whom->applications[whom->count] = arena_text(whom->arena, application, strlen(application));
    return whom->applications[whom->count++] != NULL;
}

/* intake names the application as the reason. A record of one person under it tells whose it is. */
static bool application_take(void *to, const struct use *use)
{
    struct whom *whom = to;
    whom->before = use->position;
    if (!use->event || strcmp(use->service, "intake") != 0 || strcmp(use->event->subject, whom->pseudonym) != 0 ||
        !form_is_uuid(use->event->reason))
        return true;
    return application_put(whom, use->event->reason);
}

/* Before a pseudonym was given, records name the application alone: the person's applications belong to the question.
 * All that the log had when the first page was asked for, so that every page is one of the same answer. */
static bool applications_find(struct work *work, const char *manager, uint64_t length, struct whom *whom)
{
    struct use_tokens tokens;
    size_t found = CHUNK;
    struct use_search search = {.manager = manager, .tokens = &tokens, .limit = CHUNK};
    if (!use_tokens_init(work->arena, &tokens, 1))
        return fault_set(&work->fault, FAULT_internal, NULL);
    use_tokens_add(&tokens, manager, TOKEN_SUBJECT, whom->pseudonym);
    for (whom->before = length; found == CHUNK;) {
        search.before = whom->before;
        if (!uses_each(work->pg, &search, application_take, whom, &found, &work->fault))
            return false;
        if (whom->too_many)
            return fault_set(&work->fault, FAULT_too_large, "pseudonym");
    }
    return true;
}

static bool whom_find(struct work *work, const Audit__WhoRequest *request, struct whom *whom, struct use_tokens *tokens)
{
    struct answer_cursor cursor = {0};
    *whom = (struct whom){.pseudonym = request->pseudonym, .arena = work->arena};
    if (*request->cursor ? !cursor_read(request->cursor, &cursor) : !log_length(work->pg, &cursor.length, &work->fault))
        return false;
    if (*request->application && !application_put(whom, request->application))
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (*request->pseudonym && !applications_find(work, request->manager, cursor.length, whom))
        return false;
    if (!use_tokens_init(work->arena, tokens, 1 + 2 * whom->count))
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (*request->pseudonym)
        use_tokens_add(tokens, request->manager, TOKEN_SUBJECT, request->pseudonym);
    for (size_t i = 0; i < whom->count; i++) {
        use_tokens_add(tokens, request->manager, TOKEN_REASON, whom->applications[i]);
        use_tokens_add(tokens, request->manager, TOKEN_SUBJECT, whom->applications[i]);
    }
    return true;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

static bool who_wants(const struct answer_page *page, const struct use *use)
{
    const struct whom *whom = ((const struct who_answer *)page)->whom;
    if (*whom->pseudonym && use_names(use->event, whom->pseudonym))
        return true;
    for (size_t i = 0; i < whom->count; i++)
        if (strcmp(use->event->reason, whom->applications[i]) == 0 || use_names(use->event, whom->applications[i]))
            return true;
    return false;
}

/* "開示・訂正・利用停止の請求への対応(申請 …)" */
static char *why_print(struct arena *arena, const Audit__Event *event)
{
    const char *purpose = rights_purpose_label(event->purpose);
    const char *kind = form_is_uuid(event->reason) ? APPLICATION_WORD : "";
    if (!*purpose)
        return arena_format(arena, "%s%s", kind, event->reason);
    return arena_format(
        arena, "%s%s%s%s%s", purpose, *event->reason ? "(" : "", kind, event->reason, *event->reason ? ")" : "");
}

static bool event_say(const struct who_answer *answer, const Audit__Event *event, Audit__Use *said)
{
    struct arena *arena = answer->page.arena;
    const char *role = rights_role_label(event->role);
    said->readable = true;
    said->office = *event->role ? (char *)answer->office : "";
    said->role =
        !*event->role ? NOBODY : arena_text(arena, *role ? role : event->role, strlen(*role ? role : event->role));
    said->account = *event->role && answer->names_officers ? arena_text(arena, event->who, strlen(event->who)) : "";
    said->why = why_print(arena, event);
    return said->role && said->account && said->why;
}

static bool who_put(struct answer_page *page, const struct use *use)
{
    struct who_answer *answer = (struct who_answer *)page;
    Audit__Use *said = arena_take(page->arena, sizeof *said);
    if (!said)
        return false;
    audit__use__init(said);
    said->at_ms = use->at_ms;
    said->when = (char *)moment_japanese(page->arena, use->at_ms);
    said->act = arena_text(page->arena, use->act, strlen(use->act));
    said->what = (char *)act_japanese(use->act);
    said->outcome = arena_text(page->arena, use->outcome, strlen(use->outcome));
    said->result = (char *)outcome_japanese(use->outcome);
    if (!said->act || !said->outcome || (use->event && !event_say(answer, use->event, said)))
        return false;
    answer->reply.uses[answer->reply.n_uses++] = said;
    page->bytes += audit__use__get_packed_size(said);
    return true;
}

static bool is_listed(const char *list, const char *manager)
{
    size_t len = strlen(manager);
    for (const char *at = list; *at; at += strspn(at, ", ")) {
        size_t one = strcspn(at, ", ");
        if (one == len && memcmp(at, manager, len) == 0)
            return true;
        at += one;
    }
    return false;
}

static bool who_read(struct work *work, const Audit__WhoRequest *request, struct who_answer *answer)
{
    struct whom whom;
    struct use_tokens tokens;
    struct answer_page *page = &answer->page;
    if (!whom_find(work, request, &whom, &tokens))
        return false;
    *page = (struct answer_page){.search = {.manager = request->manager, .tokens = &tokens},
        .from_ms = request->from_ms,
        .until_ms = request->until_ms,
        .limit = request->limit ? request->limit : LIMIT_USUAL,
        .wants = who_wants,
        .put = who_put};
    answer->whom = &whom;
    answer->office = office_japanese(request->manager);
    answer->names_officers = is_listed(setting_text("SHIKAKU_OFFICERS_NAMED"), request->manager);
    answer->reply.uses = arena_take(work->arena, (size_t)page->limit * sizeof *answer->reply.uses);
    if (!answer->reply.uses)
        return fault_set(&work->fault, FAULT_internal, NULL);
    return sealed_count(work, page, request->cursor, &answer->reply.sealed) && page_read(work, page, request->cursor);
}

enum outcome answer_who_act(struct work *work)
{
    const Audit__WhoRequest *request = (const Audit__WhoRequest *)work->request;
    struct who_answer answer = {.reply = AUDIT__WHO_REPLY__INIT};
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!who_read(work, request, &answer))
        return work_refuse(work);
    answer.reply.cursor = answer.page.cursor;
    const char *person[] = {*request->pseudonym ? request->pseudonym : request->application};
    answer_record(work, person, 1, request->reason, (uint32_t)answer.reply.n_uses);
    return work_commit(work, &answer.reply.base);
}
