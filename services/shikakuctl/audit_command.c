#include "shikakuctl/commands.h"

#include "audit.pb-c.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "shikakuctl/log_export.h"
#include "shikakuctl/operator_call.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#define ARENA_BYTES (1024 * 1024)
#define VERDICT_BYTES 32768 /* with every reconciliation and gap that it lists */

/* libpq takes a folder for a socket only by its full path. */
static bool dsn_print(char *dsn, size_t size)
{
    char run[PATH_MAX], keys[PATH_MAX];
    const char *given = setting_text("SHIKAKU_DSN");
    int len;
    if (*given)
        len = snprintf(dsn, size, "%s", given);
    else if (realpath(setting_text("SHIKAKU_BUS"), run) && realpath(setting_text("SHIKAKU_KEYS"), keys))
        len = snprintf(dsn, size,
            "host=%s/pg port=5432 dbname=shikaku user=shikaku_audit passfile=%s/audit/db-password", run, keys);
    else
        return false;
    return len > 0 && (size_t)len < size;
}

static bool log_reach(struct pg **pg, struct fault *fault)
{
    char dsn[3 * PATH_MAX];
    return dsn_print(dsn, sizeof dsn) ? pg_open(pg, dsn, fault) : fault_set(fault, FAULT_unavailable, "SHIKAKU_BUS");
}

static int told(bool done, const struct fault *fault)
{
    if (!done)
        fprintf(stderr, "the log could not be read: %s %s\n", fault_code_text(fault->code), fault->field);
    return !done;
}

int audit_export_command(int argc, char **argv)
{
    struct fault fault = {0};
    struct pg *pg = NULL;
    if (argc != 1)
        return COMMAND_USAGE;
    FILE *file = strcmp(argv[0], "-") == 0 ? stdout : fopen(argv[0], "we");
    bool done =
        file ? log_reach(&pg, &fault) && log_export(pg, file, &fault) : fault_set(&fault, FAULT_unavailable, argv[0]);
    if (file && fclose(file) != 0 && done)
        done = fault_set(&fault, FAULT_unavailable, "file");
    pg_close(pg);
    return told(done, &fault);
}

int audit_prove_command(int argc, char **argv)
{
    struct fault fault = {0};
    struct pg *pg = NULL;
    char *end = "";
    if (argc != 2)
        return COMMAND_USAGE;
    uint64_t number = strtoull(argv[1], &end, 10);
    bool record = strcmp(argv[0], "record") == 0, head = strcmp(argv[0], "head") == 0;
    if (*end || end == argv[1] || (!record && !head))
        return COMMAND_USAGE;
    bool done = log_reach(&pg, &fault) && (record ? inclusion_export(pg, number, stdout, &fault)
                                                  : consistency_export(pg, number, stdout, &fault));
    pg_close(pg);
    return told(done, &fault);
}

/* The verifier, as a child that reads an export and writes its verdict. */
struct verifier {
    pid_t pid;
    FILE *export, *verdict;
};

/* The log goes on meanwhile: with heads that are younger than the export it would seem to be cut. */
static int heads_copy(void)
{
    char piece[65536];
    ssize_t size = 0, written = 0;
    int from = open(setting_text("SHIKAKU_WITNESS"), O_RDONLY | O_CLOEXEC), copy = memfd_create("heads", MFD_CLOEXEC);
    while (from >= 0 && copy >= 0 && size == written && (size = read(from, piece, sizeof piece)) > 0)
        written = write(copy, piece, (size_t)size);
    if (from >= 0)
        close(from);
    if (from >= 0 && copy >= 0 && size == 0)
        return copy;
    if (copy >= 0)
        close(copy);
    return -1;
}

static bool verifier_start(struct verifier *verifier, int heads)
{
    char path[PATH_MAX], public_keys[PATH_MAX];
    char *argv[] = {path, "log", "-", "/dev/fd/3", public_keys, NULL};
    posix_spawn_file_actions_t actions;
    int in[2], out[2];
    snprintf(path, sizeof path, "%s/shikaku-audit-verify", setting_text("SHIKAKU_BIN"));
    snprintf(public_keys, sizeof public_keys, "%s/peers/audit.sign.pub", setting_text("SHIKAKU_KEYS"));
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, heads, STDERR_FILENO + 1);
    bool started = posix_spawn(&verifier->pid, path, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    verifier->export = fdopen(in[1], "w");
    verifier->verdict = fdopen(out[0], "r");
    return started && verifier->export && verifier->verdict;
}

/* A finding ends the verifier before it has read all: then the export cannot be written to its end, and need not be.
 * Its verdict is one line; false, and why was said, where there is none. */
static bool verdict_get(char *line, size_t size, bool *whole)
{
    struct fault fault = {0};
    struct pg *pg = NULL;
    struct verifier verifier;
    int status = -1, heads = heads_copy();
    if (heads < 0)
        fault_set(&fault, FAULT_unavailable, "SHIKAKU_WITNESS");
    bool started = heads >= 0 && log_reach(&pg, &fault) && verifier_start(&verifier, heads);
    if (heads >= 0)
        close(heads);
    if (!started) {
        pg_close(pg);
        return !told(false, &fault);
    }
    bool exported = log_export(pg, verifier.export, &fault);
    fclose(verifier.export);
    pg_close(pg);
    bool said = fgets(line, (int)size, verifier.verdict) != NULL;
    fclose(verifier.verdict);
    bool ended = waitpid(verifier.pid, &status, 0) == verifier.pid && WIFEXITED(status);
    *whole = ended && WEXITSTATUS(status) == 0;
    return said && ended && WEXITSTATUS(status) <= 1 && (exported || !*whole) ? true : !told(false, &fault);
}

