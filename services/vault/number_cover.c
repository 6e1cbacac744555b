#include "vault/number_cover.h"

#include <openssl/crypto.h>

bool index_keys(struct work *work, struct key_index *keys)
{
    return keyring_index(work_manager(work), keys) ? true : fault_set(&work->fault, FAULT_internal, "index_key");
}

bool number_tokens_by(struct work *work, const struct key_index *keys, const char *domain,
    const struct my_number *number, struct index_tokens *tokens)
{
    return index_tokens_make(keys, domain, number->digits, MY_NUMBER_DIGITS, tokens)
               ? true
               : fault_set(&work->fault, FAULT_internal, "index_key");
}

bool number_tokens(struct work *work, const char *domain, const struct my_number *number, struct index_tokens *tokens)
{
    struct key_index keys;
    return index_keys(work, &keys) && number_tokens_by(work, &keys, domain, number, tokens);
}

bool void_tokens(struct work *work, struct index_tokens *tokens)
{
    struct key_index keys;
    return index_keys(work, &keys) &&
           (index_tokens_void(&keys, tokens) || fault_set(&work->fault, FAULT_internal, "index_key"));
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
    return taken ? true : fault_set(&work->fault, cover_refusal(covered.data, covered.len), "cover");
}

bool number_cover(
    struct work *work, const char *table, const char *row, const struct my_number *number, struct bytes *covered)
{
    *covered =
        cover_put(work->arena, (struct cover_place){table, work_manager(work), row}, number->digits, MY_NUMBER_DIGITS);
    return covered->data ? true : fault_set(&work->fault, FAULT_internal, "data_key");
}
