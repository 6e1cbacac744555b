#include "staff/staff_token.h"

#include "chassis/jwe.h"
#include "chassis/keyring.h"
#include "chassis/work.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *token_issue(struct arena *arena, const Staff__Actor *actor)
{
    const struct key *key = keyring_newest("*", KEY_SIGN);
    uint8_t signature[64];
    size_t len = staff__actor__get_packed_size(actor);
    uint8_t *packed = arena_take(arena, len + 1);
    if (!key || !packed)
        return NULL;
    staff__actor__pack(actor, packed);
    if (!key_sign(key, packed, len, signature))
        return NULL;
    char *left = base64url_put(arena, packed, len), *right = base64url_put(arena, signature, sizeof signature);
    char *token = left && right ? arena_format(arena, "%s.%s", left, right) : NULL;
    return token && strlen(token) <= ACTOR_TOKEN_MAX ? token : NULL;
}

bool name_key_make(uint8_t key[LIKENESS_KEY_BYTES])
{
    return index_token("*", "staff.likeness", "names", strlen("names"), key);
}

bool token_key_publish(const char *folder, struct fault *fault)
{
    const struct key *const keys[] = {keyring_newest("*", KEY_SIGN), keyring_beside("*", KEY_SIGN)};
    uint8_t public_key[32];
    char text[2][65] = {"", ""}, path[512], fresh[544];
    for (int i = 0; i < 2; i++) {
        if (keys[i] ? !key_ed25519_public(keys[i], public_key) : i == 0)
            return fault_set(fault, FAULT_internal, "staff.sign");
        if (keys[i])
            hex_put(text[i], public_key, sizeof public_key);
    }
    snprintf(path, sizeof path, "%s/peers", folder);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fault_set(fault, FAULT_unavailable, "peers");
    snprintf(path, sizeof path, "%s/peers/staff.sign.pub", folder);
    snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid());
    FILE *out = fopen(fresh, "we");
    if (!out)
        return fault_set(fault, FAULT_unavailable, "staff.sign.pub");
    bool written = fprintf(out, "%s\n%s\n", text[0], text[1]) > 0;
    written = fclose(out) == 0 && written;
    if (!written || rename(fresh, path) != 0)
        return fault_set(fault, FAULT_unavailable, "staff.sign.pub");
    return true;
}

bool person_token(
    const char *manager, enum person_token_kind kind, const char *person, uint8_t token[INDEX_TOKEN_BYTES])
{
    static const char blank[] = "　";
    size_t len = strlen(person), used = 0;
    char *bare = malloc(len + 1);
    for (const char *at = person; bare && *at;) {
        size_t skip = *at == ' ' ? 1 : strncmp(at, blank, strlen(blank)) == 0 ? strlen(blank) : 0;
        if (!skip)
            bare[used++] = *at++;
        at += skip;
    }
    bool made =
        bare && index_token(manager, kind == PERSON_TOLD ? "staff.person_told" : "staff.person", bare, used, token);
    if (bare)
        OPENSSL_cleanse(bare, len + 1);
    free(bare);
    return made;
}

void person_print(const char *manager, const char *person, char text[ACTOR_PERSON_MAX + 1])
{
    uint8_t token[INDEX_TOKEN_BYTES];
    *text = '\0';
    if (*person && person_token(manager, PERSON_TOLD, person, token))
        hex_put(text, token, ACTOR_PERSON_MAX / 2);
}
