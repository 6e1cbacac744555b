/* Replacing keys while the service runs, in any number of replicas. `shikakuctl keys rotate` puts a row into
 * SCHEMA.rotation; one replica at a time drives it, phase by phase, and any other goes on where it was left. A phase
 * begins when every replica works by the keys of the phase before (key_guard.h), so two neighbouring phases must bear
 * each other, and no others.
 *
 *   data    coming  every replica can read the new key
 *           walk    the new key is written; every row is covered anew; then the old one is destroyed
 *   index   coming
 *           fill    every write carries both tokens; every row gets the second
 *           both    look-ups by both
 *           switch  both tokens of a write are of the new key; every row's first token becomes the new one
 *           settle  the old key is destroyed; the second tokens go
 *   seal, sign, issue
 *           coming
 *           overlap the new key is published and used, the old one still accepted, SHIKAKU_KEY_OVERLAP_S
 *   wrap    rewrap  every key of the manager under a new wrapping key, then the old wrapping key is destroyed
 *
 * What is covered, and what is found by tokens, a service declares as tables; what it does not declare it refuses to
 * replace. */
#ifndef CHASSIS_ROTATION_H
#define CHASSIS_ROTATION_H

#include "chassis/work.h"

/* What becomes of a column's rows when their data key is replaced. */
enum covered_how {
    COVER_ANEW,   /* covered anew */
    COVER_PASSES, /* gone soon by themselves: the old key's end waits for them */
    COVER_KEPT,   /* never changed again: as long as there are any the old key is kept, for reading alone */
};

/* A column with covered values: the first four bytes are the key's id. */
struct covered_column {
    const char *table, *column; /* of the service's own schema */
    const char *place;          /* cover_place.table */
    const char *row;            /* cover_place.row, as SQL over the table as `t` */
    bool own;                   /* under the service's own key ("*"); the table needs no column `manager` */
    enum covered_how how;
};

/* A column with index tokens (cover.h), and beside it the columns of the next token and of the key of the first. */
struct index_column {
    const char *table, *token, *next, *key;
    const char *domain;
    struct covered_column from; /* of the same table: what the token is of */
    const char *void_when;      /* SQL over `t`: the row is nobody's, its tokens are random; NULL: never */
    /* What the token is of, within the uncovered bytes; NULL: all of them. */
    bool (*value)(struct bytes plain, struct bytes *value);
};

struct key_columns {
    const struct covered_column *covered;
    size_t covered_count;
    const struct index_column *indexed;
    size_t indexed_count;
};

/* rotation_open does it too; before, so that a wrong one ends the start, and to tell of them. */
MUST_USE bool rotation_settings_read(void);

/* Once, after keyring_open: the service's columns; those of the chassis's own tables come on top. */
MUST_USE bool rotation_open(const char *schema, const struct key_columns *columns);

/* Do what is due, a piece at a time; how many rows or steps were done. 0: nothing to do, or another replica drives, or
 * others are not as far. */
int rotation_turn(struct work *work, const char *instance);

#endif
