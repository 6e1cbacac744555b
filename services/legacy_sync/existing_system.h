/* The existing systems (既存システム), as a table. A programme names its kind (deploy/programmes, "legacy"); which
 * programme is given the number is the programme's own word, never this table's. */
#ifndef LEGACY_SYNC_EXISTING_SYSTEM_H
#define LEGACY_SYNC_EXISTING_SYSTEM_H

#include "chassis/outside.h"
#include "chassis/programme_keys.h"

struct existing_system {
    const char *kind;      /* as a programme names it */
    const char *name;      /* in our tables, lanes and events */
    const char *recipient; /* whom the vault seals the number to; NULL: this system never gets one */
    const char *path;      /* where it takes applications; NULL: it is a workbook of ours */
    const char *copies;    /* where it offers what comes back; NULL: nothing does */
    const char *copies_lane;
    struct outside_peer *peer;
};

/* Rows in a fixed order; index < EXISTING_SYSTEMS. */
#define EXISTING_SYSTEMS 4
const struct existing_system *existing_system_at(size_t index);
const struct existing_system *existing_system_by_kind(const char *kind); /* NULL: none, e.g. "none" */
const struct existing_system *existing_system_by_name(const char *name); /* NULL: none */

/* Read the settings of where each is; called once, before threads. */
void existing_systems_open(void);

/* The manager of the programmes that this system serves; NULL: no programme has it. */
const char *existing_system_manager(const struct existing_system *system);

#endif
