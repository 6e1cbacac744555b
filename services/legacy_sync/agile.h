/* ECMA-376 agile encryption of an Office document ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15): AES-256-CBC in segments of
 * 4,096 bytes, the key under a password by SHA-512 spun 100,000 times, an HMAC-SHA-512 over all. This is the encryption
 * that Excel offers as 「パスワードを使用して暗号化」, not sheet protection, which encrypts nothing. */
#ifndef LEGACY_SYNC_AGILE_H
#define LEGACY_SYNC_AGILE_H

#include "chassis/arena.h"
#include "chassis/fault.h"

#include <stdint.h>

#define AGILE_SPIN_COUNT 100000
#define AGILE_SPIN_MAX 1000000 /* what we are willing to spin for a file of another's making */
#define AGILE_PASSWORD_MAX 255 /* UTF-16 units, Excel's limit */
#define AGILE_DOCUMENT_MAX (4u << 20)

enum agile_result {
    AGILE_OPENED,
    AGILE_NOT_ENCRYPTED, /* no compound file with the two streams, or not agile AES/SHA-512 */
    AGILE_WRONG_PASSWORD,
    AGILE_ALTERED, /* the HMAC does not fit */
};

/* A password made ready: spun once under a random salt. Spinning takes 60 ms, so files under one password share a lock;
 * whoever could turn that to use has the password, and with it every file. Every file still has a key, a verifier and a
 * salt of its own. Holds the password's hash: wipe it with agile_lock_wipe. */
struct agile_lock {
    uint8_t salt[16];
    uint8_t spun[64];
};

/* False: no UTF-8, empty, too long, or OpenSSL failed. */
MUST_USE bool agile_lock_make(struct agile_lock *lock, const char *password);
void agile_lock_wipe(struct agile_lock *lock);

/* The encrypted file. data NULL: too large, or arena or OpenSSL failed. */
MUST_USE struct bytes agile_encrypt(
    struct arena *arena, const void *document, size_t len, const struct agile_lock *lock);

/* Open a file by its password; `document` is set only for AGILE_OPENED, after the HMAC was checked over every byte. */
MUST_USE enum agile_result agile_decrypt(
    struct arena *arena, const void *file, size_t len, const char *password, struct bytes *document);

#endif
