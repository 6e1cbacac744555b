/* Corrections that nobody has decided yet: shown to those who may decide, and ended after a time. What is done with one
 * is in person_store.h. */
#ifndef VAULT_CORRECTION_STORE_H
#define VAULT_CORRECTION_STORE_H

#include "chassis/work.h"

#define CORRECTIONS_SHOWN 200

/* A row each, the longest open first: correction, kind, pseudonym, other ("" for a split), 't' if the other's number is
 * to be in force, reason, asked_by, asked_on, lapses_on. The caller's, PQclear it. */
MUST_USE PGresult *corrections_open(struct work *work, int64_t days);

/* End those of the transaction's manager that are older than `days`, and forget the numbers in them. A row each:
 * pseudonym, other, reason. */
MUST_USE PGresult *corrections_lapse(struct work *work, int64_t days);

#endif
