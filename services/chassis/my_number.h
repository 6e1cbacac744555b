/* 個人番号: twelve digits, the last a check digit (番号法施行令8条; 総務省令85号5条). Nothing prints one: there is no
 * formatting function, and a rule (tests/rules) forbids making one. Only what must seal or write a number to an
 * entitled recipient reads `digits`. Wipe with my_number_wipe as soon as it was used. */
#ifndef CHASSIS_MY_NUMBER_H
#define CHASSIS_MY_NUMBER_H

#include "chassis/fault.h"

#include <stdint.h>

#define MY_NUMBER_DIGITS 12

struct my_number {
    char digits[MY_NUMBER_DIGITS]; /* no NUL behind */
};

/* Exactly twelve ASCII digits with a right check digit; the formally valid 000000000000 is refused by policy.
 * Faults: number_malformed, number_check_digit. */
MUST_USE bool my_number_take(struct my_number *number, const void *text, size_t len, struct fault *fault);
bool my_number_equal(const struct my_number *one, const struct my_number *other); /* constant time */
void my_number_wipe(struct my_number *number);

/* The check digit of eleven digits. */
char my_number_check_digit(const char digits[MY_NUMBER_DIGITS - 1]);

#endif
