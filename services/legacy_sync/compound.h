/* The compound file (OLE; [MS-CFB]) in which an encrypted Office document is kept: a file of sectors with a table of
 * chains (FAT), a directory, and a second, finer set of chains for streams below 4,096 bytes. Streams lie at the root.
 */
#ifndef LEGACY_SYNC_COMPOUND_H
#define LEGACY_SYNC_COMPOUND_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#define COMPOUND_BYTES_MAX (6u << 20) /* 109 sectors of FAT stand in the header: 109 * 128 * 512 is 6.8 MiB */

struct compound_stream {
    const char *name; /* ASCII, at most 31 characters */
    const void *data;
    size_t len;
};

/* A compound file of version 3 holding the streams. They must be given in directory order: shorter names first, then by
 * upper-case letters. data NULL: more than COMPOUND_BYTES_MAX, or the arena is full. */
MUST_USE struct bytes compound_write(struct arena *arena, const struct compound_stream *streams, size_t count);

/* The stream of that name in a compound file of version 3 or 4. Nothing in the file is trusted. data NULL: there is
 * none or the file is broken. */
MUST_USE struct bytes compound_read(struct arena *arena, const void *file, size_t len, const char *name);

#endif
