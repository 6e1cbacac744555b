#include "chassis/boot.h"
#include "vault/correction_messages.h"
#include "vault/number_messages.h"
#include "vault/order_store.h"
#include "vault/sandbox.h"
#include "vault/vault_columns.h"
#include "vault/vault_setup.h"

static bool prepare(struct fault *fault)
{
    return sandbox_prepare(fault) && vault_prepare(fault);
}

int main(int argc, char **argv)
{
    static const struct lane lanes[] = {
        {"corrections", 1, corrections_turn, NULL, 0, 0},
        {"order", 1, order_forget, NULL, 0, 0},
    };
    const struct service vault = {
        .name = "vault",
        .schema_version = VAULT_SCHEMA_VERSION,
        .settings = vault_settings,
        .setting_count = VAULT_SETTINGS,
        .keys = vault_keys_wanted,
        .columns = &vault_columns,
        .prepare = prepare,
        .messages = number_messages,
        .message_count = NUMBER_MESSAGES,
        .workers = 16,
        .lanes = lanes,
        .lane_count = sizeof lanes / sizeof *lanes,
        .attach = sandbox_enter,
    };
    return service_run(&vault, argc, argv);
}
