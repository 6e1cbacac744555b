#include "vault/card_signer.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CERTIFICATE_BYTES_MAX 4096
#define KEPT_MAX 8
#define TRUSTED_SECONDS 60

static X509_STORE *card_roots;

/* Parsing a certificate and verifying its chain takes longer than the card's own signature. */
static struct kept {
    X509 *certificate; /* NULL: free */
    uint8_t der[CERTIFICATE_BYTES_MAX];
    size_t len;
    time_t trusted_at;
} kept[KEPT_MAX];
static unsigned next_kept;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

static bool root_add(const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *root = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    bool added = root && X509_STORE_add_cert(card_roots, root) == 1;
    X509_free(root);
    if (file)
        fclose(file);
    return added;
}

static void all_forget(void)
{
    for (int i = 0; i < KEPT_MAX; i++) {
        X509_free(kept[i].certificate);
        kept[i].certificate = NULL;
    }
}

bool card_roots_load(const char *folder, struct fault *fault)
{
    char path[512];
    int count = 0;
    DIR *entries = opendir(folder);
    pthread_mutex_lock(&keeping);
    all_forget();
    X509_STORE_free(card_roots);
    card_roots = X509_STORE_new();
    for (struct dirent *entry; entries && card_roots && (entry = readdir(entries));) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || strcmp(entry->d_name + len - 4, ".pem") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count += root_add(path);
    }
    pthread_mutex_unlock(&keeping);
    if (entries)
        closedir(entries);
    return count ? true : fault_set(fault, FAULT_internal, "SHIKAKU_CARD_ROOTS");
}

/* A root that was put in its signer's place, or a signer that could issue on, signs no cards. */
static bool certificate_trusted(X509 *certificate)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool trusted = ctx && X509_check_ca(certificate) == 0 &&
                   X509_STORE_CTX_init(ctx, card_roots, certificate, NULL) == 1 && X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    return trusted;
}

/* NULL where it is not kept, or has to be verified anew. */
static X509 *kept_find(struct bytes der, time_t now)
{
    X509 *found = NULL;
    pthread_mutex_lock(&keeping);
    for (int i = 0; i < KEPT_MAX && !found; i++)
        if (kept[i].certificate && kept[i].len == der.len && memcmp(kept[i].der, der.data, der.len) == 0 &&
            now >= kept[i].trusted_at && now < kept[i].trusted_at + TRUSTED_SECONDS &&
            X509_cmp_current_time(X509_get0_notAfter(kept[i].certificate)) > 0)
            found = kept[i].certificate;
    if (found)
        X509_up_ref(found);
    pthread_mutex_unlock(&keeping);
    return found;
}

static void keep(struct bytes der, X509 *certificate, time_t now)
{
    pthread_mutex_lock(&keeping);
    struct kept *place = &kept[next_kept++ % KEPT_MAX];
    for (int i = 0; i < KEPT_MAX; i++) /* the same, verified anew */
        if (kept[i].certificate && kept[i].len == der.len && memcmp(kept[i].der, der.data, der.len) == 0)
            place = &kept[i];
    X509_free(place->certificate);
    X509_up_ref(certificate);
    place->certificate = certificate;
    memcpy(place->der, der.data, der.len);
    place->len = der.len;
    place->trusted_at = now;
    pthread_mutex_unlock(&keeping);
}

X509 *card_signer_find(struct bytes der)
{
    const unsigned char *at = der.data;
    time_t now = time(NULL);
    if (der.len > CERTIFICATE_BYTES_MAX)
        return NULL;
    X509 *certificate = kept_find(der, now);
    if (certificate)
        return certificate;
    certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate && at == der.data + der.len && certificate_trusted(certificate)) {
        keep(der, certificate, now);
        return certificate;
    }
    X509_free(certificate);
    return NULL;
}
