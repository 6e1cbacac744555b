#include "chassis/cover.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define KEY_ID_BYTES 4
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define OVERHEAD (KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES)

/* OpenSSL looks an algorithm up at each use unless it is held: for what is as short as a row that costs more than the
 * work itself. They live as long as the process. */
static EVP_CIPHER *aes_256_gcm;
static EVP_MAC *hmac;
static pthread_once_t algorithms_are_held = PTHREAD_ONCE_INIT;

static void algorithms_hold(void)
{
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
}

static const EVP_CIPHER *cipher_held(void)
{
    pthread_once(&algorithms_are_held, algorithms_hold);
    return aes_256_gcm;
}

/* The associated data: which row of which table of which manager, under which key. Lengths go before the texts, so that
 * no two places read alike. */
static bool place_bind(EVP_CIPHER_CTX *cipher, const struct cover_place *place, uint32_t key_id)
{
    const char *const texts[] = {place->table, place->manager, place->row};
    uint32_t number = htobe32(key_id);
    int part;
    if (EVP_CipherUpdate(cipher, NULL, &part, (const uint8_t *)&number, sizeof number) != 1)
        return false;
    for (int i = 0; i < 3; i++) {
        number = htobe32((uint32_t)strlen(texts[i]));
        if (EVP_CipherUpdate(cipher, NULL, &part, (const uint8_t *)&number, sizeof number) != 1 ||
            EVP_CipherUpdate(cipher, NULL, &part, (const uint8_t *)texts[i], (int)strlen(texts[i])) != 1)
            return false;
    }
    return true;
}

struct bytes cover_put(struct arena *arena, struct cover_place place, const void *plain, size_t len)
{
    const struct key *key = keyring_newest(place.manager, KEY_DATA);
    struct bytes covered = {key ? arena_take(arena, len + OVERHEAD) : NULL, len + OVERHEAD};
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int part = 0;
    bool done = false;
    if (!covered.data || !cipher)
        goto out;
    uint32_t id = htobe32(key->id);
    uint8_t *nonce = covered.data + KEY_ID_BYTES, *text = nonce + NONCE_BYTES, *tag = text + len;
    memcpy(covered.data, &id, KEY_ID_BYTES);
    done = RAND_bytes(nonce, NONCE_BYTES) == 1 &&
           EVP_EncryptInit_ex(cipher, cipher_held(), NULL, key->secret, nonce) == 1 &&
           place_bind(cipher, &place, key->id) &&
           EVP_EncryptUpdate(cipher, text, &part, plain ? plain : "", (int)len) == 1 &&
           EVP_EncryptFinal_ex(cipher, tag, &part) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
out:
    EVP_CIPHER_CTX_free(cipher);
    return done ? covered : (struct bytes){NULL, 0};
}

struct bytes cover_take(struct arena *arena, struct cover_place place, const void *data, size_t len)
{
    const uint8_t *covered = data;
    uint32_t id = 0;
    if (len < OVERHEAD)
        return (struct bytes){NULL, 0};
    memcpy(&id, covered, KEY_ID_BYTES);
    const struct key *key = keyring_by_id(be32toh(id));
    struct bytes plain = {key ? arena_take(arena, len - OVERHEAD + 1) : NULL, len - OVERHEAD};
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int part = 0;
    bool done = false;
    if (!plain.data || !cipher || key->kind != KEY_DATA || strcmp(key->manager, place.manager) != 0)
        goto out;
    const uint8_t *nonce = covered + KEY_ID_BYTES, *text = nonce + NONCE_BYTES, *tag = text + plain.len;
    done = EVP_DecryptInit_ex(cipher, cipher_held(), NULL, key->secret, nonce) == 1 &&
           place_bind(cipher, &place, key->id) &&
           EVP_DecryptUpdate(cipher, plain.data, &part, text, (int)plain.len) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)tag) == 1 &&
           EVP_DecryptFinal_ex(cipher, plain.data + plain.len, &part) == 1;
    plain.data[plain.len] = '\0';
out:
    EVP_CIPHER_CTX_free(cipher);
    return done ? plain : (struct bytes){NULL, 0};
}

enum fault_code cover_refusal(const void *covered, size_t len)
{
    uint32_t id = 0;
    if (len < OVERHEAD)
        return FAULT_internal;
    memcpy(&id, covered, KEY_ID_BYTES);
    return keyring_by_id(be32toh(id)) ? FAULT_internal : FAULT_key_retired;
}

/* A key of its own for each domain, so that a token of one field says nothing about another's. */
static bool domain_key_make(const struct key *key, const char *domain, uint8_t domain_key[INDEX_TOKEN_BYTES])
{
    unsigned size = 0;
    return key &&
           HMAC(EVP_sha256(), key->secret, KEY_BYTES, (const uint8_t *)domain, strlen(domain), domain_key, &size) &&
           size == INDEX_TOKEN_BYTES;
}

bool index_token_by(
    const struct key *key, const char *domain, const void *plain, size_t len, uint8_t token[INDEX_TOKEN_BYTES])
{
    uint8_t domain_key[INDEX_TOKEN_BYTES];
    unsigned size = 0;
    bool made = domain_key_make(key, domain, domain_key) &&
                HMAC(EVP_sha256(), domain_key, sizeof domain_key, plain, len, token, &size) &&
                size == INDEX_TOKEN_BYTES;
    OPENSSL_cleanse(domain_key, sizeof domain_key);
    return made;
}

bool index_token(
    const char *manager, const char *domain, const void *plain, size_t len, uint8_t token[INDEX_TOKEN_BYTES])
{
    return index_token_by(keyring_newest(manager, KEY_INDEX), domain, plain, len, token);
}

/* OpenSSL's own context, keyed. */
static EVP_MAC_CTX *context_of(struct index_field *field)
{
    return (EVP_MAC_CTX *)field;
}

struct index_field *index_field_new(const char *manager, const char *domain)
{
    uint8_t domain_key[INDEX_TOKEN_BYTES];
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0), OSSL_PARAM_construct_end()};
    pthread_once(&algorithms_are_held, algorithms_hold);
    bool derived = domain_key_make(keyring_newest(manager, KEY_INDEX), domain, domain_key);
    EVP_MAC_CTX *context = derived ? EVP_MAC_CTX_new(hmac) : NULL;
    if (context && EVP_MAC_init(context, domain_key, sizeof domain_key, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    OPENSSL_cleanse(domain_key, sizeof domain_key);
    return (struct index_field *)context;
}

void index_field_free(struct index_field *field)
{
    EVP_MAC_CTX_free(context_of(field));
}

bool index_field_token(struct index_field *field, const void *plain, size_t len, uint8_t token[INDEX_TOKEN_BYTES])
{
    size_t size = 0;
    return field && EVP_MAC_init(context_of(field), NULL, 0, NULL) == 1 &&
           EVP_MAC_update(context_of(field), plain, len) == 1 &&
           EVP_MAC_final(context_of(field), token, &size, INDEX_TOKEN_BYTES) == 1 && size == INDEX_TOKEN_BYTES;
}
