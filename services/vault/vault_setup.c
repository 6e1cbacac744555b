#include "vault/vault_setup.h"

#include "chassis/programme_keys.h"
#include "vault/card_signer.h"
#include "vault/number_record.h"
#include "vault/recipients.h"

#include <stdio.h>
#include <string.h>

const struct setting vault_settings[VAULT_SETTINGS] = {
    {"SHIKAKU_CARD_ROOTS", SETTING_TEXT, "", 0, 0,
        "Folder of the pinned roots of the card's signer. Empty: KEYS/card-roots."},
    {"SHIKAKU_RECIPIENTS", SETTING_TEXT, "deploy/rights/recipients.json", 0, 0, "To whom numbers may leave."},
    {"SHIKAKU_CORRECTION_DAYS", SETTING_NUMBER, "14", 1, 365,
        "A correction that nobody has decided after so many days lapses."},
    {"SHIKAKU_VAULT_SANDBOX", SETTING_TEXT, "required", 0, 0,
        "required: start with all walls or not at all; required,-WALL: it may be missing (user, memory, files, calls); "
        "off: none, for a debugger."},
};

#define MANAGERS_MAX 128
static const char *managers[MANAGERS_MAX];
static size_t manager_count;

/* Several programmes can be of one manager. */
static void managers_list(const struct key_want *wants, size_t count)
{
    manager_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool listed = wants[i].kind != KEY_INDEX;
        for (size_t j = 0; !listed && j < manager_count; j++)
            listed = strcmp(managers[j], wants[i].manager) == 0;
        if (!listed && manager_count < MANAGERS_MAX)
            managers[manager_count++] = wants[i].manager;
    }
}

size_t vault_managers(const char *const **list)
{
    *list = managers;
    return manager_count;
}

size_t vault_keys_wanted(const struct key_want **wants)
{
    size_t count =
        programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_SEAL), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
    managers_list(*wants, count);
    return count;
}

bool vault_prepare(struct fault *fault)
{
    char folder[512];
    const char *given = setting_text("SHIKAKU_CARD_ROOTS");
    snprintf(folder, sizeof folder, "%s%s", *given ? given : setting_text("SHIKAKU_KEYS"), *given ? "" : "/card-roots");
    return card_roots_load(folder, fault) && recipients_load(setting_text("SHIKAKU_RECIPIENTS"), fault);
}
