#include "intake/application_signature.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include "intake/jpki_profile.h"

static bool invalid(struct fault *fault)
{
    return fault_set(fault, FAULT_signature_invalid, "signature");
}

/* What was read must be all there is, and must be DER: writing it again gives the same bytes. So the certificate that
 * is hashed, kept and checked is the one that was sent. */
static CMS_ContentInfo *cms_read(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    unsigned char *again = NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)size);
    int length = cms ? i2d_CMS_ContentInfo(cms, &again) : -1;
    bool ok = length >= 0 && (size_t)length == size && memcmp(again, bytes, size) == 0;
    OPENSSL_free(again);
    if (ok)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

/* SignedData with attached content of type data, and no CRLs, which would be believed by nobody. */
static bool form_is_right(CMS_ContentInfo *cms)
{
    if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed ||
        OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
        return false;
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    STACK_OF(X509_CRL) *lists = CMS_get1_crls(cms);
    bool has_lists = sk_X509_CRL_num(lists) > 0;
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return content && *content && !has_lists;
}

static bool algorithms_are_right(CMS_SignerInfo *signer)
{
    X509_ALGOR *digest, *signing;
    const ASN1_OBJECT *digest_type, *signing_type;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signing);
    X509_ALGOR_get0(&digest_type, NULL, NULL, digest);
    X509_ALGOR_get0(&signing_type, NULL, NULL, signing);
    int nid = OBJ_obj2nid(signing_type);
    /* Both names mean PKCS#1 v1.5 with the digest named beside it (RFC 5754 section 3.2). */
    return OBJ_obj2nid(digest_type) == NID_sha256 && (nid == NID_rsaEncryption || nid == NID_sha256WithRSAEncryption);
}

/* The signed attributes bind the content's type and digest; unsigned ones could be changed by anyone on the way. */
static bool attributes_are_right(CMS_SignerInfo *signer)
{
    return CMS_signed_get_attr_by_NID(signer, NID_pkcs9_contentType, -1) >= 0 &&
           CMS_signed_get_attr_by_NID(signer, NID_pkcs9_messageDigest, -1) >= 0 &&
           CMS_unsigned_get_attr_count(signer) <= 0;
}

static bool names_signer(CMS_SignerInfo *signer, X509 *certificate)
{
    /* A signer named by key id leaves the others as they were. */
    ASN1_OCTET_STRING *key_id = NULL;
    X509_NAME *issuer = NULL;
    ASN1_INTEGER *serial = NULL;
    return CMS_SignerInfo_get0_signer_id(signer, &key_id, &issuer, &serial) == 1 && issuer && serial &&
           trust_names_equal(issuer, X509_get_issuer_name(certificate)) &&
           ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0;
}

/* The only certificate in it, if it is the only signer's. NULL if not. The caller's. */
static X509 *signer_certificate(CMS_ContentInfo *cms)
{
    X509 *certificate = NULL;
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    if (sk_CMS_SignerInfo_num(signers) == 1 && sk_X509_num(certificates) == 1) {
        CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(signers, 0);
        X509 *only = sk_X509_value(certificates, 0);
        if (algorithms_are_right(signer) && attributes_are_right(signer) && names_signer(signer, only) &&
            X509_up_ref(only) == 1)
            certificate = only;
    }
    sk_X509_pop_free(certificates, X509_free);
    return certificate;
}

static bool signature_read(struct application_signature *signature, CMS_ContentInfo *cms)
{
    if (!form_is_right(cms) || !(signature->certificate = signer_certificate(cms)))
        return false;
    /* The chain is ours to judge, by pinned roots alone: OpenSSL checks the signature and the content's digest. */
    if (CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
        return false;
    const ASN1_OCTET_STRING *content = *CMS_get0_content(cms);
    signature->manifest_size = (size_t)ASN1_STRING_length(content);
    signature->manifest = malloc(signature->manifest_size + 1);
    if (!signature->manifest)
        return false;
    memcpy(signature->manifest, ASN1_STRING_get0_data(content), signature->manifest_size);
    signature->manifest[signature->manifest_size] = '\0';
    return X509_digest(signature->certificate, EVP_sha256(), signature->signer, NULL) == 1;
}

bool application_signature_verify(struct application_signature *signature, const struct trust_roots *roots,
    const char *policy, const void *cms, size_t size, struct fault *fault)
{
    memset(signature, 0, sizeof *signature);
    if (size > APPLICATION_SIGNATURE_MAX)
        return fault_set(fault, FAULT_too_large, "signature");
    struct jpki_items items;
    bool ok = false;
    CMS_ContentInfo *info = cms_read(cms, size);
    if (!info || !signature_read(signature, info)) {
        (void)invalid(fault);
    } else if (!(signature->root = trust_root_find(roots, signature->certificate))) {
        (void)fault_set(fault, FAULT_certificate_untrusted, "signature");
    } else if (jpki_profile_check(signature->certificate, policy, &items, fault)) {
        signature->person = items.person;
        signature->name_substituted = items.name_substituted;
        signature->address_substituted = items.address_substituted;
        ok = true;
    }
    CMS_ContentInfo_free(info);
    ERR_clear_error(); /* a refused certificate must not colour the thread's next call */
    explicit_bzero(&items, sizeof items);
    if (!ok)
        application_signature_fini(signature);
    return ok;
}

bool application_signature_check_validity(
    const struct application_signature *signature, struct revocation *revocation, time_t now, struct fault *fault)
{
    const X509 *both[] = {signature->certificate, signature->root->certificate};
    for (size_t i = 0; i < 2; i++)
        if (X509_cmp_time(X509_get0_notBefore(both[i]), &now) >= 0 ||
            X509_cmp_time(X509_get0_notAfter(both[i]), &now) <= 0)
            return fault_set(fault, FAULT_certificate_expired, "signature");
    switch (revocation_find(revocation, signature->root, signature->certificate, now)) {
    case REVOCATION_GOOD:
        return true;
    case REVOCATION_REVOKED:
        return fault_set(fault, FAULT_certificate_revoked, "signature");
    case REVOCATION_UNAVAILABLE:
        break;
    }
    return fault_set(fault, FAULT_revocation_unavailable, "signature");
}

void application_signature_fini(struct application_signature *signature)
{
    free(signature->manifest);
    X509_free(signature->certificate);
    explicit_bzero(signature, sizeof *signature);
}
