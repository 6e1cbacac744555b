#include "shikakuctl/commands.h"

#include "audit.pb-c.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "shikakuctl/audit_verify.h"
#include "shikakuctl/operator_call.h"

#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define ARENA_BYTES (1024 * 1024)

extern char **environ;

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

static void verdict_print(const struct audit_verdict *verdict)
{
    printf("{\"verified\":%s,\"events\":%" PRIu64 ",\"heads\":%" PRIu64 ",\"uncovered\":%" PRIu64,
        verdict->whole ? "true" : "false", verdict->events, verdict->heads, verdict->uncovered);
    if (verdict->finding)
        printf(",\"finding\":\"%s\",\"at\":%" PRIu64, verdict->finding, verdict->at);
    printf(",\"reconciled\":[");
    for (size_t i = 0; i < verdict->reconciled; i++) {
        const struct audit_reconciled *row = &verdict->reconciliations[i];
        printf("%s{\"at_ms\":%" PRId64 ",\"witness\":%" PRIu64 ",\"log\":%" PRIu64 ",\"lost\":%" PRIu64
               ",\"heads_abandoned\":%" PRIu64 ",\"reason\":\"%s\"}",
            i ? "," : "", row->stated.at_ms, row->stated.from_size, row->stated.to_size,
            audit_reconciliation_lost(&row->stated), row->heads_abandoned, row->reason);
    }
    printf("]}\n");
}

static bool verdict_get(char *dsn, size_t size, struct audit_verdict *verdict)
{
    char public_keys[PATH_MAX];
    struct fault fault = {0};
    struct pg *pg = NULL;
    snprintf(public_keys, sizeof public_keys, "%s/peers/audit.sign.pub", setting_text("SHIKAKU_KEYS"));
    bool known = dsn_print(dsn, size) && pg_open(&pg, dsn, &fault) &&
                 audit_verify(pg, setting_text("SHIKAKU_WITNESS"), public_keys, verdict, &fault);
    pg_close(pg);
    if (!known)
        fprintf(stderr, "the log could not be read: %s %s\n", fault_code_text(fault.code), fault.field);
    return known;
}

int audit_verify_command(int argc, char **argv)
{
    (void)argv;
    char dsn[3 * PATH_MAX];
    static struct audit_verdict verdict;
    if (argc != 0)
        return COMMAND_USAGE;
    if (!verdict_get(dsn, sizeof dsn, &verdict))
        return 1;
    verdict_print(&verdict);
    return !verdict.whole;
}

/* What the log is beside that it is shorter, or younger, than the witness says must be whole: else what is stated now
 * would hide what somebody did. */
static bool is_an_earlier_copy(const struct audit_verdict *verdict)
{
    return !verdict->finding || strcmp(verdict->finding, "log_shorter_than_witness") == 0 ||
           strcmp(verdict->finding, "no_signed_head") == 0 ||
           (strcmp(verdict->finding, "reconciliation_not_in_log") == 0 && verdict->at == verdict->events);
}

int audit_reconcile_command(int argc, char **argv)
{
    char dsn[3 * PATH_MAX], program[PATH_MAX];
    static struct audit_verdict verdict;
    char *words[] = {program, "--reconcile", argc ? argv[0] : NULL, NULL};
    pid_t pid;
    int status;
    if (argc != 1)
        return COMMAND_USAGE;
    if (!verdict_get(dsn, sizeof dsn, &verdict))
        return 1;
    if (!is_an_earlier_copy(&verdict)) {
        verdict_print(&verdict);
        fprintf(stderr, "this is no earlier copy of the log: restore a whole one\n");
        return 1;
    }
    snprintf(program, sizeof program, "%s/shikaku-audit", setting_text("SHIKAKU_BIN"));
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
