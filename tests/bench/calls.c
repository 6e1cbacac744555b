/* Callers of a running vault or audit over the bus, under the callers' own keys; all is composed before the clock
 * starts.
 *
 *   calls enrol COUNT CALLERS FIRST    the cards of people FIRST …, each in an application of its own; made again for
 *                                      the same people it is the look-up of a number that is known
 *   calls gateway COUNT CALLERS        the gateway's ids of COUNT people, one by one
 *   calls resolve COUNT CALLERS        COUNT pseudonyms, one by one
 *   calls release COUNT CALLERS        COUNT pseudonyms, a thousand in one JWE to residence
 *   calls bulk COUNT CALLERS FIRST     the numbers of people FIRST …, a thousand in one JWE
 *   calls append COUNT CALLERS         COUNT records of use, as a full turn of a service's relay sends them
 *
 * All at one manager, BENCH_MANAGER. Pseudonyms are drawn from its ties at random by BENCH_DSN, a connection as
 * PostgreSQL's own role. BENCH_PER_SECOND: requests, by the clock. Prints `count=… seconds=… rate=… p50=… p99=… known=…
 * failed=…`; the counts are of people. */
#include "chassis/audit_outbox_store.h"
#include "chassis/boot.h"
#include "chassis/keyring.h"
#include "chassis/settings.h"
#include "kit/sealed_number.h"

#include "audit.pb-c.h"
#include "vault.pb-c.h"

#include <libpq-fe.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEED 20260503u
#define CALLERS_MAX 64
#define COMPOSERS 2
#define BATCH 1000
#define NUMBER_CHARS 15 /* "12 digits", */

static const char *const schedule = "initial-registration";

struct mode {
    const char *name, *caller;
    enum route route;
    size_t batch;              /* people in one request */
    bool drawn;                /* of people who are known; else of people from FIRST on */
    void (*compose)(size_t i); /* request i */
    size_t (*known)(const ProtobufCMessage *reply);
};

struct request {
    char act[37]; /* of the idempotency key: also the application */
    union {
        ProtobufCMessage base;
        Vault__EnrolRequest enrol;
        Vault__GatewayIdRequest gateway;
        Vault__ResolveRequest resolve;
        Vault__ReleaseRequest release;
        Vault__EnrolBatchRequest bulk;
        Audit__AppendRequest append;
    } message;
    double ms;
};

static const struct mode *mode;
static const char *manager;
static struct request *requests;
static size_t request_count;
static uint32_t first_person;
static uint8_t signer[32];
static char signer_hex[65];
static char *jwks;
static char **pseudonyms; /* one for each person */
static struct kit_authorities *authorities;
static atomic_size_t next_one, known, failed;

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void stop(const char *why)
{
    fprintf(stderr, "calls: %s\n", why);
    exit(EXIT_FAILURE);
}

static void *made(void *memory)
{
    if (!memory)
        stop("no memory");
    return memory;
}

/* --- composing ---------------------------------------------------------------------------------------------------- */

static _Thread_local struct kit_sealer *sealer;

static struct kit_binding binding_of(const char *application)
{
    return (struct kit_binding){application, manager, signer_hex};
}

static void enrol_compose(size_t i)
{
    struct kit_person person;
    struct kit_card card;
    uint8_t *items = made(malloc(SHA256_DIGEST_LENGTH));
    Vault__EnrolRequest *request = &requests[i].message.enrol;
    const struct kit_binding binding = binding_of(requests[i].act);
    kit_person_make(&person, SEED, first_person + (uint32_t)i);
    if (!kit_card_make(&card, authorities, &person))
        stop("no card");
    SHA256(card.ef0002, card.ef0002_size, items);
    vault__enrol_request__init(request);
    request->manager = (char *)manager;
    request->application = requests[i].act;
    request->signer = (ProtobufCBinaryData){sizeof signer, signer};
    request->four_items = (ProtobufCBinaryData){SHA256_DIGEST_LENGTH, items};
    request->sealed_number = made(kit_seal_card(sealer, &binding, &card));
}

static size_t enrol_known(const ProtobufCMessage *reply)
{
    return ((const Vault__EnrolReply *)reply)->known_already;
}

