#include "kit/stack.h"

#include <libpq-fe.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool open_now;
static pid_t opened_by;

static bool run(const char *const *words)
{
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)words, environ) != 0)
        return false;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool stack_do(const char *what, const char *name)
{
    return run((const char *const[]){"deploy/stack", what, name, NULL});
}

/* One line of `export -p`: declare -x NAME="value". */
static void environment_take(char *line)
{
    static const char head[] = "declare -x ";
    char *equals = strstr(line, "=\"");
    if (strncmp(line, head, sizeof head - 1) != 0 || !equals)
        return;
    *equals = '\0';
    char *value = equals + 2;
    value[strcspn(value, "\"\n")] = '\0';
    setenv(line + sizeof head - 1, value, 1);
}

static bool environment_read(void)
{
    char line[4096];
    FILE *lines = popen("deploy/stack env audit", "r");
    while (lines && fgets(line, sizeof line, lines))
        environment_take(line);
    return lines && pclose(lines) == 0;
}

/* The folder of this build, from where this very program lies: build/check/tests/flow/x. */
static bool build_find(char *folder, size_t size)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0)
        return false;
    self[len] = '\0';
    char *tests = strstr(self, "/tests/");
    for (char *later = tests; later && (later = strstr(later + 1, "/tests/"));)
        tests = later;
    if (!tests)
        return false;
    *tests = '\0';
    snprintf(folder, size, "%s", self);
    return true;
}

bool stack_open(const char *name, int port_base)
{
    char build[PATH_MAX], text[PATH_MAX + 64];
    if (!build_find(build, sizeof build))
        return false;
    snprintf(text, sizeof text, "%s/var-%s", build, name);
    setenv("SHIKAKU_VAR", text, 1);
    snprintf(text, sizeof text, "%s/bin", build);
    setenv("SHIKAKU_BIN", text, 1);
    snprintf(text, sizeof text, "%d", port_base);
    setenv("SHIKAKU_PORT_BASE", text, 1);
    setenv("SHIKAKU_CRL_SECONDS", "1", 0);
    setenv("SHIKAKU_READY_SECONDS", "120", 0);
    stack_do("stop", NULL);
    run((const char *const[]){"deploy/cluster", "remove", NULL});
    run((const char *const[]){"rm", "-rf", getenv("SHIKAKU_VAR"), NULL});
    opened_by = getpid();
    open_now = true;
    atexit(stack_close);
    if (!stack_do("start", NULL) || !environment_read()) {
        fprintf(stderr, "the stack %s did not start\n", name);
        return false;
    }
    return true;
}

/* Check forks for each test; only the program itself may stop what it started. */
void stack_close(void)
{
    if (!open_now || getpid() != opened_by)
        return;
    open_now = false;
    stack_do("stop", NULL);
    run((const char *const[]){"deploy/cluster", "remove", NULL});
}

bool stack_is_clean(void)
{
    char command[PATH_MAX + 128];
    snprintf(command, sizeof command, "! grep -E -A6 'Sanitizer|runtime error:' '%s'/*.log >&2", getenv("SHIKAKU_LOG"));
    return system(command) == 0;
}

long stack_count(const char *sql)
{
    char dsn[PATH_MAX + 128];
    snprintf(dsn, sizeof dsn, "host=%s/pg port=5432 dbname=shikaku user=postgres passfile=%s/postgres/db-password",
        getenv("SHIKAKU_RUN"), getenv("SHIKAKU_KEYS"));
    PGconn *conn = PQconnectdb(dsn);
    PGresult *result = PQexec(conn, sql);
    long count = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) ? atol(PQgetvalue(result, 0, 0)) : -1;
    if (count < 0)
        fprintf(stderr, "%s", PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    return count;
}
