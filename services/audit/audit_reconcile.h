/* The end of a disagreement: `shikaku-audit --reconcile REASON`, run by an operator (shikakuctl audit reconcile) while
 * the service refuses to start. */
#ifndef AUDIT_RECONCILE_H
#define AUDIT_RECONCILE_H

/* States in the witness and in the log, signed, that the log goes on from where it is, and why; what was lost stays
 * told for ever (chassis/audit_head.h). Prints it. Returns 0 when that is done; 1 when there is nothing to reconcile or
 * it cannot be, with a word in the journal. reason: an id of the decision, not a sentence. May be repeated after a
 * crash.
 */
int audit_log_reconcile(const char *reason);

#endif
