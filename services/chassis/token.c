#include "chassis/token.h"

#include <dlfcn.h>
#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_MAX 64
#define KEYS_MAX 8     /* more than one of a manager only after replicas raced on a shared token */
#define LABEL_BYTES 32 /* of a token: padded with spaces (PKCS#11 2.40, 3.2) */
#define PIN_BYTES 32
#define FORM 1
#define NONCE_BYTES 12
#define TAG_BITS 128

struct token {
    void *library;
    CK_FUNCTION_LIST *f;
    CK_SESSION_HANDLE session;
    int lock;
    bool in_session;
    char service[32];
};

static bool path_print(char path[PATH_MAX], const char *keys, const char *service, const char *name)
{
    int len = snprintf(path, PATH_MAX, "%s/%s/%s", keys, service, name);
    return len > 0 && len < PATH_MAX;
}

static bool file_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool written = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return written;
}

static bool pin_read(const char *keys, const char *service, char pin[PIN_BYTES + 1])
{
    char path[PATH_MAX];
    int fd = path_print(path, keys, service, "pin") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len = fd < 0 ? -1 : read(fd, pin, PIN_BYTES);
    if (fd >= 0)
        close(fd);
    pin[len > 0 ? len : 0] = '\0';
    pin[strcspn(pin, "\r\n")] = '\0';
    return pin[0];
}

static bool pin_make(const char *keys, const char *service, char pin[PIN_BYTES + 1])
{
    uint8_t bytes[PIN_BYTES / 2];
    char path[PATH_MAX];
    bool made = RAND_priv_bytes(bytes, sizeof bytes) == 1 && path_print(path, keys, service, "pin");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(pin + 2 * i, 3, "%02x", bytes[i]);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return made && file_write(path, pin);
}

/* Another process of the service may be making keys in this token: without the lock there would be two of a kind. */
static int lock_take(const char *keys, const char *service)
{
    char path[PATH_MAX];
    if (!path_print(path, keys, service, "token.lock"))
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The software token finds its folder by a file of its own; a hardware token's library does not look at it. */
static bool library_open(struct token *token, const char *module, const char *keys, const char *service)
{
    char path[PATH_MAX];
    CK_C_GetFunctionList list;
    if (!path_print(path, keys, service, "softhsm2.conf"))
        return false;
    if (access(path, R_OK) == 0)
        setenv("SOFTHSM2_CONF", path, 1);
    token->library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    if (!token->library)
        return false;
    *(void **)&list = dlsym(token->library, "C_GetFunctionList");
    return list && list(&token->f) == CKR_OK && token->f->C_Initialize(NULL) == CKR_OK;
}

static void label_print(const char *service, uint8_t label[LABEL_BYTES])
{
    char text[LABEL_BYTES + 1];
    int len = snprintf(text, sizeof text, "shikaku-%s", service);
    memset(label, ' ', LABEL_BYTES);
    memcpy(label, text, len < LABEL_BYTES ? (size_t)len : LABEL_BYTES);
}

static bool slot_find(struct token *token, CK_SLOT_ID *slot, bool blank)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    uint8_t label[LABEL_BYTES];
    label_print(token->service, label);
    if (token->f->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (token->f->C_GetTokenInfo(slots[i], &info) != CKR_OK)
            continue;
        bool made = info.flags & CKF_TOKEN_INITIALIZED;
        if (blank ? !made : made && memcmp(info.label, label, LABEL_BYTES) == 0) {
            *slot = slots[i];
            return true;
        }
    }
    return false;
}

static bool session_open(struct token *token, CK_SLOT_ID slot, CK_USER_TYPE user, const char *pin)
{
    CK_RV result = token->f->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &token->session);
    token->in_session = result == CKR_OK;
    if (token->in_session)
        result = token->f->C_Login(token->session, user, (CK_UTF8CHAR *)pin, strlen(pin));
    return result == CKR_OK;
}