static void gateway_compose(size_t i)
{
    Vault__GatewayIdRequest *request = &requests[i].message.gateway;
    vault__gateway_id_request__init(request);
    request->manager = (char *)manager;
    request->pseudonym = pseudonyms[i];
    request->application = requests[i].act;
}

static size_t gateway_known(const ProtobufCMessage *reply)
{
    return strlen(((const Vault__GatewayIdReply *)reply)->gateway_id) == 36;
}

static void resolve_compose(size_t i)
{
    Vault__ResolveRequest *request = &requests[i].message.resolve;
    vault__resolve_request__init(request);
    request->manager = (char *)manager;
    request->reason = requests[i].act;
    request->pseudonyms = &pseudonyms[i];
    request->n_pseudonyms = 1;
}

static size_t resolve_known(const ProtobufCMessage *reply)
{
    const Vault__ResolveReply *items = (const Vault__ResolveReply *)reply;
    return items->n_items == 1 && items->items[0]->known;
}

static void release_compose(size_t i)
{
    Vault__ReleaseRequest *request = &requests[i].message.release;
    vault__release_request__init(request);
    request->manager = (char *)manager;
    request->recipient = "residence";
    request->purpose = "residence_inquiry";
    request->reason = requests[i].act;
    request->pseudonyms = &pseudonyms[i * BATCH];
    request->n_pseudonyms = BATCH;
}

static size_t release_known(const ProtobufCMessage *reply)
{
    return ((const Vault__ReleaseReply *)reply)->count;
}

static void bulk_compose(size_t i)
{
    struct kit_person person;
    Vault__EnrolBatchRequest *request = &requests[i].message.bulk;
    const struct kit_binding binding = binding_of(schedule);
    char text[16 + BATCH * NUMBER_CHARS], *at = text + sprintf(text, "{\"numbers\":[");
    for (uint32_t k = 0; k < BATCH; k++) {
        kit_person_make(&person, SEED, first_person + (uint32_t)i * BATCH + k);
        at += sprintf(at, "%s\"%s\"", k ? "," : "", person.number);
    }
    strcpy(at, "]}");
    vault__enrol_batch_request__init(request);
    request->manager = (char *)manager;
    request->schedule = (char *)schedule;
    request->signer = (ProtobufCBinaryData){sizeof signer, signer};
    request->sealed_numbers = made(kit_seal_text(sealer, &binding, text));
}

static size_t bulk_known(const ProtobufCMessage *reply)
{
    const Vault__EnrolBatchReply *items = (const Vault__EnrolBatchReply *)reply;
    size_t count = 0;
    for (size_t i = 0; i < items->n_items; i++) {
        if (*items->items[i]->result)
            stop("a number was refused");
        count += items->items[i]->known_already;
    }
    return count;
}

/* A clerk's look at an application: of two hundred clerks, each at a terminal of theirs. */
static void event_compose(Audit__Link *link, uint64_t sequence, const char *application)
{
    char subject[24], clerk[24], terminal[24];
    unsigned number = (unsigned)rand() % 200;
    Audit__Event event = AUDIT__EVENT__INIT;
    snprintf(subject, sizeof subject, "A%03zX-B%03zX-C%03zX-D%03zX", (size_t)rand() % 4096, (size_t)rand() % 4096,
        (size_t)rand() % 4096, (size_t)sequence % 4096);
    event.service = "intake";
    event.at_ms = clock_ms();
    snprintf(clerk, sizeof clerk, "counter%u", number);
    snprintf(terminal, sizeof terminal, "terminal-%u", number);
    event.who = clerk;
    event.terminal = terminal;
    event.act = "intake_status";
    event.manager = (char *)manager;
    event.subject = subject;
    event.reason = (char *)application;
    event.outcome = "done";
    event.count = 1;
    event.role = "counter";
    event.purpose = "review";
    audit__link__init(link);
    link->sequence = sequence;
    link->event.len = audit__event__get_packed_size(&event);
    link->event.data = made(malloc(link->event.len));
    audit__event__pack(&event, link->event.data);
    link->digest = (ProtobufCBinaryData){AUDIT_LINK_BYTES, made(malloc(AUDIT_LINK_BYTES))};
    RAND_bytes(link->digest.data, AUDIT_LINK_BYTES);
}

