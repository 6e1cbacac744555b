#include "leaks/needles.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define SHARED_BITS 22 /* of the table that counts how often a window occurs in the needles */

struct entry {
    struct needle needle;
    size_t bytes;    /* where they begin in the pool */
    uint64_t key;    /* its anchor */
    uint16_t anchor; /* where that is */
    uint32_t next;   /* of the same anchor, or of the same hash while adding */
};

struct needles {
    struct entry *entries;
    uint8_t *pool;
    size_t count, room, pooled, pool_room, longest;
    uint32_t *slots; /* by hash of the whole while adding, by anchor when ready */
    unsigned slot_bits;
    uint64_t *bitmap;
    unsigned bitmap_bits;
};

static void *grown(void *memory, size_t size)
{
    void *larger = realloc(memory, size);
    if (!larger)
        abort();
    return larger;
}

static uint64_t window(const uint8_t *at)
{
    uint64_t key = 0;
    memcpy(&key, at, NEEDLE_MIN);
    return key;
}

static inline uint64_t mix(uint64_t key)
{
    return key * 0x9E3779B97F4A7C15u;
}

static inline size_t slot_of(const struct needles *needles, uint64_t key)
{
    return (size_t)((mix(key) ^ (mix(key) >> 29)) * 0xBF58476D1CE4E5B9u >> (64 - needles->slot_bits));
}

static uint64_t whole_key(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

struct needles *needles_new(void)
{
    return memset(grown(NULL, sizeof(struct needles)), 0, sizeof(struct needles));
}

void needles_free(struct needles *needles)
{
    if (!needles)
        return;
    free(needles->entries);
    free(needles->pool);
    free(needles->slots);
    free(needles->bitmap);
    free(needles);
}

static void slots_fill(struct needles *needles)
{
    size_t size = sizeof *needles->slots << needles->slot_bits;
    needles->slots = grown(needles->slots, size);
    memset(needles->slots, 0xFF, size);
    for (uint32_t i = 0; i < needles->count; i++) {
        uint32_t *slot = &needles->slots[slot_of(needles, needles->entries[i].key)];
        needles->entries[i].next = *slot;
        *slot = i;
    }
}

bool needles_add(struct needles *needles, struct needle needle, const void *bytes, size_t len)
{
    uint64_t key = whole_key(bytes, len);
    if (len < NEEDLE_MIN || len > UINT16_MAX)
        return false;
    if (needles->count == needles->room) {
        needles->room = needles->room ? needles->room * 2 : 1024;
        needles->entries = grown(needles->entries, needles->room * sizeof *needles->entries);
        needles->slot_bits = (unsigned)(64 - __builtin_clzll(needles->room));
        slots_fill(needles);
    }
    uint32_t *slot = &needles->slots[slot_of(needles, key)];
    for (uint32_t i = *slot; i != NONE; i = needles->entries[i].next)
        if (needles->entries[i].needle.len == len && !memcmp(needles->pool + needles->entries[i].bytes, bytes, len))
            return false;
    if (needles->pooled + len > needles->pool_room) {
        needles->pool_room = (needles->pool_room + len) * 2;
        needles->pool = grown(needles->pool, needles->pool_room);
    }
    needle.len = (uint16_t)len;
    needles->entries[needles->count] =
        (struct entry){.needle = needle, .bytes = needles->pooled, .key = key, .next = *slot};
    *slot = (uint32_t)needles->count++;
    memcpy(needles->pool + needles->pooled, bytes, len);
    needles->pooled += len;
    if (len > needles->longest)
        needles->longest = len;
    return true;
}

/* Prefixes are shared by thousands (a ward, the leading zeros of an integer): the rarest window is looked for. */
static void anchors_choose(struct needles *needles)
{
    uint16_t *shared = calloc((size_t)1 << SHARED_BITS, sizeof *shared);
    if (!shared)
        abort();
    for (size_t i = 0; i < needles->count; i++)
        for (size_t at = 0; at + NEEDLE_MIN <= needles->entries[i].needle.len; at++) {
            uint16_t *times =
                &shared[mix(window(needles->pool + needles->entries[i].bytes + at)) >> (64 - SHARED_BITS)];
            *times = (uint16_t)(*times + (*times < UINT16_MAX));
        }
    for (size_t i = 0; i < needles->count; i++) {
        struct entry *entry = &needles->entries[i];
        const uint8_t *bytes = needles->pool + entry->bytes;
        uint16_t fewest = UINT16_MAX;
        for (size_t at = 0; at + NEEDLE_MIN <= entry->needle.len; at++) {
            uint16_t times = shared[mix(window(bytes + at)) >> (64 - SHARED_BITS)];
            if (at && times >= fewest)
                continue;
            fewest = times;
            entry->anchor = (uint16_t)at;
            entry->key = window(bytes + at);
        }
    }
    free(shared);
}

void needles_ready(struct needles *needles)
{
    anchors_choose(needles);
    needles->slot_bits = (unsigned)(65 - __builtin_clzll(needles->count | 1));
    slots_fill(needles);
    needles->bitmap_bits = needles->slot_bits + 6;
    needles->bitmap = calloc(((size_t)1 << needles->bitmap_bits) / 64, sizeof *needles->bitmap);
    if (!needles->bitmap)
        abort();
    for (size_t i = 0; i < needles->count; i++) {
        uint64_t bit = mix(needles->entries[i].key) >> (64 - needles->bitmap_bits);
        needles->bitmap[bit / 64] |= (uint64_t)1 << bit % 64;
    }
}

size_t needles_count(const struct needles *needles)
{
    return needles->count;
}

size_t needles_longest(const struct needles *needles)
{
    return needles->longest;
}

static void anchored(const struct needles *needles, const uint8_t *hay, size_t len, size_t at, uint64_t key,
    needle_found found, void *user)
{
    for (uint32_t i = needles->slots[slot_of(needles, key)]; i != NONE; i = needles->entries[i].next) {
        const struct entry *entry = &needles->entries[i];
        if (entry->key != key || at < entry->anchor || len - (at - entry->anchor) < entry->needle.len)
            continue;
        if (memcmp(hay + at - entry->anchor, needles->pool + entry->bytes, entry->needle.len) == 0)
            found(user, &entry->needle, at - entry->anchor);
    }
}

void needles_find(const struct needles *needles, const void *data, size_t len, needle_found found, void *user)
{
    const uint8_t *hay = data;
    const uint64_t *bitmap = needles->bitmap, mask = ((uint64_t)1 << 8 * NEEDLE_MIN) - 1;
    unsigned shift = 64 - needles->bitmap_bits;
    size_t at = 0;
    for (uint64_t key; at + sizeof key <= len; at++) {
        memcpy(&key, hay + at, sizeof key);
        key &= mask; /* as window(): little-endian machines only */
        uint64_t bit = mix(key) >> shift;
        if (bitmap[bit / 64] >> bit % 64 & 1)
            anchored(needles, hay, len, at, key, found, user);
    }
    for (; at + NEEDLE_MIN <= len; at++)
        anchored(needles, hay, len, at, window(hay + at), found, user);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "windows are read as little-endian words");
