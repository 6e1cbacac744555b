#include "chassis/pg.h"
#include "chassis/route.h"
#include "chassis/settings.h"
#include "shikakuctl/commands.h"
#include "shikakuctl/keys_store.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PARTIES_MAX 32
#define DSN_MAX (3 * PATH_MAX)

extern char **environ;

static const struct setting settings[] = {
    {"SHIKAKU_SERVICE_DSN", SETTING_TEXT, "", 0, 0,
        "How to reach a service's schema; SERVICE stands for its name. Empty: its role in the private cluster."},
};

static const char *const kinds[] = {"data", "index", "issue", "seal", "sign", "wrap"};

/* The services and the operator: who has a token. */
static size_t parties_list(const char *names[PARTIES_MAX])
{
    size_t count = 0;
    for (unsigned party = PARTY_PORTAL; party <= PARTY_OPERATOR && count < PARTIES_MAX; party <<= 1)
        if (party != PARTY_AGENCY)
            names[count++] = party_name((enum party)party);
    return count;
}

static bool has_schema(const char *name)
{
    return strcmp(name, "portal") != 0 && strcmp(name, "operator") != 0;
}

/* --- init ----------------------------------------------------------------------------------------------------------
 */

#define FILES 3 /* the token's PIN, the wrapped key on the bus, its public half */

static bool file_find(size_t file, const char *name, struct stat *state)
{
    char path[PATH_MAX];
    const char *keys = setting_text("SHIKAKU_KEYS");
    int len = file == 0   ? snprintf(path, sizeof path, "%s/%s/pin", keys, name)
              : file == 1 ? snprintf(path, sizeof path, "%s/%s/bus.wrapped", keys, name)
                          : snprintf(path, sizeof path, "%s/peers/%s.pub", keys, name);
    return len < (int)sizeof path && stat(path, state) == 0 && state->st_size > 0;
}

/* One process each, at once: a token takes its time. What is there stays. */
int keys_init_command(int argc, char **argv)
{
    const char *names[PARTIES_MAX];
    pid_t running[PARTIES_MAX] = {0};
    char path[PATH_MAX];
    bool all = true;
    (void)argv;
    if (argc != 0)
        return COMMAND_USAGE;
    snprintf(path, sizeof path, "%s/shikaku-keyhelper", setting_text("SHIKAKU_BIN"));
    size_t count = parties_list(names);
    for (size_t i = 0; i < count; i++) {
        char *words[] = {path, "--make", (char *)names[i], NULL};
        struct stat state;
        bool there = true;
        for (size_t file = 0; file < FILES; file++)
            there &= file_find(file, names[i], &state);
        if (!there && posix_spawn(&running[i], path, NULL, NULL, words, environ) != 0)
            all = false;
    }
    for (size_t i = 0; i < count; i++) {
        int status = 0;
        if (running[i] && (waitpid(running[i], &status, 0) != running[i] || status != 0)) {
            fprintf(stderr, "no token for %s; see above\n", names[i]);
            all = false;
        }
    }
    return !all;
}

/* --- a service's schema --------------------------------------------------------------------------------------------
 */

/* libpq takes a folder for a socket only by its full path. */
static bool dsn_print(char dsn[DSN_MAX], const char *service)
{
    char run[PATH_MAX], keys[PATH_MAX];
    const char *given = setting_text("SHIKAKU_SERVICE_DSN"), *word;
    size_t used = 0;
    if (!*given) {
        if (!realpath(setting_text("SHIKAKU_BUS"), run) || !realpath(setting_text("SHIKAKU_KEYS"), keys))
            return false;
        return snprintf(dsn, DSN_MAX, "host=%s/pg port=5432 dbname=shikaku user=shikaku_%s passfile=%s/%s/db-password",
                   run, service, keys, service) < DSN_MAX;
    }
    for (; (word = strstr(given, "SERVICE")); given = word + strlen("SERVICE"))
        if ((used += (size_t)snprintf(dsn + used, DSN_MAX - used, "%.*s%s", (int)(word - given), given, service)) >=
            DSN_MAX)
            return false;
    return used + (size_t)snprintf(dsn + used, DSN_MAX - used, "%s", given) < DSN_MAX;
}

