#include "kit/journey.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include "kit/journey_wire.h"

const char *journey_setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

int64_t journey_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *journey_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

void journey_answer_fini(struct journey_answer *answer)
{
    json_decref(answer->json);
    free(answer->body);
    memset(answer, 0, sizeof *answer);
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool world_load(struct journey *journey)
{
    char problem[PROGRAMMES_PROBLEM_MAX] = "";
    journey->authorities = kit_authorities_load(journey_setting("SHIKAKU_AUTHORITIES"));
    journey->loaded = programmes_load(journey_setting("SHIKAKU_PROGRAMMES"), problem, sizeof problem);
    if (!journey->loaded)
        fprintf(stderr, "journey: %s\n", problem);
    journey->world.authorities = journey->authorities;
    journey->programmes = journey->loaded;
    return journey->authorities && journey->loaded;
}

static bool sealer_make(struct journey *journey)
{
    struct journey_answer answer = {0};
    const struct journey_call call = {.method = "GET", .path = "/.well-known/vault-keys"};
    if (journey_call(journey, &call, &answer) == 200)
        journey->world.sealer = kit_sealer_new(answer.body);
    else
        fprintf(stderr, "journey: no answer from %s (HTTP status %d); is the stack running?\n",
            journey_setting("SHIKAKU_PUBLIC_URL"), answer.status);
    journey_answer_fini(&answer);
    return journey->world.sealer != NULL;
}

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool journey_open(struct journey *journey, struct journey *shared)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_start);
    *journey = (struct journey){.seed = JOURNEY_SEED, .patience_ms = 10000, .shared = shared};
    if (!*journey_setting("SHIKAKU_PUBLIC_URL") || !*journey_setting("SHIKAKU_AUTHORITIES")) {
        fprintf(stderr, "journey: the settings are not in the environment; source deploy/settings.sh\n");
        return false;
    }
    if (shared) {
        journey->world.authorities = shared->world.authorities;
        journey->programmes = shared->programmes;
    }
    if ((shared || world_load(journey)) && wire_open(journey) && sealer_make(journey))
        return true;
    journey_close(journey);
    return false;
}

void journey_close(struct journey *journey)
{
    wire_close(journey);
    for (size_t i = 0; i < journey->clerk_count; i++)
        free(journey->clerks[i].token);
    kit_sealer_free((struct kit_sealer *)journey->world.sealer);
    programmes_free(journey->loaded);
    kit_authorities_free(journey->authorities);
    memset(journey, 0, sizeof *journey);
}

/* --- people ------------------------------------------------------------------------------------------------------ */

uint32_t journey_people_take(size_t count)
{
    char path[600], text[32] = "";
    snprintf(path, sizeof path, "%s/people", journey_setting("SHIKAKU_VAR"));
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || flock(file, LOCK_EX) != 0 || pread(file, text, sizeof text - 1, 0) < 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    unsigned long first = strtoul(text, NULL, 10);
    int length = snprintf(text, sizeof text, "%lu\n", first + count);
    if (pwrite(file, text, (size_t)length, 0) != length) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    close(file);
    return (uint32_t)first;
}

static json_t *resident_make(const struct kit_person *person, const struct journey_resident *resident)
{
    static const struct journey_resident usual = {0};
    const char sex[] = {person->person.sex, 0};
    const struct journey_resident *r = resident ? resident : &usual;
    json_t *made = json_pack("{ss ss ss ss ss ss ss s{ss ss}}", "number",
        r->changed_number ? r->changed_number : person->number, "code", person->residence_code, "name",
        r->name ? r->name : person->person.name, "address", r->address ? r->address : person->person.address,
        "birth_date", person->person.birth_date, "sex", sex, "status", r->status ? r->status : "living", "family",
        "case", r->family ? r->family : "found", "domicile", person->domicile);
    if (r->changed_number)
        json_object_set_new(made, "old_numbers", json_pack("[s]", person->number));
    return made;
}

static bool residents_send(struct journey *journey, json_t *residents_take)
{
    struct journey_answer answer = {0};
    int status = journey_outside(journey, "SHIKAKU_JUKI_URL", "POST", "/residents", residents_take, &answer);
    if (status != 200)
        fprintf(stderr, "journey: the residence network took no residents (HTTP status %d) %s\n", status,
            answer.body ? answer.body : "");
    journey_answer_fini(&answer);
    return status == 200;
}

bool journey_resident_load(
    struct journey *journey, const struct kit_person *person, const struct journey_resident *resident)
{
    return residents_send(journey, json_pack("[o]", resident_make(person, resident)));
}

bool journey_residents_load(struct journey *journey, uint32_t first, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct kit_person person;
        kit_person_make(&person, journey->seed, first + (uint32_t)i);
        json_array_append_new(list, resident_make(&person, NULL));
    }
    return residents_send(journey, list);
}

/* --- revocation -------------------------------------------------------------------------------------------------- */

static bool rule_is_used_up(struct journey *journey, const char *setting, const char *path)
{
    struct journey_answer answer = {0};
    bool used_up =
        journey_outside(journey, setting, "GET", "/control", NULL, &answer) == 200 && !strstr(answer.body, path);
    journey_answer_fini(&answer);
    return used_up;
}

/* A rule that delays nothing twice tells when the list was fetched twice: intake has then taken the first. */
bool journey_certificate_revoke(struct journey *journey, const struct kit_applicant *applicant, unsigned ms)
{
    static const char setting[] = "SHIKAKU_JPKI_URL", list[] = "/jpki-root.crl";
    struct journey_answer answer = {0};
    char *serial = kit_certificate_serial(applicant->certificate);
    int64_t deadline = journey_clock_ms() + ms;
    int status = journey_outside(journey, setting, "POST", "/revocations",
        json_pack("{ss ss}", "serial", serial, "reason", "keyCompromise"), &answer);
    journey_answer_fini(&answer);
    free(serial);
    bool known = false;
    if (status == 200 && journey_control(journey, setting, "delay", list, 1, 2))
        while (!(known = rule_is_used_up(journey, setting, list)) && journey_clock_ms() < deadline)
            wire_pause(50);
    return known;
}
