/* The tables of migrations/records. All calls stand inside a transaction begun for the manager; values of persons come
 * and go covered. */
#ifndef RECORDS_ROLL_STORE_H
#define RECORDS_ROLL_STORE_H

#include "chassis/cover.h"
#include "chassis/rotation.h"
#include "chassis/work.h"

/* One version of an entry as it lies there; texts and bytes in the work's arena. */
struct roll_entry {
    char *entry, *programme, *pseudonym, *state;
    uint32_t version;
    struct bytes number, fields; /* covered */
};

/* Find the entry that this application made, or else take the next serial of the series: found false, serial set. The
 * counter's row stays locked until the transaction ends, so this comes last before the writes. */
MUST_USE bool roll_serial_take(struct work *work, const char *manager, const char *programme, const char *series,
    const char *application, bool *found, struct roll_entry *entry, int64_t *serial);

struct roll_new {
    const char *manager, *entry, *programme, *application, *pseudonym;
    struct bytes number;
    const uint8_t *number_token, *person_token; /* INDEX_TOKEN_BYTES each */
    const char *body;                           /* inside the programme, whose part it is in; "" for nobody's */
};
void roll_entry_put(struct work *work, const struct roll_new *entry); /* state valid, version 1 */

struct roll_version {
    const char *manager, *entry;
    uint32_t version;
    const char *reason, *reference, *actor;
    struct bytes fields, differing; /* covered; differing.data NULL: none */
};
void roll_version_put(struct work *work, const struct roll_version *version);
/* Make the next version the one in force; state_conflict at the commit if another came between. */
void roll_version_move(struct work *work, const char *manager, const char *entry, uint32_t next);

/* The version in force. False with not_found, or the database's fault. */
MUST_USE bool roll_entry_read(struct work *work, const char *manager, const char *entry, struct roll_entry *found);

/* An entry of a roll, as a row of a table. */
struct roll_row {
    struct roll_entry entry;
    char *body, *registered_on; /* YYYY-MM-DD in Japan */
};
/* The versions in force on a roll, registered between two days ("": from the first, to the last), by id from behind
 * `after` ("": from the first) on. */
MUST_USE bool roll_page_read(struct work *work, const char *manager, const char *programme, const char *from,
    const char *to, const char *after, uint32_t limit, struct roll_row **rows, size_t *count);

/* Lock the person's entry on a roll: the one with this registration number's token, or (token NULL) the newest. False
 * with pseudonym_unknown. */
MUST_USE bool roll_entry_lock(struct work *work, const char *manager, const char *programme, const char *pseudonym,
    const uint8_t *number_token, char **entry);

/* The version that this copy has made of this entry; 0: none yet. */
MUST_USE bool roll_copy_find(
    struct work *work, const char *manager, const char *entry, const char *copy, uint32_t *version);

/* What of the schema lies under keys, for replacing them. */
extern const struct key_columns roll_columns;

#endif
