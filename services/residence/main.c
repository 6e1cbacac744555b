/* residence connects to the residence network (住民基本台帳ネットワークシステム), to that system alone (JUKI-5). */
#include "chassis/boot.h"
#include "chassis/jwe.h"
#include "chassis/programme_keys.h"
#include "residence/inquiry_messages.h"
#include "residence/inquiry_steps.h"
#include "residence/inquiry_store.h"
#include "residence/juki_network.h"

static const struct setting settings[] = {
    {"SHIKAKU_JUKI_URL", SETTING_URL, "http://127.0.0.1:8421", 0, 0,
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

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_SEAL), KEY_SET(KEY_DATA), wants);
}

static bool publish(struct fault *fault)
{
    return jwk_publish(setting_text("SHIKAKU_KEYS"), "residence", keyring_newest("*", KEY_SEAL), fault);
}

static bool prepare(struct fault *fault)
{
    (void)fault;
    inquiries_serve(programmes_in_use());
    juki_open();
    inquiry_steps_open();
    return true;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "residence",
        .schema_version = 4,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .columns = &inquiry_columns,
        .publish = publish,
        .prepare = prepare,
        .messages = inquiry_messages,
        .message_count = inquiry_message_count,
        .lanes = inquiry_lanes,
        .lane_count = inquiry_lane_count,
    };
    return service_run(&service, argc, argv);
}
