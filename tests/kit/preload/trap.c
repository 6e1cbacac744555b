/* Ends a program with SIGKILL at a named point, for tests of what a dying service leaves behind. Loaded before libpq
 * and nng by LD_PRELOAD; the program knows nothing of it. $TRAP_FILE holds, mapped, the point that is armed (trap.h).
 * Each thread's statements are followed on its connection, so that the points are of one request or one relay. */
#include "kit/preload/trap.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <nng/nng.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STATEMENTS 256
#define QUEUE 256

static struct trap *armed;

/* What this thread has prepared and sent, and which answers it waits for. */
static _Thread_local struct {
    char names[STATEMENTS][24];
    const char *texts[STATEMENTS];
    int count;
    const char *queue[QUEUE];
    int first, last;
    char wrote[32]; /* the table of the house that the open transaction wrote to, last */
    bool commits, serves, knows;
} thread;

__attribute__((constructor)) static void trap_open(void)
{
    const char *path = getenv("TRAP_FILE");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof *armed, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        armed = mapped;
}

static void reach(enum trap_when when, const char *what)
{
    if (!armed || armed->when != when || !strstr(what, armed->what) ||
        (armed->within[0] && strcmp(thread.wrote, armed->within) != 0))
        return;
    armed->when = TRAP_NOWHERE;
    armed->sprung = true;
    raise(SIGKILL);
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

/* --- libpq ----------------------------------------------------------------------------------------------------------
 */

static void queue_put(const char *text)
{
    thread.queue[thread.last++ % QUEUE] = text;
}

int PQsendPrepare(PGconn *conn, const char *name, const char *text, int count, const Oid *types)
{
    int (*next)(PGconn *, const char *, const char *, int, const Oid *) = real("PQsendPrepare");
    if (thread.count < STATEMENTS) {
        snprintf(thread.names[thread.count], sizeof *thread.names, "%s", name);
        thread.texts[thread.count++] = text; /* the program's own constants */
    }
    queue_put("PREPARE");
    return next(conn, name, text, count, types);
}

static const char *text_of(const char *name)
{
    for (int i = thread.count; i > 0; i--)
        if (strcmp(thread.names[i - 1], name) == 0)
            return thread.texts[i - 1];
    return "";
}

static void transaction_follow(const char *text)
{
    static const char *const tables[] = {"inbox", "audit_outbox"};
    if (strcmp(text, "BEGIN") == 0)
        thread.wrote[0] = '\0';
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char insert[64], remove[64];
        snprintf(insert, sizeof insert, "INSERT INTO vault.%s ", tables[i]);
        snprintf(remove, sizeof remove, "DELETE FROM vault.%s ", tables[i]);
        if (strncmp(text, insert, strlen(insert)) == 0 && strcmp(tables[i], "inbox") == 0)
            snprintf(thread.wrote, sizeof thread.wrote, "request");
        if (strncmp(text, remove, strlen(remove)) == 0 && strcmp(tables[i], "audit_outbox") == 0)
            snprintf(thread.wrote, sizeof thread.wrote, "relay");
    }
    thread.commits = thread.commits || strcmp(text, "COMMIT") == 0;
}

int PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values, const int *lengths,
    const int *formats, int result)
{
    int (*next)(PGconn *, const char *, int, const char *const *, const int *, const int *, int) =
        real("PQsendQueryPrepared");
    const char *text = text_of(name);
    transaction_follow(text);
    reach(TRAP_BEFORE, text);
    queue_put(text);
    return next(conn, name, count, values, lengths, formats, result);
}

/* Everything queued has left for the server when this returns. */
int PQpipelineSync(PGconn *conn)
{
    int (*next)(PGconn *) = real("PQpipelineSync");
    int sent = next(conn);
    if (thread.commits)
        reach(TRAP_SENT, "COMMIT");
    thread.commits = false;
    return sent;
}

PGresult *PQgetResult(PGconn *conn)
{
    PGresult *(*next)(PGconn *) = real("PQgetResult");
    PGresult *result = next(conn);
    if (!result || PQresultStatus(result) == PGRES_PIPELINE_SYNC || thread.first == thread.last)
        return result;
    reach(TRAP_AFTER, thread.queue[thread.first++ % QUEUE]);
    return result;
}

/* --- nng ------------------------------------------------------------------------------------------------------------
 */

/* A thread that receives first serves requests; one that sends first makes them. */
void nng_ctx_recv(nng_ctx ctx, nng_aio *aio)
{
    void (*next)(nng_ctx, nng_aio *) = real("nng_ctx_recv");
    thread.serves = thread.knows ? thread.serves : true;
    thread.knows = true;
    next(ctx, aio);
}

void nng_ctx_send(nng_ctx ctx, nng_aio *aio)
{
    void (*next)(nng_ctx, nng_aio *) = real("nng_ctx_send");
    thread.serves = thread.knows ? thread.serves : false;
    thread.knows = true;
    reach(TRAP_BEFORE, thread.serves ? "message:reply" : "message:audit");
    next(ctx, aio);
    if (armed && armed->when == TRAP_AFTER) {
        nng_aio_wait(aio);
        reach(TRAP_AFTER, thread.serves ? "message:reply" : "message:audit");
    }
}
