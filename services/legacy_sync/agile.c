#include "legacy_sync/agile.h"
#include "legacy_sync/compound.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define HASH 64u
#define KEY 32u
#define BLOCK 16u
#define SALT 16u
#define SEGMENT 4096u
#define INFO_PREFIX 8u
#define PASSWORD_URI "http://schemas.microsoft.com/office/2006/keyEncryptor/password"

/* [MS-OFFCRYPTO] 2.3.4.11 and 2.3.4.14: what is hashed behind a key or a salt to make it serve one purpose. */
static const uint8_t purpose_verifier_input[8] = {0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79};
static const uint8_t purpose_verifier_value[8] = {0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e};
static const uint8_t purpose_key_value[8] = {0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6};
static const uint8_t purpose_hmac_key[8] = {0x5f, 0xb2, 0xad, 0x01, 0x0c, 0xb9, 0xe1, 0xf6};
static const uint8_t purpose_hmac_value[8] = {0xa0, 0x67, 0x7f, 0x02, 0xb2, 0x2c, 0x84, 0x33};

static const uint8_t info_prefix[INFO_PREFIX] = {4, 0, 4, 0, 0x40, 0, 0, 0}; /* version 4.4, agile */

/* What EncryptionInfo says. */
struct info {
    uint8_t data_salt[SALT], password_salt[SALT];
    uint8_t hmac_key[HASH], hmac_value[HASH];
    uint8_t verifier_input[BLOCK], verifier_value[HASH], key_value[KEY];
    uint32_t spin;
};