/* Each request is a process's run of its own. */
static void append_compose(size_t i)
{
    static uint8_t nothing[AUDIT_LINK_BYTES];
    Audit__AppendRequest *request = &requests[i].message.append;
    Audit__Chain *chain = made(malloc(sizeof *chain));
    Audit__Link *links = made(malloc(AUDIT_BATCH * sizeof *links));
    audit__append_request__init(request);
    audit__chain__init(chain);
    request->chains = made(malloc(sizeof *request->chains));
    request->chains[request->n_chains++] = chain;
    chain->instance = requests[i].act;
    chain->links = made(malloc(AUDIT_BATCH * sizeof *chain->links));
    for (size_t k = 0; k < AUDIT_BATCH; k++) {
        event_compose(&links[k], k + 1, requests[i].act);
        links[k].previous = k ? links[k - 1].digest : (ProtobufCBinaryData){AUDIT_LINK_BYTES, nothing};
        chain->links[chain->n_links++] = &links[k];
    }
}

static size_t append_known(const ProtobufCMessage *reply)
{
    const Audit__AppendReply *taken = (const Audit__AppendReply *)reply;
    return taken->n_through == 1 ? taken->through[0]->sequence : 0;
}

static const struct mode modes[] = {
    {"enrol", "intake", ROUTE_vault_enrol, 1, false, enrol_compose, enrol_known},
    {"gateway", "intake", ROUTE_vault_gateway_id, 1, true, gateway_compose, gateway_known},
    {"resolve", "intake", ROUTE_vault_resolve, 1, true, resolve_compose, resolve_known},
    {"release", "residence", ROUTE_vault_release, BATCH, true, release_compose, release_known},
    {"bulk", "intake", ROUTE_vault_enrol_batch, BATCH, false, bulk_compose, bulk_known},
    {"append", "intake", ROUTE_audit_append, AUDIT_BATCH, false, append_compose, append_known},
};

static void *compose(void *unused)
{
    (void)unused;
    sealer = jwks ? made(kit_sealer_new(jwks)) : NULL;
    for (size_t i; (i = atomic_fetch_add(&next_one, 1)) < request_count;) {
        uuid_make(requests[i].act);
        mode->compose(i);
    }
    kit_sealer_free(sealer);
    return NULL;
}

/* --- who is known ------------------------------------------------------------------------------------------------- */

static PGresult *ask(const char *sql, const char *const *values, int count)
{
    static PGconn *server;
    if (!server)
        server = PQconnectdb(getenv("BENCH_DSN"));
    PGresult *rows = PQexecParams(server, sql, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
        fprintf(stderr, "calls: %s", PQresultErrorMessage(rows));
        exit(EXIT_FAILURE);
    }
    return rows;
}

static void pseudonyms_draw(size_t count)
{
    char limit[24];
    const char *values[] = {manager, limit};
    snprintf(limit, sizeof limit, "%zu", count);
    PGresult *rows =
        ask("SELECT pseudonym FROM vault.tie WHERE manager = $1 ORDER BY random() LIMIT $2::bigint", values, 2);
    size_t there = (size_t)PQntuples(rows);
    if (!there)
        stop("nobody is known");
    pseudonyms = made(calloc(count, sizeof *pseudonyms));
    for (size_t i = 0; i < count; i++)
        pseudonyms[i] = made(strdup(PQgetvalue(rows, (int)(i % there), 0)));
    PQclear(rows);
}

/* In the statement log: what lies between the two is the run. */
static void mark(const char *sql)
{
    PQclear(ask(sql, NULL, 0));
}

/* --- calling ------------------------------------------------------------------------------------------------------ */

static struct service caller;
static pthread_barrier_t ready;
static double per_second, begun_s; /* 0: as fast as answers come */

static void pause_until(double moment)
{
    double seconds = moment - clock_s();
    if (seconds > 0)
        nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)}, NULL);
}

/* A service's key of the bus, as that service has it. */
static void become(const char *name)
{
    struct fault fault = {0};
    keyring_close();
    if (!keyring_open(name, NULL, NULL, 0, &fault))
        stop("no key of the bus");
    caller.name = name;
}

static char *jwks_fetch(void)
{
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    become("portal");
    struct work *work = made(work_new(&caller));
    if (!work_call(work, ROUTE_vault_keys, NULL, &request.base, &reply))
        stop("the vault does not answer");
    char *text = made(strdup(((const Vault__KeysReply *)reply)->jwks));
    work_free(work);
    return text;
}

