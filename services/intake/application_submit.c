/* The order of the checks is the order in which they can be trusted: signature, then what was signed (manifest,
 * document, attachments), then the items against the programme and the certificate, then the number, which the vault
 * alone can open. Nothing is stored before all of them held; the answer goes out after the commit. */
#include "intake/application_submit.h"

#include "chassis/card_items.h"
#include "chassis/journal.h"
#include "intake/application_manifest.h"
#include "intake/application_store.h"
#include "intake/attachment_messages.h"
#include "intake/attachment_store.h"
#include "intake/application_steps.h"
#include "intake/intake_setup.h"

#include "intake.pb-c.h"
#include "vault.pb-c.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SEALED_NUMBER_MAX (16 * 1024)
#define RECEIPT_CHARACTERS 10
#define PORTAL_PSEUDONYM_MAX 64

struct submission {
    struct application_signature signature;
    struct manifest manifest;
    struct document document;
    const struct programme *programme;
    const struct programme_procedure *procedure;
    struct application application;
    uint8_t manifest_sha256[32];
};

static void submission_fini(struct submission *s)
{
    application_signature_fini(&s->signature);
    manifest_fini(&s->manifest);
    document_fini(&s->document);
    OPENSSL_cleanse(&s->application.person, sizeof s->application.person);
}

/* Random, so that it tells nothing about how many there are; letters, so that it can be read out and is no number. */
static bool receipt_make(struct work *work, const char **receipt)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t raw[RECEIPT_CHARACTERS];
    char text[RECEIPT_CHARACTERS + 2];
    if (RAND_bytes(raw, sizeof raw) != 1)
        return false;
    for (int i = 0, at = 0; i < RECEIPT_CHARACTERS; i++) {
        text[at++] = letters[raw[i] % 32];
        if (i == 4)
            text[at++] = '-';
    }
    *receipt = arena_text(work->arena, text, sizeof text - 1);
    return *receipt != NULL;
}

/* Programme, procedure and items; fills the application's person. */
static bool document_check(struct submission *s, struct fault *fault)
{
    const struct document *document = &s->document;
    s->programme = programme_find(intake_programmes(), document->programme);
    if (!s->programme)
        return fault_set(fault, FAULT_programme_unknown, "programme");
    if (strcmp(s->programme->manager, document->manager) != 0)
        return fault_set(fault, FAULT_programme_unknown, "manager");
    s->procedure = programme_procedure_find(s->programme, document->procedure);
    if (!s->procedure || strcmp(document->procedure, "registration") != 0)
        return fault_set(fault, FAULT_procedure_unknown, "procedure");
    return programme_items_check(s->procedure, document->items, fault) &&
           programme_person_make(s->programme, document->items, &s->application.person, fault);
}

/* Names, sizes and contents of the attachments, piece by piece. */
static bool attachment_hold(struct work *work, const struct submission *s, const struct attachment *attachment)
{
    uint8_t digest[32];
    int64_t size = 0;
    bool held = programme_attachment_check(s->procedure, attachment->name, (size_t)attachment->size, &work->fault);
    EVP_MD_CTX *whole = EVP_MD_CTX_new();
    held = held && whole && EVP_DigestInit_ex(whole, EVP_sha256(), NULL) == 1;
    for (int i = 0; held && i < attachment->piece_count; i++) {
        struct bytes piece;
        held = piece_find(work, work->arena, s->manifest.pieces[attachment->first_piece + i], &piece);
        if (held) {
            EVP_DigestUpdate(whole, piece.data, piece.len);
            size += (int64_t)piece.len;
        }
    }
    if (held && (EVP_DigestFinal_ex(whole, digest, NULL) != 1 || size != attachment->size ||
                    memcmp(digest, attachment->sha256, 32) != 0))
        held = fault_set(&work->fault, FAULT_attachment_altered, attachment->name);
    EVP_MD_CTX_free(whole);
    return held;
}

