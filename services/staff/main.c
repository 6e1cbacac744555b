/* staff knows who works here, from where, with which rights, and vouches for it by short-lived signed tokens. */
#include "chassis/boot.h"
#include "chassis/journal.h"
#include "chassis/programme.h"
#include "staff/staff_messages.h"
#include "staff/staff_password.h"
#include "staff/staff_rights.h"
#include "staff/staff_token.h"

#include <stdio.h>
#include <string.h>

#define MANAGERS_MAX 128

static const struct setting settings[] = {
    {"SHIKAKU_RIGHTS", SETTING_TEXT, "deploy/rights/roles.json", 0, 0, "Roles, kinds of terminals and their rights."},
    {"SHIKAKU_TOKEN_SECONDS", SETTING_NUMBER, "900", 60, 3600, "How long a token is good after a login."},
    {"SHIKAKU_ARGON2_KIB", SETTING_NUMBER, "19456", 1024, 1048576, "Memory of one Argon2id computation, in KiB."},
    {"SHIKAKU_ARGON2_PASSES", SETTING_NUMBER, "2", 1, 16, "Passes of one Argon2id computation."},
};

static char managers[MANAGERS_MAX][32];
static struct key_want wants[MANAGERS_MAX + 2] = {{"*", KEY_DATA}, {"*", KEY_SIGN}};
static size_t want_count = 2;

static void want_add(const char *manager)
{
    for (size_t i = 2; i < want_count; i++)
        if (strcmp(wants[i].manager, manager) == 0)
            return;
    if (want_count == MANAGERS_MAX + 2 || strlen(manager) >= sizeof managers[0])
        return;
    char *kept = managers[want_count - 2];
    strcpy(kept, manager);
    wants[want_count++] = (struct key_want){kept, KEY_DATA};
}

/* One data key a manager: those of the programmes. */
static size_t keys(const struct key_want **list)
{
    char problem[PROGRAMMES_PROBLEM_MAX];
    struct programmes *programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    if (!programmes)
        fprintf(stderr, "%s\n", problem);
    for (size_t i = 0; programmes && i < programmes_count(programmes); i++)
        want_add(programmes_at(programmes, i)->manager);
    programmes_free(programmes);
    *list = wants;
    return want_count;
}

static bool prepare(struct fault *fault)
{
    return rights_open(setting_text("SHIKAKU_RIGHTS"), fault) && password_open(fault) &&
           token_key_publish(setting_text("SHIKAKU_KEYS"), fault);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "staff",
        .schema_version = 1,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = staff_messages,
        .message_count = staff_message_count,
    };
    return service_run(&service, argc, argv);
}
