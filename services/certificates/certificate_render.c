#include "certificates/certificate_render.h"
#include "certificates/certificate_page.h"
#include "certificates/certificate_url.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RENDER_MS = 6000, RENDER_CPU_SECONDS = 5 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The child has one socket as input and output, no other descriptor, no environment of ours, and default signals. */
static bool renderer_start(const char *format, int socket, pid_t *pid)
{
    char *const arguments[] = {"shikaku-certificates", "--render", (char *)format, NULL};
    char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return false;
    }
    bool ok = posix_spawn_file_actions_adddup2(&actions, socket, 0) == 0 &&
              posix_spawn_file_actions_adddup2(&actions, socket, 1) == 0 &&
              posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
              posix_spawn_file_actions_addclosefrom_np(&actions, 3) == 0 &&
              posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0 &&
              posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
              posix_spawnattr_setsigdefault(&attributes, &all) == 0 &&
              posix_spawn(pid, "/proc/self/exe", &actions, &attributes, arguments, environment) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return ok;
}

/* Until the renderer closes its side. False when time is up or the file is too large. */
static bool file_read(int socket, uint8_t *data, size_t *len)
{
    int64_t end = now_ms() + RENDER_MS;
    *len = 0;
    for (;;) {
        struct pollfd wait = {socket, POLLIN, 0};
        int64_t left = end - now_ms();
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        ssize_t got = recv(socket, data + *len, RENDER_BYTES_MAX - *len, 0);
        if (got == 0)
            return *len < RENDER_BYTES_MAX;
        if (got < 0 && errno != EINTR)
            return false;
        *len += got > 0 ? (size_t)got : 0;
    }
}

static bool renderer_end(pid_t pid, bool in_time, struct fault *fault)
{
    int status;
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fault_set(fault, FAULT_unavailable, "file");
    if (!in_time || !WIFEXITED(status))
        return fault_set(fault, FAULT_unavailable, "file");
    switch (WEXITSTATUS(status)) {
    case PAGE_DONE:
        return true;
    case PAGE_GLYPH_MISSING:
        return fault_set(fault, FAULT_glyph_missing, "file");
    case PAGE_FULL:
        return fault_set(fault, FAULT_item_too_long, "file");
    default:
        return fault_set(fault, FAULT_unavailable, "file");
    }
}

bool certificate_render(
    const char *format, const char *url, struct arena *arena, struct bytes *file, struct fault *fault)
{
    int pair[2] = {-1, -1};
    uint8_t *data = malloc(RENDER_BYTES_MAX);
    size_t len = 0, url_len = strlen(url);
    pid_t pid;
    bool ok = false;

    fault_set(fault, FAULT_unavailable, "file");
    if (!data || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ||
        !renderer_start(format, pair[1], &pid))
        goto out;
    close(pair[1]);
    pair[1] = -1;
    bool in_time = send(pair[0], url, url_len, MSG_NOSIGNAL) == (ssize_t)url_len && shutdown(pair[0], SHUT_WR) == 0 &&
                   file_read(pair[0], data, &len);
    if (!renderer_end(pid, in_time, fault))
        goto out;
    *file = arena_copy(arena, data, len);
    ok = file->data != NULL || fault_set(fault, FAULT_unavailable, "file");
out:
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
    if (data)
        explicit_bzero(data, len);
    free(data);
    return ok;
}

void certificate_render_main(const char *format)
{
    static struct certificate certificate;
    static char url[CERTIFICATE_URL_MAX];
    static uint8_t bytes[CERTIFICATE_BYTES_MAX];
    const struct rlimit cpu = {RENDER_CPU_SECONDS, RENDER_CPU_SECONDS}, none = {0, 0};
    enum page_outcome outcome = PAGE_FAILED;

    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &none);
    size_t len = fread(url, 1, sizeof url - 1, stdin);
    url[len] = 0;
    const char *code = certificate_url_code(url);
    if (code && certificate_code_parse(code, bytes, &len) && certificate_decode(bytes, len, &certificate)) {
        if (strcmp(format, "pdf") == 0)
            outcome = certificate_page_pdf(&certificate, url, stdout);
        else if (strcmp(format, "png") == 0)
            outcome = certificate_page_qr(url, stdout);
    }
    _exit((int)outcome);
}
