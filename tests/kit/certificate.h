/* The applicant's 署名用電子証明書 in the JPKI profile (domain.md 2.1), right or wrong in one way. */
#ifndef KIT_CERTIFICATE_H
#define KIT_CERTIFICATE_H

#include "kit/authority.h"
#include "kit/people.h"

/* What is wrong with a certificate; 0 for a right one. */
enum kit_leaf_flaw {
    KIT_LEAF_EXPIRED = 1 << 0,
    KIT_LEAF_NOT_YET = 1 << 1,
    KIT_LEAF_CA = 1 << 2,            /* basicConstraints CA:TRUE */
    KIT_LEAF_CERT_SIGN = 1 << 3,     /* keyUsage has keyCertSign besides */
    KIT_LEAF_NO_COMMITMENT = 1 << 4, /* keyUsage digitalSignature alone, as for authentication (2.2) */
    KIT_LEAF_USAGE_UNCRITICAL = 1 << 5,
    KIT_LEAF_NO_USAGE = 1 << 6,
    KIT_LEAF_REAL_POLICY = 1 << 7,
    KIT_LEAF_NO_POLICY = 1 << 8,
    KIT_LEAF_POLICY_UNCRITICAL = 1 << 9,
    KIT_LEAF_NO_ITEMS = 1 << 10, /* no subjectAltName at all */
    KIT_LEAF_NO_NAME = 1 << 11,
    KIT_LEAF_NO_BIRTH_DATE = 1 << 12,
    KIT_LEAF_NO_SEX = 1 << 13,
    KIT_LEAF_NO_ADDRESS = 1 << 14,
    KIT_LEAF_TWO_NAMES = 1 << 15,
    KIT_LEAF_BAD_BIRTH_DATE = 1 << 16,   /* 30 February */
    KIT_LEAF_SHA512 = 1 << 17,           /* signed by the authority with another digest */
    KIT_LEAF_UNKNOWN_CRITICAL = 1 << 18, /* a critical extension that nobody knows */
};

/* A certificate for the person and key: valid from yesterday for five years. NULL: no memory. */
X509 *kit_certificate_issue(
    const struct kit_authority *authority, const struct kit_person *person, EVP_PKEY *key, unsigned flaws);

/* A name or address as it stands in a certificate, and one 0 or 1 for each of its characters: those outside JIS X 0208
 * and 0212 are replaced (代替文字) and flagged 1. False if it does not fit. */
MUST_USE bool kit_jis_print(const char *text, char *out, size_t size, char *flags, size_t flags_size);

#endif
