/* The four items as the card's face-item application (券面事項入力補助AP) holds them, EF 0002, and its SHA-256, which
 * the card signs in EF 0003 (domain.md 2.4). Ours is modelled on it: FF20 { DF21 offsets, DF22 name, DF23 address, DF24
 * birth date, DF25 sex }, BER-TLV lengths; DF21 holds four big-endian 16-bit offsets of the tags DF22..DF25 inside
 * FF20's value. */
#ifndef CHASSIS_CARD_ITEMS_H
#define CHASSIS_CARD_ITEMS_H

#include "chassis/person_match.h"

#include <stdint.h>

#define CARD_ITEMS_BYTES (PERSON_NAME_BYTES + PERSON_ADDRESS_BYTES + 64)

/* Write EF 0002; returns its length. */
size_t card_items_print(const struct person *person, uint8_t out[CARD_ITEMS_BYTES]);
void card_items_digest(const struct person *person, uint8_t sha256[32]);

#endif
