#include "kit/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The script prints NAME=value lines, which become this process's settings. */
static int script_run(const char *command)
{
    char line[1024];
    FILE *out = popen(command, "r");

    if (!out)
        return -1;
    while (fgets(line, sizeof(line), out)) {
        char *value = strchr(line, '=');

        line[strcspn(line, "\n")] = '\0';
        if (!value || strncmp(line, "SHIKAKU_", 8) != 0)
            continue;
        *value++ = '\0';
        setenv(line, value, 1);
    }
    return pclose(out);
}

static void dsn_print(const struct store *store, const char *role, char *dsn, size_t size)
{
    const char *run = getenv("SHIKAKU_RUN"), *keys = getenv("SHIKAKU_KEYS");

    snprintf(dsn, size, "host=%s/pg port=5432 dbname=%s user=shikaku_%s passfile=%s/%s/db-password", run ? run : "",
        store->name, role, keys ? keys : "", role);
}

void store_dsn(const struct store *store, const char *service, char *dsn, size_t size)
{
    dsn_print(store, service, dsn, size);
}

/* The programs that were built as this test was: build/check/tests/store/NAME goes with build/check/bin. */
static void bin_set(void)
{
    char path[512], *cut;
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 8);

    if (len <= 0)
        return;
    path[len] = '\0';
    cut = strstr(path, "/tests/");
    if (cut) {
        strcpy(cut, "/bin");
        setenv("SHIKAKU_BIN", path, 1);
    }
}

void store_open(struct store *store, const char *service)
{
    static int made;
    char command[256];

    memset(store, 0, sizeof(*store));
    bin_set();
    setenv("SHIKAKU_AUDIT_FIRST", "off", 1); /* a program that is started on it is alone */
    snprintf(store->service, sizeof(store->service), "%s", service ? service : "all");
    snprintf(store->name, sizeof(store->name), "s_%d_%d", (int)getpid(), made++);
    snprintf(command, sizeof(command), "tests/kit/store-make open %s %s", store->service, store->name);
    if (script_run(command) != 0) {
        fprintf(stderr, "store_open: no database for %s; run `%s` to see why\n", store->service, command);
        exit(EXIT_FAILURE);
    }
    dsn_print(store, service ? service : "owner", store->dsn, sizeof(store->dsn));
    setenv("SHIKAKU_DSN", store->dsn, 1);
    dsn_print(store, "owner", store->owner, sizeof(store->owner));
}

void store_close(struct store *store)
{
    char command[256];

    snprintf(command, sizeof(command), "tests/kit/store-make close %s", store->name);
    if (script_run(command) != 0)
        fprintf(stderr, "store_close: %s was not dropped\n", store->name);
}
