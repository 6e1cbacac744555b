#include "chassis/boot.h"
#include "intake/application_messages.h"
#include "intake/application_steps.h"
#include "intake/application_store.h"
#include "intake/intake_setup.h"

int main(int argc, char **argv)
{
    const struct service intake = {
        .name = "intake",
        .schema_version = 6,
        .settings = intake_settings,
        .setting_count = INTAKE_SETTINGS,
        .keys = intake_keys,
        .columns = &application_columns,
        .prepare = intake_prepare,
        .messages = application_messages,
        .message_count = APPLICATION_MESSAGES,
        .workers = 16,
        .lanes = application_lanes,
        .lane_count = APPLICATION_LANES,
        .end = intake_end,
    };
    return service_run(&intake, argc, argv);
}
