#include "certificates/certificate_state.h"

#include <string.h>

static const char *const standings[STANDINGS] = {
    [STANDING_VALID] = "valid",
    [STANDING_SUSPENDED] = "suspended",
    [STANDING_REVOKED] = "revoked",
    [STANDING_STRUCK_OFF] = "struck_off",
};

static const struct transition {
    enum standing from, to;
    const char *reason;
} transitions[] = {
    {STANDING_VALID, STANDING_SUSPENDED, "停止の処分"},
    {STANDING_SUSPENDED, STANDING_VALID, "停止期間の満了又は処分の解除"},
    {STANDING_VALID, STANDING_REVOKED, "取消しの処分"},
    {STANDING_SUSPENDED, STANDING_REVOKED, "取消しの処分"},
    {STANDING_REVOKED, STANDING_VALID, "取消しの処分の取消し"},
    {STANDING_VALID, STANDING_STRUCK_OFF, "申請又は死亡による登録の消除"},
    {STANDING_SUSPENDED, STANDING_STRUCK_OFF, "申請又は死亡による登録の消除"},
    {STANDING_REVOKED, STANDING_STRUCK_OFF, "処分による登録の消除"},
};
#define TRANSITIONS (sizeof transitions / sizeof transitions[0])

const char *standing_text(enum standing standing)
{
    return standings[standing];
}

bool standing_parse(const char *text, enum standing *standing)
{
    for (int i = 0; i < STANDINGS; i++)
        if (strcmp(text, standings[i]) == 0) {
            *standing = (enum standing)i;
            return true;
        }
    return false;
}

bool standing_may_change(enum standing from, enum standing to)
{
    for (size_t i = 0; i < TRANSITIONS; i++)
        if (transitions[i].from == from && transitions[i].to == to)
            return true;
    return from == to;
}

void standing_print(FILE *out)
{
    fputs("stateDiagram-v2\n", out);
    for (size_t i = 0; i < TRANSITIONS; i++)
        fprintf(out, "    %s --> %s: %s\n", standings[transitions[i].from], standings[transitions[i].to],
            transitions[i].reason);
}

static const struct {
    const char *reason, *japanese;
} verdicts[VERDICTS] = {
    [VERDICT_VALID] = {"", "有効です。"},
    [VERDICT_UNREADABLE] = {"unreadable", "無効です。資格者証のコードとして読み取れません。"},
    [VERDICT_SIGNATURE] = {"signature", "無効です。署名が正しくないか、内容が書き換えられています。"},
    [VERDICT_UNKNOWN] = {"unknown", "無効です。この資格者証の発行の記録がありません。"},
    [VERDICT_STRUCK_OFF] = {"struck_off", "無効です。登録が消除されています。"},
    [VERDICT_REVOKED] = {"revoked", "無効です。資格が取り消されています。"},
    [VERDICT_SUSPENDED] = {"suspended", "無効です。資格が停止されています。"},
    [VERDICT_REISSUED] = {"reissued", "無効です。資格者証が再発行されたため、この証は使えません。"},
    [VERDICT_EXPIRED] = {"expired", "無効です。有効期限が過ぎています。"},
};

const char *verdict_reason(enum verdict verdict)
{
    return verdicts[verdict].reason;
}

const char *verdict_japanese(enum verdict verdict)
{
    return verdicts[verdict].japanese;
}

enum verdict verdict_decide(enum standing standing, bool reissued, int64_t expires_at, int64_t now)
{
    static const enum verdict of_standing[STANDINGS] = {
        [STANDING_VALID] = VERDICT_VALID,
        [STANDING_SUSPENDED] = VERDICT_SUSPENDED,
        [STANDING_REVOKED] = VERDICT_REVOKED,
        [STANDING_STRUCK_OFF] = VERDICT_STRUCK_OFF,
    };
    if (standing != STANDING_VALID)
        return of_standing[standing];
    if (reissued)
        return VERDICT_REISSUED;
    return expires_at && now >= expires_at ? VERDICT_EXPIRED : VERDICT_VALID;
}
