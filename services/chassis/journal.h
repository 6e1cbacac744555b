/* The log: one JSON object a line on standard error. A line can only hold words and numbers: a word is a constant or an
 * id (letters, digits and ._:/- up to 80 bytes); anything else is written as "?", so a name or an address cannot get
 * in. Runs of 12 digits are not words either. */
#ifndef CHASSIS_JOURNAL_H
#define CHASSIS_JOURNAL_H

#include <stdint.h>

enum journal_level { JOURNAL_INFO, JOURNAL_WARNING, JOURNAL_ERROR };

struct journal_item {
    const char *name;
    const char *word; /* NULL: the number counts */
    int64_t number;
};

#define WORD(name, value)                                                                                              \
    {                                                                                                                  \
        (name), (value) ? (value) : "", 0                                                                              \
    }
#define NUMBER(name, value)                                                                                            \
    {                                                                                                                  \
        (name), 0, (int64_t)(value)                                                                                    \
    }

void journal_open(const char *service); /* the name is kept, not copied */

/* correlation: application id, or NULL. items: terminated by {0}. */
void journal_write(
    enum journal_level level, const char *correlation, const char *event, const struct journal_item *items);

/* journal(JOURNAL_INFO, id, "step_done", WORD("step", name), NUMBER("ms", ms)) */
#define journal(level, correlation, event, ...)                                                                        \
    journal_write((level), (correlation), (event), (const struct journal_item[]){__VA_ARGS__ __VA_OPT__(, ){0}})

#endif
