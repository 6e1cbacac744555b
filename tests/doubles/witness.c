/* Plays a second witness on another host: keeps the heads of the log of records of use as they come.
 *
 *   POST /heads?at=N     lines as in services/audit_verify/README.md (text/plain), where it has N bytes
 *                        of lines; 200. Else 409 not_here; and 409 size_went_back where a head is over
 *                        less than one before it and nothing was reconciled between them.
 *   GET  /heads/newest   200 the last line; 204: there is none
 *   GET  /heads          200 all lines: what a verifier is given */
#include "doubles/double.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 512

struct witness {
    char *lines;
    size_t len;
};

static void lines_apply(void *state, const char *kind, const char *key, json_t *body)
{
    struct witness *witness = state;
    const char *lines = json_string_value(body);
    size_t len = lines ? strlen(lines) : 0;
    (void)kind, (void)key;
    char *more = realloc(witness->lines, witness->len + len + 1);
    if (!more)
        abort();
    memcpy(more + witness->len, lines ? lines : "", len + 1);
    witness->lines = more;
    witness->len += len;
}

static const char *newest(const struct witness *witness)
{
    const char *at = witness->lines + witness->len - 1;
    while (at > witness->lines && at[-1] != '\n')
        at--;
    return at;
}

/* "SIZE …"; "reconciled SIZE ROOT SIZE …" goes on from the second size. */
static unsigned long long size_of(const char *line)
{
    char word[LINE_MAX_BYTES];
    unsigned long long size = 0;
    if (sscanf(line, "reconciled %511s %511s %llu", word, word, &size) != 3)
        size = strtoull(line, NULL, 10);
    return size;
}

static void heads_take(struct double_exchange *x)
{
    struct witness *witness = x->state;
    unsigned long long size = witness->len ? size_of(newest(witness)) : 0;
    const char *at = double_query(x, "at");
    if (!at || strtoul(at, NULL, 10) != witness->len) {
        double_refuse(x, 409, "not_here", "at");
        return;
    }
    char *lines = strndup((const char *)x->body, x->body_size);
    for (char *line = lines; line && *line; line = strchr(line, '\n') + 1) {
        if (!strchr(line, '\n') || (size_of(line) < size && strncmp(line, "reconciled ", 11) != 0)) {
            free(lines);
            double_refuse(x, 409, "size_went_back", "");
            return;
        }
        size = size_of(line);
    }
    double_record(x->server, "heads", "", json_string(lines));
    free(lines);
    double_answer(x, 200, NULL);
}

static void newest_tell(struct double_exchange *x)
{
    const struct witness *witness = x->state;
    if (witness->len)
        double_answer_bytes(x, 200, "text/plain", newest(witness), strlen(newest(witness)));
    else
        double_answer(x, 204, NULL);
}

static void heads_tell(struct double_exchange *x)
{
    const struct witness *witness = x->state;
    double_answer_bytes(x, 200, "text/plain", witness->lines ? witness->lines : "", witness->len);
}

static void lines_free(void *state)
{
    free(((struct witness *)state)->lines);
}

int main(int argc, char **argv)
{
    static struct witness witness;
    static const struct double_route routes[] = {
        {"POST", "/heads", heads_take}, {"GET", "/heads/newest", newest_tell}, {"GET", "/heads", heads_tell}};
    const struct double_spec spec = {.name = "witness",
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .state = &witness,
        .apply = lines_apply,
        .stop = lines_free};
    return double_run(&spec, argc, argv);
}
