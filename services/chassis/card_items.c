#include "chassis/card_items.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#define OFFSETS 4

static size_t head_print(uint8_t *at, uint16_t tag, size_t len)
{
    size_t used = 0;
    at[used++] = (uint8_t)(tag >> 8);
    at[used++] = (uint8_t)tag;
    if (len > 0xff) {
        at[used++] = 0x82;
        at[used++] = (uint8_t)(len >> 8);
    } else if (len > 0x7f)
        at[used++] = 0x81;
    at[used++] = (uint8_t)len;
    return used;
}

static size_t field_print(uint8_t *at, uint16_t tag, const void *value, size_t len)
{
    size_t used = head_print(at, tag, len);
    memcpy(at + used, value, len);
    return used + len;
}

size_t card_items_print(const struct person *person, uint8_t out[CARD_ITEMS_BYTES])
{
    uint8_t value[CARD_ITEMS_BYTES], offsets[2 * OFFSETS];
    const struct {
        const void *data;
        size_t len;
    } fields[OFFSETS] = {
        {person->name, strlen(person->name)},
        {person->address, strlen(person->address)},
        {person->birth_date, strlen(person->birth_date)},
        {&person->sex, 1},
    };
    size_t used = 3 + sizeof offsets; /* DF21's tag and one length byte go before */
    for (int i = 0; i < OFFSETS; i++) {
        offsets[2 * i] = (uint8_t)(used >> 8);
        offsets[2 * i + 1] = (uint8_t)used;
        used += field_print(value + used, (uint16_t)(0xdf22 + i), fields[i].data, fields[i].len);
    }
    field_print(value, 0xdf21, offsets, sizeof offsets);
    size_t total = field_print(out, 0xff20, value, used);
    OPENSSL_cleanse(value, sizeof value);
    return total;
}

void card_items_digest(const struct person *person, uint8_t sha256[32])
{
    uint8_t items[CARD_ITEMS_BYTES];
    size_t len = card_items_print(person, items);
    SHA256(items, len, sha256);
    OPENSSL_cleanse(items, sizeof items);
}
