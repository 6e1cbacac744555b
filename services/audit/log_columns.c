#include "audit/log_columns.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define OID_BYTEA 17
#define OID_TEXT 25
#define HEAD_BYTES 20 /* dimensions, whether there are NULLs, type; length and lower bound of the one dimension */
#define TOKEN_TEXT 21

static bool tokens_print(struct arena *arena, const struct audit_record *record, struct bytes *text)
{
    text->data = arena_take(arena, record->token_count * TOKEN_TEXT + 3);
    if (!text->data)
        return false;
    char *at = (char *)text->data;
    *at++ = '{';
    for (size_t i = 0; i < record->token_count; i++)
        at += sprintf(at, "%s%lld", i ? "," : "", (long long)record->tokens[i]);
    *at++ = '}';
    text->len = (size_t)((uint8_t *)at - text->data);
    return true;
}

static bool element(struct arena *arena, int column, const struct audit_record *record,
    const uint8_t leaf[MERKLE_HASH_BYTES], struct bytes *value)
{
    const char *const texts[] = {record->kind, record->manager, record->act, record->outcome};
    switch (column) {
    case 4:
        return tokens_print(arena, record, value);
    case 5:
        *value = record->event;
        return true;
    case 6:
        *value = (struct bytes){(uint8_t *)leaf, MERKLE_HASH_BYTES};
        return true;
    default:
        *value = (struct bytes){(uint8_t *)texts[column], strlen(texts[column])};
        return true;
    }
}

static uint8_t *word_put(uint8_t *at, uint32_t word)
{
    word = htobe32(word);
    memcpy(at, &word, sizeof word);
    return at + sizeof word;
}

bool log_column_put(struct arena *arena, int column, const struct audit_record *records,
    const uint8_t (*leaves)[MERKLE_HASH_BYTES], size_t count, struct bytes *array)
{
    struct bytes *values = arena_take(arena, count * sizeof *values);
    array->len = HEAD_BYTES + 4 * count;
    for (size_t i = 0; values && i < count; i++) {
        if (!element(arena, column, &records[i], leaves[i], &values[i]))
            return false;
        array->len += values[i].len;
    }
    array->data = values ? arena_take(arena, array->len) : NULL;
    if (!array->data)
        return false;
    uint8_t *at = word_put(word_put(word_put(array->data, 1), 0), column < 5 ? OID_TEXT : OID_BYTEA);
    at = word_put(word_put(at, (uint32_t)count), 1);
    for (size_t i = 0; i < count; i++) {
        at = word_put(at, (uint32_t)values[i].len);
        if (values[i].len)
            memcpy(at, values[i].data, values[i].len);
        at += values[i].len;
    }
    return true;
}
