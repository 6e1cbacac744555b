#include "vault/number_batch.h"

#include "vault/number_messages.h"
#include "vault/number_record.h"
#include "vault/number_store.h"

#include "vault.pb-c.h"

#include <stdio.h>
#include <string.h>

/* Initial registration */

bool enrol_batch_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__EnrolBatchRequest *request = (const Vault__EnrolBatchRequest *)message;
    if (request->signer.len != 32)
        return fault_set(fault, FAULT_malformed, "signer");
    return manager_check(request->manager, fault) && text_check(request->schedule, 64, "schedule", fault) &&
           text_check(request->sealed_numbers, 128 * 1024, "sealed_numbers", fault);
}

/* A wrong number is told in its place and holds nobody else up. The record of use names all who were tied. */
static bool batch_answer(
    struct work *work, const struct number_batch *batch, const struct tie_item *items, Vault__EnrolBatchReply *reply)
{
    Vault__EnrolBatchItem *answers = arena_take(work->arena, batch->count * sizeof *answers);
    char *subjects = arena_take(work->arena, batch->count * (PSEUDONYM_LENGTH + 1) + 1), *at = subjects;
    uint32_t tied = 0;
    reply->items = arena_take(work->arena, batch->count * sizeof *reply->items);
    if (!answers || !subjects || !reply->items)
        return fault_set(&work->fault, FAULT_internal, NULL);
    *at = '\0';
    for (size_t i = 0; i < batch->count; i++) {
        answers[i] = (Vault__EnrolBatchItem)VAULT__ENROL_BATCH_ITEM__INIT;
        reply->items[i] = &answers[i];
        if (batch->results[i] != FAULT_NONE) {
            answers[i].result = (char *)fault_code_text(batch->results[i]);
            continue;
        }
        answers[i].pseudonym = (char *)items[tied].pseudonym;
        answers[i].known_already = items[tied].known;
        at += sprintf(at, "%s%s", tied ? " " : "", items[tied].pseudonym);
        tied++;
    }
    reply->n_items = batch->count;
    work_audit(work,
        &(struct touch){
            .subject = subjects, .reason = ((const Vault__EnrolBatchRequest *)work->request)->schedule, .count = tied});
    return true;
}

static bool batch_tie(struct work *work, const struct number_batch *batch, struct tie_item *items)
{
    size_t right = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->results[i] == FAULT_NONE)
            items[right++].number = &batch->numbers[i];
    return right ? tie_make_all(work, items, right) : true;
}

enum outcome enrol_batch_act(struct work *work)
{
    const Vault__EnrolBatchRequest *request = (const Vault__EnrolBatchRequest *)work->request;
    Vault__EnrolBatchReply reply = VAULT__ENROL_BATCH_REPLY__INIT;
    const struct number_binding binding = {request->schedule, request->manager, request->signer.data, NULL};
    struct number_batch *batch = arena_take(work->arena, sizeof *batch);
    struct tie_item *items = arena_take(work->arena, NUMBER_BATCH_MAX * sizeof *items);
    if (!batch || !items)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!number_batch_open(work->arena, request->sealed_numbers, &binding, batch, &work->fault))
        return work_refuse(work);
    if (!work_begin(work, request->manager)) {
        number_batch_wipe(batch);
        return work_end(work);
    }
    bool tied = batch_tie(work, batch, items);
    number_batch_wipe(batch);
    if (!tied || !batch_answer(work, batch, items, &reply))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}

/* Is it known? */

#define RESOLVE_MAX 1000

bool resolve_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Vault__ResolveRequest *request = (const Vault__ResolveRequest *)message;
    if (request->n_pseudonyms < 1 || request->n_pseudonyms > RESOLVE_MAX)
        return fault_set(fault, FAULT_item_invalid, "pseudonyms");
    for (size_t i = 0; i < request->n_pseudonyms; i++)
        if (strlen(request->pseudonyms[i]) > PSEUDONYM_LENGTH)
            return fault_set(fault, FAULT_item_too_long, "pseudonyms");
    return manager_check(request->manager, fault) && text_check(request->reason, 64, "reason", fault);
}

static bool resolve_answer(struct work *work, const PGresult *rows, Vault__ResolveReply *reply)
{
    size_t count = (size_t)PQntuples(rows);
    Vault__ResolveItem *items = arena_take(work->arena, count * sizeof *items);
    reply->items = arena_take(work->arena, count * sizeof *reply->items);
    if (!items || !reply->items)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        items[i] = (Vault__ResolveItem)VAULT__RESOLVE_ITEM__INIT;
        reply->items[i] = &items[i];
        items[i].known = !pg_is_null(rows, (int)i, 1);
        items[i].joined_with = pg_get_text(rows, (int)i, 0, work->arena);
        items[i].known_since = pg_get_text(rows, (int)i, 1, work->arena);
        if (!items[i].joined_with || !items[i].known_since)
            return fault_set(&work->fault, FAULT_internal, NULL);
    }
    reply->n_items = count;
    return true;
}

static bool resolve_record(struct work *work, const Vault__ResolveRequest *request)
{
    char *subjects = arena_take(work->arena, request->n_pseudonyms * (PSEUDONYM_LENGTH + 1) + 1), *at = subjects;
    if (!subjects)
        return fault_set(&work->fault, FAULT_internal, NULL);
    *at = '\0';
    for (size_t i = 0; i < request->n_pseudonyms; i++)
        if (pseudonym_check(request->pseudonyms[i]))
            at += sprintf(at, "%s%s", at == subjects ? "" : " ", request->pseudonyms[i]);
    work_audit(work,
        &(struct touch){.subject = subjects, .reason = request->reason, .count = (uint32_t)request->n_pseudonyms});
    return true;
}

enum outcome resolve_act(struct work *work)
{
    const Vault__ResolveRequest *request = (const Vault__ResolveRequest *)work->request;
    Vault__ResolveReply reply = VAULT__RESOLVE_REPLY__INIT;
    if (!work_begin(work, request->manager))
        return work_end(work);
    PGresult *rows = tie_resolve(work, (const char *const *)request->pseudonyms, request->n_pseudonyms);
    bool answered = rows && resolve_answer(work, rows, &reply) && resolve_record(work, request);
    PQclear(rows);
    return answered ? work_commit(work, &reply.base) : work_refuse(work);
}
