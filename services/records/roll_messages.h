/* What records answers to: one row a route of proto/routes.def. */
#ifndef RECORDS_ROLL_MESSAGES_H
#define RECORDS_ROLL_MESSAGES_H

#include "chassis/programme.h"
#include "chassis/work.h"
#include "records/roll_store.h"

extern const struct message roll_messages[];
extern const size_t roll_message_count;

/* The definitions to serve; borrowed, to be given before the first message and kept until the last. */
void roll_serve(const struct programmes *programmes);
/* A programme that is served, and of this manager. NULL with programme_unknown, or not_permitted with manager. */
const struct programme *roll_programme_find(const char *manager, const char *code, struct fault *fault);
/* What lies there, opened. False with internal: a key is gone or a row was tampered with. */
MUST_USE bool roll_entry_open(
    struct work *work, const char *manager, const struct roll_entry *entry, char **number, struct bytes *fields);

#endif