static bool token_format(struct token *token, const char *pin)
{
    uint8_t label[LABEL_BYTES];
    CK_SLOT_ID slot;
    label_print(token->service, label);
    return slot_find(token, &slot, true) &&
           token->f->C_InitToken(slot, (CK_UTF8CHAR *)pin, strlen(pin), label) == CKR_OK &&
           slot_find(token, &slot, false) && session_open(token, slot, CKU_SO, pin) &&
           token->f->C_InitPIN(token->session, (CK_UTF8CHAR *)pin, strlen(pin)) == CKR_OK;
}

static struct token *token_new(const char *keys, const char *service)
{
    struct token *token = calloc(1, sizeof *token);
    if (!token)
        return NULL;
    snprintf(token->service, sizeof token->service, "%s", service);
    token->lock = lock_take(keys, service);
    return token;
}

static bool folder_make(const char *keys, const char *service)
{
    char path[PATH_MAX], text[PATH_MAX + 128], conf[PATH_MAX];
    if (!path_print(path, keys, service, "token") || !path_print(conf, keys, service, "softhsm2.conf"))
        return false;
    mkdir(path, 0700);
    snprintf(text, sizeof text, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", path);
    return file_write(conf, text);
}

bool token_make(const char *module, const char *keys, const char *service)
{
    char pin[PIN_BYTES + 1] = "", path[PATH_MAX];
    CK_SLOT_ID slot;
    if (!path_print(path, keys, service, ""))
        return false;
    mkdir(path, 0700);
    struct token *token = token_new(keys, service);
    bool made = token && token->lock >= 0 && folder_make(keys, service) && library_open(token, module, keys, service);
    if (made && !slot_find(token, &slot, false))
        made = pin_make(keys, service, pin) && token_format(token, pin);
    OPENSSL_cleanse(pin, sizeof pin);
    token_close(token);
    return made;
}

bool token_open(struct token **out, const char *module, const char *keys, const char *service)
{
    char pin[PIN_BYTES + 1] = "";
    CK_SLOT_ID slot;
    struct token *token = token_new(keys, service);
    bool opened = token && token->lock >= 0 && library_open(token, module, keys, service) &&
                  slot_find(token, &slot, false) && pin_read(keys, service, pin) &&
                  session_open(token, slot, CKU_USER, pin);
    OPENSSL_cleanse(pin, sizeof pin);
    if (!opened) {
        token_close(token);
        token = NULL;
    }
    *out = token;
    return opened;
}

void token_close(struct token *token)
{
    if (!token)
        return;
    if (token->in_session)
        token->f->C_CloseSession(token->session);
    if (token->f)
        token->f->C_Finalize(NULL);
    if (token->library)
        dlclose(token->library);
    if (token->lock >= 0)
        close(token->lock);
    free(token);
}

struct wrapping {
    CK_OBJECT_HANDLE key;
    uint32_t version; /* CKA_ID, big-endian; 0 where it has none */
};

static uint32_t version_read(struct token *token, CK_OBJECT_HANDLE key)
{
    uint32_t version = 0;
    CK_ATTRIBUTE id = {CKA_ID, &version, sizeof version};
    if (token->f->C_GetAttributeValue(token->session, key, &id, 1) != CKR_OK || id.ulValueLen != sizeof version)
        return 0;
    return be32toh(version);
}

static int by_version(const void *one, const void *other)
{
    uint32_t a = ((const struct wrapping *)one)->version, b = ((const struct wrapping *)other)->version;
    return a < b ? 1 : a > b ? -1 : 0;
}

/* The manager's wrapping keys, newest first. */
static CK_ULONG wrapping_find(struct token *token, const char *manager, struct wrapping found[KEYS_MAX])
{
    char label[TOKEN_MANAGER_MAX + 8];
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_OBJECT_HANDLE keys[KEYS_MAX];
    CK_ULONG count = 0;
    int len = snprintf(label, sizeof label, "wrap/%s", manager);
    CK_ATTRIBUTE like[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, label, (CK_ULONG)len}};
    if (token->f->C_FindObjectsInit(token->session, like, 2) != CKR_OK)
        return 0;
    if (token->f->C_FindObjects(token->session, keys, KEYS_MAX, &count) != CKR_OK)
        count = 0;
    token->f->C_FindObjectsFinal(token->session);
    for (CK_ULONG i = 0; i < count; i++)
        found[i] = (struct wrapping){keys[i], version_read(token, keys[i])};
    qsort(found, count, sizeof *found, by_version);
    return count;
}

