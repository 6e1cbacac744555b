/* The bus between hosts, on addresses 127.0.0.x: each replica is a process of its own, this program again. Names are
 * resolved by this file, so that a test can say who is where. */
#include "kit/ring.h"

#include "chassis/boot.h"
#include "chassis/bus.h"
#include "chassis/bus_way.h"
#include "chassis/dispatch.h"
#include "chassis/settings.h"

#include "vault.pb-c.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define REPLICAS_MAX 4
#define TURN_SECONDS 7 /* a name is looked up every 5 s */
#define SILENT 600     /* connections that say nothing */

extern char **environ;
static char program[256], folder[64], port[8], bus[64];

/* --- who is where --------------------------------------------------------------------------------------------------
 */

static char places[REPLICAS_MAX][WAY_ADDRESS_BYTES];
static atomic_size_t place_count;

size_t way_resolve(const char *host, char (*addresses)[WAY_ADDRESS_BYTES], size_t max)
{
    size_t count = atomic_load(&place_count);
    if (strcmp(host, "vault.test") != 0 || count > max)
        return 0;
    memcpy(addresses, places, count * sizeof *addresses);
    return count;
}

static void vault_is_at(const char *first, const char *second)
{
    atomic_store(&place_count, 0);
    snprintf(places[0], sizeof places[0], "%s", first);
    snprintf(places[1], sizeof places[1], "%s", second ? second : "");
    atomic_store(&place_count, second ? 2 : 1);
}

/* --- a replica of the vault: it tells its address ------------------------------------------------------------------
 */

static const struct setting settings[] = {
    {"SHIKAKU_KEYS", SETTING_TEXT, NULL, 0, 0, ""},
    {"SHIKAKU_BUS", SETTING_TEXT, NULL, 0, 0, ""},
    {"SHIKAKU_BUS_ADDRESS", SETTING_TEXT, "127.0.0.1", 0, 0, ""},
};

static enum outcome answer(struct work *work)
{
    Vault__KeysReply reply = VAULT__KEYS_REPLY__INIT;
    reply.jwks = (char *)setting_text("SHIKAKU_BUS_ADDRESS");
    return work_commit(work, &reply.base);
}

static const struct message messages[] = {{ROUTE_vault_keys, NULL, answer}};
static const struct service vault = {.name = "vault", .messages = messages, .message_count = 1};
static const struct service portal = {.name = "portal"};

static void *worker_new(int index)
{
    (void)index;
    return work_new(&vault);
}

static struct bytes worker_handle(void *worker, const void *frame, size_t len)
{
    return dispatch(worker, frame, len);
}

static void worker_free(void *worker)
{
    work_free(worker);
}

static int replica_run(void)
{
    struct bus_listener *listener;
    struct fault fault = {0};
    sigset_t stop;
    int signal_number;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    ring_as("vault");
    if (!settings_read(settings, sizeof settings / sizeof *settings) || !bus_way_check() ||
        !bus_listen(&listener, "vault", 4, worker_new, worker_handle, worker_free, &fault))
        return 1;
    puts("ready");
    fflush(stdout);
    sigwait(&stop, &signal_number);
    bus_drain(listener);
    return 0;
}

static pid_t replicas[REPLICAS_MAX];

