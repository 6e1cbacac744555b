#include "chassis/keyring.h"

#include "chassis/bus_key.h"
#include "chassis/journal.h"
#include "chassis/key_request.h"
#include "chassis/keyring_store.h"
#include "chassis/settings.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECURE_HEAP_BYTES                                                                                              \
    (128 * 1024) /* 256 keys of 72 bytes, and OpenSSL's own copies in use; below the usual memlock of 8 MiB */
#define SECURE_HEAP_UNIT 32
#define KEYS_MAX 256
#define HELPER_SECONDS 20 /* several replicas may start at once and take turns at the token */

extern char **environ;

static const struct setting settings[] = {
    {"SHIKAKU_MANAGERS_ANEW", SETTING_TEXT, "", 0, 0,
        "Managers, with a comma between, whose use has ended and may begin anew, with nothing. For one start."},
    {"SHIKAKU_KEYS", SETTING_TEXT, "var/keys", 0, 0, "folder of the keys: a folder a service, and peers/"},
    {"SHIKAKU_BIN", SETTING_TEXT, "build/release/bin", 0, 0, "folder of the programs, for the key helper"},
};

struct ring {
    struct key keys[KEYS_MAX];
    struct key_reply reply; /* here, for it holds a secret on its way */
};

static struct ring *ring;
static size_t ring_count;
static char ended[KEYS_MAX][32]; /* managers with keys of which none can be had any more */
static size_t ended_count;
static atomic_bool ring_gone[KEYS_MAX]; /* forgotten while the process runs */

struct helper {
    int fd;
    pid_t pid;
};

static const char *const kind_texts[] = {"data", "index", "issue", "seal", "sign", "bus"};

const char *key_kind_text(enum key_kind kind)
{
    return kind_texts[kind];
}

static bool kind_parse(const char *text, size_t len, enum key_kind *kind)
{
    for (size_t i = 0; i < sizeof kind_texts / sizeof *kind_texts; i++)
        if (strlen(kind_texts[i]) == len && memcmp(kind_texts[i], text, len) == 0) {
            *kind = (enum key_kind)i;
            return true;
        }
    return false;
}