static bool wrapping_make(struct token *token, const char *manager, uint32_t version, CK_OBJECT_HANDLE *key)
{
    char label[TOKEN_MANAGER_MAX + 8];
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG bytes = 32;
    CK_MECHANISM generate = {CKM_AES_KEY_GEN, NULL, 0};
    uint32_t id = htobe32(version);
    int len = snprintf(label, sizeof label, "wrap/%s", manager);
    CK_ATTRIBUTE with[] = {
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_ENCRYPT, &yes, sizeof yes},
        {CKA_DECRYPT, &yes, sizeof yes},
        {CKA_VALUE_LEN, &bytes, sizeof bytes},
        {CKA_LABEL, label, (CK_ULONG)len},
        {CKA_ID, &id, sizeof id},
    };
    return token->f->C_GenerateKey(token->session, &generate, with, sizeof with / sizeof *with, key) == CKR_OK;
}

/* The place a secret is bound to, so that a wrapped key cannot be put in another's row. */
static CK_ULONG place_print(const struct token *token, const char *manager, const char *kind, char text[96])
{
    return (CK_ULONG)snprintf(text, 96, "shikaku key|%s|%s|%s", token->service, manager, kind);
}

/* A P-256 scalar must lie in 1..n-1 (FIPS 186-4, B.4.2); n begins with ffffffff00000000. The other kinds take any
 * bytes. */
static bool secret_is_usable(const uint8_t *secret)
{
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff}, zeroes[TOKEN_SECRET_BYTES];
    return memcmp(secret, ones, sizeof ones) != 0 && CRYPTO_memcmp(secret, zeroes, sizeof zeroes) != 0;
}

/* Under the newest wrapping key of the manager, which is made if there is none. */
static enum token_result secret_wrap(struct token *token, const char *manager, const char *kind,
    uint8_t secret[TOKEN_SECRET_BYTES], uint8_t wrapped[TOKEN_WRAPPED_BYTES])
{
    struct wrapping keys[KEYS_MAX];
    char place[96];
    uint8_t *nonce = wrapped + 1;
    CK_ULONG len = TOKEN_SECRET_BYTES + TAG_BITS / 8, place_len = place_print(token, manager, kind, place);
    struct ck_gcm_params gcm = {nonce, NONCE_BYTES, NONCE_BYTES * 8, (uint8_t *)place, place_len, TAG_BITS};
    CK_MECHANISM seal = {CKM_AES_GCM, &gcm, sizeof gcm};
    if (strlen(manager) > TOKEN_MANAGER_MAX)
        return TOKEN_FAILED;
    if (!wrapping_find(token, manager, keys) && !wrapping_make(token, manager, 0, &keys[0].key))
        return TOKEN_FAILED;
    wrapped[0] = FORM;
    if (token->f->C_GenerateRandom(token->session, nonce, NONCE_BYTES) != CKR_OK ||
        token->f->C_EncryptInit(token->session, &seal, keys[0].key) != CKR_OK ||
        token->f->C_Encrypt(token->session, secret, TOKEN_SECRET_BYTES, nonce + NONCE_BYTES, &len) != CKR_OK ||
        len != TOKEN_SECRET_BYTES + TAG_BITS / 8)
        return TOKEN_FAILED;
    return TOKEN_OK;
}