/* The first word that it says: "ready", or nothing when it could not start. */
static bool replica_start(size_t i, const char *address, const char *keys)
{
    char *argv[] = {program, "replica", NULL}, said[16] = "";
    int ends[2];
    posix_spawn_file_actions_t actions;
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    setenv("SHIKAKU_BUS_ADDRESS", address, 1);
    setenv("SHIKAKU_KEYS", keys, 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ck_assert_int_eq(posix_spawn(&replicas[i], program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    setenv("SHIKAKU_KEYS", folder, 1);
    close(ends[1]);
    FILE *words = fdopen(ends[0], "r");
    while (fgets(said, sizeof said, words) && strcmp(said, "ready\n") != 0)
        ;
    fclose(words);
    return strcmp(said, "ready\n") == 0;
}

static void replica_end(size_t i, int signal_number)
{
    if (replicas[i] <= 0)
        return;
    kill(replicas[i], signal_number);
    kill(replicas[i], SIGCONT);
    waitpid(replicas[i], NULL, 0);
    replicas[i] = 0;
}

/* --- certificates and the caller -----------------------------------------------------------------------------------
 */

static void shell(const char *format, const char *one, const char *other)
{
    char command[512];
    snprintf(command, sizeof command, format, one, other);
    ck_assert_int_eq(system(command), 0);
}

static struct work *caller;

static void setup(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof any;
    int free_port = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(free_port, (struct sockaddr *)&any, sizeof any), 0);
    getsockname(free_port, (struct sockaddr *)&any, &len);
    close(free_port);
    snprintf(port, sizeof port, "%d", ntohs(any.sin_port));
    snprintf(bus, sizeof bus, "tls+tcp://*.test:%s", port);
    setenv("SHIKAKU_BUS", bus, 1);
    ring_folder_make(folder);
    shell("SHIKAKU_KEYS=%s deploy/certificates make %s", folder, "vault portal records");
    ring_as("portal");
    ring_publish("vault");
    ring_publish("portal");
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    ck_assert_ptr_nonnull(caller = work_new(&portal));
}

static void teardown(void)
{
    for (size_t i = 0; i < REPLICAS_MAX; i++)
        replica_end(i, SIGKILL);
    work_free(caller);
    ring_folder_remove(folder);
}

/* Who answered; NULL: nobody before the deadline. Valid until the next call. */
static const char *call(void)
{
    static char who[WAY_ADDRESS_BYTES];
    Vault__KeysRequest request = VAULT__KEYS_REQUEST__INIT;
    ProtobufCMessage *reply;
    work_reset(caller);
    if (!work_call(caller, ROUTE_vault_keys, NULL, &request.base, &reply))
        return NULL;
    snprintf(who, sizeof who, "%s", ((Vault__KeysReply *)reply)->jwks);
    return who;
}

/* Call until this one has answered. False: not within `seconds`. */
static bool await_answer_of(const char *address, int seconds)
{
    for (int64_t until = clock_ms() + seconds * 1000; clock_ms() < until;) {
        const char *who = call();
        if (who && strcmp(who, address) == 0)
            return true;
    }
    return false;
}

static void check_all_answered(int calls)
{
    for (int i = 0; i < calls; i++)
        ck_assert_msg(call() != NULL, "call %d of %d was not answered", i + 1, calls);
}

/* --- tests ---------------------------------------------------------------------------------------------------------
 */

/* EXCH-9: every address of a name is called, one that comes later too, and one that is gone no more */
START_TEST(each_address_of_a_name_is_called)
{
    ck_assert(replica_start(0, "127.0.0.2", folder) && replica_start(1, "127.0.0.3", folder));
    vault_is_at("127.0.0.2", "127.0.0.3");
    ck_assert(await_answer_of("127.0.0.2", 5));
    ck_assert(await_answer_of("127.0.0.3", 5));
    ck_assert(replica_start(2, "127.0.0.4", folder));
    vault_is_at("127.0.0.4", NULL);
    ck_assert(await_answer_of("127.0.0.4", TURN_SECONDS));
    for (int i = 0; i < 20; i++)
        ck_assert_str_eq(call(), "127.0.0.4");
}
END_TEST

/* EXCH-9: a caller that is there before its peer, and before its peer's name, is answered once it comes */
START_TEST(a_caller_waits_for_its_peer)
{
    ck_assert_ptr_null(call());
    ck_assert(replica_start(0, "127.0.0.2", folder));
    vault_is_at("127.0.0.2", NULL);
    ck_assert_str_eq(call(), "127.0.0.2");
}
END_TEST

/* EXCH-9: a replica that is killed, and one that only falls silent, cost no call its answer */
START_TEST(a_dead_replica_costs_no_answer)
{
    ck_assert(replica_start(0, "127.0.0.2", folder) && replica_start(1, "127.0.0.3", folder));
    vault_is_at("127.0.0.2", "127.0.0.3");
    ck_assert(await_answer_of("127.0.0.2", 5) && await_answer_of("127.0.0.3", 5));
    replica_end(0, SIGKILL);
    check_all_answered(50);
    ck_assert(replica_start(0, "127.0.0.2", folder));
    ck_assert(await_answer_of("127.0.0.2", 5));
    kill(replicas[0], SIGSTOP); /* its connections stand, and nothing comes back */
    for (int64_t until = clock_ms() + 2 * TURN_SECONDS * 1000; clock_ms() < until;)
        check_all_answered(1);
    int64_t from = clock_ms();
    check_all_answered(50);
    ck_assert_msg(clock_ms() - from < 3000, "calls still wait for the silent one");
    kill(replicas[0], SIGCONT);
    ck_assert(await_answer_of("127.0.0.2", TURN_SECONDS));
}
END_TEST

/* EXCH-9, STORE-2: at the vault's address with a certificate of the right authority, but another service's */
START_TEST(another_service_is_not_taken_for_the_vault)
{
    char false_keys[80];
    snprintf(false_keys, sizeof false_keys, "%s/false", folder);
    shell("cd %s && mkdir false && cp -r peers vault false && cp records/bus.pem false/vault/%s", folder, "bus.pem");
    ck_assert(replica_start(0, "127.0.0.2", false_keys));
    vault_is_at("127.0.0.2", NULL);
    ck_assert_ptr_null(call());
    replica_end(0, SIGKILL);
    ck_assert(replica_start(0, "127.0.0.2", folder));
    ck_assert(await_answer_of("127.0.0.2", TURN_SECONDS));
}
END_TEST

/* STORE-4: on one host too: a process that hangs while another one has taken its place holds nobody up for good */
START_TEST(one_that_hangs_is_left)
{
    setenv("SHIKAKU_BUS", folder, 1);
    ck_assert(settings_read(settings, sizeof settings / sizeof *settings));
    ck_assert(replica_start(0, "the first", folder));
    ck_assert_str_eq(call(), "the first");
    kill(replicas[0], SIGSTOP);
    ck_assert(replica_start(1, "the second", folder));
    ck_assert(await_answer_of("the second", 3 * TURN_SECONDS));
    replica_end(1, SIGKILL);
    ck_assert(replica_start(1, "the third", folder));
    ck_assert_str_eq(call(), "the third");
}
END_TEST

struct shown {
    bool let_in;
    long print; /* the beginning of the SHA-256 of the certificate that the listener showed */
};

/* What a client meets that brings this certificate (NULL: none). */
static struct shown stranger_meets(const char *address, const char *certificate)
{
    struct shown shown = {0};
    char place[64];
    SSL *ssl = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (certificate) {
        ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, certificate), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, certificate, SSL_FILETYPE_PEM), 1);
    }
    BIO *line = BIO_new_ssl_connect(context);
    snprintf(place, sizeof place, "%s:%s", address, port);
    BIO_set_conn_hostname(line, place);
    BIO_get_ssl(line, &ssl);
    shown.let_in = BIO_do_handshake(line) == 1;
    X509 *peer = SSL_get1_peer_certificate(ssl);
    if (peer) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        X509_digest(peer, EVP_sha256(), digest, NULL);
        memcpy(&shown.print, digest, sizeof shown.print);
    }
    X509_free(peer);
    BIO_free_all(line);
    SSL_CTX_free(context);
    return shown;
}

