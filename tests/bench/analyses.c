/* One run of each analysis (deploy/analyses) over the records of use that the log has, each beside a sequential scan of
 * the touches it looks at; first the walk that makes touches of records, beside a scan of those records. audit itself
 * must be stopped; this is its program's own code under its own keys. BENCH_MANAGER: whose; BENCH_DSN: a connection as
 * PostgreSQL's own role. Prints a row each. */
#include "audit/analysis_rules.h"
#include "audit/analysis_steps.h"
#include "chassis/boot.h"
#include "chassis/exchange_store.h"
#include "chassis/journal.h"
#include "chassis/keyring.h"
#include "chassis/programme_keys.h"
#include "chassis/settings.h"
#include "chassis/work.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct setting settings[] = {
    {"SHIKAKU_DSN", SETTING_TEXT, NULL, 0, 0, ""},
    {"SHIKAKU_PROGRAMMES", SETTING_TEXT, "deploy/programmes", 0, 0, ""},
    {"SHIKAKU_ANALYSES", SETTING_TEXT, "deploy/analyses", 0, 0, ""},
    {"SHIKAKU_ANALYSIS_KEEP_DAYS", SETTING_NUMBER, "180", 31, 3660, ""},
};

static const char records_sql[] = "SELECT count(*), sum(length(event)) FROM audit.log";
static const char touches_sql[] =
    "SELECT count(*), sum(persons), max(position), max(at_ms), bit_xor(account), bit_xor(subject) FROM audit.touch "
    "WHERE manager = $1";

static PGconn *server;
static const char *manager;

static void stop(const char *why)
{
    fprintf(stderr, "analyses: %s\n", why);
    exit(EXIT_FAILURE);
}

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The quicker one of two, so that both meet what is in memory. */
static double scan(const char *sql, int values, long *rows)
{
    double best = 0;
    for (int i = 0; i < 2; i++) {
        double from = clock_s();
        PGresult *result = PQexecParams(server, sql, values, NULL, &manager, NULL, NULL, 0);
        double seconds = clock_s() - from;
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            stop(PQresultErrorMessage(result));
        *rows = atol(PQgetvalue(result, 0, 0));
        PQclear(result);
        best = i && best < seconds ? best : seconds;
    }
    return best;
}

static void row_print(const char *what, long rows, const char *of, double seconds, double bound)
{
    printf("| %s, %ld %s | a sequential scan of them: %.2f s | %.2f s | %.1f | |\n", what, rows, of, bound, seconds,
        seconds / bound);
}

static double walk_run(struct work *work)
{
    double from = clock_s();
    int done;
    do {
        work_reset(work);
        done = analysis_walk(work);
    } while (done > 0);
    if (done < 0)
        stop("the log is not walked");
    return clock_s() - from;
}

static double rule_run(struct work *work, const struct analysis_rule *rule)
{
    double from = clock_s();
    int done;
    do {
        work_reset(work);
        done = analysis_step(work, rule, manager, INT64_MAX);
    } while (done > 0);
    if (done < 0)
        stop(rule->name);
    return clock_s() - from;
}

static struct work *work_open(const struct service *service)
{
    struct fault fault = {0};
    struct pg *pg;
    char problem[ANALYSIS_PROBLEM_MAX];
    journal_open("bench");
    if (!settings_read(settings, sizeof settings / sizeof *settings) || !programmes_open())
        stop("a setting is missing");
    if (!analysis_rules_open(setting_text("SHIKAKU_ANALYSES"), setting_number("SHIKAKU_ANALYSIS_KEEP_DAYS"), problem))
        stop(problem);
    if (!pg_open(&pg, setting_text("SHIKAKU_DSN"), &fault) || !keyring_open("audit", pg, NULL, 0, &fault))
        stop(fault_code_text(fault.code));
    exchange_store_open("audit");
    struct work *work = work_new(service);
    if (!work)
        stop("no memory");
    work->pg = pg;
    return work;
}

int main(void)
{
    static const struct service service = {.name = "audit"};
    const struct analysis_rule *rules;
    long count;
    setvbuf(stdout, NULL, _IOLBF, 0);
    manager = getenv("BENCH_MANAGER");
    server = PQconnectdb(getenv("BENCH_DSN") ? getenv("BENCH_DSN") : "");
    if (!manager || PQstatus(server) != CONNECTION_OK)
        stop("BENCH_MANAGER and BENCH_DSN");
    PQclear(PQexec(server,
        "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; "
        "SET max_parallel_workers_per_gather = 0"));
    struct work *work = work_open(&service);
    double walked = walk_run(work), bound = scan(records_sql, 0, &count);
    row_print("walking the log for analyses", count, "records", walked, bound);
    PQclear(PQexec(server, "ANALYZE audit.touch, audit.cause")); /* as autovacuum does, sooner */
    bound = scan(touches_sql, 1, &count);
    for (size_t i = 0, all = analysis_rules(&rules); i < all; i++)
        row_print(rules[i].name, count, "touches", rule_run(work, &rules[i]), bound);
    work_free(work);
    keyring_close();
    PQfinish(server);
    return EXIT_SUCCESS;
}
