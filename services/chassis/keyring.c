#include "chassis/keyring.h"

#include "chassis/bus_key.h"
#include "chassis/journal.h"
#include "chassis/token_proxy.h"
#include "chassis/keyring_store.h"
#include "chassis/settings.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECURE_HEAP_BYTES                                                                                              \
    (128 * 1024) /* 512 keys of 76 bytes, and OpenSSL's own copies in use; below the usual memlock of 8 MiB */
#define SECURE_HEAP_UNIT 32
#define KEYS_MAX 512 /* those that were replaced since the start among them: their places are not used again */

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

/* What the keys are for, as of one generation. A change makes a new view and leaves the old one to whoever reads it. */
struct view {
    int64_t generation;
    size_t count;
    struct view *before;
    enum key_state states[];
};

static struct ring *ring;
static size_t ring_count; /* of the thread that opens and reloads; others go by the view */
static _Atomic(struct view *) view;
static atomic_bool ring_gone[KEYS_MAX]; /* wiped while the process runs */
static char lost[KEYS_MAX][32];         /* managers with keys that cannot be had any more */
static size_t lost_count;

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

static const char *const state_texts[] = {"coming", "carried", "found", "in_force", "leaving", "retired"};

static enum key_state state_parse(struct bytes text)
{
    for (size_t i = 0; i < KEY_RETIRED; i++)
        if (strlen(state_texts[i]) == text.len && memcmp(state_texts[i], text.data, text.len) == 0)
            return (enum key_state)i;
    return KEY_RETIRED;
}

static bool ring_put(uint32_t id, const char *manager, enum key_kind kind)
{
    if (ring_count == KEYS_MAX) {
        journal(JOURNAL_ERROR, NULL, "too_many_keys", WORD("do", "restart"));
        return false;
    }
    struct key *key = &ring->keys[ring_count++];
    key->id = id;
    key->kind = kind;
    snprintf(key->manager, sizeof key->manager, "%s", manager);
    memcpy(key->secret, ring->reply.secret, KEY_BYTES);
    OPENSSL_cleanse(&ring->reply, sizeof ring->reply);
    return true;
}

static bool bus_key_take(const char *service)
{
    struct key_request request;
    if (!key_request_fill(&request, KEY_REQUEST_UNWRAP, "*", 1, KEY_BUS))
        return false;
    request.wrapped_len = sizeof request.wrapped;
    if (!bus_key_read(setting_text("SHIKAKU_KEYS"), service, request.wrapped) ||
        token_proxy_ask(&request, &ring->reply) != TOKEN_OK) {
        journal(JOURNAL_ERROR, NULL, "bus_key_missing", WORD("run", "deploy/keys"));
        return false;
    }
    return ring_put(0, "*", KEY_BUS);
}

static bool place_find(uint32_t id, size_t *place)
{
    for (*place = 0; *place < ring_count; (*place)++)
        if (ring->keys[*place].id == id)
            return true;
    return false;
}

static bool is_ended(const char *manager)
{
    bool has_keys = false, has_lost = false;
    for (size_t i = 0; i < ring_count; i++)
        has_keys |= strcmp(ring->keys[i].manager, manager) == 0 && !atomic_load(&ring_gone[i]);
    for (size_t i = 0; i < lost_count; i++)
        has_lost |= strcmp(lost[i], manager) == 0;
    return has_lost && !has_keys;
}

static void lost_note(const char *manager)
{
    for (size_t i = 0; i < lost_count; i++)
        if (strcmp(lost[i], manager) == 0)
            return;
    if (lost_count < KEYS_MAX)
        snprintf(lost[lost_count++], sizeof *lost, "%s", manager);
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
    lost_note(manager);
    return true;
}

