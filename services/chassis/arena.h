/* Memory of one request: everything decoded or built while handling it, freed and wiped at once.
 * The bound is fixed at creation; an allocation past it fails, which stops a small message that unpacks to a large one.
 */
#ifndef CHASSIS_ARENA_H
#define CHASSIS_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct bytes {
    uint8_t *data;
    size_t len;
};

struct arena *arena_new(size_t limit); /* NULL when memory is out */
void arena_free(struct arena *arena);
void arena_reset(struct arena *arena); /* wipe and reuse; what was handed out is gone */

/* Aligned for any type, not zeroed. NULL past the limit. */
void *arena_take(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const void *from, size_t len); /* copy, with a NUL behind */
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct bytes arena_copy(struct arena *arena, const void *from, size_t len); /* data NULL past the limit */

/* For protobuf_c_message_unpack; freeing does nothing. Owned by the arena. */
ProtobufCAllocator *arena_allocator(struct arena *arena);

#endif
