/* legacy_sync: keeps the existing systems (既存システム) in step. */
#include "chassis/boot.h"
#include "chassis/jwe.h"
#include "chassis/programme_keys.h"
#include "legacy_sync/existing_system.h"
#include "legacy_sync/hand_over_messages.h"
#include "legacy_sync/hand_over_steps.h"
#include "legacy_sync/hand_over_store.h"
#include "legacy_sync/workbook_export.h"

static const struct setting settings[] = {
    {"SHIKAKU_KAIGI_URL", SETTING_URL, "http://127.0.0.1:8431", 0, 0,
        "海技資格制度事務処理システム: base address of its API, no slash at the end."},
    {"SHIKAKU_HOIKUSHI_URL", SETTING_URL, "http://127.0.0.1:8432", 0, 0, "保育士登録システム: base address."},
    {"SHIKAKU_GINOU_URL", SETTING_URL, "http://127.0.0.1:8433", 0, 0,
        "技能検定受検者情報収集・管理システム: base address."},
    {"SHIKAKU_OUTSIDE_CA", SETTING_TEXT, "", 0, 0,
        "https: file of root certificates of outside systems; empty: the machine's."},
    {"SHIKAKU_LEGACY_WAIT_MS", SETTING_NUMBER, "10000", 100, 120000,
        "How long one call to an existing system may take, in ms."},
    {"SHIKAKU_LEGACY_TRIES", SETTING_NUMBER, "8", 1, 1000, "Tries after which a person is asked."},
    {"SHIKAKU_LEGACY_COPIES_MS", SETTING_NUMBER, "1000", 50, 86400000,
        "How often an existing system is asked for copies (副本データ) and passes, in ms."},
    {"SHIKAKU_EXPORT_DIR", SETTING_TEXT, "var/export", 0, 0,
        "Folder of the workbooks (准看護師籍簿); made if missing."},
    {"SHIKAKU_SCRATCH_DIR", SETTING_TEXT, "/dev/shm", 0, 0,
        "Folder on a tmpfs where the parts of a workbook lie while it is made."},
    {"SHIKAKU_WORKBOOK_PASSWORD_FILE", SETTING_TEXT, "", 0, 0,
        "Empty: legacy_sync/workbook-password.json under SHIKAKU_KEYS. The workbooks' password and its day, as "
        "{\"password\": …, \"set_on\": \"YYYY-MM-DD\"}: 12 to 64 characters, "
        "three "
        "of four kinds, changed within 90 days."},
};

/* Own covers and the key that the vault seals to. */
static size_t keys(const struct key_want **wants)
{
    return programme_keys_want(KEY_SET(KEY_DATA) | KEY_SET(KEY_SEAL), KEY_SET(KEY_DATA), wants);
}

static bool publish(struct fault *fault)
{
    return jwk_publish(setting_text("SHIKAKU_KEYS"), "legacy_sync", keyring_newest("*", KEY_SEAL), fault);
}

static bool prepare(struct fault *fault)
{
    existing_systems_open();
    return workbook_export_open(fault);
}

int main(int argc, char **argv)
{
    const struct lane *lanes;
    size_t lane_count = hand_over_lanes(&lanes);
    const struct service service = {
        .name = "legacy_sync",
        .schema_version = 2,
        .settings = settings,
        .setting_count = sizeof settings / sizeof *settings,
        .keys = keys,
        .columns = &hand_over_columns,
        .publish = publish,
        .prepare = prepare,
        .messages = hand_over_messages,
        .message_count = hand_over_message_count,
        .lanes = lanes,
        .lane_count = lane_count,
    };
    return service_run(&service, argc, argv);
}