static bool helper_start(struct helper *helper, const char *service)
{
    char path[PATH_MAX];
    int ends[2];
    posix_spawn_file_actions_t actions;
    struct timeval limit = {.tv_sec = HELPER_SECONDS};
    char *argv[] = {path, (char *)service, NULL};
    snprintf(path, sizeof path, "%s/shikaku-keyhelper", setting_text("SHIKAKU_BIN"));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], KEY_HELPER_FD);
    bool started = posix_spawn(&helper->pid, path, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    helper->fd = ends[0];
    setsockopt(helper->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (!started)
        close(helper->fd);
    return started;
}

static void helper_stop(struct helper *helper)
{
    close(helper->fd);
    waitpid(helper->pid, NULL, 0);
}

/* The answer lies in ring->reply until the next. */
static enum token_result helper_ask(struct helper *helper, struct key_request *request)
{
    if (send(helper->fd, request, sizeof *request, MSG_NOSIGNAL) != sizeof *request ||
        recv(helper->fd, &ring->reply, sizeof ring->reply, 0) != sizeof ring->reply)
        return TOKEN_FAILED;
    return ring->reply.result;
}

static bool request_fill(
    struct key_request *request, enum key_request_kind what, const void *manager, size_t len, enum key_kind kind)
{
    memset(request, 0, sizeof *request);
    if (len == 0 || len >= sizeof request->manager)
        return false;
    request->what = what;
    memcpy(request->manager, manager, len);
    snprintf(request->kind, sizeof request->kind, "%s", key_kind_text(kind));
    return true;
}

static bool ring_put(uint32_t id, const char *manager, enum key_kind kind)
{
    if (ring_count == KEYS_MAX)
        return false;
    struct key *key = &ring->keys[ring_count++];
    key->id = id;
    key->kind = kind;
    snprintf(key->manager, sizeof key->manager, "%s", manager);
    memcpy(key->secret, ring->reply.secret, KEY_BYTES);
    OPENSSL_cleanse(&ring->reply, sizeof ring->reply);
    return true;
}

static bool bus_key_take(struct helper *helper, const char *service)
{
    struct key_request request;
    if (!request_fill(&request, KEY_REQUEST_UNWRAP, "*", 1, KEY_BUS))
        return false;
    request.wrapped_len = sizeof request.wrapped;
    if (!bus_key_read(setting_text("SHIKAKU_KEYS"), service, request.wrapped) ||
        helper_ask(helper, &request) != TOKEN_OK) {
        journal(JOURNAL_ERROR, NULL, "bus_key_missing", WORD("run", "deploy/keys"));
        return false;
    }
    return ring_put(0, "*", KEY_BUS);
}

static bool is_ended(const char *manager)
{
    for (size_t i = 0; i < ended_count; i++)
        if (strcmp(ended[i], manager) == 0)
            return true;
    return false;
}

/* A key whose wrapping key was destroyed is gone on purpose: its manager was erased, and this row, if it holds
 * anything, came back with a copy of the database. The service's own keys are never erased: without them this is
 * another token. */
static bool erased_take(uint32_t id, const char *manager)
{
    if (strcmp(manager, "*") == 0) {
        journal(JOURNAL_ERROR, NULL, "token_is_another", NUMBER("key", id));
        return false;
    }
    journal(JOURNAL_WARNING, NULL, "key_erased", NUMBER("key", id), WORD("manager", manager));
    if (!is_ended(manager))
        snprintf(ended[ended_count++], sizeof *ended, "%s", manager);
    return true;
}

static bool row_take(struct helper *helper, const PGresult *rows, int row)
{
    struct bytes manager = pg_get_bytes(rows, row, 1), kind_text = pg_get_bytes(rows, row, 2);
    struct bytes wrapped = pg_get_bytes(rows, row, 3);
    uint32_t id = (uint32_t)pg_get_integer(rows, row, 0);
    struct key_request request;
    enum key_kind kind;
    if (keyring_by_id(id))
        return true;
    if (!kind_parse((const char *)kind_text.data, kind_text.len, &kind) ||
        !request_fill(&request, KEY_REQUEST_UNWRAP, manager.data, manager.len, kind) ||
        wrapped.len > sizeof request.wrapped)
        return false;
    if (!wrapped.len) /* destroyed in the table, too (ERASE-2) */
        return erased_take(id, request.manager);
    request.wrapped_len = (uint32_t)wrapped.len;
    memcpy(request.wrapped, wrapped.data, wrapped.len);
    enum token_result result = helper_ask(helper, &request);
    if (result == TOKEN_GONE || (result == TOKEN_FAILED && pg_get_bool(rows, row, 4)))
        return erased_take(id, request.manager);
    if (result == TOKEN_FAILED)
        journal(JOURNAL_ERROR, NULL, "key_not_unwrapped", NUMBER("key", id), WORD("manager", request.manager));
    return result == TOKEN_OK && ring_put(id, request.manager, kind);
}

static bool rows_take(struct helper *helper, struct pg *pg, struct fault *fault)
{
    PGresult *rows = keyring_store_list(pg, fault);
    if (!rows)
        return false;
    bool taken = true;
    for (int row = 0; taken && row < PQntuples(rows); row++)
        taken = row_take(helper, rows, row);
    PQclear(rows);
    return taken ? true : fault_set(fault, FAULT_internal, "keys");
}

/* Of replicas that make the same key at once, the one whose row stands wins; all read it afterwards. */
static bool want_make(struct helper *helper, struct pg *pg, const struct key_want *want, struct fault *fault)
{
    struct key_request request;
    if (!request_fill(&request, KEY_REQUEST_GENERATE, want->manager, strlen(want->manager), want->kind) ||
        helper_ask(helper, &request) != TOKEN_OK)
        return fault_set(fault, FAULT_internal, "keys");
    return keyring_store_add(
        pg, want->manager, key_kind_text(want->kind), ring->reply.wrapped, TOKEN_WRAPPED_BYTES, fault);
}

static bool may_begin_anew(const char *manager)
{
    const char *at = setting_text("SHIKAKU_MANAGERS_ANEW");
    size_t len = strlen(manager);
    for (; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == len && memcmp(at, manager, len) == 0)
            return true;
    return false;
}

/* A manager that ended stays so until an operator says otherwise: then what is left of its keys is retired first. */
static bool want_is_due(struct pg *pg, const struct key_want *want, bool *due, struct fault *fault)
{
    *due = !keyring_newest(want->manager, want->kind);
    if (!*due || !is_ended(want->manager))
        return true;
    *due = may_begin_anew(want->manager);
    journal(JOURNAL_WARNING, NULL, *due ? "manager_begins_anew" : "manager_ended", WORD("manager", want->manager),
        WORD("setting", "SHIKAKU_MANAGERS_ANEW"));
    return !*due || keyring_store_retire(pg, want->manager, key_kind_text(want->kind), fault);
}

static bool wants_make(
    struct helper *helper, struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault)
{
    bool made = false, due;
    for (size_t i = 0; i < count; i++) {
        if (!want_is_due(pg, &wants[i], &due, fault) || (due && !want_make(helper, pg, &wants[i], fault)))
            return false;
        made |= due;
    }
    return !made || rows_take(helper, pg, fault);
}

static bool ring_new(void)
{
    if (!CRYPTO_secure_malloc_initialized() && CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_UNIT) != 1) {
        journal(JOURNAL_ERROR, NULL, "memory_not_locked", WORD("raise", "RLIMIT_MEMLOCK"));
        return false;
    }
    ring = OPENSSL_secure_zalloc(sizeof *ring);
    ring_count = ended_count = 0;
    for (size_t i = 0; i < KEYS_MAX; i++)
        atomic_store(&ring_gone[i], false);
    return ring != NULL;
}

