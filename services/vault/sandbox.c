#include "vault/sandbox.h"

#include "chassis/journal.h"
#include "chassis/memory_lock.h"
#include "chassis/route.h"
#include "chassis/settings.h"
#include "vault/file_view.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* By purpose. What is not here is refused with EPERM. */
static const char *const allowed[] = {
    /* memory */ "brk", "mmap", "mprotect", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "munlockall",
    /* threads and signals */ "futex", "set_robust_list", "rseq", "exit", "exit_group", "sched_yield",
    "sched_getaffinity", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "tgkill",
    "gettid", "getpid", "getuid", "geteuid", "getgid", "getegid", "prlimit64", "uname", "sysinfo",
    /* time and randomness */ "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "getrandom", "timerfd_create", "timerfd_settime",
    /* descriptors */ "read", "readv", "pread64", "write", "writev", "close", "fcntl", "dup", "lseek", "ioctl", "poll",
    "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "pipe2",
    /* files: recipients' keys, peers' keys, passfile; the bus's own socket goes at the end */ "openat", "open",
    "fstat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "getcwd",
    "unlink", "unlinkat",
    /* audit and the database; the listening sockets were made before */ "socket", "connect", "accept", "accept4",
    "getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg",
    "recvmmsg", "shutdown", "socketpair"};

/* What nothing but an intruder would try: the process ends. */
static const char *const deadly[] = {"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "fork",
    "vfork", "kexec_load", "init_module", "finit_module", "bpf", "mount", "chroot", "pivot_root", "setns", "unshare"};

static bool named_add(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);
        /* Not every architecture has every call. */
        if (call != __NR_SCMP_ERROR && call >= 0 && seccomp_rule_add(filter, action, call, 0) != 0)
            return false;
    }
    return true;
}

/* Threads yes, processes no. clone3 hides its flags in memory, so the C library is told to use clone. */
static bool narrowed_add(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) == 0;
}

static bool filter_load(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool loaded = filter && seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                  named_add(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed) &&
                  named_add(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof *deadly) &&
                  narrowed_add(filter) && seccomp_load(filter) == 0;
    if (filter)
        seccomp_release(filter);
    return loaded;
}

static bool has_own_user(void)
{
    const char *keys = setting_text("SHIKAKU_KEYS");
    char path[PATH_MAX];
    struct stat own;
    snprintf(path, sizeof path, "%s/vault", keys);
    bool has = geteuid() != 0 && stat(path, &own) == 0 && own.st_uid == geteuid() && (own.st_mode & 077) == 0;
    for (unsigned party = PARTY_PORTAL; has && party <= PARTY_OPERATOR; party <<= 1) {
        snprintf(path, sizeof path, "%s/%s", keys, party_name((enum party)party));
        has = party == PARTY_VAULT || party == PARTY_AGENCY || access(path, X_OK) != 0;
    }
    return has;
}

static bool has_read_only_files(void)
{
    return file_view_narrow(setting_text("SHIKAKU_BUS"));
}

static const struct wall {
    const char *name;
    bool (*raise)(void);
} walls[] = {{"user", has_own_user}, {"memory", memory_lock}, {"files", has_read_only_files}, {"calls", filter_load}};
#define WALLS (sizeof walls / sizeof *walls)
#define CALLS (WALLS - 1) /* the last: it takes away what the others need */

static bool wall_find(const char *name, size_t len, size_t *place)
{
    for (*place = 0; *place < WALLS; (*place)++)
        if (strlen(walls[*place].name) == len && memcmp(walls[*place].name, name, len) == 0)
            return true;
    return false;
}

/* Which walls must stand. */
static bool setting_parse(bool required[WALLS], bool *off)
{
    const char *at = setting_text("SHIKAKU_VAULT_SANDBOX");
    size_t place;
    *off = strcmp(at, "off") == 0;
    for (size_t i = 0; i < WALLS; i++)
        required[i] = !*off;
    if (*off)
        return true;
    if (strncmp(at, "required", 8) != 0)
        return false;
    for (at += 8; strncmp(at, ",-", 2) == 0; at += strcspn(at, ",")) {
        at += 2;
        if (!wall_find(at, strcspn(at, ","), &place))
            return false;
        required[place] = false;
    }
    return *at == '\0';
}

static bool walls_raise(size_t from, size_t to, struct fault *fault)
{
    bool required[WALLS], off;
    if (!setting_parse(required, &off))
        return fault_set(fault, FAULT_item_invalid, "SHIKAKU_VAULT_SANDBOX");
    for (size_t i = from; i < to && !off; i++) {
        if (walls[i].raise())
            continue;
        journal(required[i] ? JOURNAL_ERROR : JOURNAL_WARNING, NULL, "wall_missing", WORD("wall", walls[i].name),
            WORD("setting", "SHIKAKU_VAULT_SANDBOX"));
        if (required[i])
            return fault_set(fault, FAULT_unavailable, "SHIKAKU_VAULT_SANDBOX");
    }
    if (off && from == 0)
        journal(JOURNAL_WARNING, NULL, "sandbox_off", WORD("setting", "SHIKAKU_VAULT_SANDBOX"));
    return true;
}

bool sandbox_prepare(struct fault *fault)
{
    return walls_raise(0, CALLS, fault);
}

bool sandbox_enter(struct event_base *base, struct fault *fault)
{
    (void)base;
#ifdef __SANITIZE_ADDRESS__
    /* At its end the sanitizer starts a process that looks into this one. */
    journal(JOURNAL_WARNING, NULL, "wall_missing", WORD("wall", "calls"), WORD("for", "sanitizer"));
    (void)fault;
    return true;
#else
    return walls_raise(CALLS, WALLS, fault);
#endif
}
