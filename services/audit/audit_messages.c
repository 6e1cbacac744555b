#include "audit/audit_messages.h"

#include "audit.pb-c.h"
#include "audit/audit_answer.h"
#include "audit/audit_gap.h"
#include "audit/audit_incident.h"
#include "audit/audit_log.h"
#include "audit/finding_messages.h"
#include "chassis/form.h"
#include "chassis/journal.h"
#include "chassis/second_person.h"

#include <string.h>

#define OWN_AT_ONCE 200
#define OWN_BYTES_AT_ONCE (256 * 1024) /* an answer's record can name a thousand persons */

static bool link_check(const Audit__Link *link)
{
    return link->sequence > 0 && link->sequence <= INT64_MAX && link->previous.len == AUDIT_LINK_BYTES &&
           link->digest.len == AUDIT_LINK_BYTES && link->event.len > 0;
}

static bool append_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__AppendRequest *request = (const Audit__AppendRequest *)message;
    size_t total = 0;
    for (size_t i = 0; i < request->n_chains; i++) {
        const Audit__Chain *chain = request->chains[i];
        if (!form_is_uuid(chain->instance) || chain->worker > INT32_MAX)
            return fault_set(fault, FAULT_malformed, "chain");
        for (size_t j = 0; j < chain->n_links; j++)
            if (!link_check(chain->links[j]))
                return fault_set(fault, FAULT_malformed, "link");
        total += chain->n_links;
    }
    return total <= AUDIT_RECORDS_MAX ? true : fault_set(fault, FAULT_too_large, "links");
}

static struct audit_sent *sent_read(struct arena *arena, const Audit__Chain *chain)
{
    struct audit_sent *sent = arena_take(arena, (chain->n_links + 1) * sizeof *sent);
    for (size_t i = 0; sent && i < chain->n_links; i++) {
        const Audit__Link *link = chain->links[i];
        sent[i] = (struct audit_sent){link->sequence, {link->previous.data, link->previous.len},
            {link->digest.data, link->digest.len}, {link->event.data, link->event.len}};
    }
    return sent;
}

static struct audit_chain *chains_read(struct arena *arena, const Audit__AppendRequest *request)
{
    struct audit_chain *chains = arena_take(arena, (request->n_chains + 1) * sizeof *chains);
    for (size_t i = 0; chains && i < request->n_chains; i++) {
        struct audit_sent *sent = sent_read(arena, request->chains[i]);
        if (!sent)
            return NULL;
        chains[i] = (struct audit_chain){request->chains[i]->instance, request->chains[i]->worker, sent,
            request->chains[i]->n_links, 0, false, false};
    }
    return chains;
}

/* Tells how far each chain is in the log. A broken one stays where it broke, the others go on; where nothing could be
 * taken at all the sender is refused, again and again, until a person has looked. */
static bool reply_fill(struct work *work, const struct audit_chain *chains, size_t count, Audit__AppendReply *reply)
{
    Audit__Through *through = arena_take(work->arena, (count + 1) * sizeof *through);
    reply->through = arena_take(work->arena, (count + 1) * sizeof *reply->through);
    if (!through || !reply->through)
        return fault_set(&work->fault, FAULT_internal, NULL);
    for (size_t i = 0; i < count; i++) {
        if (chains[i].broken && (!chains[i].count || chains[i].through < chains[i].sent[0].sequence))
            continue;
        audit__through__init(&through[i]);
        through[i].instance = (char *)chains[i].instance;
        through[i].worker = chains[i].worker;
        through[i].sequence = chains[i].through;
        reply->through[reply->n_through++] = &through[i];
    }
    return true;
}

static enum outcome append_act(struct work *work)
{
    const Audit__AppendRequest *request = (const Audit__AppendRequest *)work->request;
    Audit__AppendReply reply = AUDIT__APPEND_REPLY__INIT;
    struct audit_chain *chains = chains_read(work->arena, request);
    if (!chains)
        return work_refuse_with(work, FAULT_internal, NULL);
    if (!work_begin(work, ""))
        return work_end(work);
    if (!log_append(work->pg, work->arena, work->peer->name, chains, request->n_chains, &work->fault) ||
        !reply_fill(work, chains, request->n_chains, &reply))
        return work_refuse(work);
    gaps_record(work, work->peer->name, chains, request->n_chains);
    enum outcome outcome = work_commit(work, &reply.base);
    /* What was seen of a gap is kept, also where nothing could be taken. */
    return outcome == OUTCOME_DONE && request->n_chains && !reply.n_through
               ? work_refuse_with(work, FAULT_audit_gap, "links")
               : outcome;
}

