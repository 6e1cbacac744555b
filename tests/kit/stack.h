/* A whole running system for one test program: its own folder and ports, the programs of the same build. */
#ifndef KIT_STACK_H
#define KIT_STACK_H

#include <stdbool.h>

/* Start a stack of this name under build/…/var-NAME, from nothing, and take its settings into this process's
 * environment. False after saying why on stderr. Registered to be stopped and removed at exit. */
bool stack_open(const char *name, int port_base);
void stack_close(void);
/* After stack_close: no program of the stack was reported by a sanitizer. False after showing what was said. */
bool stack_is_clean(void);

/* What deploy/stack offers for single names: "start", "stop", "kill". */
bool stack_do(const char *what, const char *name);

/* Run a statement as the database's superuser; the first column of the first row as a number, -1 on failure. */
long stack_count(const char *sql);

#endif