/* STORE-2: no certificate, or one of another authority, ends the handshake */
START_TEST(a_stranger_is_turned_away)
{
    char path[128];
    ck_assert(replica_start(0, "127.0.0.2", folder));
    ck_assert(!stranger_meets("127.0.0.2", NULL).let_in);
    shell("mkdir %s/%s", folder, "others");
    shell("SHIKAKU_KEYS=%s/%s deploy/certificates make portal", folder, "others");
    snprintf(path, sizeof path, "%s/others/portal/bus.pem", folder);
    ck_assert(!stranger_meets("127.0.0.2", path).let_in);
    snprintf(path, sizeof path, "%s/portal/bus.pem", folder);
    ck_assert(stranger_meets("127.0.0.2", path).let_in);
}
END_TEST

/* STORE-2: certificates are renewed without a stop: calls go on, and the listener shows the new one */
START_TEST(certificates_are_renewed_under_load)
{
    char path[128];
    snprintf(path, sizeof path, "%s/portal/bus.pem", folder);
    ck_assert(replica_start(0, "127.0.0.2", folder));
    vault_is_at("127.0.0.2", NULL);
    check_all_answered(1);
    long before = stranger_meets("127.0.0.2", path).print, now = before;
    shell("rm %s/*/bus.pem && SHIKAKU_KEYS=%s deploy/certificates make vault portal", folder, folder);
    for (int64_t until = clock_ms() + 2 * TURN_SECONDS * 1000; now == before && clock_ms() < until;) {
        check_all_answered(20);
        struct shown shown = stranger_meets("127.0.0.2", path);
        ck_assert(shown.let_in);
        now = shown.print;
    }
    ck_assert_int_ne(now, before);
    replica_end(0, SIGKILL);
    ck_assert(replica_start(0, "127.0.0.2", folder)); /* the caller connects anew, with its new one */
    ck_assert(await_answer_of("127.0.0.2", TURN_SECONDS));
}
END_TEST