enum token_result token_generate(struct token *token, const char *manager, const char *kind,
    uint8_t secret[TOKEN_SECRET_BYTES], uint8_t wrapped[TOKEN_WRAPPED_BYTES])
{
    do {
        if (token->f->C_GenerateRandom(token->session, secret, TOKEN_SECRET_BYTES) != CKR_OK)
            return TOKEN_FAILED;
    } while (!secret_is_usable(secret));
    return secret_wrap(token, manager, kind, secret, wrapped);
}

enum token_result token_unwrap(struct token *token, const char *manager, const char *kind, const uint8_t *wrapped,
    size_t size, uint8_t secret[TOKEN_SECRET_BYTES])
{
    struct wrapping keys[KEYS_MAX];
    char place[96];
    CK_ULONG count, place_len = place_print(token, manager, kind, place);
    if (size != TOKEN_WRAPPED_BYTES || wrapped[0] != FORM || strlen(manager) > TOKEN_MANAGER_MAX)
        return TOKEN_FAILED;
    count = wrapping_find(token, manager, keys);
    for (CK_ULONG i = 0; i < count; i++) {
        uint8_t opened[TOKEN_SECRET_BYTES + TAG_BITS / 8]; /* SoftHSM asks for room for the tag as well */
        CK_ULONG len = sizeof opened;
        struct ck_gcm_params gcm = {
            (uint8_t *)wrapped + 1, NONCE_BYTES, NONCE_BYTES * 8, (uint8_t *)place, place_len, TAG_BITS};
        CK_MECHANISM seal = {CKM_AES_GCM, &gcm, sizeof gcm};
        bool right = token->f->C_DecryptInit(token->session, &seal, keys[i].key) == CKR_OK &&
                     token->f->C_Decrypt(token->session, (uint8_t *)wrapped + 1 + NONCE_BYTES,
                         TOKEN_SECRET_BYTES + TAG_BITS / 8, opened, &len) == CKR_OK &&
                     len == TOKEN_SECRET_BYTES;
        if (right)
            memcpy(secret, opened, TOKEN_SECRET_BYTES);
        OPENSSL_cleanse(opened, sizeof opened);
        if (right)
            return TOKEN_OK;
    }
    return count ? TOKEN_FAILED : TOKEN_GONE;
}

enum token_result token_rewrap(struct token *token, const char *manager, const char *kind, const uint8_t *wrapped,
    size_t size, uint8_t anew[TOKEN_WRAPPED_BYTES])
{
    uint8_t secret[TOKEN_SECRET_BYTES];
    enum token_result result = token_unwrap(token, manager, kind, wrapped, size, secret);
    if (result == TOKEN_OK)
        result = secret_wrap(token, manager, kind, secret, anew);
    OPENSSL_cleanse(secret, sizeof secret);
    return result;
}

bool token_renew(struct token *token, const char *manager, uint32_t version)
{
    struct wrapping keys[KEYS_MAX];
    CK_OBJECT_HANDLE made;
    CK_ULONG count = wrapping_find(token, manager, keys);
    return (count && keys[0].version >= version) || wrapping_make(token, manager, version, &made);
}

bool token_drop(struct token *token, const char *manager, uint32_t version)
{
    struct wrapping keys[KEYS_MAX];
    CK_ULONG count = wrapping_find(token, manager, keys);
    if (!count || keys[0].version < version) /* the last one is never dropped: that is token_erase */
        return false;
    for (CK_ULONG i = 0; i < count; i++)
        if (keys[i].version < version && token->f->C_DestroyObject(token->session, keys[i].key) != CKR_OK)
            return false;
    return true;
}

bool token_erase(struct token *token, const char *manager)
{
    struct wrapping keys[KEYS_MAX];
    CK_ULONG count;
    while ((count = wrapping_find(token, manager, keys)) > 0)
        for (CK_ULONG i = 0; i < count; i++)
            if (token->f->C_DestroyObject(token->session, keys[i].key) != CKR_OK)
                return false;
    return true;
}
