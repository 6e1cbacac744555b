#include "chassis/seal.h"

#include "chassis/journal.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"
#include "chassis/work.h"

#include <endian.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "SHK1"
#define MAGIC_BYTES 4
#define BOOT_BYTES 16
#define COUNTER_BYTES 8
#define TAG_BYTES 16
#define NONCE_BYTES 12
#define NAME_MAX_BYTES 63
#define LINES_MAX 64 /* keys kept at a time: threads of peers that this thread hears from */
#define PEERS_MAX 32
#define STATIC_KEYS_MAX 2
#define PEER_LOOK_MS 1000 /* what an operator changes or withdraws takes effect within this */

struct line { /* one direction of talk with one thread of a peer */
    char peer[NAME_MAX_BYTES + 1];
    uint8_t boot[BOOT_BYTES];
    enum seal_kind kind;
    EVP_CIPHER_CTX *cipher; /* NULL: free */
};

struct peer {
    struct seal_peer seen;
    uint8_t keys[STATIC_KEYS_MAX][32];
    int key_count;
};

struct known_peer {
    struct peer peer; /* key_count 0: its enrolment was withdrawn */
    int64_t looked_at_ms;
};

struct sealer {
    char name[NAME_MAX_BYTES + 1];
    uint8_t boot[BOOT_BYTES];
    uint64_t counter; /* of all frames of this boot: a line that was dropped and made anew repeats no nonce */
    EVP_PKEY *own;
    struct line sending[LINES_MAX], receiving[LINES_MAX];
    unsigned next_victim;
    struct known_peer peers[PEERS_MAX];
    int peer_count;
};

struct sealer *sealer_new(const char *name)
{
    const struct key *key = keyring_newest("*", KEY_BUS);
    struct sealer *sealer = calloc(1, sizeof *sealer);
    if (!sealer || !key || strlen(name) > NAME_MAX_BYTES)
        goto fail;
    memcpy(sealer->name, name, strlen(name));
    sealer->own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key->secret, KEY_BYTES);
    if (!sealer->own || RAND_bytes(sealer->boot, BOOT_BYTES) != 1)
        goto fail;
    return sealer;
fail:
    sealer_free(sealer);
    return NULL;
}

void sealer_free(struct sealer *sealer)
{
    if (!sealer)
        return;
    for (int i = 0; i < LINES_MAX; i++) {
        EVP_CIPHER_CTX_free(sealer->sending[i].cipher);
        EVP_CIPHER_CTX_free(sealer->receiving[i].cipher);
    }
    EVP_PKEY_free(sealer->own);
    free(sealer);
}

/* Peers */

