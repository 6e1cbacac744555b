/* What the store tests of residence and intermediate share: the stand-ins of both networks as processes, our peers on
 * the bus as threads of the test, a look at the database, and a message as the bus would bring it. */
#ifndef STORE_NETWORKS_H
#define STORE_NETWORKS_H

#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chassis/boot.h"
#include "chassis/cover.h"
#include "chassis/dispatch.h"
#include "chassis/exchange_store.h"
#include "chassis/outside.h"
#include "chassis/rights.h"
#include "chassis/settings.h"
#include "chassis/work_state.h"
#include "kit/store.h"

#define MAY_BE_UNUSED __attribute__((unused))

extern char **environ;

static struct store store;
static struct work *work;
static char folder[64];

/* --- stand-ins ---------------------------------------------------------------------------------------------------- */

struct standin {
    const char *name;
    pid_t pid;
    int port;
    char url[64];
};

static struct standin juki = {.name = "juki"}, ipn = {.name = "ipn"}, moj = {.name = "moj"};

static MAY_BE_UNUSED void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* Started again it has the same port and remembers what it took. */
static void standin_start(struct standin *standin)
{
    char program[600], file[128], state[128], number[12];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 64);
    ck_assert_int_gt(n, 0);
    program[n] = 0;
    sprintf(strstr(program, "/tests/store/"), "/bin/double-%s", standin->name);
    snprintf(file, sizeof file, "%s/%s.port", folder, standin->name);
    snprintf(state, sizeof state, "%s/%s", folder, standin->name);
    snprintf(number, sizeof number, "%d", standin->port);
    char *const arguments[] = {program, "--state", state, "--port-file", file, "--port", number, "--ipn-url", ipn.url,
        "--moj-url", moj.url, "--code-delay-ms", "1", NULL};
    unlink(file);
    ck_assert_msg(posix_spawn(&standin->pid, program, NULL, NULL, arguments, environ) == 0, "%s is not built", program);
    for (int i = 0; i < 500 && access(file, R_OK) != 0; i++)
        pause_ms(10);
    FILE *in = fopen(file, "r");
    ck_assert_msg(in && fscanf(in, "%d", &standin->port) == 1, "%s did not start", standin->name);
    fclose(in);
    snprintf(standin->url, sizeof standin->url, "http://127.0.0.1:%d", standin->port);
}

static void standin_kill(struct standin *standin)
{
    if (standin->pid) {
        kill(standin->pid, SIGKILL);
        waitpid(standin->pid, NULL, 0);
    }
    standin->pid = 0;
}

/* A call to a stand-in; the answer is the caller's. */
static json_t *standin_call(struct standin *standin, const char *method, const char *path, json_t *body_take)
{
    static struct outside_peer peers[3] = {{.name = "juki"}, {.name = "ipn"}, {.name = "moj"}};
    struct outside_peer *peer = &peers[standin == &juki ? 0 : standin == &ipn ? 1 : 2];
    struct fault fault = {0};
    struct arena *arena = arena_new(4 << 20);
    json_t *answer = NULL;
    int status = 0;
    peer->base_url = standin->url;
    ck_assert(outside_json(peer, arena, method, path, body_take, &status, &answer, &fault));
    ck_assert_msg(status < 300, "%s %s: %d", method, path, status);
    json_decref(body_take);
    arena_free(arena);
    return answer;
}

static MAY_BE_UNUSED void standin_behaves(struct standin *standin, const char *mode, const char *path, int times)
{
    json_decref(
        standin_call(standin, "POST", "/control", json_pack("{ss ss si}", "mode", mode, "path", path, "times", times)));
}

static MAY_BE_UNUSED size_t standin_took(struct standin *standin, const char *kind)
{
    char path[64];
    snprintf(path, sizeof path, "/ledger?kind=%s", kind);
    json_t *answer = standin_call(standin, "GET", path, NULL);
    size_t count = json_array_size(json_object_get(answer, "rows"));
    json_decref(answer);
    return count;
}

