/* One application on its way. */
#include "kit/journey.h"
#include "kit/journey_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base64.h"

#define LOOK_MS 20
#define INQUIRY_MS 30000

static const char ends[] = "person|completed|returned|rejected";

bool trip_init(struct journey_trip *trip, struct journey *journey, const struct journey_plan *plan)
{
    memset(trip, 0, sizeof *trip);
    trip->programme = programme_find(journey->programmes, plan->programme);
    if (!trip->programme ||
        !kit_flaw_applicant(&trip->applicant, journey->world.authorities, plan->flaw, journey->seed, plan->index))
        return false;
    trip->request = (struct kit_request){
        .applicant = &trip->applicant, .other = plan->other, .programme = trip->programme, .flaw = plan->flaw};
    if ((!plan->unknown && !journey_resident_load(journey, &trip->applicant.person, plan->resident)) ||
        !kit_application_make(&trip->application, &journey->world, &trip->request)) {
        trip_fini(trip);
        return false;
    }
    return true;
}

void trip_fini(struct journey_trip *trip)
{
    kit_application_fini(&trip->application);
    if (trip->programme)
        kit_applicant_fini(&trip->applicant);
    journey_answer_fini(&trip->answer);
    trip->programme = NULL;
}

static const char *pseudonym_of(const struct journey_trip *trip)
{
    return trip->applicant.person.portal_pseudonym;
}

/* --- the applicant ----------------------------------------------------------------------------------------------- */

static int receipt_take(struct journey_trip *trip, int status)
{
    if (status == 200 || status == 201)
        snprintf(trip->receipt, sizeof trip->receipt, "%s", journey_text(trip->answer.json, "receipt"));
    return status;
}

static int piece_put(struct journey_trip *trip, struct journey *journey, const struct kit_piece *piece)
{
    char path[128];
    snprintf(path, sizeof path, "/api/attachments/%s", piece->sha256);
    const struct journey_call call = {.as = AS_MYNAPORTAL,
        .method = "PUT",
        .path = path,
        .media_type = "application/octet-stream",
        .body = piece->bytes,
        .size = piece->size};
    return journey_call(journey, &call, &trip->answer);
}

int trip_submit(struct journey_trip *trip, struct journey *journey)
{
    for (size_t i = 0; i < trip->application.piece_count; i++) {
        int status = piece_put(trip, journey, &trip->application.pieces[i]);
        if (status != 200 && status != 201)
            return status;
    }
    const struct journey_call call = {.as = AS_MYNAPORTAL,
        .method = "POST",
        .path = "/api/applications",
        .pseudonym = pseudonym_of(trip),
        .media_type = "application/json",
        .body = trip->application.submission,
        .size = strlen(trip->application.submission)};
    return receipt_take(trip, journey_call(journey, &call, &trip->answer));
}

int trip_submit_by_relay(struct journey_trip *trip, struct journey *journey)
{
    json_t *pieces = json_array();
    for (size_t i = 0; i < trip->application.piece_count; i++) {
        char *text = kit_base64(trip->application.pieces[i].bytes, trip->application.pieces[i].size);
        json_array_append_new(pieces, json_string(text));
        free(text);
    }
    json_t *body = json_pack("{ss so so}", "portal_pseudonym", pseudonym_of(trip), "submission",
        json_loads(trip->application.submission, 0, NULL), "pieces", pieces);
    return receipt_take(
        trip, journey_outside(journey, "SHIKAKU_MYNAPORTAL_URL", "POST", "/applications", body, &trip->answer));
}

int trip_look(struct journey_trip *trip, struct journey *journey)
{
    char path[128];
    if (trip->paper)
        return paper_look(trip, journey);
    snprintf(path, sizeof path, "/api/applications/%s", trip->receipt);
    const struct journey_call call = {
        .as = AS_MYNAPORTAL, .method = "GET", .path = path, .pseudonym = pseudonym_of(trip)};
    int status = journey_call(journey, &call, &trip->answer);
    if (status == 200)
        snprintf(trip->state, sizeof trip->state, "%s", journey_text(trip->answer.json, "state"));
    return status;
}

/* Is the word one of "a|b|c"? */
static bool is_one_of(const char *word, const char *words)
{
    size_t length = strlen(word);
    for (const char *at = words; *word && *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == length && strncmp(at, word, length) == 0)
            return true;
    return false;
}