static bool name_is_plain(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

static bool peer_read_keys(const char *folder, struct peer *peer)
{
    char path[512], line[128];
    snprintf(path, sizeof path, "%s/peers/%s.pub", folder, peer->seen.name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    while (peer->key_count < STATIC_KEYS_MAX && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (hex_take(peer->keys[peer->key_count], 32, line))
            peer->key_count++;
    }
    fclose(file);
    return peer->key_count > 0;
}

static bool peer_read_enrolment(const char *folder, struct peer *peer)
{
    char path[512];
    const char *key, *manager;
    json_t *routes;
    snprintf(path, sizeof path, "%s/peers/%s.json", folder, peer->seen.name);
    json_t *enrolment = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    bool read = enrolment &&
                json_unpack(enrolment, "{s:s, s:s, s:o}", "key", &key, "manager", &manager, "routes", &routes) == 0 &&
                hex_take(peer->keys[0], 32, key) && strlen(manager) < sizeof peer->seen.manager;
    if (read) {
        size_t index, used = 0;
        json_t *route;
        snprintf(peer->seen.manager, sizeof peer->seen.manager, "%s", manager);
        json_array_foreach(routes, index,
            route) if (json_is_string(route) && used + strlen(json_string_value(route)) + 3 < sizeof peer->seen.routes)
            used += (size_t)sprintf(peer->seen.routes + used, " %s ", json_string_value(route));
        peer->key_count = 1;
        peer->seen.party = PARTY_AGENCY;
    }
    json_decref(enrolment);
    return read;
}

static bool peer_read(const char *name, struct peer *peer)
{
    memset(peer, 0, sizeof *peer);
    if (!name_is_plain(name) || strlen(name) > NAME_MAX_BYTES)
        return false;
    snprintf(peer->seen.name, sizeof peer->seen.name, "%s", name);
    const char *folder = setting_text("SHIKAKU_KEYS");
    return party_find(name, &peer->seen.party) && peer->seen.party != PARTY_AGENCY ? peer_read_keys(folder, peer)
                                                                                   : peer_read_enrolment(folder, peer);
}

static void lines_drop(struct line *lines, const char *peer)
{
    for (int i = 0; i < LINES_MAX; i++)
        if (lines[i].cipher && strcmp(lines[i].peer, peer) == 0) {
            EVP_CIPHER_CTX_free(lines[i].cipher);
            lines[i].cipher = NULL;
        }
}

/* What was agreed with the peer is agreed anew when it is heard again. */
static void lines_end(struct sealer *sealer, const char *peer)
{
    lines_drop(sealer->sending, peer);
    lines_drop(sealer->receiving, peer);
}

/* Look at the peer's file again. True when it says something new; then nothing agreed under what it said before holds
 * any more. */
static bool peer_renew(struct sealer *sealer, struct known_peer *known)
{
    struct peer now;
    known->looked_at_ms = clock_ms();
    if (!peer_read(known->peer.seen.name, &now))
        now.key_count = 0;
    if (memcmp(&now, &known->peer, sizeof now) == 0)
        return false;
    lines_end(sealer, known->peer.seen.name);
    known->peer = now;
    return true;
}

static struct known_peer *peer_find(struct sealer *sealer, const char *name)
{
    struct known_peer fresh = {.looked_at_ms = clock_ms()};
    for (int i = 0; i < sealer->peer_count; i++) {
        struct known_peer *known = &sealer->peers[i];
        if (strcmp(known->peer.seen.name, name) != 0)
            continue;
        if (fresh.looked_at_ms - known->looked_at_ms >= PEER_LOOK_MS)
            (void)peer_renew(sealer, known);
        return known->peer.key_count ? known : NULL;
    }
    if (!peer_read(name, &fresh.peer))
        return NULL;
    struct known_peer *place = &sealer->peers[sealer->next_victim++ % PEERS_MAX];
    if (sealer->peer_count < PEERS_MAX)
        place = &sealer->peers[sealer->peer_count++];
    else
        lines_end(sealer, place->peer.seen.name);
    *place = fresh;
    return place;
}

/* Keys */

static bool secret_agree(EVP_PKEY *own, const uint8_t public_key[32], uint8_t secret[32])
{
    size_t len = 32;
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    bool agreed = peer && ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
                  EVP_PKEY_derive(ctx, secret, &len) == 1 && len == 32;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    return agreed;
}

static bool key_stretch(const uint8_t secret[32], const uint8_t boot[BOOT_BYTES], const char *info, uint8_t key[32])
{
    size_t len = 32;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    bool done = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set1_hkdf_salt(ctx, boot, BOOT_BYTES) == 1 &&
                EVP_PKEY_CTX_set1_hkdf_key(ctx, secret, 32) == 1 &&
                EVP_PKEY_CTX_add1_hkdf_info(ctx, (const unsigned char *)info, (int)strlen(info)) == 1 &&
                EVP_PKEY_derive(ctx, key, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return done;
}

static EVP_CIPHER_CTX *cipher_new(struct sealer *sealer, const uint8_t peer_key[32], const uint8_t boot[BOOT_BYTES],
    const char *from, const char *to, enum seal_kind kind, bool sending)
{
    uint8_t secret[32], key[32];
    char info[2 * NAME_MAX_BYTES + 32];
    snprintf(info, sizeof info, "shikaku bus|%s|%s|%c", from, to, kind);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    bool made = cipher && secret_agree(sealer->own, peer_key, secret) && key_stretch(secret, boot, info, key) &&
                EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, NULL, sending) == 1;
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(key, sizeof key);
    if (made)
        return cipher;
    EVP_CIPHER_CTX_free(cipher);
    return NULL;
}

static struct line *line_find(struct line *lines, const char *peer, const uint8_t boot[BOOT_BYTES], enum seal_kind kind)
{
    for (int i = 0; i < LINES_MAX; i++)
        if (lines[i].cipher && lines[i].kind == kind && memcmp(lines[i].boot, boot, BOOT_BYTES) == 0 &&
            strcmp(lines[i].peer, peer) == 0)
            return &lines[i];
    return NULL;
}

static struct line *line_keep(struct sealer *sealer, struct line *lines, const char *peer,
    const uint8_t boot[BOOT_BYTES], enum seal_kind kind, EVP_CIPHER_CTX *cipher)
{
    struct line *line = NULL;
    for (int i = 0; i < LINES_MAX && !line; i++)
        if (!lines[i].cipher)
            line = &lines[i];
    if (!line)
        line = &lines[sealer->next_victim++ % LINES_MAX];
    EVP_CIPHER_CTX_free(line->cipher);
    memset(line, 0, sizeof *line);
    snprintf(line->peer, sizeof line->peer, "%s", peer);
    memcpy(line->boot, boot, BOOT_BYTES);
    line->kind = kind;
    line->cipher = cipher;
    return line;
}

static void nonce_make(const uint8_t *counter, uint8_t nonce[NONCE_BYTES])
{
    memset(nonce, 0, NONCE_BYTES - COUNTER_BYTES);
    memcpy(nonce + NONCE_BYTES - COUNTER_BYTES, counter, COUNTER_BYTES);
}

/* Frames */

struct bytes seal_put(
    struct sealer *sealer, struct arena *arena, enum seal_kind kind, const char *to, const void *plain, size_t len)
{
    const struct bytes nothing = {NULL, 0};
    const struct known_peer *known = peer_find(sealer, to); /* before its line, which a change of its key ends */
    if (!known)
        return nothing;
    struct line *line = line_find(sealer->sending, to, sealer->boot, kind);
    if (!line) {
        EVP_CIPHER_CTX *cipher = cipher_new(sealer, known->peer.keys[0], sealer->boot, sealer->name, to, kind, true);
        if (!cipher)
            return nothing;
        line = line_keep(sealer, sealer->sending, to, sealer->boot, kind, cipher);
    }
    size_t name_len = strlen(sealer->name), head = MAGIC_BYTES + 2 + name_len + BOOT_BYTES + COUNTER_BYTES;
    struct bytes frame = {arena_take(arena, head + len + TAG_BYTES), head + len + TAG_BYTES};
    if (!frame.data)
        return nothing;
    uint8_t *at = frame.data, nonce[NONCE_BYTES];
    uint64_t counter = htobe64(++sealer->counter);
    memcpy(at, MAGIC, MAGIC_BYTES);
    at[4] = (uint8_t)kind;
    at[5] = (uint8_t)name_len;
    memcpy(at + 6, sealer->name, name_len);
    memcpy(at + 6 + name_len, sealer->boot, BOOT_BYTES);
    memcpy(at + 6 + name_len + BOOT_BYTES, &counter, COUNTER_BYTES);
    nonce_make((const uint8_t *)&counter, nonce);
    int part = 0;
    bool sealed = EVP_EncryptInit_ex(line->cipher, NULL, NULL, NULL, nonce) == 1 &&
                  EVP_EncryptUpdate(line->cipher, NULL, &part, frame.data, (int)head) == 1 &&
                  EVP_EncryptUpdate(line->cipher, frame.data + head, &part, plain, (int)len) == 1 &&
                  EVP_EncryptFinal_ex(line->cipher, frame.data + head + len, &part) == 1 &&
                  EVP_CIPHER_CTX_ctrl(line->cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, frame.data + head + len) == 1;
    return sealed ? frame : nothing;
}

static bool frame_open(EVP_CIPHER_CTX *cipher, const uint8_t *frame, size_t head, size_t len, uint8_t *plain)
{
    uint8_t nonce[NONCE_BYTES];
    int part = 0;
    nonce_make(frame + head - COUNTER_BYTES, nonce);
    return EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, nonce) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &part, frame, (int)head) == 1 &&
           EVP_DecryptUpdate(cipher, plain, &part, frame + head, (int)len) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(frame + head + len)) == 1 &&
           EVP_DecryptFinal_ex(cipher, plain + len, &part) == 1;
}

