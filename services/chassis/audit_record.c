#include "chassis/audit_record.h"

#include <endian.h>
#include <string.h>

#define NUMBERS_BYTES (1 + 8 + 8 + AUDIT_INSTANCE_BYTES + 4 + 8)
#define TEXTS 5
#define TEXT_MAX 255

static uint8_t *number_put(uint8_t *at, uint64_t number, size_t size)
{
    uint64_t big = htobe64(number);
    memcpy(at, (uint8_t *)&big + sizeof big - size, size);
    return at + size;
}

static uint8_t *bytes_put(uint8_t *at, const void *from, size_t len)
{
    if (len)
        memcpy(at, from, len);
    return at + len;
}

struct bytes audit_record_put(struct arena *arena, const struct audit_record *record)
{
    const char *const texts[TEXTS] = {record->service, record->kind, record->manager, record->act, record->outcome};
    size_t lengths[TEXTS], len = NUMBERS_BYTES + 2 + 8 * record->token_count + record->event.len;
    for (int i = 0; i < TEXTS; i++) {
        lengths[i] = strlen(texts[i]);
        if (lengths[i] > TEXT_MAX)
            return (struct bytes){NULL, 0};
        len += 1 + lengths[i];
    }
    struct bytes put = {record->token_count <= AUDIT_TOKENS_MAX ? arena_take(arena, len) : NULL, len};
    if (!put.data)
        return (struct bytes){NULL, 0};
    uint8_t *at = number_put(put.data, 0, 1);
    at = number_put(at, record->position, 8);
    at = number_put(at, (uint64_t)record->appended_ms, 8);
    at = bytes_put(at, record->instance, AUDIT_INSTANCE_BYTES);
    at = number_put(at, record->worker, 4);
    at = number_put(at, record->sequence, 8);
    for (int i = 0; i < TEXTS; i++) {
        at = number_put(at, lengths[i], 1);
        at = bytes_put(at, texts[i], lengths[i]);
    }
    at = number_put(at, record->token_count, 2);
    for (size_t i = 0; i < record->token_count; i++)
        at = number_put(at, record->tokens[i], 8);
    bytes_put(at, record->event.data, record->event.len);
    return put;
}
