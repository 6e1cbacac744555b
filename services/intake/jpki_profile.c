#include "intake/jpki_profile.h"

#include <stdio.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

static bool wrong(struct fault *fault, const char *part)
{
    char field[FAULT_FIELD_MAX];
    snprintf(field, sizeof field, "certificate.%.80s", part);
    return fault_set(fault, FAULT_certificate_profile, field);
}

static bool key_is_right(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    BIGNUM *exponent = NULL;
    bool ok = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) == 2048 &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, RSA_F4);
    BN_free(exponent);
    return ok && X509_get_signature_nid(certificate) == NID_sha256WithRSAEncryption;
}

static bool usage_is_right(X509 *certificate)
{
    int at = X509_get_ext_by_NID(certificate, NID_key_usage, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate, at)) == 1 &&
           X509_get_key_usage(certificate) == (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
}

static bool policy_is_right(X509 *certificate, const char *policy)
{
    int critical = 0;
    ASN1_OBJECT *wanted = OBJ_txt2obj(policy, 1);
    CERTIFICATEPOLICIES *policies = X509_get_ext_d2i(certificate, NID_certificate_policies, &critical, NULL);
    bool ok = wanted && policies && critical == 1 && sk_POLICYINFO_num(policies) == 1 &&
              OBJ_cmp(sk_POLICYINFO_value(policies, 0)->policyid, wanted) == 0;
    CERTIFICATEPOLICIES_free(policies);
    ASN1_OBJECT_free(wanted);
    return ok;
}

enum { ITEM_NAME, ITEM_NAME_FLAGS, ITEM_SEX, ITEM_BIRTH_DATE, ITEM_ADDRESS, ITEM_ADDRESS_FLAGS, ITEMS };

/* The otherNames of subjectAltName; the arc 1.2.392.200149.8.5.5 and the item's number. */
static const struct {
    const char *oid;
    const char *part;
} item_rows[ITEMS] = {
    [ITEM_NAME] = {"1.2.392.200149.8.5.5.1", "name"},
    [ITEM_NAME_FLAGS] = {"1.2.392.200149.8.5.5.2", "name_substitutes"},
    [ITEM_SEX] = {"1.2.392.200149.8.5.5.3", "sex"},
    [ITEM_BIRTH_DATE] = {"1.2.392.200149.8.5.5.4", "birth_date"},
    [ITEM_ADDRESS] = {"1.2.392.200149.8.5.5.5", "address"},
    [ITEM_ADDRESS_FLAGS] = {"1.2.392.200149.8.5.5.6", "address_substitutes"},
};

struct item_texts {
    char text[ITEMS][PERSON_ADDRESS_BYTES + 1];
    bool given[ITEMS];
};

static bool item_take(struct item_texts *texts, const OTHERNAME *other, struct fault *fault)
{
    char oid[64];
    if (OBJ_obj2txt(oid, sizeof oid, other->type_id, 1) <= 0)
        return wrong(fault, "items");
    for (int item = 0; item < ITEMS; item++) {
        if (strcmp(oid, item_rows[item].oid) != 0)
            continue;
        if (texts->given[item] || other->value->type != V_ASN1_UTF8STRING)
            return wrong(fault, item_rows[item].part);
        const ASN1_UTF8STRING *string = other->value->value.utf8string;
        const unsigned char *bytes = ASN1_STRING_get0_data(string);
        size_t size = (size_t)ASN1_STRING_length(string);
        if (size >= sizeof texts->text[item] || memchr(bytes, '\0', size))
            return wrong(fault, item_rows[item].part);
        memcpy(texts->text[item], bytes, size);
        texts->text[item][size] = '\0';
        texts->given[item] = true;
        return true;
    }
    return true; /* other items may be added to the profile (furigana is announced) */
}

static bool items_take(struct item_texts *texts, X509 *certificate, struct fault *fault)
{
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
    if (!names)
        return wrong(fault, "items");
    bool ok = true;
    for (int i = 0; ok && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_OTHERNAME)
            ok = item_take(texts, name->d.otherName, fault);
    }
    GENERAL_NAMES_free(names);
    return ok;
}

/* 生年月日 is the era's digit (0 unknown, 1 明治 to 5 令和) and the date with the Gregorian year. */
static bool person_take(const struct item_texts *texts, struct jpki_items *items, struct fault *fault)
{
    const char *birth_date = texts->text[ITEM_BIRTH_DATE];
    if (texts->given[ITEM_BIRTH_DATE] && (birth_date[0] < '0' || birth_date[0] > '5'))
        return wrong(fault, item_rows[ITEM_BIRTH_DATE].part);
    struct fault inner = {0};
    if (!person_fill(&items->person, texts->text[ITEM_NAME], texts->text[ITEM_ADDRESS],
            *birth_date ? birth_date + 1 : "", texts->text[ITEM_SEX], &inner))
        return wrong(fault, inner.field);
    items->name_substituted = strchr(texts->text[ITEM_NAME_FLAGS], '1') != NULL;
    items->address_substituted = strchr(texts->text[ITEM_ADDRESS_FLAGS], '1') != NULL;
    return true;
}

bool jpki_profile_check(X509 *certificate, const char *policy, struct jpki_items *items, struct fault *fault)
{
    /* The first call of these parses the extensions and sets the flags of those that are broken or unknown. */
    uint32_t flags = X509_get_extension_flags(certificate);
    if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL) || X509_get_version(certificate) != X509_VERSION_3)
        return wrong(fault, "extensions");
    if (flags & EXFLAG_CA)
        return wrong(fault, "basic_constraints");
    if (!key_is_right(certificate))
        return wrong(fault, "key");
    if (!usage_is_right(certificate))
        return wrong(fault, "key_usage");
    if (!policy_is_right(certificate, policy))
        return wrong(fault, "policy");
    struct item_texts texts = {0};
    bool ok = items_take(&texts, certificate, fault) && person_take(&texts, items, fault);
    explicit_bzero(&texts, sizeof texts);
    return ok;
}
