#include "kit/journey_way.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/stack.h"

struct way way;

void way_start(void)
{
    memset(&way, 0, sizeof way);
    ck_assert(journey_open(&way.journey, NULL));
}

void way_end(void)
{
    trip_fini(&way.trip);
    journey_close(&way.journey);
}

/* --- the way itself ----------------------------------------------------------------------------------------------- */

void way_compose(const char *programme, const struct journey_resident *resident)
{
    const struct journey_plan plan = {.programme = programme, .index = journey_people_take(1), .resident = resident};
    ck_assert(trip_init(&way.trip, &way.journey, &plan));
}

void way_submit(void)
{
    int status = trip_submit(&way.trip, &way.journey);
    ck_assert_msg(status == 201, "%d %s", status, way.trip.answer.body ? way.trip.answer.body : "");
    ck_assert_uint_eq(strlen(way.trip.receipt), 11);
}

void way_await(const char *state)
{
    ck_assert_msg(trip_await(&way.trip, &way.journey, state, WAY_MS), "%s instead of %s", way.trip.state, state);
}

void way_decide(const char *decision, const char *reason)
{
    int status = trip_decide(&way.trip, &way.journey, decision, reason);
    ck_assert_msg(status == 200, "%d %s", status, way.trip.answer.body ? way.trip.answer.body : "");
}

void way_pay(const char *method)
{
    int status = trip_pay(&way.trip, &way.journey, method);
    ck_assert_msg(status == 200, "%d %s", status, way.trip.answer.body ? way.trip.answer.body : "");
}

/* The states it went through, as the applicant is shown them. */
void way_expect(const char *states)
{
    char seen[512] = "";
    size_t i;
    json_t *step;
    ck_assert_int_eq(trip_look(&way.trip, &way.journey), 200);
    json_array_foreach(json_object_get(way.trip.answer.json, "history"), i, step)
    {
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s", i ? " " : "", journey_text(step, "state"));
    }
    ck_assert_str_eq(seen, states);
}

json_t *way_view(void)
{
    char path[128];
    struct journey_clerk *clerk = journey_clerk(&way.journey, way.trip.programme->manager, "counter");
    ck_assert_ptr_nonnull(clerk);
    snprintf(path, sizeof path, "/api/staff/applications/%s", way.trip.receipt);
    ck_assert_int_eq(journey_clerk_call(&way.journey, clerk, "GET", path, NULL, NULL, &way.trip.answer), 200);
    return way.trip.answer.json;
}

void way_pseudonym(char pseudonym[64])
{
    snprintf(pseudonym, 64, "%s", journey_text(json_object_get(way_view(), "application"), "pseudonym"));
    ck_assert(*pseudonym);
}

/* Rows of a ledger whose body has this text; *last, if asked for, becomes the last of these bodies. */
int way_ledger(const char *setting, const char *kind, const char *member, const char *text, json_t **last)
{
    struct journey_answer answer = {0};
    int count = 0;
    size_t i;
    json_t *row;
    ck_assert_int_ge(journey_ledger(&way.journey, setting, kind, NULL, &answer), 0);
    json_array_foreach(json_object_get(answer.json, "rows"), i, row)
    {
        json_t *body = json_object_get(row, "body");
        if (strcmp(journey_text(body, member), text) != 0)
            continue;
        count++;
        if (last) {
            json_decref(*last);
            *last = json_incref(body);
        }
    }
    journey_answer_fini(&answer);
    return count;
}

/* One notice of this kind, and no other, came to the applicant about this application. */
void way_expect_notice(const char *kind)
{
    char path[128];
    size_t i, count = 0;
    json_t *notice;
    snprintf(path, sizeof path, "/notices/%s", way.trip.applicant.person.portal_pseudonym);
    ck_assert_int_eq(journey_outside(&way.journey, "SHIKAKU_MYNAPORTAL_URL", "GET", path, NULL, &way.trip.answer), 200);
    json_array_foreach(json_object_get(way.trip.answer.json, "notices"), i, notice)
    {
        if (strcmp(journey_text(notice, "receipt"), way.trip.receipt) != 0)
            continue;
        ck_assert_str_eq(journey_text(notice, "kind"), kind);
        count++;
    }
    ck_assert_uint_eq(count, 1);
}

long way_entries(void)
{
    char sql[256];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM records.entry WHERE application = '%s'", way.trip.application.id);
    return stack_count(sql);
}

/* The applicant is shown a line of the certificate with this value. */
static bool line_shows(const char *value)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(way.trip.answer.json, "lines"), i, line)
    {
        if (strcmp(journey_text(line, "value"), value) == 0)
            return true;
    }
    return false;
}

/* The outcome is the applicant's: number, certificate in three forms, valid for everybody; told once, on the roll once.
 */
void way_expect_certificate(void)
{
    char number[64], qr[8000];
    ck_assert_int_eq(trip_look(&way.trip, &way.journey), 200);
    snprintf(number, sizeof number, "%s", journey_text(way.trip.answer.json, "registration_number"));
    ck_assert(*number);
    ck_assert_int_eq(trip_certificate(&way.trip, &way.journey, "lines"), 200);
    ck_assert(line_shows(number));
    ck_assert(line_shows(way.trip.applicant.person.person.name));
    snprintf(qr, sizeof qr, "%s", journey_text(way.trip.answer.json, "qr_url"));
    ck_assert_int_eq(trip_certificate(&way.trip, &way.journey, "png"), 200);
    ck_assert(way.trip.answer.size > 4 && memcmp(way.trip.answer.body, "\x89PNG", 4) == 0);
    ck_assert_int_eq(trip_certificate(&way.trip, &way.journey, "pdf"), 200);
    ck_assert(way.trip.answer.size > 5 && memcmp(way.trip.answer.body, "%PDF-", 5) == 0);
    ck_assert_int_eq(trip_verify(&way.trip, &way.journey, qr), 200);
    ck_assert(json_is_true(json_object_get(way.trip.answer.json, "valid")));
    ck_assert(line_shows(number));
    qr[strlen(qr) - 8] ^= 1;
    ck_assert_int_eq(trip_verify(&way.trip, &way.journey, qr), 200);
    ck_assert(json_is_false(json_object_get(way.trip.answer.json, "valid")));
    ck_assert_int_eq(way_entries(), 1);
    way_expect_notice("completed");
}
