/* Positive controls: values of people that nobody is, put by us where the search must find them. */
#ifndef LEAKS_CONTROLS_H
#define LEAKS_CONTROLS_H

#include "leaks/encodings.h"

#include <libpq-fe.h>
#include <sys/types.h>

/* Of the person whose every form is planted; static. */
const char *control_value(enum planted_kind kind);
/* Another number, which only PostgreSQL writes. */
const char *control_typed_number(void);
void controls_add(struct needles *needles);

/* Every form of every value, one after another, then the same again gzipped. Made once; static. */
const uint8_t *control_bytes(size_t *size);

/* A process that holds control_bytes and cannot be dumped, as a service. Ends when this process does. Call before any
 * thread is started. */
pid_t control_process_start(void);
/* Tables of their own in the database `postgres`: inline, compressed, indexed, in TOAST. */
MUST_USE bool control_tables_make(void);
/* Write control_bytes to a new file. */
MUST_USE bool control_file_make(const char *path);
/* Send them to a socket. Whoever listens throws them away. */
MUST_USE bool control_send(const char *socket_path);

/* As the database's superuser; the caller finishes it. */
PGconn *control_connect(const char *database);
/* Run a statement as the database's superuser; false after saying why. */
MUST_USE bool control_sql(const char *database, const char *sql);

#endif
