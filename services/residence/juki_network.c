#include "residence/juki_network.h"

#include <stdio.h>
#include <string.h>

#include "chassis/outside.h"
#include "chassis/settings.h"

#define CONNECT_MS 2000
#define ANSWER_MAX (4 * 1024 * 1024) /* 100 records of 20 candidates each */

static struct outside_peer juki = {.name = "juki", .connect_ms = CONNECT_MS, .answer_max = ANSWER_MAX};

static const char *text_or_null(const char *setting)
{
    const char *text = setting_text(setting);
    return text[0] ? text : NULL;
}

void juki_open(void)
{
    juki.base_url = setting_text("SHIKAKU_JUKI_URL");
    juki.total_ms = (int)setting_number("SHIKAKU_JUKI_TIMEOUT_MS");
    juki.ca_file = text_or_null("SHIKAKU_JUKI_CA");
    juki.certificate_file = text_or_null("SHIKAKU_JUKI_CERTIFICATE");
    juki.key_file = text_or_null("SHIKAKU_JUKI_KEY");
}

static bool status_judge(int status, int wanted, struct fault *fault)
{
    if (status == wanted)
        return true;
    return fault_set(fault, status >= 400 && status < 500 ? FAULT_residence_refused : FAULT_unavailable, "juki");
}

bool juki_inquire(struct work *work, struct inquiry_file *file, struct result_file *results)
{
    struct outside_request request = {
        .method = "POST", .path = "/inquiries", .media_type = "text/plain; charset=utf-8"};
    struct outside_answer answer;
    struct bytes text;
    char uuid[37], *to = file->reference;
    uuid_make(uuid);
    for (const char *from = uuid; *from; from++)
        if (*from != '-')
            *to++ = *from;
    *to = 0;
    inquiry_made_at(file->made_at);
    if (!inquiry_file_put(work->arena, file, &text, &work->fault))
        return false;
    request.body = text.data;
    request.len = text.len;
    return outside_call(&juki, work->arena, &request, &answer, &work->fault) &&
           status_judge(answer.status, 200, &work->fault) &&
           result_file_take(work->arena, file, answer.body, results, &work->fault);
}

bool juki_acquire(struct work *work, const json_t *acquisitions)
{
    int status;
    json_t *reply;
    if (!outside_json(&juki, work->arena, "POST", "/acquisitions", acquisitions, &status, &reply, &work->fault))
        return false;
    json_decref(reply);
    return status_judge(status, 202, &work->fault);
}
