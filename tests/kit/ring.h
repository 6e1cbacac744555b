/* Keys without a token, for tests of what stands on the keyring. Included by one file of a program, in place of
 * chassis/keyring.c: the linker takes these functions and leaves those. Every key is derived from the name of its
 * service, its manager and kind, so that one program can play several services. */
#ifndef KIT_RING_H
#define KIT_RING_H

#include "chassis/keyring.h"
#include "chassis/work.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_KEYS 256

static struct key ring_keys[RING_KEYS];
static size_t ring_used;
static char ring_service[64] = "nobody";
static int ring_generation;

/* From now on keys are those of this service. */
static inline void ring_as(const char *service)
{
    snprintf(ring_service, sizeof ring_service, "%s", service);
}

/* From now on new keys are others, as after a rotation. */
static inline void ring_rotate(void)
{
    ring_generation++;
}

static inline uint32_t ring_id(const char *manager, enum key_kind kind)
{
    char seed[128];
    uint8_t digest[32];
    uint32_t id;
    if (kind == KEY_BUS)
        return 0;
    snprintf(seed, sizeof seed, "%s|%s|%d|%d", ring_service, manager, (int)kind, ring_generation);
    SHA256((const uint8_t *)seed, strlen(seed), digest);
    memcpy(&id, digest, sizeof id);
    return id | 1;
}

/* The service itself and the managers of the programmes have keys; nobody else. */
static inline bool ring_knows(const char *manager)
{
    static const char *const managers[] = {"*", "mlit", "tokyo", "saitama", "mhlw", "nara"};
    for (size_t i = 0; i < sizeof managers / sizeof *managers; i++)
        if (strcmp(managers[i], manager) == 0)
            return true;
    return false;
}

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    if (!ring_knows(manager))
        return NULL;
    char seed[128];
    struct key key = {.id = ring_id(manager, kind), .kind = kind};
    snprintf(key.manager, sizeof key.manager, "%s", manager);
    snprintf(seed, sizeof seed, "secret|%s|%s|%d|%d", ring_service, manager, (int)kind, ring_generation);
    SHA256((const uint8_t *)seed, strlen(seed), key.secret);
    for (size_t i = 0; i < ring_used; i++)
        if (memcmp(&ring_keys[i], &key, sizeof key) == 0)
            return &ring_keys[i];
    if (ring_used == RING_KEYS)
        abort();
    ring_keys[ring_used] = key;
    return &ring_keys[ring_used++];
}

const struct key *keyring_beside(const char *manager, enum key_kind kind)
{
    (void)manager, (void)kind;
    return NULL;
}

const struct key *keyring_by_id(uint32_t id)
{
    for (size_t i = 0; id && i < ring_used; i++)
        if (ring_keys[i].id == id)
            return &ring_keys[i];
    return NULL;
}

bool keyring_open(const char *service, struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault)
{
    (void)pg, (void)wants, (void)count, (void)fault;
    ring_as(service);
    return true;
}

void keyring_close(void)
{
    ring_used = 0;
}

bool keyring_reload(struct pg *pg, struct fault *fault)
{
    (void)pg, (void)fault;
    return true;
}

int64_t keyring_generation(void)
{
    return 0;
}

bool keyring_index(const char *manager, struct key_index *index)
{
    *index = (struct key_index){.token = keyring_newest(manager, KEY_INDEX)};
    return index->token != NULL;
}

void keyring_forget(const char *manager)
{
    for (size_t i = 0; i < ring_used; i++)
        if (strcmp(ring_keys[i].manager, manager) == 0)
            memset(&ring_keys[i], 0, sizeof ring_keys[i]);
}

const char *key_kind_text(enum key_kind kind)
{
    static const char *const texts[] = {"data", "index", "issue", "seal", "sign", "bus"};
    return texts[kind];
}

/* A folder of keys of the test's own, which SHIKAKU_KEYS names from now on. */
static inline void ring_folder_make(char folder[64])
{
    char path[96];
    snprintf(folder, 64, "/tmp/shikaku-ring-XXXXXX");
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/peers", folder);
    if (mkdir(path, 0700) != 0 || setenv("SHIKAKU_KEYS", folder, 1) != 0)
        abort();
}

static inline void ring_file_write(const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/peers/%s", getenv("SHIKAKU_KEYS"), name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(content, file) < 0 || fclose(file) != 0)
        abort();
}

/* The public half of a service's bus key, in hex. */
static inline void ring_public(const char *service, char hex[65])
{
    char before[sizeof ring_service];
    uint8_t half[32];
    memcpy(before, ring_service, sizeof before);
    ring_as(service);
    if (!key_x25519_public(keyring_newest("*", KEY_BUS), half))
        abort();
    hex_put(hex, half, sizeof half);
    ring_as(before);
}

/* Let others know this service. */
static inline void ring_publish(const char *service)
{
    char name[48], hex[66];
    ring_public(service, hex);
    snprintf(name, sizeof name, "%s.pub", service);
    ring_file_write(name, hex);
}

static inline void ring_folder_remove(const char *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s was not removed\n", folder);
}

#endif
