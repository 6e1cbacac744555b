/* residence connects to the residence network (住民基本台帳ネットワークシステム), to that system alone (JUKI-5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/boot.h"
#include "chassis/jwe.h"
#include "residence/inquiry_messages.h"
#include "residence/inquiry_steps.h"
#include "residence/juki_network.h"

static const struct setting settings[] = {
    {"SHIKAKU_JUKI_URL", SETTING_TEXT, "http://127.0.0.1:8421", 0, 0,
        "The residence network's address, no slash at the end."},
    {"SHIKAKU_JUKI_TIMEOUT_MS", SETTING_NUMBER, "10000", 100, 30000, "Longest wait for one answer of the network."},
    {"SHIKAKU_JUKI_CA", SETTING_TEXT, "", 0, 0, "https: file of the network's root certificates."},
    {"SHIKAKU_JUKI_CERTIFICATE", SETTING_TEXT, "", 0, 0, "https: file of our client certificate."},
    {"SHIKAKU_JUKI_KEY", SETTING_TEXT, "", 0, 0, "https: file of its key."},
    {"SHIKAKU_RESIDENCE_TRIES", SETTING_NUMBER, "10", 1, 100, "After so many tries a person is asked."},
    {"SHIKAKU_RESIDENCE_RETRY_MS", SETTING_NUMBER, "500", 10, 60000,
        "Wait after the first failed try; doubles, up to a minute."},
    {"SHIKAKU_RESIDENCE_LIST_MINUTES", SETTING_NUMBER, "10", 1, 60, "How long the list of an instant inquiry is kept."},
};

static struct programmes *programmes;
static struct key_want *volatile key_wants; /* kept as long as the process; volatile, or the compiler drops it */
static char problem[PROGRAMMES_PROBLEM_MAX];

static bool manager_is_new(size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(programmes_at(programmes, i)->manager, programmes_at(programmes, index)->manager) == 0)
            return false;
    return true;
}

static size_t keys(const struct key_want **wants)
{
    programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    size_t programme_count = programmes ? programmes_count(programmes) : 0, count = 0;
    struct key_want *list = key_wants = calloc(programme_count + 2, sizeof *list);
    if (!list)
        return 0;
    list[count++] = (struct key_want){"*", KEY_DATA};
    list[count++] = (struct key_want){"*", KEY_SEAL};
    for (size_t i = 0; i < programme_count; i++)
        if (manager_is_new(i))
            list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_DATA};
    *wants = list;
    return count;
}

static bool prepare(struct fault *fault)
{
    if (!programmes) {
        fprintf(stderr, "%s\n", problem); /* a definition's key and rule: no person's data */
        return fault_set(fault, FAULT_programme_unknown, "SHIKAKU_PROGRAMMES");
    }
    inquiries_serve(programmes);
    juki_open();
    inquiry_steps_open();
    return jwk_publish(setting_text("SHIKAKU_KEYS"), "residence", keyring_newest("*", KEY_SEAL), fault);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "residence",
        .schema_version = 1,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = inquiry_messages,
        .message_count = inquiry_message_count,
        .lanes = inquiry_lanes,
        .lane_count = inquiry_lane_count,
    };
    return service_run(&service, argc, argv);
}
