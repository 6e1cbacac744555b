/* Remembering, in bounded memory, what may be used only once until it expires: ids of assertions.
 * The memory is of this process: another replica, or this one started anew, does not know it (README). */
#ifndef PORTAL_ONCE_H
#define PORTAL_ONCE_H

#include "chassis/fault.h"

#include <stdint.h>

struct once;

/* At most `a_minute` ids that expire in the same minute, expiring within `minutes`. NULL when memory is out. */
struct once *once_new(size_t a_minute, int minutes);
void once_free(struct once *once); /* NULL is nothing */

enum once_result {
    ONCE_FRESH,   /* and from now on used */
    ONCE_USED,    /* was used before */
    ONCE_EXPIRED, /* expires now or earlier, or later than can be remembered */
    ONCE_FULL,    /* cannot be remembered, so it may not be used */
};

/* Times are Unix seconds. Safe from any thread; of several at once with one id exactly one is told FRESH. */
enum once_result once_use(struct once *once, const char *id, int64_t expires_at, int64_t now);

#endif
