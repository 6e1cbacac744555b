/* Programmes of an account: ",chorishi,hoikushi," in the database and in tokens, a list in messages; "" is all of the
 * manager's. */
#ifndef PROGRAMME_LIST_H
#define PROGRAMME_LIST_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#define PROGRAMMES_MAX 255

/* Faults: item_invalid, item_too_long, each with field programmes. */
MUST_USE bool programme_list_check(char *const *names, size_t count, struct fault *fault);
/* In the arena; NULL when memory is out. */
char *programme_list_join(struct arena *arena, char *const *names, size_t count);
MUST_USE bool programme_list_split(struct arena *arena, const char *joined, char ***names, size_t *count);

/* A word of a-z 0-9 . _ - of 1 to `max` bytes? */
bool is_id(const char *text, size_t max);

#endif