bool trip_await(struct journey_trip *trip, struct journey *journey, const char *states, unsigned ms)
{
    int64_t deadline = journey_clock_ms() + ms;
    for (unsigned looks = 0;; looks++) {
        int status = trip_look(trip, journey);
        if (status == 200 && is_one_of(trip->state, states))
            return true;
        if ((status == 200 && is_one_of(trip->state, ends)) || journey_clock_ms() >= deadline)
            return false;
        wire_pause(looks < 20 ? LOOK_MS : 5 * LOOK_MS);
    }
}

int trip_certificate(struct journey_trip *trip, struct journey *journey, const char *format)
{
    char path[160];
    const char *certificate;
    if (trip_look(trip, journey) != 200 || !*(certificate = journey_text(trip->answer.json, "certificate")))
        return 404;
    snprintf(path, sizeof path, "/api/certificates/%.64s?format=%s", certificate, format);
    const struct journey_call call = {
        .as = AS_MYNAPORTAL, .method = "GET", .path = path, .pseudonym = pseudonym_of(trip)};
    return journey_call(journey, &call, &trip->answer);
}

int trip_verify(struct journey_trip *trip, struct journey *journey, const char *qr_url)
{
    char path[8000];
    const char *code = strstr(qr_url, "?c=");
    snprintf(path, sizeof path, "/api/verify%s", code ? code : "");
    const struct journey_call call = {.as = AS_NOBODY, .method = "GET", .path = path};
    return journey_call(journey, &call, &trip->answer);
}

/* --- staff ------------------------------------------------------------------------------------------------------- */

static int clerk_act(struct journey_trip *trip, struct journey *journey, const char *role, const char *what,
    const char *act, json_t *body_take)
{
    char path[160], key[64];
    struct journey_clerk *clerk = journey_clerk(journey, trip->programme->manager, role);
    if (!clerk) {
        json_decref(body_take);
        journey_answer_fini(&trip->answer);
        return 0;
    }
    snprintf(path, sizeof path, "/api/staff/applications/%s/%s", trip->receipt, what);
    snprintf(key, sizeof key, "%s-%s", trip->receipt, act);
    int status = journey_clerk_call(journey, clerk, "POST", path, key, body_take, &trip->answer);
    if (status == 200)
        snprintf(trip->state, sizeof trip->state, "%s", journey_text(trip->answer.json, "state"));
    return status;
}

/* A person can be asked twice about one application: each time is an act of its own, named by how long its history is.
 */
static void act_name(struct journey_trip *trip, struct journey *journey, const char *what, char name[48])
{
    size_t steps = trip_look(trip, journey) == 200 ? json_array_size(json_object_get(trip->answer.json, "history")) : 0;
    snprintf(name, 48, "%s-%zu", what, steps);
}

int trip_decide(struct journey_trip *trip, struct journey *journey, const char *decision, const char *reason)
{
    char act[48];
    act_name(trip, journey, decision, act);
    return clerk_act(trip, journey, "counter", "decision", act,
        reason ? json_pack("{ss ss}", "decision", decision, "reason", reason)
               : json_pack("{ss}", "decision", decision));
}

/* The inquiry's answer, looked for until it is there. */
static bool inquiry_await(struct journey_trip *trip, struct journey *journey, const char *inquiry)
{
    char path[160];
    int64_t deadline = journey_clock_ms() + INQUIRY_MS;
    struct journey_clerk *clerk = journey_clerk(journey, trip->programme->manager, "residence");
    snprintf(path, sizeof path, "/api/staff/residence-inquiries/%s", inquiry);
    while (clerk && journey_clock_ms() < deadline) {
        int status = journey_clerk_call(journey, clerk, "GET", path, NULL, NULL, &trip->answer);
        if (status != 200)
            return false;
        if (strcmp(journey_text(trip->answer.json, "state"), "waiting") != 0)
            return strcmp(journey_text(trip->answer.json, "state"), "answered") == 0;
        wire_pause(LOOK_MS);
    }
    return false;
}

static json_t *asked_by(const struct journey_trip *trip)
{
    const struct person *person = &trip->applicant.person.person;
    const char sex[] = {person->sex, 0};
    if (!trip->paper || trip->programme->number_on_paper)
        return json_pack("{ss}", "key", "number");
    return json_pack("{ss s{ss ss ss ss}}", "key", "four_items", "person", "name", person->name, "address",
        person->address, "birth_date", person->birth_date, "sex", sex);
}

