#include "vault/vault_setup.h"

#include "chassis/memory_lock.h"
#include "chassis/programme_keys.h"
#include "vault/number_record.h"
#include "vault/recipients.h"

#include <stdio.h>

const struct setting vault_settings[VAULT_SETTINGS] = {
    {"SHIKAKU_CARD_ROOTS", SETTING_TEXT, "", 0, 0,
        "Folder of the pinned roots of the card's signer. Empty: KEYS/card-roots."},
    {"SHIKAKU_RECIPIENTS", SETTING_TEXT, "deploy/rights/recipients.json", 0, 0, "To whom numbers may leave."},
};

size_t vault_keys_wanted(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_SEAL), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
}

bool vault_prepare(struct fault *fault)
{
    char folder[512];
    const char *given = setting_text("SHIKAKU_CARD_ROOTS");
    snprintf(folder, sizeof folder, "%s%s", *given ? given : setting_text("SHIKAKU_KEYS"), *given ? "" : "/card-roots");
    memory_lock();
    return card_roots_load(folder, fault) && recipients_load(setting_text("SHIKAKU_RECIPIENTS"), fault);
}
