/* The vault's program, run by a test of its store, with the world around it: audit as far as the vault sees it, and
 * this process as intake on the bus. It is loaded with tests/kit/preload/trap.c, which ends it at a named point. Each
 * program includes this once. */
#ifndef TESTS_STORE_VAULT_PROGRAM_H
#define TESTS_STORE_VAULT_PROGRAM_H

#include "store/vault.h"

#include "audit.pb-c.h"
#include "chassis/dispatch.h"
#include "kit/preload/trap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern char **environ;

#define REPLICAS 2

static struct trap *trap;
static char trap_path[300], seen_path[300], lib_trap[600];

static pid_t auditor;

/* --- audit, as far as the vault sees it: each record once, told through which it is kept --- */

static FILE *seen;

static inline enum outcome append_act(struct work *by)
{
    const Audit__AppendRequest *request = (const Audit__AppendRequest *)by->request;
    Audit__AppendReply reply = AUDIT__APPEND_REPLY__INIT;
    reply.through = arena_take(by->arena, (request->n_chains + 1) * sizeof *reply.through);
    for (size_t c = 0; c < request->n_chains; c++) {
        const Audit__Chain *chain = request->chains[c];
        Audit__Through *through = arena_take(by->arena, sizeof *through);
        audit__through__init(through);
        through->instance = chain->instance;
        through->worker = chain->worker;
        for (size_t l = 0; l < chain->n_links; l++) {
            Audit__Event *event = audit__event__unpack(
                arena_allocator(by->arena), chain->links[l]->event.len, chain->links[l]->event.data);
            through->sequence = chain->links[l]->sequence;
            fprintf(seen, "%s %u %lu %s %s\n", chain->instance, chain->worker, (unsigned long)through->sequence,
                *event->reason ? event->reason : "-", event->outcome);
        }
        reply.through[reply.n_through++] = through;
    }
    fflush(seen);
    return work_commit(by, &reply.base);
}

static const struct message audit_table[] = {{ROUTE_audit_append, NULL, append_act}};
static const struct service audit = {.name = "audit", .messages = audit_table, .message_count = 1};

static inline void *auditor_new(int index)
{
    (void)index;
    return work_new(&audit);
}

static inline struct bytes auditor_run(void *by, const void *frame, size_t len)
{
    return dispatch(by, frame, len);
}

static inline void auditor_free(void *by)
{
    work_free(by);
}

static inline void auditor_main(void)
{
    struct fault fault = {0};
    struct bus_listener *listener;
    seen = fopen(seen_path, "a");
    if (!seen || !keyring_open("audit", NULL, NULL, 0, &fault) ||
        !bus_listen(&listener, "audit", 1, auditor_new, auditor_run, auditor_free, &fault))
        _exit(1);
    for (;;)
        pause();
}

/* --- the programs --- */

struct program {
    pid_t pid;
    int port;
    char bus[300];
};

static struct program vaults[REPLICAS];

static inline int port_free(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static inline bool is_ready(const struct program *vault)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)vault->port)};
    char text[256] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        dprintf(fd, "GET /readyz HTTP/1.0\r\n\r\n");
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
    }
    close(fd);
    return strstr(text, " 200 ") != NULL;
}

static inline void vault_start(struct program *vault)
{
    char path[512], port[16];
    char *argv[] = {path, NULL};
    snprintf(path, sizeof path, "%s/shikaku-vault", getenv("SHIKAKU_BIN"));
    snprintf(port, sizeof port, "%d", vault->port = port_free());
    setenv("SHIKAKU_ADMIN_PORT", port, 1);
    setenv("SHIKAKU_BUS", vault->bus, 1);
    setenv("LD_PRELOAD", lib_trap, 1);
    ck_assert_int_eq(posix_spawn(&vault->pid, path, NULL, NULL, argv, environ), 0);
    unsetenv("LD_PRELOAD");
    setenv("SHIKAKU_BUS", vaults[0].bus, 1);
    bool ready = false;
    for (int i = 0; i < 3000 && !(ready = is_ready(vault)); i++) {
        ck_assert_msg(waitpid(vault->pid, NULL, WNOHANG) == 0, "the vault ended at its start");
        nanosleep(&(struct timespec){0, 10 * 1000000L}, NULL);
    }
    ck_assert(ready);
}

