/* What is told about a stack and an application after it: for the demo's report.json, tests and benchmarks. */
#ifndef KIT_JOURNEY_REPORT_H
#define KIT_JOURNEY_REPORT_H

#include "kit/journey.h"

/* [{"step":state,"ms":n}] of an Application's history: how long it stood in each state it has left. New reference. */
json_t *report_steps(const json_t *application);

/* {"vault":KiB,…}: proportional set size of each service, from /proc/PID/smaps_rollup; where the system asks for more
 * rights, through sudo. A service that does not run is missing. New reference. */
json_t *report_memory(void);

/* {"events":n,"verified":bool} as `shikakuctl audit verify` says; verified is false if it could not run. */
json_t *report_audit(void);

/* Seconds that the last start of the stack took until everything was ready; 0 if nobody wrote it down. */
double report_ready_seconds(void);

/* Keep bytes in a file that only we can read. False after saying why on stderr. */
MUST_USE bool report_write(const char *folder, const char *name, const void *bytes, size_t size);
/* A copy of a file. False after saying why on stderr. */
MUST_USE bool report_copy(const char *from, const char *folder, const char *name);

/* The newest workbook in the export folder that is not older than this; false: none. */
MUST_USE bool report_workbook_find(int64_t since_ms, char path[600]);

#endif
