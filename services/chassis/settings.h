/* What an operator can set. A service lists its settings as a table with type, range, default and prose; they come from
 * the environment, are read once at start-up, and never change after. A wrong one stops the service and is named. */
#ifndef CHASSIS_SETTINGS_H
#define CHASSIS_SETTINGS_H

#include "chassis/fault.h"

#include <stdint.h>

enum setting_kind {
    SETTING_TEXT,
    SETTING_NUMBER, /* decimal, min..max */
    SETTING_URL, /* https://HOST…, or http:// on this machine (STORE-2); no slash at the end; read by setting_text */
};

struct setting {
    const char *name; /* "SHIKAKU_…" */
    enum setting_kind kind;
    const char *fallback; /* NULL: must be set */
    int64_t min, max;     /* numbers only */
    const char *prose;    /* for the operator; docs come out of it */
};

/* Read and check `table` (static). May be called again with a further table. On failure writes the setting's name and
 * rule (never its value) to the journal and returns false. */
MUST_USE bool settings_read(const struct setting *table, size_t count);

/* Values of settings that were read; asking for one that is in no table is a programming error and aborts. */
const char *setting_text(const char *name);
int64_t setting_number(const char *name);

void settings_print(void); /* name, default, range, prose of all tables read, as Markdown rows; a name once */

#endif
