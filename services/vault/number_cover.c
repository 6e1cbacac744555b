#include "vault/number_cover.h"

#include <openssl/crypto.h>

bool number_token(
    struct work *work, const char *domain, const struct my_number *number, uint8_t token[INDEX_TOKEN_BYTES])
{
    return index_token(work_manager(work), domain, number->digits, MY_NUMBER_DIGITS, token)
               ? true
               : fault_set(&work->fault, FAULT_internal, "index_key");
}

bool number_uncover(
    struct work *work, const char *table, const char *row, struct bytes covered, struct my_number *number)
{
    struct fault fault;
    struct bytes plain =
        cover_take(work->arena, (struct cover_place){table, work_manager(work), row}, covered.data, covered.len);
    bool taken = plain.data && my_number_take(number, plain.data, plain.len, &fault);
    if (plain.data)
        OPENSSL_cleanse(plain.data, plain.len);
    return taken ? true : fault_set(&work->fault, FAULT_internal, "cover");
}

bool number_cover(
    struct work *work, const char *table, const char *row, const struct my_number *number, struct bytes *covered)
{
    *covered =
        cover_put(work->arena, (struct cover_place){table, work_manager(work), row}, number->digits, MY_NUMBER_DIGITS);
    return covered->data ? true : fault_set(&work->fault, FAULT_internal, "data_key");
}
