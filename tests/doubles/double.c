#include "doubles/double.h"
#include "doubles/double_call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/rand.h>

#define RULES_MAX 32
#define PATH_SIZE 512

enum mode { MODE_ANSWER, MODE_REFUSE, MODE_DELAY, MODE_FAIL, MODE_HANG, MODE_LOSE, MODES };
static const char *const mode_names[MODES] = {"answer", "refuse", "delay", "fail", "hang", "lose"};

struct rule {
    enum mode mode;
    char path[PATH_SIZE];
    unsigned ms;
    long left; /* -1: until changed */
};

struct double_server {
    const struct double_spec *spec;
    int argc;
    char **argv;
    struct event_base *base;
    struct evhttp *http;
    struct calls *calls;
    char folder[PATH_SIZE];
    char ledger_path[PATH_SIZE + 16];
    int ledger;
    json_int_t rows;
    unsigned open_exchanges;
    struct rule rules[RULES_MAX];
    size_t rule_count;
};

struct exchange {
    struct double_exchange seen; /* first: the handler's view of it */
    struct evhttp_request *request;
    struct evkeyvalq query;
    char *path;
    char *pieces; /* the path once more, cut at the slashes */
    const struct double_route *route;
    bool lost; /* answer by closing the connection */
};

static void die(const char *what)
{
    fprintf(stderr, "double: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *must_alloc(void *p)
{
    if (!p)
        die("memory");
    return p;
}

/* --- options --------------------------------------------------------------------------------------------------- */

const char *double_option(const struct double_server *server, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < server->argc; i += 2) {
        if (strncmp(server->argv[i], "--", 2) == 0 && strcmp(server->argv[i] + 2, name) == 0) {
            return server->argv[i + 1];
        }
    }
    char variable[64];
    snprintf(variable, sizeof variable, "DOUBLE_%s", name);
    for (char *c = variable; *c; c++) {
        *c = *c == '-' ? '_' : (*c >= 'a' && *c <= 'z') ? (char)(*c - 'a' + 'A') : *c;
    }
    const char *given = getenv(variable);
    return given && *given ? given : otherwise;
}

const char *double_state_folder(const struct double_server *server)
{
    return server->folder;
}

struct event_base *double_base(struct double_server *server)
{
    return server->base;
}

void double_id_make(char out[DOUBLE_ID_SIZE])
{
    unsigned char raw[16];
    if (RAND_bytes(raw, sizeof raw) != 1)
        die("random");
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

static void folder_make(const char *path)
{
    char partial[PATH_SIZE + 1];
    snprintf(partial, sizeof partial, "%s/", path);
    for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(partial, 0700) != 0 && errno != EEXIST) {
            die(partial);
        }
        *slash = '/';
    }
}

/* --- ledger ---------------------------------------------------------------------------------------------------- */

static void ledger_apply(struct double_server *server, json_t *row)
{
    const char *kind = json_string_value(json_object_get(row, "kind"));
    const char *key = json_string_value(json_object_get(row, "key"));
    if (kind && key && server->spec->apply) {
        server->spec->apply(server->spec->state, kind, key, json_object_get(row, "body"));
    }
}

/* Call each(row, arg) for every whole line; returns where the last whole line ends. */
static long ledger_read(const struct double_server *server, void (*each)(json_t *row, void *arg), void *arg)
{
    FILE *in = fopen(server->ledger_path, "re");
    char *line = NULL;
    size_t room = 0;
    long end = 0;
    if (!in) {
        return 0;
    }
    for (ssize_t n; (n = getline(&line, &room, in)) > 0;) {
        json_t *row = line[n - 1] == '\n' ? json_loadb(line, (size_t)n, 0, NULL) : NULL;
        if (!row) {
            break;
        }
        each(row, arg);
        json_decref(row);
        end += n;
    }
    free(line);
    fclose(in);
    return end;
}

static void ledger_replay_row(json_t *row, void *arg)
{
    struct double_server *server = arg;
    server->rows++;
    ledger_apply(server, row);
}