/* A thread of a peer that was not heard before: try the one or two static keys of the peer. */
static struct line *line_learn(struct sealer *sealer, const struct peer *peer, const uint8_t *boot, enum seal_kind kind,
    const uint8_t *frame, size_t head, size_t len, uint8_t *plain)
{
    for (int i = 0; i < peer->key_count; i++) {
        EVP_CIPHER_CTX *cipher = cipher_new(sealer, peer->keys[i], boot, peer->seen.name, sealer->name, kind, false);
        if (cipher && frame_open(cipher, frame, head, len, plain))
            return line_keep(sealer, sealer->receiving, peer->seen.name, boot, kind, cipher);
        EVP_CIPHER_CTX_free(cipher);
    }
    return NULL;
}

struct bytes seal_take(struct sealer *sealer, struct arena *arena, enum seal_kind kind, const void *data, size_t total,
    struct seal_peer *seen, struct fault *fault)
{
    const struct bytes nothing = {NULL, 0};
    const uint8_t *frame = data;
    char name[NAME_MAX_BYTES + 1] = "";
    size_t name_len = total > 6 ? frame[5] : 0, head = MAGIC_BYTES + 2 + name_len + BOOT_BYTES + COUNTER_BYTES;
    if (total < head + TAG_BYTES || memcmp(frame, MAGIC, MAGIC_BYTES) != 0 || frame[4] != kind || name_len == 0 ||
        name_len > NAME_MAX_BYTES) {
        fault_set(fault, FAULT_malformed, "frame");
        return nothing;
    }
    memcpy(name, frame + 6, name_len);
    const uint8_t *boot = frame + 6 + name_len;
    struct known_peer *known = peer_find(sealer, name);
    if (!known) {
        fault_set(fault, FAULT_peer_unknown, NULL);
        return nothing;
    }
    struct bytes plain = {arena_take(arena, total), total - head - TAG_BYTES};
    if (!plain.data) {
        fault_set(fault, FAULT_too_large, NULL);
        return nothing;
    }
    struct line *line = line_find(sealer->receiving, name, boot, kind);
    bool opened = line ? frame_open(line->cipher, frame, head, plain.len, plain.data)
                       : line_learn(sealer, &known->peer, boot, kind, frame, head, plain.len, plain.data) != NULL;
    if (!opened && !line && peer_renew(sealer, known))
        opened = line_learn(sealer, &known->peer, boot, kind, frame, head, plain.len, plain.data) != NULL;
    if (!opened) {
        fault_set(fault, FAULT_envelope_altered, NULL);
        return nothing;
    }
    *seen = known->peer.seen;
    return plain;
}
