/* What opening a sealed number costs at least: ECDH-ES on P-256, the derivation of the key (RFC 7518, 4.6) and A256GCM,
 * by OpenSSL alone, on every core.
 *
 *   ecdh SECONDS BYTES     BYTES: what is sealed
 *
 * Prints `rate=…`, openings a second. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CORES_MAX 64
#define SECRET 32
#define PLAIN_MAX 65536

static atomic_bool over;
static atomic_long opened;
static int plain_bytes;
static EVP_PKEY *recipient, *ephemeral;
static uint8_t sealed[PLAIN_MAX], nonce[12], tag[16];

static void stop(const char *why)
{
    fprintf(stderr, "ecdh: %s\n", why);
    exit(EXIT_FAILURE);
}

static void key_agree(EVP_PKEY *own, EVP_PKEY *other, uint8_t key[SECRET])
{
    uint8_t secret[SECRET], info[4 + SECRET + 23] = {0, 0, 0, 1};
    size_t len = sizeof secret;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, other) != 1 ||
        EVP_PKEY_derive(ctx, secret, &len) != 1)
        stop("no secret");
    EVP_PKEY_CTX_free(ctx);
    for (int i = 0; i < SECRET; i++)
        info[4 + i] = secret[i];
    if (EVP_Digest(info, sizeof info, key, NULL, EVP_sha256(), NULL) != 1)
        stop("no key");
}

static void *open_all(void *unused)
{
    uint8_t key[SECRET], plain[PLAIN_MAX];
    int len;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    (void)unused;
    while (!atomic_load(&over)) {
        key_agree(recipient, ephemeral, key);
        if (EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
            EVP_DecryptUpdate(cipher, plain, &len, sealed, plain_bytes) != 1 ||
            EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) != 1 ||
            EVP_DecryptFinal_ex(cipher, plain + len, &len) != 1)
            stop("not opened");
        atomic_fetch_add(&opened, 1);
    }
    EVP_CIPHER_CTX_free(cipher);
    return NULL;
}

static void seal(void)
{
    static const uint8_t plain[PLAIN_MAX];
    uint8_t key[SECRET];
    int len;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    recipient = EVP_EC_gen("P-256");
    ephemeral = EVP_EC_gen("P-256");
    key_agree(ephemeral, recipient, key);
    if (RAND_bytes(nonce, sizeof nonce) != 1 || EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
        EVP_EncryptUpdate(cipher, sealed, &len, plain, plain_bytes) != 1 ||
        EVP_EncryptFinal_ex(cipher, sealed + len, &len) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag) != 1)
        stop("not sealed");
    EVP_CIPHER_CTX_free(cipher);
}

int main(int argc, char **argv)
{
    pthread_t threads[CORES_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int seconds = argc == 3 ? atoi(argv[1]) : 0;
    plain_bytes = argc == 3 ? atoi(argv[2]) : 0;
    if (seconds < 1 || plain_bytes < 1 || plain_bytes > PLAIN_MAX || cores < 1 || cores > CORES_MAX) {
        fprintf(stderr, "usage: ecdh SECONDS BYTES\n");
        return 64;
    }
    seal();
    for (long i = 0; i < cores; i++)
        if (pthread_create(&threads[i], NULL, open_all, NULL) != 0)
            stop("no thread");
    sleep((unsigned)seconds);
    atomic_store(&over, true);
    for (long i = 0; i < cores; i++)
        pthread_join(threads[i], NULL);
    printf("rate=%.1f\n", (double)atomic_load(&opened) / seconds);
    EVP_PKEY_free(recipient);
    EVP_PKEY_free(ephemeral);
    return 0;
}
