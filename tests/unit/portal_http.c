/* The HTTP front on its unix socket, spoken to in raw bytes: what is refused, what is bounded, and clients that leave
 * at each stage of a request (run under AddressSanitizer by SAN=1). */
#include <check.h>
#include <errno.h>
#include <event2/thread.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "portal/portal_http.h"

#define WORKERS 2
#define QUEUE 3
#define BIG (4u << 20)
#define DEADLINE_MS 10000

static struct event_base *base;
static struct http_front *front;
static pthread_t loop_thread;
static char socket_path[64];
static sem_t go; /* a `wait` ends for each post */
static atomic_int working, done;

static bool echo(struct exchange *x, struct work *work)
{
    exchange_answer_json(x, 200,
        json_pack("{ss ss ss ss s{ss}}", "part", x->part, "query", x->query, "client", x->client, "body", x->body,
            "headers", "authorization", x->authorization ? x->authorization : ""));
    return true;
}

static bool wait_for_go(struct exchange *x, struct work *work)
{
    atomic_fetch_add(&working, 1);
    while (sem_wait(&go) != 0 && errno == EINTR) {
    }
    atomic_fetch_add(&done, 1);
    exchange_answer_json(x, 200, json_pack("{ss}", "waited", "yes"));
    return true;
}

static bool much(struct exchange *x, struct work *work)
{
    char *bytes = calloc(1, BIG);
    exchange_answer(x, 200, "application/octet-stream", bytes, BIG);
    free(bytes);
    atomic_fetch_add(&done, 1);
    return true;
}

static const struct http_route routes[] = {
    {"echo", "GET", "/echo/{id}", WHO_ANYONE, RIGHT_none, 0, echo},
    {"post", "POST", "/echo/{id}", WHO_ANYONE, RIGHT_none, 1000, echo},
    {"wait", "GET", "/wait", WHO_ANYONE, RIGHT_none, 0, wait_for_go},
    {"much", "GET", "/much", WHO_ANYONE, RIGHT_none, 0, much},
};

static void *worker_new(void)
{
    static int worker;
    return &worker;
}

static void worker_free(void *worker)
{
}

static void run(struct exchange *exchange, void *worker)
{
    exchange->route->act(exchange, NULL);
}

static void *loop(void *argument)
{
    event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void front_start(void)
{
    struct fault fault = {0};
    struct http_spec spec = {.socket = socket_path,
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .read_seconds = 1,
        .pool = {WORKERS, QUEUE, worker_new, run, worker_free, NULL, NULL}};
    signal(SIGPIPE, SIG_IGN);
    sem_init(&go, 0, 0);
    evthread_use_pthreads();
    snprintf(socket_path, sizeof socket_path, "/tmp/portal_http.%d", (int)getpid());
    base = event_base_new();
    ck_assert_msg(http_open(&front, base, &spec, &fault), "%s", fault.field);
    ck_assert_int_eq(pthread_create(&loop_thread, NULL, loop, NULL), 0);
}

static void loop_end(void)
{
    event_base_loopbreak(base);
    pthread_join(loop_thread, NULL);
}

static void front_stop(void)
{
    loop_end();
    http_close(front);
    event_base_free(base);
    sem_destroy(&go);
}

/* --- a client in raw bytes --- */

static int client_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, socket_path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void client_say(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the other side has heard enough */
        bytes += n;
        len -= (size_t)n;
    }
}

