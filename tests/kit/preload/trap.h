/* What tests/kit/preload/trap.c reads from the file that TRAP_FILE names: where the program is to die next. */
#ifndef KIT_PRELOAD_TRAP_H
#define KIT_PRELOAD_TRAP_H

#include <stdbool.h>

enum trap_when {
    TRAP_NOWHERE,
    TRAP_BEFORE, /* a statement is queued, a message handed to nng */
    TRAP_SENT,   /* the statements up to COMMIT have left, no answer was read */
    TRAP_AFTER,  /* the statement's answer was read, the message has left */
};

struct trap {
    volatile enum trap_when when;
    char what[96];   /* part of a statement's text; "message:reply", "message:audit": of the bus */
    char within[16]; /* "request", "relay": only in a transaction that handles one; "": anywhere */
    volatile bool sprung;
};

#endif
