/* The outside test: does anything of a person lie where it must not? README.md says what is done and how to read it. */
#include "kit/journey.h"
#include "kit/stack.h"
#include "leaks/controls.h"
#include "leaks/files.h"
#include "leaks/load.h"
#include "leaks/memory.h"
#include "leaks/places.h"
#include "leaks/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT_BASE 22400
#define PEOPLE 1000
#define AFTER_MS 5000
#define SERVICES 10

/* In the order of deploy/settings.sh. */
static const char *const services[SERVICES] = {"audit", "staff", "vault", "residence", "intermediate", "records",
    "certificates", "legacy_sync", "intake", "portal"};

static struct relay *relays[SERVICES + 1];
static char records[64] = "/tmp/shikaku-leaks-XXXXXX", scratch[64] = "/dev/shm/shikaku-leaks-XXXXXX";

/* --- relays ---------------------------------------------------------------------------------------------------------
 */

/* Each service has a folder of sockets of its own, in which it listens; the names of the others there are links to the
 * relays' sockets. So every byte between two services passes a relay, from the first on. */
static bool bus_prepare(void)
{
    char path[300], target[300], record[128];
    bool made = true;
    snprintf(path, sizeof path, "%s/relay", getenv("SHIKAKU_RUN"));
    made = mkdir(path, 0711) == 0;
    for (size_t s = 0; made && s < SERVICES; s++) {
        snprintf(path, sizeof path, "%s/b-%s", getenv("SHIKAKU_RUN"), services[s]);
        made = mkdir(path, 0711) == 0;
        for (size_t peer = 0; made && peer < SERVICES; peer++) {
            snprintf(path, sizeof path, "%s/b-%s/%s.bus", getenv("SHIKAKU_RUN"), services[s], services[peer]);
            snprintf(target, sizeof target, "%s/relay/%s.bus", getenv("SHIKAKU_RUN"), services[peer]);
            made = peer == s || symlink(target, path) == 0;
        }
        snprintf(path, sizeof path, "%s/relay/%s.bus", getenv("SHIKAKU_RUN"), services[s]);
        snprintf(target, sizeof target, "%s/b-%s/%s.bus", getenv("SHIKAKU_RUN"), services[s], services[s]);
        snprintf(record, sizeof record, "%s/bus", records);
        made = made && (relays[s] = relay_start(path, target, record));
    }
    return made;
}

static bool door_prepare(char behind[300])
{
    char record[128];
    snprintf(behind, 300, "%s.behind", getenv("SHIKAKU_PORTAL_SOCKET"));
    snprintf(record, sizeof record, "%s/door", records);
    return (relays[SERVICES] = relay_start(getenv("SHIKAKU_PORTAL_SOCKET"), behind, record)) != NULL;
}

/* Where legacy_sync makes its workbooks, apart from what other stacks of this machine do. */
static bool scratch_make(void)
{
    return mkdtemp(scratch) && setenv("SHIKAKU_SCRATCH_DIR", scratch, 1) == 0;
}

/* Start every service anew behind its relay. */
static bool interpose(void)
{
    char bus[300], door[300], behind[300];
    bool done = mkdtemp(records) != NULL && scratch_make();
    snprintf(door, sizeof door, "%s", getenv("SHIKAKU_PORTAL_SOCKET"));
    for (size_t s = SERVICES; done && s > 0; s--)
        done = stack_do("stop", services[s - 1]);
    done = done && bus_prepare() && door_prepare(behind);
    for (size_t s = 0; done && s < SERVICES; s++) {
        snprintf(bus, sizeof bus, "%s/b-%s", getenv("SHIKAKU_RUN"), services[s]);
        setenv("SHIKAKU_BUS", bus, 1);
        if (strcmp(services[s], "portal") == 0)
            setenv("SHIKAKU_PORTAL_SOCKET", behind, 1);
        done = stack_do("start", services[s]);
    }
    /* Our own calls, by shikakuctl, go through the relays as well. */
    snprintf(bus, sizeof bus, "%s/relay", getenv("SHIKAKU_RUN"));
    setenv("SHIKAKU_BUS", bus, 1);
    setenv("SHIKAKU_PORTAL_SOCKET", door, 1);
    return done;
}

static bool records_search(struct places *places)
{
    char path[128];
    bool whole = true;
    for (size_t s = 0; s <= SERVICES; s++)
        whole = relay_stop(relays[s]) && whole;
    snprintf(path, sizeof path, "%s/bus", records);
    bool read = files_search(places, "bus", path);
    remove(path);
    snprintf(path, sizeof path, "%s/door", records);
    read = files_search(places, "HAProxy to portal", path) && read;
    remove(path);
    rmdir(records);
    if (!whole)
        fprintf(stderr, "a relay could not record what passed\n");
    return read && whole;
}

