#include "chassis/index_tokens.h"

#include <openssl/rand.h>
#include <string.h>

static bool token_under(const struct key *key, const struct index_tokens *made, const char *domain, const void *plain,
    size_t len, uint8_t *out)
{
    if (key && key->id != made->key)
        return index_token_by(key, domain, plain, len, out);
    memcpy(out, made->token, INDEX_TOKEN_BYTES);
    return true;
}

static void tokens_of(const struct key_index *keys, struct index_tokens *tokens)
{
    tokens->key = keys->token->id;
    tokens->carries = keys->next != NULL;
    tokens->looks_twice = keys->other != NULL;
}

bool index_tokens_make(
    const struct key_index *keys, const char *domain, const void *plain, size_t len, struct index_tokens *tokens)
{
    tokens_of(keys, tokens);
    return index_token_by(keys->token, domain, plain, len, tokens->token) &&
           token_under(keys->next, tokens, domain, plain, len, tokens->next) &&
           token_under(keys->other, tokens, domain, plain, len, tokens->other);
}

bool index_tokens_void(const struct key_index *keys, struct index_tokens *tokens)
{
    tokens_of(keys, tokens);
    if (RAND_bytes(tokens->token, INDEX_TOKEN_BYTES) != 1 || RAND_bytes(tokens->next, INDEX_TOKEN_BYTES) != 1)
        return false;
    memcpy(tokens->other, tokens->token, INDEX_TOKEN_BYTES);
    return true;
}

struct pg_value index_key_value(const struct index_tokens *tokens)
{
    return pg_integer(tokens->key);
}

struct pg_value index_token_value(const struct index_tokens *tokens)
{
    return pg_bytes(tokens->token, INDEX_TOKEN_BYTES);
}

struct pg_value index_next_value(const struct index_tokens *tokens)
{
    return pg_bytes(tokens->carries ? tokens->next : NULL, INDEX_TOKEN_BYTES);
}

struct pg_value index_other_value(const struct index_tokens *tokens)
{
    return pg_bytes(tokens->other, INDEX_TOKEN_BYTES);
}
