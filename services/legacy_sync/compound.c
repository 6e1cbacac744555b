#include "legacy_sync/compound.h"

#include <stdbool.h>
#include <string.h>

#define SECTOR 512u
#define MINI_SECTOR 64u
#define MINI_LIMIT 4096u /* shorter streams lie in the mini stream */
#define ENTRY 128u
#define HEADER_FATS 109u
#define FREE_SECTOR 0xFFFFFFFFu
#define END_OF_CHAIN 0xFFFFFFFEu
#define FAT_SECTOR 0xFFFFFFFDu
#define NO_ENTRY 0xFFFFFFFFu

static const uint8_t magic[8] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value);
    put16(at + 2, value >> 16);
}

static uint32_t get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}

static uint32_t parts(size_t len, uint32_t size)
{
    return (uint32_t)((len + size - 1) / size);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* Where everything goes, in sectors counted after the header: FAT, directory, mini FAT, mini stream, long streams. */
struct plan {
    uint32_t fats, directories, mini_fats, minis, mini_sectors, total;
};

static struct plan plan_make(const struct compound_stream *streams, size_t count)
{
    struct plan plan = {.directories = parts((count + 1) * ENTRY, SECTOR)};
    uint32_t longs = 0;
    for (size_t i = 0; i < count; i++) {
        if (streams[i].len < MINI_LIMIT) {
            plan.mini_sectors += parts(streams[i].len, MINI_SECTOR);
        } else {
            longs += parts(streams[i].len, SECTOR);
        }
    }
    plan.mini_fats = parts((size_t)plan.mini_sectors * 4, SECTOR);
    plan.minis = parts((size_t)plan.mini_sectors * MINI_SECTOR, SECTOR);
    uint32_t others = plan.directories + plan.mini_fats + plan.minis + longs;
    for (plan.fats = 1; plan.fats * (SECTOR / 4) < plan.fats + others;) {
        plan.fats++;
    }
    plan.total = plan.fats + others;
    return plan;
}

static void header_write(uint8_t *at, const struct plan *plan)
{
    memset(at, 0, SECTOR);
    memcpy(at, magic, sizeof magic);
    put16(at + 24, 0x003E);
    put16(at + 26, 3);
    put16(at + 28, 0xFFFE);
    put16(at + 30, 9); /* sectors of 2^9 bytes */
    put16(at + 32, 6); /* mini sectors of 2^6 bytes */
    put32(at + 44, plan->fats);
    put32(at + 48, plan->fats); /* the directory follows the FAT */
    put32(at + 56, MINI_LIMIT);
    put32(at + 60, plan->mini_fats ? plan->fats + plan->directories : END_OF_CHAIN);
    put32(at + 64, plan->mini_fats);
    put32(at + 68, END_OF_CHAIN);
    for (uint32_t i = 0; i < HEADER_FATS; i++) {
        put32(at + 76 + 4 * i, i < plan->fats ? i : FREE_SECTOR);
    }
}

static void entry_write(uint8_t *at, const char *name, uint8_t type, uint32_t start, uint32_t size)
{
    size_t len = strlen(name);
    memset(at, 0, ENTRY);
    for (size_t i = 0; i < len; i++) {
        at[2 * i] = (uint8_t)name[i];
    }
    put16(at + 64, (uint32_t)(2 * len + 2));
    at[66] = type;
    at[67] = 1; /* black: a tree of one line needs no balance that readers check */
    put32(at + 68, NO_ENTRY);
    put32(at + 72, NO_ENTRY);
    put32(at + 76, NO_ENTRY);
    put32(at + 116, start);
    put32(at + 120, size);
}

/* Chain `count` entries of a table from `start` and return the entry after them. */
static uint32_t chain_write(uint8_t *table, uint32_t start, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put32(table + 4 * (size_t)(start + i), i + 1 < count ? start + i + 1 : END_OF_CHAIN);
    }
    return start + count;
}

