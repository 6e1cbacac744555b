#include "vault/file_view.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define CHANGES                                                                                                        \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
        LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                     \
        LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                  \
        LANDLOCK_ACCESS_FS_MAKE_SYM)
#ifdef __SANITIZE_ADDRESS__
#define STARTS 0 /* at its end the sanitizer starts a program that reads symbols */
#else
#define STARTS LANDLOCK_ACCESS_FS_EXECUTE
#endif

/* What this kernel can forbid; 0 if nothing. Moving is forbidden by the first version, truncating from the third on. */
static uint64_t handled_accesses(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return 0;
    return CHANGES | STARTS | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
}

static bool sockets_allow(int ruleset, const char *folder)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE,
        .parent_fd = open(folder, O_PATH | O_CLOEXEC)};
    bool allowed =
        rule.parent_fd >= 0 && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    if (rule.parent_fd >= 0)
        close(rule.parent_fd);
    return allowed;
}

bool file_view_narrow(const char *sockets)
{
    struct landlock_ruleset_attr rules = {.handled_access_fs = handled_accesses()};
    if (!rules.handled_access_fs)
        return false;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0)
        return false;
    bool narrowed = sockets_allow(ruleset, sockets) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return narrowed;
}
