#include "chassis/bus_key.h"

#include "chassis/keyring.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool path_print(char path[PATH_MAX], const char *keys, const char *folder, const char *name, const char *end)
{
    int len = snprintf(path, PATH_MAX, "%s/%s/%s%s", keys, folder, name, end);
    return len > 0 && len < PATH_MAX;
}

/* Whole or not at all: written aside and renamed, for others read it while we write. */
static bool file_write(const char *path, mode_t mode, const void *bytes, size_t len)
{
    char aside[PATH_MAX + 16];
    snprintf(aside, sizeof aside, "%s.%d", path, (int)getpid());
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool written = fd >= 0 && write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return written && rename(aside, path) == 0;
}

bool bus_key_read(const char *keys, const char *service, uint8_t wrapped[TOKEN_WRAPPED_BYTES])
{
    char path[PATH_MAX];
    int fd = path_print(path, keys, service, "bus", ".wrapped") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t len = fd < 0 ? -1 : read(fd, wrapped, TOKEN_WRAPPED_BYTES);
    if (fd >= 0)
        close(fd);
    return len == TOKEN_WRAPPED_BYTES;
}

static bool public_write(const char *keys, const char *service, const struct key *key)
{
    char path[PATH_MAX], line[2 * 32 + 2];
    uint8_t half[32];
    if (!path_print(path, keys, "peers", service, ".pub") || !key_x25519_public(key, half))
        return false;
    for (size_t i = 0; i < sizeof half; i++)
        snprintf(line + 2 * i, 4, "%02x\n", half[i]);
    return file_write(path, 0644, line, sizeof line - 1);
}

static bool wrapped_write(const char *keys, const char *service, const uint8_t wrapped[TOKEN_WRAPPED_BYTES])
{
    char path[PATH_MAX];
    return path_print(path, keys, service, "bus", ".wrapped") && file_write(path, 0600, wrapped, TOKEN_WRAPPED_BYTES);
}

static bool secret_get(struct token *token, const char *keys, const char *service, uint8_t *secret)
{
    uint8_t wrapped[TOKEN_WRAPPED_BYTES];
    const char *kind = key_kind_text(KEY_BUS);
    if (bus_key_read(keys, service, wrapped))
        return token_unwrap(token, "*", kind, wrapped, sizeof wrapped, secret) == TOKEN_OK;
    return token_generate(token, "*", kind, secret, wrapped) == TOKEN_OK && wrapped_write(keys, service, wrapped);
}

bool bus_key_rewrap(struct token *token, const char *keys, const char *service)
{
    uint8_t wrapped[TOKEN_WRAPPED_BYTES], anew[TOKEN_WRAPPED_BYTES];
    return bus_key_read(keys, service, wrapped) &&
           token_rewrap(token, "*", key_kind_text(KEY_BUS), wrapped, sizeof wrapped, anew) == TOKEN_OK &&
           wrapped_write(keys, service, anew);
}

bool bus_key_make(struct token *token, const char *keys, const char *service)
{
    struct key key = {.manager = "*", .kind = KEY_BUS};
    char folder[PATH_MAX];
    if (!path_print(folder, keys, "peers", "", ""))
        return false;
    mkdir(folder, 0755);
    bool made = secret_get(token, keys, service, key.secret) && public_write(keys, service, &key);
    OPENSSL_cleanse(&key, sizeof key);
    return made;
}