static bool row_unwrap(const PGresult *rows, int row, uint32_t id)
{
    struct bytes manager = pg_get_bytes(rows, row, 1), kind_text = pg_get_bytes(rows, row, 2);
    struct bytes wrapped = pg_get_bytes(rows, row, 3);
    struct key_request request;
    enum key_kind kind;
    if (!kind_parse((const char *)kind_text.data, kind_text.len, &kind) ||
        !key_request_fill(&request, KEY_REQUEST_UNWRAP, manager.data, manager.len, kind) ||
        wrapped.len > sizeof request.wrapped)
        return false;
    request.wrapped_len = (uint32_t)wrapped.len;
    memcpy(request.wrapped, wrapped.data, wrapped.len);
    enum token_result result = token_proxy_ask(&request, &ring->reply);
    if (result == TOKEN_GONE)
        return erased_take(id, request.manager);
    if (result == TOKEN_FAILED)
        journal(JOURNAL_ERROR, NULL, "key_not_unwrapped", NUMBER("key", id), WORD("manager", request.manager));
    return result == TOKEN_OK && ring_put(id, request.manager, kind);
}

static void key_wipe(size_t place)
{
    atomic_store(&ring_gone[place], true);
    OPENSSL_cleanse(ring->keys[place].secret, KEY_BYTES);
}

static bool row_take(const PGresult *rows, int row, struct view *fresh)
{
    uint32_t id = (uint32_t)pg_get_integer(rows, row, 0);
    bool empty = pg_get_bytes(rows, row, 3).len == 0; /* destroyed in the table, too (ERASE-2) */
    enum key_state state = empty ? KEY_RETIRED : state_parse(pg_get_bytes(rows, row, 4));
    size_t place;
    if (!place_find(id, &place)) {
        if (state == KEY_RETIRED) {
            lost_note(PQgetvalue(rows, row, 1));
            return true;
        }
        if (!row_unwrap(rows, row, id))
            return false;
        if (!place_find(id, &place))
            return true;
    }
    fresh->states[place] = state;
    if (state == KEY_RETIRED)
        key_wipe(place);
    return true;
}

static struct view *view_new(void)
{
    struct view *fresh = calloc(1, sizeof *fresh + KEYS_MAX * sizeof *fresh->states);
    if (!fresh)
        return NULL;
    fresh->before = atomic_load(&view);
    for (size_t i = 0; i < KEYS_MAX; i++)
        fresh->states[i] = KEY_RETIRED;
    fresh->states[0] = KEY_IN_FORCE; /* the bus key lies in no table */
    return fresh;
}

bool keyring_reload(struct pg *pg, struct fault *fault)
{
    struct view *fresh = view_new();
    PGresult *rows = NULL;
    bool taken = fresh && (!pg || (keyring_store_generation(pg, &fresh->generation, fault) &&
                                      (rows = keyring_store_list(pg, fault)) != NULL));
    for (int row = 0; taken && row < PQntuples(rows); row++)
        if (!(taken = row_take(rows, row, fresh)))
            fault_set(fault, FAULT_internal, "keys");
    PQclear(rows);
    token_proxy_rest();
    OPENSSL_cleanse(&ring->reply, sizeof ring->reply);
    if (!taken) {
        free(fresh);
        return false;
    }
    fresh->count = ring_count;
    atomic_store(&view, fresh);
    return true;
}

/* Of replicas that make the same key at once, the one whose row stands wins; all read it afterwards. */
static bool want_make(struct pg *pg, const struct key_want *want, struct fault *fault)
{
    struct key_request request;
    if (!key_request_fill(&request, KEY_REQUEST_GENERATE, want->manager, strlen(want->manager), want->kind) ||
        token_proxy_ask(&request, &ring->reply) != TOKEN_OK)
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

static bool wants_make(struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault)
{
    bool made = false, due;
    for (size_t i = 0; i < count; i++) {
        if (!want_is_due(pg, &wants[i], &due, fault) || (due && !want_make(pg, &wants[i], fault)))
            return false;
        made |= due;
    }
    return !made || keyring_reload(pg, fault);
}

static bool ring_new(void)
{
    if (!CRYPTO_secure_malloc_initialized() && CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_UNIT) != 1) {
        journal(JOURNAL_ERROR, NULL, "memory_not_locked", WORD("raise", "RLIMIT_MEMLOCK"));
        return false;
    }
    ring = OPENSSL_secure_zalloc(sizeof *ring);
    ring_count = lost_count = 0;
    for (size_t i = 0; i < KEYS_MAX; i++)
        atomic_store(&ring_gone[i], false);
    return ring != NULL;
}