static bool hash_two(uint8_t out[HASH], const void *a, size_t a_len, const void *b, size_t b_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) && EVP_DigestUpdate(ctx, a, a_len) &&
              EVP_DigestUpdate(ctx, b, b_len) && EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool cbc(bool encrypt, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) && EVP_CipherUpdate(ctx, data, &done, data, (int)len) &&
              done == (int)len;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static void le32(uint8_t out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

/* UTF-8 to UTF-16LE; 0 for what is no UTF-8, empty or too long. Passwords outside the BMP use surrogate pairs. */
static size_t utf16_put(uint8_t out[2 * AGILE_PASSWORD_MAX], const char *text)
{
    size_t units = 0;
    for (const uint8_t *c = (const uint8_t *)text; *c;) {
        int more = *c < 0x80 ? 0 : *c >> 5 == 6 ? 1 : *c >> 4 == 14 ? 2 : *c >> 3 == 30 ? 3 : -1;
        uint32_t point = more <= 0 ? *c : *c & (0x3Fu >> more);
        c++;
        for (int i = 0; i < more; i++, c++) {
            if ((*c & 0xC0) != 0x80) {
                return 0;
            }
            point = point << 6 | (*c & 0x3Fu);
        }
        if (more < 0 || units + (point > 0xFFFF) >= AGILE_PASSWORD_MAX) {
            return 0;
        }
        if (point > 0xFFFF) {
            uint32_t high = 0xD800 + ((point - 0x10000) >> 10);
            out[2 * units] = (uint8_t)high;
            out[2 * units++ + 1] = (uint8_t)(high >> 8);
            point = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        out[2 * units] = (uint8_t)point;
        out[2 * units++ + 1] = (uint8_t)(point >> 8);
    }
    return 2 * units;
}

/* One digest context for all turns: a new one a turn takes three times as long. */
static bool spin_turns(uint8_t out[HASH], uint32_t spin)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t counter[4];
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL);
    for (uint32_t i = 0; ok && i < spin; i++) {
        le32(counter, i);
        ok = EVP_DigestInit_ex(ctx, NULL, NULL) && EVP_DigestUpdate(ctx, counter, sizeof counter) &&
             EVP_DigestUpdate(ctx, out, HASH) && EVP_DigestFinal_ex(ctx, out, NULL);
    }
    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool password_spin(uint8_t out[HASH], const char *password, const uint8_t salt[SALT], uint32_t spin)
{
    uint8_t text[2 * AGILE_PASSWORD_MAX];
    size_t len = utf16_put(text, password);
    bool ok = len > 0 && hash_two(out, salt, SALT, text, len) && spin_turns(out, spin);
    OPENSSL_cleanse(text, sizeof text);
    return ok;
}

/* En- or decrypt a value that stands in EncryptionInfo under the password. */
static bool value_crypt(bool encrypt, const uint8_t spun[HASH], const uint8_t purpose[8], const uint8_t salt[SALT],
    uint8_t *value, size_t len)
{
    uint8_t key[HASH];
    bool ok = hash_two(key, spun, HASH, purpose, 8) && cbc(encrypt, key, salt, value, len);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

/* En- or decrypt HMAC key and value, which stand under the document's key. */
static bool integrity_crypt(bool encrypt, const uint8_t key[KEY], struct info *info)
{
    uint8_t iv[HASH];
    return hash_two(iv, info->data_salt, SALT, purpose_hmac_key, 8) && cbc(encrypt, key, iv, info->hmac_key, HASH) &&
           hash_two(iv, info->data_salt, SALT, purpose_hmac_value, 8) && cbc(encrypt, key, iv, info->hmac_value, HASH);
}

static bool segments_crypt(bool encrypt, const uint8_t key[KEY], const uint8_t salt[SALT], uint8_t *data, size_t len)
{
    uint8_t iv[HASH], number[4];
    for (size_t at = 0, i = 0; at < len; at += SEGMENT, i++) {
        le32(number, (uint32_t)i);
        if (!hash_two(iv, salt, SALT, number, 4) ||
            !cbc(encrypt, key, iv, data + at, len - at < SEGMENT ? len - at : SEGMENT)) {
            return false;
        }
    }
    return true;
}

static bool hmac_make(uint8_t out[HASH], const uint8_t key[HASH], struct bytes package)
{
    unsigned len = HASH;
    return HMAC(EVP_sha512(), key, HASH, package.data, package.len, out, &len) && len == HASH;
}

/* --- EncryptionInfo as XML -------------------------------------------------------------------------------------- */

static const char *base64(struct arena *arena, const uint8_t *value, size_t len)
{
    char *text = arena_take(arena, (len + 2) / 3 * 4 + 1);
    if (text) {
        EVP_EncodeBlock((unsigned char *)text, value, (int)len);
    }
    return text;
}

#define ALGORITHMS                                                                                                     \
    "saltSize=\"16\" blockSize=\"16\" keyBits=\"256\" hashSize=\"64\" cipherAlgorithm=\"AES\" "                        \
    "cipherChaining=\"ChainingModeCBC\" hashAlgorithm=\"SHA512\" "

static struct bytes info_write(struct arena *arena, const struct info *info)
{
    char *text = arena_format(arena,
        "%.8s<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n"
        "<encryption xmlns=\"http://schemas.microsoft.com/office/2006/encryption\" xmlns:p=\"" PASSWORD_URI
        "\">"
        "<keyData " ALGORITHMS
        "saltValue=\"%s\"/><dataIntegrity encryptedHmacKey=\"%s\" encryptedHmacValue=\"%s\"/>"
        "<keyEncryptors><keyEncryptor uri=\"" PASSWORD_URI "\"><p:encryptedKey spinCount=\"%u\" " ALGORITHMS
        "saltValue=\"%s\" encryptedVerifierHashInput=\"%s\" encryptedVerifierHashValue=\"%s\" "
        "encryptedKeyValue=\"%s\"/>"
        "</keyEncryptor></keyEncryptors></encryption>",
        "--------", base64(arena, info->data_salt, SALT), base64(arena, info->hmac_key, HASH),
        base64(arena, info->hmac_value, HASH), info->spin, base64(arena, info->password_salt, SALT),
        base64(arena, info->verifier_input, BLOCK), base64(arena, info->verifier_value, HASH),
        base64(arena, info->key_value, KEY));
    if (!text) {
        return (struct bytes){0};
    }
    memcpy(text, info_prefix, INFO_PREFIX);
    return (struct bytes){(uint8_t *)text, INFO_PREFIX + strlen(text + INFO_PREFIX)};
}

struct info_parse {
    XML_Parser parser;
    struct info *info;
    bool key_data, integrity, encrypted_key, bad;
};

static const char *attribute(const XML_Char **attributes, const char *name)
{
    for (; attributes[0]; attributes += 2) {
        if (strcmp(attributes[0], name) == 0) {
            return attributes[1];
        }
    }
    return "";
}

static bool value_take(const XML_Char **attributes, const char *name, uint8_t *out, size_t len)
{
    const char *text = attribute(attributes, name);
    uint8_t raw[3 * 32];
    size_t size = strlen(text);
    if (size != (len + 2) / 3 * 4 || EVP_DecodeBlock(raw, (const unsigned char *)text, (int)size) < (int)len) {
        return false;
    }
    memcpy(out, raw, len);
    return true;
}

static bool algorithms_fit(const XML_Char **attributes)
{
    static const char *const wanted[][2] = {{"saltSize", "16"}, {"blockSize", "16"}, {"keyBits", "256"},
        {"hashSize", "64"}, {"cipherAlgorithm", "AES"}, {"cipherChaining", "ChainingModeCBC"},
        {"hashAlgorithm", "SHA512"}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcmp(attribute(attributes, wanted[i][0]), wanted[i][1]) != 0) {
            return false;
        }
    }
    return true;
}

static void element_take(void *arg, const XML_Char *name, const XML_Char **attributes)
{
    struct info_parse *parse = arg;
    struct info *info = parse->info;
    if (strcmp(name, "http://schemas.microsoft.com/office/2006/encryption keyData") == 0) {
        parse->key_data = algorithms_fit(attributes) && value_take(attributes, "saltValue", info->data_salt, SALT) &&
                          !parse->key_data;
    } else if (strcmp(name, "http://schemas.microsoft.com/office/2006/encryption dataIntegrity") == 0) {
        parse->integrity = value_take(attributes, "encryptedHmacKey", info->hmac_key, HASH) &&
                           value_take(attributes, "encryptedHmacValue", info->hmac_value, HASH) && !parse->integrity;
    } else if (strcmp(name, PASSWORD_URI " encryptedKey") == 0) {
        info->spin = (uint32_t)strtoul(attribute(attributes, "spinCount"), NULL, 10);
        parse->encrypted_key = algorithms_fit(attributes) && info->spin <= AGILE_SPIN_MAX && !parse->encrypted_key &&
                               value_take(attributes, "saltValue", info->password_salt, SALT) &&
                               value_take(attributes, "encryptedVerifierHashInput", info->verifier_input, BLOCK) &&
                               value_take(attributes, "encryptedVerifierHashValue", info->verifier_value, HASH) &&
                               value_take(attributes, "encryptedKeyValue", info->key_value, KEY);
    }
}

static void doctype_refuse(
    void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
    XML_StopParser(((struct info_parse *)arg)->parser, XML_FALSE);
}

static bool info_read(struct info *info, struct bytes stream)
{
    struct info_parse parse = {.info = info};
    if (stream.len <= INFO_PREFIX || memcmp(stream.data, info_prefix, 4) != 0) {
        return false;
    }
    parse.parser = XML_ParserCreateNS(NULL, ' ');
    if (!parse.parser) {
        return false;
    }
    XML_SetUserData(parse.parser, &parse);
    XML_SetStartElementHandler(parse.parser, element_take);
    XML_SetStartDoctypeDeclHandler(parse.parser, doctype_refuse);
    const char *text = (const char *)stream.data + INFO_PREFIX;
    bool whole = XML_Parse(parse.parser, text, (int)(stream.len - INFO_PREFIX), 1) == XML_STATUS_OK;
    XML_ParserFree(parse.parser);
    return whole && parse.key_data && parse.integrity && parse.encrypted_key;
}

/* --- the whole file --------------------------------------------------------------------------------------------- */

/* Size in 8 bytes, then the document in encrypted segments, the last filled up to a whole block. */
static struct bytes package_write(
    struct arena *arena, const void *document, size_t len, const uint8_t key[KEY], const uint8_t salt[SALT])
{
    size_t filled = (len + BLOCK - 1) / BLOCK * BLOCK;
    uint8_t *package = arena_take(arena, 8 + filled);
    if (!package) {
        return (struct bytes){0};
    }
    memset(package, 0, 8 + filled);
    le32(package, (uint32_t)len);
    memcpy(package + 8, document, len);
    return segments_crypt(true, key, salt, package + 8, filled) ? (struct bytes){package, 8 + filled}
                                                                : (struct bytes){0};
}

static bool secrets_write(struct info *info, const struct agile_lock *lock, const uint8_t key[KEY])
{
    memcpy(info->password_salt, lock->salt, SALT);
    memcpy(info->key_value, key, KEY);
    return hash_two(info->verifier_value, info->verifier_input, BLOCK, "", 0) &&
           value_crypt(true, lock->spun, purpose_verifier_input, lock->salt, info->verifier_input, BLOCK) &&
           value_crypt(true, lock->spun, purpose_verifier_value, lock->salt, info->verifier_value, HASH) &&
           value_crypt(true, lock->spun, purpose_key_value, lock->salt, info->key_value, KEY);
}

bool agile_lock_make(struct agile_lock *lock, const char *password)
{
    return RAND_bytes(lock->salt, SALT) == 1 && password_spin(lock->spun, password, lock->salt, AGILE_SPIN_COUNT);
}

void agile_lock_wipe(struct agile_lock *lock)
{
    OPENSSL_cleanse(lock, sizeof *lock);
}

struct bytes agile_encrypt(struct arena *arena, const void *document, size_t len, const struct agile_lock *lock)
{
    struct info info = {.spin = AGILE_SPIN_COUNT};
    uint8_t key[KEY];
    struct bytes file = {0}, package, stream;
    if (len == 0 || len > AGILE_DOCUMENT_MAX || RAND_bytes(key, sizeof key) != 1 ||
        RAND_bytes(info.data_salt, SALT) != 1 || RAND_bytes(info.verifier_input, BLOCK) != 1 ||
        RAND_bytes(info.hmac_key, HASH) != 1) {
        goto out;
    }
    package = package_write(arena, document, len, key, info.data_salt);
    if (!package.data || !hmac_make(info.hmac_value, info.hmac_key, package) || !integrity_crypt(true, key, &info) ||
        !secrets_write(&info, lock, key)) {
        goto out;
    }
    stream = info_write(arena, &info);
    if (stream.data) {
        const struct compound_stream streams[] = {
            {"EncryptionInfo", stream.data, stream.len}, {"EncryptedPackage", package.data, package.len}};
        file = compound_write(arena, streams, 2);
    }
out:
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(&info, sizeof info);
    return file;
}

/* The document's key, if the password is the right one. */
static bool secrets_read(struct info *info, const char *password)
{
    uint8_t spun[HASH], hash[HASH];
    bool ok = password_spin(spun, password, info->password_salt, info->spin) &&
              value_crypt(false, spun, purpose_verifier_input, info->password_salt, info->verifier_input, BLOCK) &&
              value_crypt(false, spun, purpose_verifier_value, info->password_salt, info->verifier_value, HASH) &&
              hash_two(hash, info->verifier_input, BLOCK, "", 0) &&
              CRYPTO_memcmp(hash, info->verifier_value, HASH) == 0 &&
              value_crypt(false, spun, purpose_key_value, info->password_salt, info->key_value, KEY);
    OPENSSL_cleanse(spun, sizeof spun);
    OPENSSL_cleanse(hash, sizeof hash);
    return ok;
}

static bool package_whole(struct info *info, struct bytes package)
{
    uint8_t hmac[HASH];
    return integrity_crypt(false, info->key_value, info) && hmac_make(hmac, info->hmac_key, package) &&
           CRYPTO_memcmp(hmac, info->hmac_value, HASH) == 0;
}

enum agile_result agile_decrypt(
    struct arena *arena, const void *file, size_t len, const char *password, struct bytes *document)
{
    struct info info = {0};
    struct bytes stream = compound_read(arena, file, len, "EncryptionInfo");
    struct bytes package = compound_read(arena, file, len, "EncryptedPackage");
    enum agile_result result = AGILE_NOT_ENCRYPTED;
    size_t size = 0;
    if (!stream.data || !package.data || package.len <= 8 || !info_read(&info, stream)) {
        goto out;
    }
    result = AGILE_WRONG_PASSWORD;
    if (!secrets_read(&info, password)) {
        goto out;
    }
    result = AGILE_ALTERED;
    if (!package_whole(&info, package)) {
        goto out;
    }
    for (int i = 7; i >= 0; i--) {
        size = size << 8 | package.data[i];
    }
    package = (struct bytes){package.data + 8, (package.len - 8) / BLOCK * BLOCK}; /* others fill the stream up */
    if (size == 0 || size > package.len ||
        !segments_crypt(false, info.key_value, info.data_salt, package.data, package.len)) {
        goto out;
    }
    *document = (struct bytes){package.data, size};
    result = AGILE_OPENED;
out:
    OPENSSL_cleanse(&info, sizeof info);
    return result;
}
