#include "audit/audit_gap.h"

#include "audit.pb-c.h"
#include "audit/audit_answer.h"
#include "chassis/form.h"
#include "chassis/journal.h"
#include "chassis/programme_keys.h"

#include <inttypes.h>
#include <string.h>

#define PURPOSE "shikaku audit gap 1"
#define LISTED_MAX 200
#define REASON_MAX 80
#define SERVICE_MAX 31

/* Which records are lost cannot be known, so neither can whose they were. */
static void chain_record(struct work *work, const char *service, const struct audit_chain *chain)
{
    const char *const *managers;
    size_t count = programmes_managers(programmes_in_use(), &managers);
    const char *name = arena_format(work->arena, "%s/%s/%u", service, chain->instance, chain->worker);
    if (!name) {
        pg_fail(work->pg, FAULT_internal);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        work_switch(work, managers[i]);
        work_audit(work, &(struct touch){.act = "chain_broken", .subject = "", .reason = name, .nobody = true});
    }
}

void gaps_record(struct work *work, const char *service, const struct audit_chain *chains, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (chains[i].newly)
            chain_record(work, service, &chains[i]);
}

bool release_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__ReleaseRequest *request = (const Audit__ReleaseRequest *)message;
    size_t len = strlen(request->service);
    if (!len || len > SERVICE_MAX || strspn(request->service, "abcdefghijklmnopqrstuvwxyz_") != len)
        return fault_set(fault, FAULT_item_invalid, "service");
    if (!form_is_uuid(request->instance))
        return fault_set(fault, FAULT_item_invalid, "instance");
    if (request->worker > INT32_MAX)
        return fault_set(fault, FAULT_item_invalid, "worker");
    if (strlen(request->reason) > REASON_MAX)
        return fault_set(fault, FAULT_item_invalid, "reason");
    return question_check(request->reason, 0, 0, fault);
}

/* "SERVICE INSTANCE WORKER FROM TO REASON KEY SIGNATURE"; NULL when it cannot be signed. FROM is behind TO where no
 * record is missing and a link alone did not fit. */
static const char *statement_make(struct arena *arena, const struct gap *gap, const char *reason)
{
    char public_key[65], signature[129];
    uint8_t raw_key[32], raw_signature[64];
    const struct key *key = keyring_newest("*", KEY_SIGN);
    char *said = arena_format(arena, PURPOSE " %s %s %u %" PRIu64 " %" PRIu64 " %s", gap->service, gap->instance,
        gap->worker, gap->after + 1, gap->resume, reason);
    if (!said || !key || !key_ed25519_public(key, raw_key) || !key_sign(key, said, strlen(said), raw_signature))
        return NULL;
    hex_put(public_key, raw_key, sizeof raw_key);
    hex_put(signature, raw_signature, sizeof raw_signature);
    return arena_format(arena, "%s %s %s", said + sizeof PURPOSE, public_key, signature);
}

bool gap_release(struct pg *pg, struct arena *arena, struct gap *gap, const char *reason, struct fault *fault)
{
    struct merkle tree;
    struct chain_end end;
    if (!sequencer_take(pg, &tree, fault) || !gap_hold(pg, gap, fault))
        return false;
    const char *statement = statement_make(arena, gap, reason);
    if (!statement)
        return fault_set(fault, FAULT_internal, "audit.sign");
    if (!log_append_plain(pg, arena, &tree, "log_gap", statement, fault))
        return false;
    sequencer_put(pg, &tree);
    end.sequence = gap->resume;
    memcpy(end.digest, gap->digest, sizeof end.digest);
    chain_put(pg, gap->service, gap->instance, gap->worker, &end);
    gap_release_put(pg, gap, reason);
    return true;
}

enum outcome release_act(struct work *work)
{
    const Audit__ReleaseRequest *request = (const Audit__ReleaseRequest *)work->request;
    Audit__ReleaseReply reply = AUDIT__RELEASE_REPLY__INIT;
    struct gap gap = {.service = request->service, .instance = request->instance, .worker = request->worker};
    if (!work_begin(work, ""))
        return work_end(work);
    if (!gap_release(work->pg, work->arena, &gap, request->reason, &work->fault))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = "", .reason = request->reason, .nobody = true});
    journal(JOURNAL_WARNING, NULL, "audit_chain_released", WORD("sender", gap.service), WORD("instance", gap.instance),
        NUMBER("worker", gap.worker), NUMBER("after", gap.after), NUMBER("resume", gap.resume));
    reply.from = gap.after + 1;
    reply.to = gap.resume;
    return work_commit(work, &reply.base);
}

enum outcome gaps_act(struct work *work)
{
    Audit__GapsReply reply = AUDIT__GAPS_REPLY__INIT;
    struct gap *gaps;
    size_t count;
    if (!pg_ensure(work->pg, &work->fault) ||
        !gaps_list(work->pg, work->arena, LISTED_MAX, &gaps, &count, &work->fault))
        return work_refuse(work);
    Audit__Gap *rows = arena_take(work->arena, (count + 1) * sizeof *rows);
    reply.gaps = arena_take(work->arena, (count + 1) * sizeof *reply.gaps);
    if (!rows || !reply.gaps)
        return work_refuse_with(work, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        audit__gap__init(&rows[i]);
        rows[i].service = (char *)gaps[i].service;
        rows[i].instance = (char *)gaps[i].instance;
        rows[i].worker = gaps[i].worker;
        rows[i].from = gaps[i].after + 1;
        rows[i].to = gaps[i].resume;
        rows[i].found_at_ms = gaps[i].found_at_ms;
        rows[i].released_at_ms = gaps[i].released_at_ms;
        rows[i].reason = (char *)gaps[i].reason;
        reply.gaps[reply.n_gaps++] = &rows[i];
    }
    return work_commit(work, &reply.base);
}