/* STORE-2: hundreds that connect and say nothing keep no good peer out */
START_TEST(silent_connections_keep_nobody_out)
{
    static int silent[SILENT];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    const struct rlimit little = {SILENT / 2, SILENT + 200}, room = {SILENT + 200, SILENT + 200};
    inet_pton(AF_INET, "127.0.0.2", &at.sin_addr);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &little), 0); /* the replica's: more come than it may hold */
    ck_assert(replica_start(0, "127.0.0.2", folder));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
    vault_is_at("127.0.0.2", NULL);
    check_all_answered(1);
    for (int i = 0; i < SILENT; i++) {
        silent[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(connect(silent[i], (struct sockaddr *)&at, sizeof at), 0);
    }
    check_all_answered(50);
    char path[128];
    snprintf(path, sizeof path, "%s/portal/bus.pem", folder);
    ck_assert(stranger_meets("127.0.0.2", path).let_in); /* and one that comes now */
    for (int i = 0; i < SILENT; i++)
        close(silent[i]);
}
END_TEST

/* STORE-2: what is no address of a bus is refused at start, and named */
START_TEST(a_wrong_address_is_refused)
{
    static const char *const wrong[] = {
        "tls+tcp://", "tls+tcp://*", "tls+tcp://*:0", "tls+tcp://*:70000", "tls+tcp://*:12x", "tls+tcp://vault:9000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("SHIKAKU_BUS", wrong[i], 1);
        ck_assert_msg(!bus_way_check(), "%s", wrong[i]);
    }
}
END_TEST

int main(int argc, char **argv)
{
    snprintf(program, sizeof program, "%s", argv[0]);
    if (argc == 2 && strcmp(argv[1], "replica") == 0)
        return replica_run();
    Suite *suite = suite_create("bus_hosts");
    TCase *hosts = tcase_create("hosts");
    tcase_set_timeout(hosts, 60);
    tcase_add_checked_fixture(hosts, setup, teardown);
    tcase_add_test(hosts, each_address_of_a_name_is_called);
    tcase_add_test(hosts, a_caller_waits_for_its_peer);
    tcase_add_test(hosts, a_dead_replica_costs_no_answer);
    tcase_add_test(hosts, another_service_is_not_taken_for_the_vault);
    tcase_add_test(hosts, a_stranger_is_turned_away);
    tcase_add_test(hosts, certificates_are_renewed_under_load);
    tcase_add_test(hosts, one_that_hangs_is_left);
    tcase_add_test(hosts, a_wrong_address_is_refused);
    suite_add_tcase(suite, hosts);
    TCase *flood = tcase_create("flood");
    tcase_set_timeout(flood, 60);
    tcase_add_checked_fixture(flood, setup, teardown);
    tcase_add_test(flood, silent_connections_keep_nobody_out);
    suite_add_tcase(suite, flood);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
