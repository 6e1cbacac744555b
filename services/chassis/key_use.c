/* What can be done with a key without handing its secret on: public halves and signatures. */
#include "chassis/keyring.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

static bool raw_public(int type, const struct key *key, uint8_t out[32])
{
    size_t len = 32;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(type, NULL, key->secret, KEY_BYTES);
    bool got = pair && EVP_PKEY_get_raw_public_key(pair, out, &len) == 1 && len == 32;
    EVP_PKEY_free(pair);
    return got;
}

bool key_x25519_public(const struct key *key, uint8_t out[32])
{
    return raw_public(EVP_PKEY_X25519, key, out);
}

bool key_ed25519_public(const struct key *key, uint8_t out[32])
{
    return raw_public(EVP_PKEY_ED25519, key, out);
}

bool key_p256_public(const struct key *key, uint8_t out[65])
{
    bool got = false;
    BIGNUM *scalar = BN_secure_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    if (!scalar || !point || !BN_bin2bn(key->secret, KEY_BYTES, scalar))
        goto out;
    got = EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1 &&
          EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, 65, NULL) == 65;
out:
    EC_POINT_free(point);
    EC_GROUP_free(group);
    BN_clear_free(scalar);
    return got;
}

bool key_sign(const struct key *key, const void *data, size_t len, uint8_t signature[64])
{
    size_t size = 64;
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->secret, KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool made = pair && context && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
                EVP_DigestSign(context, signature, &size, data, len) == 1 && size == 64;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pair);
    return made;
}

bool key_signature_check(const uint8_t public_key[32], const void *data, size_t len, const uint8_t signature[64])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool right = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, 64, data, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return right;
}
