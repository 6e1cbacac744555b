/* Two persons for one act (AUTH-5, AUTH-8). Where every grant of the rights table that gives a person the right says
 * `two_persons`, the person's command is judged by its handler to the end, or until it would have an effect elsewhere,
 * and then not committed: it is kept as a proposal, and answered approval_needed. It is carried out when another
 * person, who holds the right as well, approves the proposal, or sends the same request (route and payload, byte by
 * byte), within SHIKAKU_PROPOSAL_DAYS. That other person can turn it down with a reason, and who proposed it can
 * withdraw it; what nobody decides lapses. Rows are kept for good, the request until it is decided or, when it has
 * lapsed, until the next look. Only rights of commands, all to services that keep proposals, can be marked
 * (rights_table.c). */
#ifndef CHASSIS_SECOND_PERSON_H
#define CHASSIS_SECOND_PERSON_H

#include "chassis/rotation.h"
#include "chassis/work.h"

#include "proposal.pb-c.h"

/* Every service that takes commands of persons. Each has the routes SERVICE_proposals and SERVICE_proposal_decide, the
 * table of migrations/chassis/proposals.sql, and its columns among those that it declares (rotation.h). */
#define SERVICES_WITH_PROPOSALS (PARTY_INTAKE | PARTY_VAULT | PARTY_RESIDENCE | PARTY_STAFF | PARTY_AUDIT)

/* Rows of such a service's table of messages. */
#define PROPOSAL_MESSAGES(service)                                                                                     \
    {ROUTE_##service##_proposals, proposals_check, proposals_act},                                                     \
    {                                                                                                                  \
        ROUTE_##service##_proposal_decide, proposal_decide_check, proposal_decide_act                                  \
    }
#define PROPOSAL_COLUMNS                                                                                               \
    {"proposal", "content", "proposal.content", "t.proposal::text", false, COVER_ANEW},                                \
    {                                                                                                                  \
        "proposal", "reason", "proposal.reason", "t.proposal::text", false, COVER_ANEW                                 \
    }

bool proposals_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome proposals_act(struct work *work);
bool proposal_decide_check(const ProtobufCMessage *request, struct fault *fault);
enum outcome proposal_decide_act(struct work *work);

/* Once, by exchange_store_open. */
void proposals_open(void);

/* Before a person's command has an effect elsewhere, outside a transaction: may it? Faults: approval_needed; that of
 * the database. */
MUST_USE bool second_person_lets_act(struct work *work);
/* At the commit of a person's command, in its transaction: may it be carried out now? Faults: approval_needed; that of
 * the database; at the commit proposal_decided, where another decided first. */
MUST_USE bool second_person_agrees(struct work *work);
/* In the transaction in which that refusal is recorded: keep the proposal, unless the same is open already. */
void proposal_keep(struct work *work);
/* What is answered where a proposal was carried out: `reply` within. NULL when memory is out. */
const ProtobufCMessage *proposal_answer(struct work *work, const ProtobufCMessage *reply);

/* In the open transaction: a manager's newest 200 proposals, open ones alone or all; or the one named (an id or ""),
 * with its request. In the arena. */
MUST_USE bool proposals_read(
    struct work *work, bool open_alone, const char *proposal, Proposal__Proposal ***list, size_t *count);
/* In the open transaction: close an open one; by who proposed it: withdrawn. */
void proposal_close(struct work *work, const char *proposal, const char *by, const char *reason);

#endif
