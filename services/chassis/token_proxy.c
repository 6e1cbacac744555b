#include "chassis/token_proxy.h"

#include "chassis/settings.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_SECONDS 20 /* several replicas may start at once and take turns at the token */

extern char **environ;

static struct {
    int fd;
    pid_t pid;
} helper = {.fd = -1};

bool token_proxy_start(const char *service)
{
    char path[PATH_MAX];
    int ends[2];
    posix_spawn_file_actions_t actions;
    struct timeval limit = {.tv_sec = HELPER_SECONDS};
    char *argv[] = {path, (char *)service, NULL};
    snprintf(path, sizeof path, "%s/shikaku-keyhelper", setting_text("SHIKAKU_BIN"));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], KEY_HELPER_FD);
    bool started = posix_spawn(&helper.pid, path, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    helper.fd = ends[0];
    setsockopt(helper.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!started) {
        close(helper.fd);
        helper.fd = -1;
    }
    return started;
}

void token_proxy_stop(void)
{
    if (helper.fd < 0)
        return;
    close(helper.fd);
    helper.fd = -1;
    waitpid(helper.pid, NULL, 0); /* a filter of system calls may forbid it; then init takes the helper over */
}

bool key_request_fill(
    struct key_request *request, enum key_request_kind what, const void *manager, size_t len, enum key_kind kind)
{
    memset(request, 0, sizeof *request);
    if (len == 0 || len >= sizeof request->manager)
        return false;
    request->what = what;
    memcpy(request->manager, manager, len);
    snprintf(request->kind, sizeof request->kind, "%s", key_kind_text(kind));
    return true;
}

enum token_result token_proxy_ask(const struct key_request *request, struct key_reply *reply)
{
    if (send(helper.fd, request, sizeof *request, MSG_NOSIGNAL) == sizeof *request &&
        recv(helper.fd, reply, sizeof *reply, 0) == sizeof *reply)
        return reply->result;
    /* An answer that comes too late must not be taken for the next one's. */
    if (helper.fd >= 0)
        shutdown(helper.fd, SHUT_RDWR);
    return TOKEN_FAILED;
}

void token_proxy_rest(void)
{
    struct key_request request = {.what = KEY_REQUEST_REST};
    struct key_reply reply;
    (void)!token_proxy_ask(&request, &reply);
}
