#include "certificates/certificate_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static EVP_PKEY *key_make(const uint8_t *secret, const uint8_t point[65])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *scalar = secret ? BN_secure_new() : NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (!build || !context || !OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ||
        !OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 65))
        goto out;
    if (secret && (!scalar || !BN_bin2bn(secret, 32, scalar) ||
                      !OSSL_PARAM_BLD_push_BN_pad(build, OSSL_PKEY_PARAM_PRIV_KEY, scalar, 32)))
        goto out;
    if (!(params = OSSL_PARAM_BLD_to_param(build)) || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
out:
    BN_clear_free(scalar);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(context);
    return key;
}

bool certificate_key_sign(
    const uint8_t secret[32], const uint8_t point[65], const uint8_t digest[32], uint8_t signature[64])
{
    EVP_PKEY *key = key_make(secret, point);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    uint8_t der[80];
    const uint8_t *at = der;
    size_t len = sizeof der;
    ECDSA_SIG *pair = NULL;
    bool ok = context && EVP_PKEY_sign_init(context) > 0 && EVP_PKEY_sign(context, der, &len, digest, 32) > 0 &&
              (pair = d2i_ECDSA_SIG(NULL, &at, (long)len)) &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32;
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

bool certificate_key_check(const uint8_t point[65], const uint8_t digest[32], const uint8_t signature[64])
{
    EVP_PKEY *key = key_make(NULL, point);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, 32, NULL), *s = BN_bin2bn(signature + 32, 32, NULL);
    unsigned char *der = NULL;
    int len = -1;
    bool ok = false;

    if (!context || !pair || !r || !s || !ECDSA_SIG_set0(pair, r, s))
        goto out;
    r = s = NULL;
    len = i2d_ECDSA_SIG(pair, &der);
    ok = len > 0 && EVP_PKEY_verify_init(context) > 0 && EVP_PKEY_verify(context, der, (size_t)len, digest, 32) == 1;
out:
    OPENSSL_free(der);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}
