/* audit's store as its tests use it: workers that make records as the chassis does, sending, signing, verifying. */
#ifndef TESTS_STORE_AUDIT_H
#define TESTS_STORE_AUDIT_H

#include "audit.pb-c.h"
#include "audit/audit_gap.h"
#include "audit/audit_log.h"
#include "audit/audit_sign.h"
#include "audit/audit_witness.h"
#include "audit_verify/verify.h"
#include "chassis/boot.h"
#include "chassis/journal.h"
#include "chassis/work.h"
#include "kit/store.h"
#include "shikakuctl/log_export.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTANCE "0a0b0c0d-0000-4000-8000-00000000000"
#define MADE_MAX 400

static const struct setting settings[] = {{"SHIKAKU_DSN", SETTING_TEXT, "", 0, 0, "database"}};
static struct store store;
static struct pg *pg, *owner;
static struct arena *arena;
static char witness[600], public_keys[600];

/* A worker as the chassis has it: numbers and links its own records. */
struct worker {
    char instance[40];
    uint32_t number;
    struct audit_sent sent[MADE_MAX];
    size_t count;
};

static inline void worker_init(struct worker *worker, uint32_t number)
{
    memset(worker, 0, sizeof *worker);
    snprintf(worker->instance, sizeof worker->instance, INSTANCE "%u", number);
    worker->number = number;
}

static inline void event_link(struct worker *worker, struct bytes event)
{
    static uint8_t zeroes[AUDIT_LINK_BYTES];
    struct audit_sent *sent = &worker->sent[worker->count];
    uint8_t link[AUDIT_LINK_BYTES];
    *sent = (struct audit_sent){
        worker->count + 1, worker->count ? sent[-1].link : (struct bytes){zeroes, sizeof zeroes}, {NULL, 0}, event};
    ck_assert(audit_link_make(sent->previous.data, sent->sequence, event, link));
    sent->link = arena_copy(arena, link, sizeof link);
    worker->count++;
}

static inline struct bytes event_pack(const Audit__Event *event)
{
    struct bytes packed = {NULL, audit__event__get_packed_size(event)};
    packed.data = arena_take(arena, packed.len);
    ck_assert_ptr_nonnull(packed.data);
    audit__event__pack(event, packed.data);
    return packed;
}

/* What somebody at a terminal did with the data of `subject` for `reason`. */
static inline Audit__Event event_of(const char *account, const char *act, const char *subject, const char *reason)
{
    Audit__Event event = AUDIT__EVENT__INIT;
    event.service = "intake";
    event.at_ms = clock_ms();
    event.who = (char *)account;
    event.role = "reviewer";
    event.terminal = "terminal-1";
    event.act = (char *)act;
    event.manager = "tokyo";
    event.subject = (char *)subject;
    event.reason = (char *)reason;
    event.outcome = "done";
    event.count = 1;
    return event;
}

static inline void records_make(struct worker *worker, int count)
{
    for (int i = 0; i < count; i++) {
        char *subject = arena_format(arena, "person-%u-%zu", worker->number, worker->count);
        Audit__Event event = event_of("sato", "intake_view", subject, "application-1");
        event_link(worker, event_pack(&event));
    }
}

/* Send records [from, to) of a worker. */
static inline struct audit_chain relay(const struct worker *worker, size_t from, size_t to)
{
    struct fault fault = {0};
    struct audit_chain chain = {worker->instance, worker->number, worker->sent + from, to - from, 0, false, false};
    pg_begin(pg, "");
    ck_assert(log_append(pg, arena, "intake", &chain, 1, &fault));
    ck_assert(pg_commit(pg, &fault));
    return chain;
}

/* What shikakuctl audit release asks for; its fault. */
static inline enum fault_code release(const struct worker *worker, const char *reason)
{
    struct fault fault = {0};
    struct gap gap = {.service = "intake", .instance = worker->instance, .worker = worker->number};
    pg_begin(pg, "");
    if (!gap_release(pg, arena, &gap, reason, &fault))
        pg_rollback(pg);
    else
        ck_assert(pg_commit(pg, &fault));
    return fault.code;
}

static inline void sign(void)
{
    struct fault fault = {0};
    struct merkle tree;
    ck_assert(sequencer_read(pg, &tree, &fault));
    ck_assert(head_lay_down(pg, &tree));
}

