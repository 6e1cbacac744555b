/* The tokens by which a row is found while an index key may be being replaced (keyring_index). In quiet times there is
 * one. A row is inserted with `token` and `next`, both UNIQUE within the manager; it is looked up by `token` or `other`
 * in its first column: `token IN ($2, $3)`. */
#ifndef CHASSIS_INDEX_TOKENS_H
#define CHASSIS_INDEX_TOKENS_H

#include "chassis/cover.h"
#include "chassis/keyring.h"
#include "chassis/pg.h"

struct index_tokens {
    uint32_t key;     /* data_key of `token` */
    bool carries;     /* `next` is to be written; else NULL is */
    bool looks_twice; /* `other` is another token than `token` */
    uint8_t token[INDEX_TOKEN_BYTES], next[INDEX_TOKEN_BYTES];
    uint8_t other[INDEX_TOKEN_BYTES]; /* the same as `token` in quiet times */
};

/* `keys` are those of keyring_index: the same for all rows that are written by one statement. */
MUST_USE bool index_tokens_make(
    const struct key_index *keys, const char *domain, const void *plain, size_t len, struct index_tokens *tokens);
/* Tokens that belong to nothing, for a row that is nobody's. */
MUST_USE bool index_tokens_void(const struct key_index *keys, struct index_tokens *tokens);

struct pg_value index_key_value(const struct index_tokens *tokens); /* ::integer */
struct pg_value index_token_value(const struct index_tokens *tokens);
struct pg_value index_next_value(const struct index_tokens *tokens); /* SQL NULL where rows carry none */
struct pg_value index_other_value(const struct index_tokens *tokens);

#endif
