#include "certificates/certificate_messages.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "certificates.pb-c.h"
#include "certificates/certificate_cose.h"
#include "certificates/certificate_render.h"
#include "certificates/certificate_store.h"
#include "certificates/certificate_text.h"
#include "certificates/certificate_url.h"
#include "chassis/cover.h"
#include "chassis/keyring.h"

#define FIELDS_MAX (64 * 1024)
#define CODE_MAX 6000
#define REASON_MAX 3000
#define OWN_LINES_MAX 4 /* title, issuer, days */

static const struct programmes *programmes;
static char base_url[CERTIFICATE_BASE_MAX + 1];

bool certificate_serve(const struct programmes *served, const char *public_url)
{
    programmes = served;
    return snprintf(base_url, sizeof base_url, "%s/w/", public_url) < (int)sizeof base_url;
}

/* Checks that several messages share */

static bool uuid_check(const char *text, const char *field, struct fault *fault)
{
    uint8_t id[16];
    if (!text[0])
        return fault_set(fault, FAULT_item_missing, field);
    return certificate_id_parse(text, id) || fault_set(fault, FAULT_malformed, field);
}

static bool length_check(const char *text, size_t min, size_t max, const char *field, struct fault *fault)
{
    size_t len = strlen(text);
    if (len < min)
        return fault_set(fault, FAULT_item_missing, field);
    return len <= max || fault_set(fault, FAULT_item_too_long, field);
}

static bool manager_serves(const char *manager)
{
    for (size_t i = 0; i < programmes_count(programmes); i++)
        if (strcmp(programmes_at(programmes, i)->manager, manager) == 0)
            return true;
    return false;
}

static bool manager_check(const char *manager, struct fault *fault)
{
    return manager_serves(manager) || fault_set(fault, FAULT_not_permitted, "manager");
}

/* A manager issues certificates of its own programmes only. */
static bool programme_check(const char *manager, const char *code, struct fault *fault)
{
    const struct programme *programme = programme_find(programmes, code);
    if (!programme)
        return fault_set(fault, FAULT_programme_unknown, "programme");
    return strcmp(programme->manager, manager) == 0 || fault_set(fault, FAULT_not_permitted, "manager");
}

/* Places of what is covered */

static struct cover_place code_place(const struct certificate_row *row)
{
    return (struct cover_place){"certificates.certificate.code", row->manager, row->certificate};
}

static struct cover_place holder_place(const struct certificate_row *row)
{
    return (struct cover_place){"certificates.certificate.holder", row->manager, row->certificate};
}

static bool code_open(struct work *work, const struct certificate_row *row, struct bytes *code)
{
    *code = cover_take(work->arena, code_place(row), row->code.data, row->code.len);
    return code->data || fault_set(&work->fault, FAULT_internal, "certificate");
}

static char *url_make(struct work *work, const uint8_t *bytes, size_t len)
{
    char *url = arena_take(work->arena, CERTIFICATE_URL_MAX);
    return url && certificate_url_print(base_url, bytes, len, url) ? url : NULL;
}

/* certificates_issue */

static bool issue_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Certificates__IssueRequest *request = (const Certificates__IssueRequest *)message;
    if (request->version == 0 || request->version > INT32_MAX)
        return fault_set(fault, FAULT_item_invalid, "version");
    if (request->fields.len > FIELDS_MAX)
        return fault_set(fault, FAULT_too_large, "fields");
    return programme_check(request->manager, request->programme, fault) &&
           uuid_check(request->application, "application", fault) && uuid_check(request->entry, "entry", fault) &&
           length_check(request->pseudonym, 1, 64, "pseudonym", fault) &&
           length_check(request->body, 0, PROGRAMME_BODY_MAX, "body", fault) &&
           length_check(request->portal_pseudonym, 0, 128, "portal_pseudonym", fault) &&
           length_check(request->registration_number, 1, 200, "registration_number", fault) &&
           length_check(request->name, 1, PERSON_NAME_BYTES, "name", fault) &&
           length_check(request->birth_date, 8, 8, "birth_date", fault);
}

/* A certificate in the making. */
struct issuance {
    const Certificates__IssueRequest *request;
    const struct programme *programme;
    struct certificate content;
    struct certificate_row row;
    uint8_t point[CERTIFICATE_POINT_BYTES], bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
};