static inline void keys_load(struct keys *keys)
{
    FILE *file = fopen(public_keys, "re");
    ck_assert(file && keys_read(keys, file));
    fclose(file);
}

/* Export the log as `by` sees it and let the verifier judge it. */
static inline struct verdict verify_by(struct pg *by)
{
    struct verdict verdict;
    struct keys keys;
    struct fault fault = {0};
    char *export = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&export, &len), *heads = fopen(witness, "re");
    keys_load(&keys);
    ck_assert_msg(log_export(by, to, &fault), "%s", fault_code_text(fault.code));
    fclose(to);
    FILE *from = fmemopen(export, len, "r");
    log_verify(from, heads, &keys, &verdict);
    fclose(from);
    fclose(heads);
    free(export);
    return verdict;
}

static inline struct verdict verify(void)
{
    return verify_by(pg);
}

static inline void tamper(const char *sql)
{
    struct fault fault = {0};
    PGresult *done = pg_query(owner, sql, &fault, PG_NONE);
    ck_assert_msg(done != NULL, "the superuser can do: %s", sql);
    PQclear(done);
}

/* The programs find the test's database and witness, and the cluster's token. */
static inline void programs_prepare(void)
{
    char keys[700], token[700];
    snprintf(keys, sizeof keys, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    snprintf(token, sizeof token, "%s/audit", getenv("SHIKAKU_KEYS"));
    setenv("SHIKAKU_KEYS", keys, 1);
    strcat(keys, "/audit");
    ck_assert_int_eq(symlink(token, keys), 0);
    setenv("SHIKAKU_WITNESS", witness, 1);
    setenv("SHIKAKU_ADMIN_PORT", "1", 1); /* none gets as far as opening it */
}

/* Exit status of a program of this build. */
static inline int run(const char *command)
{
    char line[900];
    snprintf(line, sizeof line, "\"$SHIKAKU_BIN\"/%s", command);
    int status = system(line);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline void setup(void)
{
    static const struct key_want wants[] = {{"*", KEY_DATA}, {"*", KEY_INDEX}, {"*", KEY_SIGN}, {"tokyo", KEY_DATA},
        {"tokyo", KEY_INDEX}, {"saitama", KEY_DATA}, {"saitama", KEY_INDEX}};
    struct fault fault = {0};
    char dsn[600];
    store_open(&store, "audit");
    ck_assert(settings_read(settings, 1));
    ck_assert(pg_open(&pg, store.dsn, &fault));
    /* The database's superuser, whom no right and no policy stops. */
    snprintf(dsn, sizeof dsn, "host=%s/pg port=5432 dbname=%s user=postgres passfile=%s/postgres/db-password",
        getenv("SHIKAKU_RUN"), store.name, getenv("SHIKAKU_KEYS"));
    ck_assert(pg_open(&owner, dsn, &fault));
    ck_assert(keyring_open("audit", pg, wants, sizeof wants / sizeof *wants, &fault));
    ck_assert(months_make(pg, &fault));
    arena = arena_new(64 * 1024 * 1024);
    snprintf(witness, sizeof witness, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    mkdir(witness, 0700);
    snprintf(public_keys, sizeof public_keys, "%s/%s/peers", getenv("SHIKAKU_VAR"), store.name);
    mkdir(public_keys, 0700);
    snprintf(public_keys, sizeof public_keys, "%s/%s", getenv("SHIKAKU_VAR"), store.name);
    strcat(witness, "/heads");
    ck_assert(sign_key_publish(public_keys, &fault));
    strcat(public_keys, "/peers/audit.sign.pub");
    ck_assert(witness_open(witness, &fault));
    programs_prepare();
}

static inline void teardown(void)
{
    char folder[700];
    keyring_close();
    arena_free(arena);
    pg_close(pg);
    pg_close(owner);
    store_close(&store);
    unlink(witness);
    unlink(public_keys);
    snprintf(folder, sizeof folder, "%s/%s/audit", getenv("SHIKAKU_VAR"), store.name);
    unlink(folder);
    snprintf(folder, sizeof folder, "%s/%s/peers", getenv("SHIKAKU_VAR"), store.name);
    rmdir(folder);
    *strrchr(folder, '/') = '\0';
    rmdir(folder);
}

#endif