int audit_verify_command(int argc, char **argv)
{
    (void)argv;
    static char verdict[VERDICT_BYTES];
    bool whole;
    if (argc != 0)
        return COMMAND_USAGE;
    if (!verdict_get(verdict, sizeof verdict, &whole))
        return 1;
    fputs(verdict, stdout);
    return !whole;
}

/* What the log is beside that it is shorter, or younger, than the witness says must be whole: else what is stated now
 * would hide what somebody did. */
static bool is_an_earlier_copy(const char *verdict)
{
    json_t *said = json_loads(verdict, 0, NULL);
    const char *finding = json_string_value(json_object_get(said, "finding"));
    bool is = !finding || strcmp(finding, "log_shorter_than_witness") == 0 || strcmp(finding, "no_signed_head") == 0 ||
              (strcmp(finding, "reconciliation_not_in_log") == 0 &&
                  json_equal(json_object_get(said, "at"), json_object_get(said, "events")));
    is = is && said;
    json_decref(said);
    return is;
}

int audit_reconcile_command(int argc, char **argv)
{
    static char dsn[3 * PATH_MAX], program[PATH_MAX], verdict[VERDICT_BYTES];
    char *words[] = {program, "--reconcile", argc ? argv[0] : NULL, NULL};
    pid_t pid;
    int status;
    bool whole;
    if (argc != 1)
        return COMMAND_USAGE;
    if (!verdict_get(verdict, sizeof verdict, &whole))
        return 1;
    if (!is_an_earlier_copy(verdict)) {
        fputs(verdict, stdout);
        fprintf(stderr, "this is no earlier copy of the log: restore a whole one\n");
        return 1;
    }
    snprintf(program, sizeof program, "%s/shikaku-audit", setting_text("SHIKAKU_BIN"));
    if (dsn_print(dsn, sizeof dsn))
        setenv("SHIKAKU_DSN", dsn, 1);
    return posix_spawn(&pid, program, NULL, NULL, words, environ) != 0 || waitpid(pid, &status, 0) != pid ||
           !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

int audit_status_command(int argc, char **argv)
{
    (void)argv;
    Audit__StatusRequest request = AUDIT__STATUS_REQUEST__INIT;
    ProtobufCMessage *reply;
    char root[65];
    if (argc != 0)
        return COMMAND_USAGE;
    struct arena *arena = arena_new(ARENA_BYTES);
    bool answered = arena && operator_call(arena, ROUTE_audit_status, NULL, &request.base, &reply);
    const Audit__StatusReply *status = answered ? (const Audit__StatusReply *)reply : NULL;
    if (status && status->root.len == 32) {
        hex_put(root, status->root.data, 32);
        printf("{\"events\":%" PRIu64 ",\"signed_events\":%" PRIu64 ",\"root\":\"%s\"}\n", status->events,
            status->signed_events, root);
    }
    arena_free(arena);
    return !status;
}

int audit_gaps_command(int argc, char **argv)
{
    (void)argv;
    Audit__GapsRequest request = AUDIT__GAPS_REQUEST__INIT;
    ProtobufCMessage *reply;
    if (argc != 0)
        return COMMAND_USAGE;
    struct arena *arena = arena_new(ARENA_BYTES);
    bool answered = arena && operator_call(arena, ROUTE_audit_gaps, NULL, &request.base, &reply);
    const Audit__GapsReply *gaps = answered ? (const Audit__GapsReply *)reply : NULL;
    for (size_t i = 0; gaps && i < gaps->n_gaps; i++) {
        const Audit__Gap *gap = gaps->gaps[i];
        printf("{\"chain\":\"%s/%s/%" PRIu32 "\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"found_at_ms\":%" PRId64
               ",\"released_at_ms\":%" PRId64 ",\"reason\":\"%s\"}\n",
            gap->service, gap->instance, gap->worker, gap->from, gap->to, gap->found_at_ms, gap->released_at_ms,
            gap->reason);
    }
    arena_free(arena);
    return !gaps;
}

/* CHAIN as `audit gaps` prints it: SERVICE/INSTANCE/WORKER. */
int audit_release_command(int argc, char **argv)
{
    Audit__ReleaseRequest request = AUDIT__RELEASE_REQUEST__INIT;
    ProtobufCMessage *reply;
    char service[32], instance[37], act[37], rest;
    if (argc != 2 ||
        sscanf(argv[0], "%31[a-z_]/%36[0-9a-f-]/%" SCNu32 "%c", service, instance, &request.worker, &rest) != 3)
        return COMMAND_USAGE;
    request.service = service;
    request.instance = instance;
    request.reason = argv[1];
    struct arena *arena = arena_new(ARENA_BYTES);
    uuid_make(act);
    bool done = arena && operator_call(arena, ROUTE_audit_release, act, &request.base, &reply);
    if (done)
        printf("{\"released\":true,\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n",
            ((const Audit__ReleaseReply *)reply)->from, ((const Audit__ReleaseReply *)reply)->to);
    arena_free(arena);
    return !done;
}
