#include "kit/card.h"

#include <string.h>
#include <openssl/sha.h>

static size_t tlv_print(uint8_t *out, uint8_t first, uint8_t second, const void *value, size_t size)
{
    size_t at = 0;
    out[at++] = first;
    out[at++] = second;
    if (size > 0xFF) {
        out[at++] = 0x82;
        out[at++] = (uint8_t)(size >> 8);
    } else if (size > 0x7F) {
        out[at++] = 0x81;
    }
    out[at++] = (uint8_t)size;
    memcpy(out + at, value, size);
    return at + size;
}

size_t kit_ef0002_print(const struct person *person, uint8_t out[KIT_EF0002_MAX])
{
    const struct {
        uint8_t tag;
        const void *value;
        size_t size;
    } items[4] = {
        {0x22, person->name, strlen(person->name)},
        {0x23, person->address, strlen(person->address)},
        {0x24, person->birth_date, 8},
        {0x25, &person->sex, 1},
    };
    uint8_t value[KIT_EF0002_MAX - 5];
    size_t at = 3 + 8; /* DF21, its length, four offsets */
    uint8_t offsets[8];
    for (size_t i = 0; i < 4; i++) {
        offsets[2 * i] = (uint8_t)(at >> 8);
        offsets[2 * i + 1] = (uint8_t)at;
        at += tlv_print(value + at, 0xDF, items[i].tag, items[i].value, items[i].size);
    }
    tlv_print(value, 0xDF, 0x21, offsets, sizeof offsets);
    return tlv_print(out, 0xFF, 0x20, value, at);
}

void kit_card_number_set(struct kit_card *card, const char *number)
{
    memcpy(card->ef0001, (const uint8_t[]){0xFF, 0x10, 0x0C}, 3);
    memcpy(card->ef0001 + 3, number, 12);
}

bool kit_card_sign(struct kit_card *card, const struct kit_authorities *authorities)
{
    SHA256(card->ef0001, sizeof card->ef0001, card->ef0003);
    SHA256(card->ef0002, card->ef0002_size, card->ef0003 + 32);
    size_t size = sizeof card->ef0003 - 64;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, authorities->card_key) == 1 &&
              EVP_DigestSign(context, card->ef0003 + 64, &size, card->ef0003, 64) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

bool kit_card_make(struct kit_card *card, const struct kit_authorities *authorities, const struct kit_person *person)
{
    kit_card_number_set(card, person->number);
    card->ef0002_size = kit_ef0002_print(&person->person, card->ef0002);
    card->ef0004 = authorities->card_der;
    card->ef0004_size = authorities->card_der_size;
    return kit_card_sign(card, authorities);
}
