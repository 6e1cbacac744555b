#include "kit/authority.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY 86400

EVP_PKEY *kit_rsa_key_new(void)
{
    return EVP_RSA_gen(2048);
}

X509_EXTENSION *kit_extension(X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, issuer, NULL, NULL, 0);
    return X509V3_EXT_conf_nid(NULL, &context, nid, value);
}

static bool extension_add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool name_add(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) == 1;
}

bool kit_certificate_date(X509 *certificate, time_t from, time_t until)
{
    unsigned char random[8];
    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    random[0] = (unsigned char)((random[0] & 0x7F) | 0x40); /* positive, and always the same length */
    BIGNUM *serial = BN_bin2bn(random, sizeof random, NULL);
    bool ok = serial && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) &&
              X509_set_version(certificate, X509_VERSION_3) == 1 &&
              ASN1_TIME_adj(X509_getm_notBefore(certificate), from, 0, 0) &&
              ASN1_TIME_adj(X509_getm_notAfter(certificate), until, 0, 0);
    BN_free(serial);
    return ok;
}

X509 *kit_root_make(EVP_PKEY *key, const char *organisation, const char *unit)
{
    time_t now = time(NULL);
    X509 *root = X509_new();
    X509_NAME *name = root ? X509_get_subject_name(root) : NULL;
    if (name && kit_certificate_date(root, now - DAY, now + 3650L * DAY) && name_add(name, "C", "JP") &&
        name_add(name, "O", organisation) && name_add(name, "OU", unit) && X509_set_issuer_name(root, name) == 1 &&
        X509_set_pubkey(root, key) == 1 && extension_add(root, root, NID_basic_constraints, "critical,CA:TRUE") &&
        extension_add(root, root, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        extension_add(root, root, NID_subject_key_identifier, "hash") && X509_sign(root, key, EVP_sha256()) > 0)
        return root;
    X509_free(root);
    return NULL;
}

X509 *kit_root_certify(EVP_PKEY *root_key, X509 *root, EVP_PKEY *key, const char *common_name, bool is_client)
{
    time_t now = time(NULL);
    X509 *certificate = X509_new();
    X509_NAME *name = certificate ? X509_get_subject_name(certificate) : NULL;
    if (name && kit_certificate_date(certificate, now - DAY, now + 3650L * DAY) && name_add(name, "C", "JP") &&
        name_add(name, "CN", common_name) && X509_set_issuer_name(certificate, X509_get_subject_name(root)) == 1 &&
        X509_set_pubkey(certificate, key) == 1 &&
        extension_add(certificate, root, NID_basic_constraints, "critical,CA:FALSE") &&
        extension_add(certificate, root, NID_key_usage, "critical,digitalSignature") &&
        (!is_client || extension_add(certificate, root, NID_ext_key_usage, "clientAuth")) &&
        X509_sign(certificate, root_key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* crlDistributionPoints is a directory name of the authority, not a URL (domain.md 2.1). The real list is cut by
 * municipality; ours is one. */
static X509_EXTENSION *crl_place_make(void)
{
    X509_EXTENSION *extension = NULL;
    DIST_POINT *point = DIST_POINT_new();
    GENERAL_NAME *general = GENERAL_NAME_new();
    X509_NAME *name = X509_NAME_new();
    CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
    if (!point || !general || !name || !points || !name_add(name, "C", "JP") || !name_add(name, "O", "JPKI") ||
        !name_add(name, "OU", "JPKI for digital signature") || !name_add(name, "OU", "CRL Distribution Points"))
        goto out;
    GENERAL_NAME_set0_value(general, GEN_DIRNAME, name);
    name = NULL;
    if (!(point->distpoint = DIST_POINT_NAME_new()) || !(point->distpoint->name.fullname = GENERAL_NAMES_new()) ||
        !sk_GENERAL_NAME_push(point->distpoint->name.fullname, general))
        goto out;
    general = NULL;
    point->distpoint->type = 0; /* fullName */
    if (!sk_DIST_POINT_push(points, point))
        goto out;
    point = NULL;
    extension = X509V3_EXT_i2d(NID_crl_distribution_points, 0, points);
out:
    X509_NAME_free(name);
    GENERAL_NAME_free(general);
    DIST_POINT_free(point);
    CRL_DIST_POINTS_free(points);
    return extension;
}

static X509_EXTENSION *issuer_name_make(void)
{
    X509_EXTENSION *extension = NULL;
    GENERAL_NAME *general = GENERAL_NAME_new();
    X509_NAME *name = X509_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    if (!general || !name || !names || !name_add(name, "C", "JP") || !name_add(name, "O", "公的個人認証サービス"))
        goto out;
    GENERAL_NAME_set0_value(general, GEN_DIRNAME, name);
    name = NULL;
    if (!sk_GENERAL_NAME_push(names, general))
        goto out;
    general = NULL;
    extension = X509V3_EXT_i2d(NID_issuer_alt_name, 0, names);
out:
    X509_NAME_free(name);
    GENERAL_NAME_free(general);
    GENERAL_NAMES_free(names);
    return extension;
}

X509_EXTENSION *kit_policy_extension(const char *policy, bool critical)
{
    X509_EXTENSION *extension = NULL;
    POLICYINFO *info = POLICYINFO_new();
    POLICYQUALINFO *qualifier = POLICYQUALINFO_new();
    CERTIFICATEPOLICIES *policies = CERTIFICATEPOLICIES_new();
    if (!info || !qualifier || !policies)
        goto out;
    ASN1_OBJECT_free(info->policyid);
    info->policyid = OBJ_txt2obj(policy, 1);
    qualifier->pqualid = OBJ_nid2obj(NID_id_qt_cps);
    qualifier->d.cpsuri = ASN1_IA5STRING_new();
    info->qualifiers = sk_POLICYQUALINFO_new_null();
    if (!info->policyid || !qualifier->d.cpsuri || !info->qualifiers ||
        !ASN1_STRING_set(qualifier->d.cpsuri, "http://127.0.0.1/cps.html", -1) ||
        !sk_POLICYQUALINFO_push(info->qualifiers, qualifier))
        goto out;
    qualifier = NULL;
    if (!sk_POLICYINFO_push(policies, info))
        goto out;
    info = NULL;
    extension = X509V3_EXT_i2d(NID_certificate_policies, critical, policies);
out:
    POLICYQUALINFO_free(qualifier);
    POLICYINFO_free(info);
    CERTIFICATEPOLICIES_free(policies);
    return extension;
}

struct kit_authority *kit_authority_take(EVP_PKEY *key, X509 *root)
{
    struct kit_authority *authority = calloc(1, sizeof *authority);
    if (!authority) {
        EVP_PKEY_free(key);
        X509_free(root);
        return NULL;
    }
    authority->key = key;
    authority->root = root;
    if (key && root && (authority->policy = kit_policy_extension(KIT_POLICY_TEST, true)) &&
        (authority->key_usage = kit_extension(root, NID_key_usage, "critical,digitalSignature,nonRepudiation")) &&
        (authority->issuer_name = issuer_name_make()) && (authority->crl_place = crl_place_make()) &&
        (authority->key_id = kit_extension(root, NID_authority_key_identifier, "keyid:always")))
        return authority;
    kit_authority_free(authority);
    return NULL;
}

struct kit_authority *kit_authority_new(const char *unit)
{
    EVP_PKEY *key = kit_rsa_key_new();
    return kit_authority_take(key, key ? kit_root_make(key, "JPKI test", unit) : NULL);
}

void kit_authority_free(struct kit_authority *authority)
{
    if (!authority)
        return;
    EVP_PKEY_free(authority->key);
    X509_free(authority->root);
    X509_EXTENSION_free(authority->policy);
    X509_EXTENSION_free(authority->key_usage);
    X509_EXTENSION_free(authority->issuer_name);
    X509_EXTENSION_free(authority->crl_place);
    X509_EXTENSION_free(authority->key_id);
    free(authority);
}

bool kit_authority_root_save(const struct kit_authority *authority, const char *file)
{
    FILE *out = fopen(file, "we");
    bool ok = out && PEM_write_X509(out, authority->root) == 1;
    if (out)
        ok = fclose(out) == 0 && ok;
    return ok;
}

char *kit_certificate_serial(const X509 *certificate)
{
    char *text = NULL;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    if (hex && (text = strdup(hex)) != NULL)
        for (char *at = text; *at; at++)
            *at = (char)tolower((unsigned char)*at);
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static bool crl_revoke(X509_CRL *list, const char *serial, const ASN1_TIME *at)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *integer = NULL;
    X509_REVOKED *revoked = X509_REVOKED_new();
    bool ok = revoked && *serial && BN_hex2bn(&number, serial) == (int)strlen(serial) &&
              (integer = BN_to_ASN1_INTEGER(number, NULL)) && X509_REVOKED_set_serialNumber(revoked, integer) == 1 &&
              X509_REVOKED_set_revocationDate(revoked, (ASN1_TIME *)at) == 1 && X509_CRL_add0_revoked(list, revoked);
    if (!ok)
        X509_REVOKED_free(revoked);
    ASN1_INTEGER_free(integer);
    BN_free(number);
    return ok;
}

uint8_t *kit_crl_make(const struct kit_authority *authority, const struct kit_crl *crl, size_t *size)
{
    uint8_t *der = NULL;
    unsigned char *encoded = NULL;
    int length = 0;
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, crl->this_update), *next_update = NULL;
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    if (!list || !this_update || !number || !ASN1_INTEGER_set(number, crl->number) ||
        !X509_CRL_set_version(list, X509_CRL_VERSION_2) ||
        !X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->root)) ||
        !X509_CRL_set1_lastUpdate(list, this_update) || !X509_CRL_add_ext(list, authority->key_id, -1) ||
        !X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0))
        goto out;
    if (crl->next_update &&
        (!(next_update = ASN1_TIME_set(NULL, crl->next_update)) || !X509_CRL_set1_nextUpdate(list, next_update)))
        goto out;
    if (crl->is_delta && !X509_CRL_add1_ext_i2d(list, NID_delta_crl, number, 1, 0))
        goto out;
    for (size_t i = 0; i < crl->count; i++)
        if (!crl_revoke(list, crl->serials[i], this_update))
            goto out;
    if (!X509_CRL_sort(list) || X509_CRL_sign(list, authority->key, EVP_sha256()) <= 0 ||
        (length = i2d_X509_CRL(list, &encoded)) <= 0 || !(der = malloc((size_t)length)))
        goto out;
    memcpy(der, encoded, (size_t)length);
    *size = (size_t)length;
out:
    OPENSSL_free(encoded);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    X509_CRL_free(list);
    return der;
}
