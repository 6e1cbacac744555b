/* A My Number Card's 券面事項入力補助AP, as files (domain.md 2.4):
 *   EF 0001   FF10 0C, then the 12 digits of the 個人番号
 *   EF 0002   FF20 length { DF21 offsets, DF22 氏名, DF23 住所, DF24 生年月日 (8 digits), DF25 性別 }, lengths in BER;
 * the offsets are those of the tags DF22 … DF25 within FF20's value, two bytes each, the high one first EF 0003   ours,
 * modelled on 2.4: SHA-256(EF 0001), SHA-256(EF 0002), then the card signer's RSA-2048 PKCS#1 v1.5 SHA-256 signature
 * over these 64 bytes EF 0004   the card signer's certificate in DER */
#ifndef KIT_CARD_H
#define KIT_CARD_H

#include "kit/authorities.h"
#include "kit/people.h"

#define KIT_EF0002_MAX 2048

struct kit_card {
    uint8_t ef0001[15];
    uint8_t ef0002[KIT_EF0002_MAX];
    size_t ef0002_size;
    uint8_t ef0003[64 + 256];
    const uint8_t *ef0004; /* borrowed from the authorities */
    size_t ef0004_size;
};

/* The card of a person. False: no memory. */
MUST_USE bool kit_card_make(
    struct kit_card *card, const struct kit_authorities *authorities, const struct kit_person *person);

/* Put another text of 12 bytes in the number's place; EF 0003 stays as it is. */
void kit_card_number_set(struct kit_card *card, const char *number);
/* Make EF 0003 anew, as the card's issuer would. False: no memory. */
MUST_USE bool kit_card_sign(struct kit_card *card, const struct kit_authorities *authorities);

/* EF 0002 of the four items; its size. */
size_t kit_ef0002_print(const struct person *person, uint8_t out[KIT_EF0002_MAX]);

#endif
