/* What did this account do. */
#include "audit/audit_answer.h"

#include "audit/audit_words.h"

#include <string.h>

#define LIMIT_USUAL 50

struct account_answer {
    struct answer_page page;
    Audit__AccountReply reply;
    const char *account;
    size_t person_count; /* of all deeds */
};

bool answer_account_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__AccountRequest *request = (const Audit__AccountRequest *)message;
    return answer_id_check(request->account, true, "account", fault) &&
           question_check(request->reason, request->from_ms, request->until_ms, fault) &&
           page_check(request->cursor, request->limit, ANSWER_LIMIT_MAX, fault);
}

static bool account_wants(const struct answer_page *page, const struct use *use)
{
    return *use->event->role && strcmp(use->event->who, ((const struct account_answer *)page)->account) == 0;
}

static bool persons_split(struct arena *arena, const char *subjects, Audit__Deed *deed)
{
    size_t count = 1;
    for (const char *at = subjects; *at; at++)
        count += *at == ' ';
    deed->persons = arena_take(arena, count * sizeof *deed->persons);
    for (const char *at = subjects; deed->persons && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len && !(deed->persons[deed->n_persons++] = arena_text(arena, at, len)))
            return false;
        at += len;
    }
    return deed->persons != NULL;
}

static bool event_copy(struct arena *arena, const Audit__Event *event, Audit__Deed *deed)
{
    deed->readable = true;
    deed->count = (int32_t)(event->count < INT32_MAX ? event->count : INT32_MAX);
    deed->reason = arena_text(arena, event->reason, strlen(event->reason));
    deed->purpose = arena_text(arena, event->purpose, strlen(event->purpose));
    deed->role = arena_text(arena, event->role, strlen(event->role));
    deed->terminal = arena_text(arena, event->terminal, strlen(event->terminal));
    return deed->reason && deed->purpose && deed->role && deed->terminal && persons_split(arena, event->subject, deed);
}

static bool account_put(struct answer_page *page, const struct use *use)
{
    struct account_answer *answer = (struct account_answer *)page;
    Audit__Deed *deed = arena_take(page->arena, sizeof *deed);
    if (!deed)
        return false;
    audit__deed__init(deed);
    deed->at_ms = use->at_ms;
    deed->when = (char *)moment_japanese(page->arena, use->at_ms);
    deed->service = arena_text(page->arena, use->service, strlen(use->service));
    deed->act = arena_text(page->arena, use->act, strlen(use->act));
    deed->what = (char *)act_japanese(use->act);
    deed->outcome = arena_text(page->arena, use->outcome, strlen(use->outcome));
    deed->result = (char *)outcome_japanese(use->outcome);
    if (!deed->service || !deed->act || !deed->outcome || (use->event && !event_copy(page->arena, use->event, deed)))
        return false;
    answer->reply.deeds[answer->reply.n_deeds++] = deed;
    answer->person_count += deed->n_persons;
    page->bytes += audit__deed__get_packed_size(deed);
    return true;
}

static bool account_read(struct work *work, const Audit__AccountRequest *request, struct account_answer *answer)
{
    struct use_tokens tokens;
    struct answer_page *page = &answer->page;
    *page = (struct answer_page){.search = {.manager = request->manager, .tokens = &tokens},
        .from_ms = request->from_ms,
        .until_ms = request->until_ms,
        .limit = request->limit ? request->limit : LIMIT_USUAL,
        .wants = account_wants,
        .put = account_put};
    answer->account = request->account;
    answer->reply.deeds = arena_take(work->arena, (size_t)page->limit * sizeof *answer->reply.deeds);
    if (!answer->reply.deeds || !use_tokens_init(work->arena, &tokens, 1))
        return fault_set(&work->fault, FAULT_internal, NULL);
    use_tokens_add(&tokens, request->manager, TOKEN_ACCOUNT, request->account);
    return sealed_count(work, page, request->cursor, &answer->reply.sealed) && page_read(work, page, request->cursor);
}

static bool account_record(struct work *work, const struct account_answer *answer, const char *reason)
{
    size_t count = 0;
    const char **persons = arena_take(work->arena, (answer->person_count + 1) * sizeof *persons);
    if (!persons)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < answer->reply.n_deeds; i++)
        for (size_t j = 0; j < answer->reply.deeds[i]->n_persons; j++)
            persons[count++] = answer->reply.deeds[i]->persons[j];
    answer_record(work, persons, count, reason, (uint32_t)answer->reply.n_deeds);
    return true;
}

enum outcome answer_account_act(struct work *work)
{
    const Audit__AccountRequest *request = (const Audit__AccountRequest *)work->request;
    struct account_answer answer = {.reply = AUDIT__ACCOUNT_REPLY__INIT};
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!account_read(work, request, &answer) || !account_record(work, &answer, request->reason))
        return work_refuse(work);
    answer.reply.cursor = answer.page.cursor;
    return work_commit(work, &answer.reply.base);
}
