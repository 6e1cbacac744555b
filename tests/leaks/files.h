/* What lies in files: PostgreSQL's data directory by what each file is, logs, var/, records of what passed. */
#ifndef LEAKS_FILES_H
#define LEAKS_FILES_H

#include "leaks/places.h"

/* Which file of the data directory is an index, which a TOAST table; while the server still answers. False after saying
 * why. */
struct relations;
struct relations *relations_read(void);
void relations_free(struct relations *relations);

/* Each false after saying which file could not be read. */
MUST_USE bool files_search_database(struct places *places, const struct relations *relations);
/* What PostgreSQL has put aside at this moment (sorts and joins over work_mem); it goes while one looks. */
void files_search_temporary(struct places *places);
/* Logs of the services, without those of the stand-ins. */
MUST_USE bool files_search_logs(struct places *places);
/* All else below var/, without the folders of the stand-ins. */
MUST_USE bool files_search_var(struct places *places);
/* One file, or all below a folder, as this place. */
MUST_USE bool files_search(struct places *places, const char *place, const char *path);
/* The pages that tell how each service does: /metrics, /healthz, /readyz. */
MUST_USE bool files_search_metrics(struct places *places);

#endif
