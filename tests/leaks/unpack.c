#include "leaks/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define DEFLATED_MAX (16u << 20)
#define PACKED_MAX (1u << 20) /* of one value of PostgreSQL's */
#define PLAIN_MAX (16u << 20)
#define CHUNK_BYTES 1996 /* TOAST_MAX_CHUNK_SIZE of 8 KiB pages */
#define CHUNK_HEADER ((CHUNK_BYTES + 4u) << 2)
#define CHUNKS_MAX 4096 /* of one value: 8 MiB */
#define DEPTH_MAX 2     /* packed in packed */
#define FIRST_OID 16384

struct unpacking {
    unpacked_take take;
    void *user;
    int depth;
};

static void everything(const uint8_t *hay, size_t len, struct unpacking how);

static void give(const uint8_t *plain, size_t len, struct unpacking how)
{
    how.take(how.user, plain, len);
    if (++how.depth < DEPTH_MAX)
        everything(plain, len, how);
}

static uint32_t word(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* --- the deflate family ------------------------------------------------------------------------------------------- */

static void inflated_give(const uint8_t *packed, size_t len, int window_bits, struct unpacking how)
{
    z_stream stream = {.next_in = (Bytef *)packed, .avail_in = (uInt)(len < DEFLATED_MAX ? len : DEFLATED_MAX)};
    uint8_t *plain = NULL;
    size_t room = 0, have = 0;
    int result = Z_OK;
    if (inflateInit2(&stream, window_bits) != Z_OK)
        abort();
    while (result == Z_OK && have < PLAIN_MAX) {
        room = room ? room * 4 : 4096;
        plain = realloc(plain, room);
        if (!plain)
            abort();
        stream.next_out = plain + have;
        stream.avail_out = (uInt)(room - have);
        result = inflate(&stream, Z_NO_FLUSH);
        have = room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (have)
        give(plain, have, how);
    free(plain);
}

static void deflated_look(const uint8_t *hay, size_t len, size_t at, struct unpacking how)
{
    const uint8_t *here = hay + at;
    size_t left = len - at;
    if (left > 18 && here[0] == 0x1F && here[1] == 0x8B && here[2] == 8 && !(here[3] & 0xE0))
        inflated_give(here, left, 16 + MAX_WBITS, how);
    else if (left > 8 && here[0] == 0x78 && (here[0] << 8 | here[1]) % 31 == 0 && !(here[1] & 0x20))
        inflated_give(here, left, MAX_WBITS, how);
    else if (left > 30 && memcmp(here, "PK\3\4", 4) == 0 && here[8] == 8) {
        size_t head = 30u + (here[26] | here[27] << 8) + (here[28] | here[29] << 8);
        if (head < left)
            inflated_give(here + head, left - head, -MAX_WBITS, how);
    }
}

/* --- PostgreSQL's --------------------------------------------------------------------------------------------------
 */

/* A control byte, then eight items: a byte, or 12 bits of distance and 4 (or 12) of length. */
bool pglz_take(const uint8_t *packed, size_t size, uint8_t *plain, size_t plain_len)
{
    const uint8_t *end = packed + size;
    size_t have = 0;
    while (packed < end && have < plain_len) {
        unsigned control = *packed++;
        for (int item = 0; item < 8 && packed < end && have < plain_len; item++, control >>= 1) {
            if (!(control & 1)) {
                plain[have++] = *packed++;
                continue;
            }
            if (end - packed < 2)
                return false;
            size_t length = (packed[0] & 0x0F) + 3u, distance = (packed[0] & 0xF0u) << 4 | packed[1];
            packed += 2;
            if (length == 18) {
                if (packed == end)
                    return false;
                length += *packed++;
            }
            if (!distance || distance > have)
                return false;
            for (; length && have < plain_len; length--, have++)
                plain[have] = plain[have - distance];
        }
    }
    return packed == end && have == plain_len;
}

static bool lz4_length(const uint8_t **at, const uint8_t *end, size_t *length)
{
    if (*length != 15)
        return true;
    for (uint8_t more = 255; more == 255;) {
        if (*at == end)
            return false;
        more = *(*at)++;
        *length += more;
    }
    return true;
}

/* Sequences of literals and a copy; the last has no copy. */
bool lz4_take(const uint8_t *packed, size_t size, uint8_t *plain, size_t plain_len)
{
    const uint8_t *end = packed + size;
    size_t have = 0;
    while (packed < end) {
        size_t literals = *packed >> 4, length = *packed & 15u;
        packed++;
        if (!lz4_length(&packed, end, &literals) || literals > (size_t)(end - packed) || literals > plain_len - have)
            return false;
        memcpy(plain + have, packed, literals);
        have += literals;
        packed += literals;
        if (packed == end)
            break;
        if (end - packed < 2)
            return false;
        size_t distance = packed[0] | (size_t)packed[1] << 8;
        packed += 2;
        if (!lz4_length(&packed, end, &length) || !distance || distance > have || length + 4 > plain_len - have)
            return false;
        for (length += 4; length; length--, have++)
            plain[have] = plain[have - distance];
    }
    return have == plain_len;
}

/* `info`: two bits of method, thirty of the plain length; as in front of a compressed value. */
static void compressed_look(uint32_t info, const uint8_t *packed, size_t size, struct unpacking how)
{
    size_t plain_len = info & 0x3FFFFFFF;
    if (info >> 30 > 1 || plain_len <= size || plain_len > PLAIN_MAX || plain_len / 300 > size)
        return;
    uint8_t *plain = malloc(plain_len);
    if (!plain)
        abort();
    if (info >> 30 ? lz4_take(packed, size, plain, plain_len) : pglz_take(packed, size, plain, plain_len))
        give(plain, plain_len, how);
    free(plain);
}

/* A compressed value within a row: its length with the low bits 10, then `info`. */
static void value_look(const uint8_t *hay, size_t len, size_t at, struct unpacking how)
{
    size_t size = word(hay + at) >> 2;
    if (size > 8 && size < PACKED_MAX && size <= len - at)
        compressed_look(word(hay + at + 4), hay + at + 8, size - 8, how);
}

/* --- TOAST ---------------------------------------------------------------------------------------------------------
 */

/* A chunk is: id of the value, its sequence, a length that is CHUNK_HEADER in all but the last, the bytes. Rows of a
 * page lie in any order, so the chunks of a value are looked for one after another from its first. */
struct chunk {
    uint32_t value, sequence;
    size_t at, len;
};
struct chunks {
    struct chunk *list;
    size_t count, room;
};

static void chunk_keep(struct chunks *chunks, const uint8_t *hay, size_t len, size_t at)
{
    struct chunk chunk = {word(hay + at), word(hay + at + 4), at + 12, word(hay + at + 8) >> 2};
    bool whole = chunk.len == CHUNK_BYTES + 4;
    if (chunk.len < 5 || chunk.len > CHUNK_BYTES + 4 || chunk.sequence >= CHUNKS_MAX || chunk.value < FIRST_OID ||
        chunk.value > FIRST_OID + (1u << 24) || (!whole && !chunk.sequence))
        return;
    chunk.len -= 4;
    if (chunk.len > len - chunk.at)
        return;
    if (chunks->count == chunks->room) {
        chunks->room = chunks->room ? chunks->room * 2 : 256;
        chunks->list = realloc(chunks->list, chunks->room * sizeof *chunks->list);
        if (!chunks->list)
            abort();
    }
    chunks->list[chunks->count++] = chunk;
}

static int chunk_order(const void *one, const void *other)
{
    const struct chunk *a = one, *b = other;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void value_give(const uint8_t *hay, const struct chunk *chunks, size_t count, struct unpacking how)
{
    size_t len = 0, i = 0;
    uint8_t *whole = malloc(count * CHUNK_BYTES);
    if (!whole)
        abort();
    for (uint32_t next = 0; i < count; i++) {
        if (chunks[i].sequence != next) /* the same again, or one is missing */
            continue;
        memcpy(whole + len, hay + chunks[i].at, chunks[i].len);
        len += chunks[i].len;
        next++;
    }
    if (len > CHUNK_BYTES) {
        give(whole, len, how);
        compressed_look(word(whole), whole + 4, len - 4, how);
    }
    free(whole);
}

static void chunks_give(const uint8_t *hay, struct chunks *chunks, struct unpacking how)
{
    if (chunks->count)
        qsort(chunks->list, chunks->count, sizeof *chunks->list, chunk_order);
    for (size_t i = 0, past; i < chunks->count; i = past) {
        for (past = i + 1; past < chunks->count && chunks->list[past].value == chunks->list[i].value;)
            past++;
        if (!chunks->list[i].sequence)
            value_give(hay, chunks->list + i, past - i, how);
    }
    free(chunks->list);
}

static void everything(const uint8_t *hay, size_t len, struct unpacking how)
{
    struct chunks chunks = {0};
    for (size_t at = 0; at + 12 <= len; at++) {
        uint32_t here = word(hay + at);
        if ((here & 3) == 2 && here >> 2 < PACKED_MAX)
            value_look(hay, len, at, how);
        if ((here & 0xFF) == 0x1F || (here & 0xFF) == 0x78 || (here & 0xFF) == 'P')
            deflated_look(hay, len, at, how);
        if (here - FIRST_OID <= 1u << 24 && !(word(hay + at + 8) & 3) && word(hay + at + 4) < CHUNKS_MAX)
            chunk_keep(&chunks, hay, len, at);
    }
    chunks_give(hay, &chunks, how);
}

void unpack_all(const uint8_t *hay, size_t len, unpacked_take take, void *user)
{
    everything(hay, len, (struct unpacking){take, user, 0});
}