bool keyring_open(const char *service, struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault)
{
    struct helper helper;
    if (!settings_read(settings, sizeof settings / sizeof *settings) || !ring_new() || !helper_start(&helper, service))
        return fault_set(fault, FAULT_internal, "keys");
    bool opened = bus_key_take(&helper, service) || fault_set(fault, FAULT_internal, "keys");
    if (opened && pg)
        opened = keyring_store_open(service)
                     ? rows_take(&helper, pg, fault) && wants_make(&helper, pg, wants, count, fault)
                     : fault_set(fault, FAULT_internal, "keys");
    helper_stop(&helper);
    OPENSSL_cleanse(&ring->reply, sizeof ring->reply);
    if (!opened)
        keyring_close();
    return opened;
}

void keyring_close(void)
{
    if (ring)
        OPENSSL_secure_clear_free(ring, sizeof *ring);
    ring = NULL;
    ring_count = 0;
}

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    for (size_t i = ring_count; i > 0; i--)
        if (!atomic_load_explicit(&ring_gone[i - 1], memory_order_relaxed) && ring->keys[i - 1].kind == kind &&
            strcmp(ring->keys[i - 1].manager, manager) == 0)
            return &ring->keys[i - 1];
    return NULL;
}

const struct key *keyring_by_id(uint32_t id)
{
    for (size_t i = 0; id && i < ring_count; i++)
        if (ring->keys[i].id == id && !atomic_load_explicit(&ring_gone[i], memory_order_relaxed))
            return &ring->keys[i];
    return NULL;
}

void keyring_forget(const char *manager)
{
    for (size_t i = 0; i < ring_count; i++)
        if (strcmp(ring->keys[i].manager, manager) == 0) {
            atomic_store(&ring_gone[i], true);
            OPENSSL_cleanse(ring->keys[i].secret, KEY_BYTES);
        }
}
