/* Synthetic people (架空の人物). A person follows from (seed, index) alone, so that programs that never talk to each
 * other mean the same person by the same two numbers. Within one seed no two people share a number, a residence code or
 * a portal pseudonym; two seeds share the ranges, so one database takes one seed.
 *
 * 個人番号: a number with a right check digit may belong to somebody, and no official test range is known. All of ours
 * come from ONE reserved base range: the first 11 digits are KIT_NUMBER_PREFIX and seven free digits. Nothing that is
 * not in this range is ever used as a number, and nobody may type in a number of their own. 住民票コード: likewise. */
#ifndef KIT_PEOPLE_H
#define KIT_PEOPLE_H

#include <stdbool.h>
#include <stdint.h>
#include "chassis/person_match.h"

#define KIT_NUMBER_PREFIX "9999"   /* of 個人番号: 99990000000 .. 99999999999 and a check digit */
#define KIT_RESIDENCE_PREFIX "999" /* of 住民票コード: 9990000000 .. 9999999999 and a check digit */
#define KIT_PEOPLE_MAX 10000000u   /* seven free digits */
#define KIT_RARE_EVERY 8           /* people 7, 15, 23 … have a rare character in the name, each of six in turn */

struct kit_person {
    uint64_t seed;
    uint32_t index;
    struct person person;          /* raw code points, as the card and the residence network hold them */
    char kana[200];                /* full-width katakana, U+3000 between family and given name */
    char number[13];               /* 個人番号 */
    char residence_code[12];       /* 住民票コード */
    char portal_pseudonym[37];     /* マイナポータル仮名ID */
    char domicile[300];            /* 本籍 */
    const char *prefecture, *city; /* of the address, in Latin letters as a certificate's subject has them; static */
};

/* index is taken modulo KIT_PEOPLE_MAX. */
void kit_person_make(struct kit_person *person, uint64_t seed, uint32_t index);
/* The person of this seed with this number or residence code; false if the text is not of the reserved range. */
MUST_USE bool kit_person_find(struct kit_person *person, uint64_t seed, const char *number_or_code);

/* Check digit of the first 11 digits of a 個人番号 (番号法施行令8条, 総務省令85号5条). */
char kit_number_check_digit(const char *base);
/* Check digit of the first 10 digits of a 住民票コード. The formula is not in an official text; see domain.md 1.2. */
char kit_residence_check_digit(const char *base);

/* Ways in which a number goes wrong between a card and a keyboard. */
enum kit_number_damage {
    KIT_NUMBER_WRONG_CHECK_DIGIT,
    KIT_NUMBER_DIGIT_CHANGED,   /* one digit; the check digit notices */
    KIT_NUMBER_DIGIT_UNNOTICED, /* one digit; the check digit does not notice (1.7 % of such errors) */
    KIT_NUMBER_SWAPPED,         /* two neighbours; the check digit notices */
    KIT_NUMBER_SHORT,
    KIT_NUMBER_LONG,
    KIT_NUMBER_LETTER,
    KIT_NUMBER_FULL_WIDTH, /* １２… as an input method leaves them */
    KIT_NUMBER_ZEROS,      /* formally right, refused by policy */
    KIT_NUMBER_DAMAGES,
};
#define KIT_NUMBER_DAMAGED_SIZE 37
/* False where this number cannot be damaged so (all its neighbours equal, no unnoticed change). */
MUST_USE bool kit_number_damage(enum kit_number_damage how, const char *number, char damaged[KIT_NUMBER_DAMAGED_SIZE]);

#endif