/* All that comes until the other side closes; malloc'ed. */
static char *client_hear(int fd)
{
    char *text = calloc(1, 65536);
    size_t used = 0;
    struct pollfd ready = {fd, POLLIN, 0};
    while (used < 65535 && poll(&ready, 1, DEADLINE_MS) > 0) {
        ssize_t n = recv(fd, text + used, 65535 - used, 0);
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    close(fd);
    return text;
}

static char *ask(const char *bytes, size_t len)
{
    int fd = client_connect();
    client_say(fd, bytes, len);
    return client_hear(fd);
}

#define ASK(text) ask(text, sizeof(text) - 1)

static void await(atomic_int *counter, int wanted)
{
    for (int ms = 0; atomic_load(counter) < wanted && ms < DEADLINE_MS; ms++)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    ck_assert_int_ge(atomic_load(counter), wanted);
}

#define assert_starts(answer, status, within) assert_answer(__LINE__, answer, status, within)

static void assert_answer(int line, char *answer, const char *status, const char *within)
{
    ck_assert_msg(
        strncmp(answer, status, strlen(status)) == 0, "line %d: wanted %s, got: %.200s", line, status, answer);
    ck_assert_msg(strstr(answer, within) != NULL, "line %d: wanted %s, got: %.600s", line, within, answer);
    free(answer);
}

static void assert_serves(void)
{
    assert_starts(
        ASK("GET /echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "HTTP/1.1 200 OK", "\"part\":\"a\"");
}

/* --- what comes in --- */

START_TEST(a_request_is_carried_whole)
{
    assert_starts(ASK("POST /echo/id-1?c=a%20b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: 5\r\n"
                      "Connection: close\r\n\r\nhello"),
        "HTTP/1.1 200 OK",
        "{\"part\":\"id-1\",\"query\":\"c=a%20b\",\"client\":\"\",\"body\":\"hello\",\"headers\":{\"authorization\":"
        "\"Bearer t\"}}");
}
END_TEST

START_TEST(a_chunked_body_is_put_together)
{
    assert_starts(ASK("POST /echo/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        "HTTP/1.1 200", "\"body\":\"hello\"");
}
END_TEST

/* AUTH-3: a client is what HAProxy verified, in its exact form, or nobody */
START_TEST(a_client_must_be_verified)
{
#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    assert_starts(ASK("GET /echo/a HTTP/1.1\r\nX-Shikaku-Client: " HEX64 "\r\nX-Shikaku-Client-Verified: yes\r\n"
                      "Connection: close\r\n\r\n"),
        "HTTP/1.1 200", "\"client\":\"" HEX64 "\"");
    assert_starts(ASK("GET /echo/a HTTP/1.1\r\nX-Shikaku-Client: " HEX64 "\r\nConnection: close\r\n\r\n"),
        "HTTP/1.1 200", "\"client\":\"\"");
    assert_starts(ASK("GET /echo/a HTTP/1.1\r\nX-Shikaku-Client: zz\r\nX-Shikaku-Client-Verified: yes\r\n"
                      "Connection: close\r\n\r\n"),
        "HTTP/1.1 200", "\"client\":\"\"");
    assert_starts(ASK("GET /echo/a HTTP/1.1\r\nX-Shikaku-Client: " HEX64 "\r\nX-Shikaku-Client: " HEX64 "\r\n"
                      "X-Shikaku-Client-Verified: yes\r\nConnection: close\r\n\r\n"),
        "HTTP/1.1 400", "\"malformed\"");
}
END_TEST

/* APPLY-5, pitfall 7: what has two meanings is refused, and never read as a second request */
START_TEST(ambiguous_requests_are_refused)
{
    assert_starts(
        ASK("POST /echo/a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello"),
        "HTTP/1.1 400", "\"malformed\"");
    assert_starts(
        ASK("POST /echo/a HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
            "\r\n0\r\n\r\n"),
        "HTTP/1.1 400", "");
    assert_starts(
        ASK("POST /echo/a HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400", "");
    assert_starts(ASK("POST /echo/a HTTP/1.1\r\nContent-Length: -5\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400", "");
    assert_starts(ASK("POST /echo/a HTTP/1.1\r\nContent-Length: 5x\r\nConnection: close\r\n\r\n"), "HTTP/1.1 400", "");
    assert_starts(ASK("NONSENSE\r\n\r\n"), "HTTP/1.", "400");
    assert_serves();
}
END_TEST

/* HAProxy writes every request anew before it comes here, so a bare LF can never part two readings of one request. */
START_TEST(a_bare_line_feed_ends_a_line_and_no_more)
{
    char *answer = ASK("POST /echo/a HTTP/1.1\nContent-Length: 20\nConnection: close\n\nGET /wait HTTP/1.1\n\n");
    ck_assert_ptr_null(strstr(answer + 1, "HTTP/1.1 2"));
    assert_starts(answer, "HTTP/1.1 200", "GET /wait");
    ck_assert_int_eq(atomic_load(&working), 0);
}
END_TEST

START_TEST(bodies_are_bounded)
{
    static char much_text[HTTP_BODY_MAX + 4096];
    size_t head = (size_t)snprintf(much_text, sizeof much_text,
        "POST /echo/a HTTP/1.1\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", sizeof much_text - 200);
    memset(much_text + head, 'a', sizeof much_text - head);
    assert_starts(ask(much_text, head + sizeof much_text - 200), "HTTP/1.1 413", "");
    head = (size_t)snprintf(
        much_text, sizeof much_text, "POST /echo/a HTTP/1.1\r\nContent-Length: 1001\r\nConnection: close\r\n\r\n");
    memset(much_text + head, 'a', 1001);
    assert_starts(
        ask(much_text, head + 1001), "HTTP/1.1 413", "{\"code\":\"too_large\",\"field\":\"body\",\"message\":\"");
    assert_starts(ASK("GET /echo/a HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\na"), "HTTP/1.1 413",
        "\"too_large\"");
    head = (size_t)snprintf(much_text, sizeof much_text, "GET /echo/a HTTP/1.1\r\nX: ");
    memset(much_text + head, 'a', 40000);
    memcpy(much_text + head + 40000, "\r\n\r\n", 4);
    assert_starts(ask(much_text, head + 40004), "HTTP/1.1 4", "");
    assert_serves();
}
END_TEST

START_TEST(unknown_paths_and_methods_are_refused)
{
    assert_starts(ASK("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 404", "\"not_found\"");
    assert_starts(ASK("GET /echo/a/b HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 404", "\"not_found\"");
    assert_starts(ASK("GET /echo/%61 HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 404", "\"not_found\"");
    assert_starts(ASK("GET /echo/../echo/a HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 404", "\"not_found\"");
    assert_starts(ASK("DELETE /echo/a HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 405", "Allow: GET, POST\r\n");
    assert_starts(ASK("PATCH /echo/a HTTP/1.1\r\nConnection: close\r\n\r\n"), "HTTP/1.1 405", "\"method_not_allowed\"");
}
END_TEST

/* --- bounds --- */

START_TEST(a_full_queue_says_so)
{
    int fds[WORKERS + QUEUE];
    const char text[] = "GET /wait HTTP/1.1\r\nConnection: close\r\n\r\n";
    for (int i = 0; i < WORKERS; i++)
        client_say(fds[i] = client_connect(), text, sizeof text - 1);
    await(&working, WORKERS);
    for (int i = WORKERS; i < WORKERS + QUEUE; i++)
        client_say(fds[i] = client_connect(), text, sizeof text - 1);
    /* The loop takes in connections in order: by the answer of this one the others wait in the queue. */
    char *answer = ASK(text);
    ck_assert_ptr_nonnull(strstr(answer, "Retry-After: 1\r\n"));
    assert_starts(answer, "HTTP/1.1 503", "\"unavailable\"");
    for (int i = 0; i < WORKERS + QUEUE; i++)
        sem_post(&go);
    for (int i = 0; i < WORKERS + QUEUE; i++)
        assert_starts(client_hear(fds[i]), "HTTP/1.1 200", "\"waited\"");
}
END_TEST

START_TEST(a_slow_client_is_dropped)
{
    int fd = client_connect();
    client_say(fd, "GET /echo/a HT", 14);
    char *answer = client_hear(fd); /* ends when the other side closes, well before the deadline */
    ck_assert_str_eq(answer, "");
    free(answer);
    fd = client_connect();
    const char half[] = "POST /echo/a HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc";
    client_say(fd, half, sizeof half - 1);
    answer = client_hear(fd);
    ck_assert_str_eq(answer, "");
    free(answer);
    assert_serves();
}
END_TEST

/* --- leaving, pitfall 7 --- */

static void leave_after(const char *bytes, size_t len, bool reset)
{
    int fd = client_connect();
    client_say(fd, bytes, len);
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(fd);
}

START_TEST(a_client_may_leave_while_it_is_read)
{
    const char text[] = "POST /echo/a HTTP/1.1\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n12345";
    for (size_t len = 0; len < sizeof text; len++)
        leave_after(text, len, len % 2);
    assert_serves();
}
END_TEST

START_TEST(a_client_may_leave_while_it_waits)
{
    const char text[] = "GET /wait HTTP/1.1\r\n\r\n";
    for (int i = 0; i < WORKERS + QUEUE; i++) {
        leave_after(text, sizeof text - 1, i % 2);
        if (i < WORKERS)
            await(&working, i + 1);
    }
    for (int i = 0; i < WORKERS + QUEUE; i++)
        sem_post(&go);
    await(&done, WORKERS + QUEUE); /* what it asked for is done all the same */
    assert_serves();
}
END_TEST

START_TEST(a_client_may_leave_while_it_is_answered)
{
    const char text[] = "GET /much HTTP/1.1\r\n\r\n";
    for (int i = 0; i < 8; i++) {
        int fd = client_connect();
        char byte;
        client_say(fd, text, sizeof text - 1);
        if (i % 2)
            ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
        else
            await(&done, i + 1);
        close(fd);
    }
    assert_serves();
}
END_TEST

START_TEST(a_client_may_leave_at_the_end)
{
    const char text[] = "GET /wait HTTP/1.1\r\n\r\n";
    for (int i = 0; i < WORKERS + QUEUE; i++)
        leave_after(text, sizeof text - 1, false);
    await(&working, WORKERS);
    for (int i = 0; i < WORKERS + QUEUE; i++)
        sem_post(&go);
    /* the fixture stops the front with some at work, some answered, some waiting, and nobody there to hear */
}
END_TEST

/* What runs is answered, what waits is told to come again, nothing new is taken. */
START_TEST(stopping_answers_everybody)
{
    int fds[WORKERS + 1];
    const char text[] = "GET /wait HTTP/1.1\r\nConnection: close\r\n\r\n";
    for (int i = 0; i < WORKERS; i++)
        client_say(fds[i] = client_connect(), text, sizeof text - 1);
    await(&working, WORKERS);
    client_say(fds[WORKERS] = client_connect(), text, sizeof text - 1);
    int late = client_connect();
    const char other[] = "GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n";
    client_say(late, other, sizeof other - 1);
    free(client_hear(late)); /* the loop has taken in all before it */
    loop_end();
    for (int i = 0; i < WORKERS + 1; i++)
        sem_post(&go);
    http_close(front);
    int waited = 0, refused = 0;
    for (int i = 0; i < WORKERS + 1; i++) {
        char *answer = client_hear(fds[i]);
        waited += strstr(answer, "\"waited\"") != NULL;
        refused += strncmp(answer, "HTTP/1.1 503", 12) == 0;
        free(answer);
    }
    /* A worker that is done before the pool closes may still take the one that waits. */
    ck_assert_int_eq(waited + refused, WORKERS + 1);
    ck_assert_int_ge(waited, WORKERS);
    ck_assert_int_ne(access(socket_path, F_OK), 0);
    event_base_free(base);
}
END_TEST

static void add_all(TCase *tests)
{
    tcase_add_test(tests, a_request_is_carried_whole);
    tcase_add_test(tests, a_chunked_body_is_put_together);
    tcase_add_test(tests, a_client_must_be_verified);
    tcase_add_test(tests, ambiguous_requests_are_refused);
    tcase_add_test(tests, a_bare_line_feed_ends_a_line_and_no_more);
    tcase_add_test(tests, bodies_are_bounded);
    tcase_add_test(tests, unknown_paths_and_methods_are_refused);
    tcase_add_test(tests, a_full_queue_says_so);
    tcase_add_test(tests, a_slow_client_is_dropped);
    tcase_add_test(tests, a_client_may_leave_while_it_is_read);
    tcase_add_test(tests, a_client_may_leave_while_it_waits);
    tcase_add_test(tests, a_client_may_leave_while_it_is_answered);
    tcase_add_test(tests, a_client_may_leave_at_the_end);
}

int main(void)
{
    Suite *suite = suite_create("portal_http");
    TCase *tests = tcase_create("front"), *stopping = tcase_create("stopping");
    tcase_add_checked_fixture(tests, front_start, front_stop);
    tcase_set_timeout(tests, 30);
    add_all(tests);
    tcase_add_checked_fixture(stopping, front_start, NULL);
    tcase_set_timeout(stopping, 30);
    tcase_add_test(stopping, stopping_answers_everybody);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, stopping);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
