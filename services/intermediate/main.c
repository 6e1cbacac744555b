/* intermediate is the gateway (中間サーバー) to the information provision network. It obtains and does not provide
 * (EXCH-15). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chassis/boot.h"
#include "intermediate/gateway_messages.h"
#include "intermediate/gateway_steps.h"
#include "intermediate/network.h"

static const struct setting settings[] = {
    {"SHIKAKU_NETWORK_URL", SETTING_TEXT, "http://127.0.0.1:8422", 0, 0,
        "The provision network's address, no slash at the end."},
    {"SHIKAKU_NETWORK_TIMEOUT_MS", SETTING_NUMBER, "10000", 100, 30000, "Longest wait for one answer of the network."},
    {"SHIKAKU_NETWORK_CA", SETTING_TEXT, "", 0, 0, "https: file of the network's root certificates."},
    {"SHIKAKU_NETWORK_CERTIFICATE", SETTING_TEXT, "", 0, 0, "https: file of our client certificate."},
    {"SHIKAKU_NETWORK_KEY", SETTING_TEXT, "", 0, 0, "https: file of its key."},
    {"SHIKAKU_NETWORK_TRIES", SETTING_NUMBER, "10", 1, 100, "After so many failed tries a person is asked."},
    {"SHIKAKU_NETWORK_RETRY_MS", SETTING_NUMBER, "500", 10, 60000,
        "Wait after the first failed try; doubles, up to a minute."},
    {"SHIKAKU_NETWORK_PATIENCE_HOURS", SETTING_NUMBER, "72", 1, 720,
        "How long an answer may be not there yet before a person is asked."},
    {"SHIKAKU_NETWORK_KEEP_HOURS", SETTING_NUMBER, "24", 0, 720,
        "How long a finished inquiry is kept; its record stays 7 years."},
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

/* Each body has a key of its own that opens its answers (EXCH-12). */
static size_t keys(const struct key_want **wants)
{
    programmes = programmes_load(setting_text("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    size_t programme_count = programmes ? programmes_count(programmes) : 0, count = 0;
    struct key_want *list = key_wants = calloc(2 * programme_count + 1, sizeof *list);
    if (!list)
        return 0;
    list[count++] = (struct key_want){"*", KEY_DATA};
    for (size_t i = 0; i < programme_count; i++)
        if (manager_is_new(i)) {
            list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_DATA};
            list[count++] = (struct key_want){programmes_at(programmes, i)->manager, KEY_SEAL};
        }
    *wants = list;
    return count;
}

static bool prepare(struct fault *fault)
{
    if (!programmes) {
        fprintf(stderr, "%s\n", problem); /* a definition's key and rule: no person's data */
        return fault_set(fault, FAULT_programme_unknown, "SHIKAKU_PROGRAMMES");
    }
    gateway_serve(programmes);
    network_open();
    gateway_steps_open();
    return true;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "intermediate",
        .schema_version = 1,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = gateway_messages,
        .message_count = gateway_message_count,
        .lanes = gateway_lanes,
        .lane_count = gateway_lane_count,
    };
    return service_run(&service, argc, argv);
}