/* What the programme prints, empty lines left out. */
static bool lines_make(struct work *work, struct issuance *issuance)
{
    const struct programme *programme = issuance->programme;
    struct certificate *content = &issuance->content;
    json_t *entry = json_loadb(
        (const char *)issuance->request->fields.data, issuance->request->fields.len, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(entry) || fault_set(&work->fault, FAULT_malformed, "fields");
    for (size_t i = 0; ok && i < programme->certificate_line_count; i++) {
        char *printed = programme_line_print(&programme->certificate_lines[i], entry);
        char *value = printed ? arena_text(work->arena, printed, strlen(printed)) : NULL;
        if (printed)
            explicit_bzero(printed, strlen(printed));
        free(printed);
        if (!value)
            ok = fault_set(&work->fault, FAULT_internal, NULL);
        else if (content->line_count == CERTIFICATE_LINES_MAX)
            ok = fault_set(&work->fault, FAULT_item_too_long, "lines");
        else if (value[0])
            content->lines[content->line_count++] =
                (struct certificate_line){programme->certificate_lines[i].label, value};
    }
    json_decref(entry);
    return ok;
}

static bool content_make(struct work *work, struct issuance *issuance, const char *id)
{
    const Certificates__IssueRequest *request = issuance->request;
    const struct programme *programme = issuance->programme = programme_find(programmes, request->programme);
    struct certificate *content = &issuance->content;
    content->manager = request->manager;
    content->programme = request->programme;
    content->registration_number = request->registration_number;
    content->name = request->name;
    content->birth_date = request->birth_date;
    content->title = programme->certificate_title;
    content->issuer = programme->certificate_issuer;
    content->issued_at = clock_ms() / 1000;
    if (!certificate_id_parse(id, content->id))
        return fault_set(&work->fault, FAULT_internal, NULL);
    return lines_make(work, issuance);
}

static bool issuance_sign(struct work *work, struct issuance *issuance)
{
    const struct key *key = keyring_newest(issuance->request->manager, KEY_ISSUE);
    if (!key || !key_p256_public(key, issuance->point) || !certificate_kid(issuance->point, issuance->row.kid))
        return fault_set(&work->fault, FAULT_internal, "issue");
    return certificate_sign(
        &issuance->content, key->secret, issuance->point, issuance->bytes, &issuance->len, &work->fault);
}

static bool issuance_prepare(struct work *work, struct issuance *issuance)
{
    const Certificates__IssueRequest *request = issuance->request;
    struct certificate_row *row = &issuance->row;
    char *id = arena_take(work->arena, CERTIFICATE_ID_MAX);
    if (!id)
        return fault_set(&work->fault, FAULT_internal, NULL);
    uuid_make(id);
    if (!content_make(work, issuance, id) || !issuance_sign(work, issuance))
        return false;
    row->manager = request->manager;
    row->certificate = id;
    row->programme = request->programme;
    row->application = request->application;
    row->entry = request->entry;
    row->version = request->version;
    row->pseudonym = request->pseudonym;
    row->body = request->body;
    row->issued_at = issuance->content.issued_at;
    row->code = cover_put(work->arena, code_place(row), issuance->bytes, issuance->len);
    row->holder =
        cover_put(work->arena, holder_place(row), request->portal_pseudonym, strlen(request->portal_pseudonym));
    return (row->code.data && row->holder.data) || fault_set(&work->fault, FAULT_internal, "certificate");
}

/* The transaction's own part: this version of the entry gets this certificate, or has one already. */
static bool issue_write(struct work *work, struct issuance *issuance, Certificates__IssueReply *reply)
{
    const struct certificate_row *row = &issuance->row;
    struct certificate_row known;
    struct bytes code = {issuance->bytes, issuance->len};
    bool stands, found;
    issuing_key_put(work, row->manager, row->kid, issuance->point);
    if (!certificate_put(work, row, &stands))
        return false;
    if (!stands) {
        if (!certificate_read_of_entry(work, row->manager, row->entry, row->version, &known, &found))
            return false;
        if (!found || strcmp(known.application, row->application) != 0)
            return fault_set(&work->fault, FAULT_state_conflict, "entry");
        if (!code_open(work, &known, &code))
            return false;
        row = &known;
    }
    reply->certificate = (char *)row->certificate;
    reply->qr_url = url_make(work, code.data, code.len);
    if (reply->certificate != issuance->row.certificate)
        reply->certificate = arena_text(work->arena, row->certificate, strlen(row->certificate));
    return (reply->qr_url && reply->certificate) || fault_set(&work->fault, FAULT_internal, NULL);
}

static enum outcome issue_act(struct work *work)
{
    struct issuance issuance = {.request = (const Certificates__IssueRequest *)work->request};
    const Certificates__IssueRequest *request = issuance.request;
    Certificates__IssueReply reply = CERTIFICATES__ISSUE_REPLY__INIT;
    enum outcome outcome;
    if (!issuance_prepare(work, &issuance)) {
        outcome = work_refuse(work);
    } else if (!work_begin(work, request->manager)) {
        outcome = work_end(work);
    } else if (!issue_write(work, &issuance, &reply)) {
        outcome = work_refuse(work);
    } else {
        work_audit(work, &(struct touch){.subject = request->pseudonym, .reason = request->application});
        outcome = work_commit(work, &reply.base);
    }
    OPENSSL_cleanse(&issuance.bytes, sizeof issuance.bytes);
    return outcome;
}

/* What is shown of a certificate: its own lines between title and issuer. */

struct shown_list {
    Certificates__Shown **lines;
    size_t count;
};

static bool shown_add(struct work *work, struct shown_list *list, const char *label, const char *value)
{
    Certificates__Shown *line = arena_take(work->arena, sizeof *line);
    if (!line)
        return false;
    certificates__shown__init(line);
    line->label = arena_text(work->arena, label, strlen(label));
    line->value = arena_text(work->arena, value, strlen(value));
    list->lines[list->count++] = line;
    return line->label && line->value;
}

static bool shown_make(struct work *work, const struct certificate *content, struct shown_list *list)
{
    char issued[CERTIFICATE_DAY_MAX], expires[CERTIFICATE_DAY_MAX];
    list->count = 0;
    list->lines = arena_take(work->arena, (CERTIFICATE_LINES_MAX + OWN_LINES_MAX) * sizeof *list->lines);
    bool ok = list->lines && shown_add(work, list, "資格者証", content->title);
    for (size_t i = 0; ok && i < content->line_count; i++)
        ok = shown_add(work, list, content->lines[i].label, content->lines[i].value);
    certificate_day_print(content->issued_at, issued);
    certificate_day_print(content->expires_at, expires);
    ok = ok && shown_add(work, list, "発行者", content->issuer) && shown_add(work, list, "発行日", issued) &&
         (!content->expires_at || shown_add(work, list, "有効期限", expires));
    return ok || fault_set(&work->fault, FAULT_internal, NULL);
}

/* certificates_verify */

static bool verify_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Certificates__VerifyRequest *request = (const Certificates__VerifyRequest *)message;
    return strlen(request->code) <= CODE_MAX || fault_set(fault, FAULT_too_large, "c");
}

