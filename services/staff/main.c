/* staff knows who works here, from where, with which rights, and vouches for it by short-lived signed tokens. */
#include "chassis/boot.h"
#include "staff/staff_lanes.h"
#include "staff/staff_messages.h"
#include "staff/staff_password.h"
#include "staff/staff_setup.h"
#include "staff/staff_store.h"
#include "staff/staff_token.h"

static bool publish(struct fault *fault)
{
    return token_key_publish(setting_text("SHIKAKU_KEYS"), fault);
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "staff",
        .schema_version = 10,
        .settings = staff_settings,
        .setting_count = STAFF_SETTINGS,
        .keys = staff_keys_wanted,
        .columns = &staff_columns,
        .publish = publish,
        .prepare = password_open,
        .messages = staff_messages,
        .message_count = staff_message_count,
        .lanes = staff_lanes,
        .lane_count = staff_lane_count,
    };
    return service_run(&service, argc, argv);
}