static void ledger_open(struct double_server *server)
{
    snprintf(server->ledger_path, sizeof server->ledger_path, "%s/ledger.jsonl", server->folder);
    long end = ledger_read(server, ledger_replay_row, server);
    server->ledger = open(server->ledger_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    /* A line cut off by a kill was never answered for: it goes, so that the next row starts a line of its own. */
    if (server->ledger < 0 || ftruncate(server->ledger, end) != 0) {
        die(server->ledger_path);
    }
}

static json_int_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (json_int_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void double_record(struct double_server *server, const char *kind, const char *key, json_t *body_take)
{
    json_t *row =
        must_alloc(json_pack("{sI ss ss so?}", "n", server->rows + 1, "kind", kind, "key", key, "body", body_take));
    json_object_set_new(row, "at", json_integer(now_ms()));
    char *text = must_alloc(json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS));
    size_t size = strlen(text);
    text[size] = '\n'; /* in place of the terminator: one write, so one whole line or a cut one */
    if (write(server->ledger, text, size + 1) != (ssize_t)(size + 1)) {
        die(server->ledger_path);
    }
    server->rows++;
    ledger_apply(server, row);
    free(text);
    json_decref(row);
}

struct ledger_question {
    const char *key, *kind;
    json_t *rows;
};

static bool matches(json_t *row, const char *member, const char *wanted)
{
    const char *is = json_string_value(json_object_get(row, member));
    return !wanted || (is && strcmp(is, wanted) == 0);
}

static void ledger_select_row(json_t *row, void *arg)
{
    struct ledger_question *question = arg;
    if (matches(row, "key", question->key) && matches(row, "kind", question->kind)) {
        json_array_append(question->rows, row);
    }
}

static void ledger_show(struct double_exchange *x)
{
    struct ledger_question question = {double_query(x, "key"), double_query(x, "kind"), must_alloc(json_array())};
    ledger_read(x->server, ledger_select_row, &question);
    double_answer(x, 200, json_pack("{so}", "rows", question.rows));
}

/* --- answers --------------------------------------------------------------------------------------------------- */

static void exchange_free(struct exchange *e)
{
    e->seen.server->open_exchanges--;
    evhttp_clear_headers(&e->query);
    json_decref(e->seen.json);
    free(e->path);
    free(e->pieces);
    free(e);
}

void double_answer_bytes(struct double_exchange *x, int status, const char *media_type, const void *data, size_t size)
{
    struct exchange *e = (struct exchange *)x;
    struct evhttp_connection *connection = evhttp_request_get_connection(e->request);
    if (!connection) {
        evhttp_request_free(e->request); /* the caller left; libevent has let go of its request */
    } else if (e->lost) {
        evhttp_connection_free(connection); /* frees the request with it */
    } else {
        struct evbuffer *out = must_alloc(evbuffer_new());
        evbuffer_add(out, data, size);
        if (media_type) {
            evhttp_add_header(evhttp_request_get_output_headers(e->request), "Content-Type", media_type);
        }
        evhttp_send_reply(e->request, status, NULL, out);
        evbuffer_free(out);
    }
    exchange_free(e);
}

void double_answer(struct double_exchange *x, int status, json_t *body_take)
{
    char *text = body_take ? must_alloc(json_dumps(body_take, JSON_COMPACT | JSON_SORT_KEYS)) : NULL;
    double_answer_bytes(x, status, text ? "application/json" : NULL, text ? text : "", text ? strlen(text) : 0);
    free(text);
    json_decref(body_take);
}

void double_refuse(struct double_exchange *x, int status, const char *code, const char *field)
{
    double_answer(x, status, json_pack("{ss ss}", "code", code, "field", field ? field : ""));
}

const char *double_query(const struct double_exchange *x, const char *name)
{
    return evhttp_find_header(&((const struct exchange *)x)->query, name);
}

const char *double_header(const struct double_exchange *x, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(((const struct exchange *)x)->request), name);
}

const char *double_text(const struct double_exchange *x, const char *name)
{
    const char *text = json_string_value(json_object_get(x->json, name));
    return text && *text ? text : NULL;
}

/* --- control --------------------------------------------------------------------------------------------------- */

static void rule_set(struct double_server *server, const struct rule *rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < server->rule_count; i++) {
        bool same = strcmp(server->rules[i].path, rule->path) == 0;
        if (!same && !(rule->mode == MODE_ANSWER && !rule->path[0])) {
            server->rules[kept++] = server->rules[i];
        }
    }
    server->rule_count = kept;
    if (rule->mode != MODE_ANSWER && kept < RULES_MAX) {
        server->rules[server->rule_count++] = *rule;
    }
}

static void control_set(struct double_exchange *x)
{
    const char *mode = double_text(x, "mode"), *path = double_text(x, "path");
    struct rule rule = {.mode = MODES, .left = -1};
    for (int i = 0; mode && i < MODES; i++) {
        if (strcmp(mode, mode_names[i]) == 0) {
            rule.mode = (enum mode)i;
        }
    }
    if (rule.mode == MODES || (path && strlen(path) >= sizeof rule.path)) {
        double_refuse(x, 400, "bad_control", rule.mode == MODES ? "mode" : "path");
        return;
    }
    snprintf(rule.path, sizeof rule.path, "%s", path ? path : "");
    rule.ms = (unsigned)json_integer_value(json_object_get(x->json, "ms"));
    json_int_t times = json_integer_value(json_object_get(x->json, "times"));
    rule.left = times > 0 ? (long)times : -1;
    rule_set(x->server, &rule);
    double_answer(x, 204, NULL);
}