static bool attachments_check(struct work *work, const struct submission *s)
{
    const char *names[ATTACHMENTS_MAX];
    for (int i = 0; i < s->manifest.attachment_count; i++) {
        names[i] = s->manifest.attachments[i].name;
        if (!attachment_hold(work, s, &s->manifest.attachments[i]))
            return false;
    }
    return programme_attachments_complete(s->procedure, names, (size_t)s->manifest.attachment_count, &work->fault);
}

/* The applicant is who the certificate says. An item in which the certificate had to replace characters (代替文字)
 * cannot be compared; the residence network's answer decides there. */
static bool signer_check(const struct submission *s, struct fault *fault)
{
    struct person_match match = person_match_compare(&s->application.person, &s->signature.person);
    for (int item = 0; item < PERSON_ITEMS; item++) {
        bool replaced = (item == PERSON_NAME && s->signature.name_substituted) ||
                        (item == PERSON_ADDRESS && s->signature.address_substituted);
        if (match.items[item] == PERSON_DIFFERENT && !replaced)
            return fault_set(fault, FAULT_applicant_differs, person_item_text(item));
    }
    return true;
}

static bool enrol(
    struct work *work, struct submission *s, const char *sealed_number, const uint8_t signer[32], bool paper)
{
    Vault__EnrolRequest request = VAULT__ENROL_REQUEST__INIT;
    ProtobufCMessage *reply;
    uint8_t items[32];
    card_items_digest(&s->application.person, items);
    request.manager = (char *)s->programme->manager;
    request.application = (char *)s->document.application;
    request.signer = (ProtobufCBinaryData){32, (uint8_t *)signer};
    request.sealed_number = (char *)sealed_number;
    request.paper = paper;
    if (!paper)
        request.four_items = (ProtobufCBinaryData){32, items};
    const char *act = arena_format(work->arena, "%s|%s", s->document.application, sealed_number);
    if (!act || !work_call(work, ROUTE_vault_enrol, act, &request.base, &reply))
        return false;
    s->application.pseudonym = ((const Vault__EnrolReply *)reply)->pseudonym;
    return true;
}

/* On paper, of a programme that takes no number there. */
static bool issue(struct work *work, struct submission *s)
{
    Vault__IssueRequest request = VAULT__ISSUE_REQUEST__INIT;
    ProtobufCMessage *reply;
    request.manager = (char *)s->programme->manager;
    request.application = (char *)s->document.application;
    if (!work_call(work, ROUTE_vault_issue, s->document.application, &request.base, &reply))
        return false;
    s->application.pseudonym = ((const Vault__IssueReply *)reply)->pseudonym;
    return true;
}

/* From now on the portal pseudonym stands for this person too. If it stands for somebody else at this manager, one of
 * the two is wrong: the application is kept, and a person settles it before anything else happens. */
static bool portal_tie(struct work *work, struct submission *s)
{
    Vault__PortalTieRequest request = VAULT__PORTAL_TIE_REQUEST__INIT;
    struct application *a = &s->application;
    request.manager = (char *)a->manager;
    request.pseudonym = (char *)a->pseudonym;
    request.portal_pseudonym = (char *)a->portal_pseudonym;
    request.application = (char *)a->application;
    const char *act = arena_format(work->arena, "%s|%s|%s", a->application, a->pseudonym, a->portal_pseudonym);
    if (act && work_call(work, ROUTE_vault_portal_tie, act, &request.base, NULL))
        return true;
    if (work->fault.code != FAULT_state_conflict)
        return false;
    work->fault.code = FAULT_NONE;
    a->resume = a->state;
    a->state = STATE_person;
    return true;
}

