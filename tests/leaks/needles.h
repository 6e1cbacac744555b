/* Many needles in much hay: a set of byte strings, all looked for in one pass. A needle is found by an anchor, the
 * window of NEEDLE_MIN bytes in it that fewest others share: the window at each place of the hay is held against a
 * bitmap, then against a table of anchors, then the whole needle is compared. About 1 GB/s a core for 100,000 needles.
 */
#ifndef LEAKS_NEEDLES_H
#define LEAKS_NEEDLES_H

#include "chassis/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEEDLE_MIN 6 /* bytes; what is shorter would be found by chance */

/* What is known about a needle beside its bytes. */
struct needle {
    uint32_t person; /* index in the caller's list */
    uint8_t kind, encoding;
    uint16_t len;
};

struct needles;
struct needles *needles_new(void); /* aborts when memory is out, as do the others */
void needles_free(struct needles *needles);

/* The bytes are copied. False where they are too short or were added before: the first stays. */
bool needles_add(struct needles *needles, struct needle needle, const void *bytes, size_t len);
/* After the last was added; from then on any number of threads may search. */
void needles_ready(struct needles *needles);
size_t needles_count(const struct needles *needles);
size_t needles_longest(const struct needles *needles);

/* Tell of every needle in the hay, at every place. */
typedef void (*needle_found)(void *user, const struct needle *needle, size_t at);
void needles_find(const struct needles *needles, const void *hay, size_t len, needle_found found, void *user);

#endif
