#include "chassis/arena.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST (16 * 1024)
#define CHUNK_KEPT_MAX (128 * 1024)

struct chunk {
    struct chunk *next;
    size_t size, used;
    alignas(max_align_t) uint8_t space[];
};

struct arena {
    struct chunk *newest;
    size_t limit, taken;
    ProtobufCAllocator allocator;
};

static void *allocator_take(void *arena, size_t size)
{
    return arena_take(arena, size);
}

static void allocator_ignore(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

static struct chunk *chunk_new(size_t size, struct chunk *next)
{
    struct chunk *chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->next = next;
    chunk->size = size;
    chunk->used = 0;
    return chunk;
}

struct arena *arena_new(size_t limit)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        return NULL;
    arena->limit = limit;
    arena->newest = chunk_new(CHUNK_FIRST, NULL);
    if (!arena->newest) {
        free(arena);
        return NULL;
    }
    arena->allocator = (ProtobufCAllocator){allocator_take, allocator_ignore, arena};
    return arena;
}

static void chunk_free(struct chunk *chunk)
{
    OPENSSL_cleanse(chunk->space, chunk->used);
    free(chunk);
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->newest) {
        struct chunk *next = arena->newest->next;
        chunk_free(arena->newest);
        arena->newest = next;
    }
    free(arena);
}

/* One chunk is kept: the largest that is not too large, so that the next request of this size needs no other. */
void arena_reset(struct arena *arena)
{
    while (arena->newest->next) {
        struct chunk *first = arena->newest, *second = first->next;
        if (first->size > CHUNK_KEPT_MAX) {
            arena->newest = second;
            chunk_free(first);
        } else {
            first->next = second->next;
            chunk_free(second);
        }
    }
    OPENSSL_cleanse(arena->newest->space, arena->newest->used);
    arena->newest->used = 0;
    arena->taken = 0;
}

void *arena_take(struct arena *arena, size_t size)
{
    if (size > arena->limit)
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (size > arena->limit - arena->taken)
        return NULL;
    if (size > arena->newest->size - arena->newest->used) {
        size_t wanted = arena->newest->size * 2 > size ? arena->newest->size * 2 : size;
        struct chunk *chunk = chunk_new(wanted, arena->newest);
        if (!chunk)
            return NULL;
        arena->newest = chunk;
    }
    void *taken = arena->newest->space + arena->newest->used;
    arena->newest->used += size;
    arena->taken += size;
    return taken;
}

struct bytes arena_copy(struct arena *arena, const void *from, size_t len)
{
    struct bytes copy = {arena_take(arena, len ? len : 1), len};
    if (copy.data && len)
        memcpy(copy.data, from, len);
    return copy;
}

char *arena_text(struct arena *arena, const void *from, size_t len)
{
    char *text = arena_take(arena, len + 1);
    if (!text)
        return NULL;
    if (len)
        memcpy(text, from, len);
    text[len] = '\0';
    return text;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    int len = vsnprintf(NULL, 0, format, list);
    char *text = len < 0 ? NULL : arena_take(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(list);
    return text;
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
    return &arena->allocator;
}
