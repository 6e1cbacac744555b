#include "audit/finding_messages.h"

#include "audit/finding_store.h"
#include "audit/record_cover.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LIST_USUAL 50
#define LIST_MAX 200
#define RECORDS_MAX 100
#define LIST_BYTES (128 * 1024) /* a reply holds twice as much */
#define REASON_BYTES_MAX 3000

static bool id_check(const char *text, const char *field, struct fault *fault)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t at = 0;
    while (form[at] && (form[at] == '-' ? text[at] == '-' : text[at] && strchr("0123456789abcdef", text[at])))
        at++;
    return (!form[at] && !text[at]) || fault_set(fault, FAULT_item_invalid, field);
}

bool findings_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__FindingsRequest *request = (const Audit__FindingsRequest *)message;
    if (*request->state && strcmp(request->state, "open") != 0 && strcmp(request->state, "closed") != 0)
        return fault_set(fault, FAULT_item_invalid, "state");
    if (strlen(request->rule) >= ANALYSIS_NAME_MAX)
        return fault_set(fault, FAULT_item_invalid, "rule");
    if (request->limit < 0 || request->limit > LIST_MAX)
        return fault_set(fault, FAULT_item_invalid, "limit");
    return !*request->after || id_check(request->after, "after", fault);
}

/* A member of a finding's covered JSON as a copy in the arena; "" where there is none. */
static char *member(struct work *work, const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    char *copy = arena_text(work->arena, text ? text : "", text ? strlen(text) : 0);
    if (!copy)
        fault_set(&work->fault, FAULT_too_large, NULL);
    return copy;
}

static bool finding_show(struct work *work, const struct finding_row *row, Audit__Finding **shown)
{
    const struct analysis_rule *rule = analysis_rule_find(row->rule);
    json_t *detail = json_loadb((const char *)row->detail.data, row->detail.len, 0, NULL);
    json_t *closing = row->closing.data ? json_loadb((const char *)row->closing.data, row->closing.len, 0, NULL) : NULL;
    Audit__Finding *finding = *shown = arena_take(work->arena, sizeof *finding);
    bool whole = finding != NULL;
    if (finding) {
        audit__finding__init(finding);
        finding->finding = (char *)row->finding;
        finding->rule = (char *)row->rule;
        finding->title = (char *)(rule ? rule->title : "");
        finding->text = (char *)(rule ? rule->text : "");
        finding->state = (char *)row->state;
        finding->account = member(work, detail, "account");
        finding->role = member(work, detail, "role");
        finding->subject = member(work, detail, "subject");
        finding->reason = member(work, detail, "reason");
        finding->closed_by = member(work, closing, "account");
        finding->closed_reason = member(work, closing, "reason");
        finding->opened_at_ms = row->opened_at_ms;
        finding->due_at_ms = row->due_at_ms;
        finding->overdue = row->overdue;
        finding->first_at_ms = row->first_ms;
        finding->last_at_ms = row->last_ms;
        finding->records = row->touches;
        finding->closed_at_ms = row->closed_at_ms;
        whole = finding->account && finding->role && finding->subject && finding->reason && finding->closed_by &&
                finding->closed_reason;
    }
    json_decref(detail);
    json_decref(closing);
    return whole ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

enum outcome findings_act(struct work *work)
{
    const Audit__FindingsRequest *request = (const Audit__FindingsRequest *)work->request;
    Audit__FindingsReply reply = AUDIT__FINDINGS_REPLY__INIT;
    const struct finding_wanted wanted = {request->manager, request->state, request->rule, request->after,
        request->overdue, request->limit ? request->limit : LIST_USUAL};
    struct finding_row *rows;
    size_t count;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!findings_list(work, &wanted, &rows, &count))
        return work_refuse(work);
    reply.findings = arena_take(work->arena, (count + 1) * sizeof *reply.findings);
    if (!reply.findings)
        return work_refuse_with(work, FAULT_too_large, NULL);
    for (size_t bytes = 0; reply.n_findings < count && bytes < LIST_BYTES; reply.n_findings++) {
        Audit__Finding **shown = &reply.findings[reply.n_findings];
        if (!finding_show(work, &rows[reply.n_findings], shown))
            return work_refuse(work);
        bytes += audit__finding__get_packed_size(*shown);
    }
    work_audit(work, &(struct touch){.reason = "findings", .count = (uint32_t)reply.n_findings, .nobody = !count});
    return work_commit(work, &reply.base);
}

static bool position_take(const char *text, int64_t *position)
{
    char *end;
    *position = -1;
    if (!*text)
        return true;
    errno = 0;
    *position = strtoll(text, &end, 10);
    return !errno && !*end && *position >= 0 && strspn(text, "0123456789") == strlen(text);
}

