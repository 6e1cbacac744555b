#include "shikakuctl/commands.h"

#include "audit.pb-c.h"
#include "chassis/settings.h"
#include "chassis/work.h"
#include "shikakuctl/audit_verify.h"
#include "shikakuctl/operator_call.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES (1024 * 1024)

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
    printf("}\n");
}

int audit_verify_command(int argc, char **argv)
{
    (void)argv;
    char dsn[3 * PATH_MAX], public_keys[PATH_MAX];
    struct audit_verdict verdict;
    struct fault fault = {0};
    struct pg *pg = NULL;
    if (argc != 0)
        return COMMAND_USAGE;
    snprintf(public_keys, sizeof public_keys, "%s/peers/audit.sign.pub", setting_text("SHIKAKU_KEYS"));
    bool known = dsn_print(dsn, sizeof dsn) && pg_open(&pg, dsn, &fault) &&
                 audit_verify(pg, setting_text("SHIKAKU_WITNESS"), public_keys, &verdict, &fault);
    pg_close(pg);
    if (!known) {
        fprintf(stderr, "the log could not be read: %s %s\n", fault_code_text(fault.code), fault.field);
        return 1;
    }
    verdict_print(&verdict);
    return !verdict.whole;
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