int trip_identify(struct journey_trip *trip, struct journey *journey)
{
    char inquiry[48], act[64];
    kit_uuid_make(inquiry);
    snprintf(act, sizeof act, "ask-%.13s", inquiry); /* an answer is kept for minutes only: each asking is an act */
    int status = clerk_act(trip, journey, "residence", "residence-inquiries", act, asked_by(trip));
    if (status != 202)
        return status;
    snprintf(inquiry, sizeof inquiry, "%s", journey_text(trip->answer.json, "inquiry"));
    if (!inquiry_await(trip, journey, inquiry))
        return trip->answer.status == 200 ? 0 : trip->answer.status;
    size_t found = json_array_size(json_object_get(trip->answer.json, "candidates"));
    json_t *result = found == 1 ? json_pack("{ss si}", "inquiry", inquiry, "candidate", 0)
                                : json_pack("{ss sb}", "inquiry", inquiry, "none", 1);
    snprintf(act, sizeof act, "is-%.13s", inquiry);
    return clerk_act(trip, journey, "residence", "residence-result", act, result);
}

/* --- the fee ----------------------------------------------------------------------------------------------------- */

/* The charge is made by a step after the acceptance, so its address may still be missing. */
static int pay_online(struct journey_trip *trip, struct journey *journey)
{
    char path[160], address[512];
    int64_t deadline = journey_clock_ms() + journey->patience_ms;
    snprintf(path, sizeof path, "/api/applications/%s/payment", trip->receipt);
    const struct journey_call call = {
        .as = AS_MYNAPORTAL, .method = "POST", .path = path, .pseudonym = pseudonym_of(trip)};
    int status;
    while ((status = journey_call(journey, &call, &trip->answer)) == 409 && journey_clock_ms() < deadline) {
        if (trip_look(trip, journey) == 200 && strcmp(trip->state, "fee") != 0)
            return 200; /* paid before */
        wire_pause(LOOK_MS);
    }
    if (status != 200)
        return status;
    snprintf(address, sizeof address, "%s", journey_text(trip->answer.json, "pay_url"));
    return journey_outside(journey, "SHIKAKU_PAYMENT_URL", "POST", address, NULL, &trip->answer);
}

int trip_pay(struct journey_trip *trip, struct journey *journey, const char *method)
{
    if (strcmp(method, "online") == 0)
        return pay_online(trip, journey);
    int status = trip_look(trip, journey);
    if (status != 200)
        return status;
    json_int_t fee = json_integer_value(json_object_get(trip->answer.json, "fee"));
    return clerk_act(
        trip, journey, "counter", "fee-receipts", method, json_pack("{ss sI}", "method", method, "amount", fee));
}

/* --- the whole way ------------------------------------------------------------------------------------------------ */

/* What the state asks of people; what nobody has to do is done by the services. */
static void trip_act(struct journey_trip *trip, struct journey *journey, const char *payment)
{
    static const char settled[] = "確認済み";
    if (strcmp(trip->state, "residence_terminal") == 0)
        (void)trip_identify(trip, journey);
    else if (strcmp(trip->state, "person") == 0)
        (void)trip_decide(trip, journey, "continue", settled);
    else if (strcmp(trip->state, "review") == 0)
        (void)trip_decide(trip, journey, "accept", NULL);
    else if (strcmp(trip->state, "fee") == 0)
        (void)trip_pay(trip, journey, payment);
}

bool trip_travel(struct journey_trip *trip, struct journey *journey, const char *payment, unsigned ms)
{
    static const char asks[] = "residence_terminal|person|review|fee";
    int64_t deadline = journey_clock_ms() + ms;
    char acted[32] = "";
    while (!*trip->receipt && journey_clock_ms() < deadline)
        if (trip_submit(trip, journey) >= 400)
            return false;
    while (journey_clock_ms() < deadline) {
        if (trip_look(trip, journey) == 200) {
            if (is_one_of(trip->state, "completed|returned|rejected"))
                return strcmp(trip->state, "completed") == 0;
            if (is_one_of(trip->state, asks) && strcmp(trip->state, acted) != 0) {
                snprintf(acted, sizeof acted, "%s", trip->state);
                trip_act(trip, journey, payment);
                continue;
            }
        }
        wire_pause(LOOK_MS);
        acted[0] = '\0';
    }
    return false;
}
