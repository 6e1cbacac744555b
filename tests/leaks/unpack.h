/* Values inside something packed: whatever in the hay looks like gzip, zlib, a member of a ZIP file, or a value that
 * PostgreSQL compressed (pglz, lz4) or cut into TOAST chunks, is unpacked and given on. What does not unpack to its end
 * is given as far as it went for the deflate family, and not at all for PostgreSQL's, where the length is known. */
#ifndef LEAKS_UNPACK_H
#define LEAKS_UNPACK_H

#include "chassis/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void (*unpacked_take)(void *user, const uint8_t *plain, size_t len);
void unpack_all(const uint8_t *hay, size_t len, unpacked_take take, void *user);

/* One value, as PostgreSQL writes it: exactly `size` bytes into exactly `plain_len`. */
MUST_USE bool pglz_take(const uint8_t *packed, size_t size, uint8_t *plain, size_t plain_len);
MUST_USE bool lz4_take(const uint8_t *packed, size_t size, uint8_t *plain, size_t plain_len);

#endif