/* --- controls -------------------------------------------------------------------------------------------------------
 */

static bool door_control(struct journey *journey)
{
    size_t size;
    struct journey_answer answer = {0};
    struct journey_call call = {
        .as = AS_NOBODY, .method = "POST", .path = "/api/applications", .media_type = "application/octet-stream"};
    call.body = control_bytes(&size);
    call.size = size;
    int status = journey_call(journey, &call, &answer);
    journey_answer_fini(&answer);
    return status >= 400 && status < 500;
}

static bool controls_place(struct journey *journey)
{
    char log[300], file[300], bus[300];
    snprintf(log, sizeof log, "%s/leak-control.log", getenv("SHIKAKU_LOG"));
    snprintf(file, sizeof file, "%s/leak-control", getenv("SHIKAKU_VAR"));
    snprintf(bus, sizeof bus, "%s/relay/audit.bus", getenv("SHIKAKU_RUN"));
    return control_tables_make() && control_file_make(log) && control_file_make(file) && control_send(bus) &&
           door_control(journey);
}

/* --- the run --------------------------------------------------------------------------------------------------------
 */

static atomic_bool over;

struct watching {
    struct memory *memory;
    struct places *places;
};

static void *watch(void *argument)
{
    const struct watching *watching = argument;
    while (!atomic_load(&over)) {
        memory_watch(watching->memory);
        files_search_temporary(watching->places);
    }
    return NULL;
}

static bool load_watched(const struct load *load, struct memory *memory, struct places *places)
{
    pthread_t watcher;
    struct watching watching = {memory, places};
    if (pthread_create(&watcher, NULL, watch, &watching) != 0)
        return false;
    bool played = load_run(load);
    atomic_store(&over, true);
    pthread_join(watcher, NULL);
    int64_t until = journey_clock_ms() + AFTER_MS;
    while (journey_clock_ms() < until)
        usleep(10000);
    memory_look(memory, "5 s after");
    return played;
}

static bool rest_search(struct places *places)
{
    bool pages = files_search_metrics(places);
    bool flushed = control_sql("shikaku", "CHECKPOINT");
    struct relations *relations = relations_read();
    bool undumped = memory_is_never_dumped();
    stack_do("stop", NULL);
    bool read = relations && files_search_database(places, relations) && files_search_logs(places) &&
                files_search_var(places) && files_search(places, "workbook scratch", scratch) && records_search(places);
    rmdir(scratch);
    if (relations)
        relations_free(relations);
    return pages && flushed && undumped && read;
}

static size_t people_wanted(void)
{
    const char *setting = getenv("SHIKAKU_LEAK_PEOPLE");
    size_t people = setting ? strtoul(setting, NULL, 10) : PEOPLE;
    return people ? people : PEOPLE;
}

static bool run(struct journey *journey, pid_t control)
{
    struct load load = {.shared = journey, .people = people_wanted()};
    struct needles *needles = needles_new();
    struct places *places = places_new(needles);
    struct memory *memory = memory_new(places, load_people(load.people), control);
    load.first = journey_people_take(0);
    load_plant(&load, needles);
    controls_add(needles);
    needles_ready(needles);
    printf("%zu people planted, %zu forms\n", load_people(load.people), needles_count(needles));
    /* Whoever applies takes the numbers from here on; the refusals take theirs behind them. */
    (void)journey_people_take(load.people);
    bool placed = controls_place(journey), played = placed && load_watched(&load, memory, places);
    bool searched = rest_search(places);
    places_print(places);
    memory_print(memory);
    bool found = places_are_searched(places), clean = places_are_clean(places);
    printf("%s\n", placed && played && searched && found && clean ? "no leak" : "FAILED");
    memory_free(memory);
    places_free(places);
    needles_free(needles);
    return placed && played && searched && found && clean;
}

int main(void)
{
    struct journey journey;
    setvbuf(stdout, NULL, _IOLBF, 0);
    pid_t control = control_process_start(); /* before there is anything else in our memory */
    if (control < 0 || !stack_open("leaks", PORT_BASE))
        return EXIT_FAILURE;
    if (!control_sql("postgres", "ALTER SYSTEM SET wal_keep_size = '8GB'") ||
        !control_sql("postgres", "SELECT pg_reload_conf()") || !interpose() || !journey_open(&journey, NULL)) {
        fprintf(stderr, "the stack could not be put behind relays\n");
        return EXIT_FAILURE;
    }
    bool clean = run(&journey, control);
    journey_close(&journey);
    stack_close();
    return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}
