/* Does the person whose data is touched bear the name of who touches it (LOG-3: one's own record, one's family's)? The
 * service that has the data open compares, and the record of use keeps the answer alone: no name, nor anything made of
 * one, is stored or leaves the service. staff puts tags of the account's person into the token: HMAC-SHA256 of family
 * name and of whole name, in their comparing form (person_match.h), under a key of its own that services hear by the
 * heartbeat (session_watch.h) and hold in memory. The portal does not hear it, so that the door, which sees every
 * token, learns nothing from a tag. */
#ifndef CHASSIS_LIKENESS_H
#define CHASSIS_LIKENESS_H

#include "chassis/fault.h"

#include <stddef.h>
#include <stdint.h>

#define LIKENESS_KEY_BYTES 32
#define LIKENESS_TAG_BYTES 16

struct likeness_tags {
    bool has_family, has_name; /* there may be none: a person is written without a blank between the names */
    uint8_t family[LIKENESS_TAG_BYTES], name[LIKENESS_TAG_BYTES];
};

/* "姓　名", with U+3000 or a blank between; what stands from the first parenthesis or digit on is no name. */
void likeness_tags_make(
    const uint8_t key[LIKENESS_KEY_BYTES], const char *manager, const char *name, struct likeness_tags *tags);

/* What the heartbeat brought; any other length is no key. */
void likeness_key_take(const uint8_t *key, size_t len);

/* "name", "family" or "" (also while no key was heard); static. */
const char *likeness_of(const struct likeness_tags *account, const char *manager, const char *name);

#endif