bool keyring_settings_read(void)
{
    return settings_read(settings, sizeof settings / sizeof *settings);
}

bool keyring_open(const char *service, struct pg *pg, const struct key_want *wants, size_t count, struct fault *fault)
{
    if (!keyring_settings_read() || !ring_new() || !token_proxy_start(service))
        return fault_set(fault, FAULT_internal, "keys");
    bool opened =
        (bus_key_take(service) && (!pg || keyring_store_open(service))) || fault_set(fault, FAULT_internal, "keys");
    opened = opened && keyring_reload(pg, fault) && (!pg || wants_make(pg, wants, count, fault));
    token_proxy_rest();
    OPENSSL_cleanse(&ring->reply, sizeof ring->reply);
    if (!opened)
        keyring_close();
    return opened;
}

void keyring_close(void)
{
    token_proxy_stop();
    for (struct view *old = atomic_exchange(&view, NULL); old;) {
        struct view *before = old->before;
        free(old);
        old = before;
    }
    if (ring)
        OPENSSL_secure_clear_free(ring, sizeof *ring);
    ring = NULL;
    ring_count = 0;
}

int64_t keyring_generation(void)
{
    const struct view *now = atomic_load(&view);
    return now ? now->generation : 0;
}

static bool key_is(size_t place, const char *manager, enum key_kind kind)
{
    return ring->keys[place].kind == kind && strcmp(ring->keys[place].manager, manager) == 0 &&
           !atomic_load_explicit(&ring_gone[place], memory_order_relaxed);
}

static const struct key *key_in(const char *manager, enum key_kind kind, enum key_state one, enum key_state other)
{
    const struct view *now = atomic_load_explicit(&view, memory_order_acquire);
    for (size_t i = now ? now->count : 0; i > 0; i--)
        if ((now->states[i - 1] == one || now->states[i - 1] == other) && key_is(i - 1, manager, kind))
            return &ring->keys[i - 1];
    return NULL;
}

const struct key *keyring_newest(const char *manager, enum key_kind kind)
{
    return key_in(manager, kind, KEY_IN_FORCE, KEY_IN_FORCE);
}

const struct key *keyring_beside(const char *manager, enum key_kind kind)
{
    return key_in(manager, kind, KEY_COMING, KEY_LEAVING);
}

const struct key *keyring_by_id(uint32_t id)
{
    const struct view *now = atomic_load_explicit(&view, memory_order_acquire);
    for (size_t i = 0; now && id && i < now->count; i++)
        if (ring->keys[i].id == id && !atomic_load_explicit(&ring_gone[i], memory_order_relaxed))
            return now->states[i] == KEY_RETIRED ? NULL : &ring->keys[i];
    return NULL;
}

bool keyring_index(const char *manager, struct key_index *index)
{
    const struct view *now = atomic_load_explicit(&view, memory_order_acquire);
    const struct key *beside[KEY_RETIRED] = {NULL};
    for (size_t i = 0; now && i < now->count; i++)
        if (now->states[i] < KEY_RETIRED && key_is(i, manager, KEY_INDEX))
            beside[now->states[i]] = &ring->keys[i];
    const struct key *token = beside[KEY_IN_FORCE], *carried = beside[KEY_CARRIED], *found = beside[KEY_FOUND],
                     *leaving = beside[KEY_LEAVING];
    *index = (struct key_index){token,
        carried   ? carried
        : found   ? found
        : leaving ? token
                  : NULL,
        found ? found : leaving};
    return token != NULL;
}

void keyring_forget(const char *manager)
{
    const struct view *now = atomic_load(&view);
    for (size_t i = 0; now && i < now->count; i++)
        if (strcmp(ring->keys[i].manager, manager) == 0)
            key_wipe(i);
}
