/* Incident files, their changes and their frozen scopes (migrations/audit, incidents). All in the open transaction. */
#ifndef AUDIT_INCIDENT_STORE_H
#define AUDIT_INCIDENT_STORE_H

#include "audit.pb-c.h"
#include "audit/audit_exposure.h"

#define INCIDENT_PAGE 200 /* persons of a page */

/* As it is stored; moments in ms, 0 for none. */
struct incident {
    char id[37], state[16];
    bool unlawful;
    int64_t opened_at_ms, known_at_ms, preliminary_due_ms, final_due_ms, preliminary_at_ms, final_at_ms, closed_at_ms;
    int32_t changes;
};

void incident_add(struct pg *pg, const char *manager, const struct incident *incident);
/* Its row locked until the transaction ends. Faults: not_found. */
MUST_USE bool incident_take(
    struct pg *pg, const char *manager, const char *id, struct incident *incident, struct fault *fault);
MUST_USE bool incident_read(
    struct pg *pg, const char *manager, const char *id, struct incident *incident, struct fault *fault);
void incident_put(struct pg *pg, const char *manager, const struct incident *incident);
/* Those that are not closed first, then by when they became known, the latest first; at most 200. In the arena. */
MUST_USE bool incidents_read(struct pg *pg, struct arena *arena, const char *manager, const char *state,
    struct incident **incidents, size_t *count, struct fault *fault);

/* Add change number `incident->changes`. False when memory is out or there is no key. */
MUST_USE bool change_add(struct pg *pg, struct arena *arena, const char *manager, const struct incident *incident,
    const char *act, const Audit__IncidentNote *note);
struct change {
    int32_t number;
    int64_t at_ms;
    const char *act;
    const Audit__IncidentNote *note; /* NULL: its key is gone */
};
/* In order, in the arena. */
MUST_USE bool changes_read(struct pg *pg, struct arena *arena, const char *manager, const char *id,
    struct change **changes, size_t *count, struct fault *fault);

/* Freeze what was found, under change number `incident->changes`. False when memory is out or there is no key. */
MUST_USE bool scope_add(
    struct pg *pg, const char *manager, const struct incident *incident, const struct exposures *exposures);
/* A page of a frozen scope, in the arena, and how many there are. Faults: not_found, key_retired. */
MUST_USE bool scope_page_read(struct pg *pg, struct arena *arena, const char *manager, const char *id, int32_t scope,
    int32_t page, Audit__IncidentPage **persons, int32_t *pages, struct fault *fault);

/* In a transaction of "*": the files of all managers that are not closed; the caller's, PQclear it: id, state, due
 * dates of the two reports in ms. */
MUST_USE PGresult *incidents_running_list(struct pg *pg, struct fault *fault);

#endif
