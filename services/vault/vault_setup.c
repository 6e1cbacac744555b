#include "vault/vault_setup.h"

#include "chassis/journal.h"
#include "chassis/programme.h"
#include "vault/number_record.h"
#include "vault/recipients.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MANAGERS_MAX 128

const struct setting vault_settings[VAULT_SETTINGS] = {
    {"SHIKAKU_CARD_ROOTS", SETTING_TEXT, "", 0, 0,
        "Folder of the pinned roots of the card's signer. Empty: KEYS/card-roots."},
    {"SHIKAKU_RECIPIENTS", SETTING_TEXT, "deploy/rights/recipients.json", 0, 0, "To whom numbers may leave."},
};

static struct programmes *programmes;

size_t vault_keys_wanted(const struct key_want **wants)
{
    static struct key_want list[2 * MANAGERS_MAX + 2];
    char problem[PROGRAMMES_PROBLEM_MAX];
    size_t count = 0;
    programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    list[count++] = (struct key_want){"*", KEY_DATA};
    list[count++] = (struct key_want){"*", KEY_SEAL};
    for (size_t i = 0; programmes && i < programmes_count(programmes) && count + 2 <= sizeof list / sizeof *list; i++) {
        list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_DATA};
        list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_INDEX};
    }
    if (!programmes)
        fprintf(stderr, "%s\n", problem);
    *wants = list;
    return count;
}

/* Numbers pass through the memory of requests: it must not reach a swap device. Locked memory is bounded for a process
 * without CAP_IPC_LOCK, and past the bound every later mapping would fail: a large one is tried, and the lock taken
 * back where it does. */
static bool memory_lock(void)
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

bool vault_prepare(struct fault *fault)
{
    char folder[512];
    const char *given = setting_text("SHIKAKU_CARD_ROOTS");
    snprintf(folder, sizeof folder, "%s%s", *given ? given : setting_text("SHIKAKU_KEYS"), *given ? "" : "/card-roots");
    if (!programmes)
        return fault_set(fault, FAULT_unavailable, "SHIKAKU_PROGRAMMES");
    if (!memory_lock())
        journal(JOURNAL_WARNING, NULL, "memory_not_locked");
    return card_roots_load(folder, fault) && recipients_load(setting_text("SHIKAKU_RECIPIENTS"), fault);
}
