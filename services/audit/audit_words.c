#include "audit/audit_words.h"

#include "chassis/fault.h"
#include "chassis/programme_keys.h"

#include <string.h>
#include <time.h>

#define JAPAN_MS (9LL * 3600 * 1000)

static const struct {
    const char *act;
    enum touch_kind touch;
    const char *japanese;
} said[] = {
#define KIND(name, NAME, months, japanese)
#define ACT(act, kind)
#define BARE(route, why)
#define SAID(act, touch, japanese) {#act, TOUCH_##touch, japanese},
#include "acts.def"
#undef KIND
#undef ACT
#undef BARE
};

enum touch_kind act_touch(const char *act)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strcmp(said[i].act, act) == 0)
            return said[i].touch;
    return TOUCH_SEEN;
}

const char *act_japanese(const char *act)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strcmp(said[i].act, act) == 0)
            return said[i].japanese;
    return "個人情報の取扱い";
}

const char *outcome_japanese(const char *outcome)
{
    if (strcmp(outcome, "done") == 0)
        return "実施";
    enum fault_code code = fault_code_parse(outcome);
    return code == FAULT_internal ? "実施されませんでした。" : fault_japanese(code);
}

const char *moment_japanese(struct arena *arena, int64_t at_ms)
{
    time_t seconds = (time_t)((at_ms + JAPAN_MS) / 1000);
    struct tm at;
    if (!gmtime_r(&seconds, &at))
        return "";
    const char *text = arena_format(arena, "%d年%d月%d日 %02d時%02d分%02d秒", at.tm_year + 1900, at.tm_mon + 1,
        at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
    return text ? text : "";
}

const char *office_japanese(const char *manager)
{
    const struct programmes *programmes = programmes_in_use();
    for (size_t i = 0; programmes && i < programmes_count(programmes); i++)
        if (strcmp(programmes_at(programmes, i)->manager, manager) == 0)
            return programmes_at(programmes, i)->manager_title;
    return manager;
}
