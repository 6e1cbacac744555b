/* Comparing two persons by the four items (基本4情報: name, address, birth date, sex). Who asks a register compares its
 * answer with what was applied for by this one pure function: no official rule is public, so the rule is ours, has a
 * version, and anything it finds different goes to a person, never to a silent yes. The forms used for comparing are
 * made here and forgotten here: what is stored is always the raw text. */
#ifndef CHASSIS_PERSON_MATCH_H
#define CHASSIS_PERSON_MATCH_H

#include <stdbool.h>
#include "chassis/fault.h"

#define PERSON_NAME_BYTES 600     /* 200 code points of up to 3 bytes */
#define PERSON_ADDRESS_BYTES 1200 /* 400 code points of up to 3 bytes */

/* UTF-8 exactly as given, never normalised; every text is NUL-terminated. */
struct person {
    char name[PERSON_NAME_BYTES + 1]; /* 姓 U+3000 名 */
    char address[PERSON_ADDRESS_BYTES + 1];
    char birth_date[9]; /* YYYYMMDD, Gregorian */
    char sex;           /* '1' male, '2' female, '3' unknown, 0 not given */
};

enum person_item {
    PERSON_NAME,
    PERSON_ADDRESS,
    PERSON_BIRTH_DATE,
    PERSON_SEX,
    PERSON_ITEMS,
};

enum person_agreement {
    PERSON_DIFFERENT = 0,  /* or missing or not valid UTF-8 on either side: absence proves nothing */
    PERSON_NORMALISED = 1, /* equal only after normalisation by rule_version */
    PERSON_EQUAL = 2,      /* the same bytes */
};

/* The version of the normalisation rule. Kept with every outcome, so that a later rule can be told from it. */
#define PERSON_RULE_VERSION 1

struct person_match {
    enum person_agreement items[PERSON_ITEMS];
    int rule_version;
};

/* Compare the four items of two persons. Pure: no state, no allocation kept, safe from any thread. Birth date and sex
 * are equal or different; only name and address are normalised. */
struct person_match person_match_compare(const struct person *one, const struct person *other);

/* True if no item is different: the outcome that may be accepted without a person's decision. */
bool person_match_agrees(const struct person_match *match);

/* True if all four items are the same bytes. */
bool person_match_is_exact(const struct person_match *match);

/* "name", "address", "birth_date", "sex"; "equal", "equal_normalised", "different": the words of intake.proto; static.
 */
const char *person_item_text(enum person_item item);
const char *person_agreement_text(enum person_agreement agreement);

/* Short ASCII text of the outcome for records and journals, e.g. "name=equal address=equal_normalised birth_date=equal
 * sex=different rule=1". Holds no personal value. Writes at most size bytes with the NUL. */
#define PERSON_MATCH_TEXT_MAX 128
void person_match_print(const struct person_match *match, char *text, unsigned long size);

/* The comparing form of a name, as UTF-8: for a keyed index token of a search, never for storing or showing. False if
 * the name is empty, not UTF-8, or the form does not fit size bytes with the NUL (PERSON_NAME_KEY_MAX is always enough
 * for the name of a struct person that is no abuse of compatibility characters). */
#define PERSON_NAME_KEY_MAX 1024
MUST_USE bool person_name_normalise(const char *name, char *key, unsigned long size);

/* Fill a person. False with item_missing, item_too_long or item_invalid and the item's name (name, address, birth_date,
 * sex) in fault if a text is NULL, empty, too long or not UTF-8, the date no date of the calendar, the sex not 1-3. */
MUST_USE bool person_fill(struct person *person, const char *name, const char *address, const char *birth_date,
    const char *sex, struct fault *fault);

#endif
