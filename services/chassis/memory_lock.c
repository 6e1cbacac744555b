#include "chassis/memory_lock.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Locked memory is bounded for a process without CAP_IPC_LOCK, and past the bound every later mapping would fail: a
 * large one is tried, and the lock taken back where it does. */
bool memory_lock(void)
{
    const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    const size_t room = (size_t)1 << 30;
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited); /* refused without CAP_SYS_RESOURCE: then the capability must do */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        return false;
    void *trial = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (trial == MAP_FAILED) {
        munlockall();
        return false;
    }
    munmap(trial, room);
    return true;
}