static void *call_all(void *unused)
{
    ProtobufCMessage *reply;
    struct work *work = made(work_new(&caller));
    const char *keyed = route_needs_key(mode->route) ? "" : NULL;
    (void)unused;
    pthread_barrier_wait(&ready);
    pthread_barrier_wait(&ready); /* between the two the clock is read */
    for (size_t i; (i = atomic_fetch_add(&next_one, 1)) < request_count;) {
        if (per_second > 0)
            pause_until(begun_s + (double)i / per_second);
        double from = clock_s();
        if (work_call(work, mode->route, keyed ? requests[i].act : NULL, &requests[i].message.base, &reply))
            atomic_fetch_add(&known, mode->known(reply));
        else {
            fprintf(stderr, "calls: %s %s\n", fault_code_text(work->fault.code), work->fault.field);
            atomic_fetch_add(&failed, 1);
        }
        requests[i].ms = (clock_s() - from) * 1000;
        work_reset(work);
    }
    work_free(work);
    return NULL;
}

static int by_time(const void *one, const void *other)
{
    double a = ((const struct request *)one)->ms, b = ((const struct request *)other)->ms;
    return a < b ? -1 : a > b;
}

static void run(int callers)
{
    pthread_t threads[CALLERS_MAX];
    pthread_barrier_init(&ready, NULL, (unsigned)callers + 1);
    atomic_store(&next_one, 0);
    for (int i = 0; i < callers; i++)
        if (pthread_create(&threads[i], NULL, call_all, NULL) != 0)
            stop("no thread");
    pthread_barrier_wait(&ready);
    mark("SELECT 1 AS bench_begins");
    begun_s = clock_s();
    pthread_barrier_wait(&ready);
    for (int i = 0; i < callers; i++)
        pthread_join(threads[i], NULL);
    double seconds = clock_s() - begun_s;
    mark("SELECT 1 AS bench_ends");
    qsort(requests, request_count, sizeof *requests, by_time);
    printf("count=%zu seconds=%.3f rate=%.1f p50=%.2f p99=%.2f known=%zu failed=%zu\n", request_count * mode->batch,
        seconds, (double)(request_count * mode->batch) / seconds, requests[request_count / 2].ms,
        requests[request_count * 99 / 100].ms, (size_t)known, (size_t)failed);
}

static void prepare(size_t people)
{
    pthread_t threads[COMPOSERS];
    request_count = (people + mode->batch - 1) / mode->batch;
    requests = made(calloc(request_count, sizeof *requests));
    RAND_bytes(signer, sizeof signer);
    hex_put(signer_hex, signer, sizeof signer);
    if (mode->drawn)
        pseudonyms_draw(request_count * mode->batch);
    for (int i = 0; i < COMPOSERS; i++)
        if (pthread_create(&threads[i], NULL, compose, NULL) != 0)
            stop("no thread");
    for (int i = 0; i < COMPOSERS; i++)
        pthread_join(threads[i], NULL);
}

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, ""},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, ""},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 3 && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, argv[1]) == 0)
            mode = &modes[i];
    size_t people = mode ? strtoul(argv[2], NULL, 10) : 0;
    int callers = mode ? atoi(argv[3]) : 0;
    first_person = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
    manager = getenv("BENCH_MANAGER");
    if (!people || callers < 1 || callers > CALLERS_MAX || !manager || !getenv("BENCH_DSN")) {
        fprintf(stderr,
            "usage: BENCH_DSN=… BENCH_MANAGER=… calls enrol|gateway|resolve|release|bulk|append COUNT CALLERS "
            "[FIRST]\n");
        return 64;
    }
    if (!settings_read(settings, sizeof settings / sizeof *settings))
        return EXIT_FAILURE;
    per_second = getenv("BENCH_PER_SECOND") ? strtod(getenv("BENCH_PER_SECOND"), NULL) : 0;
    jwks = mode->route == ROUTE_audit_append ? NULL : jwks_fetch();
    authorities = made(kit_authorities_load(getenv("SHIKAKU_AUTHORITIES")));
    prepare(people);
    become(mode->caller);
    run(callers);
    keyring_close();
    return atomic_load(&failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
