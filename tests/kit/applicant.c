#include "kit/applicant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/cms.h>

bool kit_applicant_init(struct kit_applicant *applicant, const struct kit_authorities *authorities,
    const struct kit_authority *authority, uint64_t seed, uint32_t index, unsigned flaws)
{
    kit_person_make(&applicant->person, seed, index);
    applicant->key = authorities->applicants[applicant->person.index % KIT_APPLICANT_KEYS];
    applicant->certificate = kit_certificate_issue(authority, &applicant->person, applicant->key, flaws);
    if (!applicant->certificate || X509_digest(applicant->certificate, EVP_sha256(), applicant->signer, NULL) != 1 ||
        !kit_card_make(&applicant->card, authorities, &applicant->person)) {
        kit_applicant_fini(applicant);
        return false;
    }
    for (int i = 0; i < 32; i++)
        sprintf(applicant->signer_hex + 2 * i, "%02x", applicant->signer[i]);
    return true;
}

void kit_applicant_fini(struct kit_applicant *applicant)
{
    X509_free(applicant->certificate);
    applicant->certificate = NULL;
}

uint8_t *kit_applicant_sign(
    const struct kit_applicant *applicant, const void *content, size_t content_size, time_t signed_at, size_t *size)
{
    const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    uint8_t *der = NULL;
    unsigned char *encoded = NULL;
    BIO *in = BIO_new_mem_buf(content, (int)content_size);
    ASN1_TIME *at = ASN1_TIME_set(NULL, signed_at ? signed_at : time(NULL));
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    CMS_SignerInfo *signer =
        cms ? CMS_add1_signer(cms, applicant->certificate, applicant->key, EVP_sha256(), flags) : NULL;
    int length = -1;
    if (in && at && signer && CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, at->type, at, -1) == 1 &&
        CMS_final(cms, in, NULL, flags) == 1)
        length = i2d_CMS_ContentInfo(cms, &encoded);
    if (length > 0 && (der = malloc((size_t)length)) != NULL) {
        memcpy(der, encoded, (size_t)length);
        *size = (size_t)length;
    }
    OPENSSL_free(encoded);
    CMS_ContentInfo_free(cms);
    ASN1_TIME_free(at);
    BIO_free(in);
    return der;
}
