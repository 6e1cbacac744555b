/* The log as others can check it: exports and proofs, in the forms of services/audit_verify/README.md. */
#ifndef LOG_EXPORT_H
#define LOG_EXPORT_H

#include "chassis/pg.h"

#include <stdint.h>
#include <stdio.h>

/* The whole log. False with a fault; `unavailable` also where the file cannot be written. */
MUST_USE bool log_export(struct pg *pg, FILE *file, struct fault *fault);

/* That the record at `position` is in the log that the newest head speaks of. */
MUST_USE bool inclusion_export(struct pg *pg, uint64_t position, FILE *file, struct fault *fault);
/* That the newest head's log extends that of the head of size `earlier`. */
MUST_USE bool consistency_export(struct pg *pg, uint64_t earlier, FILE *file, struct fault *fault);

#endif
