#include "kit/application.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include "kit/base64.h"
#include "kit/form.h"

static const struct {
    struct kit_flaw_row row;
    unsigned leaf;
} flaws[KIT_FLAWS] = {
    [KIT_RIGHT] = {{"right", "正しい申請", FAULT_NONE}},
    [KIT_WRONG_CHECK_DIGIT] = {{"wrong check digit", "検査用数字の誤り", FAULT_number_check_digit}},
    [KIT_NUMBER_WITH_LETTER] = {{"letter in the number", "個人番号に数字以外の文字", FAULT_number_malformed}},
    [KIT_NUMBER_NOT_ON_CARD] = {{"number not on the card", "カードと異なる個人番号", FAULT_card_hash}},
    [KIT_FORGED_CARD] = {{"forged card", "カードの署名の偽造", FAULT_card_signature}},
    [KIT_OTHER_PERSONS_CARD] = {{"another person's card", "他人のカード", FAULT_card_person_differs}},
    [KIT_OTHER_APPLICATIONS_NUMBER] = {{"another application's number", "別の申請の個人番号", FAULT_number_binding}},
    [KIT_OTHER_MANAGERS_NUMBER] = {{"another manager's number", "別の管理者あての個人番号", FAULT_number_binding}},
    [KIT_OTHER_SIGNERS_NUMBER] = {{"another signer's number", "別の署名者の個人番号", FAULT_number_binding}},
    [KIT_SEALED_TO_STRANGER] = {{"sealed to a stranger", "別の鍵で封印した個人番号", FAULT_number_unsealable}},
    [KIT_NO_NUMBER] = {{"no number", "個人番号なし", FAULT_number_missing}},
    [KIT_FORGED_SIGNATURE] = {{"forged signature", "電子署名の偽造", FAULT_signature_invalid}},
    [KIT_ALTERED_MANIFEST] = {{"altered manifest", "署名対象の改ざん", FAULT_signature_invalid}},
    [KIT_ALTERED_DOCUMENT] = {{"altered document", "申請書の改ざん", FAULT_document_altered}},
    [KIT_ALTERED_ATTACHMENT] = {{"altered attachment", "添付ファイルの改ざん", FAULT_attachment_altered}},
    [KIT_MISSING_ATTACHMENT] = {{"missing attachment", "添付ファイルの不足", FAULT_attachment_missing}},
    [KIT_REVOKED_CERTIFICATE] = {{"revoked certificate", "失効した証明書", FAULT_certificate_revoked}},
    [KIT_EXPIRED_CERTIFICATE] = {{"expired certificate", "期限切れの証明書", FAULT_certificate_expired},
        KIT_LEAF_EXPIRED},
    [KIT_OTHER_AUTHORITY] = {{"another authority", "認められていない認証局", FAULT_certificate_untrusted}},
    [KIT_CA_CERTIFICATE] = {{"CA certificate", "認証局用の証明書", FAULT_certificate_profile}, KIT_LEAF_CA},
    [KIT_OTHER_APPLICANT] = {{"another applicant", "証明書と異なる申請者", FAULT_applicant_differs}},
    [KIT_UNKNOWN_PROGRAMME] = {{"unknown programme", "未知の資格", FAULT_programme_unknown}},
    [KIT_UNKNOWN_PROCEDURE] = {{"unknown procedure", "未知の手続", FAULT_procedure_unknown}},
    [KIT_UNKNOWN_ITEM] = {{"unknown item", "受け付けない項目", FAULT_item_unknown}},
    [KIT_MISSING_ITEM] = {{"missing item", "項目の不足", FAULT_item_missing}},
    [KIT_OVERLONG_ITEM] = {{"over-long item", "長すぎる項目", FAULT_item_too_long}},
    [KIT_TOO_LARGE] = {{"too large", "大きすぎる申請書", FAULT_too_large}},
};

const struct kit_flaw_row *kit_flaw_row(enum kit_flaw flaw)
{
    return &flaws[flaw].row;
}

bool kit_flaw_applicant(struct kit_applicant *applicant, const struct kit_authorities *authorities, enum kit_flaw flaw,
    uint64_t seed, uint32_t index)
{
    const struct kit_authority *authority = flaw == KIT_OTHER_AUTHORITY ? authorities->other : authorities->jpki;
    return kit_applicant_init(applicant, authorities, authority, seed, index, flaws[flaw].leaf);
}