struct presented {
    uint8_t bytes[CERTIFICATE_BYTES_MAX];
    size_t len;
    struct certificate content;
};

/* What it says of itself is not believed yet; it tells whose keys and rows to look at. */
static enum verdict presented_read(const char *code, struct presented *presented)
{
    const struct certificate *content = &presented->content;
    if (!certificate_code_parse(code, presented->bytes, &presented->len) ||
        !certificate_decode(presented->bytes, presented->len, &presented->content))
        return VERDICT_UNREADABLE;
    const struct programme *programme = programme_find(programmes, content->programme);
    return programme && strcmp(programme->manager, content->manager) == 0 ? VERDICT_VALID : VERDICT_SIGNATURE;
}

/* In a transaction for the manager that the certificate names. */
static bool presented_judge(struct work *work, const struct presented *presented, enum verdict *verdict,
    struct certificate_row *row, bool *known)
{
    const struct certificate *content = &presented->content;
    uint8_t point[CERTIFICATE_POINT_BYTES];
    char id[CERTIFICATE_ID_MAX];
    bool found;
    *known = false;
    *verdict = VERDICT_SIGNATURE;
    if (!issuing_key_read(work, content->manager, content->kid, point, &found))
        return false;
    if (!found || !certificate_signature_check(presented->bytes, presented->len, point))
        return true;
    certificate_id_print(content->id, id);
    if (!certificate_read(work, content->manager, id, row, known))
        return false;
    *verdict =
        *known ? verdict_decide(row->standing, row->reissued, content->expires_at, clock_ms() / 1000) : VERDICT_UNKNOWN;
    return true;
}

