/* Two persons for one act (AUTH-5, AUTH-8). Where every grant of the rights table that gives a person the right says
 * `two_persons`, the person's command is judged by its handler to the end and then not committed: it is kept as a
 * proposal, and answered approval_needed. When another person, who holds the right as well, sends the same request
 * (route and payload, byte by byte) within SHIKAKU_PROPOSAL_DAYS, it is carried out, and the proposal notes who agreed.
 * Nothing is deleted; what nobody agrees to lapses. Only rights of commands of services that keep proposals can be
 * marked (rights_table.c); such a handler sends no command to another service before it commits (work_call refuses). */
#ifndef CHASSIS_SECOND_PERSON_H
#define CHASSIS_SECOND_PERSON_H

#include "chassis/work.h"

#define SERVICES_WITH_PROPOSALS (PARTY_INTAKE)

/* At the commit of a person's command, in its transaction: may it be carried out now? Faults: approval_needed; that of
 * the database. */
MUST_USE bool second_person_agrees(struct work *work);
/* In the transaction in which that refusal is recorded: keep the proposal, unless the same is open already. */
void proposal_keep(struct work *work);

struct proposal {
    const char *proposal, *route, *about, *proposed_by, *approved_by; /* approved_by "": open, or lapsed */
    int64_t proposed_at_ms, lapses_at_ms, approved_at_ms;
};
/* In the open transaction: a manager's newest 200, open ones alone or all. In the arena. */
MUST_USE bool proposals_read(struct work *work, bool open_alone, struct proposal **list, size_t *count);

#endif
