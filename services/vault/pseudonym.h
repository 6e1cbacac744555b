/* 資格仮名ID: what a roll is keyed by. Random, never derived; four groups of four, e.g. "K7QD-M2XA-…": 15 random
 * characters of 32 that are not mistaken for one another (no I, L, O, U) and a check character (Luhn modulo 32), so
 * that a slip in reading aloud is noticed. Each group begins with a letter, so that no pseudonym can look like twelve
 * digits. About 73 bits. */
#ifndef VAULT_PSEUDONYM_H
#define VAULT_PSEUDONYM_H

#include "chassis/fault.h"

#define PSEUDONYM_LENGTH 19

MUST_USE bool pseudonym_make(char text[PSEUDONYM_LENGTH + 1]); /* false: no randomness to be had */
bool pseudonym_check(const char *text);                        /* form, check character; not whether it exists */

#endif
