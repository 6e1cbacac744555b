#include "vault/pseudonym.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>

#define CHARACTERS 16
#define GROUP 4
#define LETTERS_FROM 10 /* alphabet[10..31] are letters */

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Luhn modulo 32 over the first `count` values. */
static int luhn_check(const int *values, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        int addend = values[i] * (i % 2 == (count + 1) % 2 ? 2 : 1);
        sum += addend / 32 + addend % 32;
    }
    return (32 - sum % 32) % 32;
}

static void text_print(const int values[CHARACTERS], char text[PSEUDONYM_LENGTH + 1])
{
    int at = 0;
    for (int i = 0; i < CHARACTERS; i++) {
        if (i && i % GROUP == 0)
            text[at++] = '-';
        text[at++] = alphabet[values[i]];
    }
    text[at] = '\0';
}

bool pseudonym_make(char text[PSEUDONYM_LENGTH + 1])
{
    uint8_t raw[CHARACTERS];
    int values[CHARACTERS];
    if (RAND_bytes(raw, sizeof raw) != 1)
        return false;
    for (int i = 0; i < CHARACTERS - 1; i++)
        values[i] = i % GROUP ? raw[i] % 32 : LETTERS_FROM + raw[i] % (32 - LETTERS_FROM);
    values[CHARACTERS - 1] = luhn_check(values, CHARACTERS - 1);
    text_print(values, text);
    return true;
}

bool pseudonym_check(const char *text)
{
    int values[CHARACTERS] = {0}, count = 0;
    if (strlen(text) != PSEUDONYM_LENGTH)
        return false;
    for (int i = 0; i < PSEUDONYM_LENGTH; i++) {
        if (i % (GROUP + 1) == GROUP) {
            if (text[i] != '-')
                return false;
            continue;
        }
        const char *found = strchr(alphabet, text[i]);
        if (!found || (count % GROUP == 0 && found - alphabet < LETTERS_FROM))
            return false;
        values[count++] = (int)(found - alphabet);
    }
    return luhn_check(values, CHARACTERS - 1) == values[CHARACTERS - 1];
}
