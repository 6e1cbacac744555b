#include "vault/sandbox.h"

#include "chassis/journal.h"
#include "chassis/settings.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

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

bool sandbox_setting_check(struct fault *fault)
{
    const char *wanted = setting_text("SHIKAKU_VAULT_SANDBOX");
    return strcmp(wanted, "required") == 0 || strcmp(wanted, "off") == 0
               ? true
               : fault_set(fault, FAULT_item_invalid, "SHIKAKU_VAULT_SANDBOX");
}

bool sandbox_enter(struct event_base *base, struct fault *fault)
{
    (void)base;
#ifdef __SANITIZE_ADDRESS__
    /* At its end the sanitizer starts a process that looks into this one. */
    bool off = true;
#else
    bool off = strcmp(setting_text("SHIKAKU_VAULT_SANDBOX"), "off") == 0;
#endif
    if (off) {
        journal(JOURNAL_WARNING, NULL, "sandbox_off", WORD("setting", "SHIKAKU_VAULT_SANDBOX"));
        return true;
    }
    return filter_load() ? true : fault_set(fault, FAULT_unavailable, "SHIKAKU_VAULT_SANDBOX");
}
