#include "kit/authorities.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <openssl/ec.h>
#include <openssl/pem.h>

#define PATH_SIZE 1024

static bool complain(const char *folder, const char *name, const char *what)
{
    fprintf(stderr, "kit: %s/%s: %s\n", folder, name, what);
    return false;
}

static bool path_print(char path[PATH_SIZE], const char *folder, const char *name, const char *suffix)
{
    int length = snprintf(path, PATH_SIZE, "%s/%s%s", folder, name, suffix);
    return length > 0 && length < PATH_SIZE;
}

static bool exists(const char *folder, const char *name, const char *suffix)
{
    char path[PATH_SIZE];
    return path_print(path, folder, name, suffix) && access(path, F_OK) == 0;
}

/* One PEM file, whole or not at all: written aside, then renamed. */
struct pem_file {
    char path[PATH_SIZE], aside[PATH_SIZE];
    FILE *file;
};

static bool pem_open(struct pem_file *pem, const char *folder, const char *name, const char *suffix)
{
    char new_suffix[16];
    snprintf(new_suffix, sizeof new_suffix, "%s.new", suffix);
    if (!path_print(pem->path, folder, name, suffix) || !path_print(pem->aside, folder, name, new_suffix))
        return complain(folder, name, "path is too long");
    int fd = open(pem->aside, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, strcmp(suffix, ".key") == 0 ? 0600 : 0644);
    pem->file = fd < 0 ? NULL : fdopen(fd, "w");
    return pem->file || complain(folder, name, strerror(errno));
}

static bool pem_close(struct pem_file *pem, bool ok)
{
    ok = fclose(pem->file) == 0 && ok && rename(pem->aside, pem->path) == 0;
    if (!ok)
        fprintf(stderr, "kit: %s: cannot be written\n", pem->path);
    return ok;
}

static bool certificate_save(const char *folder, const char *name, X509 *certificate)
{
    struct pem_file pem;
    return certificate && pem_open(&pem, folder, name, ".pem") &&
           pem_close(&pem, PEM_write_X509(pem.file, certificate) == 1);
}

static bool key_save(const char *folder, const char *name, EVP_PKEY *key)
{
    struct pem_file pem;
    return key && pem_open(&pem, folder, name, ".key") &&
           pem_close(&pem, PEM_write_PrivateKey(pem.file, key, NULL, NULL, 0, NULL, NULL) == 1);
}

static FILE *pem_read(const char *folder, const char *name, const char *suffix)
{
    char path[PATH_SIZE];
    FILE *file = path_print(path, folder, name, suffix) ? fopen(path, "re") : NULL;
    if (!file)
        fprintf(stderr, "kit: %s/%s%s: %s\n", folder, name, suffix, strerror(errno));
    return file;
}

static EVP_PKEY *key_load(const char *folder, const char *name)
{
    FILE *file = pem_read(folder, name, ".key");
    EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file && !key)
        (void)complain(folder, name, "is no private key");
    if (file)
        fclose(file);
    return key;
}

static X509 *certificate_load(const char *folder, const char *name)
{
    FILE *file = pem_read(folder, name, ".pem");
    X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    if (file && !certificate)
        (void)complain(folder, name, "is no certificate");
    if (file)
        fclose(file);
    return certificate;
}

/* The certificate is written last: where it is, its key is. Issuers stand before what they issue. */
static const struct {
    const char *name, *issuer;        /* issuer NULL: a root */
    const char *organisation, *label; /* of a root: O and OU; else CN */
    bool is_client, is_rsa;           /* as the real ones are; else P-256 */
} certified[] = {
    {"jpki-root", NULL, "JPKI test", "JPKI for digital signature (synthetic)", false, true},
    {"other-root", NULL, "JPKI test", "JPKI for digital signature (synthetic)", false, true},
    {"card-root", NULL, "Card test", "Card issuer (synthetic)", false, true},
    {"card-sign", "card-root", NULL, "card signing 1", false, true},
    {"client-root", NULL, "Shikaku test", "Clients (synthetic)", false, false},
    {"mynaportal-client", "client-root", NULL, "mynaportal", true, false},
    {"terminal-client", "client-root", NULL, "terminal-1", true, false},
    {"stranger-client", "client-root", NULL, "terminal-stranger", true, false},
};

static bool certified_make(const char *folder, size_t row)
{
    const char *name = certified[row].name, *issuer = certified[row].issuer;
    EVP_PKEY *key = certified[row].is_rsa ? kit_rsa_key_new() : EVP_EC_gen("P-256"),
             *root_key = issuer ? key_load(folder, issuer) : NULL;
    X509 *root = issuer ? certificate_load(folder, issuer) : NULL, *certificate = NULL;
    if (key && !issuer)
        certificate = kit_root_make(key, certified[row].organisation, certified[row].label);
    else if (key && root && root_key)
        certificate = kit_root_certify(root_key, root, key, certified[row].label, certified[row].is_client);
    bool ok = certificate && key_save(folder, name, key) && certificate_save(folder, name, certificate);
    EVP_PKEY_free(key);
    EVP_PKEY_free(root_key);
    X509_free(root);
    X509_free(certificate);
    return ok || complain(folder, name, "cannot be made");
}