static struct pg *schema_open(const char *service, struct fault *fault)
{
    char dsn[DSN_MAX];
    struct pg *pg = NULL;
    if (!settings_read(settings, sizeof settings / sizeof *settings) || !keys_store_open(service) ||
        !dsn_print(dsn, service) || !pg_open(&pg, dsn, fault))
        fprintf(stderr, "%s: its schema cannot be reached\n", service);
    return pg;
}

/* --- rotate --------------------------------------------------------------------------------------------------------
 */

static bool is_kind(const char *text)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i], text) == 0)
            return true;
    return false;
}

/* The service does it, and goes on with it after a restart: `keys status` tells how far it is. */
int keys_rotate_command(int argc, char **argv)
{
    struct fault fault = {0};
    enum party party;
    int64_t asked = 0;
    if (argc < 2 || argc > 3 || !party_find(argv[0], &party) || !has_schema(argv[0]) || !is_kind(argv[1]))
        return COMMAND_USAGE;
    struct pg *pg = schema_open(argv[0], &fault);
    bool done = pg && rotation_ask(pg, argv[1], argc == 3 ? argv[2] : NULL, &asked, &fault);
    pg_close(pg);
    if (!done) {
        fprintf(stderr, "%s %s\n", fault_code_text(fault.code), fault.field);
        return 1;
    }
    if (asked == 0)
        fprintf(stderr, "nothing to replace: no such key, or it is being replaced already\n");
    else
        printf("asked for %lld\n", (long long)asked);
    return asked == 0;
}

/* --- status --------------------------------------------------------------------------------------------------------
 */

static void file_show(size_t file, const char *name, bool *all)
{
    static const char *const what[FILES] = {"token", "bus secret", "bus public"};
    struct stat state;
    char day[16] = "missing";
    bool there = file_find(file, name, &state);
    struct tm made;
    if (there && gmtime_r(&state.st_mtime, &made))
        strftime(day, sizeof day, "%Y-%m-%d", &made);
    printf("%-13s %-10s %-10s %5s %-9s %s\n", name, "*", what[file], "", there ? "" : "missing", day);
    *all &= there;
}

static bool schema_show(const char *service)
{
    struct fault fault = {0};
    struct pg *pg = schema_open(service, &fault);
    PGresult *keys = pg ? keys_list(pg, &fault) : NULL, *rotations = keys ? rotations_list(pg, &fault) : NULL;
    for (int i = 0; keys && i < PQntuples(keys); i++) {
        const char *retired = PQgetvalue(keys, i, 5);
        printf("%-13s %-10s %-10s %5s %-9s %s %s days%s%s\n", service, PQgetvalue(keys, i, 0), PQgetvalue(keys, i, 1),
            PQgetvalue(keys, i, 2), PQgetvalue(keys, i, 3), PQgetvalue(keys, i, 4), PQgetvalue(keys, i, 6),
            *retired ? ", retired " : "", retired);
    }
    for (int i = 0; rotations && i < PQntuples(rotations); i++)
        printf("%-13s %-10s %-10s being replaced: %s, %s of %s rows, since %s\n", service, PQgetvalue(rotations, i, 0),
            PQgetvalue(rotations, i, 1), PQgetvalue(rotations, i, 2), PQgetvalue(rotations, i, 3),
            PQgetvalue(rotations, i, 4), PQgetvalue(rotations, i, 5));
    bool shown = rotations != NULL;
    PQclear(rotations);
    PQclear(keys);
    pg_close(pg);
    return shown;
}

int keys_status_command(int argc, char **argv)
{
    const char *names[PARTIES_MAX];
    size_t count = parties_list(names);
    bool all = true, any = false;
    if (argc > 1)
        return COMMAND_USAGE;
    for (size_t i = 0; i < count; i++) {
        if (argc == 1 && strcmp(argv[0], names[i]) != 0)
            continue;
        any = true;
        for (size_t file = 0; file < FILES; file++)
            file_show(file, names[i], &all);
        if (has_schema(names[i]))
            all &= schema_show(names[i]);
    }
    return any ? !all : COMMAND_USAGE;
}