static enum outcome verify_answer(struct work *work, enum verdict verdict, const struct shown_list *shown)
{
    Certificates__VerifyReply reply = CERTIFICATES__VERIFY_REPLY__INIT;
    reply.valid = verdict == VERDICT_VALID;
    reply.reason = (char *)verdict_reason(verdict);
    reply.japanese = (char *)verdict_japanese(verdict);
    reply.n_lines = shown->count;
    reply.lines = shown->lines;
    return work_commit(work, &reply.base);
}

static enum outcome verify_act(struct work *work)
{
    const Certificates__VerifyRequest *request = (const Certificates__VerifyRequest *)work->request;
    struct presented presented;
    struct shown_list shown = {NULL, 0};
    struct certificate_row row;
    enum verdict verdict = presented_read(request->code, &presented);
    bool known;
    if (verdict != VERDICT_VALID)
        return verify_answer(work, verdict, &shown);
    if (!work_begin(work, presented.content.manager))
        return work_end(work);
    if (!presented_judge(work, &presented, &verdict, &row, &known) ||
        (known && !shown_make(work, &presented.content, &shown)))
        return work_refuse(work);
    if (known)
        work_audit(work, &(struct touch){.subject = row.pseudonym, .reason = row.certificate});
    return verify_answer(work, verdict, &shown);
}

/* certificates_show */

static bool show_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Certificates__ShowRequest *request = (const Certificates__ShowRequest *)message;
    if (strcmp(request->format, "lines") && strcmp(request->format, "png") && strcmp(request->format, "pdf"))
        return fault_set(fault, FAULT_item_invalid, "format");
    return (!request->manager[0] || manager_check(request->manager, fault)) &&
           uuid_check(request->certificate, "certificate", fault) &&
           length_check(request->portal_pseudonym, 0, 128, "portal_pseudonym", fault);
}

/* Staff: the token must allow it, and only for the manager that it names. The holder needs no token. */
static bool asker_check(struct work *work, const Certificates__ShowRequest *request, const char **manager)
{
    *manager = request->manager;
    if (request->portal_pseudonym[0])
        return true;
    if (!work_take_actor(work, RIGHT_certificate_show))
        return false;
    if (!request->manager[0])
        *manager = work->actor->manager;
    return work_permits(work, &(struct affair){.manager = *manager});
}

static bool holder_check(struct work *work, const struct certificate_row *row, const char *portal_pseudonym)
{
    size_t len = strlen(portal_pseudonym);
    struct bytes holder = cover_take(work->arena, holder_place(row), row->holder.data, row->holder.len);
    return holder.data && holder.len == len && CRYPTO_memcmp(holder.data, portal_pseudonym, len) == 0;
}

/* A holder may not know whose certificate it is; then every manager's rows are looked at, each under its own policy. */
static bool wanted_find(struct work *work, const char *manager, const char *certificate, struct certificate_row *row)
{
    bool found = false;
    if (manager[0]) {
        if (!certificate_read(work, manager, certificate, row, &found))
            return false;
        return found || fault_set(&work->fault, FAULT_not_found, "certificate");
    }
    for (size_t i = 0; !found && i < programmes_count(programmes); i++) {
        work_switch(work, programmes_at(programmes, i)->manager);
        if (!certificate_read(work, programmes_at(programmes, i)->manager, certificate, row, &found))
            return false;
    }
    return found || fault_set(&work->fault, FAULT_not_found, "certificate");
}

/* Who is not the holder learns no more than of a certificate that is not there. */
static bool wanted_open(struct work *work, const Certificates__ShowRequest *request, const char *manager,
    struct certificate_row *row, struct bytes *code)
{
    if (!wanted_find(work, manager, request->certificate, row))
        return false;
    if (request->portal_pseudonym[0] && !holder_check(work, row, request->portal_pseudonym))
        return fault_set(&work->fault, FAULT_not_found, "certificate");
    if (work->actor && !work_permits(work, &(struct affair){.manager = row->manager, .programme = row->programme}))
        return false;
    return code_open(work, row, code);
}

