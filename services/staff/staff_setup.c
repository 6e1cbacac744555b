#include "staff/staff_setup.h"

#include "chassis/programme_keys.h"

#include <string.h>

#define WANTS_MAX 260
#define MANAGERS_MAX 128

const struct setting staff_settings[STAFF_SETTINGS] = {
    {"SHIKAKU_TOKEN_SECONDS", SETTING_NUMBER, "900", 60, 3600, "How long a token is good; a session renews it."},
    {"SHIKAKU_SESSION_SECONDS", SETTING_NUMBER, "43200", 60, 86400,
        "How long a session can be renewed after its login."},
    {"SHIKAKU_LOAN_MINUTES", SETTING_NUMBER, "480", 1, 10080, "A right is lent for so many minutes at most."},
    {"SHIKAKU_ARGON2_KIB", SETTING_NUMBER, "19456", 1024, 1048576, "Memory of one Argon2id computation, in KiB."},
    {"SHIKAKU_ARGON2_PASSES", SETTING_NUMBER, "2", 1, 16, "Passes of one Argon2id computation."},
    {"SHIKAKU_PASSWORD_LETTERS", SETTING_NUMBER, "12", 8, 64, "A password has at least so many bytes."},
    {"SHIKAKU_PASSWORD_KINDS", SETTING_NUMBER, "3", 1, 4,
        "Of upper case, lower case, digits, others, it has at least so many."},
    {"SHIKAKU_PASSWORD_DAYS", SETTING_NUMBER, "90", 1, 3660, "A password must be changed after so many days."},
    {"SHIKAKU_PASSWORD_HISTORY", SETTING_NUMBER, "5", 0, 24, "None of the last so many passwords may be taken again."},
    {"SHIKAKU_KNOWN_PASSWORDS", SETTING_TEXT, "deploy/known-passwords.txt", 0, 0, "Words that guessers try first."},
    {"SHIKAKU_USUAL_FROM_HOUR", SETTING_NUMBER, "7", 0, 23,
        "A login before this hour, Japan's time, is at an odd hour."},
    {"SHIKAKU_USUAL_TO_HOUR", SETTING_NUMBER, "21", 1, 24, "A login from this hour on is at an odd hour."},
};

static struct key_want wanted[WANTS_MAX];
static const char *managers[MANAGERS_MAX];
static size_t manager_count;

size_t staff_keys_wanted(const struct key_want **wants)
{
    const struct key_want *of_programmes;
    size_t count = programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX) | KEY_SET(KEY_SIGN),
        KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), &of_programmes);
    if (count == 0 || count + 2 > WANTS_MAX)
        return 0;
    memcpy(wanted, of_programmes, count * sizeof *wanted);
    wanted[count++] = (struct key_want){STAFF_PLATFORM, KEY_DATA};
    wanted[count++] = (struct key_want){STAFF_PLATFORM, KEY_INDEX};
    manager_count = 0;
    for (size_t i = 0; i < count; i++)
        if (wanted[i].kind == KEY_INDEX && strcmp(wanted[i].manager, "*") != 0 && manager_count < MANAGERS_MAX)
            managers[manager_count++] = wanted[i].manager;
    *wants = wanted;
    return count;
}

size_t staff_managers(const char *const **list)
{
    *list = managers;
    return manager_count;
}
