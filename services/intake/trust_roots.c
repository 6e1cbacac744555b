#include "intake/trust_roots.h"

#include "chassis/journal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

bool trust_names_equal(const X509_NAME *one, const X509_NAME *other)
{
    const unsigned char *one_der, *other_der;
    size_t one_size, other_size;
    return X509_NAME_get0_der(one, &one_der, &one_size) == 1 &&
           X509_NAME_get0_der(other, &other_der, &other_size) == 1 && one_size == other_size &&
           memcmp(one_der, other_der, one_size) == 0;
}

/* Names a root by its file, so that its CRL has a place: jpki-root.pem, jpki-root.crl. */
static bool root_read(const char *folder, const char *file, struct trust_root *root)
{
    size_t length = strlen(file) - strlen(".pem");
    if (length == 0 || length >= sizeof root->name)
        return false;
    memcpy(root->name, file, length);
    root->name[length] = '\0';
    char path[1024];
    int printed = snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *pem = printed > 0 && (size_t)printed < sizeof path ? fopen(path, "re") : NULL;
    if (!pem)
        return false;
    root->certificate = PEM_read_X509(pem, NULL, NULL, NULL);
    fclose(pem);
    return root->certificate && X509_check_ca(root->certificate) == 1 &&
           X509_get_key_usage(root->certificate) & KU_KEY_CERT_SIGN &&
           trust_names_equal(X509_get_subject_name(root->certificate), X509_get_issuer_name(root->certificate)) &&
           X509_verify(root->certificate, X509_get0_pubkey(root->certificate)) == 1;
}

struct trust_roots *trust_roots_load(const char *folder)
{
    DIR *directory = opendir(folder);
    struct trust_roots *roots = calloc(1, sizeof *roots);
    bool ok = directory && roots;
    for (struct dirent *entry; ok && (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".pem") != 0)
            continue;
        ok = roots->count < TRUST_ROOTS_MAX && root_read(folder, entry->d_name, &roots->roots[roots->count]);
        if (!ok)
            journal(JOURNAL_ERROR, NULL, "trust_root_unusable", WORD("file", entry->d_name));
        roots->count += roots->count < TRUST_ROOTS_MAX;
    }
    if (directory)
        closedir(directory);
    if (ok && roots->count > 0)
        return roots;
    if (ok || !directory)
        journal(JOURNAL_ERROR, NULL, "trust_roots_missing", WORD("folder", folder));
    trust_roots_free(roots);
    return NULL;
}

void trust_roots_free(struct trust_roots *roots)
{
    if (!roots)
        return;
    for (size_t i = 0; i < roots->count; i++)
        X509_free(roots->roots[i].certificate);
    free(roots);
}

const struct trust_root *trust_root_find(const struct trust_roots *roots, X509 *certificate)
{
    for (size_t i = 0; i < roots->count; i++) {
        X509 *root = roots->roots[i].certificate;
        if (trust_names_equal(X509_get_issuer_name(certificate), X509_get_subject_name(root)) &&
            X509_verify(certificate, X509_get0_pubkey(root)) == 1)
            return &roots->roots[i];
    }
    return NULL;
}