static void control_show(struct double_exchange *x)
{
    json_t *rules = must_alloc(json_array());
    for (size_t i = 0; i < x->server->rule_count; i++) {
        const struct rule *r = &x->server->rules[i];
        json_array_append_new(rules, json_pack("{ss ss si sI}", "mode", mode_names[r->mode], "path", r->path, "ms",
                                         (int)r->ms, "left", (json_int_t)r->left));
    }
    double_answer(x, 200, json_pack("{so}", "rules", rules));
}

static void health_show(struct double_exchange *x)
{
    double_answer(x, 200, json_pack("{ss}", "name", x->server->spec->name));
}

static const struct double_route own_routes[] = {
    {"GET", "/healthz", health_show},
    {"GET", "/ledger", ledger_show},
    {"GET", "/control", control_show},
    {"POST", "/control", control_set},
};

/* The rule of the longest matching prefix, counted down; MODE_ANSWER where there is none. */
static struct rule rule_take(struct double_server *server, const char *path)
{
    struct rule *best = NULL;
    for (size_t i = 0; i < server->rule_count; i++) {
        struct rule *r = &server->rules[i];
        if (strncmp(path, r->path, strlen(r->path)) == 0 && (!best || strlen(r->path) > strlen(best->path))) {
            best = r;
        }
    }
    struct rule taken = best ? *best : (struct rule){.mode = MODE_ANSWER};
    if (best && best->left > 0 && --best->left == 0) {
        *best = server->rules[--server->rule_count];
    }
    return taken;
}

/* --- requests -------------------------------------------------------------------------------------------------- */

/* Does the path fit the pattern? Fills part[] from e->pieces, which it cuts up. */
static bool route_fits(struct exchange *e, const char *pattern)
{
    size_t parts = 0;
    strcpy(e->pieces, e->path);
    char *rest = e->pieces;
    while (*pattern) {
        size_t want = strcspn(pattern + 1, "/") + 1, have = strcspn(rest + (*rest == '/'), "/") + 1;
        bool any = want == 2 && pattern[1] == '*';
        if (*rest != '/' ||
            (any ? have == 1 || parts == DOUBLE_PARTS : have != want || memcmp(rest, pattern, want) != 0)) {
            return false;
        }
        if (any) {
            e->seen.part[parts++] = rest + 1;
        }
        pattern += want;
        rest += have;
    }
    if (*rest) {
        return false;
    }
    for (size_t i = 0, n = strlen(e->path); i < n; i++) {
        e->pieces[i] = e->pieces[i] == '/' ? 0 : e->pieces[i];
    }
    return true;
}

static const struct double_route *route_find(struct exchange *e, const struct double_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(routes[i].method, e->seen.method) == 0 && route_fits(e, routes[i].path)) {
            return &routes[i];
        }
    }
    return NULL;
}

static const char *method_name(struct evhttp_request *request)
{
    switch (evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    default:
        return "";
    }
}

static struct exchange *exchange_new(struct double_server *server, struct evhttp_request *request)
{
    struct exchange *e = must_alloc(calloc(1, sizeof *e));
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    e->request = request;
    server->open_exchanges++;
    TAILQ_INIT(&e->query);
    if (query) {
        evhttp_parse_query_str(query, &e->query);
    }
    e->path = must_alloc(evhttp_uridecode(path && *path ? path : "/", 0, NULL));
    e->pieces = must_alloc(strdup(e->path));
    e->seen = (struct double_exchange){.server = server,
        .state = server->spec->state,
        .method = method_name(request),
        .path = e->path,
        .body_size = evbuffer_get_length(in),
        .body = evbuffer_pullup(in, -1)};
    if (e->seen.body_size > 0 && (e->seen.body[0] == '{' || e->seen.body[0] == '[')) {
        e->seen.json = json_loadb((const char *)e->seen.body, e->seen.body_size, JSON_REJECT_DUPLICATES, NULL);
    }
    return e;
}

static void exchange_handle(void *arg)
{
    struct exchange *e = arg;
    e->route->handle(&e->seen);
}

