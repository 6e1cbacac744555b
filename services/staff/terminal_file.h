/* What the operator hands over: KEYS/terminals.json (deploy/clients), for the first terminals of a system. */
#ifndef TERMINAL_FILE_H
#define TERMINAL_FILE_H

#include "staff/terminal_store.h"

/* Read anew each time. Faults: terminal_not_listed; unavailable when the file cannot be read. */
MUST_USE bool terminal_file_find(
    struct arena *arena, const char *fingerprint, struct terminal *terminal, struct fault *fault);

#endif
