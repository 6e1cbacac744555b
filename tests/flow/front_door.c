/* The front door as it is deployed: HAProxy by deploy/haproxy.cfg before the portal's HTTP front, spoken to in raw
 * bytes over TLS. The routes behind it only say what arrived. Run from the root of the checkout; needs haproxy and
 * openssl. */
#include <arpa/inet.h>
#include <check.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "chassis/work.h"
#include "portal/portal_http.h"

#define DEADLINE_MS 10000
#define ANSWER_MAX 65536

extern char **environ;

static char folder[] = "/tmp/front_door-XXXXXX", socket_path[64];
static int port;
static pid_t haproxy;
static struct event_base *base;
static struct http_front *front;
static pthread_t loop_thread;
static atomic_int arrived;

/* --- behind the door --- */

static bool echo(struct exchange *x, struct work *work)
{
    atomic_fetch_add(&arrived, 1);
    exchange_answer_json(x, 200, json_pack("{ss ss}", "client", x->client, "body", x->body));
    return true;
}

static const struct http_route routes[] = {
    {"get", "GET", "/echo", WHO_ANYONE, RIGHT_none, 0, echo},
    {"post", "POST", "/echo", WHO_ANYONE, RIGHT_none, 1000, echo},
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

static void portal_start(void)
{
    struct fault fault = {0};
    struct http_spec spec = {
        .socket = socket_path,
        .routes = routes,
        .route_count = sizeof routes / sizeof *routes,
        .read_seconds = 5,
        .pool = {2, 16, worker_new, run, worker_free, NULL, NULL},
    };
    base = event_base_new();
    ck_assert_msg(http_open(&front, base, &spec, &fault), "%s", fault.field);
    ck_assert_int_eq(pthread_create(&loop_thread, NULL, loop, NULL), 0);
}

static void portal_stop(void)
{
    event_base_loopbreak(base);
    pthread_join(loop_thread, NULL);
    http_close(front);
    event_base_free(base);
    front = NULL;
}

/* --- the door --- */

static int port_find(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void shell(const char *command)
{
    ck_assert_msg(system(command) == 0, "%s", command);
}

static void certificates_make(void)
{
    char command[1024];
    shell("deploy/clients make");
    snprintf(command, sizeof command,
        "cd %s/keys/tls && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj "
        "/CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.crt 2>/dev/null && cat "
        "server.crt server.key >server.pem && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc "
        "-days 2 -subj /CN=mynaportal -keyout stranger.key -out stranger.crt 2>/dev/null",
        folder);
    shell(command);
}

static int door_connect(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void door_start(void)
{
    char text[256];
    /* It goes with this process, however that ends. */
    char *const arguments[] = {
        "setpriv", "--pdeathsig", "TERM", "haproxy", "-db", "-q", "-f", "deploy/haproxy.cfg", NULL};
    snprintf(text, sizeof text, "%d", port = port_find());
    setenv("SHIKAKU_HTTPS_PORT", text, 1);
    snprintf(text, sizeof text, "%s/keys", folder);
    setenv("SHIKAKU_KEYS", text, 1);
    setenv("SHIKAKU_PORTAL_SOCKET", socket_path, 1);
    ck_assert_int_eq(posix_spawnp(&haproxy, "setpriv", NULL, NULL, arguments, environ), 0);
    int fd = -1;
    for (int ms = 0; fd < 0 && ms < DEADLINE_MS; ms += 10)
        if ((fd = door_connect()) < 0)
            nanosleep(&(struct timespec){0, 10000000}, NULL);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    evthread_use_pthreads();
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("SHIKAKU_VAR", folder, 1);
    unsetenv("SHIKAKU_KEYS");
    unsetenv("SHIKAKU_DERIVED_FOR");
    snprintf(socket_path, sizeof socket_path, "%s/portal.http", folder);
    certificates_make();
    door_start();
}

static void teardown(void)
{
    char command[128];
    kill(haproxy, SIGTERM);
    waitpid(haproxy, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    shell(command);
}

/* --- clients --- */

struct caller {
    const char *certificate; /* NULL: none */
    int tls_max;             /* 0: any */
    bool refused;            /* the handshake is expected to fail */
};

static SSL_CTX *context_new(struct caller caller)
{
    char file[256];
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    snprintf(file, sizeof file, "%s/keys/tls/server.crt", folder);
    ck_assert_int_eq(SSL_CTX_load_verify_locations(context, file, NULL), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (caller.tls_max)
        SSL_CTX_set_max_proto_version(context, caller.tls_max);
    if (caller.certificate) {
        snprintf(file, sizeof file, "%s/keys/tls/%s.crt", folder, caller.certificate);
        ck_assert_int_eq(SSL_CTX_use_certificate_file(context, file, SSL_FILETYPE_PEM), 1);
        snprintf(file, sizeof file, "%s/keys/tls/%s.key", folder, caller.certificate);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM), 1);
    }
    return context;
}

/* Say the bytes, hear all until the other side closes: malloc'ed, "" where nothing came. */
static char *ask(struct caller caller, const char *bytes, size_t len)
{
    char *answer = calloc(1, ANSWER_MAX);
    size_t used = 0;
    int fd = door_connect(), n;
    SSL_CTX *context = context_new(caller);
    SSL *ssl = SSL_new(context);
    struct timeval limit = {DEADLINE_MS / 1000, 0};
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, bytes, (int)len) > 0)
        while (used < ANSWER_MAX - 1 && (n = SSL_read(ssl, answer + used, (int)(ANSWER_MAX - 1 - used))) > 0)
            used += (size_t)n;
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return answer;
}

#define NOBODY                                                                                                         \
    (struct caller)                                                                                                    \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define AS(name)                                                                                                       \
    (struct caller)                                                                                                    \
    {                                                                                                                  \
        .certificate = name                                                                                            \
    }
#define assert_answer(caller, text, status, within)                                                                    \
    assert_heard(__LINE__, ask(caller, text, sizeof(text) - 1), status, within)

static void assert_heard(int line, char *answer, const char *status, const char *within)
{
    ck_assert_msg(strncmp(answer, status, strlen(status)) == 0 && strstr(answer, within),
        "line %d: wanted %s %s, got %.400s", line, status, within, answer);
    free(answer);
}

static void fingerprint_of(const char *name, char text[65])
{
    char file[256];
    uint8_t digest[32];
    snprintf(file, sizeof file, "%s/keys/tls/%s.crt", folder, name);
    BIO *in = BIO_new_file(file, "r");
    X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    ck_assert_int_eq(X509_digest(certificate, EVP_sha256(), digest, NULL), 1);
    hex_put(text, digest, sizeof digest);
    X509_free(certificate);
    BIO_free(in);
}

/* --- who asks --- */

/* AUTH-3: the client is its certificate, and what it says about itself is thrown away */
START_TEST(the_client_is_its_certificate)
{
    char text[65], within[128];
    portal_start();
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "terminal-unlisted" : "mynaportal";
        fingerprint_of(name, text);
        snprintf(within, sizeof within, "\"client\":\"%s\"", text);
        assert_answer(AS(name), "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", within);
    }
    fingerprint_of("mynaportal", text);
    char spoof[512];
    int len = snprintf(spoof, sizeof spoof,
        "GET /echo HTTP/1.1\r\nHost: x\r\nX-Shikaku-Client: %s\r\nx-shikaku-client-verified: yes\r\n"
        "X-SHIKAKU-Client: %s\r\nConnection: close\r\n\r\n",
        text, text);
    assert_heard(__LINE__, ask(NOBODY, spoof, (size_t)len), "HTTP/1.1 200", "\"client\":\"\"");
    fingerprint_of("terminal-number", text);
    snprintf(within, sizeof within, "\"client\":\"%s\"", text);
    assert_heard(__LINE__, ask(AS("terminal-number"), spoof, (size_t)len), "HTTP/1.1 200", within);
    portal_stop();
}
END_TEST

