/* Four items of several people as bytes to be covered, and back. */
#ifndef RESIDENCE_CANDIDATE_LIST_H
#define RESIDENCE_CANDIDATE_LIST_H

#include "chassis/arena.h"
#include "chassis/fault.h"

struct person_text {
    const char *name, *address, *birth_date, *sex; /* NUL-terminated */
};

/* In the arena; data NULL when memory is out. An empty list has bytes too. */
MUST_USE struct bytes candidate_list_put(struct arena *arena, const struct person_text *people, size_t count);
/* People borrow from the arena. */
MUST_USE bool candidate_list_take(struct arena *arena, struct bytes list, struct person_text **people, size_t *count);

#endif
