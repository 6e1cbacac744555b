#include "chassis/likeness.h"

#include "chassis/person_match.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define BLANK "\xe3\x80\x80"       /* U+3000 */
#define PARENTHESIS "\xef\xbc\x88" /* U+FF08 */

static struct {
    pthread_rwlock_t lock;
    bool heard;
    uint8_t key[LIKENESS_KEY_BYTES];
} known = {.lock = PTHREAD_RWLOCK_INITIALIZER};

static bool tag_make(const uint8_t key[LIKENESS_KEY_BYTES], const char *manager, const char *what, const char *text,
    uint8_t tag[LIKENESS_TAG_BYTES])
{
    char form[PERSON_NAME_KEY_MAX], said[PERSON_NAME_KEY_MAX + 64];
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;
    if (!person_name_normalise(text, form, sizeof form))
        return false;
    int used = snprintf(said, sizeof said, "%.31s %s %s", manager, what, form);
    bool made = used > 0 && (size_t)used < sizeof said &&
                HMAC(EVP_sha256(), key, LIKENESS_KEY_BYTES, (const uint8_t *)said, (size_t)used, digest, &len) != NULL;
    if (made)
        memcpy(tag, digest, LIKENESS_TAG_BYTES);
    OPENSSL_cleanse(form, sizeof form);
    OPENSSL_cleanse(said, sizeof said);
    return made;
}

/* The name alone, blanks as single ' '; returns the length of its first part, 0 where there is one part only. */
static size_t parts_take(const char *name, char parts[PERSON_NAME_BYTES + 1])
{
    size_t used = 0, family = 0;
    bool between = false;
    for (const char *at = name; *at && !strchr("(0123456789", *at) && used + 2 < PERSON_NAME_BYTES;) {
        bool wide = strncmp(at, BLANK, strlen(BLANK)) == 0;
        if (strncmp(at, PARENTHESIS, strlen(PARENTHESIS)) == 0)
            break;
        if (wide || *at == ' ') {
            between = used > 0;
            at += wide ? strlen(BLANK) : 1;
            continue;
        }
        if (between) {
            family = family ? family : used;
            parts[used++] = ' ';
            between = false;
        }
        parts[used++] = *at++;
    }
    parts[used] = '\0';
    return family;
}

void likeness_tags_make(
    const uint8_t key[LIKENESS_KEY_BYTES], const char *manager, const char *name, struct likeness_tags *tags)
{
    char parts[PERSON_NAME_BYTES + 1];
    memset(tags, 0, sizeof *tags);
    size_t family = parts_take(name, parts);
    if (family) {
        tags->has_name = tag_make(key, manager, "name", parts, tags->name);
        parts[family] = '\0';
        tags->has_family = tag_make(key, manager, "family", parts, tags->family);
    }
    OPENSSL_cleanse(parts, sizeof parts);
}

void likeness_key_take(const uint8_t *key, size_t len)
{
    if (len != LIKENESS_KEY_BYTES)
        return;
    pthread_rwlock_wrlock(&known.lock);
    memcpy(known.key, key, len);
    known.heard = true;
    pthread_rwlock_unlock(&known.lock);
}

const char *likeness_of(const struct likeness_tags *account, const char *manager, const char *name)
{
    struct likeness_tags tags = {0};
    if (!account->has_family)
        return "";
    pthread_rwlock_rdlock(&known.lock);
    if (known.heard)
        likeness_tags_make(known.key, manager, name, &tags);
    pthread_rwlock_unlock(&known.lock);
    if (account->has_name && tags.has_name && CRYPTO_memcmp(account->name, tags.name, sizeof tags.name) == 0)
        return "name";
    return tags.has_family && CRYPTO_memcmp(account->family, tags.family, sizeof tags.family) == 0 ? "family" : "";
}
