/* Statements over a schema, tables or columns that are known at start alone: made once from a form, never from a value.
 */
#ifndef CHASSIS_STATEMENT_H
#define CHASSIS_STATEMENT_H

#include <stddef.h>

struct statement_word {
    const char *name, *text; /* "@" and "vault" */
};

/* Each word's text for its name in the form; the caller's, free it. NULL: it is longer than 1 KiB, or memory is out. */
char *statement_make(const char *form, const struct statement_word *words, size_t count);

#endif
