#include "intermediate/acquisition_number.h"

#include <openssl/rand.h>
#include <stdlib.h>

void acquisition_number_make(char number[ACQUISITION_NUMBER_SIZE])
{
    static const char alphabet[33] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char raw[ACQUISITION_NUMBER_SIZE - 2];
    if (RAND_bytes(raw, sizeof raw) != 1)
        abort();
    number[0] = 'Q';
    for (unsigned i = 0; i < sizeof raw; i++)
        number[i + 1] = alphabet[raw[i] & 31];
    number[ACQUISITION_NUMBER_SIZE - 1] = 0;
}