static inline void vault_stop(struct program *vault)
{
    int status;
    ck_assert_int_eq(kill(vault->pid, SIGTERM), 0);
    ck_assert_int_eq(waitpid(vault->pid, &status, 0), vault->pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static inline void trap_map(void)
{
    snprintf(trap_path, sizeof trap_path, "%s/trap", keys_folder);
    int file = open(trap_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert(file >= 0 && ftruncate(file, sizeof *trap) == 0);
    trap = mmap(NULL, sizeof *trap, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    ck_assert(trap != MAP_FAILED);
    setenv("TRAP_FILE", trap_path, 1);
    snprintf(lib_trap, sizeof lib_trap, "%s/../lib/libtrap.so", getenv("SHIKAKU_BIN"));
    ck_assert_msg(access(lib_trap, R_OK) == 0, "%s is not built", lib_trap);
#ifdef __SANITIZE_ADDRESS__
    char options[256];
    snprintf(
        options, sizeof options, "verify_asan_link_order=0:%s", getenv("ASAN_OPTIONS") ? getenv("ASAN_OPTIONS") : "");
    setenv("ASAN_OPTIONS", options, 1);
#endif
}

/* As whom this process speaks on the bus from now on. */
static inline void speak_as(const char *name)
{
    struct fault fault = {0};
    keyring_close();
    ck_assert_msg(keyring_open(name, NULL, NULL, 0, &fault), "%s", fault.field);
}

static struct bus_caller *caller; /* of the test's own thread */
static struct arena *arena;

static inline void sealer_ask(void)
{
    Vault__KeysRequest keys = VAULT__KEYS_REQUEST__INIT;
    const struct bus_request request = {.route = ROUTE_vault_keys, .message = &keys.base};
    ProtobufCMessage *reply;
    struct fault fault = {0};
    speak_as("portal");
    struct bus_caller *portal = bus_caller_new("portal");
    ck_assert_msg(bus_call(portal, arena, &request, &reply, &fault), "%s", fault_code_text(fault.code));
    sealer = kit_sealer_new(((Vault__KeysReply *)reply)->jwks);
    bus_caller_free(portal);
}

/* Everything but the vault itself. */
static inline void world_open(void)
{
    static const char *const shared_with[] = {"intake", "portal", "audit", "peers"};
    char path[300], target[600];
    store_open(&store, "vault");
    keys_folder_make();
    for (size_t i = 0; i < sizeof shared_with / sizeof *shared_with; i++) {
        snprintf(path, sizeof path, "%s/%s", keys_folder, shared_with[i]);
        snprintf(target, sizeof target, "%.500s/%s", shared_keys, shared_with[i]);
        ck_assert_int_eq(symlink(target, path), 0);
    }
    for (int i = 0; i < REPLICAS; i++) {
        snprintf(vaults[i].bus, sizeof vaults[i].bus, "%s/bus%d", keys_folder, i);
        ck_assert_int_eq(mkdir(vaults[i].bus, 0700), 0);
    }
    snprintf(seen_path, sizeof seen_path, "%s/seen", keys_folder);
    setenv("SHIKAKU_DSN", store.dsn, 1);
    setenv("SHIKAKU_BUS", vaults[0].bus, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    ck_assert(settings_read(vault_settings, VAULT_SETTINGS));
    trap_map();
    authorities = kit_authorities_load("build/kit");
}

static inline void world_close(void)
{
    char command[400];
    kit_authorities_free(authorities);
    munmap(trap, sizeof *trap);
    snprintf(command, sizeof command, "rm -rf -- '%s'", keys_folder);
    ck_assert_int_eq(system(command), 0);
    store_close(&store);
}

/* From now on this process is intake, and knows the vault's key. */
static inline void voice_open(void)
{
    arena = arena_new(1024 * 1024);
    sealer_ask();
    speak_as("intake");
    caller = bus_caller_new("intake");
}

static inline void voice_close(void)
{
    bus_caller_free(caller);
    keyring_close();
    kit_sealer_free(sealer);
    arena_free(arena);
}

#endif
