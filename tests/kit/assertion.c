#include "kit/assertion.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include "kit/base64.h"

static void hex_print(const unsigned char *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* JOSE wants r and s, 32 bytes each, where OpenSSL gives a DER sequence (RFC 7518 section 3.4). */
static bool es256_sign(EVP_PKEY *key, const char *text, unsigned char out[64])
{
    unsigned char der[128];
    const unsigned char *at = der;
    size_t size = sizeof der;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(context, der, &size, (const unsigned char *)text, strlen(text)) == 1;
    ECDSA_SIG *signature = ok ? d2i_ECDSA_SIG(NULL, &at, (long)size) : NULL;
    ok = signature && BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, 32) == 32 &&
         BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    EVP_MD_CTX_free(context);
    return ok;
}

static char *claims_print(const struct kit_assertion *assertion)
{
    unsigned char random[16], digest[32];
    char id[33], ath[96] = "", *claims;
    if (RAND_bytes(random, sizeof random) != 1)
        return NULL;
    hex_print(random, sizeof random, id);
    if (assertion->body) {
        char hex[65];
        SHA256(assertion->body, assertion->body_size, digest);
        hex_print(digest, sizeof digest, hex);
        snprintf(ath, sizeof ath, ",\"ath\":\"%s\"", hex);
    }
    time_t issued = assertion->issued ? assertion->issued : time(NULL);
    time_t expires = assertion->expires ? assertion->expires : issued + 300;
    int length =
        asprintf(&claims, "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"%s\"%s}",
            assertion->issuer ? assertion->issuer : "mynaportal", assertion->pseudonym,
            assertion->audience ? assertion->audience : "shikaku", (long long)issued, (long long)expires,
            assertion->id ? assertion->id : id, ath);
    return length < 0 ? NULL : claims;
}

char *kit_assertion_make(EVP_PKEY *key, const struct kit_assertion *assertion)
{
    static const char header[] = "{\"alg\":\"ES256\",\"typ\":\"JWT\"}";
    unsigned char signature[64];
    char *text = NULL, *signing = NULL, *claims = claims_print(assertion);
    char *first = kit_base64url(header, sizeof header - 1), *last = NULL;
    char *middle = claims ? kit_base64url(claims, strlen(claims)) : NULL;
    if (first && middle && asprintf(&signing, "%s.%s", first, middle) > 0 && es256_sign(key, signing, signature) &&
        (last = kit_base64url(signature, sizeof signature)) && asprintf(&text, "%s.%s", signing, last) < 0)
        text = NULL;
    free(claims);
    free(first);
    free(middle);
    free(last);
    free(signing);
    return text;
}
