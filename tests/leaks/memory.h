/* The memory of every process of the stack, read while it works: what is mapped, readable and present, without the
 * programs' own text. One reader; the places are "memory of NAME, WHEN". */
#ifndef LEAKS_MEMORY_H
#define LEAKS_MEMORY_H

#include "leaks/places.h"

#include <stddef.h>
#include <sys/types.h>

struct memory;
/* `people`: how many are planted; `control`: the process that holds the controls. */
struct memory *memory_new(struct places *places, size_t people, pid_t control);
void memory_free(struct memory *memory);

/* Read all processes once. `when`: "load", "5 s after", a part of the place's name. */
void memory_look(struct memory *memory, const char *when);
/* The same under load, where the recipients of numbers are looked at again between any two others: what is in them
 * changes fast. */
void memory_watch(struct memory *memory);

/* For each service in whose memory a number was ever seen: in how many looks, how many at once, how long one stayed. */
void memory_print(const struct memory *memory);
/* Abort every service. False after saying which one could have written a core file, or that one lies there. */
MUST_USE bool memory_is_never_dumped(void);

#endif
