#include "kit/journey_refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MS 150000 /* intake fetches the list of revoked certificates at least once a minute */

/* --- how a case is sent ------------------------------------------------------------------------------------------- */

static void submit_flawed(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    (void)refusal;
    (void)trip_submit(trip, journey);
}

static void submit_revoked(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    if (journey_certificate_revoke(journey, &trip->applicant, LIST_MS))
        submit_flawed(journey, refusal, trip);
}

/* The id of a person, without Mynaportal's word for it. */
static void submit_bare_pseudonym(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    const struct journey_call call = {.as = AS_MYNAPORTAL,
        .method = "POST",
        .path = "/api/applications",
        .assertion = trip->applicant.person.portal_pseudonym,
        .media_type = "application/json",
        .body = trip->application.submission,
        .size = strlen(trip->application.submission)};
    (void)refusal;
    (void)journey_call(journey, &call, &trip->answer);
}

static void submit_from_terminal(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    const struct journey_call call = {.as = AS_NUMBER_TERMINAL,
        .method = "POST",
        .path = "/api/applications",
        .pseudonym = trip->applicant.person.portal_pseudonym,
        .media_type = "application/json",
        .body = trip->application.submission,
        .size = strlen(trip->application.submission)};
    (void)refusal;
    (void)journey_call(journey, &call, &trip->answer);
}

/* Right once; then the same manifest signed and sealed anew. */
static void submit_again(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    char first[sizeof trip->receipt];
    (void)refusal;
    if (trip_submit(trip, journey) != 201)
        return;
    memcpy(first, trip->receipt, sizeof first);
    if (!kit_application_rewrap(&trip->application, &journey->world, &trip->request) ||
        trip_submit(trip, journey) != 200 || strcmp(first, trip->receipt) != 0)
        trip->answer.status = 0;
}

/* 海技 takes no number on paper. */
static void enter_on_paper(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    (void)refusal;
    (void)trip_enter(trip, journey, trip->applicant.person.number);
}

static void log_in_unlisted(struct journey *journey, const struct refusal *refusal, struct journey_trip *trip)
{
    const struct journey_call call = {.as = AS_UNLISTED_TERMINAL, .method = "POST", .path = "/api/staff/sessions"};
    (void)refusal;
    (void)journey_call_json(
        journey, call, json_pack("{ss ss}", "account", "tokyo-counter", "password", "Kakuu-kakuu-1"), &trip->answer);
}

#define FLAW(flaw, name, japanese, code, requirement)                                                                  \
    {                                                                                                                  \
        name, japanese, FAULT_##code, requirement, flaw, submit_flawed                                                 \
    }

/* Told by the demo and proven by tests/flow/refusals.c, in this order. */
const struct refusal refusals[] = {
    FLAW(KIT_WRONG_CHECK_DIGIT, "wrong check digit", "個人番号の検査用数字の誤り", number_check_digit, "NUM-5"),
    FLAW(KIT_NUMBER_NOT_ON_CARD, "number and card differ", "カードと異なる個人番号", card_hash, "NUM-4"),
    FLAW(KIT_FORGED_SIGNATURE, "forged signature", "電子署名の偽造", signature_invalid, "APPLY-2"),
    FLAW(KIT_ALTERED_ATTACHMENT, "altered attachment", "添付ファイルの改ざん", attachment_altered, "APPLY-1"),
    {"revoked certificate", "失効した証明書", FAULT_certificate_revoked, "APPLY-2", KIT_REVOKED_CERTIFICATE,
        submit_revoked},
    FLAW(KIT_EXPIRED_CERTIFICATE, "expired certificate", "期限切れの証明書", certificate_expired, "APPLY-2"),
    FLAW(KIT_OTHER_AUTHORITY, "another authority", "認められていない認証局の証明書", certificate_untrusted, "APPLY-2"),
    FLAW(KIT_CA_CERTIFICATE, "CA certificate", "認証局用(CA:TRUE)の証明書", certificate_profile, "APPLY-2"),
    FLAW(KIT_UNKNOWN_PROGRAMME, "unknown programme", "未知の資格", programme_unknown, "APPLY-5"),
    FLAW(KIT_UNKNOWN_ITEM, "unknown field", "受け付けない項目", item_unknown, "APPLY-5"),
    FLAW(KIT_MISSING_ITEM, "missing item", "項目の不足", item_missing, "APPLY-5"),
    FLAW(KIT_OVERLONG_ITEM, "over-long item", "長すぎる項目", item_too_long, "APPLY-5"),
    FLAW(KIT_TOO_LARGE, "too large body", "大きすぎる申請書", too_large, "APPLY-5"),
    {"replay wrapped anew", "同じ申請の再送(包み直し)", FAULT_NONE, "APPLY-1", KIT_RIGHT, submit_again},
    FLAW(KIT_OTHER_PERSONS_CARD, "another person's card", "他人のカードの個人番号", card_person_differs, "NUM-4"),
    FLAW(KIT_OTHER_APPLICATIONS_NUMBER, "another application's number", "別の申請のために封印された個人番号",
        number_binding, "NUM-4"),
    {"bare portal pseudonym", "証明のないマイナポータル仮名ID", FAULT_assertion_required, "APPLY-10", KIT_RIGHT,
        submit_bare_pseudonym},
    {"number on paper", "海技士の紙申請への個人番号の記入", FAULT_number_not_allowed, "NUM-9", KIT_RIGHT,
        enter_on_paper},
    FLAW(KIT_NUMBER_WITH_LETTER, "letter in the number", "個人番号に数字以外の文字", number_malformed, "NUM-5"),
    FLAW(KIT_FORGED_CARD, "forged card", "カードの署名の偽造", card_signature, "NUM-4"),
    FLAW(KIT_OTHER_MANAGERS_NUMBER, "another manager's number", "別の管理者あての個人番号", number_binding, "NUM-4"),
    FLAW(KIT_OTHER_SIGNERS_NUMBER, "another signer's number", "別の署名者の個人番号", number_binding, "NUM-4"),
    FLAW(KIT_SEALED_TO_STRANGER, "sealed to a stranger", "別の鍵で封印した個人番号", number_unsealable, "NUM-4"),
    FLAW(KIT_NO_NUMBER, "no number", "個人番号なし", number_missing, "NUM-4"),
    FLAW(KIT_ALTERED_MANIFEST, "altered manifest", "署名対象の改ざん", signature_invalid, "APPLY-2"),
    FLAW(KIT_ALTERED_DOCUMENT, "altered document", "申請書の改ざん", document_altered, "APPLY-2"),
    FLAW(KIT_MISSING_ATTACHMENT, "missing attachment", "添付ファイルの不足", attachment_missing, "APPLY-1"),
    FLAW(KIT_OTHER_APPLICANT, "another applicant", "証明書と異なる申請者", applicant_differs, "APPLY-2"),
    FLAW(KIT_UNKNOWN_PROCEDURE, "unknown procedure", "未知の手続", procedure_unknown, "APPLY-5"),
    {"assertion from a terminal", "マイナポータル以外からの申請", FAULT_peer_unknown, "APPLY-10", KIT_RIGHT,
        submit_from_terminal},
    {"unlisted terminal", "登録されていない端末からのログイン", FAULT_terminal_not_listed, "AUTH-3", KIT_RIGHT,
        log_in_unlisted},
};
const size_t refusal_count = sizeof refusals / sizeof *refusals;

