/* The end of a manager's use (ERASE-2): the vault forgets its keys, then the wrapping key in the vault's token is
 * destroyed. What is printed goes into the certificate of erasure (消去証明書). */
#include "chassis/settings.h"
#include "chassis/work.h"
#include "shikakuctl/commands.h"
#include "shikakuctl/operator_call.h"
#include "vault.pb-c.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#define ARENA_BYTES (1024 * 1024)

extern char **environ;

static bool token_key_destroy(char *manager)
{
    char path[PATH_MAX];
    char *argv[] = {path, "--erase", "vault", manager, NULL};
    pid_t pid;
    int status;
    snprintf(path, sizeof path, "%s/shikaku-keyhelper", setting_text("SHIKAKU_BIN"));
    return posix_spawn(&pid, path, NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* May be said again until both are done. */
int keys_end_command(int argc, char **argv)
{
    Vault__ManagerEndRequest request = VAULT__MANAGER_END_REQUEST__INIT;
    ProtobufCMessage *reply;
    if (argc != 2)
        return COMMAND_USAGE;
    struct arena *arena = arena_new(ARENA_BYTES);
    char act[37];
    uuid_make(act);
    request.manager = argv[0];
    request.reason = argv[1];
    bool done = arena && operator_call(arena, ROUTE_vault_manager_end, act, &request.base, &reply);
    if (done && !token_key_destroy(argv[0])) {
        fprintf(stderr, "the wrapping key of %s is in the token still; say it again\n", argv[0]);
        done = false;
    }
    if (done)
        printf("%s\n", ((Vault__ManagerEndReply *)reply)->certificate);
    arena_free(arena);
    return !done;
}
