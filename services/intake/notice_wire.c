#include "intake/notice_wire.h"

#include "intake/intake_setup.h"

#include <string.h>

static const struct {
    const char *kind, *title, *body;
} notices[] = {
    {"completed", "資格の登録が完了しました", "申請の手続が完了しました。資格者証は申請状況の画面から表示できます。"},
    {"returned", "申請が差し戻されました", "申請の内容をご確認ください。理由は申請状況の画面に表示されています。"},
    {"rejected", "申請の審査が終わりました", "審査の結果は申請状況の画面に表示されています。"},
};

bool notice_send(struct work *work, const struct application *application, const char *kind)
{
    size_t i = 0;
    while (strcmp(notices[i].kind, kind) != 0)
        i++;
    const char *id = arena_format(work->arena, "%s-%s", application->application, kind);
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "portal_pseudonym", application->portal_pseudonym,
            "receipt", application->receipt, "kind", kind, "title", notices[i].title, "body", notices[i].body);
    int status = 0;
    json_t *answer = NULL;
    bool sent =
        body && outside_json(&intake_mynaportal, work->arena, "POST", "/notices", body, &status, &answer, &work->fault);
    if (sent && status != 200 && status != 201)
        sent = fault_set(&work->fault, status >= 500 ? FAULT_unavailable : FAULT_state_conflict, "mynaportal");
    json_decref(answer);
    json_decref(body);
    return sent;
}