/* --- how it was answered ------------------------------------------------------------------------------------------ */

/* Applications that the person has; -1 if that cannot be told. */
static int applications_count(struct journey *journey, const struct journey_trip *trip)
{
    struct journey_answer answer = {0};
    const struct journey_call call = {.as = AS_MYNAPORTAL,
        .method = "GET",
        .path = "/api/applications",
        .pseudonym = trip->applicant.person.portal_pseudonym};
    int count = journey_call(journey, &call, &answer) == 200
                    ? (int)json_array_size(json_object_get(answer.json, "applications"))
                    : -1;
    journey_answer_fini(&answer);
    return count;
}

static bool repeats(const char *body, const struct kit_person *person)
{
    return body && (strstr(body, person->person.name) || strstr(body, person->person.address) ||
                       strstr(body, person->person.birth_date) || strstr(body, person->number) ||
                       strstr(body, person->portal_pseudonym));
}

static void outcome_judge(struct journey *journey, const struct refusal *refusal, const struct journey_trip *trip,
    struct refusal_outcome *outcome)
{
    bool refused = refusal->code != FAULT_NONE;
    int http = refused ? fault_http_status(refusal->code) : 200, kept = refused ? 0 : 1;
    const char *code = refused ? fault_code_text(refusal->code) : "";
    const char *message = refused ? fault_japanese(refusal->code) : "";
    int count = applications_count(journey, trip);
    if (outcome->http != http || strcmp(outcome->code, code) != 0)
        snprintf(outcome->wrong, sizeof outcome->wrong, "expected %d %s", http, code);
    else if (strcmp(outcome->message, message) != 0)
        snprintf(outcome->wrong, sizeof outcome->wrong, "another message than errors.def's");
    else if (count != kept)
        snprintf(outcome->wrong, sizeof outcome->wrong, "%d applications kept, expected %d", count, kept);
    else if (repeats(trip->answer.body, &trip->applicant.person))
        snprintf(outcome->wrong, sizeof outcome->wrong, "a personal value is repeated");
}

void refusal_play(struct journey *journey, const struct refusal *refusal, struct refusal_outcome *outcome)
{
    struct journey_trip trip;
    struct kit_applicant other;
    uint32_t index = journey_people_take(2);
    memset(outcome, 0, sizeof *outcome);
    const struct journey_plan plan = {.programme = refusal->run == enter_on_paper ? "kaigishi" : "chorishi",
        .index = index,
        .flaw = refusal->flaw,
        .other = &other};
    if (!kit_flaw_applicant(&other, journey->world.authorities, KIT_RIGHT, journey->seed, index + 1)) {
        snprintf(outcome->wrong, sizeof outcome->wrong, "no memory");
        return;
    }
    if (trip_init(&trip, journey, &plan)) {
        refusal->run(journey, refusal, &trip);
        outcome->http = trip.answer.status;
        snprintf(outcome->code, sizeof outcome->code, "%s", journey_text(trip.answer.json, "code"));
        snprintf(outcome->field, sizeof outcome->field, "%s", journey_text(trip.answer.json, "field"));
        snprintf(outcome->message, sizeof outcome->message, "%s", journey_text(trip.answer.json, "message"));
        outcome_judge(journey, refusal, &trip, outcome);
        trip_fini(&trip);
    } else {
        snprintf(outcome->wrong, sizeof outcome->wrong, "the case could not be made");
    }
    kit_applicant_fini(&other);
}
