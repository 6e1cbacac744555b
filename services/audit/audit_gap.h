/* Gaps in workers' chains (migrations/audit/deploy/gaps.sql). A chain that does not go on as the log has it is taken up
 * to there and no further. What was seen is kept, a record of use tells every manager of it (act chain_broken), so that
 * an analysis makes a finding of it (deploy/analyses/record-gap.json), and an operator can release the chain: then a
 * signed record in the log states what is missing, and the verifier takes that gap and no other. */
#ifndef AUDIT_GAP_H
#define AUDIT_GAP_H

#include "audit/audit_log.h"
#include "audit/gap_store.h"
#include "chassis/work.h"

/* In the open transaction of log_append, after it: record for every manager what it newly found broken of `service`. */
void gaps_record(struct work *work, const char *service, const struct audit_chain *chains, size_t count);

/* In the open transaction: let the chain that `gap` names by service, instance and worker go on behind what is missing,
 * which stands in `gap` then, and state that in the log. Faults: not_found where it does not stand still. */
MUST_USE bool gap_release(struct pg *pg, struct arena *arena, struct gap *gap, const char *reason, struct fault *fault);

bool release_check(const ProtobufCMessage *message, struct fault *fault);
enum outcome release_act(struct work *work);
enum outcome gaps_act(struct work *work);

#endif
