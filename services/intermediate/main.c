/* intermediate is the gateway (中間サーバー) to the information provision network. It obtains and does not provide
 * (EXCH-15). */
#include "chassis/boot.h"
#include "chassis/programme_keys.h"
#include "intermediate/gateway_messages.h"
#include "intermediate/gateway_steps.h"
#include "intermediate/gateway_store.h"
#include "intermediate/network.h"

static const struct setting settings[] = {
    {"SHIKAKU_NETWORK_URL", SETTING_URL, "http://127.0.0.1:8422", 0, 0,
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

/* Each body has a key of its own that opens its answers (EXCH-12). */
static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA), KEY_SET(KEY_DATA) | KEY_SET(KEY_SEAL), wants);
}

static bool prepare(struct fault *fault)
{
    (void)fault;
    gateway_serve(programmes_in_use());
    network_open();
    gateway_steps_open();
    return true;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "intermediate",
        .schema_version = 3,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .columns = &gateway_columns,
        .prepare = prepare,
        .messages = gateway_messages,
        .message_count = gateway_message_count,
        .lanes = gateway_lanes,
        .lane_count = gateway_lane_count,
    };
    return service_run(&service, argc, argv);
}
