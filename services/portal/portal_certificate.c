/* Certificates: to their holder, to staff, and to everybody who is shown one. */
#include "portal/portal_handlers.h"
#include "portal/portal_page.h"

#include "certificates.pb-c.h"

#include <string.h>

#define CODE_MAX 6000

static json_t *lines_json(Certificates__Shown *const *lines, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{ss ss}", "label", lines[i]->label, "value", lines[i]->value));
    return list;
}

/* A holder names the certificate alone; under which manager it stands is read from the holder's own applications, so
 * that another's is not even asked for. */
static bool holder_manager_find(struct exchange *x, struct work *work, const char **manager)
{
    Intake__StatusRequest request = INTAKE__STATUS_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.portal_pseudonym = x->portal_pseudonym;
    if (!work_call(work, ROUTE_intake_status, NULL, &request.base, &reply))
        return false;
    const Intake__StatusReply *status = (const Intake__StatusReply *)reply;
    for (size_t i = 0; i < status->n_applications; i++)
        if (strcmp(status->applications[i]->certificate, x->part) == 0) {
            *manager = status->applications[i]->manager;
            return true;
        }
    return fault_set(&work->fault, FAULT_not_found, "id");
}

bool certificate_http(struct exchange *x, struct work *work)
{
    Certificates__ShowRequest request = CERTIFICATES__SHOW_REQUEST__INIT;
    ProtobufCMessage *reply;
    const char *format, *manager = x->actor.manager;
    if (!exchange_query(x, work->arena, "format", &format, &work->fault))
        return false;
    format = format ? format : "lines";
    if (strcmp(format, "lines") != 0 && strcmp(format, "png") != 0 && strcmp(format, "pdf") != 0)
        return fault_set(&work->fault, FAULT_item_invalid, "format");
    if (!*x->actor.account && !holder_manager_find(x, work, &manager))
        return false;
    request.manager = (char *)manager;
    request.certificate = x->part;
    request.portal_pseudonym = x->portal_pseudonym;
    request.format = (char *)format;
    if (!work_call(work, ROUTE_certificates_show, NULL, &request.base, &reply))
        return false;
    const Certificates__ShowReply *shown = (const Certificates__ShowReply *)reply;
    if (strcmp(format, "lines") == 0)
        exchange_answer_json(
            x, 200, json_pack("{ss so}", "qr_url", shown->qr_url, "lines", lines_json(shown->lines, shown->n_lines)));
    else
        exchange_answer(
            x, 200, strcmp(format, "png") == 0 ? "image/png" : "application/pdf", shown->file.data, shown->file.len);
    return true;
}

/* Codes come as base64url or as base64, the `+` of which many a reader turns into a space. */
static char *code_normalise(struct arena *arena, const char *given)
{
    char *code = arena_text(arena, given, strlen(given));
    if (!code)
        return NULL;
    for (char *at = code; *at; at++)
        *at = *at == '+' || *at == ' ' ? '-' : *at == '/' ? '_' : *at;
    for (size_t len = strlen(code); len > 0 && code[len - 1] == '='; len--)
        code[len - 1] = '\0';
    return code;
}

static const Certificates__VerifyReply *verify_ask(struct work *work, const char *given)
{
    Certificates__VerifyRequest request = CERTIFICATES__VERIFY_REQUEST__INIT;
    ProtobufCMessage *reply;
    if (strlen(given) > CODE_MAX) {
        fault_set(&work->fault, FAULT_too_large, "c");
        return NULL;
    }
    request.code = code_normalise(work->arena, given);
    if (!request.code) {
        fault_set(&work->fault, FAULT_internal, NULL);
        return NULL;
    }
    if (!work_call(work, ROUTE_certificates_verify, NULL, &request.base, &reply))
        return NULL;
    return (const Certificates__VerifyReply *)reply;
}

bool verify_http(struct exchange *x, struct work *work)
{
    const char *code;
    if (!exchange_query(x, work->arena, "c", &code, &work->fault))
        return false;
    if (!code)
        return fault_set(&work->fault, FAULT_item_missing, "c");
    const Certificates__VerifyReply *reply = verify_ask(work, code);
    if (!reply)
        return false;
    exchange_answer_json(x, 200,
        json_pack("{sb ss ss so}", "valid", reply->valid, "reason", reply->reason, "japanese", reply->japanese, "lines",
            lines_json(reply->lines, reply->n_lines)));
    return true;
}

/* A person reads this answer, also when it is a refusal. */
bool page_http(struct exchange *x, struct work *work)
{
    const char *code = NULL;
    const Certificates__VerifyReply *reply = NULL;
    size_t len;
    bool good = exchange_query(x, work->arena, "c", &code, &work->fault) && (!code || (reply = verify_ask(work, code)));
    char *page = good ? page_print(reply, &len) : page_print_fault(fault_japanese(work->fault.code), &len);
    if (!page)
        return fault_set(&work->fault, FAULT_internal, NULL);
    exchange_answer(x, good ? 200 : fault_http_status(work->fault.code), "text/html; charset=utf-8", page, len);
    page_free(page);
    return true;
}
