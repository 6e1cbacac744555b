#include "chassis/programme_keys.h"

#include "chassis/journal.h"
#include "chassis/settings.h"

#include <stdio.h>

#define KEY_WANTS_MAX 256 /* as many as the keyring holds: 47 prefectures and the ministries, with room */

static struct programmes *in_use;

const struct programmes *programmes_open(void)
{
    char problem[PROGRAMMES_PROBLEM_MAX];
    in_use = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    if (!in_use) {
        journal(JOURNAL_ERROR, NULL, "programmes_unreadable");
        fprintf(stderr, "%s\n", problem); /* a file, a key and a rule: nothing of a person */
    }
    return in_use;
}

const struct programmes *programmes_in_use(void)
{
    return in_use;
}

static bool wants_add(struct key_want list[KEY_WANTS_MAX], size_t *count, const char *manager, unsigned kinds)
{
    for (int kind = KEY_DATA; kind <= KEY_SIGN; kind++) {
        if (!(kinds & KEY_SET(kind)))
            continue;
        if (*count == KEY_WANTS_MAX)
            return false;
        list[(*count)++] = (struct key_want){manager, (enum key_kind)kind};
    }
    return true;
}

size_t programme_keys_want(unsigned own, unsigned each, const struct key_want **wants)
{
    static struct key_want list[KEY_WANTS_MAX];
    const struct programmes *programmes = programmes_open();
    const char *const *managers;
    size_t count = 0, manager_count = programmes ? programmes_managers(programmes, &managers) : 0;
    bool fits = programmes && wants_add(list, &count, "*", own);
    for (size_t i = 0; i < manager_count && fits; i++)
        fits = wants_add(list, &count, managers[i], each);
    *wants = list;
    return fits ? count : 0;
}
