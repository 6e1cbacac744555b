/* audit keeps the records of use (利用記録) in one log that cannot be changed unseen. */
#include "audit/audit_messages.h"
#include "audit/audit_reconcile.h"
#include "audit/audit_sign.h"
#include "audit/audit_store.h"
#include "audit/audit_witness.h"
#include "chassis/boot.h"
#include "chassis/programme_keys.h"

#include <string.h>

static const struct setting settings[] = {
    {"SHIKAKU_WITNESS", SETTING_TEXT, "var/witness/heads", 0, 0,
        "File for the signed heads of the log: outside the database, best on another machine's storage."},
};

static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(
        KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX) | KEY_SET(KEY_SIGN), KEY_SET(KEY_DATA) | KEY_SET(KEY_INDEX), wants);
}

/* A record has nowhere to go where its month is missing, so the first months are made before anybody is heard. */
static bool months_prepare(struct fault *fault)
{
    struct pg *pg;
    if (!pg_open(&pg, setting_text("SHIKAKU_DSN"), fault))
        return false;
    bool made = months_make(pg, fault);
    pg_close(pg);
    return made;
}

static bool prepare(struct fault *fault)
{
    const char *keys_folder = setting_text("SHIKAKU_KEYS"), *witness = setting_text("SHIKAKU_WITNESS");
    return sign_key_publish(keys_folder, fault) && witness_open(witness, fault) && months_prepare(fault) &&
           witness_check(witness, keys_folder, fault);
}

int main(int argc, char **argv)
{
    static const struct lane lanes[] = {
        {"head_sign", 1, head_sign_turn, NULL},
        {"own_records", 1, own_records_turn, NULL},
    };
    const struct service service = {
        .name = "audit",
        .schema_version = 2,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .prepare = prepare,
        .messages = audit_messages,
        .message_count = audit_message_count,
        .lanes = lanes,
        .lane_count = sizeof lanes / sizeof *lanes,
    };
    if (argc == 3 && strcmp(argv[1], "--reconcile") == 0)
        return audit_reconcile_command(argv[2]);
    return service_run(&service, argc, argv);
}
