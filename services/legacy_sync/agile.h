/* ECMA-376 agile encryption of an Office document ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15): AES-256-CBC in segments of
 * 4,096 bytes, the key under a password by SHA-512 spun 100,000 times, an HMAC-SHA-512 over all. This is the encryption
 * that Excel offers as 「パスワードを使用して暗号化」, not sheet protection, which encrypts nothing. */
#ifndef LEGACY_SYNC_AGILE_H
#define LEGACY_SYNC_AGILE_H

#include "chassis/arena.h"
#include "chassis/fault.h"

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

/* The encrypted file. data NULL: too large, bad password text, or arena or OpenSSL failed. */
MUST_USE struct bytes agile_encrypt(struct arena *arena, const void *document, size_t len, const char *password);

/* Open a file by its password; `document` is set only for AGILE_OPENED, after the HMAC was checked over every byte. */
MUST_USE enum agile_result agile_decrypt(
    struct arena *arena, const void *file, size_t len, const char *password, struct bytes *document);

#endif