static bool assertion_make(const char *folder)
{
    struct pem_file pem;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool ok = key && key_save(folder, "mynaportal-assertion", key) &&
              pem_open(&pem, folder, "mynaportal-assertion", ".pub") &&
              pem_close(&pem, PEM_write_PUBKEY(pem.file, key) == 1);
    EVP_PKEY_free(key);
    return ok;
}

static bool applicants_make(const char *folder)
{
    struct pem_file pem;
    if (!pem_open(&pem, folder, "applicants", ".key"))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < KIT_APPLICANT_KEYS; i++) {
        EVP_PKEY *key = kit_rsa_key_new();
        ok = key && PEM_write_PrivateKey(pem.file, key, NULL, NULL, 0, NULL, NULL) == 1;
        EVP_PKEY_free(key);
    }
    return pem_close(&pem, ok);
}

/* What intake and vault pin are folders, with nothing else in them. */
static const struct {
    const char *folder, *root, *path;
} pinned[] = {
    {"jpki-roots", "jpki-root", "jpki-roots/jpki-root"},
    {"card-roots", "card-root", "card-roots/card-root"},
};

static bool pinned_make(const char *folder, size_t row)
{
    char path[PATH_SIZE];
    if (!path_print(path, folder, pinned[row].folder, ""))
        return complain(folder, pinned[row].folder, "path is too long");
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return complain(folder, pinned[row].folder, strerror(errno));
    X509 *root = certificate_load(folder, pinned[row].root);
    bool ok = certificate_save(path, pinned[row].root, root);
    X509_free(root);
    return ok;
}

static bool folder_fill(const char *folder)
{
    for (size_t i = 0; i < sizeof certified / sizeof *certified; i++)
        if (!exists(folder, certified[i].name, ".pem") && !certified_make(folder, i))
            return false;
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        if (!exists(folder, pinned[i].path, ".pem") && !pinned_make(folder, i))
            return false;
    return (exists(folder, "mynaportal-assertion", ".pub") || assertion_make(folder)) &&
           (exists(folder, "applicants", ".key") || applicants_make(folder));
}

/* Every folder on the way, as mkdir -p. */
static bool folder_make(const char *folder)
{
    char path[PATH_SIZE];
    if (!path_print(path, folder, "", ""))
        return complain(folder, "", "path is too long");
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return complain(path, "", strerror(errno));
        *at = '/';
    }
    return true;
}

bool kit_authorities_make(const char *folder)
{
    char path[PATH_SIZE];
    if (!folder_make(folder) || !path_print(path, folder, ".lock", ""))
        return false;
    int lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) {
        complain(folder, ".lock", strerror(errno));
        if (lock >= 0)
            close(lock);
        return false;
    }
    bool ok = folder_fill(folder);
    close(lock);
    return ok;
}

static bool applicants_load(struct kit_authorities *authorities, const char *folder)
{
    FILE *file = pem_read(folder, "applicants", ".key");
    if (!file)
        return false;
    bool ok = true;
    for (int i = 0; ok && i < KIT_APPLICANT_KEYS; i++)
        ok = (authorities->applicants[i] = PEM_read_PrivateKey(file, NULL, NULL, NULL)) != NULL;
    fclose(file);
    return ok || complain(folder, "applicants.key", "lacks keys");
}

struct kit_authorities *kit_authorities_load(const char *folder)
{
    struct kit_authorities *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->jpki = kit_authority_take(key_load(folder, "jpki-root"), certificate_load(folder, "jpki-root"));
    all->other = kit_authority_take(key_load(folder, "other-root"), certificate_load(folder, "other-root"));
    all->card_key = key_load(folder, "card-sign");
    all->card_root = certificate_load(folder, "card-root");
    all->card_certificate = certificate_load(folder, "card-sign");
    all->assertion_key = key_load(folder, "mynaportal-assertion");
    if (all->jpki && all->other && all->card_key && all->card_root && all->card_certificate && all->assertion_key &&
        applicants_load(all, folder)) {
        unsigned char *der = NULL;
        int length = i2d_X509(all->card_certificate, &der);
        if (length > 0 && (all->card_der = malloc((size_t)length)) != NULL) {
            memcpy(all->card_der, der, (size_t)length);
            all->card_der_size = (size_t)length;
        }
        OPENSSL_free(der);
        if (all->card_der)
            return all;
    }
    kit_authorities_free(all);
    return NULL;
}

void kit_authorities_free(struct kit_authorities *authorities)
{
    if (!authorities)
        return;
    kit_authority_free(authorities->jpki);
    kit_authority_free(authorities->other);
    EVP_PKEY_free(authorities->card_key);
    X509_free(authorities->card_root);
    X509_free(authorities->card_certificate);
    free(authorities->card_der);
    EVP_PKEY_free(authorities->assertion_key);
    for (int i = 0; i < KIT_APPLICANT_KEYS; i++)
        EVP_PKEY_free(authorities->applicants[i]);
    free(authorities);
}
