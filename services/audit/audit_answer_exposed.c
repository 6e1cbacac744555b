/* Whose data could have leaked (RIGHT-3), a page at a time: each page is found anew, by what the log had when the first
 * one was asked for. */
#include "audit/audit_answer.h"

#include "audit/audit_exposure.h"

#include <string.h>

#define LIMIT_USUAL 200

bool answer_exposed_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__ExposedRequest *request = (const Audit__ExposedRequest *)message;
    if (!answer_id_check(request->account, !*request->terminal, "account", fault) ||
        !answer_id_check(request->terminal, false, "terminal", fault) ||
        !question_check(request->reason, request->from_ms, request->until_ms, fault))
        return false;
    if (request->slice < 0 || request->slice > EXPOSURE_SLICE_MAX)
        return fault_set(fault, FAULT_item_invalid, "slice");
    if (!request->from_ms || !request->until_ms)
        return fault_set(fault, FAULT_item_missing, request->from_ms ? "until_ms" : "from_ms");
    return page_check(request->cursor, request->limit, EXPOSED_LIMIT_MAX, fault);
}

static bool exposed_fill(struct work *work, const struct exposures *all, struct answer_cursor cursor, size_t limit,
    Audit__ExposedReply *reply)
{
    size_t from = cursor.place < all->count ? (size_t)cursor.place : all->count;
    size_t count = all->count - from < limit ? all->count - from : limit;
    Audit__Exposure *said = arena_take(work->arena, (count + 1) * sizeof *said);
    const char **persons = arena_take(work->arena, (count + 1) * sizeof *persons);
    reply->sum = arena_take(work->arena, sizeof *reply->sum);
    reply->exposures = arena_take(work->arena, (count + 1) * sizeof *reply->exposures);
    if (!said || !persons || !reply->sum || !reply->exposures)
        return fault_set(&work->fault, FAULT_internal, NULL);
    exposures_sum(all, reply->sum);
    for (size_t i = 0; i < count; i++) {
        if (!exposure_put(work->arena, &all->rows[from + i], &said[i]))
            return fault_set(&work->fault, FAULT_internal, NULL);
        reply->exposures[reply->n_exposures++] = &said[i];
        persons[i] = said[i].person;
    }
    reply->more = all->more;
    reply->reached_at_ms = all->reached_at_ms;
    cursor.place = from + count;
    bool slice_ends = cursor.place >= all->count;
    if (slice_ends)
        cursor = (struct answer_cursor){cursor.length, 0, all->reached};
    reply->cursor = !slice_ends || (all->more && all->reached) ? cursor_print(work->arena, &cursor) : "";
    if (!reply->cursor)
        return fault_set(&work->fault, FAULT_internal, NULL);
    answer_record(work, persons, count, ((const Audit__ExposedRequest *)work->request)->reason, (uint32_t)count);
    return true;
}

static bool exposed_read(struct work *work, const Audit__ExposedRequest *request, Audit__ExposedReply *reply)
{
    struct answer_cursor cursor = {0};
    struct exposures all;
    if (*request->cursor ? !cursor_read(request->cursor, &cursor) : !log_length(work->pg, &cursor.length, &work->fault))
        return false;
    const struct exposure_question question = {request->manager, request->account, request->terminal, request->from_ms,
        request->until_ms, cursor.length, cursor.before ? cursor.before : cursor.length,
        request->slice ? request->slice : EXPOSURE_SLICE_MAX};
    bool read = exposures_find(work->pg, work->arena, &question, &all, &work->fault) &&
                exposed_fill(work, &all, cursor, request->limit ? (size_t)request->limit : LIMIT_USUAL, reply);
    exposures_free(&all);
    return read;
}

enum outcome answer_exposed_act(struct work *work)
{
    const Audit__ExposedRequest *request = (const Audit__ExposedRequest *)work->request;
    Audit__ExposedReply reply = AUDIT__EXPOSED_REPLY__INIT;
    if (!answer_permits(work, request->manager))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!exposed_read(work, request, &reply))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}
