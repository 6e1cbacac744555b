#include "chassis/my_number.h"

#include <openssl/crypto.h>
#include <string.h>

char my_number_check_digit(const char digits[MY_NUMBER_DIGITS - 1])
{
    static const int weights[MY_NUMBER_DIGITS - 1] = {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
    int sum = 0;
    for (int i = 0; i < MY_NUMBER_DIGITS - 1; i++)
        sum += (digits[i] - '0') * weights[i];
    int rest = sum % 11;
    return (char)(rest <= 1 ? '0' : '0' + 11 - rest);
}

bool my_number_take(struct my_number *number, const void *text, size_t len, struct fault *fault)
{
    const char *digits = text;
    bool zero = true;
    if (len != MY_NUMBER_DIGITS)
        return fault_set(fault, FAULT_number_malformed, "number");
    for (int i = 0; i < MY_NUMBER_DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return fault_set(fault, FAULT_number_malformed, "number");
        zero = zero && digits[i] == '0';
    }
    if (zero || my_number_check_digit(digits) != digits[MY_NUMBER_DIGITS - 1])
        return fault_set(fault, FAULT_number_check_digit, "number");
    memcpy(number->digits, digits, MY_NUMBER_DIGITS);
    return true;
}

bool my_number_equal(const struct my_number *one, const struct my_number *other)
{
    return CRYPTO_memcmp(one->digits, other->digits, MY_NUMBER_DIGITS) == 0;
}

void my_number_wipe(struct my_number *number)
{
    OPENSSL_cleanse(number, sizeof *number);
}
