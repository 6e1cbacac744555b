/* Where was looked, and what was found there: a table place × kind × encoding, and what of it is allowed. */
#ifndef LEAKS_PLACES_H
#define LEAKS_PLACES_H

#include "leaks/encodings.h"

/* People that are no applicants: their values are put into places by us and must be found there. */
#define CONTROL_FORMS UINT32_MAX       /* every form of the values, as bytes */
#define CONTROL_TYPED (UINT32_MAX - 1) /* a number that PostgreSQL alone wrote, as bigint and numeric */
enum control_forms { CONTROL_OPEN = 1, CONTROL_PACKED = 2 };
#define KIND_BIT(kind) (1u << (kind))

struct tally {
    uint64_t raw, packed; /* lying open, and inside something packed */
};

struct place {
    char name[64];
    unsigned allowed;  /* KIND_BITs that may be here */
    unsigned controls; /* of enum control_forms: how every form of the controls must have been found */
    uint64_t bytes;
    struct tally hits[PLANTED_KINDS][ENCODINGS], forms[PLANTED_KINDS][ENCODINGS], typed[ENCODINGS];
    unsigned shown; /* hits told of one by one */
};

struct places;
struct places *places_new(const struct needles *needles);
void places_free(struct places *places);

/* The place of this name, made if it is new, with what the rules of places.c allow it. */
struct place *place_find(struct places *places, const char *name);

/* Look for everything in these bytes, packed things too, and count it for the place. `where` is told with the first
 * hits that are not allowed: a file's name, a region of memory. */
typedef void (*place_saw)(void *user, const struct needle *needle);
void place_search(struct places *places, struct place *place, const char *where, const void *hay, size_t len,
    place_saw saw, void *user);

void places_print(const struct places *places);
/* False after saying what was found where it must not be. */
MUST_USE bool places_are_clean(const struct places *places);
/* False after saying which form of the controls was not found in a controlled place. */
MUST_USE bool places_are_searched(const struct places *places);

#endif