static void file_fill(uint8_t *file, const struct plan *plan, const struct compound_stream *streams, size_t count)
{
    uint8_t *fat = file + SECTOR, *directory = fat + plan->fats * (size_t)SECTOR;
    uint8_t *mini_fat = directory + plan->directories * (size_t)SECTOR;
    uint8_t *mini = mini_fat + plan->mini_fats * (size_t)SECTOR;
    uint32_t next = plan->fats, next_mini = 0;
    memset(fat, 0xFF, plan->fats * (size_t)SECTOR);
    memset(mini_fat, 0xFF, plan->mini_fats * (size_t)SECTOR);
    for (uint32_t i = 0; i < plan->fats; i++) {
        put32(fat + 4 * (size_t)i, FAT_SECTOR);
    }
    next = chain_write(fat, next, plan->directories);
    next = chain_write(fat, next, plan->mini_fats);
    uint32_t mini_start = next;
    next = chain_write(fat, next, plan->minis);
    entry_write(directory, "Root Entry", 5, plan->minis ? mini_start : END_OF_CHAIN, plan->mini_sectors * MINI_SECTOR);
    for (size_t i = 0; i < count; i++) {
        bool small = streams[i].len < MINI_LIMIT;
        uint32_t start = small ? next_mini : next;
        uint8_t *to = small ? mini + start * (size_t)MINI_SECTOR : file + (start + (size_t)1) * SECTOR;
        memcpy(to, streams[i].data, streams[i].len);
        entry_write(directory + (i + 1) * ENTRY, streams[i].name, 2, start, (uint32_t)streams[i].len);
        if (i + 1 < count) {
            put32(directory + (i + 1) * ENTRY + 72, (uint32_t)(i + 2)); /* right neighbour: the next name */
        }
        if (small) {
            next_mini = chain_write(mini_fat, next_mini, parts(streams[i].len, MINI_SECTOR));
        } else {
            next = chain_write(fat, next, parts(streams[i].len, SECTOR));
        }
    }
    put32(directory + 76, count ? 1 : NO_ENTRY);
}

struct bytes compound_write(struct arena *arena, const struct compound_stream *streams, size_t count)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++) {
        all += streams[i].len;
        if (streams[i].len > COMPOUND_BYTES_MAX || all > COMPOUND_BYTES_MAX || strlen(streams[i].name) > 31) {
            return (struct bytes){0};
        }
    }
    struct plan plan = plan_make(streams, count);
    size_t len = (plan.total + (size_t)1) * SECTOR;
    uint8_t *file = plan.fats <= HEADER_FATS ? arena_take(arena, len) : NULL;
    if (!file) {
        return (struct bytes){0};
    }
    memset(file, 0, len);
    header_write(file, &plan);
    file_fill(file, &plan, streams, count);
    return (struct bytes){file, len};
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

struct reader {
    const uint8_t *file;
    size_t len;
    uint32_t sector, mini_sector, mini_limit;
    uint32_t sectors;  /* whole sectors after the header */
    uint32_t *fat;     /* in the arena */
    uint32_t fat_size; /* entries */
};

static const uint8_t *sector_at(const struct reader *r, uint32_t n)
{
    return n < r->sectors ? r->file + (n + (size_t)1) * r->sector : NULL;
}

/* Collect the FAT: its sectors are named in the header, and beyond 109 of them in a chain of sectors (DIFAT). */
static bool fat_read(struct reader *r, struct arena *arena)
{
    uint32_t count = get32(r->file + 44), per = r->sector / 4, next = get32(r->file + 68), taken = 0;
    const uint8_t *names = r->file + 76;
    uint32_t room = HEADER_FATS;
    if (count == 0 || count > r->sectors || !(r->fat = arena_take(arena, (size_t)count * r->sector))) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (taken == room) {
            names = sector_at(r, next);
            if (!names) {
                return false;
            }
            next = get32(names + r->sector - 4);
            room = per - 1;
            taken = 0;
        }
        const uint8_t *at = sector_at(r, get32(names + 4 * (size_t)taken++));
        if (!at) {
            return false;
        }
        for (uint32_t j = 0; j < per; j++) {
            r->fat[(size_t)i * per + j] = get32(at + 4 * (size_t)j);
        }
    }
    r->fat_size = count * per;
    return true;
}

