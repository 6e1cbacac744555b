/* The roots of the 署名用電子証明書 that we pin: several generations live at once (domain.md 2.1), each a file of one
 * folder, and no other root counts. Read once at start-up, never changed afterwards, shared by all threads without a
 * lock. */
#ifndef INTAKE_TRUST_ROOTS_H
#define INTAKE_TRUST_ROOTS_H

#include <openssl/x509.h>
#include "chassis/fault.h"

#define TRUST_ROOTS_MAX 16
#define TRUST_ROOT_NAME_MAX 64

struct trust_root {
    char name[TRUST_ROOT_NAME_MAX]; /* of its file, without ".pem" */
    X509 *certificate;
};

struct trust_roots {
    struct trust_root roots[TRUST_ROOTS_MAX];
    size_t count;
};

/* Read every *.pem of a folder, one self-signed CA certificate each. NULL, with the reason and the file's name in the
 * journal, if one is no such certificate, there is none, or there are more than TRUST_ROOTS_MAX. */
struct trust_roots *trust_roots_load(const char *folder);
void trust_roots_free(struct trust_roots *roots); /* NULL is nothing */

/* The root whose name is the certificate's issuer, byte for byte in DER, and whose key made its signature; NULL if
 * there is none. Says nothing about validity. Borrowed. */
const struct trust_root *trust_root_find(const struct trust_roots *roots, X509 *certificate);

/* Two names in DER: the same bytes? OpenSSL's own comparison folds case and spaces. */
bool trust_names_equal(const X509_NAME *one, const X509_NAME *other);

#endif