/* A resident of the stand-in. The number is of the range of synthetic people (tests/kit/people.h). */
static MAY_BE_UNUSED json_t *resident(const char *number, const char *code, const char *name, const char *status)
{
    return json_pack("{ss ss ss ss ss ss ss ss}", "number", number, "code", code, "name", name, "address",
        "東京都架空区一丁目2番3号", "birth_date", "19850401", "sex", "2", "status", status, "changed_on",
        strcmp(status, "living") == 0 ? "" : "20250301");
}

static MAY_BE_UNUSED void residents_load(json_t *residents_take)
{
    json_decref(standin_call(&juki, "POST", "/residents", residents_take));
}

/* --- the database ------------------------------------------------------------------------------------------------- */

/* One value as the schema's owner sees it; a manager is put in force, since row-level security binds the owner too. */
static char *look(const char *manager, const char *sql)
{
    static char value[4096];
    PGconn *owner = PQconnectdb(store.owner);
    const char *const values[] = {manager};
    PQclear(PQexecParams(owner, "SELECT set_config('shikaku.manager', $1, false)", 1, NULL, values, NULL, NULL, 0));
    PGresult *result = PQexec(owner, sql);
    ck_assert_msg(PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK, "%s", sql);
    snprintf(value, sizeof value, "%s",
        PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(owner);
    return value;
}

static MAY_BE_UNUSED void shows(const char *sql, const char *wanted)
{
    char *is = look("mlit", sql);
    ck_assert_msg(strcmp(is, wanted) == 0, "%s: is %s, not %s", sql, is, wanted);
}

/* The n-th event (from 0) of a route in the outbox, unpacked into the arena of `work`. */
static MAY_BE_UNUSED void *event_of(enum route route, int n, const ProtobufCMessageDescriptor *descriptor)
{
    char sql[256], key[65], *text;
    uint8_t payload[4096];
    snprintf(sql, sizeof sql,
        "SELECT encode(idempotency_key, 'hex') || encode(payload, 'hex') FROM %s.outbox WHERE route = '%s'"
        " ORDER BY id OFFSET %d LIMIT 1",
        store.service, route_row(route)->name, n);
    text = look("", sql);
    ck_assert_msg(strlen(text) > 64, "there is no event %d", n);
    snprintf(key, sizeof key, "%.64s", text);
    size_t len = (strlen(text) - 64) / 2;
    ck_assert(len <= sizeof payload && hex_take(payload, len, text + 64));
    struct bytes plain = cover_take(work->arena, (struct cover_place){"outbox", "*", key}, payload, len);
    ck_assert_ptr_nonnull(plain.data);
    return protobuf_c_message_unpack(descriptor, arena_allocator(work->arena), plain.len, plain.data);
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* Check and act as dispatch would; `key` is the act. The reply, if any, lies packed in work->state->reply. */
static enum outcome message_bring(const struct message *messages, size_t count, enum route route, const char *sender,
    const char *key, const ProtobufCMessage *request)
{
    static uint8_t payload[32768], key_bytes[IDEMPOTENCY_KEY_BYTES];
    static Bus__Envelope envelope;
    work_reset(work);
    bus__envelope__init(&envelope);
    bus_key(key_bytes, route, key, NULL);
    envelope.idempotency_key = (ProtobufCBinaryData){sizeof key_bytes, key_bytes};
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(request, payload), payload};
    envelope.route = (char *)route_row(route)->name;
    envelope.correlation = "";
    snprintf(work->state->peer.name, sizeof work->state->peer.name, "%s", sender);
    work_take_request(work, route, &envelope, request);
    work->request = request;
    work->actor = route_row(route)->right == RIGHT_none ? NULL : &work->state->actor;
    for (size_t i = 0; i < count; i++) {
        if (messages[i].route != route)
            continue;
        if (messages[i].check && !messages[i].check(request, &work->fault))
            return fault_outcome(work->fault.code);
        return messages[i].act(work);
    }
    ck_abort_msg("no such message");
}

static MAY_BE_UNUSED int lane_turn(const struct lane *lanes, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(lanes[i].name, name) == 0) {
            work_reset(work);
            return lanes[i].turn(work, &lanes[i]);
        }
    ck_abort_msg("no lane %s", name);
}

