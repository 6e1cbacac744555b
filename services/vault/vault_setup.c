#include "vault/vault_setup.h"

#include "chassis/programme.h"
#include "vault/number_record.h"
#include "vault/recipients.h"

#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#define MANAGERS_MAX 128

const struct setting vault_settings[VAULT_SETTINGS] = {
    {"SHIKAKU_CARD_ROOTS", SETTING_TEXT, "", 0, 0,
        "Folder of the pinned roots of the card's signer. Empty: KEYS/card-roots."},
    {"SHIKAKU_RECIPIENTS", SETTING_TEXT, "deploy/rights/recipients.json", 0, 0, "To whom numbers may leave."},
};

size_t vault_keys_wanted(const struct key_want **wants)
{
    static struct key_want list[2 * MANAGERS_MAX + 2];
    char problem[PROGRAMMES_PROBLEM_MAX];
    size_t count = 0;
    struct programmes *programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
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

/* jansson keeps parsed numbers in its own memory: wiped whenever it is given back. */
static void json_wipe_free(void *memory)
{
    if (memory)
        OPENSSL_cleanse(memory, malloc_usable_size(memory));
    free(memory);
}

bool vault_prepare(struct fault *fault)
{
    char folder[512];
    const char *given = setting_text("SHIKAKU_CARD_ROOTS");
    snprintf(folder, sizeof folder, "%s%s", *given ? given : setting_text("SHIKAKU_KEYS"), *given ? "" : "/card-roots");
    json_set_alloc_funcs(malloc, json_wipe_free);
    return card_roots_load(folder, fault) && recipients_load(setting_text("SHIKAKU_RECIPIENTS"), fault);
}
