/* A sealed, checked, dispatched call against the same round trip on raw nng: both with 32 callers and 4 workers in this
 * process, in turns, so that both meet the same machine. Prints one row: calls/s of each and their ratio. */
#include "chassis/boot.h"
#include "chassis/bus.h"
#include "chassis/dispatch.h"
#include "chassis/settings.h"

#include "vault.pb-c.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLERS 32
#define WORKERS 4
#define ROUNDS 5
#define ROUND_MS 600

/* One key pair serves both sides: portal calls the vault, and both are this process. */
static struct key bus_key_here = {.manager = "*", .kind = KEY_BUS};

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    return strcmp(manager, "*") == 0 && kind == KEY_BUS ? &bus_key_here : NULL;
}

const struct key *keyring_by_id(uint32_t id)
{
    (void)id;
    return NULL;
}

static atomic_bool running;
static atomic_long calls;

static enum outcome answer(struct work *work)
{
    Vault__KeysReply reply = VAULT__KEYS_REPLY__INIT;
    reply.jwks = "{\"keys\":[]}";
    return work_commit(work, &reply.base);
}

static const struct message messages[] = {{ROUTE_vault_keys, NULL, answer}};
static const struct service vault = {.name = "vault", .messages = messages, .message_count = 1};
static const struct service portal = {.name = "portal"};

static void *worker_new(int index)
{
    (void)index;
    return work_new(&vault);
}

static struct bytes worker_handle(void *worker, const void *frame, size_t len)
{
    return dispatch(worker, frame, len);
}

static void worker_free(void *worker)
{
    work_free(worker);
}

static void *sealed_caller(void *unused)
{
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    struct work *work = work_new(&portal);
    (void)unused;
    while (work && atomic_load(&running)) {
        if (!work_call(work, ROUTE_vault_keys, NULL, &request.base, &reply)) {
            fprintf(stderr, "bench: %s\n", fault_code_text(work->fault.code));
            exit(1);
        }
        atomic_fetch_add(&calls, 1);
        work_reset(work);
    }
    work_free(work);
    return NULL;
}

/* The same bytes there and back on raw nng: contexts, threads and sizes as the bus has them. */
static nng_socket raw_rep, raw_req;
static char raw_url[256];
#define RAW_BYTES 180

static void *raw_worker(void *unused)
{
    nng_ctx context;
    nng_aio *aio;
    (void)unused;
    nng_ctx_open(&context, raw_rep);
    nng_aio_alloc(&aio, NULL, NULL);
    for (;;) {
        nng_ctx_recv(context, aio);
        nng_aio_wait(aio);
        if (nng_aio_result(aio) != 0)
            break;
        nng_ctx_send(context, aio);
        nng_aio_wait(aio);
    }
    nng_aio_free(aio);
    return NULL;
}

static void *raw_caller(void *unused)
{
    nng_ctx context;
    nng_aio *aio;
    nng_msg *message;
    (void)unused;
    nng_ctx_open(&context, raw_req);
    nng_aio_alloc(&aio, NULL, NULL);
    while (atomic_load(&running)) {
        nng_msg_alloc(&message, RAW_BYTES);
        nng_aio_set_msg(aio, message);
        nng_ctx_send(context, aio);
        nng_aio_wait(aio);
        nng_ctx_recv(context, aio);
        nng_aio_wait(aio);
        if (nng_aio_result(aio) != 0)
            exit(1);
        nng_msg_free(nng_aio_get_msg(aio));
        atomic_fetch_add(&calls, 1);
    }
    nng_aio_free(aio);
    nng_ctx_close(context);
    return NULL;
}

static double round_run(void *(*caller)(void *))
{
    pthread_t threads[CALLERS];
    atomic_store(&running, true);
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&threads[i], NULL, caller, NULL);
    usleep(150 * 1000); /* connections and keys are made */
    long before = atomic_load(&calls);
    int64_t from = clock_ms();
    usleep(ROUND_MS * 1000);
    double rate = (double)(atomic_load(&calls) - before) * 1000.0 / (double)(clock_ms() - from);
    atomic_store(&running, false);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    return rate;
}

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, ""},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, ""},
};

static bool place_make(char *folder)
{
    char path[256], hex[65];
    uint8_t public_key[32];
    if (!mkdtemp(folder) || RAND_bytes(bus_key_here.secret, KEY_BYTES) != 1 ||
        !key_x25519_public(&bus_key_here, public_key))
        return false;
    hex_put(hex, public_key, 32);
    snprintf(path, sizeof path, "%s/peers", folder);
    mkdir(path, 0700);
    static const char *const names[] = {"vault", "portal"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/peers/%s.pub", folder, names[i]);
        FILE *file = fopen(path, "w");
        if (!file)
            return false;
        fprintf(file, "%s\n", hex);
        fclose(file);
    }
    setenv("SHIKAKU_KEYS", folder, 1);
    setenv("SHIKAKU_BUS", folder, 1);
    return settings_read(settings, sizeof settings / sizeof *settings);
}

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

int main(void)
{
    char folder[] = "/tmp/shikaku-bench-XXXXXX";
    struct bus_listener *listener;
    struct fault fault = {0};
    double raw[ROUNDS], sealed[ROUNDS], ratios[ROUNDS];
    pthread_t thread;
    if (!place_make(folder) || !bus_listen(&listener, "vault", WORKERS, worker_new, worker_handle, worker_free, &fault))
        return 1;
    snprintf(raw_url, sizeof raw_url, "ipc://%s/raw", folder);
    if (nng_rep0_open(&raw_rep) != 0 || nng_listen(raw_rep, raw_url, NULL, 0) != 0 || nng_req0_open(&raw_req) != 0 ||
        nng_dial(raw_req, raw_url, NULL, 0) != 0)
        return 1;
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&thread, NULL, raw_worker, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        raw[i] = round_run(raw_caller);
        sealed[i] = round_run(sealed_caller);
        ratios[i] = sealed[i] / raw[i];
    }
    qsort(raw, ROUNDS, sizeof *raw, by_value);
    qsort(sealed, ROUNDS, sizeof *sealed, by_value);
    qsort(ratios, ROUNDS, sizeof *ratios, by_value);
    printf(
        "| sealed, checked, dispatched bus call, %d callers | raw nng round trip: %.0f/s | %.0f/s | %.2f | >= 0.7 |\n",
        CALLERS, raw[ROUNDS / 2], sealed[ROUNDS / 2], ratios[ROUNDS / 2]);
    return 0;
}