/* --- peers on the bus --------------------------------------------------------------------------------------------- */

static const struct service *peer_services; /* ended by a row without a name */
static struct bus_listener *peer_listeners[4];

static struct bytes peer_handle(void *worker, const void *frame, size_t len)
{
    return dispatch(worker, frame, len);
}

static void peer_worker_free(void *worker)
{
    work_free(worker);
}

static int peer_starting;

static void *peer_worker_new(int index)
{
    (void)index;
    return work_new(&peer_services[peer_starting]);
}

static MAY_BE_UNUSED void peers_start(const struct service *services)
{
    struct fault fault = {0};
    peer_services = services;
    for (peer_starting = 0; services[peer_starting].name; peer_starting++)
        ck_assert(bus_listen(&peer_listeners[peer_starting], services[peer_starting].name, 1, peer_worker_new,
            peer_handle, peer_worker_free, &fault));
}

static MAY_BE_UNUSED void peers_stop(void)
{
    for (size_t i = 0; i < sizeof peer_listeners / sizeof *peer_listeners; i++) {
        bus_drain(peer_listeners[i]);
        peer_listeners[i] = NULL;
    }
}

/* A peer of the test has no database: its reply is packed, not kept. */
static MAY_BE_UNUSED enum outcome peer_reply(struct work *peer, const ProtobufCMessage *reply)
{
    peer->state->reply.len = protobuf_c_message_get_packed_size(reply);
    peer->state->reply.data = arena_take(peer->arena, peer->state->reply.len + 1);
    ck_assert_ptr_nonnull(peer->state->reply.data);
    protobuf_c_message_pack(reply, peer->state->reply.data);
    return OUTCOME_DONE;
}

/* The service's own token, under a folder of keys in which our peers have the same key on the bus as it: they are
 * threads of one process, which has one keyring. */
static void keys_arrange(const char *service, const char *const *peers)
{
    char command[1024];
    snprintf(command, sizeof command,
        "mkdir -p %s/keys/peers %s/bus && ln -s \"$SHIKAKU_KEYS\"/%s %s/keys/%s && for p in %s %s %s %s; do "
        "cp \"$SHIKAKU_KEYS\"/peers/%s.pub %s/keys/peers/$p.pub; done",
        folder, folder, service, folder, service, service, peers[0], peers[1] ? peers[1] : "", "intake", service,
        folder);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command, "%s/keys", folder);
    setenv("SHIKAKU_KEYS", command, 1);
    snprintf(command, sizeof command, "%s/bus", folder);
    setenv("SHIKAKU_BUS", command, 1);
}

/* Everything that is common to both set-ups, before settings are read. */
static void networks_start(const char *service, const char *const *peers)
{
    strcpy(folder, "/tmp/shikaku-networks-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    store_open(&store, service);
    keys_arrange(service, peers);
    juki.port = ipn.port = moj.port = 0;
    strcpy(ipn.url, "http://127.0.0.1:1");
    standin_start(&moj);
    standin_start(&ipn);
    standin_start(&juki);
    setenv("SHIKAKU_DSN", store.dsn, 1);
    setenv("SHIKAKU_JUKI_URL", juki.url, 1);
    setenv("SHIKAKU_NETWORK_URL", ipn.url, 1);
}

static void networks_open(const struct service *service, const struct key_want *wants, size_t count)
{
    struct fault fault = {0};
    struct pg *pg;
    exchange_store_open(service->name);
    ck_assert_msg(rights_open("deploy/rights/roles.json", &fault), "%s", fault.field);
    ck_assert(pg_open(&pg, store.dsn, &fault));
    ck_assert_msg(
        keyring_open(service->name, pg, wants, count, &fault), "%s %s", fault_code_text(fault.code), fault.field);
    pg_close(pg);
    work = work_new(service);
    ck_assert_ptr_nonnull(work);
}

static void networks_stop(void)
{
    char command[128];
    peers_stop();
    work_free(work);
    keyring_close();
    standin_kill(&juki);
    standin_kill(&ipn);
    standin_kill(&moj);
    store_close(&store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

#endif