static bool show_fill(struct work *work, const char *format, const struct bytes *code, Certificates__ShowReply *reply)
{
    struct certificate content;
    struct shown_list shown;
    struct bytes file;
    reply->qr_url = url_make(work, code->data, code->len);
    if (!reply->qr_url)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (strcmp(format, "lines") != 0) {
        reply->media_type = strcmp(format, "png") == 0 ? "image/png" : "application/pdf";
        bool drawn = certificate_render(format, reply->qr_url, work->arena, &file, &work->fault);
        reply->file = drawn ? (ProtobufCBinaryData){file.len, file.data} : (ProtobufCBinaryData){0, NULL};
        return drawn;
    }
    if (!certificate_decode(code->data, code->len, &content))
        return fault_set(&work->fault, FAULT_internal, "certificate");
    if (!shown_make(work, &content, &shown))
        return false;
    reply->lines = shown.lines;
    reply->n_lines = shown.count;
    return true;
}

/* The record of use is durable before anything is drawn, and nothing is drawn inside a transaction. */
static enum outcome show_act(struct work *work)
{
    const Certificates__ShowRequest *request = (const Certificates__ShowRequest *)work->request;
    Certificates__ShowReply reply = CERTIFICATES__SHOW_REPLY__INIT;
    struct certificate_row row;
    struct certificate content;
    struct bytes code;
    const char *manager;
    if (!asker_check(work, request, &manager))
        return work_refuse(work);
    if (!work_begin(work, manager))
        return work_end(work);
    if (!wanted_open(work, request, manager, &row, &code))
        return work_refuse(work);
    work_audit(work, &(struct touch){.act = strcmp(request->format, "lines") == 0 ? NULL : "certificates_print",
                         .subject = row.pseudonym,
                         .reason = row.certificate,
                         .name = certificate_decode(code.data, code.len, &content) ? content.name : NULL});
    if (work_commit(work, NULL) != OUTCOME_DONE || !show_fill(work, request->format, &code, &reply))
        return work_refuse(work);
    return work_commit(work, &reply.base);
}

/* certificates_set_status */

#define REISSUED "reissued"

static bool set_status_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Certificates__SetStatusRequest *request = (const Certificates__SetStatusRequest *)message;
    enum standing standing;
    if (strcmp(request->status, REISSUED) != 0 && !standing_parse(request->status, &standing))
        return fault_set(fault, FAULT_item_invalid, "status");
    if (!request->reason[0])
        return fault_set(fault, FAULT_reason_missing, "reason");
    return manager_check(request->manager, fault) && uuid_check(request->entry, "entry", fault) &&
           length_check(request->reason, 1, REASON_MAX, "reason", fault);
}

static bool status_write(struct work *work, const Certificates__SetStatusRequest *request, uint32_t *count)
{
    enum standing from, to;
    char change[CERTIFICATE_ID_MAX];
    uuid_make(change);
    struct bytes reason =
        cover_put(work->arena, (struct cover_place){"certificates.status_change.reason", request->manager, change},
            request->reason, strlen(request->reason));
    if (!reason.data)
        return fault_set(&work->fault, FAULT_internal, NULL);
    if (!standing_lock(work, request->manager, request->entry, &from) ||
        !certificate_count(work, request->manager, request->entry, count))
        return false;
    if (strcmp(request->status, REISSUED) == 0) {
        certificate_reissue(work, request->manager, request->entry);
    } else {
        if (!standing_parse(request->status, &to) || !standing_may_change(from, to))
            return fault_set(&work->fault, FAULT_state_conflict, "status");
        standing_put(work, request->manager, request->entry, to);
        *count = from == to ? 0 : *count;
    }
    status_change_put(work,
        &(struct status_change){request->manager, request->entry, change, request->status, work->peer->name, reason});
    return true;
}

static enum outcome set_status_act(struct work *work)
{
    const Certificates__SetStatusRequest *request = (const Certificates__SetStatusRequest *)work->request;
    Certificates__SetStatusReply reply = CERTIFICATES__SET_STATUS_REPLY__INIT;
    if (!work_begin(work, request->manager))
        return work_end(work);
    if (!status_write(work, request, &reply.count))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = request->entry, .reason = request->status, .count = reply.count});
    return work_commit(work, &reply.base);
}

const struct message certificate_messages[] = {
    {ROUTE_certificates_issue, issue_check, issue_act},
    {ROUTE_certificates_verify, verify_check, verify_act},
    {ROUTE_certificates_show, show_check, show_act},
    {ROUTE_certificates_set_status, set_status_check, set_status_act},
};
const size_t certificate_message_count = sizeof certificate_messages / sizeof certificate_messages[0];
