/* records keeps the rolls. Start-up: the programmes, then what every service does (chassis/boot.h). */
#include "chassis/boot.h"
#include "chassis/programme_keys.h"
#include "records/roll_messages.h"
#include "records/roll_store.h"

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
}

static bool prepare(struct fault *fault)
{
    (void)fault;
    roll_serve(programmes_in_use());
    return true;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "records",
        .schema_version = 3,
        .keys = keys,
        .columns = &roll_columns,
        .prepare = prepare,
        .messages = roll_messages,
        .message_count = roll_message_count,
    };
    return service_run(&service, argc, argv);
}