static void exchange_dispatch(struct exchange *e)
{
    struct double_server *server = e->seen.server;
    struct rule rule = rule_take(server, e->path);
    switch (rule.mode) {
    case MODE_REFUSE:
        double_refuse(&e->seen, 422, "refused", NULL);
        return;
    case MODE_FAIL:
        double_refuse(&e->seen, 500, "failed", NULL);
        return;
    case MODE_DELAY:
        double_after(server, rule.ms, exchange_handle, e);
        return;
    case MODE_HANG:
        return; /* kept until the process ends: hanging is what was asked for */
    case MODE_LOSE:
        e->lost = true;
        double_after(server, 0, exchange_handle, e); /* the connection must not go from under libevent's own caller */
        return;
    default:
        break;
    }
    exchange_handle(e);
}

static void request_take(struct evhttp_request *request, void *arg)
{
    struct double_server *server = arg;
    struct exchange *e = exchange_new(server, request);
    e->route = route_find(e, own_routes, sizeof own_routes / sizeof *own_routes);
    if (e->route) {
        exchange_handle(e);
        return;
    }
    e->route = route_find(e, server->spec->routes, server->spec->route_count);
    if (!e->route) {
        double_refuse(&e->seen, 404, "no_such_path", NULL);
        return;
    }
    exchange_dispatch(e);
}

/* --- timers ---------------------------------------------------------------------------------------------------- */

struct later {
    struct event *event;
    void (*act)(void *arg);
    void *arg;
};

static void later_fire(evutil_socket_t fd, short what, void *arg)
{
    struct later *later = arg;
    later->act(later->arg);
    event_free(later->event);
    free(later);
}

void double_after(struct double_server *server, unsigned ms, void (*act)(void *arg), void *arg)
{
    struct later *later = must_alloc(calloc(1, sizeof *later));
    struct timeval wait = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};
    *later = (struct later){must_alloc(event_new(server->base, -1, 0, later_fire, later)), act, arg};
    event_add(later->event, &wait);
}

void double_call_start(struct double_server *server, const struct double_call *call)
{
    calls_start(server->calls, call);
}

/* --- life ------------------------------------------------------------------------------------------------------ */

static void signal_take(evutil_socket_t fd, short what, void *arg)
{
    event_base_loopbreak(((struct double_server *)arg)->base);
}

static void port_announce(struct double_server *server, struct evhttp_bound_socket *bound)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const char *file = double_option(server, "port-file", NULL);
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size) != 0) {
        die("getsockname");
    }
    if (file) {
        char fresh[PATH_SIZE];
        snprintf(fresh, sizeof fresh, "%s.new", file);
        FILE *out = fopen(fresh, "we");
        if (!out || fprintf(out, "%u\n", ntohs(address.sin_port)) < 0 || fclose(out) != 0 || rename(fresh, file) != 0) {
            die(file);
        }
    }
    fprintf(stderr, "double %s: 127.0.0.1:%u\n", server->spec->name, ntohs(address.sin_port));
}

static void serve(struct double_server *server)
{
    server->http = must_alloc(evhttp_new(server->base));
    evhttp_set_max_body_size(server->http, DOUBLE_BODY_MAX);
    evhttp_set_max_headers_size(server->http, 16384);
    evhttp_set_timeout(server->http, 600);
    evhttp_set_gencb(server->http, request_take, server);
    const char *port = double_option(server, "port", "0");
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(server->http, "127.0.0.1", (uint16_t)atoi(port));
    if (!bound) {
        die("bind");
    }
    port_announce(server, bound);
    event_base_dispatch(server->base);
    evhttp_free(server->http);
}

int double_run(const struct double_spec *spec, int argc, char **argv)
{
    struct double_server server = {.spec = spec, .argc = argc, .argv = argv, .ledger = -1};
    char folder[PATH_SIZE];
    signal(SIGPIPE, SIG_IGN);
    server.base = must_alloc(event_base_new());
    snprintf(folder, sizeof folder, "var/doubles/%s", spec->name);
    snprintf(server.folder, sizeof server.folder, "%s", double_option(&server, "state", folder));
    folder_make(server.folder);
    server.calls = must_alloc(calls_new(server.base));
    struct event *term = must_alloc(evsignal_new(server.base, SIGTERM, signal_take, &server));
    struct event *interrupt = must_alloc(evsignal_new(server.base, SIGINT, signal_take, &server));
    event_add(term, NULL);
    event_add(interrupt, NULL);
    if (spec->start && !spec->start(&server, spec->state)) {
        return 1;
    }
    ledger_open(&server);
    serve(&server);
    if (spec->stop) {
        spec->stop(spec->state);
    }
    event_free(term);
    event_free(interrupt);
    calls_free(server.calls);
    event_base_free(server.base);
    close(server.ledger);
    if (server.open_exchanges) {
        _exit(0); /* what hangs or waits on a timer is held by nobody now: no leak to report */
    }
    return 0;
}