static enum outcome status_act(struct work *work)
{
    Audit__StatusReply reply = AUDIT__STATUS_REPLY__INIT;
    struct merkle tree;
    struct audit_head head;
    uint8_t root[MERKLE_HASH_BYTES];
    if (!pg_ensure(work->pg, &work->fault) || !sequencer_read(work->pg, &tree, &work->fault) ||
        !head_read(work->pg, &head, &work->fault))
        return work_refuse(work);
    merkle_root(&tree, root);
    reply.events = tree.size;
    reply.root = (ProtobufCBinaryData){sizeof root, root};
    reply.signed_events = head.size;
    return work_commit(work, &reply.base);
}

const struct message audit_messages[] = {
    PROPOSAL_MESSAGES(audit),
    {ROUTE_audit_append, append_check, append_act},
    {ROUTE_audit_status, NULL, status_act},
    {ROUTE_audit_gaps, NULL, gaps_act},
    {ROUTE_audit_release, release_check, release_act},
    {ROUTE_audit_who, answer_who_check, answer_who_act},
    {ROUTE_audit_account, answer_account_check, answer_account_act},
    {ROUTE_audit_exposed, answer_exposed_check, answer_exposed_act},
    {ROUTE_audit_findings, findings_check, findings_act},
    {ROUTE_audit_finding, finding_check, finding_act},
    {ROUTE_audit_finding_close, finding_close_check, finding_close_act},
    {ROUTE_audit_incidents, incidents_check, incidents_act},
    {ROUTE_audit_incident, incident_check, incident_act},
    {ROUTE_audit_incident_persons, incident_persons_check, incident_persons_act},
    {ROUTE_audit_incident_open, incident_open_check, incident_open_act},
    {ROUTE_audit_incident_scope, incident_scope_check, incident_scope_act},
    {ROUTE_audit_incident_change, incident_change_check, incident_change_act},
    {ROUTE_audit_incident_step, incident_step_check, incident_step_act},
};
const size_t audit_message_count = sizeof audit_messages / sizeof *audit_messages;

/* A record that was not made here is left where it is, and with it what follows of its chain. */
static bool own_check(const struct audit_sent *sent)
{
    return sent->previous.len == AUDIT_LINK_BYTES && sent->link.len == AUDIT_LINK_BYTES &&
           audit_link_check(sent->previous.data, sent->sequence, sent->event, sent->link.data);
}

static size_t own_read(struct arena *arena, const PGresult *rows, struct audit_chain *chains, struct audit_sent *sent)
{
    size_t count = (size_t)PQntuples(rows), made = 0, bytes = 0;
    for (size_t i = 0; i < count && bytes < OWN_BYTES_AT_ONCE; i++) {
        char *instance = pg_get_text(rows, (int)i, 0, arena);
        uint32_t worker = (uint32_t)pg_get_integer(rows, (int)i, 1);
        struct audit_chain *last = made ? &chains[made - 1] : NULL;
        if (!instance)
            return 0;
        sent[i] = (struct audit_sent){(uint64_t)pg_get_integer(rows, (int)i, 2), pg_get_bytes(rows, (int)i, 3),
            pg_get_bytes(rows, (int)i, 4), pg_get_bytes(rows, (int)i, 5)};
        bytes += sent[i].event.len;
        if (!last || strcmp(last->instance, instance) != 0 || last->worker != worker) {
            last = &chains[made++];
            *last = (struct audit_chain){instance, worker, &sent[i], 0, 0, false, false};
        }
        if (!last->broken && !own_check(&sent[i])) {
            last->broken = true;
            journal(JOURNAL_ERROR, NULL, "record_of_use_forged", WORD("instance", instance), NUMBER("worker", worker),
                NUMBER("sequence", (int64_t)sent[i].sequence));
        }
        if (!last->broken)
            last->count++;
    }
    return made;
}

int own_records_turn(struct work *work, const struct lane *lane)
{
    (void)lane;
    struct audit_chain chains[OWN_AT_ONCE];
    struct audit_sent sent[OWN_AT_ONCE];
    PGresult *rows = pg_ensure(work->pg, &work->fault) ? own_records_list(work->pg, OWN_AT_ONCE, &work->fault) : NULL;
    size_t count = rows ? own_read(work->arena, rows, chains, sent) : 0;
    int taken = 0;
    if (count && work_begin(work, "")) {
        bool appended = log_append(work->pg, work->arena, "audit", chains, count, &work->fault);
        for (size_t i = 0; appended && i < count; i++)
            own_records_drop(work->pg, chains[i].instance, chains[i].worker, chains[i].through);
        if (appended)
            gaps_record(work, "audit", chains, count);
        if (!appended)
            pg_rollback(work->pg);
        else if (work_commit(work, NULL) == OUTCOME_DONE)
            taken = chains[0].broken ? 0 : PQntuples(rows);
    }
    PQclear(rows);
    return taken;
}
