/* The password of exported workbooks (准看護師籍簿). Its mix, length and life are checked each time it is used
 * (LINK-4). */
#ifndef LEGACY_SYNC_PASSWORD_H
#define LEGACY_SYNC_PASSWORD_H

#include "chassis/fault.h"

#include <stdint.h>

#define PASSWORD_LENGTH_MIN 12
#define PASSWORD_LENGTH_MAX 64
#define PASSWORD_CLASSES_MIN 3 /* of capitals, small letters, digits, signs */
#define PASSWORD_LIFE_DAYS 90

struct password {
    char text[PASSWORD_LENGTH_MAX + 2];
    char set_on[11]; /* YYYY-MM-DD */
};

/* What is wrong with it: "length", "letters" (something else than printable ASCII), "mix", "life"; NULL: nothing.
 * Static. now: Unix seconds. A date in the future or no date is wrong by life. */
const char *password_fault(const struct password *password, int64_t now);

/* Read {"password": …, "set_on": "YYYY-MM-DD"} from a file. False: unreadable or not this shape. Wipe it after use. */
MUST_USE bool password_read(struct password *password, const char *path);
void password_wipe(struct password *password);

#endif
