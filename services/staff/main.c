/* staff knows who works here, from where, with which rights, and vouches for it by short-lived signed tokens. */
#include "chassis/boot.h"
#include "chassis/programme_keys.h"
#include "staff/staff_lanes.h"
#include "staff/staff_messages.h"
#include "staff/staff_password.h"
#include "staff/staff_token.h"

static const struct setting settings[] = {
    {"SHIKAKU_TOKEN_SECONDS", SETTING_NUMBER, "900", 60, 3600, "How long a token is good after a login."},
    {"SHIKAKU_ARGON2_KIB", SETTING_NUMBER, "19456", 1024, 1048576, "Memory of one Argon2id computation, in KiB."},
    {"SHIKAKU_ARGON2_PASSES", SETTING_NUMBER, "2", 1, 16, "Passes of one Argon2id computation."},
};

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_SIGN), KEY_SET(KEY_DATA), wants);
}

static bool prepare(struct fault *fault)
{
    return password_open(fault) && token_key_publish(setting_text("SHIKAKU_KEYS"), fault);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "staff",
        .schema_version = 3,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = staff_messages,
        .message_count = staff_message_count,
        .lanes = staff_lanes,
        .lane_count = staff_lane_count,
    };
    return service_run(&service, argc, argv);
}
