/* SCHEMA.rotation, key_state, key_holder, and the walks over the rows that lie under a key. */
#ifndef CHASSIS_ROTATION_STORE_H
#define CHASSIS_ROTATION_STORE_H

#include "chassis/rotation.h"

#define ROTATION_PAGE 500

struct rotation {
    int64_t id, generation;
    char manager[32], kind[8], phase[16];
    uint32_t old_key, new_key;
    size_t column; /* the walk's place: column, block, rows changed since the pass began */
    int64_t block, changed;
    int64_t rows_done, rows_total;
};

/* Complete the statements. `columns` must last. */
MUST_USE bool rotation_store_open(const char *schema, const struct key_columns *columns);

/* This replica is here and works by this generation. */
MUST_USE bool key_holder_tell(struct pg *pg, const char *instance, int64_t generation, struct fault *fault);
MUST_USE bool key_holder_end(struct pg *pg, const char *instance, struct fault *fault);
/* Does every replica that was seen within `lease_ms` work by this generation? */
MUST_USE bool key_holders_reached(
    struct pg *pg, int64_t generation, int64_t lease_ms, bool *reached, struct fault *fault);

/* The oldest that is due; false without a fault when there is none. */
MUST_USE bool rotation_due(struct pg *pg, struct rotation *rotation, struct fault *fault);
/* Be the one that drives, for `lease_ms` from now on. */
MUST_USE bool rotation_lease(struct pg *pg, const char *instance, int64_t lease_ms, bool *leased, struct fault *fault);

/* In a transaction that the caller began. The lease is held against at the commit. */
void rotation_hold(struct pg *pg, const char *instance, int64_t lease_ms);
struct rotation_step {
    const char *phase;                 /* next; "done" ends it */
    const char *old_state, *new_state; /* of data_key; NULL: as it is. retired: destroyed */
    int64_t due_s;                     /* not before */
};
void rotation_step_put(struct pg *pg, const struct rotation *rotation, const struct rotation_step *step);
/* The new key, known and not used yet. */
void rotation_key_put(
    struct pg *pg, const struct rotation *rotation, const char *phase, const void *wrapped, size_t len);
void rotation_place_put(struct pg *pg, const struct rotation *rotation, int64_t wait_s);
MUST_USE PGresult *rotation_keys_list(
    struct pg *pg, const char *manager, struct fault *fault); /* key_id, kind, wrapped */
void rotation_wrapped_put(struct pg *pg, int64_t key, const void *wrapped, size_t len);

/* --- walks: in a transaction for the rotation's manager ----------------------------------------------------------- */

enum walk { WALK_COVER, WALK_FILL, WALK_SWITCH, WALKS };

size_t walk_columns(enum walk walk, const char *manager);
const struct covered_column *walk_covered(size_t column, const char *manager);
const struct index_column *walk_indexed(size_t column);

/* How many rows of a column are still to be changed, by one look at all of them. */
MUST_USE bool walk_remaining(
    struct work *work, enum walk walk, const struct rotation *rotation, size_t column, int64_t *rows);
/* Does the service say what lies under keys of this kind? */
bool rotation_declared(const char *kind);
MUST_USE bool walk_blocks(struct work *work, enum walk walk, const struct rotation *rotation, int64_t *blocks);

/* Rows of the blocks from..to-1 still to be changed, ROTATION_PAGE or 2 MiB of them at most: place in the table, row,
 * covered value, void. The caller's, PQclear it. */
MUST_USE PGresult *walk_page(
    struct work *work, enum walk walk, const struct rotation *rotation, int64_t from, int64_t to);
/* Put the new values (cover or token) where the row is as it was read and nobody holds it; how many were put. */
MUST_USE bool walk_put(struct work *work, enum walk walk, const struct rotation *rotation, const PGresult *page,
    const struct bytes *fresh, int64_t *put);
/* The first token becomes the second's value, the second goes. */
MUST_USE bool walk_switch(
    struct work *work, const struct rotation *rotation, int64_t from, int64_t to, int64_t *changed);

#endif