/* A certificate by somebody else is refused before a word is said, and so is an old TLS. */
START_TEST(strangers_and_old_protocols_are_refused)
{
    portal_start();
    const char text[] = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_heard(__LINE__, ask(AS("stranger"), text, sizeof text - 1), "", "");
    assert_heard(__LINE__, ask((struct caller){.tls_max = TLS1_2_VERSION}, text, sizeof text - 1), "", "");
    ck_assert_int_eq(atomic_load(&arrived), 0);
    assert_answer(NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
        "strict-transport-security: max-age=");
    ck_assert_int_eq(atomic_load(&arrived), 1);
    portal_stop();
}
END_TEST

/* --- what is asked, pitfall 7 --- */

/* HAProxy's parser answers in its own words, before any rule of ours. */
START_TEST(ambiguous_requests_do_not_arrive)
{
    portal_start();
    assert_answer(NOBODY,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello!",
        "HTTP/1.1 400", "");
    assert_answer(NOBODY,
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 4", "");
    assert_answer(NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 400", "\"malformed\"");
    assert_answer(NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nA\0B: c\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", "");
    assert_answer(NOBODY, "GET /ec\0ho HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", "");
    assert_answer(NOBODY, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 400", "");
    ck_assert_int_eq(atomic_load(&arrived), 0);
    portal_stop();
}
END_TEST

/* Length and chunks at once: one request may arrive, never a second one out of its body. Likewise with bare LFs. */
START_TEST(nothing_is_smuggled)
{
    portal_start();
    free(ask(NOBODY,
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\nX: yyyy\r\n\r\n",
        sizeof "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n"
               "0\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\nX: yyyy\r\n\r\n" -
            1));
    ck_assert_int_le(atomic_load(&arrived), 1);
    atomic_store(&arrived, 0);
    const char text[] =
        "POST /echo HTTP/1.1\nHost: x\nContent-Length: 31\nConnection: close\n\nGET /echo HTTP/1.1\nHost: x\n\n\n\n\n";
    free(ask(NOBODY, text, sizeof text - 1));
    ck_assert_int_le(atomic_load(&arrived), 1);
    portal_stop();
}
END_TEST

/* APPLY-5, issue 2: too large a body is told so, however it is sent */
START_TEST(too_large_is_told_in_json)
{
    const size_t sizes[] = {1001, 300000, 900000};
    portal_start();
    char *text = malloc(1000000);
    for (size_t i = 0; i < 3; i++) {
        int head = snprintf(text, 1000000,
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", sizes[i]);
        memset(text + head, 'a', sizes[i]);
        assert_heard(__LINE__, ask(NOBODY, text, (size_t)head + sizes[i]), "HTTP/1.1 413",
            "{\"code\":\"too_large\",\"field\":\"body\",\"message\":\"データが大きすぎます。\"}");
    }
    ck_assert_int_eq(atomic_load(&arrived), 0);
    free(text);
    portal_stop();
}
END_TEST

/* Start-up in any order: the door says when to come again. */
START_TEST(without_the_portal_one_is_told_to_come_again)
{
    assert_answer(
        NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 503", "\"unavailable\"");
    portal_start();
    assert_answer(NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "");
    portal_stop();
    assert_answer(
        NOBODY, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 503", "retry-after: 1");
}
END_TEST

/* A client that says its head letter by letter holds no connection to the portal, and is cut off. */
START_TEST(a_slow_head_is_cut_off)
{
    portal_start();
    const char half[] = "GET /echo HTTP/1.1\r\nHost: x\r\n";
    free(ask(NOBODY, half, sizeof half - 1));
    ck_assert_int_eq(atomic_load(&arrived), 0);
    portal_stop();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("front_door");
    TCase *tests = tcase_create("door");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_client_is_its_certificate);
    tcase_add_test(tests, strangers_and_old_protocols_are_refused);
    tcase_add_test(tests, ambiguous_requests_do_not_arrive);
    tcase_add_test(tests, nothing_is_smuggled);
    tcase_add_test(tests, too_large_is_told_in_json);
    tcase_add_test(tests, without_the_portal_one_is_told_to_come_again);
    tcase_add_test(tests, a_slow_head_is_cut_off);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