/* A PDF of one empty page: small, so that a load is not a load of attachments. */
static const char paper[] =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
    "trailer<</Root 1 0 R>>\n%%EOF\n";
static const char altered_paper[] = "%PDF-1.4\n% altered on the way\n%%EOF\n";

void kit_uuid_make(char out[37])
{
    unsigned char b[16];
    if (RAND_bytes(b, sizeof b) != 1)
        abort();
    b[6] = (b[6] & 0x0F) | 0x40;
    b[8] = (b[8] & 0x3F) | 0x80;
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
        b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void sha256_hex(const void *bytes, size_t size, char out[65])
{
    unsigned char digest[32];
    SHA256(bytes, size, digest);
    for (int i = 0; i < 32; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

static char *text_repeat(const char *text, size_t times)
{
    size_t size = strlen(text);
    char *all = malloc(size * times + 1);
    for (size_t i = 0; all && i < times; i++)
        memcpy(all + i * size, text, size);
    if (all)
        all[size * times] = '\0';
    return all;
}

/* Put a text of so many characters in the procedure's first free text. */
static bool item_lengthen(json_t *items, const struct programme_procedure *procedure, size_t characters)
{
    for (size_t i = 0; i < procedure->item_count; i++) {
        const struct programme_item *item = &procedure->items[i];
        if (item->type != PROGRAMME_TEXT)
            continue;
        char *text = text_repeat("長", characters ? characters : item->max + 1);
        bool ok = text && json_object_set_new(items, item->key, json_string(text)) == 0;
        free(text);
        return ok;
    }
    return false;
}

static bool item_remove(json_t *items, const struct programme_procedure *procedure)
{
    for (size_t i = 0; i < procedure->item_count; i++)
        if (procedure->items[i].required)
            return json_object_del(items, procedure->items[i].key) == 0;
    return false;
}

/* 65,536 bytes is what a document may have: 22,000 characters of three are more. */
static bool items_spoil(json_t *items, const struct programme_procedure *procedure, enum kit_flaw flaw)
{
    switch (flaw) {
    case KIT_UNKNOWN_ITEM:
        return json_object_set_new(items, "favourite_colour", json_string("青")) == 0;
    case KIT_MISSING_ITEM:
        return item_remove(items, procedure);
    case KIT_OVERLONG_ITEM:
        return item_lengthen(items, procedure, 0);
    case KIT_TOO_LARGE:
        return item_lengthen(items, procedure, 22000);
    default:
        return true;
    }
}

static const char *programme_of(const struct kit_request *request)
{
    return request->flaw == KIT_UNKNOWN_PROGRAMME ? "no-such-programme" : request->programme->code;
}

static const char *procedure_of(const struct kit_request *request)
{
    return request->flaw == KIT_UNKNOWN_PROCEDURE ? "no-such-procedure"
           : request->procedure                   ? request->procedure
                                                  : "registration";
}

static char *document_print(const struct kit_application *application, const struct kit_request *request, json_t *items)
{
    json_t *document = json_pack("{ss ss ss ss sO}", "application", application->id, "programme", programme_of(request),
        "procedure", procedure_of(request), "manager", request->programme->manager, "items", items);
    char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    return text;
}

static json_t *piece_add(struct kit_application *application, const void *bytes, size_t size)
{
    if (application->piece_count == KIT_PIECES_MAX)
        return NULL;
    struct kit_piece *piece = &application->pieces[application->piece_count++];
    piece->bytes = bytes;
    piece->size = size;
    sha256_hex(bytes, size, piece->sha256);
    return json_string(piece->sha256);
}

static bool file_add(
    struct kit_application *application, json_t *attachments, const struct kit_file *file, enum kit_flaw flaw)
{
    struct kit_file sent = *file;
    char sha256[65];
    sha256_hex(file->bytes, file->size, sha256);
    if (flaw == KIT_ALTERED_ATTACHMENT && json_array_size(attachments) == 0) {
        sent.bytes = altered_paper;
        sent.size = sizeof altered_paper - 1;
    }
    json_t *pieces = json_array();
    bool ok = pieces != NULL;
    for (size_t at = 0; ok && at < sent.size; at += KIT_PIECE_MAX) {
        size_t size = sent.size - at < KIT_PIECE_MAX ? sent.size - at : KIT_PIECE_MAX;
        ok = json_array_append_new(pieces, piece_add(application, (const char *)sent.bytes + at, size)) == 0;
    }
    json_t *row = ok ? json_pack("{ss ss sI ss sO}", "name", sent.name, "media_type", sent.media_type, "size",
                           (json_int_t)sent.size, "sha256", sha256, "pieces", pieces)
                     : NULL;
    json_decref(pieces);
    return row && json_array_append_new(attachments, row) == 0;
}

static json_t *attachments_make(
    struct kit_application *application, const struct kit_request *request, const struct programme_procedure *procedure)
{
    json_t *attachments = json_array();
    bool ok = attachments != NULL, left_out = false;
    for (size_t i = 0; ok && i < request->file_count; i++)
        ok = file_add(application, attachments, &request->files[i], request->flaw);
    for (size_t i = 0; ok && !request->files && i < procedure->attachment_count; i++) {
        if (!procedure->attachments[i].required)
            continue;
        if (request->flaw == KIT_MISSING_ATTACHMENT && !left_out) {
            left_out = true;
            continue;
        }
        char name[96];
        snprintf(name, sizeof name, "%.80s.pdf", procedure->attachments[i].key);
        struct kit_file file = {name, "application/pdf", paper, sizeof paper - 1};
        ok = file_add(application, attachments, &file, request->flaw);
    }
    if (ok)
        return attachments;
    json_decref(attachments);
    return NULL;
}

static char *manifest_print(
    const struct kit_application *application, const struct kit_request *request, json_t *attachments)
{
    char sha256[65];
    sha256_hex(application->document, strlen(application->document), sha256);
    json_t *manifest = json_pack("{ss ss ss ss ss sO}", "application", application->id, "programme",
        programme_of(request), "procedure", procedure_of(request), "manager", request->programme->manager,
        "document_sha256", sha256, "attachments", attachments);
    char *text = manifest ? json_dumps(manifest, JSON_COMPACT) : NULL;
    json_decref(manifest);
    return text;
}

/* The forger signs the same attributes with a key of their own; the signature is the last thing in the message. */
static bool signature_forge(struct kit_application *application, const struct kit_world *world,
    const struct kit_request *request, time_t signed_at)
{
    struct kit_applicant forger = *request->applicant;
    bool ok = false;
    for (int i = 0; forger.key == request->applicant->key; i++)
        forger.key = world->authorities->applicants[i];
    forger.certificate = kit_certificate_issue(world->authorities->other, &forger.person, forger.key, 0);
    size_t size = 0;
    uint8_t *forged = forger.certificate ? kit_applicant_sign(&forger, application->manifest,
                                               strlen(application->manifest), signed_at, &size)
                                         : NULL;
    if (forged && size > 256 && application->signature_size > 256) {
        memcpy(application->signature + application->signature_size - 256, forged + size - 256, 256);
        ok = true;
    }
    free(forged);
    X509_free(forger.certificate);
    return ok;
}

static bool manifest_sign(struct kit_application *application, const struct kit_world *world,
    const struct kit_request *request, time_t signed_at)
{
    size_t size = strlen(application->manifest);
    free(application->signature);
    application->signature =
        kit_applicant_sign(request->applicant, application->manifest, size, signed_at, &application->signature_size);
    if (!application->signature)
        return false;
    if (request->flaw == KIT_FORGED_SIGNATURE)
        return signature_forge(application, world, request, signed_at);
    if (request->flaw == KIT_ALTERED_MANIFEST) {
        /* The id's last digit, in the manifest inside the message. */
        char *id = memmem(application->signature, application->signature_size, application->id, 36);
        if (!id)
            return false;
        id[35] = id[35] == '0' ? '1' : '0';
    }
    return true;
}

/* The card as it is read, or as somebody made it read. */
static bool card_spoil(struct kit_card *card, const struct kit_world *world, const struct kit_request *request)
{
    char number[KIT_NUMBER_DAMAGED_SIZE];
    const char *own = request->applicant->person.number;
    switch (request->flaw) {
    case KIT_WRONG_CHECK_DIGIT:
    case KIT_NUMBER_WITH_LETTER:
        if (!kit_number_damage(
                request->flaw == KIT_WRONG_CHECK_DIGIT ? KIT_NUMBER_WRONG_CHECK_DIGIT : KIT_NUMBER_LETTER, own, number))
            return false;
        kit_card_number_set(card, number);
        return kit_card_sign(card, world->authorities); /* so that nothing else is wrong */
    case KIT_NUMBER_NOT_ON_CARD: {
        struct kit_person next;
        kit_person_make(&next, request->applicant->person.seed, request->applicant->person.index + 1);
        kit_card_number_set(card, next.number);
        return true;
    }
    case KIT_FORGED_CARD:
        card->ef0003[sizeof card->ef0003 - 1] ^= 1;
        return true;
    default:
        return true;
    }
}

static bool number_seal(
    struct kit_application *application, const struct kit_world *world, const struct kit_request *request)
{
    free(application->sealed_number);
    if (request->flaw == KIT_NO_NUMBER)
        return (application->sealed_number = strdup("")) != NULL;
    char other_id[37];
    kit_uuid_make(other_id);
    struct kit_card card = request->flaw == KIT_OTHER_PERSONS_CARD ? request->other->card : request->applicant->card;
    const struct kit_binding binding = {
        .application = request->flaw == KIT_OTHER_APPLICATIONS_NUMBER ? other_id : application->id,
        .manager = request->flaw == KIT_OTHER_MANAGERS_NUMBER ? "elsewhere" : request->programme->manager,
        .signer =
            request->flaw == KIT_OTHER_SIGNERS_NUMBER ? request->other->signer_hex : request->applicant->signer_hex,
    };
    struct kit_sealer *stranger = request->flaw == KIT_SEALED_TO_STRANGER ? kit_sealer_random("stranger") : NULL;
    application->sealed_number =
        card_spoil(&card, world, request) ? kit_seal_card(stranger ? stranger : world->sealer, &binding, &card) : NULL;
    kit_sealer_free(stranger);
    return application->sealed_number != NULL;
}

static bool submission_print(struct kit_application *application)
{
    char *document = kit_base64(application->document, strlen(application->document));
    char *signature = kit_base64(application->signature, application->signature_size);
    free(application->submission);
    if (!document || !signature ||
        asprintf(&application->submission, "{\"document\":\"%s\",\"signature\":\"%s\",\"sealed_number\":\"%s\"}",
            document, signature, application->sealed_number) < 0)
        application->submission = NULL;
    free(document);
    free(signature);
    return application->submission != NULL;
}

/* After it was signed: the other sex, which is as long as the right one. */
static bool document_alter(struct kit_application *application, const struct kit_request *request, json_t *items)
{
    const char *sex = json_string_value(json_object_get(items, "sex"));
    if (!sex || json_object_set_new(items, "sex", json_string(*sex == '1' ? "2" : "1")) != 0)
        return false;
    free(application->document);
    return (application->document = document_print(application, request, items)) != NULL;
}

static bool borrows(enum kit_flaw flaw)
{
    return flaw == KIT_OTHER_PERSONS_CARD || flaw == KIT_OTHER_SIGNERS_NUMBER || flaw == KIT_OTHER_APPLICANT;
}

bool kit_application_make(
    struct kit_application *application, const struct kit_world *world, const struct kit_request *request)
{
    memset(application, 0, sizeof *application);
    const struct programme_procedure *procedure =
        programme_procedure_find(request->programme, request->procedure ? request->procedure : "registration");
    if (!procedure || (borrows(request->flaw) && !request->other))
        return false;
    if (request->application)
        snprintf(application->id, sizeof application->id, "%s", request->application);
    else
        kit_uuid_make(application->id);
    const struct kit_applicant *who = request->flaw == KIT_OTHER_APPLICANT ? request->other : request->applicant;
    json_t *items = kit_form_fill(procedure, &who->person), *attachments = NULL;
    bool ok = items && items_spoil(items, procedure, request->flaw) &&
              (application->document = document_print(application, request, items)) &&
              (attachments = attachments_make(application, request, procedure)) &&
              (application->manifest = manifest_print(application, request, attachments)) &&
              manifest_sign(application, world, request, 0) && number_seal(application, world, request) &&
              (request->flaw != KIT_ALTERED_DOCUMENT || document_alter(application, request, items)) &&
              submission_print(application);
    json_decref(attachments);
    json_decref(items);
    if (!ok)
        kit_application_fini(application);
    return ok;
}

bool kit_application_rewrap(
    struct kit_application *application, const struct kit_world *world, const struct kit_request *request)
{
    return manifest_sign(application, world, request, time(NULL) + 1) && number_seal(application, world, request) &&
           submission_print(application);
}

void kit_application_fini(struct kit_application *application)
{
    free(application->document);
    free(application->manifest);
    free(application->signature);
    free(application->sealed_number);
    free(application->submission);
    memset(application, 0, sizeof *application);
}