bool finding_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__FindingRequest *request = (const Audit__FindingRequest *)message;
    int64_t after;
    return id_check(request->finding, "finding", fault) &&
           (position_take(request->after, &after) || fault_set(fault, FAULT_item_invalid, "after"));
}

static Audit__FindingRecord *record_show(struct work *work, const struct finding_record *record)
{
    Audit__FindingRecord *shown = arena_take(work->arena, sizeof *shown);
    const Audit__Event *event = record->event;
    if (!shown)
        return NULL;
    audit__finding_record__init(shown);
    shown->position = record->position;
    shown->at_ms = event->at_ms;
    shown->service = event->service;
    shown->act = event->act;
    shown->outcome = (char *)record->outcome;
    shown->account = event->who;
    shown->role = event->role;
    shown->terminal = event->terminal;
    shown->subject = event->subject;
    shown->reason = event->reason;
    shown->purpose = event->purpose;
    shown->programme = event->programme;
    shown->persons = event->count;
    shown->likeness = event->likeness;
    return shown;
}

static bool records_show(struct work *work, const Audit__FindingRequest *request, Audit__FindingReply *reply)
{
    struct finding_record *records;
    int64_t after;
    size_t count;
    if (!position_take(request->after, &after) ||
        !finding_records_list(work, request->manager, request->finding, after, RECORDS_MAX, &records, &count))
        return false;
    reply->records = arena_take(work->arena, (count + 1) * sizeof *reply->records);
    for (; reply->records && reply->n_records < count; reply->n_records++)
        if (!(reply->records[reply->n_records] = record_show(work, &records[reply->n_records])))
            break;
    return reply->records && reply->n_records == count ? true : fault_set(&work->fault, FAULT_too_large, NULL);
}

enum outcome finding_act(struct work *work)
{
    const Audit__FindingRequest *request = (const Audit__FindingRequest *)work->request;
    Audit__FindingReply reply = AUDIT__FINDING_REPLY__INIT;
    struct finding_row row;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!finding_read(work, request->manager, request->finding, false, &row) ||
        !finding_show(work, &row, &reply.finding) || !records_show(work, request, &reply))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = reply.finding->subject, .reason = request->finding});
    return work_commit(work, &reply.base);
}

bool finding_close_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Audit__FindingCloseRequest *request = (const Audit__FindingCloseRequest *)message;
    if (!id_check(request->finding, "finding", fault))
        return false;
    if (strlen(request->reason) > REASON_BYTES_MAX)
        return fault_set(fault, FAULT_item_too_long, "reason");
    return request->reason[strspn(request->reason, " \n\t")] ? true : fault_set(fault, FAULT_reason_missing, "reason");
}

/* Whom a finding is about does not judge it, by no account. */
static bool is_own(const struct work *work, const char *manager, const struct finding_row *row)
{
    const char *account = work->actor->account, *person = work->actor->person;
    json_t *detail = json_loadb((const char *)row->detail.data, row->detail.len, 0, NULL);
    const char *found = json_string_value(json_object_get(detail, "person"));
    bool same_person = found && *found && strcmp(found, person) == 0;
    json_decref(detail);
    return row->account &&
           (same_person || row->account == record_token(manager, TOKEN_ACCOUNT, account, strlen(account)));
}

static bool closing_put(struct work *work, const Audit__FindingCloseRequest *request)
{
    json_t *closing = json_pack("{ss ss}", "account", work->actor->account, "reason", request->reason);
    char *text = closing ? json_dumps(closing, JSON_COMPACT) : NULL;
    bool put = text ? finding_close_put(work, request->manager, request->finding, text, strlen(text))
                    : fault_set(&work->fault, FAULT_item_invalid, "reason"); /* no UTF-8 */
    free(text);
    json_decref(closing);
    return put;
}

enum outcome finding_close_act(struct work *work)
{
    const Audit__FindingCloseRequest *request = (const Audit__FindingCloseRequest *)work->request;
    Audit__FindingCloseReply reply = AUDIT__FINDING_CLOSE_REPLY__INIT;
    struct finding_row row;
    if (!work_permits(work, &(struct affair){.manager = request->manager}))
        return work_refuse(work);
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!finding_read(work, request->manager, request->finding, true, &row))
        return work_refuse(work);
    if (is_own(work, request->manager, &row))
        return work_refuse_with(work, FAULT_finding_own, "finding");
    if (strcmp(row.state, "open") != 0)
        return work_refuse_with(work, FAULT_finding_closed, "finding");
    if (!closing_put(work, request))
        return work_refuse(work);
    work_audit(work, &(struct touch){.reason = request->finding});
    return work_commit(work, &reply.base);
}