static bool application_fill(struct work *work, struct submission *s, const uint8_t signer[32], const char *channel,
    struct bytes document, const char *portal_pseudonym)
{
    struct application *a = &s->application;
    char day[9];
    time_t now = time(NULL) + 9 * 3600; /* Japan has no summer time */
    struct tm japan;
    strftime(day, sizeof day, "%Y%m%d", gmtime_r(&now, &japan));
    if (!programme_fee_find(s->procedure, day, &a->fee))
        return fault_set(&work->fault, FAULT_internal, "fee");
    a->manager = s->programme->manager;
    a->application = s->document.application;
    a->programme = s->programme->code;
    a->procedure = s->procedure->code;
    a->body = programme_body_find(s->programme, s->document.items);
    a->channel = channel;
    a->manifest_sha256 = (struct bytes){s->manifest_sha256, 32};
    a->signer_sha256 = arena_copy(work->arena, signer, 32);
    a->document = document;
    a->portal_pseudonym = portal_pseudonym;
    a->received_at_ms = clock_ms();
    a->state = state_first(s->programme, state_numbered(s->programme, channel));
    return receipt_make(work, &a->receipt) ? true : fault_set(&work->fault, FAULT_internal, NULL);
}

/* Take the pieces over under the manager's key. */
static bool attachments_keep(struct work *work, const struct submission *s)
{
    for (int number = 0; number < s->manifest.attachment_count; number++) {
        const struct attachment *attachment = &s->manifest.attachments[number];
        struct attachment_piece piece = {.manager = s->application.manager,
            .application = s->application.application,
            .number = number,
            .name = programme_attachment_find(s->procedure, attachment->name)->key,
            .media_type = attachment_media_type(attachment->media_type),
            .size = attachment->size};
        for (; piece.piece < attachment->piece_count; piece.piece++)
            if (!attachment_piece_keep(work, &piece, s->manifest.pieces[attachment->first_piece + piece.piece]))
                return false;
    }
    return true;
}

/* Store and answer. */
static enum outcome keep(struct work *work, struct submission *s)
{
    Intake__SubmitReply reply = INTAKE__SUBMIT_REPLY__INIT;
    const char *known = NULL;
    if (!work_begin(work, s->application.manager))
        return work_end(work);
    if (!application_insert(work, &s->application, &known))
        return work_refuse(work);
    reply.application = (char *)s->application.application;
    reply.receipt = (char *)(known ? known : s->application.receipt);
    reply.known_already = known != NULL;
    if (!known && !attachments_keep(work, s))
        return work_refuse(work);
    work_audit(work, &(struct touch){.subject = s->application.pseudonym,
                         .reason = s->application.application,
                         .name = s->application.person.name});
    enum outcome outcome = work_commit(work, &reply.base);
    if (outcome == OUTCOME_DONE)
        application_wake(s->application.state);
    return outcome;
}

static bool signed_parts_check(struct work *work, struct submission *s, const Intake__SubmitRequest *request)
{
    struct fault *fault = &work->fault;
    SHA256(s->signature.manifest, s->signature.manifest_size, s->manifest_sha256);
    if (!application_signature_check_validity(&s->signature, intake_revocation(), time(NULL), fault) ||
        !manifest_parse(&s->manifest, s->signature.manifest, s->signature.manifest_size, fault) ||
        !document_parse(&s->document, request->document.data, request->document.len, fault) ||
        !manifest_covers(&s->manifest, &s->document, request->document.data, request->document.len, fault) ||
        !document_check(s, fault) || !signer_check(s, fault))
        return false;
    if (work->peer->party == PARTY_AGENCY && strcmp(work->peer->manager, s->programme->manager) != 0)
        return fault_set(fault, FAULT_not_permitted, "manager");
    return attachments_check(work, s);
}

