#include "kit/sealed_number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cjose/cjose.h>
#include <jansson.h>
#include "kit/base64.h"

struct kit_sealer {
    cjose_jwk_t *key;
};

static struct kit_sealer *sealer_of(cjose_jwk_t *key)
{
    struct kit_sealer *sealer = key ? calloc(1, sizeof *sealer) : NULL;
    if (sealer)
        sealer->key = key;
    else
        cjose_jwk_release(key);
    return sealer;
}

struct kit_sealer *kit_sealer_new(const char *jwks)
{
    cjose_err err;
    json_t *set = json_loads(jwks, 0, NULL), *row;
    cjose_jwk_t *key = NULL;
    size_t i;
    json_array_foreach(json_object_get(set, "keys"), i, row)
    {
        const char *curve = json_string_value(json_object_get(row, "crv"));
        if (!key && curve && strcmp(curve, "P-256") == 0)
            key = cjose_jwk_import_json(row, &err);
    }
    json_decref(set);
    return sealer_of(key);
}

struct kit_sealer *kit_sealer_random(const char *kid)
{
    cjose_err err;
    cjose_jwk_t *key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
    if (key && !cjose_jwk_set_kid(key, kid, strlen(kid), &err)) {
        cjose_jwk_release(key);
        key = NULL;
    }
    return sealer_of(key);
}

void kit_sealer_free(struct kit_sealer *sealer)
{
    if (sealer)
        cjose_jwk_release(sealer->key);
    free(sealer);
}

char *kit_sealer_jwks(const struct kit_sealer *sealer)
{
    cjose_err err;
    char *text = NULL, *key = cjose_jwk_to_json(sealer->key, false, &err);
    if (key && asprintf(&text, "{\"keys\":[%s]}", key) < 0)
        text = NULL;
    free(key);
    return text;
}

char *kit_seal_text(const struct kit_sealer *sealer, const struct kit_binding *binding, const char *plain)
{
    cjose_err err; /* cjose 0.6.2 writes through it without looking */
    char *text = NULL;
    cjose_jwe_t *jwe = NULL;
    cjose_header_t *header = cjose_header_new(&err);
    const char *kid = cjose_jwk_get_kid(sealer->key, &err);
    if (header && cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_ECDH_ES, &err) &&
        cjose_header_set(header, CJOSE_HDR_ENC, CJOSE_HDR_ENC_A256GCM, &err) &&
        (!kid || cjose_header_set(header, CJOSE_HDR_KID, kid, &err)) &&
        cjose_header_set(header, "application", binding->application, &err) &&
        cjose_header_set(header, "manager", binding->manager, &err) &&
        cjose_header_set(header, "signer", binding->signer, &err))
        jwe = cjose_jwe_encrypt(sealer->key, header, (const uint8_t *)plain, strlen(plain), &err);
    if (jwe)
        text = cjose_jwe_export(jwe, &err);
    cjose_jwe_release(jwe);
    cjose_header_release(header);
    return text;
}

char *kit_seal_card(const struct kit_sealer *sealer, const struct kit_binding *binding, const struct kit_card *card)
{
    char *plain = NULL, *sealed = NULL;
    char *ef0001 = kit_base64url(card->ef0001, sizeof card->ef0001);
    char *ef0003 = kit_base64url(card->ef0003, sizeof card->ef0003);
    char *ef0004 = kit_base64url(card->ef0004, card->ef0004_size);
    if (ef0001 && ef0003 && ef0004 &&
        asprintf(&plain, "{\"ef0001\":\"%s\",\"ef0003\":\"%s\",\"ef0004\":\"%s\"}", ef0001, ef0003, ef0004) > 0) {
        sealed = kit_seal_text(sealer, binding, plain);
        free(plain);
    }
    free(ef0001);
    free(ef0003);
    free(ef0004);
    return sealed;
}

char *kit_seal_paper(const struct kit_sealer *sealer, const struct kit_binding *binding, const char *number)
{
    char plain[64 + KIT_NUMBER_DAMAGED_SIZE];
    snprintf(plain, sizeof plain, "{\"number\":\"%.36s\"}", number);
    return kit_seal_text(sealer, binding, plain);
}

char *kit_sealed_open(const struct kit_sealer *sealer, const char *sealed)
{
    cjose_err err;
    size_t size = 0;
    char *text = NULL;
    cjose_jwe_t *jwe = cjose_jwe_import(sealed, strlen(sealed), &err);
    uint8_t *plain = jwe ? cjose_jwe_decrypt(jwe, sealer->key, &size, &err) : NULL;
    if (plain)
        text = strndup((const char *)plain, size);
    free(plain);
    cjose_jwe_release(jwe);
    return text;
}
