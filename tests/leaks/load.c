#include "leaks/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/journey_refusals.h"
#include "leaks/encodings.h"

#define TRAVELLERS 12
#define TRAVEL_MS (5 * 60 * 1000)
#define PATIENCE_MS 60000
#define NETWORK_MS 200 /* the residence network takes its time, so that what its connector holds meanwhile is seen */

static const char *const ways[] = {
    "chorishi", "ginou-kentei", "hoikushi", "jun-kangoshi", "kogata-senpaku", "kaigishi"};
static const char *const payments[] = {"online", "online", "stamps", "online", "online", "stamps"};

size_t load_people(size_t people)
{
    return people + 2 * refusal_count;
}

/* --- planting -------------------------------------------------------------------------------------------------------
 */

static void spoilt_plant(struct needles *needles, uint32_t index, const char *number)
{
    char damaged[KIT_NUMBER_DAMAGED_SIZE];
    if (kit_number_damage(KIT_NUMBER_WRONG_CHECK_DIGIT, number, damaged))
        encodings_add(needles, index, PLANTED_NUMBER, damaged);
    if (kit_number_damage(KIT_NUMBER_LETTER, number, damaged))
        (void)needles_add(needles, (struct needle){.person = index, .kind = PLANTED_NUMBER, .encoding = ENCODING_PLAIN},
            damaged, strlen(damaged));
}

void load_plant(const struct load *load, struct needles *needles)
{
    struct kit_person person;
    for (uint32_t i = 0; i < load_people(load->people); i++) {
        kit_person_make(&person, load->shared->seed, load->first + i);
        encodings_add(needles, i, PLANTED_NUMBER, person.number);
        encodings_add(needles, i, PLANTED_NAME, person.person.name);
        encodings_add(needles, i, PLANTED_NAME, person.kana);
        encodings_add(needles, i, PLANTED_ADDRESS, person.person.address);
        encodings_add(needles, i, PLANTED_ADDRESS, person.domicile);
        if (i >= load->people)
            spoilt_plant(needles, i, person.number);
    }
}

/* --- playing --------------------------------------------------------------------------------------------------------
 */

struct playing {
    const struct load *load;
    atomic_size_t next, failed;
};

/* What is looked at beside: the certificate by its holder, the application by a clerk. */
static bool result_look(struct journey_trip *trip, struct journey *journey)
{
    char path[128];
    struct journey_clerk *clerk = journey_clerk(journey, trip->programme->manager, "counter");
    snprintf(path, sizeof path, "/api/staff/applications/%s", trip->receipt);
    return clerk && trip_certificate(trip, journey, "pdf") == 200 &&
           journey_clerk_call(journey, clerk, "GET", path, NULL, NULL, &trip->answer) == 200;
}

static bool travel(struct journey *journey, const struct load *load, size_t i)
{
    /* One in ten is registered otherwise, so that a person decides. */
    static const struct journey_resident differs = {.address = "東京都千代田区架空町１丁目１番１号"};
    struct journey_trip trip;
    size_t way = i % 6;
    const struct journey_plan plan = {
        .programme = ways[way], .index = load->first + (uint32_t)i, .resident = i % 10 == 3 ? &differs : NULL};
    if (!trip_init(&trip, journey, &plan)) {
        fprintf(stderr, "application %zu could not be composed\n", i);
        return false;
    }
    if (i % 5 == 4)
        (void)trip_submit_by_relay(&trip, journey);
    bool arrived = trip_travel(&trip, journey, payments[way], TRAVEL_MS);
    if (!arrived)
        fprintf(stderr, "application %zu (%s, %s) stands in %s: %d\n", i, ways[way], trip.receipt, trip.state,
            trip.answer.status);
    else if (i % 7 == 5 && !result_look(&trip, journey)) {
        fprintf(stderr, "application %zu (%s) cannot be looked at: %d\n", i, ways[way], trip.answer.status);
        arrived = false;
    }
    trip_fini(&trip);
    return arrived;
}

static void *traveller(void *argument)
{
    struct playing *playing = argument;
    struct journey journey;
    if (!journey_open(&journey, playing->load->shared)) {
        atomic_fetch_add(&playing->failed, 1);
        return NULL;
    }
    journey.patience_ms = PATIENCE_MS;
    for (size_t i; (i = atomic_fetch_add(&playing->next, 1)) < playing->load->people;)
        if (!travel(&journey, playing->load, i))
            atomic_fetch_add(&playing->failed, 1);
    journey_close(&journey);
    return NULL;
}

static size_t refusals_play(const struct load *load)
{
    size_t failed = 0;
    for (size_t i = 0; i < refusal_count; i++) {
        struct refusal_outcome outcome;
        refusal_play(load->shared, &refusals[i], &outcome);
        if (*outcome.wrong) {
            fprintf(stderr, "refusal %s: %d %s %s\n", refusals[i].name, outcome.http, outcome.code, outcome.wrong);
            failed++;
        }
    }
    return failed;
}

/* So that the travellers find the accounts made. */
static bool clerks_make(struct journey *journey)
{
    bool made = true;
    for (size_t way = 0; made && way < sizeof ways / sizeof *ways; way++) {
        const char *manager = programme_find(journey->programmes, ways[way])->manager;
        made = journey_clerk(journey, manager, "counter") && (way || journey_clerk(journey, manager, "residence"));
    }
    return made;
}

bool load_run(const struct load *load)
{
    struct playing playing = {.load = load};
    pthread_t threads[TRAVELLERS];
    if (!clerks_make(load->shared) ||
        !journey_control(load->shared, "SHIKAKU_JUKI_URL", "delay", "/inquiries", NETWORK_MS, 1000000))
        return false;
    for (size_t t = 0; t < TRAVELLERS; t++)
        if (pthread_create(&threads[t], NULL, traveller, &playing) != 0)
            abort();
    size_t failed = refusals_play(load);
    for (size_t t = 0; t < TRAVELLERS; t++)
        pthread_join(threads[t], NULL);
    failed += atomic_load(&playing.failed);
    printf("%zu applications and %zu refusals, %zu not as they must be\n", load->people, refusal_count, failed);
    return !failed;
}