/* Copy a chain of sectors: `len` bytes, or the whole chain where len is 0. A chain longer than the file is a circle. */
static struct bytes chain_read(const struct reader *r, struct arena *arena, uint32_t start, size_t len)
{
    uint32_t count = 0;
    for (uint32_t n = start; n < r->fat_size && sector_at(r, n) && count <= r->sectors; n = r->fat[n]) {
        count++;
    }
    size_t all = (size_t)count * r->sector;
    uint8_t *out = count && count <= r->sectors && all >= len ? arena_take(arena, all) : NULL;
    if (!out) {
        return (struct bytes){0};
    }
    for (uint32_t i = 0, n = start; i < count; i++, n = r->fat[n]) {
        const uint8_t *sector = sector_at(r, n);
        if (!sector) {
            return (struct bytes){0};
        }
        memcpy(out + (size_t)i * r->sector, sector, r->sector);
    }
    return (struct bytes){out, len ? len : all};
}

static struct bytes mini_read(
    const struct reader *r, struct arena *arena, struct bytes mini, struct bytes table, uint32_t start, size_t len)
{
    uint8_t *out = arena_take(arena, len + 1);
    size_t done = 0;
    for (uint32_t n = start; out && done < len;) {
        size_t at = (size_t)n * r->mini_sector, part = len - done < r->mini_sector ? len - done : r->mini_sector;
        if (at + part > mini.len || ((size_t)n + 1) * 4 > table.len) {
            return (struct bytes){0};
        }
        memcpy(out + done, mini.data + at, part);
        done += part;
        n = get32(table.data + (size_t)n * 4);
    }
    return (struct bytes){out, len};
}

static const uint8_t *entry_find(struct bytes directory, const char *name)
{
    size_t len = strlen(name);
    for (size_t at = 0; at + ENTRY <= directory.len; at += ENTRY) {
        const uint8_t *entry = directory.data + at;
        bool same = entry[66] == 2 && get16(entry + 64) == 2 * len + 2;
        for (size_t i = 0; same && i < len; i++) {
            same = get16(entry + 2 * i) == (uint8_t)name[i];
        }
        if (same) {
            return entry;
        }
    }
    return NULL;
}

static bool reader_init(struct reader *r, struct arena *arena, const uint8_t *file, size_t len)
{
    *r = (struct reader){.file = file, .len = len};
    if (len < SECTOR || memcmp(file, magic, sizeof magic) != 0) {
        return false;
    }
    uint32_t shift = get16(file + 30), mini_shift = get16(file + 32);
    if ((shift != 9 && shift != 12) || mini_shift != 6) {
        return false;
    }
    r->sector = 1u << shift;
    r->mini_sector = 1u << mini_shift;
    r->mini_limit = get32(file + 56);
    r->sectors = len < r->sector ? 0 : (uint32_t)(len / r->sector) - 1;
    return fat_read(r, arena);
}

struct bytes compound_read(struct arena *arena, const void *file, size_t len, const char *name)
{
    struct reader r;
    if (len > 4 * (size_t)COMPOUND_BYTES_MAX || !reader_init(&r, arena, file, len)) {
        return (struct bytes){0};
    }
    struct bytes directory = chain_read(&r, arena, get32(r.file + 48), 0);
    const uint8_t *entry = directory.data ? entry_find(directory, name) : NULL;
    if (!entry) {
        return (struct bytes){0};
    }
    uint32_t start = get32(entry + 116), size = get32(entry + 120);
    if (size >= r.mini_limit) {
        return chain_read(&r, arena, start, size);
    }
    struct bytes mini = chain_read(&r, arena, get32(directory.data + 116), 0);
    struct bytes table = chain_read(&r, arena, get32(r.file + 60), 0);
    return mini.data && table.data ? mini_read(&r, arena, mini, table, start, size) : (struct bytes){0};
}