bool submit_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__SubmitRequest *request = (const Intake__SubmitRequest *)message;
    if (!request->document.len)
        return fault_set(fault, FAULT_item_missing, "document");
    if (!request->signature.len)
        return fault_set(fault, FAULT_signature_invalid, "signature");
    if (!*request->sealed_number)
        return fault_set(fault, FAULT_number_missing, "sealed_number");
    if (strlen(request->sealed_number) > SEALED_NUMBER_MAX)
        return fault_set(fault, FAULT_too_large, "sealed_number");
    if (!*request->portal_pseudonym || strlen(request->portal_pseudonym) > PORTAL_PSEUDONYM_MAX)
        return fault_set(fault, FAULT_item_missing, "portal_pseudonym");
    return true;
}

enum outcome submit_act(struct work *work)
{
    const Intake__SubmitRequest *request = (const Intake__SubmitRequest *)work->request;
    struct submission s = {0};
    enum outcome outcome;
    struct bytes document = {request->document.data, request->document.len};
    if (!application_signature_verify(&s.signature, intake_roots(), setting_text("SHIKAKU_JPKI_POLICY"),
            request->signature.data, request->signature.len, &work->fault)) {
        outcome = work_refuse(work);
        goto out;
    }
    if (!signed_parts_check(work, &s, request) || !enrol(work, &s, request->sealed_number, s.signature.signer, false) ||
        !application_fill(work, &s, s.signature.signer, work->peer->party == PARTY_AGENCY ? "agency" : "online",
            document, request->portal_pseudonym) ||
        !portal_tie(work, &s)) {
        outcome = work_refuse(work);
        goto out;
    }
    s.application.signature = (struct bytes){request->signature.data, request->signature.len};
    outcome = keep(work, &s);
out:
    submission_fini(&s);
    return outcome;
}

/* On paper */

bool paper_check(const ProtobufCMessage *message, struct fault *fault)
{
    const Intake__PaperRequest *request = (const Intake__PaperRequest *)message;
    if (!request->document.len)
        return fault_set(fault, FAULT_item_missing, "document");
    if (strcmp(request->identity_check, "card") != 0 && strcmp(request->identity_check, "documents") != 0)
        return fault_set(fault, FAULT_item_invalid, "identity_check");
    if (strlen(request->terminal) != 64)
        return fault_set(fault, FAULT_terminal_not_listed, NULL);
    return strlen(request->sealed_number) > SEALED_NUMBER_MAX ? fault_set(fault, FAULT_too_large, "sealed_number")
                                                              : true;
}

static bool paper_number_check(const struct submission *s, const Intake__PaperRequest *request, struct fault *fault)
{
    bool given = *request->sealed_number;
    if (given && !s->programme->number_on_paper)
        return fault_set(fault, FAULT_number_not_allowed, "sealed_number");
    return given || !s->programme->number_on_paper ? true : fault_set(fault, FAULT_number_missing, "sealed_number");
}

enum outcome paper_act(struct work *work)
{
    const Intake__PaperRequest *request = (const Intake__PaperRequest *)work->request;
    struct submission s = {0};
    enum outcome outcome;
    uint8_t terminal[32];
    struct bytes document = {request->document.data, request->document.len};
    SHA256(document.data, document.len, s.manifest_sha256);
    if (!document_parse(&s.document, document.data, document.len, &work->fault) || !document_check(&s, &work->fault) ||
        !paper_number_check(&s, request, &work->fault))
        outcome = work_refuse(work);
    else if (!hex_take(terminal, sizeof terminal, request->terminal))
        outcome = work_refuse_with(work, FAULT_terminal_not_listed, NULL);
    else if (!work_permits(work, &(struct affair){s.programme->manager, s.programme->code,
                                     programme_body_find(s.programme, s.document.items)}))
        outcome = work_refuse(work);
    else if (!(*request->sealed_number ? enrol(work, &s, request->sealed_number, terminal, true) : issue(work, &s)) ||
             !application_fill(work, &s, terminal, "paper", document, ""))
        outcome = work_refuse(work);
    else {
        s.application.signature = (struct bytes){(uint8_t *)request->identity_check, strlen(request->identity_check)};
        outcome = keep(work, &s);
    }
    submission_fini(&s);
    return outcome;
}
