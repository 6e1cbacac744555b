#include "legacy_sync/existing_system.h"

#include "chassis/settings.h"

#include <string.h>

static struct outside_peer kaigi = {.name = "kaigi"}, hoikushi = {.name = "hoikushi"}, ginou = {.name = "ginou"};

static const struct existing_system systems[EXISTING_SYSTEMS] = {
    /* 海技資格制度事務処理システム: items 1-34 and 36, never the number (S0 III.3) */
    {"kaigi_api", "kaigi", NULL, "/applications", "/copies", "kaigi_copies", &kaigi},
    /* 保育士登録システム (S2 I.2 system 4) */
    {"hoikushi", "hoikushi", "hoikushi", "/register/applications", NULL, NULL, &hoikushi},
    /* 技能検定受検者情報収集・管理システム (S3 I.2 system 5) */
    {"ginou", "ginou", "ginou", "/candidates", "/passes", "ginou_passes", &ginou},
    /* 准看護師籍簿 (S4 I.2 system 4): the workbook is ours to write, so the number is sealed to us */
    {"workbook", "workbook", "legacy_sync", NULL, NULL, NULL, NULL},
};

const struct existing_system *existing_system_at(size_t index)
{
    return &systems[index];
}

const struct existing_system *existing_system_by_kind(const char *kind)
{
    for (size_t i = 0; i < EXISTING_SYSTEMS; i++) {
        if (strcmp(systems[i].kind, kind) == 0) {
            return &systems[i];
        }
    }
    return NULL;
}

const struct existing_system *existing_system_by_name(const char *name)
{
    for (size_t i = 0; i < EXISTING_SYSTEMS; i++) {
        if (strcmp(systems[i].name, name) == 0) {
            return &systems[i];
        }
    }
    return NULL;
}

void existing_systems_open(void)
{
    const char *roots = *setting_text("SHIKAKU_OUTSIDE_CA") ? setting_text("SHIKAKU_OUTSIDE_CA") : NULL;
    kaigi.ca_file = hoikushi.ca_file = ginou.ca_file = roots;
    kaigi.base_url = setting_text("SHIKAKU_KAIGI_URL");
    hoikushi.base_url = setting_text("SHIKAKU_HOIKUSHI_URL");
    ginou.base_url = setting_text("SHIKAKU_GINOU_URL");
    int wait = (int)setting_number("SHIKAKU_LEGACY_WAIT_MS");
    kaigi.total_ms = hoikushi.total_ms = ginou.total_ms = wait;
}

const char *existing_system_manager(const struct existing_system *system)
{
    for (size_t i = 0; i < programmes_count(programmes_in_use()); i++) {
        const struct programme *programme = programmes_at(programmes_in_use(), i);
        if (strcmp(programme->legacy, system->kind) == 0) {
            return programme->manager;
        }
    }
    return NULL;
}
